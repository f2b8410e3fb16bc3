"""What is left over: ManagedClusters, sets and hub objects without a Cluster, with the commands that would remove them.

Commands are printed, never run. Names in them are quoted for a shell, since a dump can hold anything.
"""

from __future__ import annotations

import re
from shlex import quote

from krm_fn.live import objects
from krm_fn.live.report import Orphan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from krm_fn.live.objects import Managed, Request
    from krm_fn.live.report import ClusterState
    from krm_fn.live.scene import Scene

MANAGEMENT = "management"
PARENT = "parent"
# clusternet v0.18.1 `pkg/agent`: k8s.io/apimachinery `rand.String(5)`, an alphabet without vowels and look-alikes
_RANDOM = re.compile(r"-[bcdfghjklmnpqrstvwxz2456789]{5}\Z")


def chosen_with(prefix: str, name: str) -> bool:
    """Tell whether an agent that was given a prefix may have chosen a name."""
    found = _RANDOM.search(name)
    return found is not None and name[: found.start()] == prefix


def find(scene: Scene, clusters: Collection[ClusterState], names: Collection[str]) -> tuple[Orphan, ...]:
    """List what has no Cluster.

    Args:
        scene: The dump.
        clusters: The Clusters as far as they are known.
        names: The names under which they register.
    """
    found = [*_resource_sets(scene), *_hub_maps(scene), *_managed(scene, clusters, names)]
    return tuple(sorted(found, key=lambda one: (one.side, one.kind, one.namespace, one.name)))


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
        hub = payload.kind == "ConfigMap" and payload.name in {objects.HUB_DEPLOY, objects.HUB_RBAC}
        if hub and (payload.namespace, payload.name) not in referred:
            token = " and holds the registration token in the open" if payload.name == objects.HUB_DEPLOY else ""
            yield Orphan(
                side=MANAGEMENT,
                kind="ConfigMap",
                namespace=payload.namespace,
                name=payload.name,
                message=f"was made by clusternet-hub, is used by no ClusterResourceSet{token}",
                commands=(f"kubectl -n {quote(payload.namespace)} delete configmap {quote(payload.name)}",),
            )


def _managed(scene: Scene, clusters: Collection[ClusterState], names: Collection[str]) -> Iterator[Orphan]:
    """ManagedClusters and requests that belong to no Cluster of the dump, or that a rebuilt cluster left behind."""
    if not scene.clusters:
        return
    prefixes = {
        one.registration_name.removesuffix("-xxxxx") for one in clusters if one.registration_name.endswith("-xxxxx")
    }
    kept: set[str] = set()
    for managed in scene.managed:
        best = scene.managed_named(managed.name)[0]
        shared = any(chosen_with(prefix, managed.name) for prefix in prefixes)
        if shared or (managed.name in names and managed == best):
            kept.add(managed.cluster_id)
            continue
        if managed.name in names:
            message = f"an older registration of {managed.name}; the one in {best.namespace} is in use"
        else:
            message = "no Cluster of this dump registers under this name; leave it if it was registered in another way"
        yield Orphan(
            side=PARENT,
            kind="ManagedCluster",
            namespace=managed.namespace,
            name=managed.name,
            message=message,
            commands=_removal(managed),
        )
        kept.add(managed.cluster_id)
    for request in scene.requests:
        shared = any(chosen_with(prefix, request.cluster_name) for prefix in prefixes)
        if request.cluster_id not in kept and request.cluster_name not in names and not shared:
            yield Orphan(
                side=PARENT,
                kind="ClusterRegistrationRequest",
                namespace="",
                name=request.name,
                message=f"asks for {request.cluster_name or 'no name'} ({request.result or 'pending'}), without a "
                "ManagedCluster and without a Cluster",
                commands=(_request_removal(request),),
            )


def _removal(managed: Managed) -> tuple[str, ...]:
    """The commands for one registration: the hub prunes nothing (clusternet#159), so each object goes by hand."""
    return (
        f"kubectl delete clusterregistrationrequests.clusters.clusternet.io {quote(f'clusternet-{managed.cluster_id}')}",
        f"kubectl -n {quote(managed.namespace)} delete managedclusters.clusters.clusternet.io {quote(managed.name)}",
        f"kubectl delete clusterrole,clusterrolebinding {quote(f'clusternet-{managed.cluster_id}')}",
        f"kubectl delete namespace {quote(managed.namespace)}",
    )


def _request_removal(request: Request) -> str:
    return f"kubectl delete clusterregistrationrequests.clusters.clusternet.io {quote(request.name)}"
