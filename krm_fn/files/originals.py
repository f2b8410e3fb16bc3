"""The user's own file that an object of a host's stream came from, for the lines of errors.

The lines that a host counts are those of no file: kpt adds annotations and drops empty lines, kustomize sorts keys and names no
file. Where the function runs as a program, the file is there to be looked up. What it holds is compared and counted, never shown.
"""

from __future__ import annotations

import functools
import os

from krm_fn.files.reading import KUSTOMIZATIONS, SUFFIXES, read_below, show
from krm_fn.krm.results import PACKAGE, Errors
from krm_fn.krm.streams import read_documents

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.krm.items import Item

_LARGEST = 4 * 1024 * 1024  # of a file that is looked through
_MOST = 100  # files beside a kustomization that are looked through


def original(item: Item) -> Item | None:
    """Return an object as its file holds it; None where no file, or none for certain, holds this object."""
    found = [one for path, root in _candidates(item) for one in objects(root, path) if same(one, item)]
    if item.file_path and item.file_index is not None:
        found = [one for one in found if one.file_index == item.file_index]
    if len(found) > 1:  # kustomize may have set the namespace
        found = [one for one in found if one.namespace == item.namespace]
    return found[0] if len(found) == 1 else None


def _candidates(item: Item) -> Iterator[tuple[str, str]]:
    """Yield paths of files, and the folder that each must be in."""
    root = os.path.realpath(".")
    if item.file_path:
        package = item.annotations.get(PACKAGE)
        if isinstance(package, str) and os.path.lexists(f"{package}/Kptfile"):  # no other folder is kpt's
            root = os.path.realpath(package)
        yield item.file_path, root
    elif any(os.path.lexists(one) for one in KUSTOMIZATIONS):  # kustomize calls its functions there
        names = sorted(one for one in os.listdir(root) if one.endswith(SUFFIXES) and one not in KUSTOMIZATIONS)  # noqa: PTH208
        yield from ((one, root) for one in names[:_MOST])


@functools.cache  # one run asks for many objects of the same files
def objects(root: str, path: str) -> list[Item]:
    """Return the objects of a file below a folder; none where it can't be read."""
    try:
        data = read_below(root, f"{root}/{path}", _LARGEST)
        return [item for document in read_documents(data, show(path)) for item in document.items]
    except Errors:
        return []


def same(one: Item, item: Item) -> bool:
    """Return whether two objects agree in all that no host changes."""
    if (one.api_version, one.kind, one.name) != (item.api_version, item.kind, item.name):
        return False
    try:
        first, second = one.value(), item.value()
    except Errors:
        return False
    return all(first.get(key) == second.get(key) for key in first.keys() | second.keys() if key != "metadata")
