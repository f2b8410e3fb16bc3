"""Conflicts: configs that reach the same Cluster, and names that are already taken."""

from __future__ import annotations

from krm_fn.base import some
from krm_fn.clusters.resource_set import Coverage
from krm_fn.krm.results import WARNING, Related, Result, about, tagged
from krm_fn.surface import HUB_NAME, HUB_NAMESPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from krm_fn.clusters.inventory import Inventory, Owned, Part
    from krm_fn.clusters.resource_set import ResourceSet
    from krm_fn.earlier import Tree
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, ObjectKey

    Reached = tuple[Config, Sequence[Cluster]]

_SHOWN = 3
_SELECTOR = "spec.clusterSelector"
_NAME = "spec.clusterResourceSet.name"
DISCOVERY = (HUB_NAMESPACE, HUB_NAME)  # the hub knows its Secret by this fixed name


def check(parts: Sequence[Part], others: Sequence[Reached], output: Tree, inventory: Inventory) -> list[Result]:
    """Report what two configs would both do; a config in mode Check owns nothing, so it conflicts with nothing."""
    rendered = [part for part in parts if part.renders]
    reached: list[Reached] = [(part.config, part.matched) for part in rendered]
    if rendered:
        reached += others
    known = {config.owner for config, _ in reached}
    strangers = [one for one in output.all.main_sets if one.owner not in known]
    results = shared_clusters(reached) + same_targets([(config, inventory.unseen(config)) for config, _ in reached])
    if strangers:
        results += with_earlier_steps(rendered, strangers, {cluster.key for cluster in inventory.clusters})
    generated = [new for part in rendered for new in part.generated]
    owned = {one.key: one for one in inventory.owned}
    return results + name_clashes([part.config for part in rendered], generated, owned, inventory.occupied)


def shared_clusters(reached: Sequence[Reached]) -> list[Result]:
    """Report every pair of configs that reach one Cluster: two agents of one name would fight over it.

    Configs count that are rendered now, and others in the input.
    """
    first: dict[tuple[str, str], Config] = {}
    pairs: dict[tuple[str, str], tuple[Config, Config, list[Cluster]]] = {}
    for config, clusters in sorted(reached, key=lambda one: one[0].owner):
        for cluster in clusters:
            other = first.setdefault(cluster.key, config)
            if other is not config:
                pairs.setdefault((other.owner, config.owner), (other, config, []))[2].append(cluster)
    results = []
    for _, (one, other, clusters) in sorted(pairs.items(), key=lambda pair: pair[0]):
        message = (
            f"ClusternetCAPIConfigs {one.owner} and {other.owner} both reach {_clusters(clusters)}; make their"
            " clusterSelectors (or namespaces) disjoint"
        )
        places = (
            Related.at(one.owner, one.place(_SELECTOR)),
            Related.at(f"Cluster {clusters[0].title}", clusters[0].place()),
        )
        results.append(about(other, message, rule="overlap", field=_SELECTOR, related=places))
    return results


def same_targets(targets: Sequence[tuple[Config, Sequence[str]]]) -> list[Result]:
    """Report configs that serve one namespace with one selector: without Clusters to look at, that much is certain.

    Each config comes with the namespaces that it serves without a Cluster of the input there.
    """
    results = []
    ordered = sorted(targets, key=lambda target: target[0].owner)
    for at, (one, namespaces) in enumerate(ordered):
        for other, others in ordered[at + 1 :] if namespaces else ():
            shared = sorted(set(namespaces) & set(others))
            if shared and one.cluster_selector == other.cluster_selector:
                message = (
                    f"ClusternetCAPIConfigs {one.owner} and {other.owner} both serve namespace {some(shared, _SHOWN)} with"
                    " the same clusterSelector; make their selectors (or namespaces) disjoint"
                )
                related = (Related.at(one.owner, one.place(_SELECTOR)),)
                results.append(about(other, message, rule="overlap", field=_SELECTOR, related=related))
    return results


