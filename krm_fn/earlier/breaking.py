"""What a change would break: fields that a server refuses to change, objects that go with their sets, risky upgrades.

`clusterSelector` and `strategy` of a ClusterResourceSet are immutable (Cluster API v1.14.0
`internal/webhooks/clusterresourceset.go`); identity objects are applied once, and a registration name counts at the first
registration only (facts: clusternet v0.18.1).
"""

from __future__ import annotations

from krm_fn.base import late, some
from krm_fn.clusters import resource_set
from krm_fn.clusters.naming import refusal
from krm_fn.clusters.resource_set import Coverage
from krm_fn.krm.results import WARNING, Result, about, tagged
from krm_fn.surface import RESOURCE_SET_KIND, agent_of, identity_map_of
from krm_fn.tokens import FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Part
    from krm_fn.clusters.resource_set import ResourceSet
    from krm_fn.earlier import Before, Earlier
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, ObjectKey

_NUMBERED = late(r"(.*)-(\d+)\Z")
_SHOWN = 3
_NO_MIGRATION = (0, 17, 0)
# Our manifests pass this flag from v0.15.0 on, so a Deployment without it is of an older agent.
_SINCE_V0_15 = "--leader-elect=true"


def check(part: Part, earlier: Earlier) -> list[Result]:
    """Report what would break for the Clusters of one config, whose names are assigned and whose objects are made."""
    config, generated = part.config, part.generated
    return [
        *_renames(part, earlier),
        *_immutable_changes(config, earlier, generated),
        *(_lost_objects(config, earlier, generated) if part.renders else ()),
        *_upgrade(config, earlier.agents, generated),
    ]


def immutable_fields(old: ResourceSet, selector: Mapping[str, Any], strategy: str) -> list[str]:
    """Return the fields of a ClusterResourceSet that would change and that a server refuses to change."""
    changed = {"strategy": old.strategy != strategy, "clusterSelector": old.selector_data != selector}
    return [field for field, differs in changed.items() if differs]


def _immutable_changes(config: Config, earlier: Earlier, generated: Sequence[Generated]) -> list[Result]:
    """Report what a server would refuse or an ApplyOnce set would never bring.

    What the config no longer makes, such as all of another `clusterResourceSet.name`, is not changed but removed.
    """
    before = {one.key: one for one in earlier.sets}
    changed: dict[str, list[str]] = {}
    for new in generated:
        if new.key in before:
            spec = new.value["spec"]
            for field in immutable_fields(before[new.key], spec["clusterSelector"], spec["strategy"]):
                changed.setdefault(field, []).append(new.key.full_name)
    results = [_immutable(config, earlier, field, places) for field, places in sorted(changed.items())]
    # under ApplyOnce each identity mode has an identity ConfigMap of its own
    n = config.resource_set.name
    maps = {identity_map_of(n, own_set=False, per_cluster=per_cluster) for per_cluster in (False, True)}
    served = {new.key.namespace for new in generated}
    wanted = config.agent["namespace"]
    for key, found in earlier.agent_namespaces.items():
        if found != wanted and key.name in maps and key.namespace in served:
            message = (
                f"spec.agent.namespace changes from {found} to {wanted} for Clusters of"
                f" {'namespace ' + key.namespace if key.namespace else 'this package'}: ServiceAccounts and their token were"
                " applied once and would stay behind. Keep the old one, or move to a new clusterResourceSet.name"
                f" ({next_name(config, earlier)}) as docs/immutable-fields.md shows"
            )
            results.append(about(config, message, rule="agent-namespace-changed", field="spec.agent.namespace"))
    return results


