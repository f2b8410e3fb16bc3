"""Cluster API: its API versions, what a `Cluster` is, and which labels it will carry.

Sources: kubernetes-sigs/cluster-api v1.14.0 `docs/book/src/reference/versions.md` for the versions, `api/core` and
`api/addons` for the shape of `status` in each, `internal/controllers/topology/cluster` for the labels that the topology
controller sets.
"""

from __future__ import annotations

from krm_fn.base import Record, listed
from krm_fn.krm.results import Result, tagged
from krm_fn.kube.labels import (
    LabelSelector,
    dns_label_error,
    dns_subdomain_error,
    label_key_error,
    label_value_error,
    placeholder,
)
from krm_fn.kube.secrets import quoted
from krm_fn.model import Cluster
from krm_fn.surface import ADDONS_GROUP, CLUSTER_GROUP, CLUSTER_NAME_LABEL, LOCAL_CONFIG_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from krm_fn.krm.items import Item

    Report = Callable[[str, str], None]


class Version(Record):
    """A version of Cluster API's API, for Clusters and ClusterResourceSets alike.

    Attributes:
        name: As in `apiVersion`, after the group.
        gone: Which Cluster API served it last; "" for one that is read and written.
        conditions: Paths of the conditions, the newer kind first.
        provisioned: Path of the flag that a Cluster's infrastructure is ready.
    """

    name: str
    gone: str = ""
    conditions: tuple[tuple[str, ...], ...] = (("status", "conditions"),)
    provisioned: tuple[str, ...] = ("status", "initialization", "infrastructureProvisioned")


_OLD_PROVISIONED = ("status", "infrastructureReady")

# Oldest first. A new version is one row here: messages, the choices of `clusterResourceSet.apiVersion`, what is read (from
# the input, and by `status` from a server) and the `apiVersion` of what is written derive from it.
VERSIONS: tuple[Version, ...] = (
    Version(name="v1alpha2", gone="v0.3", provisioned=_OLD_PROVISIONED),
    Version(name="v1alpha3", gone="v1.4", provisioned=_OLD_PROVISIONED),
    Version(name="v1alpha4", gone="v1.5", provisioned=_OLD_PROVISIONED),
    Version(
        name="v1beta1",
        conditions=(("status", "v1beta2", "conditions"), ("status", "conditions")),
        provisioned=_OLD_PROVISIONED,
    ),
    Version(name="v1beta2"),
)


def served() -> tuple[str, ...]:
    """Return the versions that are read and written, oldest first."""
    return tuple(one.name for one in VERSIONS if not one.gone)


def version_of(api_version: str) -> Version:
    """Return the version of an `apiVersion`; the newest one for any that is not known."""
    name = api_version.rpartition("/")[2]
    return next((one for one in VERSIONS if one.name == name), VERSIONS[-1])


def api_version(clusters: Iterable[Cluster]) -> str:
    """Return the `apiVersion` of the ClusterResourceSets beside some Clusters: the newest version among theirs.

    A management cluster serves both kinds in the same versions. Without Clusters to judge by it is the newest of all.
    """
    names = served()
    used = [names.index(name) for one in clusters if (name := one.api_version.rpartition("/")[2]) in names]
    return f"{ADDONS_GROUP}/{names[max(used)] if used else names[-1]}"


TOPOLOGY_OWNED_LABEL = "topology.cluster.x-k8s.io/owned"

_KINDS: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", type(None): "null", list: "a list"}


# Keys of Cluster API's domains that a user may well put on a Cluster; no others are ever set on one by a controller.
USER_KEYS = frozenset({"cluster.x-k8s.io/watch-filter", "cluster.x-k8s.io/managed-by"})


def is_cluster(item: Item) -> bool:
    """Return whether an item is a Cluster of Cluster API, in any version (CloudNativePG and others have a kind of that name)."""
    return item.kind == "Cluster" and item.group == CLUSTER_GROUP


_SHOWN = 80  # characters of a name in a message


class Unreadable(Record):
    """A Cluster with errors: what is certain of it, so that configs that can't reach it need not care.

    Attributes:
        namespace: Its namespace; None where that is invalid.
        labels: The labels that can be read, as the server will see them.
        unsure: Keys whose value is invalid.
        open: Whether it may have other labels as well once it is corrected.
        results: What is wrong.
    """

    namespace: str | None
    labels: Mapping[str, str]
    unsure: frozenset[str]
    open: bool
    results: tuple[Result, ...]

    def may_match(self, selector: LabelSelector) -> bool:
        """Return whether a selector could match the Cluster once its errors are corrected."""
        return all(
            one.key in self.unsure or (self.open and one.key not in self.labels) or one.matches(self.labels)
            for one in selector.requirements
        )


