"""The ResourceList: reading it with no more parsing than needed, changing it, writing it with untouched bytes untouched.

`fast` reads the form in which kustomize and kpt hand it over, `outline` every form of YAML and JSON; `changes` writes.
"""

from __future__ import annotations

from krm_fn.krm import fast, outline
from krm_fn.krm.changes import Changes, written
from krm_fn.krm.items import Item
from krm_fn.krm.results import PATH, Errors, Result, Results
from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.outline import Outline

_KUSTOMIZE = "kustomize.config.k8s.io/id"  # on every item that kustomize hands to a transformer
API_VERSIONS = ("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1")
_EXPECTED = "expected a ResourceList (apiVersion config.kubernetes.io/v1), as sent by kustomize and kpt"


class ResourceList:
    """A ResourceList that was read, and what a function makes of it."""

    def __init__(self, data: bytes, found: Outline, function_config: Item | None) -> None:
        self.data = data
        self.outline = found  # where its parts are in that text
        self.api_version = str(_value(found, "apiVersion"))  # as the input says, to be echoed
        self.items = found.items  # the objects, in order
        self.function_config = function_config  # the `functionConfig`; None when absent or null
        # what a function has to say, or why it may not change the items; an error among them drops all changes
        self.results = Results(_crossing(found))
        self._changes: Changes | None = None  # decided elsewhere
        self._removed: set[int] = set()
        self._added: list[Mapping[str, Any]] = []

    @property
    def host_paths(self) -> bool:
        """Whether the host keeps items in files, which it names by annotations.

        kustomize writes no files: its library puts paths onto whatever a function printed, so a second function of a
        kustomization sees them. Every item carries kustomize's own mark then.
        """
        shortest = PATH[1].encode()
        if shortest not in self.data and b"\\" not in self.data:
            return False
        placed = next((item for item in self.items if item.contains(shortest) and item.file_path), None)
        return placed is not None and _KUSTOMIZE not in placed.annotations

    # --- changing it -------------------------------------------------------------------------------------------------

    def add(self, value: Mapping[str, Any]) -> None:
        """Append a new object."""
        self._added.append(value)

    def remove(self, item: Item) -> None:
        """Drop an object.

        Raises:
            ValueError: It is the `functionConfig`, which hosts give back as it is; by its position another object would go.
        """
        if item is self.function_config:
            message = "the functionConfig can't be removed"
            raise ValueError(message)
        self._removed.add(item.position)

    def apply(self, changes: Changes) -> None:
        """Take changes that were decided elsewhere, instead of those made by `add`, `remove` and the items' setters."""
        self._changes = changes

    @property
    def changes(self) -> Changes:
        """What is to be done to the items."""
        if self._changes is not None:
            return self._changes
        labelled, revised = {}, {}
        for item in self.items:
            if item.wanted is not None:
                revised[item.position] = item.wanted
            elif item.wanted_labels:
                labelled[item.position] = item.wanted_labels
        return Changes(removed=frozenset(self._removed), labelled=labelled, revised=revised, added=tuple(self._added))


def read(data: bytes, render: str = "") -> ResourceList:
    """Read a ResourceList: YAML or JSON, in any style.

    Args:
        data: The text.
        render: The program's command for plain manifests, if it has one: the error about them names it.

    Raises:
        Errors: One clear error, with line and column where there is one.
    """
    found = fast.read(data)
    try:
        if found is None:
            found = outline.read(data)
        if found is None:
            message = f"the input is empty: {_EXPECTED}"
            raise Errors.of(message)
        _check(data, found, render)
        return ResourceList(data, found, _function_config(data, found))
    except BadYaml as error:
        raise _error(error, data, render) from None


def write(resource_list: ResourceList, changes: Changes, results: Sequence[Result]) -> list[bytes | memoryview]:
    """Write a ResourceList with changes.

    Args:
        resource_list: What `read` returned.
        changes: What to do to its items.
        results: Take the place of whatever `results` came in; there is no such key when there are none.

    Returns:
        Pieces of the output, in order; whatever did not change is a view of the input.

    Raises:
        Errors: An object that is to be edited can't be read.
    """
    try:
        said = [result.as_data() for result in results]
        return written(resource_list.data, resource_list.outline, changes, said)
    except BadYaml as error:
        message = f"an object that is to be edited can't be read: {error.problem}"
        raise Errors.of(message) from None


def _check(data: bytes, found: Outline, render: str) -> None:
    """Make sure that it is a ResourceList."""
    api_version, kind = _value(found, "apiVersion"), _value(found, "kind")
    if kind != "ResourceList" or api_version not in API_VERSIONS:
        seen = f"{_shown(api_version, 'no apiVersion')}, {_shown(kind, 'no kind')}"
        remedy = f"; for plain manifests use: {render} PATH" if render else ""
        message = f"the input is not a ResourceList ({seen}): {_EXPECTED}{remedy}"
        raise Errors.of(message)
    part = found.part("items")
    if part is not None and part.shape not in {"sequence", "null"}:
        message = f"items is not a list but a {part.shape}; begin each object with '- '"
        raise Errors.of(message, **_place(data, part.start))
    if found.stray is not None:
        message = f"items[{found.stray}] is not an object; give one with apiVersion, kind and metadata, or remove it"
        raise Errors.of(message, **_place(data, found.items[found.stray].start))


def _crossing(found: Outline) -> tuple[Result, ...]:
    """Report the first alias to an anchor outside of its item: without the other text, such an item means nothing."""
    if found.crossing is None:
        return ()
    line, position = found.crossing
    message = f"items[{position}] has an alias to an anchor outside of it; write out what the alias stands for"
    return (Result(message=message, line=line + 1, column=1),)


def _value(found: Outline, key: str) -> Any:
    part = found.part(key)
    return None if part is None else part.value


def _shown(value: Any, absent: str) -> str:
    """Return a short form of what is where an apiVersion or a kind should be."""
    text = value if isinstance(value, str) and value else absent
    return text if len(text) <= 80 and text.isprintable() else "something else"  # noqa: PLR2004 - one line


def _function_config(data: bytes, found: Outline) -> Item | None:
    part = found.part("functionConfig")
    if part is None or part.shape == "null":
        return None
    end, column = (part.value_end, 0) if part.flow else (part.end, part.value_column)
    item = Item(data, part.value_start, end, column, -1, "", "", "functionConfig")
    if part.shape not in {"mapping", "alias"}:
        message = f"functionConfig is not an object but a {part.shape}; give the function's configuration"
        raise Errors.of(message, **_place(data, part.start))
    item.identify()
    return item


def _place(data: bytes, at: int) -> dict[str, int]:
    """Return line and column of an offset, as fields of a `Result`."""
    line, column = outline.place(data, at)
    return {"line": line + 1, "column": column + 1}


def _error(error: BadYaml, data: bytes, render: str) -> Errors:
    from krm_fn.krm.unreadable import unreadable  # noqa: PLC0415 - for bad input only

    return Errors([unreadable(error, data, "the input", render)])
