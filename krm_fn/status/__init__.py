"""From a dump to a report: each Cluster's way from selected to registered, and the reasons where it has stopped."""

from __future__ import annotations

from collections import defaultdict

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.kube import raw
from krm_fn.status import (
    dump,
    orphans,
    reasons_delivery,
    reasons_registration,
    reasons_selection,
    registrations,
    report,
)
from krm_fn.status.commands import Commands
from krm_fn.status.report import ClusterState, Reason, Report, age, believed, clock
from krm_fn.status.scene import DEAD_AFTER, Case, Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.dump import Dump

_OLD = 3600  # seconds from which the age of a dump is worth a word


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
        orphans=orphans.find(scene, cases, judged.strangers),
        notes=(*_notes(scene), *judged.notes, *orphans.others(scene, judged.strangers)),
        parent=scene.parent,
        reported=scene.reported,
        secrets=tuple(scene.tokens),
    )


def newest_report(found: Dump, now: int) -> int | None:
    """Return the newest time that can be true in what the parent cluster holds: a dump of it is not older than that."""
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
    """Say what concerns no single Cluster."""
    asked = bool(scene.commands.context)
    here = "add what this prints on the management cluster"
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
        there = ("add what this prints on the parent cluster", scene.commands.dump_parent())
        yield Reason(
            code=report.NO_PARENT,
            message=f"nothing of the parent cluster was looked at: whether clusters are registered is unknown{empty}",
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
