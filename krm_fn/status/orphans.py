"""What is left over: ManagedClusters, sets and hub objects without a Cluster, with the commands that would remove them.

Commands are printed, never run. Names in them are quoted for a shell, since a dump can hold anything.
"""

from __future__ import annotations

import re
from shlex import quote

from krm_fn.status.report import Orphan
from krm_fn.surface import HUB_AGENT_MAP, HUB_RBAC_MAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from krm_fn.status.objects import Managed
    from krm_fn.status.report import Pool
    from krm_fn.status.scene import Scene

MANAGEMENT = "management"
PARENT = "parent"
# clusternet v0.18.1 `pkg/agent`: k8s.io/apimachinery `rand.String(5)`, an alphabet without vowels and look-alikes
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")


def chosen_with(prefix: str, name: str) -> bool:
    """Tell whether an agent that was given a prefix may have chosen a name."""
    found = _RANDOM.search(name)
    return found is not None and name[: found.start()] == prefix


def find(scene: Scene, names: Collection[str], pools: Sequence[Pool]) -> tuple[Orphan, ...]:
    """List what has no Cluster.

    Args:
        scene: The dump.
        names: The names under which Clusters register.
        pools: The Clusters whose agents choose their names.
    """
    found = [*_resource_sets(scene), *_hub_maps(scene)]
    if scene.clusters:
        found += [*_managed(scene, names, pools), *_requests(scene, names, pools)]
    return tuple(sorted(found, key=lambda one: (one.side, one.kind, one.namespace, one.name)))


def unaccounted(scene: Scene, names: Collection[str], pools: Sequence[Pool]) -> Iterator[Managed]:
    """Yield the ManagedClusters under names that no Cluster of the dump registers under."""
    for one in scene.managed:
        if one.name not in names and _pool(pools, one.name) is None:
            yield one


def _resource_sets(scene: Scene) -> Iterator[Orphan]:
    """Sets that select nobody."""
    used = {(cluster.namespace, one.name) for cluster in scene.clusters for one in scene.selecting(cluster)}
    for one in scene.sets:
        if (one.namespace, one.name) in used or not scene.clusters:
            continue
        whose = "of clusternet-hub" if one.hub else f"of config {one.owner}"
        command = (
            f"kubectl -n {quote(one.namespace)} delete clusterresourcesets.addons.cluster.x-k8s.io {quote(one.name)}"
        )
        yield Orphan(
            side=MANAGEMENT,
            kind="ClusterResourceSet",
            namespace=one.namespace,
            name=one.name,
            message=f"selects no Cluster ({whose}); "
            + ("delete it" if one.hub else "remove it in Git, else GitOps brings it back"),
            commands=(command,),
        )


def _hub_maps(scene: Scene) -> Iterator[Orphan]:
    """ConfigMaps of the hub's discovery that no set refers to: one of them holds the registration token."""
    referred = {(one.namespace, name) for one in scene.sets for _, name in one.resources}
    for payload in scene.payloads():
        hub = payload.kind == "ConfigMap" and payload.name in {HUB_AGENT_MAP, HUB_RBAC_MAP}
        if hub and (payload.namespace, payload.name) not in referred:
            token = " and holds the registration token in the open" if payload.name == HUB_AGENT_MAP else ""
            yield Orphan(
                side=MANAGEMENT,
                kind="ConfigMap",
                namespace=payload.namespace,
                name=payload.name,
                message=f"was made by clusternet-hub, is used by no ClusterResourceSet{token}",
                commands=(f"kubectl -n {quote(payload.namespace)} delete configmap {quote(payload.name)}",),
            )


def _managed(scene: Scene, names: Collection[str], pools: Sequence[Pool]) -> Iterator[Orphan]:
    """ManagedClusters without a Cluster. One whose agent reports is in use by somebody, and never among them."""
    strangers = {(one.namespace, one.name) for one in unaccounted(scene, names, pools)}
    for managed in scene.managed:
        pool = _pool(pools, managed.name)
        if scene.alive(managed):
            continue
        if (managed.namespace, managed.name) in strangers:
            message = "no Cluster of this dump registers under this name, and no agent reports"
        elif pool is not None and pool.ready >= pool.clusters:
            message = (
                f"more ManagedClusters are called {pool.prefix}-xxxxx than there are Clusters, and no agent reports"
            )
        elif pool is None and managed != (best := scene.managed_named(managed.name)[0]):
            message = f"an older registration of {managed.name}; the one in {best.namespace} is in use"
        else:
            continue
        yield Orphan(
            side=PARENT,
            kind="ManagedCluster",
            namespace=managed.namespace,
            name=managed.name,
            message=message,
            commands=_removal(managed),
        )


def _requests(scene: Scene, names: Collection[str], pools: Sequence[Pool]) -> Iterator[Orphan]:
    """Requests that led to no ManagedCluster and belong to no Cluster."""
    registered = {one.cluster_id for one in scene.managed}
    for request in scene.requests:
        name = request.cluster_name
        if request.cluster_id not in registered and name not in names and _pool(pools, name) is None:
            yield Orphan(
                side=PARENT,
                kind="ClusterRegistrationRequest",
                namespace="",
                name=request.name,
                message=f"asks for {name or 'no name'} ({request.result or 'pending'}), without a ManagedCluster and "
                "without a Cluster",
                commands=(_request_removal(request.name),),
            )


def _pool(pools: Sequence[Pool], name: str) -> Pool | None:
    return next((pool for pool in pools if chosen_with(pool.prefix, name)), None)


def _removal(managed: Managed) -> tuple[str, ...]:
    """The commands for one registration: the hub prunes nothing (clusternet#159), so each object goes by hand."""
    objects_name = f"clusternet-{managed.cluster_id}"
    return (
        _request_removal(objects_name),
        f"kubectl -n {quote(managed.namespace)} delete managedclusters.clusters.clusternet.io {quote(managed.name)}",
        f"kubectl delete clusterrole,clusterrolebinding {quote(objects_name)}",
        f"kubectl delete namespace {quote(managed.namespace)}",
    )


def _request_removal(name: str) -> str:
    return f"kubectl delete clusterregistrationrequests.clusters.clusternet.io {quote(name)}"
