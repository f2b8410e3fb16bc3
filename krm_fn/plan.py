"""The Plan: everything decided about one input, once, for every reader, as named steps.

Pure: no I/O, no clock, no environment. The KRM function, `render`, `plan`, `manifests` and the guards all read the same
Plan, so nothing is decided twice.
"""

from __future__ import annotations

from krm_fn import featuregate, outputs
from krm_fn.base import Record
from krm_fn.clusters import Inventory, Part, capi, naming
from krm_fn.krm.results import INFO, WARNING, Errors, Related, Result, about, has_errors
from krm_fn.surface import CLUSTER_NAME_LABEL, GENERATED, RESOURCE_SET_KIND
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.earlier import Before
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, Config, Generated, Token

    Reached = tuple[Config, Sequence[Cluster]]

# capi#9843: 200 clusters with three sets each made the controller's memory grow beyond its limit.
MANY_SETS = 500

_KINDS = list(GENERATED)


class Plan(Record):
    """What is to be done and why; positions are those of the input."""

    parts: tuple[Part, ...]  # the configs, each with the Clusters it reaches and the objects made for it
    generated: tuple[Generated, ...]  # ordered
    labelled: Mapping[int, Mapping[str, str]]  # labels to set on the user's own items
    revised: Mapping[int, Mapping[str, Any]]  # new values of the user's own items
    results: tuple[Result, ...]  # with an error among them nothing may be emitted
    inventory: Inventory
    before: Before

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What was decided about each Cluster, worked out when asked for."""
        return tuple(self.decided())

    def decided(self, title: str = "") -> list[Verdict]:
        """Return what was decided about each Cluster, or about one by every config: as `verdicts.decided`."""
        from krm_fn.clusters.verdicts import decided  # noqa: PLC0415 - for those who explain

        return decided(self.inventory, self.parts, of=title)


def make(
    configs: Iterable[tuple[Config, Token]],
    others: Iterable[Config],
    items: Sequence[Item],
    inventory: Inventory,
    before: Before,
) -> Plan:
    """Decide everything about an input; `others` are configs that are not rendered and count for overlaps and names."""
    parts = [Part(config, token, inventory) for config, token in configs]
    reached = [(other, inventory.select(other)) for other in others if other.renders]
    _name(parts, reached, before)
    _build(parts)
    results = [*_guard(parts, items, inventory)]
    results += check_earlier(parts, before, inventory)
    results += _references(parts, items, inventory, before)
    if len(parts) + len(reached) > 1 or inventory.owned or inventory.occupied:
        from krm_fn.earlier import overlap  # noqa: PLC0415 - one config on a first run has nothing to clash with

        results += overlap.check(parts, reached, before.output, inventory)
    for part in parts:
        part.results += [*_selector_warnings(part, inventory), *inventory.counts(part, alone=len(parts) == 1)]
        part.results += _notes(part.config)
    revised = _review(parts, items)
    generated = sorted((new for part in parts for new in part.generated), key=output_order)
    return Plan(
        parts=tuple(parts),
        generated=tuple(generated),
        labelled=_labels(parts),
        revised=revised,
        results=(*results, *(result for part in parts for result in part.results), *_many_sets(generated)),
        inventory=inventory,
        before=before,
    )


def output_order(new: Generated) -> tuple[str, int, str]:
    """Return what generated objects are ordered by."""
    return (new.key.namespace, _KINDS.index((new.key.group, new.key.kind)), new.key.name)


# --- select, name, build ---------------------------------------------------------------------------------------------


def _name(parts: Sequence[Part], others: Sequence[Reached], before: Before) -> None:
    """Give every Cluster of PerCluster configs a name that no other Cluster has, in this run or outside of it."""
    if not any(part.config.per_cluster for part in parts):
        return
    rendered = {part.config.owner for part in parts}
    taken = {
        one.registration_name: ((one.namespace, one.cluster), one.owner)
        for one in before.output.all_sets
        if one.registration_name and one.owner not in rendered
    }
    for other, clusters in others:
        if other.per_cluster:
            taken |= {naming.register(other, cluster).name: (cluster.key, other.owner) for cluster in clusters}
    naming.assign(parts, before.registration_names, taken)


def _build(parts: Sequence[Part]) -> None:
    for part in parts:
        try:
            part.generated = list(outputs.build(part))
        except Errors as found:  # noqa: PERF203 - one try per config
            part.results += _placed(part.config, found.results)


def _placed(config: Config, results: Iterable[Result], *, alone: bool = True) -> Iterator[Result]:
    """Yield results; where one names a field of a config alone, it points there. Of several configs, all give the same info."""
    for one in results:
        bare = one.resource_ref is None and one.field.startswith("spec") and (alone or one.severity != INFO)
        yield one.replace(**config.place(one.field)) if bare else one


def _labels(parts: Sequence[Part]) -> dict[int, dict[str, str]]:
    """Return the labels by which PerCluster sets find their Clusters, where these lack them."""
    return {
        one.cluster.origin["item"]: {CLUSTER_NAME_LABEL: one.cluster.name}
        for part in parts
        if part.renders
        for one in part.namings.values()
        if one.needs_label and one.cluster.key not in part.skipped
    }


# --- guard and compare -----------------------------------------------------------------------------------------------


def _guard(parts: Sequence[Part], items: Sequence[Item], inventory: Inventory) -> list[Result]:
    """Report Clusters that can't be served, and configs that reach too few."""
    results: list[Result] = []
    by_namespace = any(part.config.namespace_selector is not None for part in parts)
    if inventory.unreadable or inventory.duplicates or by_namespace:
        from krm_fn.clusters.verdicts import unserved  # noqa: PLC0415 - few inputs have such Clusters

        results += unserved([part.config for part in parts], inventory)
    few = any(not part.served or part.config.guard.min_clusters for part in parts)
    if few and not has_errors(results):  # a Cluster that can't be read might be the one that matches
        from krm_fn.earlier import guard  # noqa: PLC0415 - where there may be too few

        results += guard.check(parts, items, inventory)
    return results


