"""The Plan of builds: what all calls of the function in them made, under the names that it has in the end.

A build may call the function more than once: for several configs in turn, or in several layers, each of which sees its own
resources alone. After a call the build may rename, move, patch or remove objects, Clusters included. What is shown and
compared with an earlier tree is what comes out in the end; what was decided is what each call decided on what it saw.
"""

from __future__ import annotations

import copy

from krm_fn import earlier, plan, surface
from krm_fn.base import Record, some
from krm_fn.clusters import Inventory, capi, key_of
from krm_fn.clusters.verdicts import INVALID, LABELS
from krm_fn.config import name_of
from krm_fn.function import Outcome, ordered
from krm_fn.krm.places import located
from krm_fn.krm.results import INFO, WARNING, Result
from krm_fn.kube.raw import is_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from krm_fn.clusters import Naming, Part
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.files.documents import Tree
    from krm_fn.function import Options
    from krm_fn.krm.items import Item
    from krm_fn.krm.resource_list import ResourceList
    from krm_fn.model import Cluster, Generated, ObjectKey

_LATER = "a later part of the build adds or changes it: run this function in the outermost layer"
_NEAREST = (INVALID, LABELS)  # how near a config came to registering a Cluster


class Call(Record):
    """One call of the function in a build."""

    folder: str  # that was built, as messages call it
    given: ResourceList
    config: Item | None  # the functionConfig, in the user's file where that is known
    outcome: Outcome
    marks: Mapping[ObjectKey, str]  # of the objects made in the build so far, under the names that they had then
    follows: frozenset[int]  # numbers of the calls whose objects it saw

    @property
    def made(self) -> plan.Plan:
        """The Plan of a call that did not fail."""
        assert self.outcome.plan is not None  # noqa: S101 - without errors there is one
        return self.outcome.plan


class JoinedPlan(plan.Plan):
    """A Plan of several calls."""

    ends: tuple[End, ...]

    def decided(self, title: str = "") -> list[Verdict]:
        """Return what was decided about each Cluster by the configs that saw it, under its name in the end."""
        there = {one.key for one in self.inventory.clusters}
        served = {(part.config.owner, one.key) for part in self.parts for one in part.served}
        found = [
            one if not one.matched or (one.config, one.cluster.key) in served else _unreached(one)
            for end in self.ends
            for one in end.decided(title)
            if one.cluster.key in there and (one.matched or (one.config, one.cluster.key) not in served)
        ]
        found += self._later({(one.config, one.cluster.key) for one in found}, served, title)
        if not title:
            best: dict[tuple[str, str], int] = {}
            for one in found:
                best[one.cluster.key] = min(_distance(one), best.get(one.cluster.key, len(_NEAREST) + 1))
            seen: set[tuple[str, str]] = set()
            kept = []
            for one in found:
                key = one.cluster.key
                if _distance(one) == best[key] and (one.matched or key not in seen):
                    seen.add(key)
                    kept.append(one)
            found = kept
        return sorted(found, key=lambda one: (one.config, one.cluster.key))

    def _later(
        self,
        decided: AbstractSet[tuple[str, tuple[str, str]]],
        served: AbstractSet[tuple[str, tuple[str, str]]],
        title: str,
    ) -> Iterator[Verdict]:
        """Yield verdicts on Clusters that no call saw, or saw without the labels by which its sets reach them in the end."""
        known = {key for _, key in decided}
        if not title and served <= decided and known.issuperset(one.key for one in self.inventory.clusters):
            return
        sets = earlier.Coverage(one for end in self.ends for one in end.main_sets(end.call.made.parts))
        for one in super().decided(title):
            pair = one.config, one.cluster.key
            if pair in served and pair not in decided:
                yield one.replace(resource_set=next((found.name for found in sets.of(one.cluster)), one.resource_set))
            elif one.cluster.key not in known:
                yield _unreached(one) if one.matched else one


def _unreached(verdict: Verdict) -> Verdict:
    return verdict.replace(
        matched=False, code=INVALID, rule=_LATER, resource_set="", registration_name="", registration_labels={}
    )


