"""Cluster API: its API versions, a `Cluster` and the labels that it will carry, a `ClusterResourceSet` wherever it was found.

Sources: kubernetes-sigs/cluster-api v1.14.0 `docs/book/src/reference/versions.md` for the versions, `api/core` and
`api/addons` for the shape of `status` in each, `internal/controllers/topology/cluster` for the labels that the topology
controller sets.
"""

from __future__ import annotations

from krm_fn.base import Record, listed
from krm_fn.krm.results import Result
from krm_fn.kube.labels import (
    LabelSelector,
    dns_label_error,
    dns_subdomain_error,
    label_key_error,
    label_value_error,
    placeholder,
)
from krm_fn.kube.secrets import quoted
from krm_fn.model import Cluster, ObjectKey
from krm_fn.surface import (
    ADDONS_GROUP,
    APPLY_ONCE,
    CLUSTER_GROUP,
    CLUSTER_NAME_LABEL,
    LOCAL_CONFIG_ANNOTATION,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from krm_fn.krm.items import Item

    Report = Callable[[str, str], None]


class Version(Record):
    """A version of Cluster API's API, for Clusters and ClusterResourceSets alike."""

    name: str  # as in `apiVersion`, after the group
    gone: str = ""  # which Cluster API served it last; "" for one that is read and written
    conditions: tuple[tuple[str, ...], ...] = (("status", "conditions"),)  # their paths, the newer kind first
    # path of the flag that a Cluster's infrastructure is ready
    provisioned: tuple[str, ...] = ("status", "initialization", "infrastructureProvisioned")
    # path of the flag that its control plane is initialized; () where only a condition says so
    initialized: tuple[str, ...] = ("status", "initialization", "controlPlaneInitialized")


_OLD_PROVISIONED = ("status", "infrastructureReady")

# Oldest first. A new version is one row here: messages, the choices of `clusterResourceSet.apiVersion`, what is read (from
# the input, and by `status` from a server) and the `apiVersion` of what is written derive from it.
VERSIONS: tuple[Version, ...] = (
    Version(name="v1alpha2", gone="v0.3", provisioned=_OLD_PROVISIONED, initialized=()),
    Version(name="v1alpha3", gone="v1.4", provisioned=_OLD_PROVISIONED, initialized=()),
    Version(name="v1alpha4", gone="v1.5", provisioned=_OLD_PROVISIONED, initialized=()),
    Version(
        name="v1beta1",
        conditions=(("status", "v1beta2", "conditions"), ("status", "conditions")),
        provisioned=_OLD_PROVISIONED,
        initialized=(),
    ),
    Version(name="v1beta2"),
)

# Where there is no Cluster to judge by; raised by hand, since a management cluster refuses a version that it does not serve
WITHOUT_CLUSTERS = "v1beta2"


def served() -> tuple[str, ...]:
    """Return the versions that are read and written, oldest first."""
    return tuple(one.name for one in VERSIONS if not one.gone)


def version_of(api_version: str) -> Version:
    """Return the version of an `apiVersion`; the newest one for any that is not known."""
    name = api_version.rpartition("/")[2]
    return next((one for one in VERSIONS if one.name == name), VERSIONS[-1])


def api_version(clusters: Iterable[Cluster]) -> str:
    """Return the `apiVersion` of the ClusterResourceSets beside some Clusters: the newest version among theirs.

    A management cluster serves both kinds in the same versions.
    """
    names = served()
    used = [names.index(name) for one in clusters if (name := one.api_version.rpartition("/")[2]) in names]
    return f"{ADDONS_GROUP}/{names[max(used)] if used else WITHOUT_CLUSTERS}"


# --- Clusters --------------------------------------------------------------------------------------------------------

NAMESPACE_NAME_LABEL = "kubernetes.io/metadata.name"
TOPOLOGY_OWNED_LABEL = "topology.cluster.x-k8s.io/owned"
# Keys of Cluster API's domains that a user may well put on a Cluster; no others are ever set on one by a controller.
USER_KEYS = frozenset({"cluster.x-k8s.io/watch-filter", "cluster.x-k8s.io/managed-by"})
_SHOWN = 80  # characters of a name in a message
_KINDS: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", type(None): "null", list: "a list"}


def is_cluster(item: Item) -> bool:
    """Return whether an item is a Cluster of Cluster API, in any version (CloudNativePG and others have a kind of that name)."""
    return item.kind == "Cluster" and item.group == CLUSTER_GROUP


class Unreadable(Record):
    """A Cluster or Namespace with errors: what is certain about it, so that configs that can't reach it can ignore it."""

    namespace: str | None  # None where it is invalid
    name: str
    labels: Mapping[str, str]  # those that can be read, as the server will see them
    unsure: frozenset[str]  # keys whose value is invalid
    open: bool  # whether it may have other labels as well once it is corrected
    results: tuple[Result, ...]  # what is wrong

    def may_match(self, selector: LabelSelector) -> bool:
        """Return whether a selector could match it once its errors are corrected."""
        return all(
            one.key in self.unsure or (self.open and one.key not in self.labels) or one.matches(self.labels)
            for one in selector.requirements
        )


def read(item: Item) -> Cluster | Unreadable:
    """Read a Cluster as far as the product needs it, with all of its errors at once."""
    results: list[Result] = []
    broken: set[str] = set()
    topology = _topology(item)  # before anything else: one look at the object shows this and its metadata
    report = _reporter(item, results, broken)
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
            name=item.name,
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
        origin=item.place(),
    )


