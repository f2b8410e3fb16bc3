"""Reading what `kubectl get … -o yaml` (or `-o json`) printed: files, streams, Lists, several documents.

Only what status and migration look at is kept: a Secret that has nothing to do with us is dropped here, before anything
else sees it.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

import yaml

from krm_fn import surface
from krm_fn.base import Record, some
from krm_fn.clusters import capi
from krm_fn.krm.results import Errors, Result
from krm_fn.kube import raw
from krm_fn.tokens import BOOTSTRAP_NAME
from krm_fn.yaml import BadYaml, bad_yaml
from krm_fn.yaml import read as read_yaml
from krm_fn.yaml.explain import explained

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    Kind = tuple[str, str]  # group and kind
    # raw objects by their kind, and then by namespace and name
    Found = defaultdict[Kind, dict[tuple[str, str], Mapping[str, Any]]]
    # the kinds of lists: the input with the latest page, and whether the last page is there
    Pages = dict[str, tuple[str, bool]]

CLUSTERNET_GROUP = "clusters.clusternet.io"

# what kubectl is asked for
CLUSTERS = f"clusters.{surface.CLUSTER_GROUP}"
SETS = f"clusterresourcesets.{surface.ADDONS_GROUP}"
BINDINGS = f"clusterresourcesetbindings.{surface.ADDONS_GROUP}"
MANAGED = f"managedclusters.{CLUSTERNET_GROUP}"
REQUESTS = f"clusterregistrationrequests.{CLUSTERNET_GROUP}"

CLUSTER = (surface.CLUSTER_GROUP, "Cluster")
RESOURCE_SET = (surface.ADDONS_GROUP, "ClusterResourceSet")
BINDING = (surface.ADDONS_GROUP, "ClusterResourceSetBinding")
SECRET = ("", "Secret")
CONFIG_MAP = ("", "ConfigMap")
NAMESPACE = ("", "Namespace")
DEPLOYMENT = ("apps", "Deployment")
MANAGED_CLUSTER = (CLUSTERNET_GROUP, "ManagedCluster")
REQUEST = (CLUSTERNET_GROUP, "ClusterRegistrationRequest")

_KEPT = frozenset({CLUSTER, RESOURCE_SET, BINDING, SECRET, CONFIG_MAP, DEPLOYMENT, NAMESPACE, MANAGED_CLUSTER, REQUEST})
_SHOWN_KINDS = 5
_DIGITS = 20  # of a 64-bit number: the longest resourceVersion that a server gives
_CUT_OFF = "was the dump cut off? Run kubectl again, with all its output in the file"
# a table as kubectl prints it when -o is forgotten
_TABLE = re.compile(r"(?:NAMESPACE|NAME)\s{2,}[A-Z]")
_KUBECTL_ERROR = re.compile(r"(?:Error from server|error:|Unable to connect|No resources found)[^\n]*")
_SEPARATOR = re.compile(r"\s*(?:---[^\S\n]*(?:\n|\Z)\s*)*")


def in_short(*resources: str) -> str:
    """Return resources for kubectl as people type them, without their groups."""
    return ",".join(one.partition(".")[0] for one in resources)


# what status and migration can't do without; other projects have Clusters too
CLUSTER_KINDS = f"{CLUSTERS},{in_short(SETS, BINDINGS)}"
GET_CLUSTERS = f"get {CLUSTER_KINDS} -A -o yaml"
_COMMAND = f"kubectl {GET_CLUSTERS}"


class Dump(Record):
    """What was dumped."""

    objects: Mapping[Kind, tuple[Mapping[str, Any], ...]]  # sorted by namespace and name
    empty_lists: int = 0  # lists without items among the inputs: an answer too, though not whose
    unread: frozenset[Kind] = frozenset()  # kinds that the caller may not read: nothing is known of them

    def of(self, kind: Kind) -> tuple[Mapping[str, Any], ...]:
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
    found: Found = defaultdict(dict)
    others: Counter[str] = Counter()
    pages: Pages = {}
    empty_lists = 0
    names: list[str] = []
    for name, data in inputs:
        names.append(name)
        try:
            for document in _documents(name, data):
                empty_lists += raw.text(document, "kind").endswith("List") and document.get("items") == []
                _note_page(pages, name, document)
                for value in _objects(name, document):
                    kind = (raw.text(value, "apiVersion").rpartition("/")[0], raw.text(value, "kind"))
                    if kind not in _KEPT:
                        others[f"{kind[1]}.{kind[0]}" if kind[0] else kind[1]] += 1
                        continue
                    key = raw.key(value)
                    before = found[kind].get(key)
                    if before is None or _version(before) < _version(value):
                        found[kind][key] = value
        except Errors as errors:
            results.extend(errors.results)
        del data  # before the next one is read
    results += _cut_off(pages)
    if results:
        raise Errors(results)
    if not found and not empty_lists:
        listed = [f"{number} {raw.quote(kind) or 'without a kind'}" for kind, number in sorted(others.items())]
        what = f"nothing of Cluster API or Clusternet, only {some(listed, _SHOWN_KINDS)}" if others else "no object"
        message = f"{some(names, _SHOWN_KINDS)} hold{'' if len(names) > 1 else 's'} {what}; run {_COMMAND}"
        raise Errors.of(message)
    _drop_others(found)
    objects = {kind: tuple(value for _, value in sorted(by_name.items())) for kind, by_name in found.items()}
    return Dump(objects=objects, empty_lists=empty_lists)


def _note_page(pages: Pages, name: str, document: Any) -> None:
    """Note what a list says of itself: with a limit the server sends pages, and all but the last name what continues them."""
    kind = raw.text(document, "kind")
    if kind.endswith("List"):
        last = not raw.text(document, "metadata", "continue")
        pages[kind] = (name, last or pages.get(kind, (name, False))[1])


def _cut_off(pages: Pages) -> Iterator[Result]:
    """Report the lists whose last page is not there: what it holds would count as not being on the server."""
    for kind, (name, ended) in pages.items():
        if not ended:
            message = f"{name} holds only some pages of a {raw.quote(kind)}: dump it without a limit, or give the last page too"
            yield Result(message=message, file_path=name)


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


def generated(value: Mapping[str, Any]) -> bool:
    """Return whether an object is ours, or was made for us (by an ExternalSecret, which gives it labels only)."""
    labels, annotations = raw.mapping(value, "metadata", "labels"), raw.mapping(value, "metadata", "annotations")
    return labels.get(surface.GENERATED_LABEL) == "true" or surface.OWNER_ANNOTATION in annotations


def _drop_others(found: Found) -> None:
    """Drop the Secrets and ConfigMaps that are not ours, not the hub's, and referred to by no set of ours."""
    named = {surface.HUB_AGENT_MAP, surface.HUB_RBAC_MAP}
    others = [
        (kind, key)
        for kind in (SECRET, CONFIG_MAP)
        for key, value in found.get(kind, {}).items()
        if key != (surface.HUB_NAMESPACE, surface.HUB_NAME)
        and not (key[1] in named or key[1].startswith(BOOTSTRAP_NAME) or generated(value))
    ]
    if not others:
        return
    referred = {
        (kind, namespace, name)
        for (namespace, _), value in found.get(RESOURCE_SET, {}).items()
        if generated(value)
        for kind, name in capi.read_set(value).resources
    }
    for kind, (namespace, name) in others:
        if (kind[1], namespace, name) not in referred:
            del found[kind][namespace, name]


