"""From a dump to a report: each Cluster's way from selected to registered, the reasons where it has stopped, and what is left over."""

from __future__ import annotations

from collections import defaultdict

from krm_fn.krm.results import ERROR
from krm_fn.kube import raw
from krm_fn.status import (
    dump,
    leftovers,
    matching,
    reasons_delivery,
    reasons_dump,
    reasons_registration,
    reasons_selection,
)
from krm_fn.status.commands import Commands
from krm_fn.status.report import ClusterState, Reason, Report, believed
from krm_fn.status.scene import DEAD_AFTER, Case, Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.status.dump import Dump


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
    judged = matching.judge(scene, cases)
    return Report(
        clusters=tuple(map(_state, cases)),
        pools=tuple(group.pool for group in judged.groups),
        orphans=leftovers.find(scene, cases, judged.strangers),
        notes=(*reasons_dump.gaps(scene), *reasons_registration.together(scene, judged)),
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
