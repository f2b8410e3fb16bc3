"""The steps from the hub's discovery to ours, in the only order that loses no cluster."""

from __future__ import annotations

from shlex import quote

from krm_fn.base import Record
from krm_fn.surface import HUB_AGENT_MAP, HUB_NAME, HUB_NAMESPACE, HUB_RBAC_MAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.kube.containers import Release
    from krm_fn.migration.discovered import Hub

# not N-registration, which is the name of a generated Secret
TOKEN_SECRET = "clusternet-registration-token"  # noqa: S105 - the name of a Secret
_CONTROLLER_MANAGER_SINCE = (0, 15)  # from then on it, not the hub, has --cluster-api-kubeconfig


class Step(Record):
    """One step of the way: what to do, and the commands."""

    title: str
    text: str
    commands: tuple[str, ...] = ()


def make(found: Hub, version: Release | None, resource_set: str) -> Iterator[Step]:
    """Yield the steps, in order; `version` is that of the agent, None when its image has no release."""
    yield Step(
        title="Create a new registration token on the parent cluster",
        text=f"Give it to the config as Secret {TOKEN_SECRET}, key regToken, encrypted in Git (SOPS), or use existingSecret or "
        "externalSecret instead. The old token was readable in ConfigMaps and counts as known.",
    )
    yield Step(
        title="Put the config beside the Clusters, render, review",
        text="Nothing is applied yet.",
        commands=(
            "clusternet-capi-fn plan PATH -c config.yaml",
            "clusternet-capi-fn render PATH -c config.yaml -o rendered/",
        ),
    )
    yield Step(
        title="Apply it, through GitOps as everything else",
        text="On every cluster the agent's pods roll now, one after the other. The hub's ClusterResourceSets may stay for the time "
        "being: they are ApplyOnce and have been applied. Status reports them as a second agent, as a warning, until they are gone.",
    )
    yield Step(
        title="Verify",
        text="Every Cluster delivered and registered, under the name that it has had.",
        commands=("clusternet-capi-fn status --context MANAGEMENT --parent-context PARENT",),
    )
    yield _discovery_off(version)
    yield Step(
        title="Delete what the hub made",
        text="Only now, or discovery makes it again. Agents stay on the clusters: deleting a ClusterResourceSet removes nothing "
        "there. Its ConfigMaps belong to it and are collected with it; the second command is for those that don't.",
        commands=tuple(_deletions(found)),
    )
    yield Step(
        title="Revoke the old token",
        text="On the parent: for a bootstrap token, its Secret (the id is the six characters before the dot); for a ServiceAccount "
        "token, its Secret or ServiceAccount. Backups and Git history keep the old one otherwise.",
        commands=("kubectl --context PARENT -n kube-system delete secret bootstrap-token-ID",),
    )
    yield Step(
        title="Afterwards",
        text=f"Never render under the name {HUB_NAME} while a hub may run, and keep clusterResourceSet.name ({resource_set}) "
        "as it is: selector and strategy of a ClusterResourceSet can't be changed.",
    )


def _discovery_off(version: Release | None) -> Step:
    """Return where discovery runs; the hub's release is taken from the agent's, where that is known."""
    names = ["clusternet-controller-manager", "clusternet-hub"]
    if version is not None and version.line < _CONTROLLER_MANAGER_SINCE:
        names.reverse()
    return Step(
        title="Switch the hub's discovery off",
        text=f"On the parent: take --cluster-api-kubeconfig out of Deployment {names[0]} (Clusternet v0.15 and newer run discovery "
        "in clusternet-controller-manager, older ones in clusternet-hub), and the kubeconfig with it.",
        commands=(
            *(
                f"kubectl --context PARENT -n clusternet-system get deployment {name} -o yaml | grep cluster-api-kubeconfig"
                for name in names
            ),
            f"kubectl --context PARENT -n clusternet-system edit deployment {names[0]}",
        ),
    )


def _deletions(found: Hub) -> Iterator[str]:
    mapped = sorted({namespace for namespace, _ in found.maps})
    for namespace in sorted({*found.sets, *mapped}):
        if namespace in found.sets:
            yield (f"kubectl -n {quote(namespace)} delete clusterresourcesets.addons.cluster.x-k8s.io {HUB_NAME}")
        yield (f"kubectl -n {quote(namespace)} delete configmap {HUB_AGENT_MAP} {HUB_RBAC_MAP} --ignore-not-found")
    yield f"kubectl -n {HUB_NAMESPACE} delete secret {HUB_NAME} --ignore-not-found"
