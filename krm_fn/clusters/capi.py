"""Cluster API: what a `Cluster` is, in which versions, and which labels it will carry on the server.

Sources: kubernetes-sigs/cluster-api v1.14.0 `docs/book/src/reference/versions.md` for the versions,
`internal/controllers/topology/cluster` for the labels that the topology controller sets.
"""

from __future__ import annotations

from krm_fn.krm.results import Faults, Result
from krm_fn.kube.labels import label_key_fault, label_value_fault
from krm_fn.kube.names import dns_label_fault, dns_subdomain_fault, placeholder
from krm_fn.kube.secrets import quoted
from krm_fn.model import Cluster
from krm_fn.surface import CLUSTER_GROUP, CLUSTER_NAME_LABEL, LOCAL_CONFIG_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.krm.items import Item

V1BETA1 = "v1beta1"
V1BETA2 = "v1beta2"

# A new version of Cluster API's API is one row here and a golden case.
VERSIONS: dict[str, str] = {
    V1BETA1: "",
    V1BETA2: "",
    "v1alpha4": "was last served by Cluster API v1.5; upgrade the object to v1beta1 or newer",
    "v1alpha3": "was last served by Cluster API v1.4; upgrade the object to v1beta1 or newer",
    "v1alpha2": "was last served by Cluster API v0.3; upgrade the object to v1beta1 or newer",
}

TOPOLOGY_OWNED_LABEL = "topology.cluster.x-k8s.io/owned"

_KINDS: dict[type, str] = {bool: "a boolean", int: "a number", float: "a number", type(None): "null", list: "a list"}


# Keys of Cluster API's domains that a user may well put on a Cluster; no others are ever set on one by a controller.
USER_KEYS = frozenset({"cluster.x-k8s.io/watch-filter", "cluster.x-k8s.io/managed-by"})


def is_cluster(item: Item) -> bool:
    """Tell whether an item is a Cluster of Cluster API, in any version (CloudNativePG and others have a kind alike)."""
    return item.kind == "Cluster" and item.group == CLUSTER_GROUP


_SHOWN = 80  # characters of a name in a message


def read(item: Item) -> Cluster:
    """Read a Cluster as far as the product needs it.

    Raises:
        Faults: For a version that is no longer or not yet known, a missing name, or labels that are no strings.
    """
    results = []
    topology = _topology(item)  # before anything else: one look at the object shows this and its metadata
    title = item.name if len(item.name) <= _SHOWN and item.name.isprintable() else ""

    def say(message: str, field: str = "") -> None:
        fix = _quoted(item, field) if "double quotes" in message else ""
        results.append(
            Result(message=f"Cluster {title or '(without a name)'}: {message}", fix=fix, **item.place(field))
        )

    _check_identity(item, say)
    metadata = item.metadata()
    labels = _strings(metadata.get("labels"), "labels", say)
    annotations = _strings(metadata.get("annotations"), "annotations", say)
    if topology is None:
        say("spec must be a mapping", "spec")
    elif not topology and item.contains(b"topology") and item.is_mapping("spec", "topology") is False:
        say("spec.topology must be a mapping", "spec.topology")
    if results:
        raise Faults(results)
    live = labels
    if topology:
        live = {**labels, CLUSTER_NAME_LABEL: item.name, TOPOLOGY_OWNED_LABEL: ""}
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


def _check_identity(item: Item, say: Say) -> None:
    """Say what a server would refuse about version, name and namespace; the namespace names files, too."""
    version = item.api_version.partition("/")[2]
    reason = VERSIONS.get(version)
    if reason is None:
        say(f"apiVersion {item.api_version} is not known here; known are v1beta1 and v1beta2", "apiVersion")
    elif reason:
        say(f"apiVersion {item.api_version} {reason}", "apiVersion")
    metadata = item.metadata()
    if metadata.get("name") in {None, ""}:
        say("metadata.name is missing; give the Cluster a name", "metadata.name")
    elif not item.name:
        say(f"metadata.name is {_typed(metadata['name'])}", "metadata.name")
    elif reason := dns_subdomain_fault(item.name):
        say(f"metadata.name {_short(item.name)} {_or_placeholder(item.name, reason)}", "metadata.name")
    if not isinstance(metadata.get("namespace", ""), str):
        say(f"metadata.namespace is {_typed(metadata['namespace'])}", "metadata.namespace")
    elif item.namespace and (reason := dns_label_fault(item.namespace)):
        say(
            f"metadata.namespace {_short(item.namespace)} {_or_placeholder(item.namespace, reason)}",
            "metadata.namespace",
        )


def _topology(item: Item) -> bool | None:
    """Tell whether a Cluster is made from a ClusterClass; None where its spec is no mapping."""
    if item.contains(b"topology") and item.is_mapping("spec", "topology"):
        return True
    return None if item.is_mapping("spec") is False else False


def _strings(found: object, what: str, say: Say) -> Mapping[str, str]:
    """Return labels or annotations; say which of them is no string, since the API server would refuse the object."""
    if found is None:
        return {}
    if not isinstance(found, dict):
        say(f"metadata.{what} must be a mapping of strings", f"metadata.{what}")
        return {}
    for key, value in found.items():
        if not isinstance(value, str):
            say(f"metadata.{what} {_short(key)} is {_typed(value)}", f"metadata.{what}.{key}")
        elif reason := label_key_fault(key.lower() if what == "annotations" else key):
            reason = _or_placeholder(key, reason)
            say(f"metadata.{what} has a bad key {_short(key)}: it {reason}", f"metadata.{what}.{key}")
        elif what == "labels" and (reason := label_value_fault(value)):
            reason = _or_placeholder(value, reason)
            say(f"metadata.labels {key!r} has a bad value {_short(value)}: it {reason}", f"metadata.labels.{key}")
    return found


def _quoted(item: Item, field: str) -> str:
    """Return a field of metadata with its value as a string; "" where YAML has lost the value's spelling."""
    value: object = item.metadata()
    *parents, key = field.removeprefix("metadata.").split(".", 1)
    for step in (*parents, key):
        value = value.get(step) if isinstance(value, dict) else None
    text = str(value).lower() if isinstance(value, int) else ""  # a boolean is an int
    return f'{key}: "{text}"' if text else ""


def _typed(value: object) -> str:
    """Say what a value is that should be a string, and what to do."""
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
    """Say why a selector on this key will see nothing; empty if there is no reason to think so."""
    domain = key.partition("/")[0]
    if domain != CLUSTER_GROUP and not domain.endswith("." + CLUSTER_GROUP):
        return ""
    if key in USER_KEYS or key in (CLUSTER_NAME_LABEL, TOPOLOGY_OWNED_LABEL):
        return ""
    if any(key in cluster.live_labels for cluster in clusters):
        return ""
    return f"no Cluster API controller sets {key} on Clusters, and no Cluster in the input carries it"


if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str, str], None]
