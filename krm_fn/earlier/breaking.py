"""What a change would break: fields that a server refuses to change, objects that go with their sets, risky upgrades.

Identity objects are applied once, and a registration name counts at the first registration only (facts: clusternet v0.18.1).
"""

from __future__ import annotations

from krm_fn.base import late, some
from krm_fn.clusters.naming import refusal
from krm_fn.earlier import Coverage, immutable_fields, left
from krm_fn.krm.results import WARNING, Result, about, has_errors
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    APPLY_ONCE,
    RESOURCE_SET_KIND,
    agent_of,
    identity_maps_of,
)
from krm_fn.tokens import FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Part
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.earlier import Before, Output
    from krm_fn.krm.items import Item
    from krm_fn.model import Config

_NUMBERED = late(r"(.*)-(\d+)\Z")
_SHOWN = 3
_NO_MIGRATION = (0, 17, 0)
# Our manifests pass this flag from v0.15.0 on, so a Deployment without it is of an older agent.
_SINCE_V0_15 = "--leader-elect=true"


def check(parts: Sequence[Part], before: Before) -> None:
    """Report to each config what would break for its Clusters; names are assigned, and objects are made."""
    made: dict[str, set[str]] = {}  # names of all new sets, by namespace
    for new in (new for part in parts if part.renders for new in part.generated):
        if new.key.kind == RESOURCE_SET_KIND:
            made.setdefault(new.key.namespace, set()).add(new.key.name)
    for tree in before.trees:
        whole = tree is before.baseline  # in the input, sets of other configs stay as they are
        others, owners = (_taken_over(parts, tree), _owners(tree.all_sets)) if whole else ({}, {})
        for part in parts:
            owner = part.config.owner
            part.results += (found := list(_check(part, tree, others.get(owner, []))))
            if part.renders and not has_errors(found):  # with one, nothing is rendered that could be applied
                part.results += _lost_objects(part, owners if whole else _owners(tree.sets.get(owner, [])), made)


def _check(part: Part, tree: Output, others: Sequence[ResourceSet]) -> Iterator[Result]:
    owner = part.config.owner
    sets = [*tree.sets.get(owner, []), *others]
    config_maps = {owner: tree.config_maps.get(owner, [])}
    referred = {(one.namespace, name) for one in others for kind, name in one.resources if kind == "ConfigMap"}
    for other in sorted({one.owner for one in others}):
        found = tree.config_maps.get(other, [])
        config_maps[other] = [item for item in found if (item.namespace, item.name) in referred]
    yield from _renames(part, sets)
    yield from _immutable_changes(part, sets, tree)
    yield from _other_agent_namespaces(part, [item for items in config_maps.values() for item in items], tree)
    if part.config.resource_set.strategy != APPLY_ONCE:  # which would bring no upgrade
        for other, items in config_maps.items():
            yield from _upgrade(part, items, other)


def _taken_over(parts: Sequence[Part], baseline: Output) -> dict[str, list[ResourceSet]]:
    """Return the sets of other configs that each config replaces: those of its names, and those that had its Clusters.

    For the server, and for a workload cluster, they are what was there before, whichever config made them.
    """
    if len({*baseline.sets, *(part.config.owner for part in parts)}) == 1:
        return {}
    found: dict[str, list[ResourceSet]] = {}
    coverage, named = Coverage(baseline.all_sets), {one.key: one for one in baseline.all_sets}
    then = {cluster.key: cluster for cluster in baseline.clusters}
    for part in (part for part in parts if part.renders):
        sets = {new.key: named[new.key] for new in part.generated if new.key in named}
        for cluster in part.served:
            past = then.get(cluster.key) if then else cluster
            sets.update({one.key: one for one in coverage.of(past)} if past is not None else {})
        found[part.config.owner] = [one for one in sets.values() if one.owner != part.config.owner]
    return found


def _renames(part: Part, sets: Sequence[ResourceSet]) -> Iterator[Result]:
    """Report the Clusters that already registered under another name."""
    for one in sets:
        naming = part.namings.get((one.namespace, one.cluster))
        if one.registration_name and naming is not None and naming.name != one.registration_name:
            reason = (
                f"it registered as {one.registration_name!r} and would now be {naming.name!r}; a name counts at the first"
                " registration only. Keep the earlier spec.identity.nameTemplate"
                f" ({part.config.identity.name_template!r} now), or deregister the cluster and remove its generated objects"
                " first"
            )
            yield refusal(naming.cluster, reason)


# --- what is immutable -----------------------------------------------------------------------------------------------


