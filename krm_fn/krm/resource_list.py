"""The ResourceList: reading it with no more parsing than needed, writing it with untouched bytes untouched.

Three forms, each read and written by its own module: block style (`splice.BlockForm`, the form in which kustomize and
kpt hand it over), JSON (`json_list`), and, written anew where something changes, any other YAML (`splice.LoadedForm`).
"""

from __future__ import annotations

from krm_fn.base.patterns import late
from krm_fn.krm import outline, spans
from krm_fn.krm.items import PATH_ANNOTATIONS, Item
from krm_fn.krm.results import Faults, fault
from krm_fn.yaml.events import BadYaml, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    from krm_fn.krm.changes import Changes
    from krm_fn.krm.outline import Outline
    from krm_fn.krm.results import Result

    class Form(Protocol):
        """What is read of a document in one form, and how it is written.

        Attributes:
            found: Its outline.
            values: Values of its top-level keys, where they were loaded anyway.
        """

        found: Outline
        values: dict[str, Any]

        def write(self, changes: Changes, results: Sequence[dict[str, Any]]) -> list[bytes | memoryview]:
            """Return the pieces of the output."""


_KUSTOMIZE = "kustomize.config.k8s.io/id"  # on every item that kustomize hands to a transformer
_JSON = late(rb"[ \t\r\n]*\{")
API_VERSIONS = ("config.kubernetes.io/v1", "config.kubernetes.io/v1beta1", "config.kubernetes.io/v1alpha1")
_EXPECTED = "needed is a ResourceList (apiVersion config.kubernetes.io/v1), as kustomize and kpt send it"
_RENDER = "; for plain manifests use: clusternet-capi-fn render PATH"


class ResourceList:
    """A ResourceList that was read.

    Attributes:
        api_version: As the input says, to be echoed.
        items: The objects, in order.
        function_config: The `functionConfig`; None when absent or null.
    """

    def __init__(self, data: bytes, api_version: str, function_config: Item | None, form: Form) -> None:
        """Take what was read; use `read`."""
        self.data = data
        self.api_version = api_version
        self.items = form.found.items
        self.function_config = function_config
        self.form = form

    def proven(self) -> bool:
        """Tell whether the input is what it was read as; waits for a check that still runs (`read`, `later`)."""
        verdict = self.form.found.verdict
        return verdict is None or verdict.good()

    @property
    def host_paths(self) -> bool:
        """Whether the host keeps items in files, which it names by annotations.

        kustomize writes no files: its library puts paths onto whatever a function printed, so a second function of a
        kustomization sees them. Every item carries kustomize's own mark then.
        """
        shortest = PATH_ANNOTATIONS[1].encode()
        if shortest not in self.data and b"\\" not in self.data:
            return False
        placed = next((item for item in self.items if item.contains(shortest) and item.file_path), None)
        return placed is not None and _KUSTOMIZE not in placed.metadata()["annotations"]


def read(data: bytes, *, later: bool = False) -> ResourceList:
    """Read a ResourceList.

    Args:
        data: What came in on standard input: YAML or JSON.
        later: Return while a large input is still being checked; before anything that was made of it leaves the
            process, `proven` must be asked, and with a "no" `read_fully` takes over.

    Raises:
        Faults: One clear error, with line and column where there is one.
    """
    found = spans.read(data, later=later)
    if found is None:
        return read_fully(data)
    try:
        return _checked(data, _block_form(data, found))
    except (Faults, BadYaml):
        if found.verdict is not None:
            found.verdict.forget()
        return read_fully(data)  # which tells what is wrong, whatever that is


def read_fully(data: bytes) -> ResourceList:
    """Read a ResourceList by the full parse.

    Raises:
        Faults: One clear error, with line and column where there is one.
    """
    try:
        return _checked(data, _form(data))
    except BadYaml as error:
        raise _fault(error, data) from None


