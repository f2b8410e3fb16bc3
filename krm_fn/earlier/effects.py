"""What a change does to each Cluster: registers, rolls, is ignored, moves, loses its set, registers again, is blocked.

For each Cluster the payload of all its ClusterResourceSets before is held against that of now, whatever was renamed in
between (`workload.transition`). Clusters to which the same happens have one effect.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.clusters.resource_set import Coverage
from krm_fn.earlier.workload import Carriers, Delivery, Reader, Transition, transition
from krm_fn.surface import NAMESPACE_LABEL, REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from krm_fn.clusters.resource_set import ResourceSet
    from krm_fn.model import Cluster, ObjectKey

    Detail = tuple[str, ...]

# What can happen, the most expensive first.
BLOCKED = "blocked"
REGISTERS_AGAIN = "registers-again"
LOSES = "loses-set"
REMOVED = "removed"
ROLLS = "rolls"
IGNORED = "ignored"
MOVES = "moves-set"
RENAMED = "renamed-set"
REGISTERS = "registers"
REPLACED = "replaced"
LEFT = "left-behind"
CODES = (BLOCKED, REGISTERS_AGAIN, LOSES, REMOVED, ROLLS, IGNORED, MOVES, RENAMED, REGISTERS, REPLACED, LEFT)

_EACH = "*"  # replaces a Cluster's name in the names of its own objects


class Effect(Record):
    """What happens to some Clusters.

    Attributes:
        code: One of `CODES`.
        clusters: Titles of the Clusters, sorted.
        field: What changes or is in the way: `parentURL`, `agent.namespace`, an immutable field.
        before: Its value, or the ClusterResourceSet, until now.
        after: Its value, or the ClusterResourceSet, from now on.
        objects: Titles of the objects on the workload cluster that it is about.
    """

    code: str
    clusters: tuple[str, ...]
    field: str = ""
    before: str = ""
    after: str = ""
    objects: tuple[str, ...] = ()


class Side(Record):
    """One side of a comparison.

    Attributes:
        sets: ClusterResourceSets.
        carriers: What they refer to.
        clusters: Clusters; None where the tree holds none, so that it is unknown which there were.
    """

    sets: tuple[ResourceSet, ...]
    carriers: Carriers
    clusters: tuple[Cluster, ...] | None


def effects(before: Side, after: Side) -> tuple[Effect, ...]:
    """Return what happens to the Clusters of both sides, in the order of `CODES`."""
    found: dict[tuple[str, Detail, Detail], list[str]] = {}
    for title, what in _each(before, after):
        found.setdefault(what, []).append(title)
    made = [
        Effect(code=code, clusters=tuple(sorted(titles)), field=field, before=old, after=new, objects=tuple(objects))
        for (code, (field, old, new), objects), titles in found.items()
    ]
    return tuple(sorted(made, key=lambda one: (CODES.index(one.code), one.field, one.before, one.after, one.objects)))


def _each(before: Side, after: Side) -> Iterator[tuple[str, tuple[str, Detail, Detail]]]:
    """Yield the title of a Cluster and one thing that happens to it."""
    blocked, current = _as_on_the_server(before.sets, after.sets)
    covered, covering = Coverage(before.sets), Coverage(current)
    kept = {one.key for one in after.sets}
    then = None if before.clusters is None else {cluster.key: cluster for cluster in before.clusters}
    transitions = _Transitions(before.carriers, after.carriers)
    here = set()
    for cluster in after.clusters or ():
        here.add(cluster.key)
        known = cluster if then is None or cluster.local else None
        past = known if then is None else then.get(cluster.key, known)
        old, new = [] if past is None else covered.of(past), covering.of(cluster)
        for what in _of_cluster(cluster, old, new, kept, transitions):
            yield cluster.title, what
        for one in new:
            for field in blocked.get(one.key, ()):
                title = f"ClusterResourceSet {_name(one, cluster)}"
                yield cluster.title, (BLOCKED, (field, "", ""), (title,))
    for key, cluster in (then or {}).items():
        if key not in here and any(one.delivers_agent for one in covered.of(cluster)):
            yield cluster.title, (REMOVED, ("", "", ""), ())


def _as_on_the_server(
    before: Sequence[ResourceSet], after: Sequence[ResourceSet]
) -> tuple[dict[ObjectKey, list[str]], list[ResourceSet]]:
    """Return the immutable fields that differ, and the new sets with the fields that the server keeps."""
    then = {one.key: one for one in before}
    blocked: dict[ObjectKey, list[str]] = {}
    current = []
    for one in after:
        old = then.get(one.key)
        if old is not None and old.selector_data != one.selector_data:
            blocked.setdefault(one.key, []).append("clusterSelector")
        if old is not None and old.strategy != one.strategy:
            blocked.setdefault(one.key, []).append("strategy")
        if old is not None and one.key in blocked:
            one = one.replace(selector=old.selector, selector_data=old.selector_data, strategy=old.strategy)  # noqa: PLW2901 - as the server has it
        current.append(one)
    return blocked, current


def _of_cluster(
    cluster: Cluster,
    old: Sequence[ResourceSet],
    new: Sequence[ResourceSet],
    kept: set[ObjectKey],
    transitions: _Transitions,
) -> Iterator[tuple[str, Detail, Detail]]:
    """Yield what happens to one Cluster that is in the input."""
    was = [one for one in old if one.delivers_agent]
    now = [one for one in new if one.delivers_agent]
    if not was and not now:
        return
    if not was:
        yield REGISTERS, ("", "", _name(now[0], cluster)), ()
        return
    if not now:
        yield LOSES, ("", _name(was[0], cluster), ""), ()
        return
    if not {one.key.name for one in was} & {one.key.name for one in now}:
        yield _moved(cluster, was[0], now[0], kept)
    yield from _on_the_cluster(transitions.of(cluster, old, new))


def _on_the_cluster(found: Transition) -> Iterator[tuple[str, Detail, Detail]]:
    """Yield what happens on a workload cluster that goes on being served."""
    for title, field in found.refused:
        yield BLOCKED, (field, "", ""), (title,)
    if found.namespaces:
        yield REGISTERS_AGAIN, ("agent.namespace", *found.namespaces), ()
        return  # all else is part of it
    if found.parents:
        yield REGISTERS_AGAIN, ("parentURL", *found.parents), ()
    if found.rolls:
        yield ROLLS, ("", "", ""), ()
    if found.ignored:
        yield IGNORED, ("", "", ""), found.ignored
    # a restart takes up what the registration Secret holds
    updated = [one for one in (*found.created, *found.replaced) if not (found.rolls and _is_registration(one))]
    if updated:
        yield REPLACED, ("", "", ""), tuple(sorted(updated))
    if found.left:
        yield LEFT, ("", "", ""), found.left


def _is_registration(title: str) -> bool:
    return title.startswith("Secret ") and title.endswith(f"/{REGISTRATION_SECRET}")


def _moved(cluster: Cluster, was: ResourceSet, now: ResourceSet, kept: set[ObjectKey]) -> tuple[str, Detail, Detail]:
    """Return a move to another set, or that the set itself has another name and why."""
    names = (_name(was, cluster), _name(now, cluster))
    # A set that is deleted takes its entry out of the Bindings of the Clusters that it still selects, and of no others.
    if was.key in kept or not was.matches(cluster.live_labels):
        return MOVES, ("", *names), ()
    if bool(was.cluster) != bool(now.cluster):
        reason = "identity.mode"
    elif was.strategy != now.strategy:
        reason = "strategy"
    elif not was.cluster and was.selector_data != now.selector_data:
        reason = "clusterSelector"
    else:
        reason = ""
    return RENAMED, (reason, *names), ()


class _Transitions:
    """Works out transitions, each distinct one once: ten thousand Clusters have a handful of payloads."""

    def __init__(self, before: Carriers, after: Carriers) -> None:
        self._sides = (_Deliveries(before), _Deliveries(after))
        self._reader = Reader()
        self._known: dict[tuple[tuple[Delivery, ...], tuple[Delivery, ...]], Transition] = {}

    def of(self, cluster: Cluster, old: Sequence[ResourceSet], new: Sequence[ResourceSet]) -> Transition:
        """Return what becomes of a Cluster's workload cluster."""
        before, after = self._sides[0].to(cluster, old), self._sides[1].to(cluster, new)
        if before == after:
            return _SAME
        found = self._known.get((before, after))
        if found is None:
            found = self._known[before, after] = transition(before, after, self._reader)
        return found


