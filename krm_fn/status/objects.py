"""The objects of a dump: Clusters, ClusterResourceSets, what they deliver, Bindings, the manager, and Clusternet's own.

Where versions of Cluster API differ, their rows in `clusters.capi` say how. What a Binding records, and what the controller
refuses, follows kubernetes-sigs/cluster-api v1.14.0 `internal/controllers/clusterresourceset/clusterresourceset_helpers.go`
(`normalizeData`, `computeHash`). Clusternet: v0.18.1 `pkg/apis/clusters/v1beta1`.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from functools import cached_property

from krm_fn import surface
from krm_fn.base import Record, titled
from krm_fn.clusters import capi
from krm_fn.featuregate import lists
from krm_fn.kube import raw
from krm_fn.kube import secrets as encoding
from krm_fn.kube.secrets import Secret
from krm_fn.status.dump import DEPLOYMENT, documents, generated
from krm_fn.status.report import believed
from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from krm_fn.status.dump import Dump

    # a ClusterResourceSetBinding: by the name of a set, and in it by (kind, name)
    Binding = Mapping[str, Mapping[tuple[str, str], "Applied"]]

PAUSED_ANNOTATION = "cluster.x-k8s.io/paused"
WATCH_LABEL = "cluster.x-k8s.io/watch-filter"
_USUAL = "capi-system"  # the namespace of the manager
_FLAG = re.compile(rb"--cluster-reg-name=([^\s\"',]+)")
_PREFIX_FLAG = re.compile(rb"--cluster-reg-name-prefix=([^\s\"',]+)")
_CHECKSUM = re.compile(surface.CHECKSUM_ANNOTATION.encode() + rb"\"?: *\"?([0-9a-f]+)")


class LiveCluster:
    """A Cluster as the server has it."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        self.api_version = raw.text(value, "apiVersion")
        self.namespace, self.name = raw.key(value)
        self.title = f"{self.namespace}/{self.name}"
        self.labels = raw.strings(value, "metadata", "labels")
        self.phase = raw.text(value, "status", "phase")
        self.deleting = deleting(value)
        self.created = raw.seconds(value, "metadata", "creationTimestamp")
        annotated = PAUSED_ANNOTATION in raw.mapping(value, "metadata", "annotations")
        self.paused = annotated or raw.flag(value, "spec", "paused") is True
        conditions = _conditions(value)
        version = capi.version_of(self.api_version)
        provisioned = raw.flag(value, *version.provisioned)
        self.has_infrastructure = self.phase == "Provisioned" if provisioned is None else provisioned
        self.infrastructure = _told(conditions.get("InfrastructureReady", {}))  # why not
        control_plane = conditions.get("ControlPlaneInitialized", {})
        initialized = raw.flag(value, *version.initialized) if version.initialized else None
        if initialized is None and raw.text(control_plane, "status"):
            initialized = raw.text(control_plane, "status") == "True"
        # None if unknown: without a provider the condition only follows the connection
        self.initialized = initialized if raw.mapping(value, "spec", "controlPlaneRef") else None
        self.control_plane = _told(control_plane)  # why not
        probe = conditions.get("RemoteConnectionProbe", {})
        self.probe = raw.text(probe, "status")  # "" on releases of Cluster API without it
        self.probe_message = raw.quote(raw.text(probe, "message"))
        self.probed = raw.seconds(probe, "lastTransitionTime")


class LiveSet(capi.ResourceSet):
    """A ClusterResourceSet that has to do with the agent, with what the server says of it.

    Its condition `ResourcesApplied` is read for `refused_type` only: all its Clusters share it, and it outlives what
    it describes (seen on Cluster API v1.14.2).
    """

    hub: bool  # clusternet-hub made it
    refused_type: bool  # the controller's last report was that a Secret of it has the wrong type
    seen: bool  # the controller has looked at it
    paused: bool
    deleting: bool  # it delivers nothing any more
    created: int | None  # seconds since the epoch
    labels: Mapping[str, str]

    def selects(self, cluster: LiveCluster) -> bool:
        """Return whether the controller delivers to a Cluster: same namespace, and the labels match."""
        return not self.deleting and self.namespace == cluster.namespace and self.matches(cluster.labels)

    @property
    def base(self) -> str:
        """N, the `clusterResourceSet.name` of the config that it belongs to."""
        if self.identity_only:
            return self.name.removesuffix(surface.identity_of(""))
        for kind, name in self.resources:
            n, cluster = surface.parts_of_agent(name)
            if kind == "ConfigMap" and cluster and self.name == surface.set_of(n, cluster):
                return n
        return self.name

    @property
    def agent_map(self) -> str:
        """The name of the ConfigMap that holds its agent."""
        if self.hub:
            return surface.HUB_AGENT_MAP
        return surface.agent_of(self.base, self.name.removeprefix(self.base).removeprefix("."))


