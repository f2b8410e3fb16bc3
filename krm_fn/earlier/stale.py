"""A Plan as changes of the input's items: upsert by identity, and removal of what an earlier run made and this one did not.

What is stale is found here: an item with the mark of one of the configs (`clusters.Inventory.owned`), and nothing generated
has its identity.
"""

from __future__ import annotations

from krm_fn.krm.changes import Changes, at_path, split_annotations, with_annotations
from krm_fn.krm.results import PATH, Result
from krm_fn.surface import HUB_NAME, output_path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Owned
    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Generated, ObjectKey


def changes(
    configs: Sequence[Config], generated: Sequence[Generated], owned: Sequence[Owned], *, host_paths: bool
) -> Changes:
    """Return what happens to our own objects in the input, and what is added to it; configs in mode Check own nothing.

    With `host_paths` new items get a path, since the host keeps items in files.
    """
    by_owner = {config.owner: config for config in configs if config.renders}
    mine = [one for one in owned if one.owner in by_owner]
    existing: dict[ObjectKey, Owned] = {}
    for one in mine:
        existing.setdefault(one.key, one)
    replaced: dict[int, Mapping[str, Any]] = {}
    added: list[Mapping[str, Any]] = []
    kept: set[ObjectKey] = set()
    for new in generated:
        config = by_owner.get(new.owner)
        if config is None:
            continue
        kept.add(new.key)
        old = existing.get(new.key)
        if old is None:
            folder = config.origin["file_path"].rpartition("/")[0]
            path = output_path(new.key.kind, new.key.namespace, new.key.name, folder)
            added.append(at_path(new.value, path) if host_paths else new.value)
            continue
        before, theirs = split_annotations(old.item.value())
        if before != new.value:
            replaced[old.item.position] = with_annotations(new.value, theirs)
    return Changes(
        # what is stale, and second copies of what is not
        removed=frozenset(one.item.position for one in mine if one.key not in kept or existing[one.key] is not one),
        replaced=replaced,
        added=tuple(added),
    )


def path_errors(changes: Changes, items: Sequence[Item], configs: Sequence[Config]) -> list[Result]:
    """Refuse to put a new item where another object is: a host fails on two of one path and index, or drops one."""
    # all our file names hold this, so other items are not asked for their path
    marks = sorted({f"_{config.resource_set.name}".encode() for config in configs} | {f"_{HUB_NAME}".encode()})
    there = {
        (item.file_path, item.file_index or 0): item
        for item in items
        if item.contains(*marks) and item.position not in changes.removed
    }
    errors = []
    for value in changes.added:
        path = value["metadata"]["annotations"][PATH[0]]
        item = there.get((path, 0))
        if item is not None:
            message = (
                f"{path} already contains {item.kind} {item.name}, and {value['kind']} {value['metadata']['name']} would be"
                " written there; move that object to another file"
            )
            errors.append(Result(message=message, resource_ref=item.ref(), file_path=path, rule="path-taken"))
    return errors
