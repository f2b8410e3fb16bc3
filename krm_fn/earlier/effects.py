"""What a change does to each Cluster: registers, rolls, is ignored, moves, loses its set, registers again, is blocked.

For each Cluster the payload of all its ClusterResourceSets before is held against that of now, whatever was renamed in
between (`workload.transition`). Clusters to which the same happens have one effect.
"""

from __future__ import annotations

from functools import cache

from krm_fn.base import Record
from krm_fn.clusters.resource_set import Coverage
from krm_fn.earlier.breaking import immutable_fields, left
from krm_fn.earlier.workload import Delivery, transition
from krm_fn.kube import raw, secrets
from krm_fn.surface import EXTERNAL_SECRET_KIND, EXTERNAL_SECRETS_GROUP, NAMESPACE_LABEL, REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.resource_set import ResourceSet
    from krm_fn.earlier.workload import Transition
    from krm_fn.krm.items import Item
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
# What brings a Secret or ConfigMap into being, by group and kind.
_CARRIERS = {
    ("", "Secret"): "Secret",
    ("", "ConfigMap"): "ConfigMap",
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): "Secret",
}


class Effect(Record):
    """What happens to some Clusters."""

    code: str  # one of `CODES`
    clusters: tuple[str, ...]  # titles of the Clusters, sorted
    field: str = ""  # what changes or is in the way: `parentURL`, `agent.namespace`, an immutable field
    before: str = ""  # its value, or the ClusterResourceSet, until now
    after: str = ""  # its value, or the ClusterResourceSet, from now on
    objects: tuple[str, ...] = ()  # titles of the objects on the workload cluster that it is about


class Side:
    """One side of a comparison: the ClusterResourceSets and Clusters of a tree, and what the sets deliver."""

    def __init__(
        self,
        sets: Sequence[ResourceSet],
        clusters: Sequence[Cluster],
        ours: Mapping[ObjectKey, Mapping[str, Any]],
        items: Iterable[Item],
    ) -> None:
        """Take what a tree holds: sets, Clusters if any, our objects, and all items, in which users keep what sets deliver."""
        self.sets = tuple(sets)
        self.clusters = clusters
        self._ours = {
            (key.namespace, _CARRIERS[key.group, key.kind], key.name): value
            for key, value in ours.items()
            if (key.group, key.kind) in _CARRIERS
        }
        self._items = items
        self._theirs: dict[tuple[str, str, str], Item] = {}  # looked for only where a set refers to one
        self._texts: dict[tuple[str, str, str], tuple[str, ...] | None] = {}
        self._shared: dict[tuple[Any, ...], tuple[Delivery, ...]] = {}  # of sets for more than one Cluster

    def deliveries(self, cluster: Cluster, sets: Sequence[ResourceSet]) -> tuple[Delivery, ...]:
        """Return what a Cluster gets from some sets, identity first, without names that differ per Cluster or namespace."""
        found: tuple[Delivery, ...] = ()
        for one in sorted(sets, key=lambda found: (found.delivers_agent, found.key.name)):
            key = (one.key, one.strategy, one.resources)
            made = self._shared.get(key) or self._of(one, cluster)
            if not one.cluster:
                self._shared[key] = made
            found += made
        return found

    def _of(self, one: ResourceSet, cluster: Cluster) -> tuple[Delivery, ...]:
        deliveries = []
        for kind, name in one.resources:
            texts = self._read((one.namespace, kind, name))
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

    def _read(self, key: tuple[str, str, str]) -> tuple[str, ...] | None:
        """Return the values of a Secret or ConfigMap in the order of their keys.

        None where it is not in the tree, or can't be read there (a SealedSecret, values that SOPS has encrypted).
        """
        if key not in self._texts:
            value = self._ours.get(key)
            if value is None:
                items, self._items = self._items, ()
                for item in items:
                    kind = _CARRIERS.get((item.group, item.kind))
                    if kind:
                        self._theirs.setdefault((item.namespace, kind, item.name), item)
                value = self._theirs[key].value() if key in self._theirs else None
            self._texts[key] = None if value is None else _values(value)
        return self._texts[key]


def _values(carrier: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the values of a Secret, a ConfigMap or an ExternalSecret's template; None where they can't be read."""
    data: Mapping[str, Any] = raw.mapping(carrier, "data")
    if carrier.get("kind") == "Secret":
        data = secrets.texts(carrier)
    elif carrier.get("kind") == EXTERNAL_SECRET_KIND:
        data = raw.mapping(carrier, "spec", "target", "template", "data")
    if not all(isinstance(text, str) and not secrets.encrypted(text) for text in data.values()):
        return None
    return tuple(data[key] for key in sorted(data))


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
    then = {cluster.key: cluster for cluster in before.clusters}
    becomes = cache(transition)  # ten thousand Clusters have a handful of payloads
    for cluster in after.clusters:
        past = then.pop(cluster.key, cluster if cluster.local or not before.clusters else None)
        old, new = [] if past is None else covered.of(past), covering.of(cluster)
        was, now = ([one for one in sets if one.delivers_agent] for sets in (old, new))
        if not {one.name for one in was} & {one.name for one in now}:
            yield from ((cluster.title, what) for what in _of_sets(cluster, was, now))
        if was and now:
            payloads = before.deliveries(cluster, old), after.deliveries(cluster, new)
            found = _on_the_cluster(becomes(*payloads)) if payloads[0] != payloads[1] else ()
            yield from ((cluster.title, what) for what in found)
        for one in new:
            for field in blocked.get(one.key, ()):
                title = f"ClusterResourceSet {_name(one, cluster)}"
                yield cluster.title, (BLOCKED, (field, "", ""), (title,))
    for cluster in then.values():
        if any(one.delivers_agent for one in covered.of(cluster)):
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
        fields = [] if old is None else immutable_fields(old, one.selector_data, one.strategy)
        if old is not None and fields:
            blocked[one.key] = fields
            one = one.replace(selector=old.selector, selector_data=old.selector_data, strategy=old.strategy)  # noqa: PLW2901 - as the server has it
        current.append(one)
    return blocked, current


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


def _of_sets(
    cluster: Cluster, was: Sequence[ResourceSet], now: Sequence[ResourceSet]
) -> Iterator[tuple[str, Detail, Detail]]:
    """Yield what it means that other sets, or none, deliver a Cluster's agent: for a set with another name, also why."""
    names = tuple(_name(sets[0], cluster) if sets else "" for sets in (was, now))
    if not was or not now:
        if was or now:
            yield REGISTERS if now else LOSES, ("", *names), ()
        return
    if left(cluster, was):
        yield MOVES, ("", *names), ()
        return
    old, new = was[0], now[0]
    reasons = ["identity.mode"] if bool(old.cluster) != bool(new.cluster) else []
    reasons += immutable_fields(old, new.selector_data, new.strategy)
    yield RENAMED, (reasons[0] if reasons else "", *names), ()


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
