"""The objects of a dump as records: Clusters, ClusterResourceSets, Bindings, and Clusternet's own.

Both API versions of Cluster API are read here and nowhere else: they differ in `status` only (kubernetes-sigs/cluster-api
v1.14.0 `api/core` and `api/addons`). Clusternet: v0.18.1 `pkg/apis/clusters/v1beta1`.
"""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.kube import raw
from krm_fn.kube.labels import LabelSelector
from krm_fn.status.dump import identity
from krm_fn.surface import (
    GENERATED_LABEL,
    HUB_AGENT_MAP,
    NAMESPACE_LABEL,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


PAUSED_ANNOTATION = "cluster.x-k8s.io/paused"

AGENT = "agent"  # a set that delivers the agent
IDENTITY = "identity"  # the ApplyOnce set that prepares for it


class LiveCluster(Record):
    """A Cluster as the server has it.

    Attributes:
        provisioned: Whether its infrastructure is; None when its status does not tell.
        infrastructure: Why not, in the words of its condition.
        initialized: Whether its control plane is; None when its status does not tell, or it has no provider for it.
        probe: Status of its condition `RemoteConnectionProbe`, "" on releases of Cluster API without it.
        probed: What that condition says, and since when (seconds since the epoch).
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
    initialized: bool | None = None
    probe: str = ""
    probed: tuple[str, int | None] = ("", None)

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class LiveSet(Record):
    """A ClusterResourceSet that has to do with the agent.

    Its condition `ResourcesApplied` is not read but for `refused_type`: all its Clusters share it, and it outlives what
    it speaks of (seen on Cluster API v1.14.2).

    Attributes:
        role: `AGENT` or `IDENTITY`.
        owner: The config that made it, from its annotation; "" for the hub's.
        hub: Whether clusternet-hub made it.
        selector: None where it can't be read; such a set matches nothing.
        refused_type: Whether the controller said last that a Secret of it has the wrong type.
        seen: Whether the controller has ever looked at it.
        paused: Whether it is told not to (annotation `cluster.x-k8s.io/paused`).
        deleting: Whether it is being deleted: it delivers nothing any more.
        created: Seconds since the epoch.
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
    refused_type: bool
    seen: bool
    paused: bool
    deleting: bool = False
    created: int | None = None
    labels: Mapping[str, str] = {}

    def selects(self, cluster: LiveCluster) -> bool:
        """Tell whether the controller counts a Cluster to it: same namespace, labels match, an empty selector none."""
        if self.deleting or self.namespace != cluster.namespace or self.selector is None or self.selector.empty:
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
    origin: str = ""  # the namespace of its Cluster, from the label that agents of identity.mode Shared register with


class Request(Record):
    """A ClusterRegistrationRequest of the parent cluster. Its `status.token` is never read."""

    name: str
    cluster_id: str
    cluster_name: str
    result: str
    error: str
    managed_name: str
    namespace: str
    created: int | None = None
    origin: str = ""


def cluster(value: Mapping[str, Any]) -> LiveCluster:
    """Read a Cluster of v1beta1 or v1beta2."""
    provisioned = raw.flag(value, "status", "initialization", "infrastructureProvisioned")
    if provisioned is None:
        provisioned = raw.flag(value, "status", "infrastructureReady")
    initialized = raw.flag(value, "status", "initialization", "controlPlaneInitialized")
    if initialized is None:
        told = raw.text(_condition(value, "ControlPlaneInitialized"), "status")
        initialized = told == "True" if told else None
    if not raw.mapping(value, "spec", "controlPlaneRef"):
        initialized = None  # nobody tells: without a provider the condition only follows the connection
    probe = _condition(value, "RemoteConnectionProbe")
    return LiveCluster(
        namespace=raw.text(value, "metadata", "namespace"),
        name=raw.text(value, "metadata", "name"),
        api_version=raw.text(value, "apiVersion"),
        labels=raw.strings(value, "metadata", "labels"),
        phase=raw.text(value, "status", "phase"),
        deleting=deleting(value),
        topology=bool(raw.mapping(value, "spec", "topology")),
        provisioned=provisioned,
        infrastructure=_told(_condition(value, "InfrastructureReady")),
        initialized=initialized,
        probe=raw.text(probe, "status"),
        probed=(raw.quote(raw.text(probe, "message")), raw.seconds(probe, "lastTransitionTime")),
    )


def resource_set(value: Mapping[str, Any]) -> LiveSet | None:
    """Read a ClusterResourceSet; None for one that has nothing to do with the agent."""
    name = raw.text(value, "metadata", "name")
    resources = tuple((raw.text(one, "kind"), raw.text(one, "name")) for one in raw.entries(value, "spec", "resources"))
    ours = generated(value)
    hub = not ours and ("ConfigMap", HUB_AGENT_MAP) in resources
    if not ours and not hub:
        return None
    identity_only = bool(resources) and all(kind == "ConfigMap" and one == name for kind, one in resources)
    metadata = raw.mapping(value, "metadata")
    return LiveSet(
        namespace=raw.text(value, "metadata", "namespace"),
        name=name,
        role=IDENTITY if identity_only else AGENT,
        owner=raw.text(value, "metadata", "annotations", OWNER_ANNOTATION),
        hub=hub,
        selector=LabelSelector.read(raw.mapping(value, "spec", "clusterSelector")),
        strategy=raw.text(value, "spec", "strategy") or "ApplyOnce",
        resources=resources,
        registration_name=raw.text(value, "metadata", "annotations", REGISTRATION_NAME_ANNOTATION),
        refused_type=raw.text(_condition(value, "ResourcesApplied"), "reason") == "WrongSecretType",
        seen=bool(metadata.get("finalizers")) or bool(raw.mapping(value, "status")),
        paused=PAUSED_ANNOTATION in raw.mapping(value, "metadata", "annotations"),
        deleting=deleting(value),
        created=raw.seconds(value, "metadata", "creationTimestamp"),
        labels=raw.strings(value, "metadata", "labels"),
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
        origin=raw.text(value, "metadata", "labels", NAMESPACE_LABEL),
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
        created=raw.seconds(value, "metadata", "creationTimestamp"),
        origin=raw.text(value, "spec", "clusterLabels", NAMESPACE_LABEL),
    )


def generated(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is ours, or was made for us (by an ExternalSecret, which gives it labels only)."""
    labels = raw.mapping(value, "metadata", "labels")
    return labels.get(GENERATED_LABEL) == "true" or OWNER_ANNOTATION in raw.mapping(value, "metadata", "annotations")


def deleting(value: Mapping[str, Any]) -> bool:
    """Tell whether an object is being deleted."""
    return "deletionTimestamp" in raw.mapping(value, "metadata")


def ref(value: Mapping[str, Any]) -> tuple[str, str]:
    """Return kind and name, as a ClusterResourceSet refers to an object of its namespace."""
    return (identity(value)[1], raw.text(value, "metadata", "name"))


def _condition(value: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of Cluster API: in v1beta1 the newer kind lies below `status.v1beta2`, beside the old ones."""
    return raw.condition(value, kind, "status", "v1beta2", "conditions") or raw.condition(
        value, kind, "status", "conditions"
    )


def _told(found: Mapping[str, Any]) -> str:
    reason, message = raw.text(found, "reason"), raw.quote(raw.text(found, "message"))
    return f"{reason}: {message}" if reason and message else reason or message
