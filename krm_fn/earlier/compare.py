"""A Plan against an earlier rendered tree: the objects that come, change and go, and what that does to each Cluster.

Values of Secrets are hidden before anything is compared as text. Objects that differ in the same way have one diff. What a
run removes from its own input is found by `stale`.
"""

from __future__ import annotations

import difflib

from krm_fn.base import Record
from krm_fn.clusters import capi
from krm_fn.earlier.effects import Side, effects
from krm_fn.krm.changes import split_annotations
from krm_fn.kube.raw import mapping, text
from krm_fn.kube.secrets import HIDDEN
from krm_fn.surface import CLUSTER_NAME_LABEL, REGISTRATION_NAME_ANNOTATION, RESOURCE_SET_KIND, parts_of_agent
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Inventory, Part
    from krm_fn.earlier import Output
    from krm_fn.earlier.effects import Effect
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster, ObjectKey

HIDDEN_CHANGED = "(hidden, changed)"
# What `kubectl get -o yaml` shows and nobody renders
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SERVERS = frozenset(
    ("creationTimestamp", "finalizers", "generation", "managedFields", "ownerReferences", "resourceVersion", "uid")
)
_ABSENT = ()  # no value of JSON


class Change(Record):
    """Objects that stay and differ, all in the same way."""

    keys: tuple[ObjectKey, ...]
    diff: tuple[str, ...]  # lines of a unified diff of the first one's YAML, Secret values hidden


class Comparison(Record):
    """What a render would change against an earlier tree."""

    added: tuple[ObjectKey, ...]
    changes: tuple[Change, ...]
    removed: tuple[ObjectKey, ...]  # those of configs that are not in this run among them
    unchanged: int  # how many stay as they are
    effects: tuple[Effect, ...]  # what happens to the Clusters, the most expensive first
    knows_clusters: bool  # whether the tree holds Cluster objects; if not, Clusters that left can't be named

    @property
    def changed(self) -> tuple[ObjectKey, ...]:
        """Objects that differ."""
        return tuple(sorted((key for change in self.changes for key in change.keys), key=tuple))

    @property
    def empty(self) -> bool:
        """Whether nothing changes: no object, and nothing on any Cluster."""
        return not (self.added or self.changes or self.removed or self.effects)


def compare(
    parts: Sequence[Part], inventory: Inventory, items: Sequence[Item], baseline: Output, *, failed: bool
) -> Comparison:
    """Compare what is made of an input, and all that the input holds, with an earlier tree.

    Clusters of the input that a server would refuse are still there: nothing happens to them in a run that `failed`.
    """
    then = {one.key: one.item.value() for one in baseline.owned}
    now = {new.key: new.value for part in parts if part.renders for new in part.generated}
    both = sorted(then.keys() & now.keys(), key=tuple)
    pairs = [(key, _as_rendered(then[key]), _as_rendered(now[key])) for key in both]
    changes = _changes([(key, old, new) for key, old, new in pairs if old != new])
    sets = [capi.read_set(value) for key, value in now.items() if key.kind == RESOURCE_SET_KIND]
    past, present, refused = baseline.clusters, inventory.clusters, _refused(inventory, baseline)
    if failed:
        past = [one for one in past if one.key not in refused]
    else:
        present = (*present, *refused.values())
    sides = (
        Side(baseline.all_sets, past, then, baseline.items),
        Side(sets, _labelled(parts, present), now, items),
    )
    return Comparison(
        added=tuple(sorted(now.keys() - then.keys(), key=tuple)),
        changes=changes,
        removed=tuple(sorted(then.keys() - now.keys(), key=tuple)),
        unchanged=len(both) - sum(len(change.keys) for change in changes),
        effects=effects(*sides),
        knows_clusters=bool(baseline.clusters),
    )


def _refused(inventory: Inventory, baseline: Output) -> dict[tuple[str, str], Cluster]:
    """Return Clusters of the earlier tree that a server would refuse now: what of their labels can't be read is as it was."""
    if not inventory.unreadable:
        return {}
    then = {one.key: one for one in baseline.clusters}
    readable = {one.key for one in inventory.clusters}
    found = {}
    for one in inventory.unreadable:
        old = then.get((one.namespace or "", one.name))
        if old is not None and old.key not in readable:
            certain = {key: value for key, value in one.labels.items() if key not in one.unsure}
            unsure = (
                old.live_labels
                if one.open
                else {key: old.live_labels[key] for key in one.unsure & old.live_labels.keys()}
            )
            found[old.key] = old.replace(live_labels={**unsure, **certain})
    return found


