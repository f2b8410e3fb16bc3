"""From a dump to a report: each Cluster's way from selected to registered, the reasons where it has stopped, and what is left over.

A command that removes something is given only with evidence that it is dead: no Cluster has it, and nobody has heard of
it for longer than `Scene.dead_after`. Numbers are no evidence.
"""

from __future__ import annotations

from collections import defaultdict

from krm_fn.base import count, some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.kube import raw
from krm_fn.status import (
    dump,
    reasons_delivery,
    reasons_registration,
    reasons_selection,
    registrations,
    report,
)
from krm_fn.status.commands import Commands
from krm_fn.status.registrations import chosen_prefix
from krm_fn.status.report import ClusterState, Orphan, Reason, Report, age, believed, clock
from krm_fn.status.scene import DEAD_AFTER, Case, Scene
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.dump import Dump
    from krm_fn.status.objects import Managed

_OLD = 3600  # age in seconds from which a dump counts as old
_UNTOLD = frozenset({report.NO, report.EARLIER, report.COUNTED})
_ELSEWHERE = "; if no other management cluster has it, remove it"


def evaluate(  # noqa: PLR0913 - what a caller may ask, each by name
    found: Dump,
    now: int,
    *,
    parent: bool = False,
    reported: int | None = None,
    dead_after: int = DEAD_AFTER,
    stories: frozenset[str] = frozenset(),
    commands: Commands | None = None,
) -> Report:
    """Find out how far every Cluster of a dump has come.

    Args:
        found: The dump.
        now: Seconds since the epoch; expiries are judged by it.
        parent: Whether the parent cluster was dumped though it printed empty lists.
        reported: The time that ages of reports are counted from, by default `now`.
        dead_after: Seconds without a report after which an agent counts as gone for good.
        stories: Clusters, as `namespace/name`, for which to read what each Secret and ConfigMap delivers.
        commands: The commands to print, by default those for the current context.
    """
    reported = now if reported is None else reported
    scene = Scene(found, now, reported=reported, parent=parent, dead_after=dead_after, commands=commands or Commands())
    cases = [Case(scene, cluster, in_full=cluster.title in stories) for cluster in scene.clusters]
    titles: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        titles[case.name].append(case.cluster.title)
    for case in cases:
        others = sorted(titles[case.name]) if case.name and len(titles[case.name]) > 1 else ()
        case.namesakes = [one for one in others if one != case.cluster.title]
    judged = registrations.judge(scene, cases)
    return Report(
        clusters=tuple(map(_state, cases)),
        pools=judged.pools,
        orphans=_orphans(scene, cases, judged.strangers),
        notes=(*_notes(scene), *judged.notes, *_others(scene, judged.strangers)),
        parent=scene.parent,
        reported=scene.reported,
        secrets=tuple(scene.tokens),
    )


def newest_report(found: Dump, now: int) -> int | None:
    """Return the newest plausible time among the parent cluster's objects: a dump of it is not older than that."""
    managed = found.of(dump.MANAGED_CLUSTER)
    times = [raw.seconds(value, "status", "lastObservedTime") for value in managed]
    for value in (*managed, *found.of(dump.REQUEST)):
        times.append(raw.seconds(value, "metadata", "creationTimestamp"))
        times += [raw.seconds(one, "lastTransitionTime") for one in raw.entries(value, "status", "conditions")]
    return max(filter(None, (believed(time, now) for time in times)), default=None)


def _state(case: Case) -> ClusterState:
    cluster = case.cluster
    heard = next(iter((*case.managed, *case.known)), None)
    return ClusterState(
        namespace=cluster.namespace,
        name=cluster.name,
        api_version=cluster.api_version,
        phase=cluster.phase,
        deleting=cluster.deleting,
        resource_sets=tuple(sorted(one.name for one in case.agents)),
        deliveries=case.deliveries,
        delivered=case.delivered,
        registered=case.registered,
        evidence=case.evidence,
        registration_name=case.name or (f"{case.prefix}-xxxxx" if case.prefix else ""),
        last_seen=heard.last_seen if heard else None,
        timeless=heard is not None and heard.timeless,
        reasons=tuple(_reasons(case)),
        infrastructure="ready" if cluster.has_infrastructure else cluster.infrastructure or "not ready",
        api_server={"True": "reachable", "False": cluster.probe_message or "not reachable"}.get(cluster.probe, ""),
    )


