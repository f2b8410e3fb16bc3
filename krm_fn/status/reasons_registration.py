"""Checks: does the parent cluster know the Cluster, under one name, and hear of it?

A check yields reasons, or nothing, and has a line in `CHECKS`. A reason's code is explained in docs/troubleshooting.md.
"""

from __future__ import annotations

from krm_fn.base import count, some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report
from krm_fn.status.report import Reason, age

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from krm_fn.status.matching import Group, Judged
    from krm_fn.status.objects import Managed, Request
    from krm_fn.status.scene import Case, Scene

_KNOWN = frozenset({report.YES, report.NOT_READY, report.EARLIER})


def token_expired(case: Case) -> Iterator[Reason]:
    """An expired token keeps new clusters out, silently, and does not hurt registered ones."""
    if not case.token_expired or not case.agents:
        return
    registered = case.registered in _KNOWN
    effect = (
        "registered clusters don't need it any more, new ones do" if registered else "the parent refuses new agents"
    )
    certain = case.registered in {report.NO, report.PENDING} and case.scene.parent
    yield Reason(
        code="token-expired",
        message=f"the registration token expired on {case.token_expired}: {effect}",
        remedy=("create a new token on the parent, give it to the config, render and sync",),
        severity=ERROR if certain else WARNING,
    )


def duplicate_name(case: Case) -> Iterator[Reason]:
    """Two Clusters, or two ManagedClusters, under one name."""
    if case.namesakes:
        yield Reason(
            code="duplicate-name",
            message=f"{some(case.namesakes)} {'registers' if len(case.namesakes) == 1 else 'register'} under the same name, {case.name}",
            remedy=("use {namespace} in spec.identity.nameTemplate, render and sync",),
        )
    if len(case.managed) < 2:  # noqa: PLR2004 - two is what the word means
        return
    scene = case.scene
    best, *others = case.managed
    titles = some([one.title for one in others])
    # the one before a rebuilding stops before the one after it begins; two clusters report side by side
    beside = [one for one in others if scene.alive(one) and (one.last_seen or 0) > (best.created or 0)]
    if beside:
        yield Reason(
            code="duplicate-managed-cluster",
            message=f"{len(beside) + 1} clusters report to the parent under the name {case.name}: "
            f"{some([one.title for one in (best, *beside)])}",
            remedy=("have one of them register under another name; a name counts at the first registration only",),
        )
    else:
        last = max(others, key=lambda one: (one.timeless, one.last_seen or 0))
        dead = all(map(scene.dead, others))
        yield Reason(
            code="rebuilt",
            message=f"registered again as {best.title}, as a rebuilt cluster does; {titles} of the same name "
            f"{scene.heard(last)}{', before that' if last.last_seen else ''}",
            remedy=(
                "the commands that remove it are listed below"
                if dead
                else f"nothing now; status lists the commands that remove it once it has been silent for {age(scene.dead_after)}",
            ),
            severity=INFO,
        )


def not_registered(case: Case) -> Iterator[Reason]:
    """Delivered, and still the parent does not know it."""
    if case.delivered == report.NO or not case.scene.parent:
        return
    if case.registered == report.PENDING or (case.registered == report.NO and case.requests):
        yield _unanswered(case.scene, case.requests[0])
    elif case.registered == report.NO:
        known = (
            f"on the parent {case.evidence}" if case.managed or not case.name else f"the parent knows no {case.name}"
        )
        yield Reason(
            code="not-registered",
            message=f"the agent is delivered, but {known}",
            remedy=(
                "look at the agent; usual causes: the parent URL can't be reached from there, the parent refuses the token (wrong, expired, deleted), the image can't be pulled",
                _look(case),
            ),
        )


def not_ready(case: Case) -> Iterator[Reason]:
    """Registered, and its agent does not report, or reports trouble."""
    if case.registered != report.NOT_READY or not case.managed:
        return
    found = case.managed[0]
    detail = f" ({found.reason})" if found.reason else ""
    if found.ready == "False":
        code, message = "not-ready", f"the agent reports that the cluster is not ready{detail}"
    elif found.timeless:
        code, message = (
            "lost",
            f"the agent last reported at an unknown time: the time that it gave can't be right{detail}",
        )
    elif found.last_seen is None:
        code, message = "lost", f"the agent has never reported to ManagedCluster {found.title}{detail}"
    else:
        detail = f", though the parent still calls it ready{detail}" if found.ready == "True" else detail
        code, message = "lost", f"the agent last reported {case.scene.ago(found.last_seen)}{detail}"
    yield Reason(code=code, message=message, remedy=("look at the agent", _look(case)))


def _look(case: Case) -> str:
    return case.scene.commands.pods(case.cluster, case.scene.agent_namespace(case.agents[0]))


