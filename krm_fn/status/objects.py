"""The objects of a dump as records: Clusters, ClusterResourceSets, Bindings, and Clusternet's own.

Both API versions of Cluster API are read here and nowhere else: they differ in `status` only (kubernetes-sigs/cluster-api
v1.14.0 `api/core` and `api/addons`). Clusternet: v0.18.1 `pkg/apis/clusters/v1beta1`.
"""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.kube import raw
from krm_fn.kube.labels import OPERATORS, LabelSelector, Requirement
from krm_fn.status.dump import identity
from krm_fn.surface import HUB_AGENT_MAP, OWNER_ANNOTATION, REGISTRATION_NAME_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


PAUSED_ANNOTATION = "cluster.x-k8s.io/paused"

AGENT = "agent"  # a set that delivers the agent
IDENTITY = "identity"  # the ApplyOnce set that prepares for it


class LiveCluster(Record):
    """A Cluster as it stands on the server.

    Attributes:
        provisioned: Whether its infrastructure is; None when its status does not tell.
        infrastructure: Why not, in the words of its condition.
    """

    namespace: str
    name: str
    api_version: str
    labels: Mapping[str, str]
    phase: str
    deleting: bool
    topology: bool
    provisioned: bool | None
    infrastructure: str

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class LiveSet(Record):
    """A ClusterResourceSet that has to do with the agent.

    Attributes:
        role: `AGENT` or `IDENTITY`.
        owner: The config that made it, from its annotation; "" for the hub's.
        hub: Whether clusternet-hub made it.
        selector: None where it can't be read; such a set matches nothing.
        applied, reason, message: Its condition `ResourcesApplied`; "" without one.
        seen: Whether the controller has ever looked at it.
        paused: Whether it is told not to (annotation `cluster.x-k8s.io/paused`).
    """

    namespace: str
    name: str
    role: str
    owner: str
    hub: bool
    selector: LabelSelector | None
    strategy: str
    resources: tuple[tuple[str, str], ...]  # (kind, name)
    registration_name: str
    applied: str
    reason: str
    message: str
    seen: bool
    paused: bool

    def selects(self, cluster: LiveCluster) -> bool:
        """Tell whether the controller counts a Cluster to it: same namespace, labels match, an empty selector none."""
        if self.namespace != cluster.namespace or self.selector is None or self.selector.empty:
            return False
        return self.selector.matches(cluster.labels)


class Applied(Record):
    """What a Binding records of one resource of one set."""

    applied: bool
    digest: str
    time: int | None


class Binding(Record):
    """A ClusterResourceSetBinding: sets by name, in each the resources by (kind, name)."""

    sets: Mapping[str, Mapping[tuple[str, str], Applied]]


class Managed(Record):
    """A ManagedCluster of the parent cluster."""

    namespace: str
    name: str
    cluster_id: str
    ready: str  # True, False, Unknown, or "" without a condition
    reason: str
    last_seen: int | None
    heartbeat: int | None  # seconds between reports
    created: int | None


class Request(Record):
    """A ClusterRegistrationRequest of the parent cluster. Its `status.token` is never read."""

    name: str
    cluster_id: str
    cluster_name: str
    result: str
    error: str
    managed_name: str
    namespace: str


def cluster(value: Mapping[str, Any]) -> LiveCluster:
    """Read a Cluster of v1beta1 or v1beta2."""
    provisioned = raw.flag(value, "status", "initialization", "infrastructureProvisioned")
    if provisioned is None:
        provisioned = raw.flag(value, "status", "infrastructureReady")
    found = raw.condition(value, "InfrastructureReady", "status", "conditions")
    return LiveCluster(
        namespace=raw.text(value, "metadata", "namespace"),
        name=raw.text(value, "metadata", "name"),
        api_version=raw.text(value, "apiVersion"),
        labels=raw.strings(value, "metadata", "labels"),
        phase=raw.text(value, "status", "phase"),
        deleting="deletionTimestamp" in raw.mapping(value, "metadata"),
        topology=bool(raw.mapping(value, "spec", "topology")),
        provisioned=provisioned,
        infrastructure=_told(found),
    )