def _immutable(config: Config, earlier: Earlier, field: str, places: Sequence[str]) -> Result:
    source = "spec.clusterSelector" if field == "clusterSelector" else "spec.clusterResourceSet.strategy"
    kept = config.token.kept_secret
    existing = (
        f" The old ClusterResourceSet may be the only owner of your Secret {kept}: delete it only after the new one"
        " is among the Secret's ownerReferences."
        if kept
        else ""
    )
    message = (
        f"{field} of ClusterResourceSet {some(sorted(places), _SHOWN)} differs from the earlier output, and it is immutable"
        f" on the server. Set spec.clusterResourceSet.name: {next_name(config, earlier)}, commit; let the new set be applied"
        " (see `clusternet-capi-fn status`); then the old objects, which this render removes, may be pruned."
        f"{existing} To keep the old set, restore the old {source}"
    )
    return about(config, message, rule="immutable-field", field=source)


def next_name(config: Config, earlier: Earlier) -> str:
    """Return the next free `clusterResourceSet.name`: `fleet` -> `fleet-2` -> `fleet-3`."""
    taken = {one.key.name for one in earlier.sets}
    name = config.resource_set.name
    while True:
        numbered = _NUMBERED.match(name)
        name = f"{numbered.group(1)}-{int(numbered.group(2)) + 1}" if numbered else f"{name}-2"
        if not any(one == name or one.startswith((name + ".", name + "-")) for one in taken):
            return name


def _renames(part: Part, earlier: Earlier) -> list[Result]:
    """Report the Clusters that already registered under another name."""
    found = []
    for one in earlier.sets:
        naming = part.namings.get((one.key.namespace, one.cluster))
        if one.registration_name and naming is not None and naming.name != one.registration_name:
            reason = (
                f"it registered as {one.registration_name!r} and would now be {naming.name!r}; a name counts at the first"
                " registration only. Keep the earlier spec.identity.nameTemplate"
                f" ({part.config.identity.name_template!r} now), or deregister the cluster and remove its generated objects"
                " first"
            )
            found.append(refusal(naming.cluster, reason))
    return found


def left(cluster: Cluster, old: Sequence[ResourceSet]) -> bool:
    """Return whether a Cluster left its sets by its labels: the entries in its ClusterResourceSetBinding stay.

    A set that is deleted takes its entry out of the Bindings of the Clusters that it still selects, and of no others.
    """
    return not any(one.matches(cluster.live_labels) for one in old)


def moves(parts: Sequence[Part], before: Before) -> list[Result]:
    """Warn of Clusters that leave a ClusterResourceSet for another one by their labels: moving back won't roll back."""
    if before.baseline is None:
        return []
    coverage = Coverage(one for one in before.baseline.all.main_sets if not one.cluster)
    then = {cluster.key: cluster for cluster in before.baseline.clusters}
    found: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        for cluster in part.served if not part.config.per_cluster else ():
            name = part.config.set_of(cluster)
            old = coverage.of(then[cluster.key]) if cluster.key in then else []
            if old and left(cluster, old) and name not in {one.name for one in old}:
                found.setdefault((old[0].name, name), []).append(cluster.title)
    return [
        Result(
            message=(
                f"{'Cluster' if len(titles) == 1 else f'{len(titles)} Clusters'} {some(sorted(titles), _SHOWN)}"
                f" {'moves' if len(titles) == 1 else 'move'} from ClusterResourceSet {old} to {new}; moving back later does"
                " not roll back, since the ClusterResourceSetBinding records the old resources as applied. Promote by"
                " changing the content of a config instead (docs/waves.md)"
            ),
            severity=WARNING,
            tags=tagged(rule="moved"),
        )
        for (old, new), titles in sorted(found.items())
    ]


# --- objects that go with their sets -----------------------------------------------------------------------------------


def _lost_objects(config: Config, before: Earlier, generated: Sequence[Generated]) -> list[Result]:
    """Warn of Secrets and ConfigMaps of the user's own that would go with the sets that this run replaces.

    A ClusterResourceSet becomes an owner of everything that it applies, and garbage collection deletes an object with its
    last owner. On real control planes (Cluster API v1.14.2) an object without another owner was gone in under 2 s, while a
    new set became an owner after about 3 s.
    """
    kept = {
        (one.kind, one.name): "spec.clusterResourceSet.extraResources" for one in config.resource_set.extra_resources
    }
    secret = config.token.kept_secret
    if secret:
        kept["Secret", secret] = FIELD
    if not kept:
        return []
    lost: dict[tuple[str, str], list[str]] = {}
    owners = _owners(before.sets)
    made = _owners(resource_set.read(new.value) for new in generated if new.key.kind == RESOURCE_SET_KIND)
    for (namespace, kind, name), new in made.items():
        old = owners.get((namespace, kind, name))
        if (kind, name) in kept and old and not old & new:
            lost.setdefault((kind, name), []).append(namespace)
    return [_lost(config, one, kept[one], sorted(namespaces)) for one, namespaces in sorted(lost.items())]


