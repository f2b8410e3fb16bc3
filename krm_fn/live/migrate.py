"""From the hub's discovery to a configuration of ours: the equivalent config, what changes, and the steps in order.

The token is not taken over. The hub copied it into a ConfigMap of every namespace, so it has to be replaced anyway.
"""

from __future__ import annotations

from shlex import quote
from typing import Any

from krm_fn.agent.versions import traits
from krm_fn.live import dump as dumps
from krm_fn.live import hub, objects, raw
from krm_fn.management import releases
from krm_fn.model import API_VERSION, CLUSTER_NAME_LABEL, KIND, AgentVersion
from krm_fn.sdk.records import Record
from krm_fn.sdk.results import WARNING, Result, fault, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krm_fn.live.dump import Dump
    from krm_fn.live.hub import Discovered, Hub

TOKEN_SECRET = "clusternet-registration"  # noqa: S105 - the name of a Secret

# what the hub's template says (v0.12 to v0.18), so that only changes made by hand are taken over
_TEMPLATE_NAMESPACE = "clusternet-system"
_TEMPLATE_REPLICAS = 3
_TEMPLATE_GATES = {"SocketConnection": True, "AppPusher": True, "Recovery": True, "Predictor": True}
_TEMPLATE_TOLERATION = {"key": "node-role.kubernetes.io/master", "operator": "Exists"}
_TEMPLATE_FLAGS = frozenset(
    {
        "--cluster-reg-token=$(REG_TOKEN)",
        "--cluster-reg-parent-url=$(PARENT_URL)",
        "--cluster-sync-mode=Dual",
        "--use-metrics-server=false",
        "--leader-elect=true",
        "--leader-elect-resource-namespace=$(AGENT_NAMESPACE)",
        "--predictor-direct-access=false",
        "--predictor-port=8080",
        "--kube-api-qps=50",
        "--kube-api-burst=100",
    }
)
_SYNC_MODE, _TYPE, _PREFIX, _GATES = (
    "--cluster-sync-mode=",
    "--cluster-reg-type=",
    "--cluster-reg-name-prefix=",
    "--feature-gates=",
)
_POD_FIELDS = ("nodeSelector", "affinity", "priorityClassName")
_CONTROLLER_MANAGER_SINCE = (0, 15)  # from then on it, not the hub, has --cluster-api-kubeconfig


class Step(Record):
    """One step of the way: what to do, and the commands."""

    title: str
    text: str
    commands: tuple[str, ...] = ()


class Migration(Record):
    """A way from the hub to us.

    Attributes:
        config: The equivalent `ClusternetCAPIConfig`, without a token.
        changes: What is different afterwards for clusters that run today.
        steps: What to do, in order.
        warnings: What could not be taken over, or looks wrong.
    """

    config: Mapping[str, Any]
    changes: tuple[str, ...]
    steps: tuple[Step, ...]
    warnings: tuple[Result, ...]


def plan(dump: Dump, *, name: str, resource_set: str) -> Migration:
    """Plan the migration.

    Args:
        dump: A dump with the hub's objects, and Clusters if they are to be counted.
        name: For the config's `metadata.name`.
        resource_set: For `clusterResourceSet.name`; must be free in every namespace.

    Raises:
        Faults: When nothing of the hub is in the dump, when what is there does not tell image or parent URL, or when
            the name is taken.
    """
    found = hub.read(dump)
    if not found.found:
        raise fault(
            f"the dump holds nothing of clusternet-hub's discovery: no ClusterResourceSet with ConfigMap {objects.HUB_DEPLOY}, "
            f"no such ConfigMap, no Secret {hub.SECRET_NAMESPACE}/{objects.HUB_NAME}; --help shows the commands that dump them",
            tags=tagged(rule="no-hub"),
        )
    taken = sorted(
        raw.text(one, "metadata", "namespace")
        for one in dump.of(dumps.RESOURCE_SET)
        if raw.text(one, "metadata", "name") == resource_set
    )
    if taken:
        raise fault(
            f"a ClusterResourceSet {resource_set} exists already in namespace {taken[0]}, and its selector and strategy can't be "
            "changed; give another name with --resource-set",
            tags=tagged(rule="name-taken"),
        )
    image = found.image or _agreed(found, "image")
    parent_url = found.parent_url or _agreed(found, "parent_url")
    if not image or not parent_url:
        lacking = " and ".join(word for word, known in (("image", image), ("parent URL", parent_url)) if not known)
        raise fault(
            f"the dump does not tell the agent's {lacking}: dump ConfigMap {objects.HUB_DEPLOY} or Secret "
            f"{hub.SECRET_NAMESPACE}/{objects.HUB_NAME} too; --help shows the commands",
            tags=tagged(rule="no-values"),
        )
    version = releases.of_image(image)
    clusters = tuple(objects.cluster(one) for one in dump.of(dumps.CLUSTER))
    config = _config(found, image, parent_url, name, resource_set)
    return Migration(
        config=config,
        changes=tuple(_changes(found, config, clusters)),
        steps=tuple(_steps(found, version, resource_set)),
        warnings=tuple(_warnings(found, image, parent_url, version)),
    )