def _reasons(case: Case) -> list[Reason]:
    """Return what the checks find; their order is that in which a person would look, and the first is to be acted on."""
    found = [*reasons_selection.going(case)]
    if found:
        return found
    found = [one for check in (*reasons_selection.CHECKS, *reasons_delivery.CHECKS) for one in check(case)]
    if all(one.severity != ERROR for one in found):
        found += [one for check in reasons_delivery.UNEXPLAINED for one in check(case)]
    return found + [one for check in reasons_registration.CHECKS for one in check(case)]


def _notes(scene: Scene) -> Iterator[Reason]:
    """Report what concerns no single Cluster."""
    asked = bool(scene.commands.context)
    here = "add the output of this command on the management cluster"
    if not scene.clusters:
        yield Reason(
            code="no-clusters",
            message=f"{'the management cluster has' if asked else 'the dump holds'} no Cluster of Cluster API",
            remedy=() if asked else (here, scene.commands.dump_clusters()),
            severity=WARNING,
        )
    if not scene.payloads_dumped and any(not one.hub for one in scene.sets):
        found = "could be read" if asked else "is in the dump"
        yield Reason(
            code="no-payloads",
            message=f"no Secret or ConfigMap of ours {found}: their type, content and hash were not checked",
            remedy=() if asked else (here, scene.commands.dump_payloads()),
            severity=INFO,
        )
    if scene.sets and not scene.dump.of(dump.BINDING) and not asked:
        yield Reason(
            code="no-bindings",
            message="no ClusterResourceSetBinding is in the dump: either nothing was delivered to any Cluster, or it is incomplete",
            remedy=(here, scene.commands.dump_clusters()),
            severity=INFO,
        )
    if not scene.parent:
        empty = "; if the empty list is the parent's, add --parent" if scene.dump.empty_lists and not asked else ""
        there = ("add the output of this command on the parent cluster", scene.commands.dump_parent())
        yield Reason(
            code=report.NO_PARENT,
            message=f"the parent cluster was not looked at, so whether clusters are registered is unknown{empty}",
            remedy=("add --parent-context",) if asked else there,
            severity=INFO,
        )
    elif scene.now - scene.reported > _OLD:
        yield Reason(
            code="old-dump",
            message=f"ages of reports are counted from the newest time in the dump of the parent, {clock(scene.reported)}, "
            f"{age(scene.now - scene.reported)} ago; --now sets another time",
            severity=INFO,
        )


# --- what is left over ------------------------------------------------------------------------------------------------


def _orphans(scene: Scene, cases: Sequence[Case], strangers: Sequence[Managed]) -> tuple[Orphan, ...]:
    """List what has no Cluster."""
    found = [*_hub_maps(scene)]
    if scene.clusters:
        found += [
            *_resource_sets(scene, cases),
            *_registrations(scene, cases, strangers),
            *_requests(scene, cases),
        ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.side, one.kind, one.namespace, one.name)))


def _others(scene: Scene, strangers: Sequence[Managed]) -> Iterator[Reason]:
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


def _doubtful(cases: Sequence[Case]) -> set[str]:
    """Return the names of Clusters that may be registered under a name that is not known here."""
    return {case.cluster.name for case in cases if case.has_agent and case.registered in _UNTOLD}


def _resource_sets(scene: Scene, cases: Sequence[Case]) -> Iterator[Orphan]:
    """Sets that select no Cluster. One of ours must be removed where it came from: GitOps would undo a command."""
    used = {(one.namespace, one.name) for case in cases for one in case.sets}
    there = {(cluster.namespace, cluster.name) for cluster in scene.clusters}
    for one in scene.sets:
        if (one.namespace, one.name) in used or one.deleting:
            continue
        target = one.only_cluster
        commands: tuple[str, ...] = ()
        if one.hub:
            message = "selects no Cluster (of clusternet-hub)"
            if one.namespace not in scene.peopled:
                commands = (scene.commands.delete_set(one.namespace, one.name),)
        elif target and (one.namespace, target) in there:
            message = f"selects no Cluster: Cluster {target} lacks the label {CLUSTER_NAME_LABEL}={target}"
        elif target:
            message = f"was made for Cluster {target}, which is gone; render config {one.owner} again and have the rest pruned"
        elif one.namespace in scene.peopled:
            message = f"selects no Cluster of its namespace (of config {one.owner})"
        else:
            continue  # it waits for Clusters: spec.namespaces or serveEmptyNamespaces
        yield Orphan(
            side=report.MANAGEMENT,
            kind="ClusterResourceSet",
            namespace=one.namespace,
            name=one.name,
            message=message,
            commands=commands,
        )


