"""What came before: earlier output as the server knows it, ClusterResourceSets, their carriers, and the Clusters that they reach.

Earlier output is our own in the input (kpt feeds it back) or that of a baseline.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.surface import AGENT_NAMESPACE_ANNOTATION, RESOURCE_SET_KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.clusters.inventory import Inventory, Owned
    from krm_fn.clusters.resource_set import ResourceSet
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, ObjectKey


class Earlier(Record):
    """What earlier output of some configs holds."""

    sets: tuple[ResourceSet, ...]
    agent_namespaces: Mapping[ObjectKey, str]  # the agent's namespace by each ConfigMap with identity manifests
    agents: Mapping[ObjectKey, Item]  # each ConfigMap with agent manifests

    @property
    def main_sets(self) -> tuple[ResourceSet, ...]:
        """The sets that deliver agents."""
        return tuple(one for one in self.sets if one.delivers_agent)


class Tree:
    """One place of earlier output: the input, or a baseline; `source` is what messages call it."""

    def __init__(self, owned: Iterable[Owned], clusters: tuple[Cluster, ...], source: str) -> None:
        self.owned = tuple(owned)
        by_owner: dict[str, list[Owned]] = {}
        for one in self.owned:
            by_owner.setdefault(one.owner, []).append(one)
        self._by_owner = {owner: read(found) for owner, found in sorted(by_owner.items())}
        self.all = self.of(*self._by_owner)  # what it holds of any config
        # those of its time, if it holds any: what reached one was decided by the labels that it had then
        self.clusters = clusters
        self.source = source

    @property
    def owners(self) -> tuple[str, ...]:
        """The configs that it holds output of."""
        return tuple(self._by_owner)

    def of(self, *owners: str) -> Earlier:
        """Return the output of some configs."""
        found = [self._by_owner[owner] for owner in owners if owner in self._by_owner]
        return Earlier(
            sets=tuple(one for earlier in found for one in earlier.sets),
            agent_namespaces={key: one for earlier in found for key, one in earlier.agent_namespaces.items()},
            agents={key: one for earlier in found for key, one in earlier.agents.items()},
        )


class Before(Record):
    """All that came before a run."""

    output: Tree  # our own earlier output in the input
    baseline: Tree | None = None  # an earlier rendered tree; None where none was given, or it holds nothing of ours
    nothing_in: str = ""  # what messages call a tree that was given and holds nothing of ours; "" for none

    @property
    def trees(self) -> tuple[Tree, ...]:
        """Both of them, the baseline last."""
        return (self.output,) if self.baseline is None else (self.output, self.baseline)

    @property
    def registration_names(self) -> dict[str, tuple[str, str]]:
        """Names that are taken on the parent cluster: name -> (namespace, Cluster)."""
        sets = [one for tree in self.trees for one in tree.all.sets]
        return {one.registration_name: (one.key.namespace, one.cluster) for one in sets if one.registration_name}


def before(inventory: Inventory, baseline: Inventory | None, source: str, *, rendered: bool = False) -> Before:
    """Read what came before; `source` is what messages call the baseline, and one that was `rendered` may hold nothing."""
    output = Tree(inventory.owned, (), "the earlier output in the input")  # the Clusters of the input are those of now
    if baseline is None:
        return Before(output=output)
    if not baseline.owned and not rendered:
        return Before(output=output, nothing_in=source)
    return Before(output=output, baseline=Tree(baseline.owned, baseline.clusters, source))


def read(owned: Iterable[Owned]) -> Earlier:
    """Read what the ClusterResourceSets and ConfigMaps among our objects say."""
    from krm_fn.clusters import resource_set  # noqa: PLC0415 - a first run has none

    sets: list[ResourceSet] = []
    namespaces: dict[ObjectKey, str] = {}
    agents: dict[ObjectKey, Item] = {}
    for key, _owner, item in owned:
        if key.kind == RESOURCE_SET_KIND:
            sets.append(resource_set.read(item.value()))
        elif key.kind == "ConfigMap":
            namespace = item.annotations.get(AGENT_NAMESPACE_ANNOTATION)
            if isinstance(namespace, str):
                namespaces[key] = namespace
            else:
                agents[key] = item
    return Earlier(sets=tuple(sets), agent_namespaces=namespaces, agents=agents)
