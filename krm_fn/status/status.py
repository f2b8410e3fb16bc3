"""From a dump to a report: each Cluster's way from selected to registered."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timezone

from krm_fn.krm.results import INFO, WARNING
from krm_fn.status import objects, orphans, reasons, report
from krm_fn.status.case import Case, some
from krm_fn.status.report import ClusterState, Delivery, Pool, Reason, Report
from krm_fn.status.scene import Scene

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.status.dump import Dump
    from krm_fn.status.objects import Binding, LiveCluster, LiveSet, Managed, Request

_GOOD = frozenset({report.APPLIED, report.CHANGED})


def evaluate(dump: Dump, now: int, *, parent: bool = False) -> Report:
    """Find out how far every Cluster of a dump has come.

    Args:
        dump: What was dumped.
        now: Seconds since the epoch; ages and expiries are counted from it.
        parent: Whether the parent cluster was dumped though it printed empty lists.
    """
    scene = Scene(dump, now, parent=parent)
    selected = {cluster.title: scene.selecting(cluster) for cluster in scene.clusters}
    registers = {title: _registers_as(scene, found) for title, found in selected.items()}
    namesakes = _namesakes(registers)
    clusters = tuple(
        _cluster(scene, cluster, selected[cluster.title], registers[cluster.title], namesakes)
        for cluster in scene.clusters
    )
    pools = _pools(scene, clusters, registers)
    names = frozenset(name for name, by_prefix in registers.values() if name and not by_prefix)
    return Report(
        clusters=clusters,
        pools=pools,
        orphans=orphans.find(scene, names, pools),
        notes=(*_notes(scene, pools), *_strangers(scene, names, pools)),
        parent=scene.parent,
        now=now,
        secrets=scene.tokens(),
    )


def _cluster(
    scene: Scene,
    cluster: LiveCluster,
    sets: tuple[LiveSet, ...],
    registers: tuple[str, bool],
    namesakes: Mapping[str, list[str]],
) -> ClusterState:
    name, by_prefix = registers
    binding = scene.binding(cluster)
    agents = tuple(one for one in sets if one.role == objects.AGENT)
    deliveries = tuple(_deliveries(scene, sets, binding))
    own = "" if by_prefix else name
    managed = scene.managed_named(own) if own else ()
    requests = scene.requests_named(own) if own else ()
    delivered = _delivered(agents, deliveries)
    registered = _registered(scene, own, managed, requests) if agents else report.NO
    case = Case(
        scene=scene,
        cluster=cluster,
        agents=agents,
        sets=sets,
        binding=binding,
        deliveries=deliveries,
        delivered=delivered,
        registered=registered,
        name=own,
        namesakes=tuple(title for title in namesakes.get(own, ()) if title != cluster.title),
        managed=managed,
        requests=requests,
        token_expired=_expired(scene, agents),
    )
    return ClusterState(
        namespace=cluster.namespace,
        name=cluster.name,
        api_version=cluster.api_version,
        phase=cluster.phase,
        deleting=cluster.deleting,
        resource_sets=tuple(one.name for one in agents),
        deliveries=deliveries,
        delivered=delivered,
        registered=registered,
        registration_name=f"{name}-xxxxx" if by_prefix else name,
        last_seen=managed[0].last_seen if managed else None,
        reasons=reasons.find(case),
    )


def _deliveries(scene: Scene, sets: tuple[LiveSet, ...], binding: Binding | None) -> list[Delivery]:
    found = []
    for one in sets:
        recorded = binding.sets.get(one.name, {}) if binding else {}
        for kind, name in one.resources:
            entry = recorded.get((kind, name))
            payload = scene.payload(one.namespace, kind, name)
            if entry is None:
                # the controller goes on without what it can't find, so the others of the set are recorded
                gone = payload is None and (bool(recorded) or scene.surely_missing(one, kind, name))
                state = report.MISSING if gone else report.WAITING
            elif not entry.applied:
                state = report.FAILED
            elif payload is None and scene.surely_missing(one, kind, name):
                state = report.MISSING
            elif payload is None or scene.digest(payload) == entry.digest:
                state = report.APPLIED
            else:
                state = report.OUTDATED if one.strategy == "Reconcile" else report.CHANGED
            found.append(
                Delivery(resource_set=one.name, kind=kind, name=name, state=state, time=entry.time if entry else None)
            )
    return found


def _delivered(agents: tuple[LiveSet, ...], deliveries: tuple[Delivery, ...]) -> str:
    states = {one.state for one in deliveries}
    if not agents or not states or states - _GOOD - {report.OUTDATED}:
        return report.NO
    return report.OUTDATED if report.OUTDATED in states else report.YES


def _registers_as(scene: Scene, sets: tuple[LiveSet, ...]) -> tuple[str, bool]:
    """Return the name that a Cluster's agent registers under, and whether that is a prefix only."""
    for one in sets:
        if one.role == objects.AGENT:
            name = scene.registration_name(one)
            return (name, False) if name else (scene.name_prefix(one), True)
    return ("", False)


