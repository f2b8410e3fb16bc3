"""From the hub's discovery to a configuration of ours: the equivalent config, what changes, and the steps in order.

The token is not taken over. The hub copied it into a ConfigMap of every namespace, so it has to be replaced anyway.
"""

from __future__ import annotations

from shlex import quote
from typing import Any

from krm_fn import surface
from krm_fn.agent.releases import traits
from krm_fn.base import Record, some
from krm_fn.config import decode
from krm_fn.hub import CONTROLLER_MANAGER, FLAG, HUB, MOVED
from krm_fn.krm.items import Item
from krm_fn.krm.results import WARNING, Errors, Result
from krm_fn.kube import raw
from krm_fn.migration.discovered import Hub, most
from krm_fn.model import AgentVersion
from krm_fn.status import dump as dumps
from krm_fn.status import objects
from krm_fn.status.commands import Commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krm_fn.kube.secrets import Secret
    from krm_fn.status.dump import Dump

# not N-registration, which is the name of a generated Secret
_TOKEN_SECRET = "clusternet-registration-token"  # noqa: S105 - the name of a Secret


class Step(Record):
    """One step of the migration: what to do, and the commands."""

    title: str
    text: str
    commands: tuple[str, ...] = ()


class Migration(Record):
    """A migration from the hub to this function."""

    config: Mapping[str, Any]  # the equivalent `ClusternetCAPIConfig`, without a token
    changes: tuple[str, ...]  # what is different afterwards for clusters that run today
    steps: tuple[Step, ...]
    warnings: tuple[Result, ...]  # what could not be taken over, or looks wrong
    tokens: tuple[Secret, ...]  # every registration token in the dump, so that none gets into an output


def plan(dump: Dump, *, name: str, resource_set: str) -> Migration:
    """Plan the migration to a config of a name, with a `clusterResourceSet.name` that must be free in every namespace.

    Raises:
        Errors: When nothing of the hub is in the dump, when image or parent URL is missing from it, or when the name is taken.
    """
    found = Hub(dump)
    if not found.found:
        message = (
            f"the dump holds nothing of clusternet-hub's discovery: no ClusterResourceSet with ConfigMap {surface.HUB_AGENT_MAP}, "
            f"no such ConfigMap, no Secret {surface.HUB_NAMESPACE}/{surface.HUB_NAME}; --help shows the commands that dump them"
        )
        raise Errors.of(message, rule="no-hub")
    keys = map(raw.key, dump.of(dumps.RESOURCE_SET))
    taken = sorted(namespace for namespace, there in keys if there == resource_set)
    if taken:
        message = (
            f"a ClusterResourceSet {resource_set} exists already in namespace {taken[0]}, and its selector and strategy can't be "
            "changed; give another name with --resource-set"
        )
        raise Errors.of(message, rule="name-taken")
    image = found.image or most(one.image for one in found.discovered)
    parent_url = found.parent_url or most(one.parent_url for one in found.discovered)
    if not image or not parent_url:
        lacking = " and ".join(word for word, known in (("image", image), ("parent URL", parent_url)) if not known)
        message = (
            f"the dump lacks the agent's {lacking}: dump ConfigMap {surface.HUB_AGENT_MAP} or Secret "
            f"{surface.HUB_NAMESPACE}/{surface.HUB_NAME} too; --help shows the commands"
        )
        raise Errors.of(message, rule="no-values")
    version = raw.image_release(image)
    clusters = tuple(map(objects.LiveCluster, dump.of(dumps.CLUSTER)))
    config = _config(found, image, parent_url, name, resource_set)
    return Migration(
        config=config,
        changes=tuple(_changes(found, config, clusters)),
        steps=tuple(_steps(found, version, resource_set)),
        warnings=(*_warnings(found, image, parent_url, version), *_refused(config)),
        tokens=found.tokens,
    )