def read(item: Item) -> Cluster | Unreadable:
    """Read a Cluster as far as the product needs it, with all of its errors at once."""
    results: list[Result] = []
    broken: set[str] = set()
    topology = _topology(item)  # before anything else: one look at the object shows this and its metadata
    title = item.name if len(item.name) <= _SHOWN and item.name.isprintable() else ""

    def report(message: str, field: str = "") -> None:
        broken.add(field)
        fix = _quoted(item, field) if "double quotes" in message else ""
        meant = {"current": item.get(*field.split(".", 2)), "proposed": fix.partition(": ")[2][1:-1]} if fix else {}
        message = f"Cluster {title or '(without a name)'}: {message}"
        results.append(Result(message=message, fix=fix, tags=tagged(rule="cluster"), **meant, **item.place(field)))

    _check_identity(item, report)
    metadata = item.metadata()
    labels = _strings(metadata.get("labels"), "labels", report)
    annotations = _strings(metadata.get("annotations"), "annotations", report)
    if topology is None:
        report("spec must be an object", "spec")
    elif not topology and item.contains(b"topology") and item.is_mapping("spec", "topology") is False:
        report("spec.topology must be an object", "spec.topology")
    live = labels
    if topology:
        live = {**labels, CLUSTER_NAME_LABEL: item.name, TOPOLOGY_OWNED_LABEL: ""}
    if results:
        unsure = {field.removeprefix("metadata.labels.") for field in broken if field.startswith("metadata.labels.")}
        if topology and "metadata.name" in broken:
            unsure.add(CLUSTER_NAME_LABEL)
        if "spec" in broken or "spec.topology" in broken:
            unsure |= {CLUSTER_NAME_LABEL, TOPOLOGY_OWNED_LABEL}
        return Unreadable(
            namespace=None if "metadata.namespace" in broken else item.namespace,
            labels=dict(filter(lambda pair: isinstance(pair[1], str), live.items())),
            unsure=frozenset(unsure),
            open="metadata.labels" in broken or any(label_key_error(key) for key in unsure),
            results=tuple(results),
        )
    return Cluster(
        namespace=item.namespace,
        name=item.name,
        api_version=item.api_version,
        labels=labels,
        live_labels=live,
        topology=bool(topology),
        local=annotations.get(LOCAL_CONFIG_ANNOTATION) == "true",
        item=item.position,
        file_path=item.file_path,
        file_index=item.file_index,
    )


def _check_identity(item: Item, report: Report) -> None:
    """Report what a server would refuse about version, name and namespace; the namespace names files, too."""
    version = item.api_version.partition("/")[2]
    row = next((one for one in VERSIONS if one.name == version), None)
    if row is None:
        known = listed(served())
        report(f"apiVersion {_short(item.api_version)} is not supported; supported are {known}", "apiVersion")
    elif row.gone:
        oldest = served()[0]
        report(
            f"apiVersion {item.api_version} was last served by Cluster API {row.gone}; upgrade the object to {oldest} or"
            " newer",
            "apiVersion",
        )
    metadata = item.metadata()
    if metadata.get("name") is None or metadata["name"] == "":
        report("metadata.name is missing; give the Cluster a name", "metadata.name")
    elif not item.name:
        report(f"metadata.name is {_typed(metadata['name'])}", "metadata.name")
    elif reason := dns_subdomain_error(item.name):
        report(f"metadata.name {_short(item.name)} {_or_placeholder(item.name, reason)}", "metadata.name")
    if not isinstance(metadata.get("namespace", ""), str):
        report(f"metadata.namespace is {_typed(metadata['namespace'])}", "metadata.namespace")
    elif item.namespace and (reason := dns_label_error(item.namespace)):
        report(
            f"metadata.namespace {_short(item.namespace)} {_or_placeholder(item.namespace, reason)}",
            "metadata.namespace",
        )


def _topology(item: Item) -> bool | None:
    """Return whether a Cluster is made from a ClusterClass; None where its spec is no mapping."""
    if item.contains(b"topology") and item.is_mapping("spec", "topology"):
        return True
    return None if item.is_mapping("spec") is False else False


def _strings(found: object, what: str, report: Report) -> Mapping[str, str]:
    """Return labels or annotations; report those that the API server would refuse the object for."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        report(f"metadata.{what} must be an object: write each entry as name: value", f"metadata.{what}")
        return {}
    for key, value in found.items():
        if not isinstance(value, str):
            report(f"metadata.{what} {_short(key)} is {_typed(value)}", f"metadata.{what}.{key}")
        elif reason := label_key_error(key.lower() if what == "annotations" else key):
            reason = _or_placeholder(key, reason)
            report(f"metadata.{what} has a bad key {_short(key)}: it {reason}", f"metadata.{what}.{key}")
        elif what == "labels" and (reason := label_value_error(value)):
            reason = _or_placeholder(value, reason)
            report(f"metadata.labels {key!r} has a bad value {_short(value)}: it {reason}", f"metadata.labels.{key}")
    return found


def _quoted(item: Item, field: str) -> str:
    """Return a field of metadata with its value as a string, as it is spelled; "" where there is no such value."""
    from krm_fn.krm.places import spelled  # noqa: PLC0415 - for errors only

    text = spelled(item, field)
    return f'{field.split(".", 2)[2]}: "{text}"' if text and field.count(".") > 1 else ""


def _typed(value: object) -> str:
    """Describe a value that should be a string, and what to do."""
    remedy = "give a string" if isinstance(value, (dict, list)) else "put it in double quotes"
    return f"{_KINDS.get(type(value), 'a map')} for Kubernetes, not a string; {remedy}"


def _or_placeholder(text: str, reason: str) -> str:
    """Return the cause of what is wrong with a text: an unfilled placeholder, or the reason itself."""
    meaning = placeholder(text)
    return f"is {meaning}" if meaning else reason


def _short(text: str) -> str:
    """Return text that may be anything, fit for a message."""
    return repr(quoted(text))


def live_key_warning(key: str, clusters: tuple[Cluster, ...]) -> str:
    """Return why a selector on this key will match nothing; empty if there is no reason to think so."""
    domain = key.partition("/")[0]
    if domain != CLUSTER_GROUP and not domain.endswith("." + CLUSTER_GROUP):
        return ""
    if key in USER_KEYS or key in (CLUSTER_NAME_LABEL, TOPOLOGY_OWNED_LABEL):
        return ""
    if any(key in cluster.live_labels for cluster in clusters):
        return ""
    return f"no Cluster API controller sets {key} on Clusters, and no Cluster in the input carries it"
