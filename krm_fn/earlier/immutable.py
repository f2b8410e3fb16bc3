"""What a server would refuse of a change, and what a running agent would not follow.

`clusterSelector` and `strategy` of a ClusterResourceSet are immutable (Cluster API v1.14.0
`internal/webhooks/clusterresourceset.go`); identity objects are applied once, and a registration name counts at the first
registration only (facts: clusternet v0.18.1).
"""

from __future__ import annotations

from krm_fn.base import late, some
from krm_fn.clusters.naming import refusal
from krm_fn.clusters.resource_set import Coverage
from krm_fn.krm.results import WARNING, Result, tagged
from krm_fn.surface import identity_map_of
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.selection import Part
    from krm_fn.earlier import Before, Earlier
    from krm_fn.model import Config, Generated

_NUMBERED = late(r"(.*)-(\d+)\Z")
_SHOWN = 3


def immutable_changes(config: Config, earlier: Earlier, generated: Sequence[Generated]) -> list[Result]:
    """Report what a server would refuse or an ApplyOnce set would never bring.

    Args:
        config: The config.
        earlier: Earlier output of this config.
        generated: The new objects of this config. What it no longer makes, such as all of another
            `clusterResourceSet.name`, is not changed but removed.
    """
    results = []
    before = {one.key: one for one in earlier.sets}
    changed: dict[str, list[str]] = {}
    for new in generated:
        old = before.get(new.key)
        if old is None:
            continue
        spec = new.value["spec"]
        if old.selector_data != spec["clusterSelector"]:
            changed.setdefault("clusterSelector", []).append(new.key.full_name)
        if old.strategy != spec["strategy"]:
            changed.setdefault("strategy", []).append(new.key.full_name)
    for field, places in sorted(changed.items()):
        results.append(_immutable(config, earlier, field, places))
    # under ApplyOnce each identity mode has an identity ConfigMap of its own
    n = config.resource_set.name
    maps = {identity_map_of(n, own_set=False, per_cluster=per_cluster) for per_cluster in (False, True)}
    served = {new.key.namespace for new in generated}
    for key, _owner, agent_namespace in earlier.agent_namespaces:
        if agent_namespace != config.agent["namespace"] and key.name in maps and key.namespace in served:
            results.append(
                Result(
                    message=(
                        f"spec.agent.namespace changes from {agent_namespace} to {config.agent['namespace']} for Clusters of"
                        f" {'namespace ' + key.namespace if key.namespace else 'this package'}: ServiceAccounts and their token"
                        " were applied once and would stay behind. Keep the old one, or move to a new"
                        f" clusterResourceSet.name ({next_name(config, earlier)}) as docs/immutable-fields.md shows"
                    ),
                    tags=tagged(rule="agent-namespace-changed"),
                    **config.place("spec.agent.namespace"),
                )
            )
    return results


def _immutable(config: Config, earlier: Earlier, field: str, places: list[str]) -> Result:
    source = "spec.clusterSelector" if field == "clusterSelector" else "spec.clusterResourceSet.strategy"
    kept = sources.kept_secret(config.token)
    existing = (
        f" The old ClusterResourceSet may be the only owner of your Secret {kept}: delete it only after the new one"
        " is among the Secret's ownerReferences."
        if kept
        else ""
    )
    return Result(
        message=(
            f"{field} of ClusterResourceSet {some(sorted(places), _SHOWN)} differs from the earlier output, and it is immutable on the server."
            f" Set spec.clusterResourceSet.name: {next_name(config, earlier)}, commit; let the new set be applied"
            " (see `clusternet-capi-fn status`); then the old objects, which this render removes, may be pruned."
            f"{existing} To keep the old set, restore the old {source}"
        ),
        tags=tagged(rule="immutable-field"),
        **config.place(source),
    )


def next_name(config: Config, earlier: Earlier) -> str:
    """Return the next free `clusterResourceSet.name`: `fleet` -> `fleet-2` -> `fleet-3`."""
    taken = {one.key.name for one in earlier.sets}
    name = config.resource_set.name
    while True:
        numbered = _NUMBERED.match(name)
        name = f"{numbered.group(1)}-{int(numbered.group(2)) + 1}" if numbered else f"{name}-2"
        if not any(one == name or one.startswith((name + ".", name + "-")) for one in taken):
            return name


def renames(part: Part, earlier: Earlier) -> list[Result]:
    """Report the Clusters that already registered under another name.

    Args:
        part: The config, with its names assigned.
        earlier: Earlier output of this config.
    """
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


def moves(parts: Sequence[Part], before: Before) -> list[Result]:
    """Warn of Clusters that leave a ClusterResourceSet for another one by their labels: moving back won't roll back.

    A set that is renamed takes its entries in the ClusterResourceSetBindings with it, so what comes back is applied again.
    """
    if before.baseline is None:
        return []
    coverage = Coverage(one for one in before.baseline.all.main_sets if not one.cluster)
    then = {cluster.key: cluster for cluster in before.baseline.clusters}
    found: dict[tuple[str, str], list[str]] = {}
    for part in parts:
        for cluster in part.served if not part.config.per_cluster else ():
            name = part.config.set_of(cluster)
            old = coverage.of(then[cluster.key]) if cluster.key in then else []
            if old and not any(one.key.name == name or one.matches(cluster.live_labels) for one in old):
                found.setdefault((old[0].key.name, name), []).append(cluster.title)
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
