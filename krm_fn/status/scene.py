"""A dump indexed for questions: which sets select a Cluster, what its Binding records, who registered under a name."""

from __future__ import annotations

from krm_fn.clusters.naming import DEFAULT_PREFIX
from krm_fn.kube import raw
from krm_fn.status import dump as dumps
from krm_fn.status import expiry, gate, objects
from krm_fn.status.payload import Payload
from krm_fn.surface import CLUSTER_NAME_LABEL, HUB_AGENT_MAP, agent_of, identity_map_of, set_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Secret
    from krm_fn.status.dump import Dump
    from krm_fn.status.objects import Binding, LiveCluster, LiveSet, Managed, Request

_IDENTITY_SUFFIX = "-identity"
# clusternet v0.18.1 `pkg/controllers/clusters/clusterlifecycle`: three missed heartbeats, nine minutes by default
_MISSED_HEARTBEATS = 3
_GRACE = 9 * 60


class Scene:
    """The management cluster and, if it was dumped, the parent cluster."""

    def __init__(self, dump: Dump, now: int, *, parent: bool = False) -> None:
        """Index a dump.

        Args:
            dump: What was dumped.
            now: Seconds since the epoch.
            parent: Whether the parent cluster was dumped though it printed empty lists.
        """
        self.now = now
        self.clusters = tuple(objects.cluster(value) for value in dump.of(dumps.CLUSTER))
        self.sets = tuple(one for value in dump.of(dumps.RESOURCE_SET) if (one := objects.resource_set(value)))
        self.managed = tuple(objects.managed_cluster(value) for value in dump.of(dumps.MANAGED_CLUSTER))
        self.requests = tuple(objects.request(value) for value in dump.of(dumps.REQUEST))
        self.parent = parent or bool(self.managed or self.requests)
        self.dump = dump
        self.gate = gate.problem(dump)

        self._bindings = {
            (binding["metadata"]["namespace"], binding["metadata"]["name"]): objects.binding(binding)
            for binding in dump.of(dumps.BINDING)
            if _named(binding)
        }
        self._payloads: dict[tuple[str, str, str], Payload] = {}
        for value in (*dump.of(dumps.SECRET), *dump.of(dumps.CONFIG_MAP)):
            payload = Payload(value)
            self._payloads[payload.namespace, payload.kind, payload.name] = payload
        self.served = frozenset(payload.namespace for payload in self._payloads.values() if payload.ours)
        # whether the second command of the help was run: without it, nothing can be said of what is not in the dump
        self.payloads_dumped = bool(self.served)
        self._digests: dict[Payload, str] = {}
        self._broken: dict[Payload, str] = {}
        self._expiries: dict[Payload, int | None] = {}
        self._tokens: dict[Payload, Secret | None] = {}
        self._sets_for_all: dict[str, list[LiveSet]] = {}
        self._sets_for_one: dict[tuple[str, str], list[LiveSet]] = {}
        for one in self.sets:
            target = _only_cluster(one)
            if target:
                self._sets_for_one.setdefault((one.namespace, target), []).append(one)
            else:
                self._sets_for_all.setdefault(one.namespace, []).append(one)
        self._managed_by_name: dict[str, list[Managed]] = {}
        for managed in self.managed:
            self._managed_by_name.setdefault(managed.name, []).append(managed)
        self._requests_by_name: dict[str, list[Request]] = {}
        for request in self.requests:
            self._requests_by_name.setdefault(request.cluster_name, []).append(request)

    def near(self, cluster: LiveCluster) -> tuple[LiveSet, ...]:
        """Return the sets of a Cluster's namespace that are for it or for any Cluster, in the order of their names."""
        own = self._sets_for_one.get((cluster.namespace, cluster.name), [])
        label = cluster.labels.get(CLUSTER_NAME_LABEL, cluster.name)
        foreign = self._sets_for_one.get((cluster.namespace, label), []) if label != cluster.name else []
        found = [*own, *foreign, *self._sets_for_all.get(cluster.namespace, [])]
        return tuple(sorted(found, key=lambda one: one.name))

    def selecting(self, cluster: LiveCluster) -> tuple[LiveSet, ...]:
        """Return the sets that select a Cluster."""
        return tuple(one for one in self.near(cluster) if one.selects(cluster))

    def binding(self, cluster: LiveCluster) -> Binding | None:
        """Return a Cluster's Binding."""
        return self._bindings.get((cluster.namespace, cluster.name))

    def payload(self, namespace: str, kind: str, name: str) -> Payload | None:
        """Return a Secret or ConfigMap if it was dumped."""
        return self._payloads.get((namespace, kind, name))

    def payloads(self) -> tuple[Payload, ...]:
        """Return every Secret and ConfigMap that was dumped."""
        return tuple(self._payloads[key] for key in sorted(self._payloads))

    def digest(self, payload: Payload) -> str:
        """Return the hash of a Secret or ConfigMap as it is now."""
        if payload not in self._digests:
            self._digests[payload] = payload.digest()
        return self._digests[payload]

    def broken(self, payload: Payload) -> str:
        """Say what in a Secret or ConfigMap can't be read as manifests."""
        if payload not in self._broken:
            self._broken[payload] = payload.broken()
        return self._broken[payload]

    def token_expiry(self, one: LiveSet) -> int | None:
        """Return when the token expires that a set delivers; None when unknown or never."""
        for kind, name in one.resources:
            payload = self.payload(one.namespace, kind, name)
            # only the hub puts a token into a ConfigMap
            if payload is None or (kind != "Secret" and not one.hub):
                continue
            if payload not in self._expiries:
                token = self._token(payload)
                self._expiries[payload] = expiry.expires(token, self.dump.of(dumps.SECRET)) if token else None
            if self._expiries[payload] is not None:
                return self._expiries[payload]
        return None

    def _token(self, payload: Payload) -> Secret | None:
        if payload not in self._tokens:
            self._tokens[payload] = payload.token()
        return self._tokens[payload]

    def tokens(self) -> tuple[Secret, ...]:
        """Return the registration tokens of the dump."""
        holders = (one for one in self._payloads.values() if one.kind == "Secret" or one.name == HUB_AGENT_MAP)
        found = (self._token(one) for one in holders)
        return tuple({token: None for token in found if token is not None})

    def surely_missing(self, one: LiveSet, kind: str, name: str) -> bool:
        """Tell whether a resource of a set is not on the server, judging by the dump alone.

        Only our own ConfigMaps can be judged so: they all carry the label that the dump was made by. A Secret may come
        from an operator or from the user (`existingSecret`), without the label.
        """
        n = base(one)
        identity = {identity_map_of(n, own_set=False, per_cluster=per_cluster) for per_cluster in (False, True)}
        ours = kind == "ConfigMap" and (name in identity or name == _agent_name(one))
        return ours and self.payloads_dumped and self.payload(one.namespace, kind, name) is None

    def agent(self, one: LiveSet) -> Payload | None:
        """Return the ConfigMap with the agent of a set, if it was dumped."""
        return self.payload(one.namespace, "ConfigMap", HUB_AGENT_MAP if one.hub else _agent_name(one))

    def registration_name(self, one: LiveSet) -> str:
        """Return the name that a set gives its one Cluster; "" where agents choose."""
        if one.registration_name:
            return one.registration_name
        agent = self.agent(one)
        return agent.registration_name() if agent else ""

    def name_prefix(self, one: LiveSet) -> str:
        """Return the prefix of the names that the agents of a set choose."""
        agent = self.agent(one)
        return (agent.name_prefix() if agent else "") or DEFAULT_PREFIX

    def managed_named(self, name: str) -> tuple[Managed, ...]:
        """Return the ManagedClusters of a name, the one that most likely is alive first."""
        return tuple(sorted(self._managed_by_name.get(name, ()), key=_liveliness, reverse=True))

    def alive(self, managed: Managed) -> bool:
        """Tell whether an agent reports and all is well.

        The hub's own verdict counts (condition Ready); without one, the time of the last report.
        """
        if managed.ready:
            return managed.ready == "True"
        grace = managed.heartbeat * _MISSED_HEARTBEATS if managed.heartbeat else _GRACE
        return managed.last_seen is not None and self.now - managed.last_seen <= grace

    def requests_named(self, name: str) -> tuple[Request, ...]:
        """Return the registration requests for a name."""
        return tuple(self._requests_by_name.get(name, ()))


