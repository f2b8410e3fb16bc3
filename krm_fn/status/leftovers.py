"""What is left over: sets, ConfigMaps of the hub, registrations and requests that have no Cluster any more.

A command that removes something is given only with evidence that it is dead: no Cluster has it, and nobody has heard of
it for longer than `Scene.dead_after`. Numbers are no evidence.
"""

from __future__ import annotations

from krm_fn.status import dump, report
from krm_fn.status.matching import chosen_prefix
from krm_fn.status.report import Orphan, age
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.objects import Managed
    from krm_fn.status.scene import Case, Scene

_UNTOLD = frozenset({report.NO, report.EARLIER, report.COUNTED})
_ELSEWHERE = "; if no other management cluster has it, remove it"


def find(scene: Scene, cases: Sequence[Case], strangers: Sequence[Managed]) -> tuple[Orphan, ...]:
    """List what has no Cluster."""
    found = [*_hub_maps(scene)]
    if scene.clusters:
        found += [
            *_resource_sets(scene, cases),
            *_registrations(scene, cases, strangers),
            *_requests(scene, cases),
        ]
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.side, one.kind, one.namespace, one.name)))


def _doubtful(cases: Sequence[Case]) -> set[str]:
    """Return the names of Clusters that may be registered under a name that is not known here.

    One that nothing selects is among them: its agent stays, and may be down for a while.
    """
    open_cases = (case for case in cases if not case.cluster.deleting)
    return {case.cluster.name for case in open_cases if case.registered in _UNTOLD or not case.name}


def _resource_sets(scene: Scene, cases: Sequence[Case]) -> Iterator[Orphan]:
    """Sets that select no Cluster. One of ours must be removed where it came from: GitOps would undo a command."""
    used = {(one.namespace, one.name) for case in cases for one in case.sets}
    there = {(cluster.namespace, cluster.name) for cluster in scene.clusters}
    for one in scene.sets:
        if (one.namespace, one.name) in used or one.deleting:
            continue
        target = one.cluster
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