def _distance(verdict: Verdict) -> int:
    """Return how far a config was from registering a Cluster."""
    if verdict.matched:
        return 0
    return 1 + (_NEAREST.index(verdict.code) if verdict.code in _NEAREST else len(_NEAREST))


class End:
    """What one call saw and made, as it is in the end."""

    def __init__(
        self, call: Call, tree: Tree, places: Mapping[str, int], clusters: Mapping[tuple[str, str], Cluster]
    ) -> None:
        """Look at what was built; `places` are positions in the tree by mark, `clusters` all Clusters there."""
        self.call = call
        self.clusters = clusters
        self.objects: dict[ObjectKey, Item] = {
            key: tree.items[places[mark]] for key, mark in call.marks.items() if mark in places
        }
        self.sets = {
            (key.namespace, key.name): item
            for key, item in self.objects.items()
            if key.kind == surface.RESOURCE_SET_KIND
        }
        # namespace -> that of the end, and what was put before and after names there
        self.moved: dict[str, tuple[str, str, str]] = {}
        for (namespace, name), item in self.sets.items():
            before, found, after = item.name.partition(name)
            if found:
                self.moved[namespace] = item.namespace, before, after

    def built(self, cluster: Cluster) -> Cluster | None:
        """Return a Cluster as it is in the end; None where it is not there under a name that would be expected."""
        namespace, before, after = self.moved.get(cluster.namespace, (cluster.namespace, "", ""))
        return self.clusters.get((namespace, f"{before}{cluster.name}{after}")) or self.clusters.get(cluster.key)

    def cluster(self, cluster: Cluster) -> Cluster:
        """Return a Cluster as it is in the end, or as it was seen."""
        return self.built(cluster) or cluster

    def decided(self, title: str) -> Iterator[Verdict]:
        """Yield what the call decided, about one Cluster if its title in the end is given."""
        made = self.call.made
        seen = [one.title for one in made.inventory.clusters if self.cluster(one).title == title] if title else [""]
        for one in (verdict for found in seen for verdict in made.decided(found)):
            item = self.sets.get((one.cluster.namespace, one.resource_set))
            name = one.resource_set if item is None else item.name
            yield one.replace(cluster=self.cluster(one.cluster), resource_set=name)

    def part(self, part: Part, position: int | None) -> tuple[Part, list[Result]]:
        """Return what was made for a config as it is in the end, with a note of what is not there any more."""
        new = copy.copy(part)
        new.config = part.config.replace(origin={**part.config.origin, "item": position})
        new.matched = tuple(self._matched(part))
        new.namings = {self.cluster(one.cluster).key: self._naming(one) for one in part.namings.values()}
        left_out = [one for one in part.matched if one.key in part.skipped]
        new.skipped = {self.cluster(one).key: part.skipped[one.key] for one in left_out}
        new.generated, new.results = [], []
        gone: list[Result] = []
        for one in part.generated:
            item = self.objects.get(one.key)
            if not part.renders:
                new.generated.append(one)
            elif item is not None:
                new.generated.append(one.replace(key=key_of(item), value=item.value()))
            else:
                gone.append(_removed(one))
        return new, gone

    def main_sets(self, parts: Sequence[Part]) -> list[ResourceSet]:
        """Return the sets that deliver the agent, of these parts of the call."""
        made = (key for part in parts if part.renders for key in part.main_sets)
        return [capi.read_set(self.objects[key].value()) for key in made if key in self.objects]

    def _matched(self, part: Part) -> list[Cluster]:
        """Return the Clusters that a config reaches in the end; those that are local-config are not there any more."""
        sets = {one.key: one for one in self.main_sets([part])}
        coverage = earlier.Coverage(sets.values())
        found = {key: one for key, one in self.clusters.items() if coverage.of(one)}
        for one in part.matched:
            now, item = self.cluster(one), self.sets.get((one.namespace, part.config.set_of(one)))
            own = sets.get(key_of(item)) if item is not None else None
            # a set for one Cluster selects by a label that stays when the Cluster is renamed
            if (
                one.local
                or not part.renders
                or (own and own.namespace == now.namespace and own.matches(now.live_labels))
            ):
                found[now.key] = now
        return [one for _, one in sorted(found.items())]

    def _naming(self, naming: Naming) -> Naming:
        return naming.replace(cluster=self.cluster(naming.cluster))

    def lost(self) -> list[str]:
        """Return the titles of Clusters that are renamed, moved or removed later on: what refers to them is not.

        One that had no namespace gets one along with what was made for it.
        """
        local = {
            (item.namespace, item.name) for item in self.call.given.items if item.kind == "Cluster" and is_local(item)
        }
        lost = []
        for cluster in (one for part in self.call.made.parts for one in part.served if one.key not in local):
            built = self.built(cluster)
            if built is None or built.name != cluster.name or cluster.namespace not in {"", built.namespace}:
                lost.append(cluster.title)
        return lost