def base(one: LiveSet) -> str:
    """Return N, the `clusterResourceSet.name` of the config that a set belongs to."""
    if one.role == objects.IDENTITY and one.name.endswith(_IDENTITY_SUFFIX):
        return one.name.removesuffix(_IDENTITY_SUFFIX)
    for kind, name in one.resources:
        n, found, cluster = name.partition("-agent.")
        if kind == "ConfigMap" and found and one.name == set_of(n, cluster):
            return n
    return one.name


def _agent_name(one: LiveSet) -> str:
    n = base(one)
    return agent_of(n, one.name.removeprefix(n).removeprefix("."))


def _named(value: object) -> bool:
    metadata = raw.mapping(value, "metadata")
    return isinstance(metadata.get("namespace"), str) and isinstance(metadata.get("name"), str)


def _only_cluster(one: LiveSet) -> str:
    """Return the name of the one Cluster that a set of PerCluster is for; "" for any other set."""
    if one.selector is None or one.selector.match_expressions or len(one.selector.match_labels) != 1:
        return ""
    key, value = one.selector.match_labels[0]
    return value if key == CLUSTER_NAME_LABEL else ""


def _liveliness(managed: Managed) -> tuple[bool, int, int, str]:
    return (managed.ready == "True", managed.last_seen or 0, managed.created or 0, managed.cluster_id)
