"""The objects of a dump as records: Clusters, ClusterResourceSets, Bindings, Cluster API's manager, and Clusternet's own.

Where versions of Cluster API differ, their rows in `clusters.capi` say how. Clusternet: v0.18.1 `pkg/apis/clusters/v1beta1`.
"""

from __future__ import annotations

from krm_fn import surface
from krm_fn.base import Record
from krm_fn.clusters import capi
from krm_fn.clusters.resource_set import ResourceSet
from krm_fn.clusters.resource_set import read as read_set
from krm_fn.featuregate import gates
from krm_fn.kube import raw
from krm_fn.status.dump import DEPLOYMENT, generated

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.status.dump import Dump

    # a ClusterResourceSetBinding: by the name of a set, and in it by (kind, name)
    Binding = Mapping[str, Mapping[tuple[str, str], "Applied"]]

PAUSED_ANNOTATION = "cluster.x-k8s.io/paused"
WATCH_LABEL = "cluster.x-k8s.io/watch-filter"
_USUAL = "capi-system"  # the namespace of the manager
_IDENTITY_SUFFIX = "-identity"


class LiveCluster(Record):
    """A Cluster as the server has it."""

    namespace: str
    name: str
    api_version: str
    labels: Mapping[str, str]
    phase: str
    deleting: bool
    provisioned: bool | None  # its infrastructure; None when its status does not tell
    infrastructure: str  # why not, in the words of the condition
    initialized: bool | None = None  # its control plane; None when its status does not tell, or no provider does it
    control_plane: str = ""  # why not
    probe: str = ""  # status of its condition `RemoteConnectionProbe`, "" on releases of Cluster API without it
    probed: tuple[str, int | None] = ("", None)  # what that condition says, and since when (seconds since the epoch)

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def has_infrastructure(self) -> bool:
        """Whether Cluster API delivers to it: not before its infrastructure is there."""
        return bool(self.provisioned) or (self.provisioned is None and self.phase == "Provisioned")


class LiveSet(ResourceSet):
    """A ClusterResourceSet that has to do with the agent, with what the server says of it.

    Its condition `ResourcesApplied` is read for `refused_type` only: all its Clusters share it, and it outlives what
    it describes (seen on Cluster API v1.14.2).
    """

    hub: bool  # clusternet-hub made it
    refused_type: bool  # the controller's last report was that a Secret of it has the wrong type
    seen: bool  # the controller has looked at it
    paused: bool
    deleting: bool = False  # it delivers nothing any more
    created: int | None = None  # seconds since the epoch
    labels: Mapping[str, str] = {}

    def selects(self, cluster: LiveCluster) -> bool:
        """Return whether the controller delivers to a Cluster: same namespace, and the labels match."""
        return not self.deleting and self.namespace == cluster.namespace and self.matches(cluster.labels)

    @property
    def base(self) -> str:
        """N, the `clusterResourceSet.name` of the config that it belongs to."""
        if self.identity_only and self.name.endswith(_IDENTITY_SUFFIX):
            return self.name.removesuffix(_IDENTITY_SUFFIX)
        for kind, name in self.resources:
            n, found, cluster = name.partition("-agent.")
            if kind == "ConfigMap" and found and self.name == surface.set_of(n, cluster):
                return n
        return self.name

    @property
    def agent_map(self) -> str:
        """The name of the ConfigMap that holds its agent."""
        if self.hub:
            return surface.HUB_AGENT_MAP
        return surface.agent_of(self.base, self.name.removeprefix(self.base).removeprefix("."))

    @property
    def only_cluster(self) -> str:
        """The name of the one Cluster that a set of PerCluster is for; "" for any other set."""
        if self.selector.match_expressions or len(self.selector.match_labels) != 1:
            return ""
        key, value = self.selector.match_labels[0]
        return value if key == surface.CLUSTER_NAME_LABEL else ""


class Applied(Record):
    """What a Binding records of one resource of one set."""

    applied: bool
    digest: str
    time: int | None


class Manager(Record):
    """Cluster API's manager, as far as its Deployment tells; all of it empty where that was not dumped."""

    title: str = ""  # its name and release
    name: str = surface.CAPI_MANAGER  # of its Deployment
    namespace: str = _USUAL
    gate: str = ""  # why it applies no ClusterResourceSet; "" if the gate is fine
    watch_filter: str = ""  # the value of `WATCH_LABEL` that an object needs, or the manager never looks at it
    runs: bool | None = None  # a replica is ready; None where its status does not tell


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
    timeless: bool = False  # it has reported, and when is not known: the time that it gives can't be true

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"


class Request(Record):
    """A ClusterRegistrationRequest of the parent cluster. Its `status.token` is never read."""

    name: str
    cluster_id: str
    cluster_name: str
    result: str
    error: str
    created: int | None = None
    origin: str = ""