def _hub_maps(scene: Scene) -> Iterator[Orphan]:
    """ConfigMaps of the hub's discovery that no set refers to: one of them holds the registration token."""
    referred = {(one.namespace, name) for one in scene.sets for _, name in one.resources}
    known = bool(
        scene.dump.of(dump.RESOURCE_SET) or scene.commands.context
    )  # else they may be there, and were not dumped
    use = (
        "is used by no ClusterResourceSet" if known else "may be used by a ClusterResourceSet, of which none was dumped"
    )
    for payload in scene.payloads.values():
        if payload.of_hub and (payload.namespace, payload.name) not in referred:
            token = " and contains the registration token in plain text" if payload.token else ""
            yield Orphan(
                side=report.MANAGEMENT,
                kind="ConfigMap",
                namespace=payload.namespace,
                name=payload.name,
                message=f"was made by clusternet-hub, {use}{token}; it comes back while the hub's discovery is on",
                commands=(scene.commands.delete(payload.kind, payload.namespace, payload.name),) if known else (),
            )


def _registrations(scene: Scene, cases: Sequence[Case], strangers: Sequence[Managed]) -> Iterator[Orphan]:
    """ManagedClusters that don't report: without a Cluster, of a cluster that registered again, or of one that is being deleted."""
    doubtful = _doubtful(cases)
    emptied = [one for one in scene.managed if one.origin and one.origin not in scene.peopled]
    for managed in (*strangers, *emptied):
        known, message = True, "no Cluster of this dump registers under this name"
        if managed.origin:
            message = f"its Cluster was in namespace {managed.origin}, which has no Clusters in the dump"
        elif chosen_prefix(managed.name):
            known, message = False, "its agent chose the name, so its Cluster is not known here"
        else:  # it can be an earlier name of a Cluster that is not registered under its present one
            known = not any(name in managed.name for name in doubtful)
        yield from _registration(scene, managed, message, known=known, elsewhere=True)
    for case in cases:
        if not case.name or not case.managed:
            continue
        best, *others = case.managed
        for managed in others:
            if scene.dead(managed):
                message = f"an earlier registration of {managed.name}, now {best.title}"
                yield from _registration(scene, managed, message, known=True)
        if case.cluster.deleting and not case.namesakes:
            yield from _registration(scene, best, f"Cluster {case.cluster.title} is being deleted", known=True)


def _registration(
    scene: Scene, managed: Managed, message: str, *, known: bool, elsewhere: bool = False
) -> Iterator[Orphan]:
    """Report a silent registration, with the commands that remove it if it is dead.

    `known` says whether its Cluster is gone, as far as this management cluster shows, and `elsewhere` whether another
    management cluster could have it.
    """
    if scene.alive(managed):
        return
    last = managed.last_seen or managed.created
    silence = f"no report for {age(scene.reported - last)}" if last is not None else "it has never reported"
    if managed.timeless:
        silence = "it last reported at an unknown time, since the time that it gave can't be right"
    commands: tuple[str, ...] = ()
    if known and scene.dead(managed):
        commands = scene.commands.remove(managed)
        silence += _ELSEWHERE if elsewhere else ""
    elif known and not managed.timeless:
        silence += f"; after {age(scene.dead_after)} (--dead-after) status lists the commands that remove it"
    yield Orphan(
        side=report.PARENT,
        kind="ManagedCluster",
        namespace=managed.namespace,
        name=managed.name,
        message=f"{message}; {silence}",
        commands=commands,
    )


def _requests(scene: Scene, cases: Sequence[Case]) -> Iterator[Orphan]:
    """Requests that led to no ManagedCluster and belong to no Cluster."""
    doubtful = _doubtful(cases)
    registered = {one.cluster_id for one in scene.managed}
    names = {case.name for case in cases if case.name}
    prefixes = {case.prefix for case in cases if case.prefix}
    for request in scene.requests:
        name = request.cluster_name
        mine = name in names or chosen_prefix(name) in prefixes or request.origin in scene.peopled
        if request.cluster_id in registered or mine:
            continue
        commands: tuple[str, ...] = ()
        old = request.created is not None and scene.reported - request.created > scene.dead_after
        if old and not any(one in name for one in doubtful):
            commands = (scene.commands.delete_request(request.name),)
        since = f", made {scene.ago(request.created)}" if request.created is not None else ""
        yield Orphan(
            side=report.PARENT,
            kind="ClusterRegistrationRequest",
            namespace="",
            name=request.name,
            message=f"asks for {name or 'no name'} ({request.result or 'pending'}{since}), without a ManagedCluster and "
            f"without a Cluster{_ELSEWHERE if commands else ''}",
            commands=commands,
        )