_SAME = Transition()


class _Deliveries:
    """What the sets of one side deliver, without the names that differ per Cluster or namespace."""

    def __init__(self, carriers: Carriers) -> None:
        self._carriers = carriers
        self._shared: dict[tuple[Any, ...], tuple[Delivery, ...]] = {}  # of sets for more than one Cluster

    def to(self, cluster: Cluster, sets: Sequence[ResourceSet]) -> tuple[Delivery, ...]:
        """Return what a Cluster gets, identity first."""
        found: tuple[Delivery, ...] = ()
        for one in sorted(sets, key=lambda found: (found.delivers_agent, found.key.name)):
            if one.cluster:
                found += self._of(one, cluster)
                continue
            key = (one.key, one.strategy, one.resources)
            if key not in self._shared:
                self._shared[key] = self._of(one, cluster)
            found += self._shared[key]
        return found

    def _of(self, one: ResourceSet, cluster: Cluster) -> tuple[Delivery, ...]:
        deliveries = []
        for kind, name in one.resources:
            texts = self._carriers.texts(one.key.namespace, kind, name)
            deliveries.append(
                Delivery(
                    set=_name(one, cluster),
                    strategy=one.strategy,
                    kind=kind,
                    name=_shared(name, cluster) if one.cluster else name,
                    texts=None if texts is None else tuple(_without_names(text, cluster, one) for text in texts),
                )
            )
        return tuple(deliveries)


def _name(one: ResourceSet, cluster: Cluster) -> str:
    return _shared(one.key.name, cluster) if one.cluster else one.key.name


def _shared(name: str, cluster: Cluster) -> str:
    """Return a name with that of the Cluster replaced."""
    own = f".{cluster.name}"
    return f"{name[: -len(own)]}.{_EACH}" if name.endswith(own) else name


def _without_names(text: str, cluster: Cluster, one: ResourceSet) -> str:
    """Return a payload without the names that differ per Cluster or namespace."""
    if one.registration_name:
        return text.replace(f'"--cluster-reg-name={one.registration_name}"', f'"--cluster-reg-name={_EACH}"')
    return text.replace(f"{NAMESPACE_LABEL}={cluster.namespace}", f"{NAMESPACE_LABEL}={_EACH}")