def _removed(one: Generated) -> Result:
    message = (
        f"{one.key.title} is generated, but a later part of the build removes it: look for a patch that deletes it"
    )
    return Result(message=message, severity=WARNING, rule="built-later")


def joined(calls: Sequence[Call], tree: Tree, places: Mapping[str, int], options: Options) -> Outcome:
    """Return what calls without errors came to, as it is in the end.

    Of several calls of one config over the same objects the last counts.
    """
    inventory = Inventory(tree.items, ())
    clusters = {one.key: one for one in inventory.clusters}
    ends = [End(call, tree, places, clusters) for call in counted(calls)]
    items = list(tree.items)
    results: list[Result] = []
    parts: list[Part] = []
    for end in ends:
        # every config gives the same notes about the input
        said = {one.message for one in results if one.severity == INFO}
        results += [one for one in end.call.outcome.results if one.severity != INFO or one.message not in said]
        for part in end.call.made.parts:
            new, gone = end.part(part, None if end.call.config is None else len(items))
            parts.append(new)
            results += gone
        if end.call.config is not None:
            items.append(end.call.config)
        lost = sorted(set(end.lost()))
        if lost:
            message = (
                f"after this function has run, the build renames, moves or removes {some(lost, 5)}: run it in the outermost"
                " layer, so that its output matches the Clusters"
            )
            results.append(Result(message=message, severity=WARNING, file_path=end.call.folder, rule="built-later"))
    # the build drops those that are local-config in the end, and only the calls know of them
    local = {one.key: one for end in ends for one in end.call.made.inventory.clusters if one.local}
    inventory.clusters = tuple(one for _, one in sorted({**local, **clusters}.items()))
    # what is there was made in this build; only configs in mode Check own nothing of it, and look at it
    now = inventory if not all(part.renders for part in parts) else Inventory((), ())
    before = earlier.read(now, options.baseline)
    compared = plan.check_earlier(parts, before, inventory)
    compared += [one for part in parts for one in part.results]
    results += located(compared, items, None, stream=False, original=options.original)
    redactor = ends[0].call.outcome.redactor
    for end in ends[1:]:
        redactor = redactor.joined(end.call.outcome.redactor)
    final = redactor.results(ordered(results))
    made = JoinedPlan(
        parts=tuple(parts),
        generated=tuple(sorted((new for part in parts for new in part.generated), key=plan.output_order)),
        labelled={},
        revised={},
        results=final,
        inventory=inventory,
        before=before,
        ends=tuple(ends),
    )
    configs = {config.owner: config for end in ends for config in end.call.outcome.configs}
    return Outcome(results=final, redactor=redactor, plan=made, configs=tuple(configs[one] for one in sorted(configs)))


def counted(calls: Sequence[Call]) -> list[Call]:
    """Return the calls that no later call of the same config did again, over what they had made and more."""
    again: set[int] = set()
    for call in calls:
        before = set(call.follows)
        for number in reversed(range(len(calls))):
            before |= calls[number].follows if number in before else frozenset()
        again |= {number for number in before if _same(calls[number], call)}
    return [call for number, call in enumerate(calls) if number not in again]


def _same(one: Call, other: Call) -> bool:
    mine, others = one.given.function_config, other.given.function_config
    return mine is not None and others is not None and name_of(mine) == name_of(others)
