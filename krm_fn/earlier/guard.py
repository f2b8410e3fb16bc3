"""`spec.guard`, against the commit that removes everything: how many Clusters there must be, and how many may go."""

from __future__ import annotations

from krm_fn.base import Record, count, full_name, nearest, some
from krm_fn.earlier import Coverage
from krm_fn.krm.results import WARNING, Result, about

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from krm_fn.clusters import Inventory, Part
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.earlier import Before, Output
    from krm_fn.krm.items import Item
    from krm_fn.kube.labels import LabelSelector
    from krm_fn.model import Cluster, Config, ObjectKey

_REMOVED = "guard-maxRemovedClusters"
_REMOVED_FIELD = "spec.guard.maxRemovedClusters"


def check(parts: Sequence[Part], items: Sequence[Item], inventory: Inventory) -> Sequence[Result]:
    """Apply the counts of every config; where one fails, a misspelt object is the cause, and returned in their place."""
    counts = [(part, _counts(part, inventory)) for part in parts]
    if any(found for _, found in counts):
        from krm_fn.clusters import verdicts  # noqa: PLC0415 - for errors only

        slips = verdicts.misspelt(items)
        if slips:
            return slips
    for part, found in counts:
        part.results += found
    return ()


def _counts(part: Part, inventory: Inventory) -> list[Result]:
    """Apply `allowNoClusters` and `minClusters`."""
    fleet = inventory.clusters
    config, guard, matched = part.config, part.config.guard, len(part.served)
    needs = {
        "identity.mode: PerCluster": config.per_cluster,
        "guard.minClusters": guard.min_clusters is not None,
        "identity.labelKeys": config.identity.label_keys,
    }
    if not (fleet or inventory.unreadable) and any(needs.values()):
        message = (
            f"the input has no Cluster, but {' and '.join(name for name, used in needs.items() if used)} of"
            f" {config.owner} can't be evaluated without one; run the function as a transformer over the Clusters (a"
            " generator sees no resources)"
        )
        return [about(config, message, rule="guard-no-clusters", field="spec")]
    minimum = guard.min_clusters or 0
    if not matched and (minimum or not (guard.allow_no_clusters or part.namespaces)):
        return [_no_match(config, inventory)]
    if matched < minimum:
        message = (
            f"{config.owner} reaches {matched} of {len(fleet)} Clusters, fewer than guard.minClusters ({minimum});"
            " correct spec.clusterSelector or lower the guard"
        )
        return [about(config, message, rule="guard-minClusters", field="spec.guard.minClusters")]
    return []


def _no_match(config: Config, inventory: Inventory) -> Result:
    """Report that a config reaches no Cluster, and the label that was most likely meant."""
    fleet = inventory.clusters
    faulty = sum(inventory.may_reach(config, one) for one in inventory.unreadable)
    seen = f"none of the {len(fleet)} Clusters in the input matches" if fleet else "the input has no Cluster for"
    seen = "the one Cluster in the input does not match" if len(fleet) == 1 else seen
    message = f"{seen} clusterSelector {config.cluster_selector} of {config.owner}"
    remedy = "list spec.namespaces, or set spec.guard.allowNoClusters: true if no Cluster is meant to match"
    if config.guard.min_clusters:
        remedy = f"or lower guard.minClusters ({config.guard.min_clusters})"
    field, fix = "spec.clusterSelector", ""
    if faulty:  # they are left out, or the run would have ended with their errors
        have = "has errors and is" if faulty == 1 else "have errors and are"
        found = f"{count(faulty, 'Cluster')} that it may match {have} left out"
        message = f"{config.owner} reaches no Cluster: {found}; correct the errors, {remedy}"
    elif any(config.cluster_selector.matches(one.live_labels) for one in fleet):
        message += f" in a namespace that it serves; correct the namespaces, {remedy}"
    else:
        meant = next(filter(None, (_meant(*pair, fleet) for pair in config.cluster_selector.match_labels)), None)
        if meant is None:
            message += (
                f"; {'correct the selector or their labels' if fleet else 'add the Clusters to the input'}, {remedy}"
            )
        else:
            key, near, value = meant
            field, fix = f"{field}.matchLabels.{key}", f'{near}: "{value}"'
            message += f": did you mean {near}={value}? If not, {remedy.removeprefix('or ')}"
    return about(config, message, rule="guard-allowNoClusters", field=field, fix=fix)


