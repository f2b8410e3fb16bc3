"""What came before: our own output in the input (kpt feeds it back) or in a baseline, as the server knows it."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.clusters import Inventory, capi
from krm_fn.surface import RESOURCE_SET_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Owned
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster


class Output:
    """One place of earlier output: the input, or a baseline."""

    def __init__(
        self, owned: Sequence[Owned], clusters: Sequence[Cluster], source: str, items: Sequence[Item] = ()
    ) -> None:
        self.items = items  # all of them, of a baseline
        self.owned = owned
        self.clusters = clusters  # those of its time, if it holds any, with the labels that they had then
        self.source = source  # what messages call it
        self.sets: dict[str, list[ResourceSet]] = {}  # by the config that made them, as the next one
        self.config_maps: dict[str, list[Item]] = {}
        for key, owner, item in sorted(owned, key=lambda one: one.owner):
            if key.kind == RESOURCE_SET_KIND:
                self.sets.setdefault(owner, []).append(capi.read_set(item.value()))
            elif key.kind == "ConfigMap":
                self.config_maps.setdefault(owner, []).append(item)
        self.all_sets = [one for found in self.sets.values() for one in found]
        self.main_sets = [one for one in self.all_sets if one.delivers_agent]


class Baseline(Record):
    """A tree to compare with, as the caller gives it."""

    items: Sequence[Item]
    source: str = "--baseline"  # what messages call it
    nothing: str = ""  # what to report where it holds nothing of ours; "" where that may be


class Before(Record):
    """All that came before a run."""

    output: Output  # our own earlier output in the input
    baseline: Output | None = None  # an earlier rendered tree; None where none was given, or it holds nothing of ours
    nothing: str = ""  # what to report of a baseline that was given and holds nothing to compare with; "" for none
    # whether this is one of several runs, which are checked against the baseline together: until then it only gives names
    several: bool = False

    @property
    def trees(self) -> tuple[Output, ...]:
        """Both of them, the baseline last."""
        return (self.output,) if self.baseline is None else (self.output, self.baseline)

    @property
    def registration_names(self) -> dict[str, tuple[str, str]]:
        """Names that are taken on the parent cluster: name -> (namespace, Cluster)."""
        sets = [one for tree in self.trees for one in tree.all_sets]
        return {one.registration_name: (one.namespace, one.cluster) for one in sets if one.registration_name}


def read(inventory: Inventory, given: Baseline | None, names: Sequence[str] = ()) -> Before:
    """Read what came before; `names` are those of the objects to be made, as for an `Inventory`."""
    # without Clusters: those of the input are those of now
    output = Output(inventory.owned, (), "the earlier output in the input")
    if given is None:
        return Before(output=output)
    there = Inventory(given.items, names)
    if given.nothing and not there.owned:
        return Before(output=output, nothing=given.nothing)
    return Before(output=output, baseline=Output(there.owned, there.clusters, given.source, given.items))


class Coverage:
    """Which ClusterResourceSets reach a Cluster; asked for ten thousand Clusters, so indexed."""

    def __init__(self, sets: Iterable[ResourceSet]) -> None:
        """Index the sets: by the one Cluster they are for, by a label that they ask for, or by namespace."""
        self._index: dict[tuple[str, ...], list[ResourceSet]] = {}
        for one in sets:
            for below in [(one.cluster,)] if one.cluster else one.selector.anchors or [()]:
                self._index.setdefault((one.namespace, *below), []).append(one)

    def of(self, cluster: Cluster) -> list[ResourceSet]:
        """Return the sets that reach a Cluster, by the labels it carries on the server."""
        labels, namespace = cluster.live_labels, cluster.namespace
        others = list(self._index.get((namespace,), ()))
        for label in labels.items():
            others += self._index.get((namespace, *label), ())
        return [*self._index.get(cluster.key, ()), *(one for one in others if one.matches(labels))]


def left(cluster: Cluster, old: Sequence[ResourceSet]) -> bool:
    """Return whether a Cluster left its sets by its labels: the entries in its ClusterResourceSetBinding stay.

    A set that is deleted takes its entry out of the Bindings of the Clusters that it still selects, and of no others.
    """
    return not any(one.matches(cluster.live_labels) for one in old)


def immutable_fields(old: ResourceSet, selector: Mapping[str, Any], strategy: str) -> list[str]:
    """Return the fields of a ClusterResourceSet that would change and that a server refuses to change.

    Source: Cluster API v1.14.0 `internal/webhooks/clusterresourceset.go`.
    """
    changed = {"strategy": old.strategy != strategy, "clusterSelector": old.selector_data != selector}
    return [field for field, differs in changed.items() if differs]
