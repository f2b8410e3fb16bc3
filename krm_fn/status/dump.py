"""Reading what `kubectl get … -o yaml` (or `-o json`) printed: files, streams, Lists, several documents.

Only what status and migration look at is kept: a Secret that has nothing to do with us is dropped here, before anything
else sees it.
"""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

from krm_fn import surface
from krm_fn.base import Record, some
from krm_fn.clusters import resource_set
from krm_fn.krm.results import Errors, Result
from krm_fn.kube import raw
from krm_fn.yaml import BadYaml, bad_yaml
from krm_fn.yaml import read as read_yaml
from krm_fn.yaml.explain import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

# what status and migration can't do without, for kubectl
CLUSTER_KINDS = "clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings"
CLUSTERNET_GROUP = "clusters.clusternet.io"
BOOTSTRAP_PREFIX = "bootstrap-token-"  # begins the name of a Secret of the parent cluster, which tells a token's expiry

CLUSTER = (surface.CLUSTER_GROUP, "Cluster")
RESOURCE_SET = (surface.ADDONS_GROUP, "ClusterResourceSet")
BINDING = (surface.ADDONS_GROUP, "ClusterResourceSetBinding")
SECRET = ("", "Secret")
CONFIG_MAP = ("", "ConfigMap")
DEPLOYMENT = ("apps", "Deployment")
MANAGED_CLUSTER = (CLUSTERNET_GROUP, "ManagedCluster")
REQUEST = (CLUSTERNET_GROUP, "ClusterRegistrationRequest")

NAMESPACE = ("", "Namespace")

_KEPT = frozenset({CLUSTER, RESOURCE_SET, BINDING, SECRET, CONFIG_MAP, DEPLOYMENT, NAMESPACE, MANAGED_CLUSTER, REQUEST})
# `kubectl get` prints one List; a List of Lists comes from joining dumps by hand
_DEEPEST_LIST = 2
_SHOWN_KINDS = 5
# a table as kubectl prints it when -o is forgotten
_DIGITS = 20  # of a 64-bit number: the longest resourceVersion that a server gives
_TABLE = re.compile(r"(?:NAMESPACE|NAME)\s{2,}[A-Z]")
_KUBECTL_ERROR = re.compile(r"(?:Error from server|error:|Unable to connect|No resources found)[^\n]*")
_SEPARATOR = re.compile(r"\s*(?:---[^\S\n]*(?:\n|\Z)\s*)*")


class Dump(Record):
    """What was dumped."""

    objects: Mapping[tuple[str, str], tuple[Mapping[str, Any], ...]]  # by (group, kind), sorted by namespace and name
    empty_lists: int = 0  # lists without items among the inputs: an answer too, though not whose
    unread: frozenset[tuple[str, str]] = frozenset()  # kinds that the caller may not read: nothing is known of them

    def of(self, kind: tuple[str, str]) -> tuple[Mapping[str, Any], ...]:
        """Return the raw objects of a (group, kind)."""
        return self.objects.get(kind, ())

    def __repr__(self) -> str:
        """Show counts only: Secrets are among the objects."""
        return f"Dump({', '.join(f'{kind[1]}: {len(found)}' for kind, found in sorted(self.objects.items()))})"


def read(inputs: Iterable[tuple[str, bytes]]) -> Dump:
    """Read dumps, each a name for messages and the bytes.

    Of an object that occurs twice, the one with the higher resourceVersion stays.

    Raises:
        Errors: For every input that is no dump: what it is instead, where it breaks off, and what to run.
    """
    results: list[Result] = []
    found: dict[tuple[str, str], dict[tuple[str, str], Mapping[str, Any]]] = {}
    others: dict[str, int] = {}
    empty_lists = 0
    names: list[str] = []
    for name, data in inputs:
        names.append(name)
        try:
            for document in _documents(name, data):
                empty_lists += raw.text(document, "kind").endswith("List") and document.get("items") == []
                for value in _expand(name, document):
                    _keep(value, found, others)
        except Errors as errors:
            results.extend(errors.results)
        del data  # before the next one is read
    if results:
        raise Errors(results)
    if not found and not empty_lists:
        raise Errors.of(_nothing_found(names, others))
    _drop_others(found)
    objects = {kind: tuple(value for _, value in sorted(by_name.items())) for kind, by_name in found.items()}
    return Dump(objects=objects, empty_lists=empty_lists)


