"""A dump indexed for questions, and what it tells of one Cluster: which sets select it, how far each resource has come, its name."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from krm_fn import surface
from krm_fn.clusters.naming import DEFAULT_PREFIX
from krm_fn.krm.results import Errors
from krm_fn.kube import raw
from krm_fn.kube.secrets import decode
from krm_fn.model import AgentVersion
from krm_fn.status import dump as dumps
from krm_fn.status import objects, report
from krm_fn.status.objects import LiveCluster, Managed, Manager, Payload, Request
from krm_fn.status.report import Delivery
from krm_fn.tokens import BOOTSTRAP_NAME, check_form

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.kube.secrets import Secret
    from krm_fn.status.commands import Commands
    from krm_fn.status.dump import Dump
    from krm_fn.status.objects import LiveSet

_GOOD = frozenset({report.APPLIED, report.CHANGED, report.DELETED})
_BEHIND = frozenset({report.OUTDATED, report.REPLACED})
# clusternet v0.18.1 `pkg/controllers/clusters/clusterlifecycle`: three missed heartbeats, nine minutes by default
_MISSED_HEARTBEATS = 3
_GRACE = 9 * 60
DEAD_AFTER = 7 * report.DAY
# any release that takes both kinds of token: here only the form is of interest
_ANY_AGENT = AgentVersion(major=0, minor=18, patch=1)


class Scene:
    """The management cluster and, if it was dumped, the parent cluster."""

    def __init__(  # noqa: PLR0913 - what `evaluate` may be asked
        self, dump: Dump, now: int, *, reported: int, parent: bool, dead_after: int, commands: Commands
    ) -> None:
        """Index a dump; the arguments are those of `evaluate`."""
        self.commands = commands
        self.now = now
        self.reported = reported
        self.dead_after = dead_after
        self.clusters = tuple(map(LiveCluster, dump.of(dumps.CLUSTER)))
        self.peopled = frozenset(one.namespace for one in self.clusters)
        self.sets = tuple(filter(None, map(objects.resource_set, dump.of(dumps.RESOURCE_SET))))
        latest = max(now, reported)
        self.managed = tuple(Managed(one, latest) for one in dump.of(dumps.MANAGED_CLUSTER))
        requests = [Request(one, latest) for one in dump.of(dumps.REQUEST)]
        self.requests = tuple(sorted(requests, key=lambda one: -(one.created or 0)))  # the newest first
        self.parent = parent or bool(self.managed or self.requests)
        self.dump = dump
        self.manager = Manager(dump)
        self.terminating = frozenset(
            raw.text(value, "metadata", "name") for value in dump.of(dumps.NAMESPACE) if objects.deleting(value)
        )
        # by namespace and name; a Binding is called as its Cluster
        self.bindings = {raw.key(one): objects.binding(one) for one in dump.of(dumps.BINDING)}
        payloads = map(Payload, (*dump.of(dumps.SECRET), *dump.of(dumps.CONFIG_MAP)))
        self.payloads = {(one.namespace, one.kind, one.name): one for one in payloads}
        self.served = frozenset(one.namespace for one in self.payloads.values() if one.ours)
        self._kinds = frozenset(one.kind for one in self.payloads.values() if one.ours)
        # whether kubectl was asked for them: if not, nothing can be said of what is not in the dump
        self.payloads_dumped = bool(self.served) or (bool(commands.context) and not dump.unread)
        self.sets_by_name = {(one.namespace, one.name): one for one in self.sets}
        self._sets_for: dict[tuple[str, str], list[LiveSet]] = defaultdict(list)  # by namespace and Cluster, "" for any
        for one in self.sets:
            self._sets_for[one.namespace, one.cluster].append(one)
        self.managed_by_name: dict[str, list[Managed]] = defaultdict(list)
        for managed in sorted(self.managed, key=self._liveliness, reverse=True):
            self.managed_by_name[managed.name].append(managed)
        self.requests_by_name: dict[str, list[Request]] = defaultdict(list)
        for request in self.requests:
            self.requests_by_name[request.cluster_name].append(request)

    # --- the management cluster

    @property
    def stopped(self) -> str:
        """The end of a sentence, saying that Cluster API's manager is not running; "" where it may be."""
        down = self.manager.runs is False
        return f": {self.manager.title} is not running, since no replica of its Deployment is ready" if down else ""

    def near(self, cluster: LiveCluster) -> tuple[LiveSet, ...]:
        """Return the sets of a Cluster's namespace that are for it or for any Cluster, in the order of their names."""
        targets = {cluster.name, cluster.labels.get(surface.CLUSTER_NAME_LABEL, cluster.name), ""}
        found = [one for target in targets for one in self._sets_for.get((cluster.namespace, target), ())]
        return tuple(sorted(found, key=lambda one: one.name))

    def selecting(self, cluster: LiveCluster) -> tuple[LiveSet, ...]:
        """Return the sets that select a Cluster."""
        return tuple(one for one in self.near(cluster) if one.selects(cluster))

    def payload(self, namespace: str, kind: str, name: str) -> Payload | None:
        """Return a Secret or ConfigMap if it was dumped."""
        return self.payloads.get((namespace, kind, name))

    @cached_property
    def tokens(self) -> dict[Secret, int | None]:
        """The registration tokens of the dump, with the time when each expires; None if it does not, or that is unknown."""
        # only the hub puts a token into a ConfigMap
        holders = (one for one in self.payloads.values() if one.kind == "Secret" or one.name == surface.HUB_AGENT_MAP)
        found = dict.fromkeys(token for one in holders if (token := one.token) is not None)
        return {token: _expires(token, self.dump.of(dumps.SECRET)) for token in found}

    def token_expiry(self, one: LiveSet) -> int | None:
        """Return when the token expires that a set delivers; None when unknown or never."""
        delivered = (self.payload(one.namespace, *ref) for ref in one.resources if ref[0] == "Secret" or one.hub)
        expiries = (self.tokens.get(found.token) for found in delivered if found is not None and found.token)
        return next((time for time in expiries if time is not None), None)

    def surely_missing(self, one: LiveSet, kind: str, name: str) -> bool:
        """Return whether a resource of a set is not on the server, judging by the dump alone.

        Only what we generate can be judged so: all of it carries the label that the dump was made by. A Secret of that
        name may also be the user's own or an ExternalSecret's. That this one was rendered with its agent shows where the
        checksum that the agent carries is that of a Secret which was applied, or is there in another namespace.
        """
        if (
            one.hub
            or not self.payloads_dumped
            or ("", kind) in self.dump.unread
            or self.payload(one.namespace, kind, name) is not None
        ):
            return False
        if kind == "ConfigMap":
            return name in surface.identity_maps_of(one.base) or name == one.agent_map
        agent = self.agent(one)
        if agent is None or name not in surface.registrations_of(one.base):
            return False
        return bool(agent.registration_checksum) and agent.registration_checksum in self._rendered

    def doubt(self, kind: str) -> str:
        """The end of a sentence that tells what else it can mean that a resource of a kind is not in the dump."""
        if self.commands.context or kind in self._kinds:
            return ""
        return f"; or {kind}s were not dumped, for which permission may be missing: none of ours is in the dump"

    @cached_property
    def _rendered(self) -> frozenset[str]:
        """The checksums of all registrations that are known, as agents carry them."""
        digests = {found.digest for found in self.payloads.values() if found.kind == "Secret" and found.ours}
        for binding in self.bindings.values():
            for recorded in binding.values():
                digests |= {entry.digest for (kind, _), entry in recorded.items() if kind == "Secret"}
        return frozenset(surface.checksum(found.removeprefix("sha256:")) for found in digests)

    def agent(self, one: LiveSet) -> Payload | None:
        """Return the ConfigMap with the agent of a set, if it was dumped."""
        return self.payload(one.namespace, "ConfigMap", one.agent_map)

    def agent_namespace(self, one: LiveSet) -> str:
        """Return the namespace in which the agent of a set runs on its workload clusters."""
        usual, other = surface.identity_maps_of(one.base)
        name = other if ("ConfigMap", other) in one.resources else usual
        identity = self.payload(one.namespace, "ConfigMap", name)
        return (identity.agent_namespace if identity else "") or surface.SYSTEM_NAMESPACE

    def registration_name(self, one: LiveSet) -> str:
        """Return the name that a set gives its one Cluster; "" where agents choose."""
        if one.registration_name:
            return one.registration_name
        agent = self.agent(one)
        return agent.registration_name if agent else ""

    def name_prefix(self, one: LiveSet) -> str:
        """Return the prefix of the names that the agents of a set choose."""
        agent = self.agent(one)
        return (agent.name_prefix if agent else "") or DEFAULT_PREFIX

    # --- the parent cluster

    def alive(self, managed: Managed) -> bool:
        """Return whether an agent reports, and reports no trouble.

        The hub's verdict (condition Ready) is not enough: where the hub's own controllers don't run, it stays as it is.
        """
        if managed.ready not in {"", "True"}:
            return False
        if managed.last_seen is None:
            return managed.ready == "True"
        grace = managed.heartbeat * _MISSED_HEARTBEATS if managed.heartbeat else _GRACE
        return self.reported - managed.last_seen <= grace

    def dead(self, managed: Managed) -> bool:
        """Return whether an agent has been silent for so long that it counts as gone for good."""
        last = managed.last_seen or managed.created
        return last is not None and not managed.timeless and self.reported - last > self.dead_after

    def heard(self, managed: Managed) -> str:
        """Say when an agent reported last."""
        if managed.timeless:
            return "last reported at an unknown time"
        return "has never reported" if managed.last_seen is None else f"last reported {self.ago(managed.last_seen)}"

    def ago(self, time: int) -> str:
        """Say how long ago something was on the parent cluster."""
        return f"{report.age(self.reported - time)} ago"

    def _liveliness(self, managed: Managed) -> tuple[bool, int, int, str]:
        return (self.alive(managed), managed.last_seen or 0, managed.created or 0, managed.cluster_id)


