"""How many Clusters a render takes away, compared with what came before; `guard.maxRemovedClusters` limits it.

What is counted: Clusters, where the earlier tree holds Cluster objects; pairs of namespace and ClusterResourceSet, where
it does not (a tree of generated objects only, or kpt's own earlier output, whose Clusters are already gone). Output of a
config that is not in this run, since it was renamed or deleted, counts for every config: nothing else would report it.
"""

from __future__ import annotations

from krm_fn.base import Record, some
from krm_fn.clusters.resource_set import Coverage
from krm_fn.earlier.guard import result
from krm_fn.krm.results import WARNING, Result, tagged
from krm_fn.surface import RESOURCE_SET_KIND, identity_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.selection import Part
    from krm_fn.earlier import Before, Earlier, Tree
    from krm_fn.model import Config, ObjectKey


class Served(Record):
    """What all configs of a run serve now.

    Attributes:
        clusters: Titles of Clusters.
        pairs: Titles of the main ClusterResourceSets.
        namespaces: Where there is a set for all Clusters of a namespace that match.
    """

    clusters: frozenset[str]
    pairs: frozenset[str]
    namespaces: frozenset[str]


class Removal(Record):
    """What a render takes away, in one unit.

    Attributes:
        what: The unit, in words.
        total: How many there were.
        removed: Titles of those that go, sorted.
        source: What they are counted in.
    """

    what: str
    total: int
    removed: tuple[str, ...]
    source: str


def served(parts: Sequence[Part], before: Before) -> Served:
    """Return what the configs of a run serve; in mode Check one makes nothing, and what an earlier step made counts."""
    pairs: set[str] = set()
    namespaces: set[str] = set()
    clusters: set[str] = set()
    there = before.output.all.main_sets
    coverage = Coverage(there)
    for part in parts:
        if part.config.mode == "Check":
            pairs.update(one.key.full_name for one in there)
            namespaces.update(one.key.namespace for one in there)
            clusters.update(cluster.title for cluster in part.served if coverage.of(cluster))
            continue
        clusters.update(cluster.title for cluster in part.served)
        identity = identity_of(part.config.resource_set.name)
        for new in part.generated:
            if new.key.kind == RESOURCE_SET_KIND and new.key.name != identity:
                pairs.add(new.key.full_name)
                namespaces.add(new.key.namespace)
    return Served(clusters=frozenset(clusters), pairs=frozenset(pairs), namespaces=frozenset(namespaces))


def check(parts: Sequence[Part], before: Before, given: str = "") -> list[Result]:
    """Apply `guard.maxRemovedClusters` of every config; one that had nothing to compare with is a warning.

    Args:
        parts: The configs.
        before: What came before.
        given: What messages call the baseline that was given; "" without one.
    """
    limited = [part.config for part in parts if part.config.guard.removal_limit]
    if given and before.baseline is None:
        return [_nothing_to_compare(limited, given)]
    if not limited:
        return []
    now = served(parts, before)
    present = {part.config.owner for part in parts}
    results: list[Result] = []
    for config in limited:
        removals = _removals(config, before, present, now)
        if removals is None:
            message = (
                f"guard.maxRemovedClusters ({config.guard.removal_limit}) was not evaluated: neither a --baseline nor the input holds"
                f" earlier output of {config.owner} to compare with"
            )
            results.append(result(config, message, "maxRemovedClusters", WARNING))
        else:
            results += [_over_limit(config, one) for one in removals if _is_over_limit(config, one)]
    return results


def _nothing_to_compare(limited: Sequence[Config], source: str) -> Result:
    """Report a baseline without any output of ours: an error where a guard counts on it."""
    message = (
        f"{source} holds nothing that this function made, so there is nothing to compare with; give a tree that"
        " `clusternet-capi-fn render -o DIR` wrote, or compare with a Git revision by --against REV"
    )
    if not limited:
        return Result(message=message, severity=WARNING, tags=tagged(rule="empty-baseline"))
    owners = some([config.owner for config in limited])
    return Result(
        message=f"{message}. Without it guard.maxRemovedClusters of {owners} can't be evaluated",
        tags=tagged(rule="empty-baseline"),
        **limited[0].place("spec.guard.maxRemovedClusters"),
    )


def _removals(config: Config, before: Before, present: set[str], now: Served) -> list[Removal] | None:
    """Return what goes, in each unit that there is something to count in; the baseline is asked first.

    None where neither holds anything that counts for the config.
    """
    for tree in reversed(before.trees):
        counted = tree.of(config.owner, *(owner for owner in tree.owners if owner not in present))
        if counted.main_sets:
            return _count(tree, counted, now)
    return None


def _count(tree: Tree, counted: Earlier, now: Served) -> list[Removal]:
    """Count Clusters; and pairs for the sets that reach none of the tree's, or all of those could go unseen."""
    coverage = Coverage(counted.main_sets)
    clusters: list[str] = []
    reached: set[ObjectKey] = set()
    for cluster in tree.clusters:
        covering = coverage.of(cluster)
        clusters += [cluster.title] if covering else []
        reached.update(one.key for one in covering)
    pairs = [one for one in counted.main_sets if one.key not in reached]
    gone = [
        one.key.full_name
        for one in pairs
        if one.key.full_name not in now.pairs and not _served_otherwise(one.key.namespace, one.cluster, now)
    ]
    return [
        Removal(
            what="Clusters",
            total=len(clusters),
            removed=tuple(sorted(set(clusters) - now.clusters)),
            source=tree.source,
        ),
        Removal(
            what="pairs of namespace and ClusterResourceSet",
            total=len(pairs),
            removed=tuple(sorted(gone)),
            source=tree.source,
        ),
    ]


def _served_otherwise(namespace: str, cluster: str, now: Served) -> bool:
    """Return whether another set serves the Clusters of an earlier one now: a renamed set loses no Cluster."""
    if cluster:
        return (f"{namespace}/{cluster}" if namespace else cluster) in now.clusters
    return namespace in now.namespaces


def _is_over_limit(config: Config, found: Removal) -> bool:
    """Return whether more goes than `guard.maxRemovedClusters` allows; a share is of what was there before."""
    count = len(found.removed)
    if config.guard.max_removed_percent is not None:
        return count * 100 > config.guard.max_removed_percent * found.total
    return config.guard.max_removed is not None and count > config.guard.max_removed


def _over_limit(config: Config, found: Removal) -> Result:
    message = (
        f"{len(found.removed)} of {found.total} {found.what} would no longer be served, compared with {found.source}"
        f" ({some(found.removed)}): more than guard.maxRemovedClusters ({config.guard.removal_limit}) of {config.owner} allows. If that is"
        " intended, raise spec.guard.maxRemovedClusters in the same commit"
    )
    return result(config, message, "maxRemovedClusters")
