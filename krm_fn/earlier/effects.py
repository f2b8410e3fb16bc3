"""What a change does to each Cluster: registers, rolls, is ignored, moves, loses its set, registers again, is blocked.

For each Cluster the payload of all its ClusterResourceSets before is compared with the present one, whatever was renamed in
between, as Cluster API's controller does it (v1.14.2 `core/reconcilers/clusterresourceset`). A ClusterResourceSetBinding
records per set and resource the hash of what was applied. `Reconcile` applies a resource whose hash has changed, or that
the set has not applied yet: it creates objects and replaces those that exist. `ApplyOnce` applies a resource once, and then
creates only. Nothing is ever pruned. An object that the server refuses stops no other one.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import NamedTuple

from krm_fn.base import Record
from krm_fn.earlier import Coverage, immutable_fields, left
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_stream
from krm_fn.kube import raw, secrets
from krm_fn.surface import (
    AGENT,
    APPLY_ONCE,
    EXTERNAL_SECRET_KIND,
    GENERATED,
    NAMESPACE_LABEL,
    PARENT_URL_KEY,
    REGISTRATION_SECRET,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, ObjectKey

    Texts = tuple[str, ...] | None  # values of a Secret or ConfigMap in the order of their keys; None where not known
    Objects = Mapping[str, Mapping[str, Any]]  # by title, such as `Deployment clusternet-system/clusternet-agent`

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
_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")


class Effect(Record):
    """What happens to some Clusters."""

    code: str  # one of `CODES`
    clusters: tuple[str, ...] = ()  # titles of the Clusters, sorted
    field: str = ""  # what changes or is in the way: `parentURL`, `agent.namespace`, an immutable field
    before: str = ""  # its value, or the ClusterResourceSet, until now
    after: str = ""  # its value, or the ClusterResourceSet, from now on
    objects: tuple[str, ...] = ()  # titles of the objects on the workload cluster that it is about


class Delivered(NamedTuple):
    """One resource of a ClusterResourceSet."""

    set: str
    strategy: str
    kind: str
    name: str
    texts: Texts


# --- what Clusters get -----------------------------------------------------------------------------------------------


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
        self.sets = sets
        self.clusters = clusters
        self._ours = {
            (key.namespace, GENERATED[key.group, key.kind], key.name): value
            for key, value in ours.items()
            if GENERATED.get((key.group, key.kind))
        }
        self._items = items
        self._theirs: dict[tuple[str, str, str], Item] = {}  # looked for only where a set refers to one
        self._texts: dict[tuple[str, str, str], Texts] = {}
        self._shared: dict[ObjectKey, tuple[Delivered, ...]] = {}  # of sets for more than one Cluster

    def deliveries(self, cluster: Cluster, sets: Sequence[ResourceSet]) -> tuple[Delivered, ...]:
        """Return what a Cluster gets from some sets, identity first, without names that differ per Cluster or namespace."""
        found: tuple[Delivered, ...] = ()
        for one in sorted(sets, key=lambda found: (found.delivers_agent, found.name)):
            made = self._shared.get(one.key) or tuple(self._of(one, cluster))
            if not one.cluster:
                self._shared[one.key] = made
            found += made
        return found

    def _of(self, one: ResourceSet, cluster: Cluster) -> Iterator[Delivered]:
        own, each = f"{NAMESPACE_LABEL}={cluster.namespace}", f"{NAMESPACE_LABEL}={_EACH}"
        if one.registration_name:
            own, each = f'"--cluster-reg-name={one.registration_name}"', f'"--cluster-reg-name={_EACH}"'
        for kind, name in one.resources:
            key = (one.namespace, kind, name)
            if key not in self._texts:
                self._texts[key] = self._read(key)
            texts = self._texts[key]
            texts = None if texts is None else tuple(text.replace(own, each) for text in texts)
            yield Delivered(_name(one, cluster), one.strategy, kind, _name(one, cluster, name), texts)

    def _read(self, key: tuple[str, str, str]) -> Texts:
        """Return the values of a Secret, a ConfigMap or an ExternalSecret's template.

        None where it is not in the tree, or can't be read there (a SealedSecret, values that SOPS has encrypted).
        """
        carrier = self._ours.get(key)
        if carrier is None:
            items, self._items = self._items, ()
            for item in items:
                kind = GENERATED.get((item.group, item.kind))
                if kind:
                    self._theirs.setdefault((item.namespace, kind, item.name), item)
            if key not in self._theirs:
                return None
            carrier = self._theirs[key].value()
        data: Mapping[str, Any] = raw.mapping(carrier, "data")
        if carrier.get("kind") == "Secret":
            data = secrets.texts(carrier)
        elif carrier.get("kind") == EXTERNAL_SECRET_KIND:
            data = raw.mapping(carrier, "spec", "target", "template", "data")
        known = all(isinstance(text, str) and not secrets.encrypted(text) for text in data.values())
        return tuple(data[name] for name in sorted(data)) if known else None


def _name(one: ResourceSet, cluster: Cluster, name: str = "") -> str:
    """Return the name of a set, or of a resource of it, with that of its one Cluster replaced."""
    name, own = name or one.name, f".{cluster.name}"
    return f"{name[: -len(own)]}.{_EACH}" if one.cluster and name.endswith(own) else name


# --- what happens to Clusters ----------------------------------------------------------------------------------------


def effects(before: Side, after: Side) -> tuple[Effect, ...]:
    """Return what happens to the Clusters of both sides, in the order of `CODES`; the same to several is one effect."""
    found: dict[Effect, list[str]] = {}
    for cluster, effect in _each(before, after):
        found.setdefault(effect, []).append(cluster.title)
    made = [effect.replace(clusters=tuple(sorted(titles))) for effect, titles in found.items()]
    return tuple(sorted(made, key=lambda one: (CODES.index(one.code), one.field, one.before, one.after, one.objects)))


def _each(before: Side, after: Side) -> Iterator[tuple[Cluster, Effect]]:
    """Yield a Cluster and one thing that happens to it."""
    blocked, current = _as_on_the_server(before.sets, after.sets)
    covered, covering = Coverage(before.sets), Coverage(current)
    then = {cluster.key: cluster for cluster in before.clusters}
    unseen = not any(cluster.local for cluster in before.clusters)  # kustomize drops those that are local-config
    becomes = cache(on_the_cluster)  # ten thousand Clusters have a handful of payloads
    for cluster in after.clusters:
        past = then.pop(cluster.key, cluster if not before.clusters or (cluster.local and unseen) else None)
        old, new = [] if past is None else covered.of(past), covering.of(cluster)
        was, now = ([one for one in sets if one.delivers_agent] for sets in (old, new))
        if not {one.name for one in was} & {one.name for one in now}:
            yield from ((cluster, effect) for effect in _of_sets(cluster, was, now))
        if was and now:
            payloads = before.deliveries(cluster, old), after.deliveries(cluster, new)
            found = becomes(*payloads) if payloads[0] != payloads[1] else ()
            yield from ((cluster, effect) for effect in found)
        for one in new:
            for field in blocked.get(one.key, ()):
                title = f"ClusterResourceSet {_name(one, cluster)}"
                yield cluster, Effect(code=BLOCKED, field=field, objects=(title,))
    for cluster in then.values():
        if any(one.delivers_agent for one in covered.of(cluster)):
            yield cluster, Effect(code=REMOVED)


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


def _of_sets(cluster: Cluster, was: Sequence[ResourceSet], now: Sequence[ResourceSet]) -> Iterator[Effect]:
    """Yield what it means that other sets, or none, deliver a Cluster's agent: for a set with another name, also why."""
    old, new = (_name(sets[0], cluster) if sets else "" for sets in (was, now))
    if was and now:
        code, field = MOVES, ""
        if not left(cluster, was):
            code, fields = RENAMED, immutable_fields(was[0], now[0].selector_data, now[0].strategy)
            field = "identity.mode" if bool(was[0].cluster) != bool(now[0].cluster) else next(iter(fields), "")
        yield Effect(code=code, field=field, before=old, after=new)
    elif was or now:
        yield Effect(code=REGISTERS if now else LOSES, before=old, after=new)


