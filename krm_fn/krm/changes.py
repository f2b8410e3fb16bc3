"""What a function decided to do to the items of its input, and writing it so that every other byte stays.

Only text that changes is new: an edit replaces a span, and everything between two edits is a view of the input. The
same edits serve all forms; a list in block style gets new entries in block style, one in flow style or JSON gets JSON.
"""

from __future__ import annotations

from krm_fn.base import Record, late
from krm_fn.krm.results import INDEX, PATH
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load
from krm_fn.yaml.write import dump, flow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.outline import Outline, Part
    from krm_fn.krm.results import Result

    Edit = tuple[int, int, bytes]

_MARKER = late(rb"(?m)^(?:---|\.\.\.|%YAML[^\n]*)[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_MARKER_BEFORE_FLOW = late(rb"(?m)^---[ \t]+(?=[^ \t\r\n#])")
_FIRST_KEY = late(rb"\{\r?\n([ \t]+)\Z")
_PROPERTIES = late(rb"(?:[ \t]+[!&][^ \t\r\n]+)+")  # a tag and an anchor
_LINE_ENDS = (b"\n", b"\r")
# Annotations that hosts write onto items (functions-spec v1, and what kustomize 5.x and kpt 1.0.0-beta.56 send).
_HOST_PREFIXES = (
    "internal.config.kubernetes.io/",
    "config.kubernetes.io/",
    "config.k8s.io/",
    "kustomize.config.k8s.io/",
)
_LOCAL_CONFIG = "config.kubernetes.io/local-config"  # the user's, in the same domain


class Changes(Record):
    """Changes to a list of items, by position in the input; what is not named here leaves byte for byte as it came.

    A position appears in at most one of the first four, except that `removed` wins.
    """

    removed: frozenset[int] = frozenset()
    replaced: Mapping[int, Mapping[str, Any]] = {}  # whole new values (our own earlier output)
    labelled: Mapping[int, Mapping[str, str]] = {}  # labels to set; nothing else of the item is touched, comments stay
    # new values of the user's own items; only what differs is edited, comments stay
    revised: Mapping[int, Mapping[str, Any]] = {}
    added: tuple[Mapping[str, Any], ...] = ()  # new items, appended in this order

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done at all."""
        return not (self.removed or self.replaced or self.labelled or self.revised or self.added)

    def edited(self, item: Item) -> bytes:
        """Return the text of one of the user's own objects with its changes.

        Raises:
            BadYaml: It can't be read.
        """
        from krm_fn.yaml.edit import revise, set_labels  # noqa: PLC0415 - rarely needed

        text = item.text
        if item.position in self.labelled:
            text = set_labels(text, self.labelled[item.position])
        return revise(text, self.revised[item.position]) if item.position in self.revised else text


class Review(Record):
    """The result of reviewing some items."""

    # new values of items, by position in the input; the editor changes only what differs
    revised: Mapping[int, Mapping[str, Any]] = {}
    results: tuple[Result, ...] = ()  # what there is to report


# --- annotations of hosts: theirs to keep, whatever a function makes of an item --------------------------------------


def split_annotations(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split an object into itself without what hosts wrote onto it, and those annotations."""
    metadata = dict(value.get("metadata") or {})
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict):
        return dict(value), {}
    host = {key: one for key, one in annotations.items() if key.startswith(_HOST_PREFIXES) and key != _LOCAL_CONFIG}
    metadata["annotations"] = {key: one for key, one in annotations.items() if key not in host}
    return {**value, "metadata": metadata}, host


def with_annotations(value: Mapping[str, Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with further annotations, all of them sorted by key."""
    metadata = value["metadata"]
    merged = dict(sorted({**metadata.get("annotations", {}), **annotations}.items()))
    return {**value, "metadata": {**metadata, "annotations": merged}}


def at_path(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return an object with the annotations that say in which file a host keeps it, first of that file."""
    return with_annotations(value, {**dict.fromkeys(PATH, path), **dict.fromkeys(INDEX, "0")})


# --- writing ---------------------------------------------------------------------------------------------------------


def written(
    data: bytes, found: Outline, changes: Changes, results: Sequence[Mapping[str, Any]]
) -> list[bytes | memoryview]:
    """Return a ResourceList with changes and results as pieces of text, in order.

    Raises:
        BadYaml: An object that is to be edited can't be read, or an entry can't be taken out of its line.
    """
    writer = _FlowDocument if found.flow else _BlockDocument
    return _spliced(data, list(writer(data, found).edits(changes, results)))


def _spliced(data: bytes, edits: list[Edit]) -> list[bytes | memoryview]:
    """Return the pieces of a text with spans replaced; edits at the same place come out in the order given."""
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[0]):
        if start > at:
            pieces.append(view[at:start])
        if text:
            if start == len(data) and pieces and bytes(pieces[-1][-1:]) not in _LINE_ENDS:
                pieces.append(b"\n")
            pieces.append(text)
        at = max(at, end)
    if at < len(data):
        pieces.append(view[at:])
    return pieces


class _Document:
    """A document, and the edits that both forms share."""

    def __init__(self, data: bytes, found: Outline) -> None:
        self.data = data
        self.found = found
        self.items = found.items
        self.part = found.part("items")

    def markers(self) -> Iterator[Edit]:
        """Drop `---`, `...` and a `%YAML` line, since not every host takes them."""
        first, end = self.found.start, self.found.end
        head, tail = self.data[:first], self.data[end:]
        left = _MARKER.sub(b"", head)  # a directive that begins behind another line end than \n is among it
        if b"%TAG" in left or b"%YAML" in left or not (head or tail):
            return
        for pattern in (_MARKER, _MARKER_BEFORE_FLOW):
            for match in pattern.finditer(head):
                yield match.start(), match.end(), b""
        for match in _MARKER.finditer(tail):
            yield match.start() + end, match.end() + end, b""

    def user_edits(self, changes: Changes) -> Iterator[tuple[Item, bytes]]:
        """Yield the user's own objects that are edited, with their new texts."""
        for position in sorted({*changes.labelled, *changes.revised} - changes.removed):
            item = self.items[position]
            yield item, changes.edited(item)[item.column :]

    def flow_entries(self, part: Part, changes: Changes) -> Iterator[Edit]:
        """Yield the edits of a list in brackets that has entries."""
        items, data = self.items, self.data
        first, last = items[0].start, items[-1].end
        line = data.rfind(b"\n", 0, first) + 1
        pad = data[line:first].decode() if line and not data[line:first].strip() else ""
        step = pad and (self.step() or "  ")
        line_end = f",\n{pad}" if pad else ", "
        added = line_end.join(flow(value, step, pad) for value in changes.added)
        kept = [item.position for item in items if item.position not in changes.removed]
        if not kept:
            yield first, last if added else part.value_end - 1, added.encode()
            return
        for position, value in changes.replaced.items():
            if position not in changes.removed:
                yield items[position].start, items[position].end, flow(value, step, pad).encode()
        for item, text in self.user_edits(changes):
            yield item.start, item.end, text
        for position in changes.removed:
            # with the comma before it, or, where nothing is kept before it, up to the next entry
            if position > kept[0]:
                yield items[position - 1].end, items[position].end, b""
            else:
                yield items[position].start, items[position + 1].start, b""
        if added:
            yield last, last, (line_end + added).encode()

    def step(self) -> str:
        """Return the indentation of each level of a document in braces; "" where it is on one line."""
        start = self.found.start
        opened = _FIRST_KEY.search(self.data, max(0, self.data.rfind(b"{", 0, start)), start)
        return opened[1].decode() if opened and self.found.flow else ""


class _FlowDocument(_Document):
    """A document in braces: JSON, or YAML in flow style."""

    def edits(self, changes: Changes, results: Sequence[Mapping[str, Any]]) -> Iterator[Edit]:
        """Yield everything that changes."""
        yield from self.markers()
        parts, step = self.found.parts, self.step()
        fields: list[tuple[str, Any]] = []
        if self.part is None:
            fields.append(("items", list(changes.added)))
        elif self.items:
            yield from self.flow_entries(self.part, changes)
        else:
            text = f'"items": {flow(list(changes.added), step, step)}'
            yield self.part.start, self.part.value_end, text.encode()
        last = parts[-1]
        for place, part in enumerate(parts):
            if part.key == "results" and place:
                yield parts[place - 1].value_end, part.value_end, b""
                last = parts[-1] if place < len(parts) - 1 else parts[place - 1]
            elif part.key == "results":
                yield part.start, parts[1].start, b""
        if results:
            fields.append(("results", list(results)))
        line = f",\n{step}" if step else ", "
        new = "".join(f'{line}"{key}": {flow(value, step, step)}' for key, value in fields)
        yield last.value_end, last.value_end, new.encode()


class _BlockDocument(_Document):
    """A document in block style."""

    def edits(self, changes: Changes, results: Sequence[Mapping[str, Any]]) -> Iterator[Edit]:
        """Yield everything that changes."""
        found, part = self.found, self.part
        yield from self.markers()
        new: list[str] = []
        if part is None:
            listed = self.entries(changes, 0)
            new.append("items:\n" + listed.decode() if listed else "items: []\n")
        elif not self.items:
            yield from self.first_entries(changes, part)
        elif part.flow:
            yield from self.flow_entries(part, changes)
        else:
            yield from self.block_entries(changes, part)
        old = found.part("results")
        if old is not None:
            yield old.start, old.end, b""
        if results:
            new.append(dump({"results": results}, indent=found.column)[found.column :])
        pad = " " * found.column
        text = "".join(pad + one for one in new).encode()
        at = found.start - found.column if self.open_end(found.parts[-1].start, found.column) else found.end
        yield at, at, text

    def first_entries(self, changes: Changes, part: Part) -> Iterator[Edit]:
        """Yield the edits that put the first entries into an empty list."""
        colon = self.data.find(b":", part.key_end) + 1
        end = colon if part.value_start == part.value_end else part.value_end
        yield colon, end, b"" if changes.added else b" []"
        if changes.added:
            yield part.end, part.end, self.entries(changes, self.found.column)

    def entries(self, changes: Changes, column: int) -> bytes:
        """Return the new entries, with their dashes in a column."""
        pad, indent = " " * column + "- ", column + 2
        return "".join(pad + dump(value, indent=indent)[indent:] for value in changes.added).encode()

    def block_entries(self, changes: Changes, part: Part) -> Iterator[Edit]:
        """Yield the edits of a block list that has entries."""
        items, last = self.items, self.items[-1]
        begin = part.value_start - part.value_column  # of the first dash's line; others begin where the one before ends
        if 0 in changes.removed and self.data[begin : part.value_start].strip():
            line = self.data.count(b"\n", 0, part.value_start)
            message = "the first entry of items shares its line with something else, and can't be removed"
            raise BadYaml(message, line, part.value_column)
        if not changes.added and len(changes.removed) == len(items):
            colon = self.data.find(b":", part.key_end) + 1
            properties = _PROPERTIES.match(self.data, colon)
            yield colon, properties.end() if properties else colon, b" []"
        for position in sorted(changes.removed):
            yield items[position - 1].end if position else begin, self.body_end(items[position]), b""
        for position, value in changes.replaced.items():
            if position not in changes.removed:
                item = items[position]
                text = dump(value, indent=item.column)[item.column :]
                yield item.start, self.body_end(item), text.encode()
        for item, edited in self.user_edits(changes):
            ended = edited.endswith(b"\n") or item.end == len(self.data)
            yield item.start, item.end, edited if ended else edited + b"\n"
        if changes.added:
            at = self.body_end(last)
            if last.position not in changes.removed and self.open_end(last.start, last.column):
                at = items[-2].end if len(items) > 1 else begin
            yield at, at, self.entries(changes, part.value_column)

    def open_end(self, start: int, column: int) -> bool:
        """Return whether a line end behind the text would change the value of its last block scalar, which has none."""
        if self.data.endswith(_LINE_ENDS) or self.data.find(b"\n", start) < 0:
            return False
        text = b" " * column + self.data[start:]
        try:
            return bool(load(text) != load(text + b"\n"))
        except BadYaml:
            return True  # whatever it is, nothing that is put in front can change it

    def body_end(self, item: Item) -> int:
        """Return where an entry ends but for comments in column 0 behind it, which belong to what follows.

        They are comments if the entry is complete without them; else a quoted scalar runs over these lines.
        """
        text = self.data[item.start : item.end]
        tail = _comments_at_end(text)
        if tail == len(text):
            return item.end
        try:
            load(b" " * item.column + text[:tail])
        except BadYaml:
            return item.end
        return item.start + tail


def _comments_at_end(text: bytes) -> int:
    """Return where the comments in column 0 at the end of a text begin, with empty lines among them; else its end."""
    found = at = len(text)
    while at and text.endswith(b"\n", 0, at):
        begin = text.rfind(b"\n", 0, at - 1) + 1
        if text.startswith(b"#", begin):
            found = begin
        elif text[begin:at].strip(b" \t\n"):
            break
        at = begin
    return found