def _immutable_changes(part: Part, sets: Sequence[ResourceSet], tree: Output) -> Iterator[Result]:
    """Report what a server would refuse.

    What the config no longer makes, such as all of another `clusterResourceSet.name`, is not changed but removed.
    """
    config, before = part.config, {one.key: one for one in sets}
    changed: dict[str, list[str]] = {}
    for new in part.generated:
        if new.key in before:
            spec = new.value["spec"]
            for field in immutable_fields(before[new.key], spec["clusterSelector"], spec["strategy"]):
                changed.setdefault(field, []).append(new.key.full_name)
    kept = config.token.kept_secret
    existing = (
        f" The old ClusterResourceSet may be the only owner of your Secret {kept}: delete it only after the new one"
        " is among the Secret's ownerReferences."
        if kept
        else ""
    )
    for field, places in sorted(changed.items()):
        source = "spec.clusterSelector" if field == "clusterSelector" else "spec.clusterResourceSet.strategy"
        message = (
            f"{field} of ClusterResourceSet {some(sorted(places), _SHOWN)} differs from the earlier output, and it is"
            f" immutable on the server. Set spec.clusterResourceSet.name: {next_name(config, tree.all_sets)}, commit; let the new set"
            " be applied (see `clusternet-capi-fn status`); then the old objects, which this render removes, may be pruned."
            f"{existing} To keep the old set, restore the old {source}"
        )
        yield about(config, message, rule="immutable-field", field=source)


def _other_agent_namespaces(part: Part, config_maps: Sequence[Item], tree: Output) -> Iterator[Result]:
    """Report another agent namespace, which an ApplyOnce set would never bring."""
    config = part.config
    maps = identity_maps_of(config.resource_set.name)
    served = {new.key.namespace for new in part.generated}
    wanted = config.agent["namespace"]
    for item in config_maps:
        found = item.annotations.get(AGENT_NAMESPACE_ANNOTATION) if item.name in maps else None
        if isinstance(found, str) and found != wanted and item.namespace in served:
            message = (
                f"spec.agent.namespace changes from {found} to {wanted} for Clusters of"
                f" {'namespace ' + item.namespace if item.namespace else 'this package'}: ServiceAccounts and their token were"
                " applied once and would stay behind. Keep the old one, or move to a new clusterResourceSet.name"
                f" ({next_name(config, tree.all_sets)}) as docs/immutable-fields.md shows"
            )
            yield about(config, message, rule="agent-namespace-changed", field="spec.agent.namespace")


def next_name(config: Config, sets: Iterable[ResourceSet]) -> str:
    """Return the next free `clusterResourceSet.name`: `fleet` -> `fleet-2` -> `fleet-3`."""
    taken = {one.name for one in sets}
    name = config.resource_set.name
    while True:
        numbered = _NUMBERED.match(name)
        name = f"{numbered.group(1)}-{int(numbered.group(2)) + 1}" if numbered else f"{name}-2"
        if not any(one == name or one.startswith((name + ".", name + "-")) for one in taken):
            return name


# --- Clusters that move ----------------------------------------------------------------------------------------------


def moves(parts: Sequence[Part], baseline: Output) -> Iterator[Result]:
    """Warn of Clusters that leave a ClusterResourceSet for another one by their labels: moving back won't roll back."""
    coverage = Coverage(one for one in baseline.main_sets if not one.cluster)
    then = {cluster.key: cluster for cluster in baseline.clusters}
    found: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        for cluster in () if part.config.per_cluster else part.served:
            name = part.config.set_of(cluster)
            old = coverage.of(then[cluster.key]) if cluster.key in then else []
            if old and left(cluster, old) and name not in {one.name for one in old}:
                found.setdefault((old[0].name, name), []).append(cluster.title)
    for (before, after), titles in sorted(found.items()):
        alone = len(titles) == 1
        message = (
            f"{'Cluster' if alone else f'{len(titles)} Clusters'} {some(sorted(titles), _SHOWN)}"
            f" {'moves' if alone else 'move'} from ClusterResourceSet {before} to {after}; moving back later does"
            " not roll back, since the ClusterResourceSetBinding records the old resources as applied. Promote by"
            " changing the content of a config instead (docs/waves.md)"
        )
        yield Result(message=message, severity=WARNING, rule="moved")


# --- objects that go with their sets -----------------------------------------------------------------------------------