def _refused(config: dict[str, Any]) -> Iterator[Result]:
    """Report what our own decoder would refuse: the hub validates nothing, and a digest has no release."""
    try:
        decode(Item.from_value(config, 0))
    except Errors as errors:
        for one in errors.results:
            yield _warning(f"correct this in the config: {one.message} [{one.field}]", "needs-correction")


def _config(found: Hub, image: str, parent_url: str, name: str, resource_set: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "parentURL": parent_url,
        "registrationToken": {"secretRef": {"name": _TOKEN_SECRET}},
        "clusterSelector": {"matchExpressions": [{"key": surface.CLUSTER_NAME_LABEL, "operator": "Exists"}]},
        "clusterResourceSet": {"name": resource_set},
        "agent": {"image": image},
    }
    if found.discovered:
        spec["agent"].update(found.typical.agent)
        if found.typical.identity:
            spec["identity"] = found.typical.identity
    return {"apiVersion": surface.API_VERSION, "kind": surface.KIND, "metadata": {"name": name}, "spec": spec}


def _changes(found: Hub, config: Mapping[str, Any], clusters: tuple[objects.LiveCluster, ...]) -> Iterator[str]:
    namespace = config["spec"]["agent"].get("namespace", surface.SYSTEM_NAMESPACE)
    selected = [one for one in clusters if surface.CLUSTER_NAME_LABEL in one.labels and one.namespace in found.sets]
    if selected:
        yield f"These Clusters run an agent that the hub installed: {some([one.title for one in selected])}."
    yield (
        f"Deployment {namespace}/clusternet-agent keeps its name and selector and is replaced in place: its pods roll once on "
        "each cluster, with probes, a control-plane toleration and quoted values."
    )
    yield (
        "Registrations stay: a cluster's identity is the agent's Lease on it, and its credential is there already. Names and "
        "labels of ManagedClusters do not change."
    )
    yield (
        "The Secret clusternet-app-deployer, which the hub left out, is created: on Kubernetes 1.24 and newer the parent "
        "can then deploy to these clusters."
    )
    yield (
        "The token moves from a ConfigMap into a Secret, and later changes of image or token "
        "arrive (strategy Reconcile; the hub's was ApplyOnce)."
    )
    new = [one.title for one in clusters if surface.CLUSTER_NAME_LABEL in one.labels and one not in selected]
    if new:
        yield (
            f"Not set up by the hub, and registered by this config: {some(new)}. To leave them out, narrow clusterSelector or "
            "add namespaces."
        )
    left = [one.title for one in clusters if surface.CLUSTER_NAME_LABEL not in one.labels]
    if left:
        yield (
            f"Not registered by the hub, and not by this config either, since only ClusterClass Clusters carry the label "
            f"{surface.CLUSTER_NAME_LABEL}: {some(left)}. To register them, select by a label of your own."
        )


def _warnings(found: Hub, image: str, parent_url: str, version: raw.Release | None) -> Iterator[Result]:
    for field, label, chosen in (("image", "image", image), ("parent_url", "parent URL", parent_url)):
        others = sorted({str(getattr(one, field)) for one in found.discovered} - {chosen, ""})
        for other in others:
            where = some([one.namespace for one in found.discovered if getattr(one, field) == other])
            yield _warning(
                f"the agents of namespace {where} were given another {label}, {raw.quote(other)}; the config gives all of them "
                f"{raw.quote(chosen)}",
                "different-values",
            )
    if found.discovered:
        typical = found.typical
        for one in found.discovered:
            if (one.agent, one.identity) != (typical.agent, typical.identity):
                yield _warning(
                    f"ConfigMap {one.namespace}/{surface.HUB_AGENT_MAP} was changed by hand differently from that of namespace "
                    f"{typical.namespace}, which the config follows; compare them",
                    "different-values",
                )
    else:
        yield _warning(
            f"no ConfigMap {surface.HUB_AGENT_MAP} is in the dump, so changes made in it by hand are not taken over",
            "no-configmap",
        )
    if version is None:
        return
    role = _deployer_role(version)
    for one in found.discovered:
        if one.deployer_role not in {"", role}:
            yield _warning(
                f"ClusterRoleBinding clusternet:app:deployer, as the hub made it for namespace {one.namespace}, refers to ClusterRole "
                f"{raw.quote(one.deployer_role)}, that of agent {version} to {role}, and a roleRef can't be changed: delete the "
                "binding on each of these workload clusters before you apply",
                "role-ref",
            )


