"""What ClusterResourceSets do to one workload cluster, as Cluster API's controller does it.

Source: Cluster API v1.14.2 `core/reconcilers/clusterresourceset`. A ClusterResourceSetBinding records per set and resource the
hash of what was applied. `Reconcile` applies a resource whose hash is another one, or that the set has not applied yet: it
creates objects and replaces those that exist. `ApplyOnce` applies a resource once, and then creates only. Nothing is ever
pruned. An object that the server refuses stops no other one.

`Carriers` looks up what sets refer to: the Secrets and ConfigMaps of a tree.
"""

from __future__ import annotations

from typing import NamedTuple

from krm_fn.base import Record
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_stream
from krm_fn.kube import raw, secrets
from krm_fn.surface import AGENT, EXTERNAL_SECRET_KIND, EXTERNAL_SECRETS_GROUP, PARENT_URL_KEY, REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import ObjectKey

    Values = Callable[[], Mapping[str, Any]]

APPLY_ONCE = "ApplyOnce"

_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")
_KINDS = {
    ("", "Secret"): "Secret",
    ("", "ConfigMap"): "ConfigMap",
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): "Secret",
}


class Carriers:
    """The payloads of one tree, looked up by namespace, kind and name."""

    def __init__(self, ours: Iterable[tuple[ObjectKey, Values]], items: Sequence[Item]) -> None:
        """Take generated objects, and the user's, which are looked through only where a set refers to one of them."""
        self._values: dict[tuple[str, str, str], Values] = {}
        for key, value in ours:
            kind = _KINDS.get((key.group, key.kind))
            if kind:
                self._values[key.namespace, kind, key.name] = value
        self._items: Sequence[Item] = items
        self._known: dict[tuple[str, str, str], tuple[str, ...] | None] = {}

    def texts(self, namespace: str, kind: str, name: str) -> tuple[str, ...] | None:
        """Return the values of a Secret or ConfigMap in the order of their keys.

        None where it is not in the tree, or can't be read there (a SealedSecret, values that SOPS has encrypted).
        """
        key = (namespace, kind, name)
        if key not in self._known:
            value = self._values.get(key) or self._look_up(key)
            self._known[key] = None if value is None else texts_of(value())
        return self._known[key]

    def _look_up(self, key: tuple[str, str, str]) -> Values | None:
        items, self._items = self._items, ()
        for item in items:
            kind = _KINDS.get((item.group, item.kind))
            if kind:
                self._values.setdefault((item.namespace, kind, item.name), item.value)
        return self._values.get(key)


