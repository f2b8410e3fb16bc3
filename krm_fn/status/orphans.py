"""What is left over: ManagedClusters, requests, sets and hub objects without a Cluster.

A command that removes something is given only with evidence that it is dead: no Cluster has it, and nobody has heard of
it for longer than `Scene.dead_after`. Numbers are no evidence.
"""

from __future__ import annotations

from krm_fn.status.dump import RESOURCE_SET
from krm_fn.status.names import chosen_prefix
from krm_fn.status.report import Orphan, age
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.names import Judged
    from krm_fn.status.objects import Managed
    from krm_fn.status.scene import Scene

_ELSEWHERE = "; if no other management cluster has it, remove it"
MANAGEMENT = "management"
PARENT = "parent"


def find(scene: Scene, judged: Judged) -> tuple[Orphan, ...]:
    """List what has no Cluster."""
    found = [*_hub_maps(scene)]
    if scene.clusters:
        found += [
            *_resource_sets(scene),
            *_strangers(scene, judged),
            *_superseded(scene, judged),
            *_going(scene, judged),
        ]
        found += _requests(scene, judged)
    return tuple(sorted(dict.fromkeys(found), key=lambda one: (one.side, one.kind, one.namespace, one.name)))


def _resource_sets(scene: Scene) -> Iterator[Orphan]:
    """Sets that select nobody. One of ours goes where it came from: a command would be undone by GitOps."""
    used = {(cluster.namespace, one.name) for cluster in scene.clusters for one in scene.selecting(cluster)}
    there = {(cluster.namespace, cluster.name) for cluster in scene.clusters}
    peopled = {cluster.namespace for cluster in scene.clusters}
    for one in scene.sets:
        if (one.namespace, one.name) in used or one.deleting:
            continue
        target = one.only_cluster
        commands: tuple[str, ...] = ()
        if one.hub:
            message = "selects no Cluster (of clusternet-hub)"
            if one.namespace not in peopled:
                commands = (scene.commands.delete_set(one.namespace, one.name),)
        elif target and (one.namespace, target) in there:
            message = f"selects no Cluster: Cluster {target} lacks the label {CLUSTER_NAME_LABEL}={target}"
        elif target:
            message = f"was made for Cluster {target}, which is gone; render config {one.owner} again and have the rest pruned"
        elif one.namespace in peopled:
            message = f"selects no Cluster of its namespace (of config {one.owner})"
        else:
            continue  # it waits for Clusters: spec.namespaces or serveEmptyNamespaces
        yield Orphan(
            side=MANAGEMENT,
            kind="ClusterResourceSet",
            namespace=one.namespace,
            name=one.name,
            message=message,
            commands=commands,
        )


def _hub_maps(scene: Scene) -> Iterator[Orphan]:
    """ConfigMaps of the hub's discovery that no set refers to: one of them holds the registration token."""
    referred = {(one.namespace, name) for one in scene.sets for _, name in one.resources}
    known = bool(scene.dump.of(RESOURCE_SET) or scene.commands.context)  # else they may be there, and were not dumped
    use = (
        "is used by no ClusterResourceSet" if known else "may be used by a ClusterResourceSet, of which none was dumped"
    )
    for payload in scene.payloads():
        if payload.of_hub and (payload.namespace, payload.name) not in referred:
            token = " and contains the registration token in plain text" if payload.token else ""
            yield Orphan(
                side=MANAGEMENT,
                kind="ConfigMap",
                namespace=payload.namespace,
                name=payload.name,
                message=f"was made by clusternet-hub, {use}{token}; it comes back while the hub's discovery is on",
                commands=(scene.commands.delete(payload.kind, payload.namespace, payload.name),) if known else (),
            )