# --- what happens on a workload cluster ------------------------------------------------------------------------------


def on_the_cluster(before: Sequence[Delivered], after: Sequence[Delivered]) -> tuple[Effect, ...]:
    """Return what happens on a workload cluster that has received everything delivered before, and is still served."""
    then: dict[str, Mapping[str, Any]] = {}
    for one in before:
        objects = read_objects(one.texts or ())
        then.update({title: objects[title] for title in objects if one.strategy != APPLY_ONCE or title not in then})
    now, ignored, refused = _applied(then, before, after)
    found = [Effect(code=BLOCKED, field=field, objects=(title,)) for title, field in refused.items()]
    namespaces, parents = _agent_namespace(then, now), _parent(then, now)
    if namespaces is not None:  # all else is part of it
        return (
            *found,
            Effect(code=REGISTERS_AGAIN, field="agent.namespace", before=namespaces[0], after=namespaces[1]),
        )
    if parents is not None:
        found.append(Effect(code=REGISTERS_AGAIN, field="parentURL", before=parents[0], after=parents[1]))
    updated = sorted(title for title in now if then.get(title) != now[title])
    rolls = [one for one in updated if one in then and _is_agent(now[one]) and _pods(then[one]) != _pods(now[one])]
    if rolls:  # a restart takes up what the registration Secret holds
        found.append(Effect(code=ROLLS))
        updated = [one for one in updated if one not in rolls and not _is_registration(now[one])]
    delivered = read_objects(text for one in after for text in one.texts or ())
    spared = sorted(title for title in ignored if now.get(title) != delivered.get(title))
    stay = () if any(one.texts is None for one in after) else sorted(then.keys() - delivered.keys())
    titles = {IGNORED: spared, REPLACED: updated, LEFT: stay}
    return (*found, *(Effect(code=code, objects=tuple(objects)) for code, objects in titles.items() if objects))