def cluster(value: Mapping[str, Any]) -> LiveCluster:
    """Read a Cluster of any version."""
    control_plane = _condition(value, "ControlPlaneInitialized")
    initialized = raw.flag(value, "status", "initialization", "controlPlaneInitialized")
    if initialized is None:
        ready = raw.text(control_plane, "status")
        initialized = ready == "True" if ready else None
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
        provisioned=raw.flag(value, *capi.version_of(raw.text(value, "apiVersion")).provisioned),
        infrastructure=_told(_condition(value, "InfrastructureReady")),
        initialized=initialized,
        control_plane=_told(control_plane),
        probe=raw.text(probe, "status"),
        probed=(raw.quote(raw.text(probe, "message")), raw.seconds(probe, "lastTransitionTime")),
    )


def resource_set(value: Mapping[str, Any]) -> LiveSet | None:
    """Read a ClusterResourceSet; None for one that has nothing to do with the agent."""
    found = read_set(value)
    ours = generated(value)
    hub = not ours and ("ConfigMap", surface.HUB_AGENT_MAP) in found.resources
    if not ours and not hub:
        return None
    metadata = raw.mapping(value, "metadata")
    return LiveSet(
        **vars(found),
        hub=hub,
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
    return sets


def manager(dump: Dump) -> Manager:
    """Read the Deployment of Cluster API's manager."""
    named = (one for one in dump.of(DEPLOYMENT) if raw.text(one, "metadata", "name").endswith(surface.CAPI_MANAGER))
    deployment = next(named, None)
    if deployment is None:
        return Manager()
    release, values, filters = None, [], []
    for container in raw.entries(deployment, "spec", "template", "spec", "containers"):
        release = release or raw.image_release(raw.text(container, "image"))
        values += [flag.value for flag in raw.flags(container, gates.FLAG)]
        filters += [flag.value for flag in raw.flags(container, "watch-filter")]
    title = f"{surface.CAPI_MANAGER} {release}" if release else surface.CAPI_MANAGER
    observed = raw.number(deployment, "status", "observedGeneration")
    return Manager(
        title=title,
        name=raw.text(deployment, "metadata", "name"),
        namespace=raw.text(deployment, "metadata", "namespace") or _USUAL,
        gate=_gate(title, release, values),
        watch_filter=filters[-1] if filters else "",
        runs=None if observed is None else bool(raw.number(deployment, "status", "readyReplicas")),
    )


def _gate(title: str, release: raw.Release | None, values: list[str]) -> str:
    state = gates.state(values, release)
    if gates.gone(release):
        passed = state not in {gates.ABSENT, gates.OPAQUE}
        return f"is passed to {title}, which no longer knows it and exits" if passed else ""
    return f"is off in {title}" if state == gates.OFF else ""


def managed_cluster(value: Mapping[str, Any]) -> Managed:
    """Read a ManagedCluster."""
    found = raw.condition(value, "Ready", "status", "conditions")
    last_seen = raw.seconds(value, "status", "lastObservedTime")
    return Managed(
        namespace=raw.text(value, "metadata", "namespace"),
        name=raw.text(value, "metadata", "name"),
        cluster_id=raw.text(value, "spec", "clusterId"),
        ready=raw.text(found, "status"),
        reason=_told(found),
        last_seen=last_seen,
        heartbeat=raw.number(value, "status", "heartbeatFrequencySeconds"),
        created=raw.seconds(value, "metadata", "creationTimestamp"),
        origin=raw.text(value, "metadata", "labels", surface.NAMESPACE_LABEL),
        timeless=last_seen is None and bool(raw.text(value, "status", "lastObservedTime")),
    )


def request(value: Mapping[str, Any]) -> Request:
    """Read a ClusterRegistrationRequest."""
    return Request(
        name=raw.text(value, "metadata", "name"),
        cluster_id=raw.text(value, "spec", "clusterId"),
        cluster_name=raw.text(value, "spec", "clusterName"),
        result=raw.text(value, "status", "result"),
        error=raw.quote(raw.text(value, "status", "errorMessage")),
        created=raw.seconds(value, "metadata", "creationTimestamp"),
        origin=raw.text(value, "spec", "clusterLabels", surface.NAMESPACE_LABEL),
    )


def deleting(value: Mapping[str, Any]) -> bool:
    """Return whether an object is being deleted."""
    return "deletionTimestamp" in raw.mapping(value, "metadata")


def _condition(value: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of Cluster API, from where the object's version has it."""
    paths = capi.version_of(raw.text(value, "apiVersion")).conditions
    return next((found for path in paths if (found := raw.condition(value, kind, *path))), {})


def _told(found: Mapping[str, Any]) -> str:
    reason, message = raw.text(found, "reason"), raw.quote(raw.text(found, "message"))
    return f"{reason}: {message}" if reason and message else reason or message