def resource_set(value: Mapping[str, Any]) -> LiveSet | None:
    """Read a ClusterResourceSet; None for one that has nothing to do with the agent."""
    found = capi.read_set(value)
    ours = generated(value)
    hub = not ours and ("ConfigMap", surface.HUB_AGENT_MAP) in found.resources
    if not ours and not hub:
        return None
    return LiveSet(
        **vars(found),
        hub=hub,
        refused_type=raw.text(_conditions(value).get("ResourcesApplied", {}), "reason") == "WrongSecretType",
        seen=bool(raw.dig(value, "metadata", "finalizers")) or bool(raw.mapping(value, "status")),
        paused=PAUSED_ANNOTATION in raw.mapping(value, "metadata", "annotations"),
        deleting=deleting(value),
        created=raw.seconds(value, "metadata", "creationTimestamp"),
        labels=raw.strings(value, "metadata", "labels"),
    )


class Applied(Record):
    """What a Binding records of one resource of one set."""

    applied: bool
    digest: str
    time: int | None


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


class Manager:
    """Cluster API's manager, as far as its Deployment shows it; the usual one where that was not dumped."""

    def __init__(self, dump: Dump) -> None:
        named = (one for one in dump.of(DEPLOYMENT) if raw.text(one, "metadata", "name").endswith(surface.CAPI_MANAGER))
        deployment = next(named, None)
        release, values, filters = None, [], []
        for container in raw.entries(deployment, "spec", "template", "spec", "containers"):
            release = release or raw.image_release(raw.text(container, "image"))
            values += [flag.value for flag in raw.flags(container, lists.FLAG)]
            filters += [flag.value for flag in raw.flags(container, "watch-filter")]
        self.name = raw.text(deployment, "metadata", "name") or surface.CAPI_MANAGER  # of its Deployment
        self.namespace = raw.text(deployment, "metadata", "namespace") or _USUAL
        self.title = ""  # its name and release
        self.gate = ""  # why it applies no ClusterResourceSet; "" if the gate is fine
        if deployment is not None:
            self.title = f"{surface.CAPI_MANAGER} {release}" if release else surface.CAPI_MANAGER
            self.gate = _gate(self.title, release, values)
        # the value of `WATCH_LABEL` that an object needs, or the manager never looks at it
        self.watch_filter = filters[-1] if filters else ""
        observed = raw.number(deployment, "status", "observedGeneration")
        # a replica is ready; None where its status does not tell
        self.runs = None if observed is None else bool(raw.number(deployment, "status", "readyReplicas"))


def _gate(title: str, release: raw.Release | None, values: list[str]) -> str:
    state = lists.state(values, release)
    if state == lists.QUOTED:
        return f"can't take effect: the quotes in --{lists.FLAG} are part of its value, and {title} exits"
    if lists.gone(release):
        passed = state not in {lists.ABSENT, lists.OPAQUE}
        return f"is passed to {title}, which no longer knows it and exits" if passed else ""
    return f"is off in {title}" if state == lists.OFF else ""


class Managed:
    """A ManagedCluster of the parent cluster; only plausible times count."""

    def __init__(self, value: Mapping[str, Any], now: int) -> None:
        self.namespace, self.name = raw.key(value)
        self.title = f"{self.namespace}/{self.name}"
        self.cluster_id = raw.text(value, "spec", "clusterId")
        # the namespace of its Cluster, from the label that agents of identity.mode Shared register with
        self.origin = raw.text(value, "metadata", "labels", surface.NAMESPACE_LABEL)
        condition = raw.condition(value, "Ready", "status", "conditions")
        self.ready = raw.text(condition, "status")  # True, False, Unknown, or "" without a condition
        self.reason = _told(condition)
        self.heartbeat = raw.number(value, "status", "heartbeatFrequencySeconds")  # seconds between reports
        self.created = believed(raw.seconds(value, "metadata", "creationTimestamp"), now)
        self.last_seen = believed(raw.seconds(value, "status", "lastObservedTime"), now)
        # it has reported, and when is not known
        self.timeless = self.last_seen is None and bool(raw.text(value, "status", "lastObservedTime"))


class Request:
    """A ClusterRegistrationRequest of the parent cluster. Its `status.token` is never read."""

    def __init__(self, value: Mapping[str, Any], now: int) -> None:
        self.name = raw.text(value, "metadata", "name")
        self.cluster_id = raw.text(value, "spec", "clusterId")
        self.cluster_name = raw.text(value, "spec", "clusterName")
        self.origin = raw.text(value, "spec", "clusterLabels", surface.NAMESPACE_LABEL)
        self.result = raw.text(value, "status", "result")
        self.error = raw.quote(raw.text(value, "status", "errorMessage"))
        self.created = believed(raw.seconds(value, "metadata", "creationTimestamp"), now)