def _owners(sets: Iterable[ResourceSet]) -> dict[tuple[str, str, str], set[str]]:
    """Return the names of the sets that own each Secret or ConfigMap, by its kind, name and namespace."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for one in sets:
        for kind, name in one.resources:
            found.setdefault((kind, name, one.namespace), set()).add(one.name)
    return found


def _lost_objects(
    part: Part, owners: Mapping[tuple[str, str, str], set[str]], made: Mapping[str, set[str]]
) -> Iterator[Result]:
    """Warn of Secrets and ConfigMaps that would go with the sets that this run replaces.

    A ClusterResourceSet becomes an owner of everything that it applies, and garbage collection deletes an object with its
    last owner. On real control planes (Cluster API v1.14.2) an object without another owner was gone in under 2 s, while a
    new set became an owner after about 3 s. That meets objects that the user keeps; and ours where other sets use them from
    now on: with PerCluster where all Clusters of a namespace are replaced, and where mode and strategy change at once.
    """
    config, options = part.config, part.config.resource_set
    kept = {(one["kind"], one["name"]): "spec.clusterResourceSet.extraResources" for one in options.extra_resources}
    if config.token.kept_secret:
        kept["Secret", config.token.kept_secret] = FIELD
    found = {(kind, name, namespace) for namespace in {key.namespace for key in part.main_sets} for kind, name in kept}
    found.update((new.key.kind, new.key.name, new.key.namespace) for new in part.generated)
    lost: dict[tuple[str, str], list[str]] = {}
    for kind, name, namespace in sorted(found & owners.keys()):
        if not owners[kind, name, namespace] & made.get(namespace, set()):
            lost.setdefault((kind, name), []).append(namespace)
    for (kind, name), namespaces in lost.items():
        where = some(namespaces, _SHOWN)
        place = f" (namespace{'s' if len(namespaces) > 1 else ''} {where})" if where else ""
        in_namespace = f" -n {namespaces[0]}" if namespaces[0] else ""
        message = (
            f"{kind} {name}{place} would be deleted with the ClusterResourceSets that own it, which this render replaces."
            " To keep it, apply this render without pruning; wait until"
            f" `kubectl get {kind.lower()} {name}{in_namespace} -o jsonpath='{{.metadata.ownerReferences[*].name}}'` lists a"
            " new set, in each namespace; then prune (docs/immutable-fields.md)"
        )
        field = kept.get((kind, name), "spec.clusterResourceSet.name")
        yield about(config, message, rule="owners-replaced", field=field, severity=WARNING)


# --- upgrades of the agent -------------------------------------------------------------------------------------------


def _upgrade(part: Part, config_maps: Sequence[Item], owner: str) -> Iterator[Result]:
    """Compare an agent ConfigMap of earlier output with the new one; all of one config have the same release.

    An upgrade may change a role, which no set can bring, or jump over the releases that carry over a cluster's identity:
    the UID of the Lease `self-cluster`, which only v0.15 and v0.16 migrate (facts: clusternet v0.15.1 and v0.15.2).
    """
    config, (old, new) = part.config, _agent_texts(part, config_maps)
    if old == new:
        return
    from krm_fn.earlier.effects import immutable, read_objects  # noqa: PLC0415 - only where earlier output differs

    before = read_objects(old)
    changed = sorted(
        f"{one['kind']} {one['metadata']['name']}"
        for title, one in read_objects(new).items()
        if immutable(before.get(title, one), one) == "roleRef"
    )
    if changed:
        kind, name = changed[0].split(" ", 1)
        message = (
            f"the role of {', '.join(changed)} changes with the agent's version, and roleRef is immutable: the"
            " ClusterResourceSets keep failing on it until it is deleted on each workload cluster (kubectl delete"
            f" {kind.lower()} {name}); the next reconcile recreates it"
        )
        yield about(config, message, rule="immutable-role", field="spec.agent.version", severity=WARNING)
    deployments = [text for text in old if '"--cluster-reg-token=' in text]
    whose = f" of Clusters that ClusternetCAPIConfig {owner} served" if owner != config.owner else ""
    if config.agent.version.key >= _NO_MIGRATION and deployments and _SINCE_V0_15 not in deployments[0]:
        message = (
            f"the agent{whose} would jump from v0.14 or older to {config.agent.version}: only v0.15 and v0.16 carry over the"
            f" Lease whose UID is a cluster's identity, so every {'such ' if whose else ''}cluster would register a second"
            " time. Go to v0.16 first, wait until all agents run it, then go on"
        )
        yield about(config, message, rule="agent-version-jump", field="spec.agent.version")


def _agent_texts(part: Part, config_maps: Sequence[Item]) -> tuple[list[str], list[str]]:
    """Return the texts of an agent ConfigMap of earlier output, and of the new one for the same Clusters; none for none.

    Under another `clusterResourceSet.name` or identity mode it has another name, and reaches the same agents all the same.
    """
    agent = agent_of(part.config.resource_set.name)
    news = [new for new in part.generated if new.key.kind == "ConfigMap" and new.key.name.startswith(agent)]
    olds = [item for item in config_maps if AGENT_NAMESPACE_ANNOTATION not in item.annotations]
    same = {(item.namespace, item.name): item for item in olds}
    single = part.config.per_cluster  # then one under this very name is of a Cluster that is gone
    renamed = {item.namespace: item for item in olds if not (single and item.name.startswith(f"{agent}."))}
    pairs = [(same.get((new.key.namespace, new.key.name)), new) for new in news]
    pairs += [(renamed.get(new.key.namespace), new) for new in news]
    for old, new in pairs:
        if old is not None:
            return _texts(old.value()), _texts(new.value)
    return [], []


def _texts(config_map: Mapping[str, Any]) -> list[str]:
    data = config_map.get("data")
    return [text for text in data.values() if isinstance(text, str)] if isinstance(data, dict) else []
