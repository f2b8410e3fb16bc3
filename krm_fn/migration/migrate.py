"""From the hub's discovery to a configuration of ours: the equivalent config, what changes, and the steps in order.

The token is not taken over. The hub copied it into a ConfigMap of every namespace, so it has to be replaced anyway.

What someone changed by hand in the agent Deployment that the hub delivers becomes fields of our config. The hub's template
is the same from v0.12 to v0.18 (facts: clusternet `pkg/controllers/clusters/clusterlifecycle/discovery/manifest.go`), so
whatever differs from it was meant.
"""

from __future__ import annotations

from typing import Any

from krm_fn.agent.releases import traits
from krm_fn.base import Record, some
from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.kube import containers, raw
from krm_fn.migration import discovered, steps
from krm_fn.model import AgentVersion
from krm_fn.status import dump as dumps
from krm_fn.status import objects
from krm_fn.surface import (
    API_VERSION,
    CLUSTER_NAME_LABEL,
    HUB_AGENT_MAP,
    HUB_NAME,
    HUB_NAMESPACE,
    KIND,
    SYSTEM_NAMESPACE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krm_fn.kube.secrets import Secret
    from krm_fn.migration.discovered import Discovered, Hub
    from krm_fn.migration.steps import Step
    from krm_fn.status.dump import Dump

_REPLICAS = 3
_GATES = {"SocketConnection": True, "AppPusher": True, "Recovery": True, "Predictor": True}
_MASTER = {"key": "node-role.kubernetes.io/master", "operator": "Exists"}
_CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
_WORDS = frozenset(
    {
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
# the token and the URL have their own place in the config, and the token must not be taken over
_OURS = ("--cluster-reg-token", "--cluster-reg-parent-url")


class Migration(Record):
    """A way from the hub to us.

    Attributes:
        config: The equivalent `ClusternetCAPIConfig`, without a token.
        changes: What is different afterwards for clusters that run today.
        steps: What to do, in order.
        warnings: What could not be taken over, or looks wrong.
        tokens: Every registration token in the dump, so that none gets into an output.
    """

    config: Mapping[str, Any]
    changes: tuple[str, ...]
    steps: tuple[Step, ...]
    warnings: tuple[Result, ...]
    tokens: tuple[Secret, ...]


def plan(dump: Dump, *, name: str, resource_set: str) -> Migration:
    """Plan the migration.

    Args:
        dump: A dump with the hub's objects, and Clusters if they are to be counted.
        name: For the config's `metadata.name`.
        resource_set: For `clusterResourceSet.name`; must be free in every namespace.

    Raises:
        Errors: When nothing of the hub is in the dump, when image or parent URL is missing from it, or when
            the name is taken.
    """
    found = discovered.read(dump)
    if not found.found:
        message = (
            f"the dump holds nothing of clusternet-hub's discovery: no ClusterResourceSet with ConfigMap {HUB_AGENT_MAP}, "
            f"no such ConfigMap, no Secret {HUB_NAMESPACE}/{HUB_NAME}; --help shows the commands that dump them"
        )
        raise Errors.of(message, tags=tagged(rule="no-hub"))
    taken = sorted(
        raw.text(one, "metadata", "namespace")
        for one in dump.of(dumps.RESOURCE_SET)
        if raw.text(one, "metadata", "name") == resource_set
    )
    if taken:
        message = (
            f"a ClusterResourceSet {resource_set} exists already in namespace {taken[0]}, and its selector and strategy can't be "
            "changed; give another name with --resource-set"
        )
        raise Errors.of(message, tags=tagged(rule="name-taken"))
    image = found.image or _agreed(found, "image")
    parent_url = found.parent_url or _agreed(found, "parent_url")
    if not image or not parent_url:
        lacking = " and ".join(word for word, known in (("image", image), ("parent URL", parent_url)) if not known)
        message = (
            f"the dump lacks the agent's {lacking}: dump ConfigMap {HUB_AGENT_MAP} or Secret "
            f"{HUB_NAMESPACE}/{HUB_NAME} too; --help shows the commands"
        )
        raise Errors.of(message, tags=tagged(rule="no-values"))
    version = containers.of_image(image)
    clusters = tuple(objects.cluster(one) for one in dump.of(dumps.CLUSTER))
    config = _config(found, image, parent_url, name, resource_set)
    return Migration(
        config=config,
        changes=tuple(_changes(found, config, clusters)),
        steps=tuple(steps.make(found, version, resource_set)),
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


def _agreed(found: Hub, field: str) -> str:
    """Return the value that most namespaces have; of equally many, the last in order."""
    values = [value for one in found.discovered if (value := str(getattr(one, field)))]
    return max(sorted(set(values)), key=lambda value: (values.count(value), value), default="")


def _config(found: Hub, image: str, parent_url: str, name: str, resource_set: str) -> dict[str, Any]:
    spec: dict[str, Any] = {
        "parentURL": parent_url,
        "registrationToken": {"secretRef": {"name": steps.TOKEN_SECRET}},
        "clusterSelector": {"matchExpressions": [{"key": CLUSTER_NAME_LABEL, "operator": "Exists"}]},
        "clusterResourceSet": {"name": resource_set},
        "agent": {"image": image},
    }
    if found.discovered:
        typical = _typical(found)
        spec["agent"].update(_agent(typical))
        if _identity(typical):
            spec["identity"] = _identity(typical)
    return {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": name}, "spec": spec}


def _typical(found: Hub) -> Discovered:
    """Return the namespace to take changes made by hand from: one with the agreed image, the first of them."""
    image = _agreed(found, "image")
    return next(one for one in found.discovered if one.image == image)


def _changes(found: Hub, config: Mapping[str, Any], clusters: tuple[objects.LiveCluster, ...]) -> Iterator[str]:
    namespace = config["spec"]["agent"].get("namespace", SYSTEM_NAMESPACE)
    selected = [one for one in clusters if CLUSTER_NAME_LABEL in one.labels and one.namespace in found.sets]
    if selected:
        yield f"These Clusters run an agent of the hub's: {some([one.title for one in selected])}."
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
    left = [one.title for one in clusters if CLUSTER_NAME_LABEL not in one.labels]
    if left:
        yield (
            f"Not registered by the hub, and not by this config either, since only ClusterClass Clusters carry the label "
            f"{CLUSTER_NAME_LABEL}: {some(left)}. To register them, select by a label of your own."
        )


def _warnings(found: Hub, image: str, parent_url: str, version: containers.Release | None) -> Iterator[Result]:
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
        typical = _typical(found)
        expected = (_agent(typical), _identity(typical))
        for one in found.discovered:
            if (_agent(one), _identity(one)) != expected:
                yield _warning(
                    f"ConfigMap {one.namespace}/{HUB_AGENT_MAP} was changed by hand differently from that of namespace "
                    f"{typical.namespace}, which the config follows; compare them",
                    "different-values",
                )
    else:
        yield _warning(
            f"no ConfigMap {HUB_AGENT_MAP} is in the dump, so changes made in it by hand are not taken over",
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


def _deployer_role(version: containers.Release) -> str:
    # no trait changed within 0.15 but at .2, and the hub of all releases binds alike within a minor one
    patch = int(part) if (part := version.text.split("-")[0].split(".")[-1]).isdigit() else 0
    found = traits(AgentVersion(major=version.major, minor=version.minor, patch=patch))
    return "clusternet:app:deployer" if found.own_deployer_role else "cluster-admin"


def _warning(message: str, rule: str) -> Result:
    return Result(message=message, severity=WARNING, tags=tagged(rule=rule))


# --- what was changed by hand ----------------------------------------------------------------------------------------


def _agent(one: Discovered) -> dict[str, Any]:
    """Return what goes under `spec.agent`."""
    container = next(raw.entries(one.pod, "containers"), {})
    found: dict[str, Any] = {
        "namespace": "" if one.agent_namespace == SYSTEM_NAMESPACE else one.agent_namespace,
        "replicas": None if one.replicas == _REPLICAS else one.replicas,
        "imagePullPolicy": _other_than("IfNotPresent", raw.text(container, "imagePullPolicy")),
        "imagePullSecrets": [
            name for entry in raw.entries(one.pod, "imagePullSecrets") if (name := raw.text(entry, "name"))
        ],
        "resources": raw.mapping(container, "resources"),
        "nodeSelector": raw.mapping(one.pod, "nodeSelector"),
        "affinity": raw.mapping(one.pod, "affinity"),
        "priorityClassName": raw.text(one.pod, "priorityClassName"),
        "tolerations": _tolerations(one.pod),
        **_from_words(one.words),
    }
    # a number of replicas may be 0; everything else that is empty was not set
    return {field: value for field, value in found.items() if value or (field == "replicas" and value is not None)}


def _identity(one: Discovered) -> dict[str, Any]:
    """Return what goes under `spec.identity`."""
    prefix = _value("--cluster-reg-name-prefix", one.words)
    return {"namePrefix": prefix} if prefix else {}


def _from_words(words: tuple[str, ...]) -> dict[str, Any]:
    named = ("--cluster-reg-name-prefix", "--cluster-sync-mode", "--cluster-reg-type", "--feature-gates", *_OURS)
    return {
        "clusterType": _value("--cluster-reg-type", words),
        "syncMode": _other_than("Dual", _value("--cluster-sync-mode", words)),
        "featureGates": _gates(_value("--feature-gates", words)) if words else {},
        "extraArgs": [
            word
            for word in words
            if word.startswith("--") and word not in _WORDS and word.partition("=")[0] not in named
        ],
    }


def _value(flag: str, words: tuple[str, ...]) -> str:
    return next((word.partition("=")[2] for word in words if word.partition("=")[0] == flag), "")


def _other_than(usual: str, value: str) -> str:
    return "" if value == usual else value


def _gates(value: str) -> dict[str, bool]:
    """Return the feature gates that differ from the template's; one that is not named is off (`pkg/features`)."""
    named = {
        gate: setting == "true" for gate, equals, setting in (one.partition("=") for one in value.split(",")) if equals
    }
    given = {**dict.fromkeys(_GATES, False), **named}
    return {gate: setting for gate, setting in sorted(given.items()) if _GATES.get(gate) is not setting}


def _tolerations(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all tolerations when someone added one: in our config they replace the default."""
    added = [entry for entry in raw.entries(pod, "tolerations") if entry not in (_MASTER, _CONTROL_PLANE)]
    return [_CONTROL_PLANE, _MASTER, *added] if added else []