def _namesakes(registers: Mapping[str, tuple[str, bool]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for title, (name, by_prefix) in registers.items():
        if name and not by_prefix:
            found[name].append(title)
    return {name: sorted(titles) for name, titles in found.items() if len(titles) > 1}


def _registered(scene: Scene, name: str, managed: tuple[Managed, ...], requests: tuple[Request, ...]) -> str:
    if not scene.parent or not name:
        return report.UNKNOWN
    if managed:
        return report.YES if scene.alive(managed[0]) else report.NOT_READY
    if requests and not requests[0].result:
        return report.PENDING
    return report.NO


def _expired(scene: Scene, agents: tuple[LiveSet, ...]) -> str:
    """Return the day on which a Cluster's registration token expired; "" if it has not, or none is known."""
    for one in agents:
        expires = scene.token_expiry(one)
        if expires is not None and expires <= scene.now:
            return datetime.fromtimestamp(expires, timezone.utc).strftime("%Y-%m-%d")
    return ""


def _pools(
    scene: Scene, clusters: tuple[ClusterState, ...], registers: Mapping[str, tuple[str, bool]]
) -> tuple[Pool, ...]:
    counts: dict[str, int] = defaultdict(int)
    for cluster in clusters:
        name, by_prefix = registers[cluster.title]
        if by_prefix and not cluster.deleting:
            counts[name] += 1
    found = []
    for prefix, count in sorted(counts.items()):
        managed = [one for one in scene.managed if orphans.chosen_with(prefix, one.name)]
        ready = sum(map(scene.alive, managed))
        found.append(Pool(prefix=prefix, clusters=count, managed=len(managed), ready=ready))
    return tuple(found)


def _notes(scene: Scene, pools: tuple[Pool, ...]) -> list[Reason]:
    """Say what concerns no single Cluster."""
    found = []
    if not scene.clusters:
        found.append(
            Reason(
                code="no-clusters",
                message="the dump holds no Cluster of Cluster API",
                remedy=("kubectl get clusters.cluster.x-k8s.io -A -o yaml",),
                severity=WARNING,
            )
        )
    if not scene.payloads_dumped and any(not one.hub for one in scene.sets):
        found.append(
            Reason(
                code="no-payloads",
                message="no Secret or ConfigMap of ours is in the dump: their type, content and hash were not checked",
                remedy=("kubectl get secrets,configmaps -A -l fn.clusternet.io/generated=true -o yaml",),
                severity=INFO,
            )
        )
    if not scene.parent:
        empty = "; if the empty list is the parent's, say so with --parent" if scene.dump.empty_lists else ""
        found.append(
            Reason(
                code="no-parent",
                message=f"nothing of the parent cluster is in the dump: whether clusters are registered is unknown{empty}",
                remedy=(
                    "dump the parent cluster too",
                    "kubectl get managedclusters,clusterregistrationrequests -A -o yaml",
                ),
                severity=INFO,
            )
        )
    else:
        found.extend(_counted(pool) for pool in pools)
    return found


def _strangers(scene: Scene, names: frozenset[str], pools: tuple[Pool, ...]) -> list[Reason]:
    """Name the ManagedClusters that report and that no Cluster accounts for; they are alive, so not left over."""
    found = [f"{one.namespace}/{one.name}" for one in orphans.unaccounted(scene, names, pools) if scene.alive(one)]
    if not found or not scene.clusters:
        return []
    message = (
        f"{_count(len(found), 'ManagedCluster')} of other names report to the parent: {some(found)}; they were registered by "
        "hand, from another management cluster, or under an earlier name, since a registration keeps its first name"
    )
    return [Reason(code="others", message=message, severity=INFO)]


def _counted(pool: Pool) -> Reason:
    """With `identity.mode: Shared` agents choose their names, so only numbers can be compared."""
    verb = "registers" if pool.clusters == 1 else "register"
    message = (
        f"{_count(pool.clusters, 'Cluster')} {verb} as {pool.prefix}-xxxxx, and the parent has "
        f"{_count(pool.managed, 'such ManagedCluster')}, {pool.ready} ready; which is which can't be told, since agents "
        "choose the name (identity.mode Shared)"
    )
    if not pool.short:
        return Reason(code="shared-names", message=message, severity=INFO)
    return Reason(
        code="not-all-registered",
        message=f"{pool.short} missing: {message}",
        remedy=(
            "on a workload cluster, this prints the spec.clusterId of its ManagedCluster",
            "kubectl -n clusternet-system get lease clusternet-agent -o jsonpath={.metadata.uid}",
            "with identity.mode PerCluster every Cluster has a name of its own",
        ),
    )


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