def documents(written: str) -> Iterator[Any]:
    """Yield the values of the documents of a YAML text; None for an empty one.

    Raises:
        BadYaml: When a document can't be read; those before it have been yielded.
    """
    try:
        parser = read_yaml.parser(written)
        parser.get_event()  # stream start
        while not isinstance(parser.get_event(), yaml.StreamEndEvent):
            # anchors belong to one document, so each has its own builder
            value = read_yaml.Builder(parser).build(parser.get_event())
            parser.get_event()  # document end
            yield value
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None


def identity(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return group and kind of a raw object."""
    return (raw.text(value, "apiVersion").rpartition("/")[0], raw.text(value, "kind"))


def generated(value: Mapping[str, Any]) -> bool:
    """Return whether an object is ours, or was made for us (by an ExternalSecret, which gives it labels only)."""
    labels = raw.mapping(value, "metadata", "labels")
    return labels.get(surface.GENERATED_LABEL) == "true" or surface.OWNER_ANNOTATION in raw.mapping(
        value, "metadata", "annotations"
    )


def _drop_others(found: Mapping[tuple[str, str], dict[tuple[str, str], Mapping[str, Any]]]) -> None:
    """Drop the Secrets and ConfigMaps that are not ours, not the hub's, and referred to by no set of ours."""
    referred = {
        (namespace, *one)
        for (namespace, _), value in found.get(RESOURCE_SET, {}).items()
        if generated(value)
        for one in resource_set.read(value).resources
    }
    for kind in (SECRET, CONFIG_MAP):
        by_name = found.get(kind, {})
        for (namespace, name), value in list(by_name.items()):
            hubs = name in {surface.HUB_AGENT_MAP, surface.HUB_RBAC_MAP} or (namespace, name) == (
                surface.HUB_NAMESPACE,
                surface.HUB_NAME,
            )
            kept = hubs or name.startswith(BOOTSTRAP_PREFIX) or (namespace, kind[1], name) in referred
            if not kept and not generated(value):
                del by_name[namespace, name]


def _keep(
    value: Mapping[str, Any],
    found: dict[tuple[str, str], dict[tuple[str, str], Mapping[str, Any]]],
    others: dict[str, int],
) -> None:
    kind = identity(value)
    if kind not in _KEPT:
        title = f"{kind[1]}.{kind[0]}" if kind[0] else kind[1]
        others[title] = others.get(title, 0) + 1
        return
    key = (raw.text(value, "metadata", "namespace"), raw.text(value, "metadata", "name"))
    by_name = found.setdefault(kind, {})
    if key not in by_name or _version(by_name[key]) < _version(value):
        by_name[key] = value


def _version(value: Mapping[str, Any]) -> tuple[int, str, str]:
    """Order two states of one object; the last part only makes the choice independent of the inputs' order."""
    version = raw.text(value, "metadata", "resourceVersion")
    return (
        int(version) if version.isascii() and version.isdigit() and len(version) <= _DIGITS else -1,
        raw.text(value, "apiVersion"),
        repr(value),
    )


def _expand(name: str, value: Any, kind: tuple[str, str] = ("", ""), depth: int = 0) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a document, of a List its items; `depth` counts the Lists around it.

    `kind` is apiVersion and kind of an item that names none, as in a typed list (`ClusterList`).
    """
    if value is None:
        return
    if not isinstance(value, dict):
        noun = "a list" if isinstance(value, list) else "plain text" if isinstance(value, str) else "a plain value"
        raise _refused(name, f"is not a kubectl dump: it holds {noun} where an object should be; run {_COMMAND}")
    own_kind = raw.text(value, "kind")
    if own_kind == "Status" and raw.text(value, "apiVersion") == "v1":
        reason = raw.quote(raw.text(value, "message"))
        raise _refused(name, f"holds an error of the API server, not a dump: {reason}")
    if not own_kind and kind[1]:
        yield {**value, "apiVersion": kind[0], "kind": kind[1]}
        return
    items = value.get("items")
    if not own_kind.endswith("List") or not isinstance(items, list):
        yield value
        return
    if depth == _DEEPEST_LIST:
        raise _refused(
            name, f"holds Lists within Lists, more than {_DEEPEST_LIST} deep; kubectl prints one: run {_COMMAND}"
        )
    item_kind = (raw.text(value, "apiVersion"), own_kind[:-4]) if own_kind != "List" else ("", "")
    for item in items:
        yield from _expand(name, item, item_kind, depth + 1)


def _documents(name: str, data: bytes) -> Iterator[Any]:
    """Yield the documents of one input, JSON or YAML, also when several dumps were joined."""
    written = _text(name, data)
    position = 0
    decoder = json.JSONDecoder()
    try:
        while True:
            separator = _SEPARATOR.match(written, position)
            position = separator.end() if separator else position
            if position == len(written):
                return
            if written[position] not in "{[":
                break
            value, position = decoder.raw_decode(written, position)
            yield value
    except json.JSONDecodeError as failure:
        # YAML's flow style begins like JSON; only what is meant as JSON is reported as such
        if written.startswith(("{\n", '{"'), position):
            raise _broken(name, f"invalid JSON: {_in_words(failure)}", failure.lineno, failure.colno) from None
    except (RecursionError, ValueError):
        raise _refused(name, "is not a kubectl dump: its JSON is nested too deep or holds a number too long") from None
    written = written[position:] if position else written
    try:
        yield from documents(written)
    except BadYaml as failure:
        said, line, column = explained(failure, written.encode())
        raise _broken(name, f"invalid YAML: {said}", (line or 0) + 1, (column or 0) + 1) from None


def _in_words(failure: json.JSONDecodeError) -> str:
    """Say what is wrong with JSON, without the parser's own words."""
    if not failure.doc[failure.pos :].strip() or failure.msg.startswith("Unterminated"):
        return "it ends in the middle of an object"
    return next((said for part, said in _JSON_SLIPS if part in failure.msg), "it can't be parsed from here on")


_JSON_SLIPS = (
    ("delimiter", "a ',' or a ':' is missing"),
    ("property name", "a field's name in double quotes is missing"),
    ("Expecting value", "a value is missing"),
    ("control character", "a line break or another control character is inside a string"),
)


def _refused(name: str, what: str) -> Errors:
    return Errors.of(f"{name} {what}", file_path=name)


def _broken(name: str, reason: str, line: int, column: int) -> Errors:
    message = f"{reason}; was the dump cut off? Run kubectl again, with all its output in the file"
    return Errors.of(message, file_path=name, line=line, column=column)


def _text(name: str, data: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark as `>` in Windows PowerShell writes it; refuse what is no dump."""
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        written = data.decode(encoding)
    except UnicodeDecodeError as error:
        wanted = encoding.replace("-sig", "").upper()
        raise _refused(
            name, f"is not a kubectl dump: its byte {error.start} is not valid {wanted}; run {_COMMAND}"
        ) from None
    if "\0" in written:
        raise _refused(name, f"is not a kubectl dump: it holds NUL characters; run {_COMMAND}")
    begin = written.lstrip()
    if not begin:
        raise _refused(name, f"is empty: kubectl printed nothing; look at its error, then run {_COMMAND}")
    if _TABLE.match(begin):
        raise _refused(
            name, "is kubectl's table, which leaves out most fields: add -o yaml (or -o json) to the command"
        )
    message = _KUBECTL_ERROR.match(begin)
    if message:
        raise _refused(name, f"holds a message of kubectl, not a dump: {raw.quote(message[0])}")
    return written


def _nothing_found(names: Sequence[str], others: Mapping[str, int]) -> str:
    files = some(names, _SHOWN_KINDS)
    verb = "hold" if len(names) > 1 else "holds"
    if not others:
        return f"{files} {verb} no object; run {_COMMAND}"
    listed = [f"{number} {raw.quote(kind) or 'without a kind'}" for kind, number in sorted(others.items())]
    kinds = some(listed, _SHOWN_KINDS)
    return f"{files} {verb} nothing of Cluster API or Clusternet, only {kinds}; run {_COMMAND}"


_COMMAND = f"kubectl get {CLUSTER_KINDS} -A -o yaml"
