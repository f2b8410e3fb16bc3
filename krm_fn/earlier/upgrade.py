"""Agent upgrades that a ClusterResourceSet can't bring, or that would cost every cluster its identity.

Facts: clusternet v0.15.1 and v0.15.2 manifests (the app deployer's role), and its migration of the Lease `self-cluster`,
whose UID is the cluster's identity: only v0.15 and v0.16 carry it over.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, WARNING, Errors, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Generated, ObjectKey

_NO_MIGRATION = (0, 17, 0)
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
# Our manifests pass this flag from v0.15.0 on, so a Deployment without it is of an older agent.
_SINCE_V0_15 = "--leader-elect=true"


def check(config: Config, before: Mapping[ObjectKey, Item], generated: Iterable[Generated]) -> list[Result]:
    """Compare an agent ConfigMap of earlier output with the new one; all of one config have the same release.

    Args:
        config: The config.
        before: Agent ConfigMaps of its earlier output.
        generated: Its new objects.

    Returns:
        A warning for a role that can't change, an error for a jump over the releases that migrate the Lease.
    """
    if config.resource_set.strategy == "ApplyOnce":
        return []  # nothing would be brought
    pair = _pair(config, before, generated)
    if pair is None:
        return []
    old_texts, new_texts = _texts(pair[0].value()), _texts(pair[1].value)
    if old_texts == new_texts:
        return []
    return [*_roles_change(config, old_texts, new_texts), *_jump(config, old_texts)]


def _pair(
    config: Config, before: Mapping[ObjectKey, Item], generated: Iterable[Generated]
) -> tuple[Item, Generated] | None:
    """Return an agent ConfigMap of earlier output and the new one for the same Clusters.

    Under another `clusterResourceSet.name` or identity mode it has another name, and reaches the same agents all the same.
    """
    agent = f"{config.resource_set.name}-agent"
    renamed = {
        key.namespace: item
        for key, item in before.items()
        # with PerCluster, one under this very name is of a Cluster that is gone
        if not (config.per_cluster and key.name.startswith(f"{agent}."))
    }
    found = None
    for one in generated:
        if one.key in before:
            return before[one.key], one
        if found is None and one.key.kind == "ConfigMap" and one.key.name.startswith(agent):
            old = renamed.get(one.key.namespace)
            found = None if old is None else (old, one)
    return found


def _texts(config_map: Mapping[str, Any]) -> list[str]:
    data = config_map.get("data")
    return [text for text in data.values() if isinstance(text, str)] if isinstance(data, dict) else []


def _roles_change(config: Config, old: Iterable[str], new: Iterable[str]) -> list[Result]:
    before = _roles(old)
    changed = sorted(name for name, role in _roles(new).items() if before.get(name, role) != role)
    if not changed:
        return []
    kind, name = changed[0].split(" ", 1)
    message = (
        f"the role of {', '.join(changed)} changes with the agent's version, and roleRef is immutable: the"
        " ClusterResourceSets keep failing on it until it is deleted on each workload cluster (kubectl delete"
        f" {kind.lower()} {name}); the next reconcile recreates it"
    )
    return [_result(config, message, WARNING, "immutable-role")]


def _roles(texts: Iterable[str]) -> dict[str, Any]:
    """Return the roleRef of each binding, by kind and name."""
    from krm_fn.krm.streams import read_stream  # noqa: PLC0415 - only where earlier output differs

    found: dict[str, Any] = {}
    for text in texts:
        if "roleRef" in text:
            try:
                bindings = [item for item in read_stream(text.encode()) if item.kind in _BINDINGS]
                found.update({f"{item.kind} {item.name}": item.value().get("roleRef") for item in bindings})
            except Errors:
                continue  # edited by hand into something unreadable; this run puts it right
    return found


def _jump(config: Config, old: Iterable[str]) -> list[Result]:
    deployments = [text for text in old if '"--cluster-reg-token=' in text]
    if config.agent.version.key < _NO_MIGRATION or not deployments or _SINCE_V0_15 in deployments[0]:
        return []
    message = (
        f"the agent would jump from v0.14 or older to {config.agent.version}: only v0.15 and v0.16 carry over the Lease whose"
        " UID is a cluster's identity, so every cluster would register a second time. Go to v0.16 first, wait until"
        " all agents run it, then go on"
    )
    return [_result(config, message, ERROR, "agent-version-jump")]


def _result(config: Config, message: str, severity: str, rule: str) -> Result:
    return Result(
        message=message,
        severity=severity,
        tags=tagged(rule=rule),
        **config.place("spec.agent.version"),
    )
