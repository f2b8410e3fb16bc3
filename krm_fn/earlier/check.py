"""One config against what came before it: our own output in the input, and a baseline.

Joins what `history`, `upgrade`, `guard` and `outputs.existing` say of it, for the Plan.
"""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.earlier import guard, read, upgrade
from krm_fn.krm.results import WARNING, ResourceRef, Result, tagged
from krm_fn.outputs import existing
from krm_fn.surface import RESOURCE_SET_KIND, identity_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.earlier.guard import Before
    from krm_fn.earlier.read import Earlier, EarlierSet
    from krm_fn.model import Cluster, Config, Generated, ObjectKey


class Now(Record):
    """What a config comes to in this run.

    Attributes:
        config: The config.
        served: The Clusters that it reaches and can serve.
        generated: Its objects.
        inventory: What the input holds.
        baseline: What an earlier rendered tree holds; None where none was given.
    """

    config: Config
    served: tuple[Cluster, ...]
    generated: tuple[Generated, ...]
    inventory: Inventory
    baseline: Inventory | None

    @property
    def sets(self) -> list[Generated]:
        """Its ClusterResourceSets."""
        return [new for new in self.generated if new.key.kind == RESOURCE_SET_KIND]


def check(now: Now, earlier: Earlier, baseline: Earlier | None) -> list[Result]:
    """Compare a config with earlier output: the input's own, and the baseline's.

    Args:
        now: The config in this run.
        earlier: Earlier output in the input, of all configs.
        baseline: Output in the baseline, of all configs; None where none was given.
    """
    config = now.config
    results: list[Result] = []
    for found in (earlier, baseline):
        if found is not None:
            mine = found.of(config.owner)
            results += read.immutable_changes(config, mine, now.generated)
            results += upgrade.check(config, {key: item for key, _, item in mine.agents}, now.generated)
    if baseline is not None:
        results += _moves(now, baseline)
    results += _removed(now, earlier, baseline)
    if config.token.existing_secret:
        own = {one.key: one.item for one in now.inventory.owned if one.owner == config.owner}
        served = sorted({new.key.namespace for new in now.generated})
        results += existing.check(config, now.inventory.occupied, served, own)
    return results


def _removed(now: Now, earlier: Earlier, baseline: Earlier | None) -> list[Result]:
    """Apply the guard against mass removal, in every unit that there is something to count in."""
    identity = identity_of(now.config.resource_set.name)
    pairs = [_pair(new.key) for new in now.sets if new.key.name != identity]
    pairs += _still_served(now, [one for found in (earlier, baseline) if found for one in found.main_sets])
    results: list[Result] = []
    for before in _before(now, earlier, baseline) or (None,):
        counted = before is not None and before.unit == "clusters"
        members = [cluster.title for cluster in now.served] if counted else pairs
        results += guard.check_removed(now.config, before, members)
    return results


def _still_served(now: Now, before: Sequence[EarlierSet]) -> list[str]:
    """Return the earlier pairs whose Clusters another set of the same config serves now: renamed sets lose nobody."""
    namespaces = {new.key.namespace for new in now.sets}
    served = {cluster.key for cluster in now.served}
    mine = [one for one in before if one.owner == now.config.owner]
    return [
        _pair(one.key)
        for one in mine
        if ((one.key.namespace, one.cluster) in served if one.cluster else one.key.namespace in namespaces)
    ]


def _before(now: Now, earlier: Earlier, baseline: Earlier | None) -> list[Before]:
    """Return what an earlier tree covered for this config; the baseline is asked first.

    Where the tree holds Clusters, they are counted. Sets that reach none of them (theirs are local-config or not in Git)
    are counted as pairs beside them, or all of those could go unseen.
    """
    for found, tree, source in ((baseline, now.baseline, "--baseline"), (earlier, None, "the earlier output")):
        mine = found.of(now.config.owner).main_sets if found is not None else ()
        if not mine:
            continue
        members: list[str] = []
        reached: set[ObjectKey] = set()
        coverage = read.Coverage(mine)
        for cluster in tree.clusters if tree is not None else ():
            covering = coverage.of(cluster)
            members += [cluster.title] if covering else []
            reached.update(one.key for one in covering)
        pairs = sorted(_pair(one.key) for one in mine if one.key not in reached)
        return [
            guard.Before(unit=unit, members=tuple(listed), source=source)
            for unit, listed in (("clusters", members), ("pairs", pairs))
            if listed
        ]
    return []


def _pair(key: ObjectKey) -> str:
    return f"{key.namespace}/{key.name}" if key.namespace else key.name


def _moves(now: Now, baseline: Earlier) -> list[Result]:
    """Warn of Clusters that change to another ClusterResourceSet: moving back would not roll back."""
    coverage = read.Coverage(baseline.main_sets)
    # what reached a Cluster then is decided by the labels it had then
    then = {} if now.baseline is None else {cluster.key: cluster for cluster in now.baseline.clusters}
    results = []
    for cluster in now.served:
        name = now.config.set_of(cluster)
        old = read.moved_from(coverage, then[cluster.key], name) if cluster.key in then else ""
        if old:
            message = (
                f"Cluster {cluster.title} moves from ClusterResourceSet {old} to {name}; moving it back later does not"
                " roll back, since its ClusterResourceSetBinding says that the old resources are applied. Promote by"
                " changing the content of a config instead (docs/waves.md)"
            )
            ref = ResourceRef(
                api_version=cluster.api_version, kind="Cluster", name=cluster.name, namespace=cluster.namespace
            )
            results.append(Result(message=message, severity=WARNING, resource_ref=ref, tags=tagged(rule="moved")))
    return results
