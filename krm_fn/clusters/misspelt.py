"""Objects that were most likely meant as a Cluster, or as a Namespace with labels, and are none for a slip.

Looked for only where a guard fails: then such a slip is the cause. Otherwise an unknown kind is none of ours.
"""

from __future__ import annotations

from krm_fn.base import nearest
from krm_fn.krm.results import Errors, Result, tagged
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CLUSTER_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.items import Item

# What a server knows in metadata, and what Cluster API's group has besides Clusters: neither is a slip.
_METADATA = frozenset({
    "annotations", "creationTimestamp", "deletionGracePeriodSeconds", "deletionTimestamp", "finalizers", "generateName",
    "generation", "labels", "managedFields", "name", "namespace", "ownerReferences", "resourceVersion", "selfLink", "uid",
})  # fmt: skip
_KINDS = frozenset({"Cluster", "ClusterClass"})
_MOST = 2  # letters that a misspelt kind has more or less


def review(items: Sequence[Item]) -> list[Result]:
    """Report such objects, each at the field that is wrong and with what was meant."""
    found: list[Result] = []
    for item in items:
        slip = _slip(item)
        if slip is not None:
            field, said, right, current = slip
            key = f"{right}:" if current is None else ""
            fix = key or f"{field}: {right}"
            rule = "unknown-field" if key else "kind"
            found.append(
                Result(
                    message=f"{said}: did you mean {right}?",
                    fix=fix,
                    current=current,
                    proposed=None if key else right,
                    tags=tagged(rule=rule),
                    **item.place(field),
                )
            )
    return found


def _slip(item: Item) -> tuple[str, str, str, str | None] | None:
    """Return the field, what is wrong with it, what was meant, and the value that is wrong; None for a wrong key."""
    kind, group = quoted(item.kind), item.group
    if group == CLUSTER_GROUP and item.kind not in _KINDS and _near(item.kind, "Cluster"):
        return "kind", f'{CLUSTER_GROUP} has no kind "{kind}"', "Cluster", kind
    if item.api_version == "v1" and item.kind != "Namespace" and _near(item.kind, "Namespace"):
        return "kind", f'v1 has no kind "{kind}"', "Namespace", kind
    if item.kind == "Cluster" and group != CLUSTER_GROUP and nearest(group, (CLUSTER_GROUP,)):
        right = f"{CLUSTER_GROUP}/{item.api_version.partition('/')[2]}"
        return "apiVersion", f'no Cluster has apiVersion "{quoted(item.api_version)}"', right, quoted(item.api_version)
    return _key(item)


def _key(item: Item) -> tuple[str, str, str, None] | None:
    """Return the same for a key at the top of an object, or in its metadata."""
    cluster = item.kind == "Cluster" and item.group == CLUSTER_GROUP
    if not cluster and (item.kind != "Namespace" or item.group):
        return None
    try:
        value = item.value()
    except Errors:
        return None
    metadata = value.get("metadata")
    inside = isinstance(metadata, dict)
    holder: dict[str, Any] = metadata if isinstance(metadata, dict) else value
    prefix = "metadata." if inside else ""
    for right in ("name", "namespace", "labels") if inside else ("metadata",):
        near = nearest(right, [key for key in holder if key not in _METADATA and key not in {"spec", "status"}])
        if right not in holder and near and (cluster or right != "namespace"):
            return prefix + near, f"{item.kind} {item.name}: {prefix}{quoted(near)} is not a known field", right, None
    return None


def _near(kind: str, right: str) -> bool:
    return abs(len(kind) - len(right)) <= _MOST and nearest(kind, (right,)) == right