def _meant(key: str, value: str, fleet: Sequence[Cluster]) -> tuple[str, str, str] | None:
    """Return a label that no Cluster has, by its key, and key and value of the one nearest to it that some have."""
    labels = [one.live_labels for one in fleet]
    if any(one.get(key) == value for one in labels):
        return None
    values = {one[key] for one in labels if key in one}
    if values:
        near = values.pop() if len(values) == 1 else nearest(value, values)
        return (key, key, near) if near else None
    near = nearest(key, {one for each in labels for one in each})
    return (key, near, value) if near and any(one.get(near) == value for one in labels) else None


# --- how many go -----------------------------------------------------------------------------------------------------


def removals(parts: Sequence[Part], before: Before, inventory: Inventory) -> Iterator[Result]:
    """Apply `guard.maxRemovedClusters` of every config; one that had nothing to compare with is a warning.

    What is counted: Clusters, where the earlier tree holds Cluster objects; pairs of namespace and ClusterResourceSet,
    where it does not (a tree of generated objects only, or kpt's own earlier output, whose Clusters are already gone).
    In a baseline, output of a config that is not in this run, since it was renamed or deleted, counts for every config:
    nothing else would report it. In the input it stays as it is. A Cluster whose own errors fail the run is not gone.
    """
    limited = [part.config for part in parts if part.config.guard.max_removed is not None]
    if before.nothing:
        yield _nothing_to_compare(limited, before.nothing)
        return
    after = _after(parts, before.output, inventory)
    for config in limited:
        faulty = {
            full_name(one.namespace or "", one.name)
            for one in inventory.unreadable
            if not config.guard.skips and inventory.may_reach(config, one)
        }
        for tree in reversed(before.trees):  # the baseline is asked first
            absent = tree.sets.keys() - after.selectors.keys() if tree is before.baseline else set()
            counted = [one for one in tree.main_sets if one.owner in {config.owner, *absent}]
            if counted:
                yield from _over_limit(config, tree, counted, after, faulty)
                break
        else:
            message = (
                f"guard.maxRemovedClusters ({config.guard.max_removed}) was not evaluated: neither a --baseline nor the"
                f" input holds earlier output of {config.owner} to compare with"
            )
            yield about(config, message, rule=_REMOVED, field=_REMOVED_FIELD, severity=WARNING)


def _nothing_to_compare(limited: Sequence[Config], message: str) -> Result:
    """Report a baseline without any output of ours: an error where a guard counts on it."""
    if not limited:
        return Result(message=message, severity=WARNING, rule="empty-baseline")
    owners = some([config.owner for config in limited])
    message += f". Without it guard.maxRemovedClusters of {owners} can't be evaluated"
    return about(limited[0], message, rule="empty-baseline", field=_REMOVED_FIELD)


class _After(Record):
    """What there is after a run."""

    selectors: Mapping[str, LabelSelector]  # of the configs of this run, by owner
    served: frozenset[str]  # titles of Clusters
    sets: Mapping[ObjectKey, str]  # the main sets, each with its owner
    fleet: Sequence[Cluster]  # the Clusters of the input