def uncertain(case: Case) -> Iterator[Reason]:
    """It may be one of those that are missing; reported only if the story of this Cluster is asked for."""
    if case.uncertain and case.in_full:
        earlier = case.registered == report.EARLIER
        end = (
            ", or not at all: fewer such names report than Clusters keep one"
            if earlier
            else ": this one may be among those that are not registered"
        )
        yield Reason(
            code=report.SHORT_OF_NAMES if earlier else report.SHORT,
            message=f"{case.evidence}{end}",
            remedy=_leases([case]),
            severity=WARNING,
        )


def _unanswered(scene: Scene, request: Request) -> Reason:
    """A registration that the hub has not answered, denied, or approved without effect."""
    if not request.result:
        return Reason(
            code="request-pending",
            message=f"the registration request {request.name} has not been answered",
            remedy=(
                "look at the log of clusternet-hub on the parent; a request with the --cluster-reg-namespace of another cluster is never approved",
            ),
        )
    detail = f": {request.error}" if request.error else ""
    return Reason(
        code="request-refused",
        message=f"the registration request {request.name} is {request.result}{detail}, without a ManagedCluster",
        remedy=(
            "fix the cause, then delete the request on the parent; the agent asks again",
            scene.commands.delete_request(request.name),
        ),
    )


def _leases(cases: Sequence[Case]) -> tuple[str, ...]:
    """Return the step that shows a workload cluster's id, with the command for the first of them."""
    first = min(cases, key=lambda case: case.cluster.title)
    others = ", and likewise for the others" if len(cases) > 1 else ""
    old = "; agents up to v0.14 call the Lease self-cluster"
    return (
        f"compare spec.clusterId of the ManagedClusters with what this prints for {first.cluster.title}{others}{old}",
        first.scene.commands.lease(first.cluster, first.scene.agent_namespace(first.agents[0])),
    )


CHECKS = (token_expired, duplicate_name, not_registered, not_ready, uncertain)


# --- what concerns no single Cluster ----------------------------------------------------------------------------------


def together(scene: Scene, judged: Judged) -> Iterator[Reason]:
    """Report what is known of several Clusters, though not of which of them, and of no Cluster at all."""
    for group in judged.groups:
        yield from _missing(group)
    yield from _short_of_names(judged.kept, judged.kept_names)
    yield from _strangers(scene, judged.strangers)


def _missing(group: Group) -> Iterator[Reason]:
    """Report how many are missing, whichever they are, and what the parent has instead of them."""
    pool, scene = group.pool, group.cases[0].scene
    if not pool.missing or pool.clusters == 1:  # what is missing of one Cluster is said there
        return
    yield from (_unanswered(scene, one) for one in group.asking)
    if group.silent:
        place = f"of namespace {pool.namespace}" if pool.namespace else f"called {pool.prefix}-xxxxx"
        silent = some([f"{one.title} ({scene.heard(one)})" for one in group.silent])
        yield Reason(
            code="lost",
            message=f"{count(len(group.silent), 'ManagedCluster')} {place} stopped reporting: {silent}",
            remedy=("look at the agents",),
        )
    place = f"in namespace {pool.namespace}" if pool.namespace else f"that register as {pool.prefix}-xxxxx"
    yield Reason(
        code=report.SHORT,
        message=f"{pool.missing} of the {count(pool.clusters, 'Cluster')} with an agent {place} "
        f"{'is' if pool.missing == 1 else 'are'} not registered: only {pool.ready} report; only the workload clusters know which, since agents choose the name (identity.mode Shared)",
        remedy=(*_leases(group.cases), "with identity.mode PerCluster every Cluster has its own name"),
    )


def _short_of_names(kept: Sequence[Case], names: Collection[str]) -> Iterator[Reason]:
    """Report if fewer earlier names report than there are Clusters that keep one."""
    if len(kept) > len(names):
        yield Reason(
            code=report.SHORT_OF_NAMES,
            message=f"{count(len(kept), 'Cluster')} were given a name after their agents had chosen one, which they keep, and of "
            f"such names only {len(names)} report: {some(sorted(names))}; some of these Clusters may not be registered",
            remedy=_leases(kept),
            severity=WARNING,
        )


def _strangers(scene: Scene, strangers: Sequence[Managed]) -> Iterator[Reason]:
    """Name the ManagedClusters that report and that no Cluster accounts for; they are alive, so not left over."""
    found = [one.title for one in strangers if scene.alive(one)]
    if found and scene.clusters:
        yield Reason(
            code="others",
            message=f"{count(len(found), 'ManagedCluster')} of other names report to the parent: {some(found)}; they were "
            "registered by hand, from another management cluster, or under an earlier name, since a registration keeps its "
            "first name",
            severity=INFO,
        )