def deleting(value: Mapping[str, Any]) -> bool:
    """Return whether an object is being deleted."""
    return "deletionTimestamp" in raw.mapping(value, "metadata")


def _conditions(value: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the conditions of Cluster API by their type, from where the object's version has them."""
    found: dict[str, Mapping[str, Any]] = {}
    for path in capi.version_of(raw.text(value, "apiVersion")).conditions:
        for one in raw.entries(value, *path):
            found.setdefault(raw.text(one, "type"), one)
    return found


def _told(condition: Mapping[str, Any]) -> str:
    """Return what a condition says: reason and message, as far as they are there."""
    return ": ".join(filter(None, (raw.text(condition, "reason"), raw.quote(raw.text(condition, "message")))))


# --- what a set delivers ---------------------------------------------------------------------------------------------


class Payload:
    """A Secret or ConfigMap that a ClusterResourceSet delivers. What it holds shows in no repr."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """Decode the object's values; one that is no base64 (of a Secret) counts as empty, as with the controller."""
        self.kind, (self.namespace, self.name) = raw.text(value, "kind"), raw.key(value)
        self.ours = generated(value)
        self.type = raw.text(value, "type")
        self.agent_namespace = raw.text(value, "metadata", "annotations", surface.AGENT_NAMESPACE_ANNOTATION)
        secret = self.kind == "Secret"
        self.values = {
            key: _decode(text) if secret else text.encode("utf-8", "surrogatepass")
            for key, text in sorted(raw.strings(value, "data").items())
        }
        # whether the controller refuses it for its type; a Secret's type can't be changed
        self.wrong_type = secret and self.type != surface.RESOURCE_SET_TYPE
        # the keys whose value is shorter than the controller can read
        self.too_short = tuple(key for key, text in self.values.items() if len(text) < surface.MIN_VALUE_BYTES)
        # whoever took the dump hid the values: we render none that short, and no server keeps what is no base64
        self.hidden = secret and self.ours and len(self.too_short) == len(self.values)
        if self.hidden:
            self.values, self.too_short = {}, ()

    def __repr__(self) -> str:
        """Name the object, not what it holds."""
        return f"Payload({self.kind} {self.namespace}/{self.name})"

    @property
    def of_hub(self) -> bool:
        """Whether discovery of clusternet-hub made it: by its name, and by what it delivers."""
        named = self.kind == "ConfigMap" and self.name in {surface.HUB_AGENT_MAP, surface.HUB_RBAC_MAP}
        return named and not self.ours and any(b"clusternet" in content for content in self.values.values())

    @cached_property
    def digest(self) -> str:
        """The hash that a Binding records: SHA-256 over the decoded values in the order of their keys."""
        return f"sha256:{hashlib.sha256(b''.join(self.values.values())).hexdigest()}"

    @cached_property
    def registration_checksum(self) -> str:
        """The start of the digest of the registration Secret that an agent was rendered with; "" without one."""
        return self._find(_CHECKSUM)

    @property
    def registration_name(self) -> str:
        """The name that the agent is told to register under; empty if it is told none."""
        return self._find(_FLAG)

    @property
    def name_prefix(self) -> str:
        """The prefix of the name that the agent will choose; empty if it is told none."""
        return self._find(_PREFIX_FLAG)

    def _find(self, pattern: re.Pattern[bytes]) -> str:
        found = next(filter(None, map(pattern.search, self.values.values())), None)
        return found[1].decode("utf-8", "replace") if found else ""

    @cached_property
    def token(self) -> Secret | None:
        """The registration token in it; None if there is none that can be read.

        It is in the registration manifest, or bare under `regToken` in the Secret of the hub's discovery.
        """
        found = self.values.get(surface.TOKEN_KEY, b"").decode("utf-8", "replace").strip()
        if not found and any(surface.REGISTRATION_SECRET.encode() in content for content in self.values.values()):
            named = (
                one for one in self.documents() if raw.text(one, "metadata", "name") == surface.REGISTRATION_SECRET
            )
            manifest = next(named, None)
            encoded = _decode(raw.text(manifest, "data", surface.TOKEN_KEY)).decode("utf-8", "replace")
            found = raw.text(manifest, "stringData", surface.TOKEN_KEY) or encoded
        return Secret(found) if found else None

    def documents(self) -> Iterator[Any]:
        """Yield what it delivers, as far as it can be read."""
        for content in self.values.values():
            with suppress(BadYaml):
                for value in documents(content.decode("utf-8", "replace")):
                    yield from value if isinstance(value, list) else [value]

    def titles(self) -> tuple[str, ...]:
        """Return what it delivers as `Kind namespace/name`, in the order of application within the object."""
        return tuple(
            titled(raw.text(one, "kind"), *raw.key(one))
            for one in self.documents()
            if raw.text(one, "kind") and raw.text(one, "metadata", "name")
        )


def _decode(text: str) -> bytes:
    return encoding.decode(text) or b""