def _agreed(found: Hub, field: str) -> str:
    """Return the value that most namespaces have; of equally many, the last in order."""
    values = [value for one in found.discovered if (value := str(getattr(one, field)))]
    return max(sorted(set(values)), key=lambda value: (values.count(value), value), default="")


def _config(found: Hub, image: str, parent_url: str, name: str, resource_set: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "parentURL": parent_url,
        "registrationToken": {"secretRef": {"name": TOKEN_SECRET}},
        "clusterSelector": {"matchExpressions": [{"key": CLUSTER_NAME_LABEL, "operator": "Exists"}]},
        "clusterResourceSet": {"name": resource_set},
        "agent": {"image": image},
    }
    if releases.of_image(image) is None:
        # required with a digest or a foreign tag; only a person knows it
        spec["agent"]["version"] = "v0.0.0"
    if found.discovered:
        agent, identity = _by_hand(_typical(found))
        spec["agent"].update(agent)
        if identity:
            spec["identity"] = identity
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def _typical(found: Hub) -> Discovered:
    """Return the namespace to take changes made by hand from: one with the agreed image, the first of them."""
    image = _agreed(found, "image")
    return next(one for one in found.discovered if one.image == image)


def _by_hand(one: Discovered) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what someone changed in the hub's ConfigMap, as fields of `spec.agent` and `spec.identity`."""
    agent: dict[str, Any] = {}
    identity: dict[str, Any] = {}
    if one.agent_namespace not in {"", _TEMPLATE_NAMESPACE}:
        agent["namespace"] = one.agent_namespace
    if one.replicas not in {None, _TEMPLATE_REPLICAS}:
        agent["replicas"] = one.replicas
    container = next(raw.entries(one.pod, "containers"), {})
    if raw.text(container, "imagePullPolicy") not in {"", "IfNotPresent"}:
        agent["imagePullPolicy"] = raw.text(container, "imagePullPolicy")
    secrets = [name for entry in raw.entries(one.pod, "imagePullSecrets") if (name := raw.text(entry, "name"))]
    if secrets:
        agent["imagePullSecrets"] = secrets
    if raw.mapping(container, "resources"):
        agent["resources"] = raw.mapping(container, "resources")
    for field in _POD_FIELDS:
        if one.pod.get(field):
            agent[field] = one.pod[field]
    tolerations = [entry for entry in raw.entries(one.pod, "tolerations") if entry != _TEMPLATE_TOLERATION]
    if tolerations:
        control_plane = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
        agent["tolerations"] = [control_plane, _TEMPLATE_TOLERATION, *tolerations]
    extra = []
    for word in one.words:
        if word.startswith(_PREFIX):
            identity["namePrefix"] = word.removeprefix(_PREFIX)
        elif word.startswith(_TYPE):
            agent["clusterType"] = word.removeprefix(_TYPE)
        elif word.startswith(_GATES):
            agent.update(_gates(word.removeprefix(_GATES)))
        elif word in _TEMPLATE_FLAGS:
            continue
        elif word.startswith(_SYNC_MODE):
            agent["syncMode"] = word.removeprefix(_SYNC_MODE)
        elif word.startswith("--") and not word.startswith(("--cluster-reg-token", "--cluster-reg-parent-url")):
            extra.append(word)
    if extra:
        agent["extraArgs"] = extra
    return agent, identity