def _checked(data: bytes, form: Form) -> ResourceList:
    """Make sure that it is a ResourceList."""
    found = form.found
    api_version = _identity(found)
    part = found.part("items")
    if part is not None and part.shape not in {"sequence", "null"}:
        message = f"items is not a list but a {part.shape}: line {_line(data, part.start)}; begin each object with '- '"
        raise fault(message)
    if found.stray is not None:
        line = _line(data, found.items[found.stray].start)
        message = f"items[{found.stray}] is not an object: line {line}; give one with apiVersion, kind and metadata, or remove it"
        raise fault(message)
    return ResourceList(data, api_version, _function_config(data, form), form)


def write(resource_list: ResourceList, changes: Changes, results: Sequence[Result]) -> list[bytes | memoryview]:
    """Write a ResourceList with changes.

    Args:
        resource_list: What `read` returned.
        changes: What to do to its items.
        results: Take the place of whatever `results` came in; there is no such key when there are none.

    Returns:
        Pieces of the output, in order; whatever did not change is a view of the input.

    Raises:
        Faults: An object that is to be edited can't be read.
    """
    try:
        return resource_list.form.write(changes, [result.as_data() for result in results])
    except BadYaml as error:
        message = f"an object that is to be edited can't be read: {error.problem}"
        raise fault(message) from None


def _form(data: bytes) -> Form:
    if _JSON.match(data):
        from krm_fn.krm.json_list import JsonForm, NotJson  # noqa: PLC0415 - hosts send YAML

        try:
            return JsonForm(data)
        except NotJson:
            pass  # YAML in flow style, or an error that the YAML parser can place
    found = outline.read(data)
    if found is None:
        message = f"the input is empty: {_EXPECTED}"
        raise fault(message)
    return _block_form(data, found)


def _block_form(data: bytes, found: Outline) -> Form:
    from krm_fn.krm.splice import BlockForm, LoadedForm, spliceable  # noqa: PLC0415 - refused input needs none

    if spliceable(data, found):
        return BlockForm(data, found)
    value = load(data)
    for item in found.items:
        entry = value["items"][item.position]
        if isinstance(entry, dict):
            item.know(entry)
    return LoadedForm(data, found, value)


def _identity(found: Outline) -> str:
    api_version, kind = (None if part is None else part.value for part in map(found.part, outline.IDENTITY))
    if kind != "ResourceList" or api_version not in API_VERSIONS:
        seen = f"{_shown(api_version, 'no apiVersion')}, {_shown(kind, 'no kind')}"
        message = f"the input is not a ResourceList ({seen}): {_EXPECTED}{_RENDER}"
        raise fault(message)
    return str(api_version)


def _shown(value: Any, absent: str) -> str:
    """Return a short form of what stands where an apiVersion or a kind should."""
    text = value if isinstance(value, str) and value else absent
    return text if len(text) <= 80 and text.isprintable() else "something else"  # noqa: PLR2004 - one line


def _function_config(data: bytes, form: Form) -> Item | None:
    part = form.found.part("functionConfig")
    if part is None or part.shape == "null":
        return None
    item = Item(data, part.value_start, part.end, part.value_column, -1, "", "", "functionConfig")
    if part.shape not in {"mapping", "alias"}:
        line = _line(data, part.start)
        message = f"functionConfig is not an object but a {part.shape}: line {line}; give the function's configuration"
        raise fault(message)
    if isinstance(form.values.get("functionConfig"), dict):
        item.know(form.values["functionConfig"])
        return item
    try:
        item.identify()
        item.value()
    except Faults as faults:
        # it may refer to an anchor in front of it; only the whole document tells
        try:
            whole = load(data)
        except BadYaml:
            raise faults from None
        found = whole.get("functionConfig") if isinstance(whole, dict) else None
        if not isinstance(found, dict):
            raise
        item.know(found)
    return item


def _line(data: bytes, at: int) -> int:
    return data.count(b"\n", 0, at) + 1


def _fault(error: BadYaml, data: bytes) -> Faults:
    from krm_fn.yaml.remedies import remedy  # noqa: PLC0415 - for bad input only

    place = "" if error.line is None or error.column is None else f": line {error.line + 1}, column {error.column + 1}"
    return fault(f"the input can't be read: {error.problem}{place}; {remedy(error.problem, data, error.line)}")