def texts_of(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the values of a Secret, a ConfigMap or an ExternalSecret's template; None where they can't be read."""
    kind = value.get("kind")
    if kind == "Secret":
        data: Mapping[str, Any] = secrets.texts(value)
    else:
        data = raw.mapping(
            value, *(("spec", "target", "template", "data") if kind == EXTERNAL_SECRET_KIND else ("data",))
        )
    if not all(isinstance(text, str) and not secrets.encrypted(text) for text in data.values()):
        return None
    return tuple(data[key] for key in sorted(data))


class Delivery(NamedTuple):
    """One resource of a ClusterResourceSet.

    Attributes:
        set: Name of the set.
        strategy: Its strategy.
        kind: `Secret` or `ConfigMap`.
        name: Name of the resource.
        texts: Its values in the order of their keys; None where the resource is not known.
    """

    set: str
    strategy: str
    kind: str
    name: str
    texts: tuple[str, ...] | None

    @property
    def entry(self) -> tuple[str, str, str]:
        """What a ClusterResourceSetBinding records it under."""
        return (self.set, self.kind, self.name)


class Transition(Record):
    """What becomes of a workload cluster; objects are titles such as `Deployment clusternet-system/clusternet-agent`.

    Attributes:
        rolls: Whether the agent's pods are replaced.
        created: Objects that are new.
        replaced: Objects that are replaced by different ones, the agent's Deployment not among them where it rolls.
        ignored: Objects that differ, and that ApplyOnce leaves as they are.
        refused: Objects that the server refuses, each with the immutable field.
        left: Objects that nothing delivers any more; they stay.
        parents: The parent URL before and after, where the agent gets another one.
        namespaces: The agent's namespace before and after, where it gets another one.
    """

    rolls: bool = False
    created: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    left: tuple[str, ...] = ()
    parents: tuple[str, str] | None = None
    namespaces: tuple[str, str] | None = None


class Reader:
    """Reads the objects of payloads, each text once."""

    def __init__(self) -> None:
        self._known: dict[str, dict[str, Mapping[str, Any]]] = {}

    def objects(self, texts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """Return the objects of some texts by title; what can't be read is left out, as Cluster API can't apply it."""
        found: dict[str, Mapping[str, Any]] = {}
        for text in texts:
            if text not in self._known:
                self._known[text] = _read(text)
            found.update(self._known[text])
        return found


def transition(before: Sequence[Delivery], after: Sequence[Delivery], reader: Reader) -> Transition:
    """Return what becomes of a workload cluster that has got everything that was delivered before."""
    then: dict[str, Mapping[str, Any]] = {}
    applied: dict[tuple[str, str, str], tuple[str, ...] | None] = {}
    for one in before:
        applied[one.entry] = one.texts
        for title, value in reader.objects(one.texts or ()).items():
            if one.strategy != APPLY_ONCE or title not in then:
                then[title] = value
    live = _Live(then)
    for one in after:
        known = one.entry in applied
        was = applied.get(one.entry)
        if one.texts is None or one.texts == was or (known and was is None):
            continue  # nothing new, or it is unknown what was there
        once = one.strategy == APPLY_ONCE
        for title, value in reader.objects(one.texts).items():
            live.apply(title, value, replace=not once, create=not (once and known))
    delivered = reader.objects(text for one in after for text in one.texts or ())
    found = _difference(then, live, delivered)
    return found.replace(left=()) if any(one.texts is None for one in after) else found


class _Live:
    """The objects of a workload cluster while sets are applied to it."""

    def __init__(self, objects: Mapping[str, Mapping[str, Any]]) -> None:
        self.objects = dict(objects)
        self.ignored: set[str] = set()
        self.refused: dict[str, str] = {}

    def apply(self, title: str, value: Mapping[str, Any], *, replace: bool, create: bool) -> None:
        """Apply one object, as far as that is allowed."""
        old = self.objects.get(title)
        if old == value:
            return
        if not (create if old is None else replace):
            self.ignored.add(title)
        elif old is not None and (field := _immutable(old, value)):
            self.refused[title] = field
        else:
            self.objects[title] = value


def _difference(
    then: Mapping[str, Mapping[str, Any]], live: _Live, delivered: Mapping[str, Mapping[str, Any]]
) -> Transition:
    now = live.objects
    rolls = False
    replaced = []
    for title in sorted(then.keys() & now.keys()):
        old, new = then[title], now[title]
        if old == new:
            continue
        if _is_agent(new) and raw.dig(old, "spec", "template") != raw.dig(new, "spec", "template"):
            rolls = True
        else:
            replaced.append(title)
    parents, namespaces = _change(map(_parent, (then, now))), _change(map(_agent_namespace, (then, now)))
    return Transition(
        rolls=rolls,
        created=tuple(sorted(now.keys() - then.keys())),
        replaced=tuple(replaced),
        ignored=tuple(sorted(title for title in live.ignored if now.get(title) != delivered.get(title))),
        refused=tuple(sorted(live.refused.items())),
        left=tuple(sorted(then.keys() - delivered.keys())),
        parents=parents,
        namespaces=namespaces,
    )


def _change(values: Iterable[str]) -> tuple[str, str] | None:
    old, new = values
    return (old, new) if old and new and old != new else None


def _read(text: str) -> dict[str, Mapping[str, Any]]:
    try:
        items = read_stream(text.encode())
        return {raw.title(item): item.value() for item in items}
    except Errors:
        return {}


def _immutable(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the field for whose sake a server refuses to replace an object; "" if it does not."""
    kind = new.get("kind")
    if kind in _BINDINGS and old.get("roleRef") != new.get("roleRef"):
        return "roleRef"
    if kind in _WITH_PODS and raw.dig(old, "spec", "selector") != raw.dig(new, "spec", "selector"):
        return "spec.selector"
    if kind == "Secret" and old.get("type", "Opaque") != new.get("type", "Opaque"):
        return "type"
    return ""


def _is_agent(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Deployment" and raw.text(value, "metadata", "name") == AGENT


def _agent_namespace(objects: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the namespace of the newest agent; "" if there is none, or its registration is not known."""
    found = [raw.text(value, "metadata", "namespace") for value in objects.values() if _is_agent(value)]
    return found[-1] if found else ""


def _parent(objects: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the parent URL that the newest agent gets; "" if it is not known."""
    found = ""
    for value in objects.values():
        if value.get("kind") == "Secret" and raw.text(value, "metadata", "name") == REGISTRATION_SECRET:
            found = secrets.texts(value).get(PARENT_URL_KEY) or ""
    return found
