"""What `status` finds out, as records: a state for each Cluster, the reasons, what is left over."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.krm.results import ERROR

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Secret

# how far a resource of a ClusterResourceSet has come on one Cluster
APPLIED = "applied"
CHANGED = "changed"  # applied once, and different here since; ApplyOnce never brings that
OUTDATED = "outdated"  # an earlier content is applied
FAILED = "failed"
WAITING = "waiting"
MISSING = "missing"  # the Secret or ConfigMap itself is not there

# how far a Cluster has come
YES = "yes"
NO = "no"
PENDING = "pending"  # asked, not approved yet
NOT_READY = "not ready"  # approved, but the agent does not report, or reports trouble
UNKNOWN = "unknown"


class Reason(Record):
    """Why something is not as it should be.

    Attributes:
        code: Which check found it (`krm_fn.status.reasons`).
        message: What is the matter, one sentence.
        remedy: What to do or to run, in this order.
        severity: `error` when it keeps a Cluster from being registered, else `warning` or `info`.
    """

    code: str
    message: str
    remedy: tuple[str, ...] = ()
    severity: str = ERROR


class Delivery(Record):
    """How far one resource of one ClusterResourceSet has come on one Cluster."""

    resource_set: str
    kind: str
    name: str
    state: str
    time: int | None = None  # when it was last applied


class ClusterState(Record):
    """One Cluster.

    Attributes:
        resource_sets: The sets that select it and deliver the agent.
        delivered: `yes`, `no` or `outdated`.
        registered: `yes`, `no`, `pending`, `not ready` or `unknown`.
        registration_name: The name of its ManagedCluster, or `<prefix>-xxxxx`, or "" when nothing selects it.
        last_seen: When its agent last reported, in seconds since the epoch.
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
    registration_name: str
    last_seen: int | None
    reasons: tuple[Reason, ...]

    @property
    def title(self) -> str:
        """`namespace/name`."""
        return f"{self.namespace}/{self.name}"

    @property
    def selected(self) -> bool:
        """Whether any set would deliver the agent to it."""
        return bool(self.resource_sets)

    @property
    def ok(self) -> bool:
        """Whether it is registered as far as can be seen; one that is being deleted need not be."""
        return self.deleting or (self.delivered == YES and self.registered in {YES, UNKNOWN} and not self.errors)

    @property
    def errors(self) -> tuple[Reason, ...]:
        """The reasons that keep it from being registered."""
        return tuple(reason for reason in self.reasons if reason.severity == ERROR)


class Pool(Record):
    """Clusters that register under names which only their agents know: a prefix and five random characters."""

    prefix: str
    clusters: int
    managed: int
    ready: int

    @property
    def short(self) -> int:
        """How many Clusters can't be registered and ready, whichever they are."""
        return max(self.clusters - self.ready, 0)


class Orphan(Record):
    """Something without a Cluster, and the commands that would remove it."""

    side: str  # `management` or `parent`: on which cluster the commands belong
    kind: str
    namespace: str
    name: str
    message: str
    commands: tuple[str, ...]

    @property
    def title(self) -> str:
        """Kind and `namespace/name`."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Report(Record):
    """Everything that `status` has to say.

    Attributes:
        parent: Whether the parent cluster was looked at; if not, no registration is known.
        now: The time that ages are counted from.
        secrets: Tokens of the dump, so that none gets into an output.
    """

    clusters: tuple[ClusterState, ...]
    pools: tuple[Pool, ...]
    orphans: tuple[Orphan, ...]
    notes: tuple[Reason, ...]
    parent: bool
    now: int
    secrets: tuple[Secret, ...]

    @property
    def failing(self) -> tuple[ClusterState, ...]:
        """The Clusters that are not registered as far as can be seen."""
        return tuple(cluster for cluster in self.clusters if not cluster.ok)

    @property
    def ok(self) -> bool:
        """Whether every Cluster is registered as far as can be seen."""
        return not self.failing and not any(pool.short for pool in self.pools if self.parent)

    def without(self, *, unselected: bool) -> Report:
        """Return the report without the Clusters that no set selects, if asked."""
        if not unselected:
            return self
        return self.replace(clusters=tuple(one for one in self.clusters if one.selected))
