"""Conflicts: configs that reach the same Cluster, and names that are already taken."""

from __future__ import annotations

from krm_fn.base.text import some
from krm_fn.krm.results import WARNING, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, ObjectKey

_SHOWN = 3
DISCOVERY = ("capi-system", "clusternet-cluster-api")  # the hub knows its Secret by this fixed name


def shared_clusters(reached: Sequence[tuple[Config, Sequence[Cluster]]]) -> list[Result]:
    """Report every pair of configs that reach one Cluster: two agents of one name would fight over it.

    Args:
        reached: Each config with the Clusters it reaches, both those rendered now and others in the input.
    """
    first: dict[tuple[str, str], Config] = {}
    pairs: dict[tuple[str, str], list[Cluster]] = {}
    for config, clusters in sorted(reached, key=lambda one: one[0].owner):
        for cluster in clusters:
            other = first.setdefault(cluster.key, config)
            if other is not config:
                pairs.setdefault((other.owner, config.owner), []).append(cluster)
    return [
        Result(
            message=(
                f"ClusternetCAPIConfigs {one} and {other} both reach {_clusters(clusters)}; make their clusterSelectors"
                " (or namespaces) disjoint"
            ),
            field="spec.clusterSelector",
            file_path=clusters[0].file_path,
            file_index=clusters[0].file_index,
            tags=tagged(rule="overlap"),
        )
        for (one, other), clusters in sorted(pairs.items())
    ]


def same_targets(targets: Sequence[tuple[Config, Sequence[str]]]) -> list[Result]:
    """Report configs that serve one namespace with one selector: without Clusters to look at, that much is certain.

    Args:
        targets: Each config with the namespaces that it serves without a Cluster of the input there.
    """
    results = []
    ordered = sorted(targets, key=lambda target: target[0].owner)
    for at, (one, namespaces) in enumerate(ordered):
        for other, others in ordered[at + 1 :] if namespaces else ():
            shared = sorted(set(namespaces) & set(others))
            if shared and one.cluster_selector == other.cluster_selector:
                message = (
                    f"ClusternetCAPIConfigs {one.owner} and {other.owner} both serve namespace {some(shared, _SHOWN)} with the same"
                    " clusterSelector; make their selectors (or namespaces) disjoint"
                )
                results.append(
                    Result(
                        message=message,
                        field="spec.clusterSelector",
                        file_path=other.file_path,
                        tags=tagged(rule="overlap"),
                    )
                )
    return results


def foreign_sets(
    config: Config, clusters: Iterable[Cluster], covering: Callable[[Cluster], Iterable[tuple[str, str]]]
) -> list[Result]:
    """Report Clusters that another config's output in the input already serves (an earlier step of the pipeline).

    Args:
        config: The config.
        clusters: The Clusters it reaches.
        covering: Gives owner and name of each main ClusterResourceSet in the input that reaches a Cluster.
    """
    found: dict[tuple[str, str], list[Cluster]] = {}
    for cluster in clusters:
        for owner, name in covering(cluster):
            found.setdefault((owner, name), []).append(cluster)
    return [
        Result(
            message=(
                f"ClusternetCAPIConfig {config.owner} reaches {_clusters(reached)}, which ClusterResourceSet {name} of"
                f" ClusternetCAPIConfig {owner} already serves; make their clusterSelectors disjoint, or remove that"
                " config's output"
            ),
            field="spec.clusterSelector",
            file_path=config.file_path,
            tags=tagged(rule="overlap"),
        )
        for (owner, name), reached in sorted(found.items())
    ]


def name_clashes(
    generated: Iterable[Generated], owned: Mapping[ObjectKey, str], occupied: Mapping[ObjectKey, Item]
) -> list[Result]:
    """Report generated names that are taken: by another config, or by an object that is not ours.

    Args:
        generated: Objects of all configs of this run.
        owned: Owner id of each object in the input that we made.
        occupied: Objects in the input that we did not make.
    """
    made: dict[ObjectKey, str] = {}
    both: dict[tuple[str, str], list[tuple[str, ObjectKey]]] = {}
    theirs: dict[tuple[str, str], list[str]] = {}
    results = []
    for new in generated:
        title = new.key.title
        first = made.setdefault(new.key, new.owner)
        if first != new.owner:
            both.setdefault((first, new.owner), []).append((title, new.key))
        owner = owned.get(new.key)
        if owner is not None and owner != new.owner:
            theirs.setdefault((owner, new.owner), []).append(title)
        item = occupied.get(new.key)
        if item is not None:
            results.append(_taken(title, item, new.owner))
    for (first, second), found in both.items():
        remedy = f"set another spec.clusterResourceSet.name in {second}"
        if all(key.namespace == DISCOVERY[0] and key.name == DISCOVERY[1] for _, key in found):
            remedy = "only one config may set spec.hub.discoverySecret"
        shown = some([title for title, _ in found], _SHOWN)
        results.append(_clash(f"ClusternetCAPIConfigs {first} and {second} would both make {shown}; {remedy}"))
    for (owner, mine), titles in theirs.items():
        results.append(
            _clash(
                f"{some(titles, _SHOWN)} in the input was made by ClusternetCAPIConfig {owner}; {mine} can't take it over. Set"
                f" another spec.clusterResourceSet.name in {mine}, or, if {owner} was renamed to {mine}, change the"
                " annotation fn.clusternet.io/owner of its output or remove that output first"
            )
        )
    return results


def _taken(title: str, item: Item, owner: str) -> Result:
    return Result(
        message=(
            f"{title} stands in the input ({item.where()}) and was not made by this function; it is not overwritten. Set"
            f" another spec.clusterResourceSet.name in {owner}, or remove that object"
        ),
        resource_ref=item.ref(),
        file_path=item.file_path,
        file_index=item.file_index,
        tags=tagged(rule="name-clash"),
    )


def _clash(message: str) -> Result:
    return Result(message=message, field="spec.clusterResourceSet.name", tags=tagged(rule="name-clash"))


def _clusters(clusters: Sequence[Cluster]) -> str:
    return f"Cluster{'s' if len(clusters) > 1 else ''} {some([cluster.title for cluster in clusters], _SHOWN)}"


def stranded(sets: Iterable[ResourceSet], clusters: set[tuple[str, str]]) -> list[Result]:
    """Warn of ClusterResourceSets of an inner layer whose one Cluster is gone: a namePrefix came in between.

    kustomize's namePrefix renames Clusters, but not what refers to them by label; so the function belongs in the
    outermost layer (docs/hosts/kustomize.md).

    Args:
        sets: PerCluster sets that this run does not render.
        clusters: Namespace and name of every Cluster in the input.
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