def _gates(value: str) -> dict[str, Any]:
    """Return the feature gates that differ from the template's."""
    given = dict(part.partition("=")[::2] for part in value.split(",") if "=" in part)
    changed = {
        gate: setting == "true" for gate, setting in given.items() if _TEMPLATE_GATES.get(gate) is not (setting == "true")
    }
    return {"featureGates": changed} if changed else {}


def _changes(
    found: Hub, config: Mapping[str, Any], clusters: tuple[objects.LiveCluster, ...]
) -> Iterator[str]:
    namespace = config["spec"]["agent"].get("namespace", _TEMPLATE_NAMESPACE)
    selected = [one for one in clusters if CLUSTER_NAME_LABEL in one.labels and one.namespace in found.sets]
    if selected:
        yield f"{len(selected)} Clusters run an agent of the hub's: {_some([one.title for one in selected])}."
    yield (
        f"Deployment {namespace}/clusternet-agent keeps its name and selector and is replaced in place: its pods restart "
        "once on each cluster, with probes, a control-plane toleration and quoted values."
    )
    yield (
        "Registrations stay: a cluster's identity is the agent's Lease on it, and its credential is there already. Names and "
        "labels of ManagedClusters do not change."
    )
    yield (
        "The Secret clusternet-app-deployer, which the hub left out, is created: on Kubernetes 1.24 and newer the parent "
        "can then deploy to these clusters at last."
    )
    yield (
        "The token moves from a ConfigMap that everybody can read into a Secret, and later changes of image or token "
        "arrive (strategy Reconcile; the hub's was ApplyOnce)."
    )
    left = [one.title for one in clusters if CLUSTER_NAME_LABEL not in one.labels]
    if left:
        yield (
            f"Not registered by the hub, and not by this config either, since only ClusterClass Clusters carry the label "
            f"{CLUSTER_NAME_LABEL}: {_some(left)}. To have them, select by a label of your own."
        )


def _steps(found: Hub, version: releases.Release | None, resource_set: str) -> Iterator[Step]:
    yield Step(
        title="Make a new registration token on the parent cluster",
        text=f"Give it to the config as Secret {TOKEN_SECRET}, key regToken, encrypted in Git (SOPS), or use existingSecret or "
        "externalSecret instead. The old token has stood in plain ConfigMaps and counts as known.",
    )
    yield Step(
        title="Put the config beside the Clusters, render, review",
        text="Nothing is applied yet.",
        commands=("clusternet-capi-fn plan PATH -c config.yaml", "clusternet-capi-fn render PATH -c config.yaml -o rendered/"),
    )
    yield Step(
        title="Apply it, through GitOps as everything else",
        text="The hub's ClusterResourceSets may stay for the time being: they are ApplyOnce and have been applied. Status names "
        "them as a second agent, as a warning, until they are gone.",
    )
    yield Step(
        title="Verify",
        text="Every Cluster delivered and registered; agents restart one after the other.",
        commands=(
            "kubectl get clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings -A -o yaml > management.yaml",
            "kubectl get secrets,configmaps -A -l app.kubernetes.io/managed-by=clusternet-capi-fn -o yaml > ours.yaml",
            "kubectl --context PARENT get managedclusters,clusterregistrationrequests -A -o yaml | "
            "clusternet-capi-fn status management.yaml ours.yaml -",
        ),
    )
    yield _discovery_off(version)
    yield Step(
        title="Delete what the hub made",
        text="Only now, or discovery makes it again. Agents stay on the clusters: deleting a ClusterResourceSet removes nothing "
        "there. Its ConfigMaps belong to it and are collected with it; the second command is for those that don't.",
        commands=tuple(_deletions(found)),
    )
    yield Step(
        title="Take the old token out of use",
        text="On the parent: for a bootstrap token, its Secret (the id is the six characters before the dot); for a ServiceAccount "
        "token, its Secret or ServiceAccount. Backups and Git history keep the old one otherwise.",
        commands=("kubectl --context PARENT -n kube-system delete secret bootstrap-token-ID",),
    )
    yield Step(
        title="Afterwards",
        text=f"Never render under the name {objects.HUB_NAME} while a hub may run, and keep clusterResourceSet.name ({resource_set}) "
        "as it is: selector and strategy of a ClusterResourceSet can't be changed.",
    )