def _strangers(scene: Scene, judged: Judged) -> Iterator[Orphan]:
    """ManagedClusters of names that no Cluster registers under, and of namespaces without Clusters."""
    peopled = {cluster.namespace for cluster in scene.clusters}
    emptied = [one for one in scene.managed if one.origin and one.origin not in peopled]
    for managed in (*judged.strangers, *emptied):
        if scene.alive(managed):
            continue
        if managed.origin:
            known, message = True, f"its Cluster was in namespace {managed.origin}, which has no Cluster any more"
        elif chosen_prefix(managed.name):
            known, message = False, "its agent chose the name, so nothing here tells its Cluster"
        else:
            # it can be an earlier name of a Cluster that is not registered under its present one
            known = not any(name in managed.name for name in judged.doubtful)
            message = "no Cluster of this dump registers under this name"
        yield _registration(scene, managed, message, known=known, elsewhere=True)


def _superseded(scene: Scene, judged: Judged) -> Iterator[Orphan]:
    """Entries of a name under which the cluster registered anew."""
    for case in judged.cases:
        for managed in case.managed[1:] if case.name else ():
            if not scene.alive(managed) and scene.dead(managed):
                best = case.managed[0]
                yield _registration(
                    scene,
                    managed,
                    f"an earlier registration of {managed.name}, now {best.title}",
                    known=True,
                )


def _going(scene: Scene, judged: Judged) -> Iterator[Orphan]:
    """Entries of Clusters that are being deleted."""
    for case in judged.cases:
        if case.cluster.deleting and case.name and not case.namesakes:
            for managed in case.managed[:1]:
                if not scene.alive(managed):
                    yield _registration(scene, managed, f"Cluster {case.cluster.title} is being deleted", known=True)


def _registration(scene: Scene, managed: Managed, message: str, *, known: bool, elsewhere: bool = False) -> Orphan:
    """Report a registration, with the commands that remove it if its Cluster is known to be gone and it is dead.

    Args:
        scene: The dump.
        managed: The registration.
        message: Why it is left over.
        known: Whether its Cluster is gone, as far as this management cluster tells.
        elsewhere: Whether another management cluster could have it.
    """
    last = managed.last_seen or managed.created
    silence = f"no report for {age(scene.reported - last)}" if last is not None else "it has never reported"
    if managed.timeless:
        silence = "it last reported at an unknown time, since the one that it gave can't be true"
    commands: tuple[str, ...] = ()
    if known and scene.dead(managed):
        commands = scene.commands.remove(managed)
        silence += _ELSEWHERE if elsewhere else ""
    elif known and not managed.timeless:
        silence += f"; after {age(scene.dead_after)} (--dead-after) status lists the commands that remove it"
    return Orphan(
        side=PARENT,
        kind="ManagedCluster",
        namespace=managed.namespace,
        name=managed.name,
        message=f"{message}; {silence}",
        commands=commands,
    )


def _requests(scene: Scene, judged: Judged) -> Iterator[Orphan]:
    """Requests that led to no ManagedCluster and belong to no Cluster."""
    registered = {one.cluster_id for one in scene.managed}
    names = {case.name for case in judged.cases if case.name}
    prefixes = {case.prefix for case in judged.cases if case.prefix}
    peopled = {cluster.namespace for cluster in scene.clusters}
    for request in scene.requests:
        name = request.cluster_name
        mine = name in names or chosen_prefix(name) in prefixes or request.origin in peopled
        if request.cluster_id in registered or mine:
            continue
        commands: tuple[str, ...] = ()
        old = request.created is not None and scene.reported - request.created > scene.dead_after
        if old and not any(one in name for one in judged.doubtful):
            commands = (scene.commands.delete_request(request.name),)
        since = f", made {scene.ago(request.created)}" if request.created is not None else ""
        yield Orphan(
            side=PARENT,
            kind="ClusterRegistrationRequest",
            namespace="",
            name=request.name,
            message=f"asks for {name or 'no name'} ({request.result or 'pending'}{since}), without a ManagedCluster and "
            f"without a Cluster{_ELSEWHERE if commands else ''}",
            commands=commands,
        )
