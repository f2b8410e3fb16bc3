"""Items -> what the product has to know of them, in one pass that parses no more than it needs.

Sixty thousand items may come by, so an item is looked into only when its kind is ours or its text could hold one of
our names: `Item.contains` answers that without parsing and is wrong on the safe side only.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.clusters import capi
from krm_fn.krm.results import Errors
from krm_fn.kube.labels import dns_label_error
from krm_fn.model import ObjectKey
from krm_fn.surface import ADDONS_GROUP, EXTERNAL_SECRETS_GROUP, OWNER_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from krm_fn.clusters.capi import Unreadable
    from krm_fn.krm.items import Item
    from krm_fn.model import Cluster


# Kinds that we generate, by group: only these can clash with ours or be ours from an earlier run.
GENERATED_KINDS = frozenset(
    {
        ("", "ConfigMap"),
        ("", "Secret"),
        (ADDONS_GROUP, "ClusterResourceSet"),
        (EXTERNAL_SECRETS_GROUP, "ExternalSecret"),
    }
)
_KINDS = frozenset({"Cluster", "Namespace"} | {kind for _, kind in GENERATED_KINDS})


class Owned(Record):
    """An object in the input that an earlier run (or an earlier step of the pipeline) made."""

    key: ObjectKey
    owner: str
    item: Item


class Inventory(Record):
    """What one input holds.

    Attributes:
        clusters: Every readable Cluster, by namespace and name.
        unreadable: Those with errors.
        duplicates: Clusters of one namespace and name, where there are several; the first of them is in `clusters`.
        namespaces: Labels of the Namespace objects, by name.
        owned: Objects that we made, for any config.
        occupied: Other objects whose text holds one of the names asked for, by identity.
    """

    clusters: tuple[Cluster, ...]
    unreadable: tuple[Unreadable, ...]
    duplicates: tuple[tuple[Cluster, ...], ...]
    namespaces: Mapping[str, Mapping[str, str]]
    owned: tuple[Owned, ...]
    occupied: Mapping[ObjectKey, Item]


def take(items: Iterable[Item], names: Sequence[str]) -> Inventory:
    """Look through the items.

    Args:
        items: All items of the input, in any order.
        names: Beginnings of the names that will be generated; only objects that hold one can be in the way.
    """
    wanted = tuple(name.encode() for name in names)
    mark = OWNER_ANNOTATION.encode()
    clusters: dict[tuple[str, str], Cluster] = {}
    copies: dict[tuple[str, str], list[Cluster]] = {}
    unreadable: list[Unreadable] = []
    namespaces: dict[str, Mapping[str, str]] = {}
    owned: list[Owned] = []
    occupied: dict[ObjectKey, Item] = {}
    for item in items:
        kind = item.kind
        if kind not in _KINDS:
            continue
        if capi.is_cluster(item):
            cluster = capi.read(item)
            if isinstance(cluster, capi.Unreadable):
                unreadable.append(cluster)
            else:
                known = clusters.setdefault(cluster.key, cluster)
                if known is not cluster:
                    copies.setdefault(cluster.key, [known]).append(cluster)
        elif kind == "Namespace" and item.api_version == "v1" and not dns_label_error(item.name):
            # of two Namespaces of one name a server keeps one, and which is unknown: only the labels of both count
            labels = _text_only(item.metadata().get("labels"))
            before = namespaces.setdefault(item.name, labels)
            namespaces[item.name] = {key: value for key, value in before.items() if labels.get(key) == value}
        elif (item.group, kind) in GENERATED_KINDS and item.contains(mark, *wanted):
            owner = _owner(item) if item.contains(mark) else ""
            if owner:
                owned.append(Owned(key=key_of(item), owner=owner, item=item))
            elif any(item.contains(one) for one in wanted):
                occupied[key_of(item)] = item
    return Inventory(
        clusters=tuple(clusters[key] for key in sorted(clusters)),
        unreadable=tuple(sorted(unreadable, key=lambda one: one.results[0].message)),
        duplicates=tuple(tuple(copies[key]) for key in sorted(copies)),
        namespaces=namespaces,
        owned=tuple(sorted(owned, key=lambda one: tuple(one.key))),
        occupied=occupied,
    )


def key_of(item: Item) -> ObjectKey:
    """Return the identity of an item's object."""
    return ObjectKey(group=item.group, kind=item.kind, namespace=item.namespace, name=item.name)


def _owner(item: Item) -> str:
    """Return the owner id of an object that is ours.

    The annotation alone counts: other tools overwrite `app.kubernetes.io/managed-by` (kustomize's `buildMetadata`, common
    labels of Flux and Argo CD).
    """
    try:
        annotations = item.get("metadata", "annotations")  # all of it is needed later on, so it is read once
    except Errors:
        annotations = item.metadata().get("annotations")
    owner = annotations.get(OWNER_ANNOTATION) if isinstance(annotations, dict) else None
    return owner if isinstance(owner, str) else ""


def _text_only(labels: object) -> Mapping[str, str]:
    """Drop label values that are no strings: a server would refuse the Namespace, and they can match nothing."""
    if not isinstance(labels, dict):
        return {}
    return {key: value for key, value in labels.items() if isinstance(key, str) and isinstance(value, str)}