def with_earlier_steps(
    parts: Iterable[Part], strangers: Sequence[ResourceSet], clusters: set[tuple[str, str]]
) -> list[Result]:
    """Report Clusters of this run that configs of an earlier step of the pipeline already serve.

    `strangers` are the main sets in the input that others made.
    """
    coverage = Coverage(strangers)
    results: list[Result] = []
    for part in parts:
        found: dict[tuple[str, str], list[Cluster]] = {}
        for cluster in part.matched:
            for one in coverage.of(cluster):
                found.setdefault((one.owner, one.name), []).append(cluster)
        for (owner, name), reached in sorted(found.items()):
            message = (
                f"ClusternetCAPIConfig {part.config.owner} reaches {_clusters(reached)}, which ClusterResourceSet {name} of"
                f" ClusternetCAPIConfig {owner} already serves; make their clusterSelectors disjoint, or remove that"
                " config's output"
            )
            results.append(about(part.config, message, rule="overlap", field=_SELECTOR))
    return results + stranded([one for one in strangers if one.cluster], clusters)


def name_clashes(
    configs: Iterable[Config],
    generated: Iterable[Generated],
    owned: Mapping[ObjectKey, Owned],
    occupied: Mapping[ObjectKey, Item],
) -> list[Result]:
    """Report generated names that are taken: by another config, or by an object that is not ours (`occupied`)."""
    by_owner = {config.owner: config for config in configs}
    made: dict[ObjectKey, str] = {}
    both: dict[tuple[str, str], list[tuple[str, ObjectKey]]] = {}
    theirs: dict[tuple[str, str], list[tuple[str, Item]]] = {}
    results = []
    for new in generated:
        title = new.key.title
        first = made.setdefault(new.key, new.owner)
        if first != new.owner:
            both.setdefault((first, new.owner), []).append((title, new.key))
        before = owned.get(new.key)
        if before is not None and before.owner != new.owner:
            theirs.setdefault((before.owner, new.owner), []).append((title, before.item))
        item = occupied.get(new.key)
        if item is not None:
            results.append(_taken(title, item, by_owner[new.owner]))
    for (first, second), found in both.items():
        field, remedy = _NAME, f"set another spec.clusterResourceSet.name in {second}"
        if all(key.namespace == DISCOVERY[0] and key.name == DISCOVERY[1] for _, key in found):
            field, remedy = "spec.hub.discoverySecret", "only one config may set spec.hub.discoverySecret"
        shown = some([title for title, _ in found], _SHOWN)
        message = f"ClusternetCAPIConfigs {first} and {second} would both make {shown}; {remedy}"
        results.append(
            about(
                by_owner[second],
                message,
                rule="name-clash",
                field=field,
                related=(Related.at(first, by_owner[first].place(field)),),
            )
        )
    for (owner, mine), objects in theirs.items():
        were = "was" if len(objects) == 1 else "were"
        message = (
            f"{some([title for title, _ in objects], _SHOWN)} in the input {were} made by ClusternetCAPIConfig {owner};"
            f" {mine} can't take it over. Set another spec.clusterResourceSet.name in {mine}, or, if {owner} was renamed to"
            f" {mine}, change the annotation fn.clusternet.io/owner of its output or remove that output first"
        )
        title, item = objects[0]
        results.append(
            about(by_owner[mine], message, rule="name-clash", field=_NAME, related=(Related.at(title, item.place()),))
        )
    return results


def _taken(title: str, item: Item, config: Config) -> Result:
    message = (
        f"{title} is in the input already and was not made by this function, which does not overwrite it. Set another"
        f" spec.clusterResourceSet.name in {config.owner}, or remove that object"
    )
    related = (Related.at(config.owner, config.place(_NAME)),)
    return about(item, message, rule="name-clash", field="metadata.name", related=related)


def _clusters(clusters: Sequence[Cluster]) -> str:
    return f"Cluster{'s' if len(clusters) > 1 else ''} {some([cluster.title for cluster in clusters], _SHOWN)}"


def stranded(sets: Iterable[ResourceSet], clusters: set[tuple[str, str]]) -> list[Result]:
    """Warn of ClusterResourceSets of an inner layer whose one Cluster is gone: a namePrefix came in between.

    kustomize's namePrefix renames Clusters, but not what refers to them by label; so the function belongs in the
    outermost layer (docs/hosts/kustomize.md). `sets` are PerCluster sets that this run does not render.
    """
    if not clusters:
        return []
    return [
        Result(
            message=(
                f"{one.key.title}, made by ClusternetCAPIConfig {one.owner} in an earlier step, is for Cluster"
                f" {one.cluster}, which is not in the input; a namePrefix or nameSuffix after the function does this. Run it"
                " in the outermost layer"
            ),
            severity=WARNING,
            tags=tagged(rule="stranded"),
        )
        for one in sets
        if (one.key.namespace, one.cluster) not in clusters
    ]