def _discovery_off(version: releases.Release | None) -> Step:
    """Say where discovery runs; the agent's release tells the hub's, as far as it does."""
    names = ["clusternet-controller-manager", "clusternet-hub"]
    if version is not None and version.line < _CONTROLLER_MANAGER_SINCE:
        names.reverse()
    return Step(
        title="Switch the hub's discovery off",
        text=f"On the parent: take --cluster-api-kubeconfig out of Deployment {names[0]} (Clusternet v0.15 and newer run discovery "
        "in clusternet-controller-manager, older ones in clusternet-hub), and the kubeconfig with it.",
        commands=tuple(
            f"kubectl --context PARENT -n clusternet-system get deployment {name} -o yaml | grep cluster-api-kubeconfig"
            for name in names
        )
        + (f"kubectl --context PARENT -n clusternet-system edit deployment {names[0]}",),
    )


def _deletions(found: Hub) -> Iterator[str]:
    mapped = sorted({namespace for namespace, _ in found.maps})
    for namespace in sorted({*found.sets, *mapped}):
        if namespace in found.sets:
            yield (
                f"kubectl -n {quote(namespace)} delete clusterresourcesets.addons.cluster.x-k8s.io {objects.HUB_NAME}"
            )
        yield (
            f"kubectl -n {quote(namespace)} delete configmap {objects.HUB_DEPLOY} {objects.HUB_RBAC} --ignore-not-found"
        )
    yield f"kubectl -n {hub.SECRET_NAMESPACE} delete secret {objects.HUB_NAME} --ignore-not-found"


def _warnings(
    found: Hub, image: str, parent_url: str, version: releases.Release | None
) -> Iterator[Result]:
    for field, label, chosen in (("image", "image", image), ("parent_url", "parent URL", parent_url)):
        others = sorted({str(getattr(one, field)) for one in found.discovered} - {chosen, ""})
        for other in others:
            where = _some([one.namespace for one in found.discovered if getattr(one, field) == other])
            yield _warning(
                f"the agents of namespace {where} were given another {label}, {raw.quote(other)}; the config gives all of them "
                f"{raw.quote(chosen)}",
                "different-values",
            )
    if found.discovered:
        typical = _by_hand(_typical(found))
        for one in found.discovered:
            if _by_hand(one) != typical:
                yield _warning(
                    f"ConfigMap {one.namespace}/{objects.HUB_DEPLOY} was changed by hand in another way than that of namespace "
                    f"{_typical(found).namespace}, which the config follows; compare them",
                    "different-values",
                )
    else:
        yield _warning(
            f"no ConfigMap {objects.HUB_DEPLOY} is in the dump, so changes made in it by hand are not taken over",
            "no-configmap",
        )
    if version is None:
        yield _warning(
            f"the release of image {raw.quote(image)} can't be told from its tag; set spec.agent.version", "unknown-release"
        )
        return
    expected = _deployer_role(version)
    for one in found.discovered:
        if one.deployer_role not in {"", expected}:
            yield _warning(
                f"ClusterRoleBinding clusternet:app:deployer, as the hub made it for namespace {one.namespace}, refers to ClusterRole "
                f"{raw.quote(one.deployer_role)}, that of agent {version} to {expected}, and a roleRef can't be changed: delete the "
                "binding on each of these workload clusters before you apply",
                "role-ref",
            )


def _deployer_role(version: releases.Release) -> str:
    # no trait changed within 0.15 but at .2, and the hub of all releases binds alike within a minor one
    patch = int(part) if (part := version.text.split("-")[0].split(".")[-1]).isdigit() else 0
    found = traits(AgentVersion(major=version.major, minor=version.minor, patch=patch))
    return "clusternet:app:deployer" if found.own_deployer_role else "cluster-admin"


def _warning(message: str, rule: str) -> Result:
    return Result(message=message, severity=WARNING, tags=tagged(rule=rule))


def _some(listed: list[str]) -> str:
    shown = 5
    return ", ".join(listed[:shown]) + (f" and {len(listed) - shown} more" if len(listed) > shown else "")