class Case:
    """All that the checks look at for one Cluster."""

    def __init__(self, scene: Scene, cluster: LiveCluster, *, in_full: bool = False) -> None:
        """Follow a Cluster's way from selected to delivered; `in_full` reads what each resource brings as well.

        What `matching.judge` finds out about its registration is added later.
        """
        self.scene = scene
        self.cluster = cluster
        self.in_full = in_full
        self.sets = scene.selecting(cluster)
        # those that deliver an agent, the newest first; the others prepare for it
        agents = (one for one in self.sets if not one.identity_only)
        self.agents = tuple(sorted(agents, key=lambda one: (one.hub, -(one.created or 0), one.name)))
        self.binding = scene.bindings.get((cluster.namespace, cluster.name))
        # the set that applied its agent after the newest set of this Cluster did
        self.replaced_by = self._replaced_by()
        self.deliveries = tuple(self._deliveries())  # how far each resource of `sets` has come
        states = {one.state for one in self.deliveries}
        self.delivered = report.OUTDATED if states & _BEHIND else report.YES
        if not self.agents or not states or states - _GOOD - _BEHIND:
            self.delivered = report.NO
        # that it registers under; "" when agents choose or nothing selects it
        self.name = scene.registration_name(self.agents[0]) if self.agents else ""
        # of the name that its agent chooses; "" where it is told one
        self.prefix = scene.name_prefix(self.agents[0]) if self.agents and not self.name else ""
        self.registered, self.evidence = report.NO, ""  # and how that is known
        self.uncertain = False  # fewer of its kind are registered than there are Clusters
        # what the parent cluster has under that name, the most alive first
        self.managed: Sequence[Managed] = scene.managed_by_name[self.name] if self.name else ()
        self.requests: Sequence[Request] = scene.requests_by_name[self.name] if self.name else ()
        self.known: Sequence[Managed] = ()  # the one ManagedCluster that is its own under a name from before
        self.namesakes: Sequence[str] = ()  # other Clusters that register under that name, as `namespace/name`

    @property
    def has_agent(self) -> bool:
        """Whether an agent should run on it, so that it should be registered."""
        return bool(self.agents) and self.delivered != report.NO and not self.cluster.deleting

    @property
    def unreachable(self) -> bool:
        """Whether Cluster API says that it can't reach the workload cluster."""
        return self.cluster.probe == "False" and self.cluster.has_infrastructure

    @property
    def token_expired(self) -> str:
        """The day on which the registration token expired; "" if it has not, or none is known."""
        expiries = map(self.scene.token_expiry, self.agents)
        expired = (one for one in expiries if one is not None and one <= self.scene.now)
        return next((report.clock(one).partition(" ")[0] for one in expired), "")

    def payloads(self) -> Iterator[Payload]:
        """Yield the dumped resources that are not applied as they are."""
        done = {(one.kind, one.name) for one in self.deliveries if one.state in {report.APPLIED, report.CHANGED}}
        wanted = dict.fromkeys(entry for one in self.sets for entry in one.resources if entry not in done)
        for kind, name in wanted:
            found = self.scene.payload(self.cluster.namespace, kind, name)
            if found is not None:
                yield found

    def in_state(self, *states: str) -> list[Delivery]:
        """Return the deliveries in some states, in their order."""
        return [one for state in states for one in self.deliveries if one.state == state]

    def _deliveries(self) -> Iterator[Delivery]:
        """Find out how far each resource has come, and with what each delivers where that was asked for."""
        for one in self.sets:
            recorded = self.binding.get(one.name, {}) if self.binding else {}
            for kind, name in one.resources:
                entry = recorded.get((kind, name))
                payload = self.scene.payload(one.namespace, kind, name)
                lacking = payload is None and self.scene.surely_missing(one, kind, name)
                if entry is None:
                    # the controller goes on without what it can't find, so the others of the set are recorded
                    gone = lacking or (payload is None and bool(recorded))
                    state = report.MISSING if gone else report.WAITING
                elif not entry.applied:
                    state = report.FAILED
                elif payload is None or payload.hidden:
                    state = report.DELETED if lacking else report.APPLIED
                elif payload.digest != entry.digest:
                    state = report.OUTDATED if one.strategy == surface.RECONCILE else report.CHANGED
                else:  # what the newest set applied may have been overwritten since
                    over = self.replaced_by and one is self.agents[0] and surface.holds_agent(kind, name)
                    state = report.REPLACED if over else report.APPLIED
                yield Delivery(
                    resource_set=one.name,
                    strategy=one.strategy,
                    kind=kind,
                    name=name,
                    state=state,
                    time=entry.time if entry else None,
                    digest=entry.digest if entry else "",
                    objects=payload.titles() if self.in_full and payload is not None else (),
                )

    def _replaced_by(self) -> str:
        """Return the set that applied another agent after the set that counts did; "" if none has.

        Such a set has selected the Cluster in between, or is an older one of the same config. The Binding keeps its record.
        """
        if self.binding is None or not self.agents or self.agents[0].hub:
            return ""
        newest, current = self.agents[0], {one.name: one for one in self.agents}
        applied = (
            one for ref, one in self.binding.get(newest.name, {}).items() if surface.holds_agent(*ref) and one.applied
        )
        mine = next(applied, None)
        if mine is None or mine.time is None:
            return ""
        for name, recorded in sorted(self.binding.items()):
            known = current.get(name) or self.scene.sets_by_name.get((self.cluster.namespace, name))
            rival = name in current and current[name].owner != newest.owner
            once = known is not None and known.strategy != surface.RECONCILE  # it creates, and never replaces
            if name == newest.name or rival or once:
                continue
            for ref, entry in recorded.items():
                later = entry.time is not None and entry.time > mine.time
                if surface.holds_agent(*ref) and entry.applied and later and entry.digest != mine.digest:
                    return name
        return ""


def _expires(token: Secret, secrets: Iterable[Mapping[str, Any]]) -> int | None:
    """Return when a token expires, in seconds since the epoch; None if it does not, or that is unknown.

    For a bootstrap token, the parent's Secret `bootstrap-token-<id>` says so, if it is among `secrets`.
    """
    try:
        checked = check_form(token, _ANY_AGENT)
    except Errors:
        return None
    if not checked.bootstrap or checked.secret is None:
        return checked.expires
    name = BOOTSTRAP_NAME + checked.secret.reveal().partition(".")[0]
    found = next((one for one in secrets if raw.text(one, "metadata", "name") == name), None)
    expiration = decode(raw.text(found, "data", "expiration")) or b""
    return raw.parse_time(expiration.decode("utf-8", "replace"))