def _after(parts: Sequence[Part], output: Output, inventory: Inventory) -> _After:
    """Return what there is after a run.

    A config that renders replaces its earlier output in the input. That of others stays: of another step of a pipeline, and
    of a config in mode Check, which makes nothing.
    """
    made = [part for part in parts if part.renders]  # a build may call one config several times, each a part
    rendered = {part.config.owner for part in made}
    served = {cluster.title for part in made for cluster in part.served}
    sets = {key: part.config.owner for part in made for key in part.main_sets}
    staying = [one for one in output.main_sets if one.owner not in rendered]
    if staying:
        coverage = Coverage(staying)
        served.update(cluster.title for cluster in inventory.clusters if coverage.of(cluster))
        sets.update((one.key, one.owner) for one in staying)
    selectors = {part.config.owner: part.config.cluster_selector for part in parts}
    return _After(selectors=selectors, served=frozenset(served), sets=sets, fleet=inventory.clusters)


def _over_limit(
    config: Config, tree: Output, counted: Sequence[ResourceSet], after: _After, faulty: set[str]
) -> Iterator[Result]:
    """Count Clusters; and pairs for the sets that reach none of the tree's, or all of those could go unseen."""
    coverage = Coverage(counted)
    had: set[str] = set()
    reached: set[ObjectKey] = set()
    for cluster in tree.clusters:
        covering = coverage.of(cluster)
        had.update([cluster.title] if covering else [])
        reached.update(one.key for one in covering)
    pairs = [one for one in counted if one.key not in reached]
    if had:  # a set for one Cluster tells of it where the tree does not hold it, as it does no local-config one
        had.update(full_name(one.namespace, one.cluster) for one in pairs if one.cluster)
        pairs = [one for one in pairs if not one.cluster]
    gone = [] if faulty else sorted(one.key.full_name for one in _lost(pairs, tree, after))
    limit = config.guard.max_removed
    for what, total, removed in (
        ("Clusters", len(had), sorted(had - after.served - faulty)),
        ("pairs of namespace and ClusterResourceSet", len(pairs), gone),
    ):
        over = isinstance(limit, int) and len(removed) > limit
        if isinstance(limit, str):  # a percentage of what was there before
            over = len(removed) * 100 > int(limit.removesuffix("%")) * total
        if over:
            message = (
                f"{len(removed)} of {total} {what} would no longer be served, compared with {tree.source}"
                f" ({some(removed)}): more than guard.maxRemovedClusters ({limit}) of {config.owner}"
                " allows. If that is intended, raise spec.guard.maxRemovedClusters in the same commit"
            )
            yield about(config, message, rule=_REMOVED, field=_REMOVED_FIELD)


def _lost(pairs: Sequence[ResourceSet], tree: Output, after: _After) -> Iterator[ResourceSet]:
    """Return the sets that are gone and whose Clusters no other set seems to have taken over.

    Where a set for all Clusters of a namespace selects some of the input, these tell. Where it selects none (any more), it was
    renamed where one is new there of the same config; or of a config that had none there, if the old config is gone (it was
    renamed as well) or the selectors are the same (the namespace moved). Another config's set beside it proves nothing.
    """
    known = {one.key for one in tree.main_sets}
    settled = {(one.namespace, one.owner) for one in tree.main_sets}
    fresh: dict[str, set[str]] = {}  # the configs with new sets, by namespace
    for key, owner in after.sets.items():
        if key not in known:
            fresh.setdefault(key.namespace, set()).add(owner)
    present: dict[str, list[Cluster]] = {}
    for cluster in after.fleet:
        present.setdefault(cluster.namespace, []).append(cluster)

    def renamed(one: ResourceSet, owner: str) -> bool:
        if owner == one.owner:
            return True
        moves = one.owner not in after.selectors or after.selectors.get(owner) == one.selector
        return moves and (one.namespace, owner) not in settled

    for one in pairs:
        if one.key in after.sets:
            continue
        if one.cluster:
            stays = full_name(one.namespace, one.cluster) in after.served
        else:
            there = present.get(one.namespace, ())
            stay = [cluster.title in after.served for cluster in there if one.matches(cluster.live_labels)]
            stays = any(stay or (renamed(one, owner) for owner in fresh.get(one.namespace, ())))
        if not stays:
            yield one