def _deployer_role(version: raw.Release) -> str:
    # no trait changed within 0.15 but at .2, and the hub of all releases binds alike within a minor one
    patch = int(part) if (part := version.text.split("-")[0].split(".")[-1]).isdigit() else 0
    found = traits(AgentVersion(major=version.major, minor=version.minor, patch=patch))
    return surface.DEPLOYER_ROLE if found.own_deployer_role else "cluster-admin"


def _warning(message: str, rule: str) -> Result:
    return Result(message=message, severity=WARNING, rule=rule)


# --- the steps, in the only order that loses no cluster ----------------------------------------------------------------


def _steps(found: Hub, version: raw.Release | None, resource_set: str) -> Iterator[Step]:
    """Yield the steps, in order; `version` is that of the agent, None when its image has no release."""
    yield Step(
        title="Create a new registration token on the parent cluster",
        text=f"Give it to the config as Secret {_TOKEN_SECRET}, key regToken, encrypted in Git (SOPS), or use existingSecret or "
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
        title="Apply it through GitOps, like everything else",
        text="On every cluster the agent's pods roll now, one after the other. The hub's ClusterResourceSets may stay for the time "
        "being: they are ApplyOnce and have been applied. Status reports them as a second agent, as a warning, until they are gone.",
    )
    yield Step(
        title="Verify",
        text="Every Cluster must be delivered, and registered under the same name as before.",
        commands=("clusternet-capi-fn status --context MANAGEMENT --parent-context PARENT",),
    )
    yield _discovery_off(version)
    yield Step(
        title="Delete what the hub created",
        text="Only now, or discovery recreates it. Agents stay on the clusters: deleting a ClusterResourceSet removes nothing "
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
        text=f"Never render under the name {surface.HUB_NAME} while a hub may run, and keep clusterResourceSet.name ({resource_set}) "
        "as it is: selector and strategy of a ClusterResourceSet can't be changed.",
    )


def _discovery_off(version: raw.Release | None) -> Step:
    """Return where discovery runs; the hub's release is taken from the agent's, where that is known."""
    names = [CONTROLLER_MANAGER, HUB]
    if version is not None and version.line < MOVED:
        names.reverse()
    return Step(
        title="Switch the hub's discovery off",
        text=f"On the parent: take --{FLAG} out of Deployment {names[0]} (Clusternet v0.15 and newer run discovery "
        f"in {CONTROLLER_MANAGER}, older ones in {HUB}), and the kubeconfig with it.",
        commands=(
            *(
                f"kubectl --context PARENT -n clusternet-system get deployment {name} -o yaml | grep {FLAG}"
                for name in names
            ),
            f"kubectl --context PARENT -n clusternet-system edit deployment {names[0]}",
        ),
    )


def _deletions(found: Hub) -> Iterator[str]:
    mapped = sorted({namespace for namespace, _ in found.maps})
    for namespace in sorted({*found.sets, *mapped}):
        if namespace in found.sets:
            yield Commands().delete_set(namespace, surface.HUB_NAME)
        yield (
            f"kubectl -n {quote(namespace)} delete configmap {surface.HUB_AGENT_MAP} {surface.HUB_RBAC_MAP} --ignore-not-found"
        )
    yield f"kubectl -n {surface.HUB_NAMESPACE} delete secret {surface.HUB_NAME} --ignore-not-found"
