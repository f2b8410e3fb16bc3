"""What `status` finds out, as records: a state for each Cluster, the reasons, what is left over, and the times in it."""

from __future__ import annotations

from datetime import datetime, timezone

from krm_fn.base import Record, titled
from krm_fn.krm.results import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeGuard

    from krm_fn.kube.secrets import Secret

DAY = 86400
_FIRST = 1388534400  # 2014: there was no Kubernetes before
_LAST = 4102444800  # 2100: a server with such a clock has no valid certificate

# how far a resource of a ClusterResourceSet has come on one Cluster
APPLIED = "applied"
CHANGED = "changed"  # applied once, and different here since; ApplyOnce never brings that
OUTDATED = "outdated"  # an earlier content is applied
REPLACED = "replaced"  # applied, and then another set applied its own on top of it
DELETED = "deleted"  # applied; the Secret or ConfigMap itself is gone since
FAILED = "failed"
WAITING = "waiting"
MISSING = "missing"  # the Secret or ConfigMap itself is not there

# how far a Cluster has come
YES = "yes"
NO = "no"
PENDING = "pending"  # asked, not approved yet
NOT_READY = "not ready"  # approved, but the agent does not report, or reports trouble
EARLIER = "earlier"  # under a name that it had before; which one of several, only the workload cluster knows
COUNTED = "counted"  # agents choose their names, so that only numbers can be compared
UNKNOWN = "unknown"

# codes of what is said where fewer ManagedClusters report than Clusters have an agent, or than Clusters keep an earlier name
SHORT = "not-all-registered"
SHORT_OF_NAMES = "earlier-names"
NO_PARENT = "no-parent"  # the code of what is said where the parent cluster was not looked at
ENDING = "namespace-terminating"

# what keeps a Cluster from being fine, in the order in which a person would look
NOT_SELECTED = "not selected"
NOT_DELIVERED = "not delivered"
NOT_CURRENT = "outdated"
NOT_REGISTERED = "not registered"
IS_PENDING = "waiting for approval"
NOT_REPORTING = "not reporting"
IN_CONFLICT = "in conflict"
IN_ENDING_NAMESPACE = "in a namespace that is being deleted"


class Reason(Record):
    """Why something is not as it should be.

    Attributes:
        code: Which check found it (docs/troubleshooting.md).
        message: What is the matter, one sentence.
        remedy: What to do or to run, in this order.
        severity: `error` when it keeps a Cluster from being registered, else `warning` or `info`.
    """

    code: str
    message: str
    remedy: tuple[str, ...] = ()
    severity: str = ERROR


class Delivery(Record):
    """How far one resource of one ClusterResourceSet has come on one Cluster.

    Attributes:
        strategy: Of the set.
        time: When it was last applied, or tried, in seconds since the epoch.
        digest: What is applied, as the Binding records it.
        objects: What the resource delivers, where that was asked for and can be read.
    """

    resource_set: str
    strategy: str
    kind: str
    name: str
    state: str
    time: int | None = None
    digest: str = ""
    objects: tuple[str, ...] = ()


class ClusterState(Record):
    """One Cluster.

    Attributes:
        resource_sets: The sets that select it and deliver the agent.
        delivered: `yes`, `no` or `outdated`.
        registered: `yes`, `no`, `pending`, `not ready`, `earlier`, `counted` or `unknown`.
        evidence: How `registered` is known.
        registration_name: The name of its ManagedCluster, or `<prefix>-xxxxx`, or "" when nothing selects it.
        last_seen: When its agent last reported, in seconds since the epoch.
        timeless: Whether its agent has reported at a time that can't be true, so that nobody knows when.
        api_server: What Cluster API says of the way to its API server; "" where it says nothing.
    """

    namespace: str
    name: str
    api_version: str
    phase: str
    deleting: bool
    resource_sets: tuple[str, ...]
    deliveries: tuple[Delivery, ...]
    delivered: str
    registered: str
    evidence: str
    registration_name: str
    last_seen: int | None
    reasons: tuple[Reason, ...]
    infrastructure: str = ""
    api_server: str = ""
    timeless: bool = False

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def selected(self) -> bool:
        """Whether any set would deliver the agent to it."""
        return bool(self.resource_sets)

    @property
    def lacking(self) -> str:
        """What keeps it from being fine, as far as can be seen; "" if nothing does.

        A Cluster that is being deleted need not be registered.
        """
        if self.deleting:
            return ""
        if any(reason.code == ENDING for reason in self.reasons):
            return IN_ENDING_NAMESPACE
        if not self.selected:
            return NOT_SELECTED
        if self.delivered == NO:
            return NOT_DELIVERED
        if self.delivered == OUTDATED:
            return NOT_CURRENT
        states = {NO: NOT_REGISTERED, PENDING: IS_PENDING, NOT_READY: NOT_REPORTING}
        return states.get(self.registered, IN_CONFLICT if self.errors else "")

    @property
    def ok(self) -> bool:
        """Whether it is fine as far as can be seen."""
        return not self.lacking

    @property
    def errors(self) -> tuple[Reason, ...]:
        """The reasons that keep it from being registered."""
        return tuple(reason for reason in self.reasons if reason.severity == ERROR)