def namespace_faults(item: Item) -> Unreadable | None:
    """Return what is certain about a Namespace that a server would refuse for its labels; None where they are right."""
    results: list[Result] = []
    broken: set[str] = set()
    labels = _strings(item.metadata().get("labels"), "labels", _reporter(item, results, broken))
    if not results:
        return None
    unsure = frozenset(field.removeprefix("metadata.labels.") for field in broken)
    labels = {**labels, NAMESPACE_NAME_LABEL: item.name}
    wide = "metadata.labels" in broken or any(label_key_error(key) for key in unsure)
    return Unreadable(
        namespace=item.name, name=item.name, labels=labels, unsure=unsure, open=wide, results=tuple(results)
    )


def _reporter(item: Item, results: list[Result], broken: set[str]) -> Report:
    """Return what adds a fault of an object, and the field that has it, to the others."""
    title = item.name if len(item.name) <= _SHOWN and item.name.isprintable() else ""

    def report(message: str, field: str = "") -> None:
        broken.add(field)
        fix = _quoted(item, field)
        meant = {"current": item.get(*field.split(".", 2)), "proposed": fix.partition(": ")[2][1:-1]} if fix else {}
        message = f"{item.kind} {title or '(without a name)'}: {message}"
        results.append(Result(message=message, fix=fix, rule=item.kind.lower(), **meant, **item.place(field)))

    return report


def _check_identity(item: Item, report: Report) -> None:
    """Report what a server would refuse about version, name and namespace; the namespace names files, too."""
    version = item.api_version.partition("/")[2]
    row = next((one for one in VERSIONS if one.name == version), None)
    if row is None:
        known = listed(served())
        report(f"apiVersion {_short(item.api_version)} is not supported; use {known}", "apiVersion")
    elif row.gone:
        report(
            f"apiVersion {item.api_version} was last served by Cluster API {row.gone}; upgrade the object to"
            f" {served()[0]} or newer",
            "apiVersion",
        )
    metadata = item.metadata()
    name, namespace = metadata.get("name"), metadata.get("namespace", "")
    if name is None or name == "":
        report("metadata.name is missing; give the Cluster a name", "metadata.name")
    elif not isinstance(name, str):
        report(f"metadata.name is {_typed(name)}", "metadata.name")
    elif reason := dns_subdomain_error(name):
        report(f"metadata.name {_short(name)} {_or_placeholder(name, reason)}", "metadata.name")
    if not isinstance(namespace, str):
        report(f"metadata.namespace is {_typed(namespace)}", "metadata.namespace")
    elif namespace and (reason := dns_label_error(namespace)):
        report(f"metadata.namespace {_short(namespace)} {_or_placeholder(namespace, reason)}", "metadata.namespace")


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
        error = ""
        if not isinstance(value, str):
            error = f" {_short(key)} is {_typed(value)}"
        elif reason := label_key_error(key.lower() if what == "annotations" else key):
            error = f" has a bad key {_short(key)}: it {_or_placeholder(key, reason)}"
        elif what == "labels" and (reason := label_value_error(value)):
            error = f" {key!r} has a bad value {_short(value)}: it {_or_placeholder(value, reason)}"
        if error:
            report(f"metadata.{what}{error}", f"metadata.{what}.{key}")
    return found