def _owners(sets: Iterable[ResourceSet]) -> dict[tuple[str, str, str], set[str]]:
    """Return the names of the sets that refer to an object, by its namespace, kind and name."""
    found: dict[tuple[str, str, str], set[str]] = {}
    for one in sets:
        for kind, name in one.resources:
            found.setdefault((one.namespace, kind, name), set()).add(one.name)
    return found


def _lost(config: Config, reference: tuple[str, str], field: str, namespaces: Sequence[str]) -> Result:
    kind, name = reference
    where = some(namespaces, _SHOWN)
    place = f" (namespace{'s' if len(namespaces) > 1 else ''} {where})" if where else ""
    in_namespace = f" -n {namespaces[0]}" if namespaces[0] else ""
    message = (
        f"{kind} {name}{place} would be deleted with the ClusterResourceSets that own it, which this render replaces."
        " To keep it, apply this render without pruning; wait until"
        f" `kubectl get {kind.lower()} {name}{in_namespace} -o jsonpath='{{.metadata.ownerReferences[*].name}}'` lists a"
        " new set, in each namespace; then prune (docs/immutable-fields.md)"
    )
    return about(config, message, rule="owners-replaced", field=field, severity=WARNING)


# --- upgrades of the agent -------------------------------------------------------------------------------------------


def _upgrade(config: Config, before: Mapping[ObjectKey, Item], generated: Iterable[Generated]) -> list[Result]:
    """Compare an agent ConfigMap of earlier output with the new one; all of one config have the same release.

    An upgrade may change a role, which no set can bring, or jump over the releases that carry over a cluster's identity:
    the UID of the Lease `self-cluster`, which only v0.15 and v0.16 migrate (facts: clusternet v0.15.1 and v0.15.2).
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
    agent = agent_of(config.resource_set.name)
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


def _roles_change(config: Config, old: Sequence[str], new: Sequence[str]) -> list[Result]:
    from krm_fn.earlier.workload import immutable, read_objects  # noqa: PLC0415 - only where earlier output differs
    from krm_fn.kube.raw import text  # noqa: PLC0415 - the same

    before = read_objects(old)
    changed = sorted(
        f"{one['kind']} {text(one, 'metadata', 'name')}"
        for title, one in read_objects(new).items()
        if immutable(before.get(title, one), one) == "roleRef"
    )
    if not changed:
        return []
    kind, name = changed[0].split(" ", 1)
    message = (
        f"the role of {', '.join(changed)} changes with the agent's version, and roleRef is immutable: the"
        " ClusterResourceSets keep failing on it until it is deleted on each workload cluster (kubectl delete"
        f" {kind.lower()} {name}); the next reconcile recreates it"
    )
    return [about(config, message, rule="immutable-role", field="spec.agent.version", severity=WARNING)]


def _jump(config: Config, old: Sequence[str]) -> list[Result]:
    deployments = [text for text in old if '"--cluster-reg-token=' in text]
    if config.agent.version.key < _NO_MIGRATION or not deployments or _SINCE_V0_15 in deployments[0]:
        return []
    message = (
        f"the agent would jump from v0.14 or older to {config.agent.version}: only v0.15 and v0.16 carry over the Lease whose"
        " UID is a cluster's identity, so every cluster would register a second time. Go to v0.16 first, wait until"
        " all agents run it, then go on"
    )
    return [about(config, message, rule="agent-version-jump", field="spec.agent.version")]