class Pool(Record):
    """Clusters whose registrations can only be counted, since their agents choose, or chose, the names.

    Attributes:
        prefix: Of these names.
        namespace: "" where the agents don't register with the namespace of their Cluster, so that only the prefix tells.
        clusters: How many Clusters have such an agent.
        managed: How many ManagedClusters can be theirs.
        ready: How many of these report.
        missing: How many Clusters can't be registered, whichever they are.
    """

    prefix: str
    namespace: str
    clusters: int
    managed: int
    ready: int
    missing: int


class Orphan(Record):
    """Something without a Cluster, and the commands that would remove it if there is evidence that it is dead."""

    side: str  # `management` or `parent`: on which cluster the commands belong
    kind: str
    namespace: str
    name: str
    message: str
    commands: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Kind and `namespace/name`."""
        return titled(self.kind, self.namespace, self.name)


class Report(Record):
    """Everything that `status` has to say.

    Attributes:
        parent: Whether the parent cluster was looked at; if not, no registration is known.
        reported: The time that ages of reports are counted from.
        secrets: Tokens of the dump, so that none gets into an output.
    """

    clusters: tuple[ClusterState, ...]
    pools: tuple[Pool, ...]
    orphans: tuple[Orphan, ...]
    notes: tuple[Reason, ...]
    parent: bool
    reported: int
    secrets: tuple[Secret, ...]

    @property
    def failing(self) -> tuple[ClusterState, ...]:
        """The Clusters that are not fine as far as can be seen."""
        return tuple(cluster for cluster in self.clusters if not cluster.ok)

    @property
    def missing(self) -> int:
        """How many Clusters are not registered, though nobody can say which."""
        return sum(pool.missing for pool in self.pools)

    @property
    def ok(self) -> bool:
        """Whether every Cluster is fine as far as can be seen."""
        return not self.failing and not self.missing

    @property
    def certain(self) -> bool:
        """Whether every registration is known: for callers to whom an unknown one is as bad as none."""
        doubtful = {UNKNOWN, *(EARLIER for note in self.notes if note.code == SHORT_OF_NAMES)}
        known = all(one.registered not in doubtful for one in self.clusters if not one.deleting)
        return known and not any(reason.code == SHORT for one in self.clusters for reason in one.reasons)

    def only(self, titles: frozenset[str]) -> Report:
        """Return the report with these Clusters alone, by `namespace/name`; what is left over is not theirs."""
        kept = tuple(one for one in self.clusters if one.title in titles)
        return self.replace(clusters=kept, orphans=(), pools=())

    def without_unselected(self) -> Report:
        """Return the report without the Clusters that no set selects."""
        return self.replace(clusters=tuple(one for one in self.clusters if one.selected))


# --- times of a dump, which may be anything: a wrong clock, a zero, an edited file


def believable(time: int | None, now: int) -> TypeGuard[int]:
    """Return whether a time can be true; clocks may differ by a day."""
    return time is not None and _FIRST <= time <= min(now, _LAST) + DAY


def usual(reports: Sequence[int], now: int) -> int:
    """Return the time at which agents usually reported last, by their own clocks; `now` where fewer than two say.

    It tells the time of a dump where the clock that reads it is wrong, and one agent's wrong clock does not change it.
    """
    plausible = sorted(time for time in reports if _FIRST <= time < _LAST)
    return plausible[(len(plausible) - 1) // 2] if len(plausible) > 1 else now


def age(seconds: int) -> str:
    """Return a span of time as kubectl does, in its largest unit."""
    for size, unit in ((DAY, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


def clock(seconds: int) -> str:
    """Return a time for people, in UTC."""
    return f"{stamp(seconds).replace('T', ' ').removesuffix('Z')} UTC"


def stamp(seconds: int) -> str:
    """Return a time as RFC 3339."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
