"""What `status` finds out, as records: a state for each Cluster, the reasons, what is left over, and the times in it."""

from __future__ import annotations

from datetime import datetime, timezone

from krm_fn.base import Record, titled
from krm_fn.krm.results import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.kube.secrets import Secret

DAY = 86400
_FIRST = 1388534400  # 2014: there was no Kubernetes before
_LAST = 4102444800  # 2100: a server with such a clock has no valid certificate

# how far a resource of a ClusterResourceSet has come on one Cluster
APPLIED = "applied"
CHANGED = "changed"  # applied once, and different here since; ApplyOnce never brings that
OUTDATED = "outdated"  # earlier content is applied
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

# on which cluster what is left over is, and the commands belong
MANAGEMENT = "management"
PARENT = "parent"

# codes of what is said where fewer ManagedClusters report than Clusters have an agent, or than Clusters keep an earlier name
SHORT = "not-all-registered"
SHORT_OF_NAMES = "earlier-names"
NO_PARENT = "no-parent"  # the code of what is said where the parent cluster was not looked at
ENDING = "namespace-terminating"


class Reason(Record):
    """Why something is not as it should be."""

    code: str  # which check found it (docs/troubleshooting.md)
    message: str  # one sentence
    remedy: tuple[str, ...] = ()  # what to do or to run, in this order
    severity: str = ERROR  # when it keeps a Cluster from being registered, else WARNING or INFO


class Delivery(Record):
    """How far one resource of one ClusterResourceSet has come on one Cluster."""

    resource_set: str
    strategy: str  # of the set
    kind: str
    name: str
    state: str
    time: int | None = None  # when it was last applied, or tried, in seconds since the epoch
    digest: str = ""  # of what is applied, as the Binding records it
    objects: tuple[str, ...] = ()  # what the resource delivers, where that was asked for and can be read


class ClusterState(Record):
    """One Cluster."""

    namespace: str
    name: str
    api_version: str
    phase: str
    deleting: bool
    resource_sets: tuple[str, ...]  # that select it and deliver the agent
    deliveries: tuple[Delivery, ...]
    delivered: str  # YES, NO or OUTDATED
    registered: str
    evidence: str  # how `registered` is known
    registration_name: str  # of its ManagedCluster, or `<prefix>-xxxxx`, or "" when nothing selects it
    last_seen: int | None  # when its agent last reported, in seconds since the epoch
    reasons: tuple[Reason, ...]
    infrastructure: str = ""
    api_server: str = ""  # what Cluster API says of the way to it; "" where it says nothing
    timeless: bool = False  # its agent gave an implausible time of its last report, so the real one is unknown

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def lacking(self) -> str:
        """What keeps it from being fine, in the order in which a person would look; "" if nothing does."""
        if self.deleting:  # then it need not be registered
            return ""
        if any(reason.code == ENDING for reason in self.reasons):
            return "in a namespace that is being deleted"
        if not self.resource_sets:
            return "not selected"
        if self.delivered != YES:
            return "outdated" if self.delivered == OUTDATED else "not delivered"
        states = {NO: "not registered", PENDING: "waiting for approval", NOT_READY: "not reporting"}
        return states.get(self.registered, "in conflict" if self.errors else "")

    @property
    def ok(self) -> bool:
        """Whether it is fine as far as can be seen."""
        return not self.lacking

    @property
    def errors(self) -> tuple[Reason, ...]:
        """The reasons that keep it from being registered."""
        return tuple(reason for reason in self.reasons if reason.severity == ERROR)


class Pool(Record):
    """Clusters whose registrations can only be counted, since their agents choose, or chose, the names."""

    prefix: str  # of these names
    namespace: (
        str  # "" where the agents don't register with the namespace of their Cluster, so that only the prefix is known
    )
    clusters: int  # that have such an agent
    managed: int  # ManagedClusters that can be theirs
    ready: int  # of these that report
    missing: int  # Clusters that can't be registered, whichever they are


class Orphan(Record):
    """Something without a Cluster, and the commands that would remove it if there is evidence that it is dead."""

    side: str  # MANAGEMENT or PARENT
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
    """Everything that `status` has to say."""

    clusters: tuple[ClusterState, ...]
    pools: tuple[Pool, ...]
    orphans: tuple[Orphan, ...]
    notes: tuple[Reason, ...]
    parent: bool  # whether the parent cluster was looked at; if not, no registration is known
    reported: int  # the time that ages of reports are counted from
    secrets: tuple[Secret, ...]  # tokens of the dump, so that none gets into an output

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
        return self.replace(clusters=tuple(one for one in self.clusters if one.resource_sets))


# --- times of a dump, which may be anything: a wrong clock, a zero, an edited file


def believed(time: int | None, now: int) -> int | None:
    """Return a plausible time, None for any other; clocks may differ by a day."""
    return time if time is not None and _FIRST <= time <= min(now, _LAST) + DAY else None


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
