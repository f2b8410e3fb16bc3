"""Reading a ResourceList with no more parsing than needed, and writing it with untouched bytes untouched."""

from __future__ import annotations

from krm_fn.sdk import layout, spans
from krm_fn.sdk.events import BadYaml
from krm_fn.sdk.items import PATH_ANNOTATIONS, Item
from krm_fn.sdk.results import fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.sdk.changes import Changes
    from krm_fn.sdk.layout import Outline, Part
    from krm_fn.sdk.results import Faults, Result

API_VERSIONS = ("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1")
_EXPECTED = "a ResourceList (apiVersion config.kubernetes.io/v1) is expected on standard input"
_RENDER = "; for plain manifests use: clusternet-capi-fn render PATH"


class ResourceList:
    """A ResourceList that was read.

    Attributes:
        api_version: As the input says, to be echoed.
        items: The objects, in order.
        function_config: The `functionConfig`; None when absent or null.
    """

    def __init__(
        self, data: bytes, api_version: str, items: list[Item], function_config: Item | None, form: Form
    ) -> None:
        """Take what was read; use `read`."""
        self.data = data
        self.api_version = api_version
        self.items = items
        self.function_config = function_config
        self.form = form

    @property
    def host_paths(self) -> bool:
        """Whether any item carries the annotation with which hosts name its file."""
        for annotation in PATH_ANNOTATIONS:
            if annotation.encode() in self.data:
                return any(item.file_path for item in self.items if item.contains(annotation.encode()))
        return False


class Form:
    """How a ResourceList is to be written: by splicing into the text that came in.

    Attributes:
        items_column: Column of the dashes.
        items_at: Span of what stands in place of a list with entries (`[]`, null); None where there are entries.
        results: Spans of the `results` that came in.
        results_at: Offset at which ours are put.
        column: Column of the top-level keys.
    """

    __slots__ = ("column", "items_at", "items_column", "items_end", "items_start", "results", "results_at")

    def __init__(self) -> None:
        """Start empty."""
        self.column = 0
        self.items_column = 0
        self.items_at: tuple[int, int] | None = None
        self.items_start = 0
        self.items_end = 0
        self.results: list[tuple[int, int]] = []
        self.results_at = 0


def read(data: bytes) -> ResourceList:
    """Read a ResourceList.

    Args:
        data: What came in on standard input: YAML or JSON.

    Raises:
        Faults: One clear error, with line and column where there is one.
    """
    found = spans.outline(data)
    if found is None:
        try:
            found = layout.outline(data)
        except BadYaml as error:
            raise _fault(error) from None
    if found is None:
        raise fault(f"the input is empty: {_EXPECTED}")
    api_version = _identity(found)
    form = Form()
    form.column = found.column
    _items(data, found, form)
    results = found.part("results")
    if results is not None:
        form.results = [(results.start, results.end)]
    form.results_at = found.end
    return ResourceList(data, api_version, found.items, _function_config(data, found.part("functionConfig")), form)


def _fault(error: BadYaml) -> Faults:
    place = "" if error.line is None or error.column is None else f": line {error.line + 1}, column {error.column + 1}"
    return fault(f"the input can't be read as YAML: {error.problem}{place}")


def _identity(found: Outline) -> str:
    api_version, kind = (None if part is None else part.value for part in map(found.part, layout.IDENTITY))
    if kind != "ResourceList" or api_version not in API_VERSIONS:
        seen = f"{api_version or 'no apiVersion'}, {kind or 'no kind'}"
        raise fault(f"the input is not a ResourceList ({seen}): {_EXPECTED}{_RENDER}")
    return str(api_version)


def _items(data: bytes, found: Outline, form: Form) -> None:
    part = found.part("items")
    if part is None:
        form.items_at = (found.end, found.end)
        return
    if part.shape == "null" or (part.shape == "sequence" and not found.items):
        form.items_at = (part.value_start, part.value_end)
        return
    if part.shape != "sequence":
        raise fault(f"items is not a list but a {part.shape}: line {_line(data, part.start)}")
    if found.stray is not None:
        raise fault(f"items[{found.stray}] is not an object: line {_line(data, found.items[found.stray].start)}")
    form.items_column = part.value_column
    form.items_start = data.rfind(b"\n", 0, part.value_start) + 1
    form.items_end = found.items[-1].end


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _function_config(data: bytes, part: Part | None) -> Item | None:
    if part is None or part.shape == "null":
        return None
    text = b" " * part.value_column + data[part.value_start : part.end]
    return Item.from_text(text, -1, title="functionConfig")


def write(resource_list: ResourceList, changes: Changes, results: Sequence[Result]) -> list[bytes | memoryview]:
    """Write a ResourceList with changes.

    Args:
        resource_list: What `read` returned.
        changes: What to do to its items.
        results: Take the place of whatever `results` came in; no `results` is written when there are none.

    Returns:
        Pieces of the output, in order; whatever did not change is a view of the input.
    """
    from krm_fn.sdk.yaml_write import dump  # noqa: PLC0415 - the walls: needed for writing only

    form, data = resource_list.form, resource_list.data
    edits = _item_edits(resource_list, changes)
    pad = " " * form.items_column
    added = "".join(pad + "- " + dump(value, indent=form.items_column + 2)[form.items_column + 2 :] for value in changes.added)
    if form.items_at is None:
        at = form.items_end
        if added:
            edits.append((at, at, (_newline_before(data, at) + added).encode()))
        elif len(changes.removed) == len(resource_list.items):
            at = data.rfind(b"\n", 0, form.items_start)
            edits = [(at, form.items_end, b" []\n")]
    elif form.items_at[0] == form.results_at:
        text = "items:\n" + added if added else "items: []\n"
        edits.append((form.results_at, form.results_at, (_newline_before(data, form.results_at) + text).encode()))
    else:
        edits.append((*form.items_at, f"\n{added[:-1]}".encode() if added else b" []"))
    edits += [(start, end, b"") for start, end in form.results]
    if results:
        top = " " * form.column
        text = top + dump({"results": [result.as_data() for result in results]}, indent=form.column)[form.column :]
        edits.append((form.results_at, form.results_at, (_newline_before(data, form.results_at) + text).encode()))
    return _splice(data, edits)


def _newline_before(data: bytes, at: int) -> str:
    return "" if data[at - 1 : at] == b"\n" else "\n"


def _item_edits(resource_list: ResourceList, changes: Changes) -> list[tuple[int, int, bytes]]:
    from krm_fn.sdk.yaml_write import dump  # noqa: PLC0415 - needed for writing only

    items, form = resource_list.items, resource_list.form
    edits: list[tuple[int, int, bytes]] = []

    def text_edit(position: int, text: bytes) -> None:
        item = items[position]
        edits.append((item.start, item.end, text[item.column :]))

    for position in sorted(changes.removed):
        start = items[position - 1].end if position else form.items_start
        edits.append((start, items[position].end, b""))
    for position, value in changes.replaced.items():
        text_edit(position, dump(value, indent=items[position].column).encode())
    if changes.labelled or changes.revised:
        from krm_fn.sdk.edit import revise, set_labels  # noqa: PLC0415 - may load ruamel.yaml

        for position, labels in changes.labelled.items():
            text_edit(position, set_labels(items[position].text, labels))
        for position, value in changes.revised.items():
            text_edit(position, revise(items[position].text, value))
    return edits


def _splice(data: bytes, edits: list[tuple[int, int, bytes]]) -> list[bytes | memoryview]:
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[:2]):
        if start > at:
            pieces.append(view[at:start])
        if text:
            pieces.append(text)
        at = max(at, end)
    pieces.append(view[at:])
    return pieces