def _as_rendered(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object of either tree without what hosts, kubectl and the server added to it."""
    found, _ = split_annotations(value)
    metadata = {key: one for key, one in found["metadata"].items() if key not in _SERVERS}
    if isinstance(annotations := metadata.get("annotations"), dict):
        metadata["annotations"] = {key: one for key, one in annotations.items() if key != _LAST_APPLIED}
    return {key: metadata if key == "metadata" else one for key, one in found.items() if key != "status"}


def _labelled(parts: Sequence[Part], clusters: Sequence[Cluster]) -> list[Cluster]:
    """Return the Clusters with the labels that this run sets on them."""
    given = {key for part in parts for key, naming in part.namings.items() if naming.needs_label}
    return [
        one.replace(live_labels={**one.live_labels, CLUSTER_NAME_LABEL: one.name}) if one.key in given else one
        for one in clusters
    ]


# --- diffs -----------------------------------------------------------------------------------------------------------


def _changes(pairs: Sequence[tuple[ObjectKey, Mapping[str, Any], Mapping[str, Any]]]) -> tuple[Change, ...]:
    """Return the changes of objects; those that differ in the same way, but for their names, together."""
    alike: dict[tuple[str, Any], tuple[Mapping[str, Any], Mapping[str, Any], list[ObjectKey]]] = {}
    for key, old, new in pairs:
        hidden = (redacted(old), redacted(new, old))
        what = (key.kind, _difference(*hidden, _names(key, old, new)))
        alike.setdefault(what, (*hidden, []))[2].append(key)
    return tuple(Change(keys=tuple(keys), diff=_diff(keys[0], old, new)) for old, new, keys in alike.values())


def _names(key: ObjectKey, *values: Mapping[str, Any]) -> list[str]:
    """Return the names by which an object's text differs from that of similar objects, the longest first."""
    sets = (value for value in values if key.kind == RESOURCE_SET_KIND)
    clusters = {parts_of_agent(key.name)[1], *(capi.read_set(value).cluster for value in sets)}
    registered = [text(value, "metadata", "annotations", REGISTRATION_NAME_ANNOTATION) for value in values]
    return sorted({key.name, key.namespace, *clusters, *registered} - {""}, key=len, reverse=True)


def _difference(old: Any, new: Any, names: Sequence[str]) -> Any:
    """Return where two values differ and how, but for some names; what is alike is not looked at again."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = ((key, old.get(key, _ABSENT), new.get(key, _ABSENT)) for key in sorted({**old, **new}))
        return tuple((key, _difference(one, other, names)) for key, one, other in pairs if one != other)
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return tuple(
            (at, _difference(*pair, names)) for at, pair in enumerate(zip(old, new, strict=True)) if pair[0] != pair[1]
        )
    return tuple(_without_names(one if isinstance(one, str) else repr(one), names) for one in (old, new))


def _without_names(found: str, names: Sequence[str]) -> str:
    for name in names:
        found = found.replace(name, "\0")
    return found


def _diff(key: ObjectKey, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    texts = (dump(_ordered(old, new)).splitlines(), dump(new).splitlines())
    return tuple(difflib.unified_diff(*texts, f"before: {key.title}", f"after: {key.title}", lineterm="", n=2))


def _ordered(old: Any, new: Any) -> Any:
    """Return the old value with its keys in the order of the new one: kustomize sorts them, and that is no change."""
    if isinstance(old, dict) and isinstance(new, dict):
        keys = [*(key for key in new if key in old), *(key for key in old if key not in new)]
        return {key: _ordered(old[key], new.get(key)) for key in keys}
    if isinstance(old, list) and isinstance(new, list):
        return [_ordered(one, new[at] if at < len(new) else None) for at, one in enumerate(old)]
    return old


def redacted(value: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an object with the values of a Secret hidden, in kubectl's record of it too.

    With `old`, those that differ are marked as changed.
    """
    if value.get("kind") != "Secret":
        return dict(value)
    found = dict(value)
    for part in ("data", "stringData"):
        if isinstance(value.get(part), dict):
            before = old.get(part) if old is not None else None
            before = before if isinstance(before, dict) else value[part]
            found[part] = {
                key: HIDDEN if before.get(key) == one else HIDDEN_CHANGED for key, one in value[part].items()
            }
    annotations = mapping(value, "metadata", "annotations")
    if _LAST_APPLIED in annotations:
        found["metadata"] = {**value["metadata"], "annotations": {**annotations, _LAST_APPLIED: HIDDEN}}
    return found