def resource_set(value: Mapping[str, Any]) -> LiveSet | None:
    """Read a ClusterResourceSet; None for one that has nothing to do with the agent."""
    name = raw.text(value, "metadata", "name")
    resources = tuple((raw.text(one, "kind"), raw.text(one, "name")) for one in raw.entries(value, "spec", "resources"))
    ours = managed(value)
    hub = not ours and ("ConfigMap", HUB_AGENT_MAP) in resources
    if not ours and not hub:
        return None
    identity_only = bool(resources) and all(kind == "ConfigMap" and one == name for kind, one in resources)
    found = raw.condition(value, "ResourcesApplied", "status", "conditions")
    metadata = raw.mapping(value, "metadata")
    return LiveSet(
        namespace=raw.text(value, "metadata", "namespace"),
        name=name,
        role=IDENTITY if identity_only else AGENT,
        owner=raw.text(value, "metadata", "annotations", OWNER_ANNOTATION),
        hub=hub,
        selector=_selector(raw.mapping(value, "spec", "clusterSelector")),
        strategy=raw.text(value, "spec", "strategy") or "ApplyOnce",
        resources=resources,
        registration_name=raw.text(value, "metadata", "annotations", REGISTRATION_NAME_ANNOTATION),
        applied=raw.text(found, "status"),
        reason=raw.text(found, "reason"),
        message=raw.quote(raw.text(found, "message")),
        seen=bool(metadata.get("finalizers")) or bool(raw.mapping(value, "status")),
        paused=PAUSED_ANNOTATION in raw.mapping(value, "metadata", "annotations"),
    )


def binding(value: Mapping[str, Any]) -> Binding:
    """Read a ClusterResourceSetBinding."""
    sets: dict[str, dict[tuple[str, str], Applied]] = {}
    for one in raw.entries(value, "spec", "bindings"):
        recorded = sets.setdefault(raw.text(one, "clusterResourceSetName"), {})
        for entry in raw.entries(one, "resources"):
            recorded[raw.text(entry, "kind"), raw.text(entry, "name")] = Applied(
                applied=raw.flag(entry, "applied") is True,
                digest=raw.text(entry, "hash"),
                time=raw.seconds(entry, "lastAppliedTime"),
            )
    return Binding(sets=sets)


def managed_cluster(value: Mapping[str, Any]) -> Managed:
    """Read a ManagedCluster."""
    found = raw.condition(value, "Ready", "status", "conditions")
    return Managed(
        namespace=raw.text(value, "metadata", "namespace"),
        name=raw.text(value, "metadata", "name"),
        cluster_id=raw.text(value, "spec", "clusterId"),
        ready=raw.text(found, "status"),
        reason=_told(found),
        last_seen=raw.seconds(value, "status", "lastObservedTime"),
        heartbeat=raw.number(value, "status", "heartbeatFrequencySeconds"),
        created=raw.seconds(value, "metadata", "creationTimestamp"),
    )


def request(value: Mapping[str, Any]) -> Request:
    """Read a ClusterRegistrationRequest."""
    return Request(
        name=raw.text(value, "metadata", "name"),
        cluster_id=raw.text(value, "spec", "clusterId"),
        cluster_name=raw.text(value, "spec", "clusterName"),
        result=raw.text(value, "status", "result"),
        error=raw.quote(raw.text(value, "status", "errorMessage")),
        managed_name=raw.text(value, "status", "managedClusterName"),
        namespace=raw.text(value, "status", "dedicatedNamespace"),
    )


def managed(value: Mapping[str, Any]) -> bool:
    """Tell whether we made an object."""
    return bool(raw.text(value, "metadata", "annotations", OWNER_ANNOTATION))


def ref(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name, as a ClusterResourceSet refers to an object of its namespace."""
    return (identity(value)[1], raw.text(value, "metadata", "name"))


def _told(found: Mapping[str, Any]) -> str:
    reason, message = raw.text(found, "reason"), raw.quote(raw.text(found, "message"))
    return f"{reason}: {message}" if reason and message else reason or message


def _selector(value: Mapping[str, Any]) -> LabelSelector | None:
    """Read a metav1.LabelSelector; None where a requirement has no key or an unknown operator."""
    expressions = []
    for one in raw.entries(value, "matchExpressions"):
        key, operator, values = raw.text(one, "key"), raw.text(one, "operator"), raw.dig(one, "values")
        if not key or operator not in OPERATORS:
            return None
        listed = [entry for entry in values if isinstance(entry, str)] if isinstance(values, list) else []
        expressions.append(Requirement(key=key, operator=operator, values=tuple(sorted(set(listed)))))
    return LabelSelector.of(raw.strings(value, "matchLabels"), expressions)