def _quoted(item: Item, field: str) -> str:
    """Return a label or annotation with its value in quotes, as it is spelled; "" where that is not what it lacks."""
    from krm_fn.krm.places import spelled  # noqa: PLC0415 - for errors only

    path = field.split(".", 2)
    if len(path) < 3 or isinstance(item.get(*path), (str, dict, list)):  # noqa: PLR2004 - metadata, labels, and the key
        return ""
    text = spelled(item, field)
    return f'{path[2]}: "{text}"' if text else ""


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


def never_set(key: str) -> bool:
    """Return whether a label key is of Cluster API's domains, and neither a controller nor a user puts it on Clusters."""
    domain = key.partition("/")[0]
    ours = domain == CLUSTER_GROUP or domain.endswith("." + CLUSTER_GROUP)
    return ours and key not in USER_KEYS and key not in (CLUSTER_NAME_LABEL, TOPOLOGY_OWNED_LABEL)


# --- ClusterResourceSets ---------------------------------------------------------------------------------------------


class ResourceSet(Record):
    """A ClusterResourceSet, in earlier output, among what is made now, or on a server."""

    key: ObjectKey
    owner: str  # the config that made it, by its annotation; "" without one
    selector: LabelSelector  # empty where no server would take it
    selector_data: Mapping[str, Any]  # the same as written: a server compares the form
    strategy: str
    resources: tuple[tuple[str, str], ...]  # kind and name of each object that it delivers
    registration_name: str  # the name that its one Cluster registers under; "" with `identity.mode: Shared`

    @property
    def namespace(self) -> str:
        """Where it is, and where the Clusters are that it selects."""
        return self.key.namespace

    @property
    def name(self) -> str:
        """`N`, `N-identity` or `N.CLUSTER`, where it is ours and nothing renamed it."""
        return self.key.name

    @property
    def identity_only(self) -> bool:
        """Whether it prepares for the agent only: it delivers nothing but the ConfigMap of its own name."""
        return bool(self.resources) and set(self.resources) == {("ConfigMap", self.key.name)}

    @property
    def delivers_agent(self) -> bool:
        """Whether it is a main set."""
        return bool(self.resources) and not self.identity_only

    @property
    def cluster(self) -> str:
        """The one Cluster it is for with `identity.mode: PerCluster`, or ""."""
        return dict(self.selector.match_labels).get(CLUSTER_NAME_LABEL, "") if self.registration_name else ""

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Return whether it selects a Cluster of its namespace; an empty selector selects none."""
        return not self.selector.empty and self.selector.matches(labels)


def read_set(value: Mapping[str, Any]) -> ResourceSet:
    """Read a ClusterResourceSet; fields that don't have their type count as absent."""
    from krm_fn.kube.raw import entries, mapping, text  # noqa: PLC0415 - a first run reads none

    metadata, spec = mapping(value, "metadata"), mapping(value, "spec")
    annotations, selector = mapping(metadata, "annotations"), mapping(spec, "clusterSelector")
    namespace, name = text(metadata, "namespace"), text(metadata, "name")
    return ResourceSet(
        key=ObjectKey(group=ADDONS_GROUP, kind=RESOURCE_SET_KIND, namespace=namespace, name=name),
        owner=text(annotations, OWNER_ANNOTATION),
        selector=LabelSelector.read(selector) or LabelSelector(),
        selector_data=selector,
        strategy=text(spec, "strategy") or APPLY_ONCE,
        resources=tuple((text(one, "kind"), text(one, "name")) for one in entries(spec, "resources")),
        registration_name=text(annotations, REGISTRATION_NAME_ANNOTATION),
    )