def _version(value: Mapping[str, Any]) -> tuple[int, str, str]:
    """Order two states of one object; the last part only makes the choice independent of the inputs' order."""
    version = raw.text(value, "metadata", "resourceVersion")
    number = int(version) if version.isascii() and version.isdigit() and len(version) <= _DIGITS else -1
    return (number, raw.text(value, "apiVersion"), repr(value))


def _objects(name: str, document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a document: itself, or what its Lists hold at any depth."""
    left = [] if document is None else [document]
    while left:
        value = left.pop()
        if not isinstance(value, dict):
            noun = "a list" if isinstance(value, list) else "plain text" if isinstance(value, str) else "a plain value"
            raise _refused(name, f"it holds {noun} where an object should be")
        version, kind, items = raw.text(value, "apiVersion"), raw.text(value, "kind"), value.get("items")
        if kind == "Status" and version == "v1":
            reason = raw.quote(raw.text(value, "message"))
            message = f"{name} holds an error of the API server, not a dump: {reason}"
            raise Errors.of(message, file_path=name)
        if not kind and "items" in value:  # kubectl prints the kind of a list behind its items
            message = f"{name} holds a list without its end; {_CUT_OFF}"
            raise Errors.of(message, file_path=name)
        if not kind.endswith("List") or not isinstance(items, list):
            yield value
            continue
        # items of a typed list (`ClusterList`) may name no kind
        own = {"apiVersion": version, "kind": kind[:-4]} if kind != "List" else {}
        left += [
            {**one, **own} if own and isinstance(one, dict) and not one.get("kind") else one
            for one in reversed(items)
            if one is not None
        ]


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
            cut = not written[failure.pos :].strip() or failure.msg.startswith("Unterminated")
            said = "invalid JSON: it ends in the middle of an object" if cut else "invalid JSON"
            raise _broken(name, said, failure.lineno, failure.colno) from None
    except (RecursionError, ValueError):
        raise _refused(name, "its JSON is nested too deep or holds a number too long") from None
    written = written[position:] if position else written
    try:
        yield from documents(written)
    except BadYaml as failure:
        said, line, column = explained(failure, written.encode())
        if failure.problem.startswith("a key appears twice") and not column:
            message = "a second dump begins here: put a line --- before it, or give each dump a file of its own"
            raise Errors.of(message, file_path=name, line=(line or 0) + 1, column=1) from None
        raise _broken(name, f"invalid YAML: {said}", (line or 0) + 1, (column or 0) + 1) from None


def _text(name: str, data: bytes) -> str:
    """Decode UTF-8, or UTF-16 with a byte order mark as `>` in Windows PowerShell writes it; refuse what is no dump."""
    encoding = "utf-16" if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else "utf-8-sig"
    try:
        written = data.decode(encoding)
    except UnicodeDecodeError as error:
        wanted = encoding.replace("-sig", "").upper()
        raise _refused(name, f"its byte {error.start} is not valid {wanted}") from None
    if "\0" in written:
        raise _refused(name, "it holds NUL characters")
    begin, message = written.lstrip(), ""
    if not begin:
        message = f"{name} is empty: kubectl printed nothing; look at its error, then run {_COMMAND}"
    elif _TABLE.match(begin):
        message = f"{name} is kubectl's table, which leaves out most fields: add -o yaml (or -o json) to the command"
    elif said := _KUBECTL_ERROR.match(begin):
        message = f"{name} holds a message of kubectl, not a dump: {raw.quote(said[0])}"
    if message:
        raise Errors.of(message, file_path=name)
    return written


def _refused(name: str, why: str) -> Errors:
    return Errors.of(f"{name} is not a kubectl dump: {why}; run {_COMMAND}", file_path=name)


def _broken(name: str, reason: str, line: int, column: int) -> Errors:
    message = f"{reason}; {_CUT_OFF}"
    return Errors.of(message, file_path=name, line=line, column=column)
