"""From a dump to a report: each Cluster's way from selected to registered, and the reasons where it has stopped."""

from __future__ import annotations

from collections import defaultdict

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.kube import raw
from krm_fn.status import dump, matching, orphans, reasons_delivery, reasons_registration, reasons_selection, report
from krm_fn.status.commands import Commands
from krm_fn.status.report import ClusterState, Delivery, Reason, Report, age, believable, clock, usual
from krm_fn.status.scene import DEAD_AFTER, Case, Scene
from krm_fn.surface import HUB_AGENT_MAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from krm_fn.status.dump import Dump
    from krm_fn.status.objects import Binding, LiveCluster, LiveSet

_GOOD = frozenset({report.APPLIED, report.CHANGED, report.DELETED})
_BEHIND = frozenset({report.OUTDATED, report.REPLACED})
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
    cases = [_case(scene, cluster, in_full=cluster.title in stories) for cluster in scene.clusters]
    titles: dict[str, list[str]] = defaultdict(list)
    for case in cases:
        titles[case.name].append(case.cluster.title)
    cases = [
        case.replace(namesakes=tuple(one for one in sorted(titles[case.name]) if one != case.cluster.title))
        if case.name
        else case
        for case in cases
    ]
    judged = matching.judge(scene, cases)
    return Report(
        clusters=tuple(
            _state(case, matching.doubts(case, judged) if case.cluster.title in stories else ())
            for case in judged.cases
        ),
        pools=judged.pools,
        orphans=orphans.find(scene, judged),
        notes=(*_notes(scene), *judged.notes),
        parent=scene.parent,
        reported=scene.reported,
        secrets=scene.tokens(),
    )


def newest_report(found: Dump, now: int) -> int | None:
    """Return the newest time that can be true in what the parent cluster holds: a dump of it is not older than that."""
    managed = found.of(dump.MANAGED_CLUSTER)
    reports = [raw.seconds(value, "status", "lastObservedTime") for value in managed]
    times = list(reports)
    for value in (*managed, *found.of(dump.REQUEST)):
        times.append(raw.seconds(value, "metadata", "creationTimestamp"))
        times += [raw.seconds(one, "lastTransitionTime") for one in raw.entries(value, "status", "conditions")]
    latest = max(now, usual([time for time in reports if time is not None], now))
    return max((time for time in times if believable(time, latest)), default=None)


def _case(scene: Scene, cluster: LiveCluster, *, in_full: bool) -> Case:
    sets = scene.selecting(cluster)
    agents = tuple(
        sorted((one for one in sets if not one.identity_only), key=lambda one: (one.hub, -(one.created or 0), one.name))
    )
    binding = scene.bindings.get((cluster.namespace, cluster.name))
    over = _replaced_by(scene, cluster, agents, binding)
    deliveries = tuple(_deliveries(scene, sets, binding, agents[0].name if over else "", in_full=in_full))
    name = scene.registration_name(agents[0]) if agents else ""
    return Case(
        scene=scene,
        cluster=cluster,
        agents=agents,
        sets=sets,
        binding=binding,
        deliveries=deliveries,
        delivered=_delivered(agents, deliveries),
        replaced_by=over,
        name=name,
        prefix=scene.name_prefix(agents[0]) if agents and not name else "",
        managed=tuple(scene.managed_by_name[name]) if name else (),
        requests=tuple(scene.requests_by_name[name]) if name else (),
        token_expired=_expired(scene, agents),
    )


def _state(case: Case, doubts: Iterable[Reason]) -> ClusterState:
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
        reasons=(*_reasons(case), *doubts),
        infrastructure="ready" if cluster.has_infrastructure else cluster.infrastructure or "not ready",
        api_server={"True": "reachable", "False": cluster.probed[0] or "not reachable"}.get(cluster.probe, ""),
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


def _deliveries(
    scene: Scene, sets: tuple[LiveSet, ...], binding: Binding | None, replaced: str, *, in_full: bool
) -> Iterator[Delivery]:
    """Find out how far each resource has come, and with what each delivers where `in_full`.

    What is applied of the set `replaced` was overwritten since.
    """
    for one in sets:
        recorded = binding.get(one.name, {}) if binding else {}
        for kind, name in one.resources:
            entry = recorded.get((kind, name))
            payload = scene.payload(one.namespace, kind, name)
            lacking = payload is None and scene.surely_missing(one, kind, name)
            if entry is None:
                # the controller goes on without what it can't find, so the others of the set are recorded
                gone = lacking or (payload is None and bool(recorded))
                state = report.MISSING if gone else report.WAITING
            elif not entry.applied:
                state = report.FAILED
            elif payload is None:
                state = report.DELETED if lacking else report.APPLIED
            elif payload.digest != entry.digest:
                state = report.OUTDATED if one.strategy == "Reconcile" else report.CHANGED
            else:
                state = report.REPLACED if one.name == replaced and _agents(kind, name) else report.APPLIED
            yield Delivery(
                resource_set=one.name,
                strategy=one.strategy,
                kind=kind,
                name=name,
                state=state,
                time=entry.time if entry else None,
                digest=entry.digest if entry else "",
                objects=payload.titles() if in_full and payload is not None else (),
            )


def _replaced_by(scene: Scene, cluster: LiveCluster, agents: tuple[LiveSet, ...], binding: Binding | None) -> str:
    """Return the set that applied another agent after the set that counts did; "" if none has.

    Such a set has selected the Cluster in between, or is an older one of the same config. The Binding keeps its record.
    """
    if binding is None or not agents or agents[0].hub:
        return ""
    applied = [entry for ref, entry in binding.get(agents[0].name, {}).items() if _agents(*ref) and entry.applied]
    if not applied or applied[0].time is None:
        return ""
    current = {one.name: one for one in agents}
    for name, recorded in sorted(binding.items()):
        known = current.get(name) or scene.sets_by_name.get((cluster.namespace, name))
        rival = name in current and current[name].owner != agents[0].owner
        once = known is not None and known.strategy != "Reconcile"  # it creates, and never replaces
        if name == agents[0].name or rival or once:
            continue
        for ref, entry in recorded.items():
            later = entry.time is not None and entry.time > applied[0].time
            if _agents(*ref) and entry.applied and later and entry.digest != applied[0].digest:
                return name
    return ""


def _agents(kind: str, name: str) -> bool:
    """Return whether a resource, ours or the hub's, holds an agent."""
    return kind == "ConfigMap" and (name.endswith("-agent") or "-agent." in name or name == HUB_AGENT_MAP)


def _delivered(agents: tuple[LiveSet, ...], deliveries: tuple[Delivery, ...]) -> str:
    states = {one.state for one in deliveries}
    if not agents or not states or states - _GOOD - _BEHIND:
        return report.NO
    return report.OUTDATED if states & _BEHIND else report.YES


def _expired(scene: Scene, agents: tuple[LiveSet, ...]) -> str:
    """Return the day on which a Cluster's registration token expired; "" if it has not, or none is known."""
    expiries = map(scene.token_expiry, agents)
    return next((clock(one).partition(" ")[0] for one in expiries if one is not None and one <= scene.now), "")


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