def _applied(
    then: Objects, before: Sequence[Delivered], after: Sequence[Delivered]
) -> tuple[dict[str, Mapping[str, Any]], set[str], dict[str, str]]:
    """Return the objects after a delivery, those that ApplyOnce spares, and those that are refused, with the field."""
    texts = {(one.set, one.kind, one.name): one.texts for one in before}
    now, ignored, refused = dict(then), set[str](), dict[str, str]()
    for one in after:
        at = (one.set, one.kind, one.name)
        known, was, once = at in texts, texts.get(at), one.strategy == APPLY_ONCE
        if one.texts is None or one.texts == was or (known and was is None):
            continue  # nothing new, or it is unknown what was there
        for title, value in read_objects(one.texts).items():
            old = now.get(title)
            if old is not None and old != value and not once and (field := immutable(old, value)):
                refused[title] = field
            elif once and (known if old is None else old != value):
                ignored.add(title)
            else:
                now[title] = value
    return now, ignored, refused


def read_objects(texts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the objects of some texts by title; what can't be read is left out, as Cluster API can't apply it."""
    found: dict[str, Mapping[str, Any]] = {}
    for text in texts:
        found.update(_objects(text))
    return found


@lru_cache(maxsize=1024)
def _objects(text: str) -> Objects:
    try:
        return {raw.title(item): item.value() for item in read_stream(text.encode())}
    except Errors:
        return {}


def immutable(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the field because of which a server refuses to replace an object; "" if it does not."""
    kind = new.get("kind")
    if kind in _BINDINGS and old.get("roleRef") != new.get("roleRef"):
        return "roleRef"
    if kind in _WITH_PODS and raw.dig(old, "spec", "selector") != raw.dig(new, "spec", "selector"):
        return "spec.selector"
    if kind == "Secret" and old.get("type", "Opaque") != new.get("type", "Opaque"):
        return "type"
    return ""


def _pods(deployment: Mapping[str, Any]) -> Any:
    return raw.dig(deployment, "spec", "template")


def _is_agent(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Deployment" and raw.text(value, "metadata", "name") == AGENT


def _is_registration(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Secret" and raw.text(value, "metadata", "name") == REGISTRATION_SECRET


def _agent_namespace(then: Objects, now: Objects) -> tuple[str, str] | None:
    """Return the namespace of the newest agent before and after; None where it is the same, or there is none."""
    old, new = ([raw.text(one, "metadata", "namespace") for one in of.values() if _is_agent(one)] for of in (then, now))
    return (old[-1], new[-1]) if old and new and old[-1] != new[-1] else None


def _parent(then: Objects, now: Objects) -> tuple[str, str] | None:
    """Return the parent URL that the newest agent gets before and after; None where it is the same, or not known."""
    old, new = (
        [secrets.texts(one).get(PARENT_URL_KEY) for one in of.values() if _is_registration(one)] for of in (then, now)
    )
    known = (old[-1], new[-1]) if old and new and old[-1] and new[-1] else None
    return known if known and known[0] != known[1] else None