def check_earlier(parts: Sequence[Part], before: Before, inventory: Inventory) -> list[Result]:
    """Check against what came before, where anything did; what is about one config is added to its part."""
    results: list[Result] = []
    if before.several:
        before = before.replace(baseline=None, nothing="")
    if before.output.all_sets or before.baseline is not None:
        from krm_fn.earlier import breaking  # noqa: PLC0415 - a first run has nothing to compare with

        breaking.check(parts, before)
        results += breaking.moves(parts, before.baseline) if before.baseline is not None else ()
    if not before.several and (before.nothing or any(part.config.guard.max_removed is not None for part in parts)):
        from krm_fn.earlier import guard  # noqa: PLC0415 - most runs have neither

        results += guard.removals(parts, before, inventory)
    return results


def _references(parts: Sequence[Part], items: Sequence[Item], inventory: Inventory, before: Before) -> list[Result]:
    """Check what the ClusterResourceSets refer to and this run does not make."""
    for part in parts:
        served = sorted({new.key.namespace for new in part.generated})
        part.results += sources.check(part.config, items, inventory, served)
        if part.config.resource_set.extra_resources:
            from krm_fn.earlier import overlap  # noqa: PLC0415 - few configs have them

            part.results += overlap.extra_resources(part.config, items, served)
    if all(part.renders for part in parts):
        return []
    from krm_fn.earlier import overlap  # noqa: PLC0415 - for mode Check alone

    return list(overlap.broken_references(before.output, items, [part.config.token.kept_secret for part in parts]))


# --- check -----------------------------------------------------------------------------------------------------------


def _selector_warnings(part: Part, inventory: Inventory) -> Iterator[Result]:
    """Warn of label keys that no Cluster will carry."""
    config, clusters, field = part.config, inventory.clusters, "spec.clusterSelector"
    for key in config.cluster_selector.keys if clusters else ():
        if capi.never_set(key) and not any(key in cluster.live_labels for cluster in clusters):
            message = (
                f"{field} of {config.owner} looks at {key}: no Cluster API controller sets {key} on Clusters, and no Cluster"
                " in the input carries it"
            )
            yield about(config, message, rule="live-label", severity=WARNING, field=field)


def _notes(config: Config) -> Iterator[Result]:
    """Note that labels count at the first registration only."""
    if config.identity.labels or config.identity.label_keys:
        message = (
            f"{config.owner}: labels and names reach Clusternet when a cluster first registers; later changes have to be"
            " made on the ManagedCluster"
        )
        yield about(config, message, rule="first-registration", severity=INFO, field="spec.identity")


def _many_sets(generated: Sequence[Generated]) -> Iterator[Result]:
    count = sum(new.key.kind == RESOURCE_SET_KIND for new in generated)
    if count > MANY_SETS:
        message = (
            f"{count} ClusterResourceSets are a load for Cluster API's controllers (kubernetes-sigs/cluster-api#9843);"
            " give the manager more memory, or use identity.mode: Shared"
        )
        yield Result(message=message, severity=WARNING, rule="many-resource-sets")


# --- review ----------------------------------------------------------------------------------------------------------


def _review(parts: Sequence[Part], items: Sequence[Item]) -> dict[int, Mapping[str, Any]]:
    """Look over what the management and the parent cluster run; return new values of such items."""
    revised: dict[int, tuple[Config, Mapping[str, Any]]] = {}
    for part in parts:
        reviews = [featuregate.review(items, part.config)]
        if part.config.hub.asked:
            from krm_fn import hub  # noqa: PLC0415 - a parent cluster's package only

            reviews.append(hub.review(items, part.config))
        for review in reviews:
            part.results += _placed(part.config, review.results, alone=len(parts) == 1)
            for position, value in review.revised.items():
                other, before = revised.setdefault(position, (part.config, value))
                if before != value:
                    part.results.append(_edited_twice(items[position], other, part.config))
    return {position: value for position, (_, value) in revised.items()}


def _edited_twice(item: Item, one: Config, other: Config) -> Result:
    field = "spec.hub.kubeconfigSecretRef"
    message = (
        f"{item.kind} {item.name} is configured differently by ClusternetCAPIConfigs {one.owner} and {other.owner};"
        f" give both the same {field}, or only one of them"
    )
    related = (Related.at(one.owner, one.place(field)), Related.at(f"{item.kind} {item.name}", item.place()))
    return about(other, message, rule="edited-twice", field=field, related=related)
