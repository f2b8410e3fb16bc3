"""Writing a block-style ResourceList by splicing: only the bytes of what changes are new."""

from __future__ import annotations

import yaml

from krm_fn.base.patterns import late
from krm_fn.krm.outline import BOM
from krm_fn.yaml import complete
from krm_fn.yaml.events import BadYaml, load
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import Any

    from krm_fn.krm.changes import Changes
    from krm_fn.krm.items import Item
    from krm_fn.krm.outline import Outline, Part

    Edit = tuple[int, int, bytes]

_ITEMS = (b"items", b'"items"', b"'items'")
_BEFORE_LINE = frozenset((b"", b"\n", b"\r", BOM[-1:]))
_MARKER = late(rb"(?m)^(?:---|\.\.\.|%YAML[^\n]*)[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
# Comments in column 0, and blank lines among them, at the end of an entry's span: they stand before the next entry.
_TAIL = late(rb"(?:\A|(?<=\n))#[^\n]*\n(?:#[^\n]*\n|[ \t]*\n)*\Z")


def splice(data: bytes, edits: Iterable[Edit]) -> list[bytes | memoryview]:
    """Return the pieces of a text with spans replaced; edits at the same place come out in the order given.

    Args:
        data: The text.
        edits: Start, end and replacement of spans that don't overlap.
    """
    view = memoryview(data)
    pieces: list[bytes | memoryview] = []
    at = 0
    for start, end, text in sorted(edits, key=lambda edit: edit[0]):
        if start > at:
            pieces.append(view[at:start])
        if text:
            pieces.append(text)
        at = max(at, end)
    pieces.append(view[at:])
    return pieces


class BlockForm:
    """A document whose top level and `items` are in block style."""

    def __init__(self, data: bytes, found: Outline) -> None:
        """Take the text and its outline; the text must not end within a block scalar (`ends_open`)."""
        if not data.endswith((b"\n", b"\r")):
            # what was the last line may get one behind it
            holders: list[Any] = [found, found.parts[-1], *found.items[-1:]]
            for holder in holders:
                holder.end += holder.end == len(data)
            data += b"\n"
        self.data = data
        self.found = found
        self.values: dict[str, Any] = {}
        self.items = found.items
        self.part = found.part("items")

    def write(self, changes: Changes, results: Sequence[dict[str, Any]]) -> list[bytes | memoryview]:
        """Return the pieces of the output."""
        edits = self._markers()
        new: list[str] = []
        if self.part is None:
            listed = self._added(changes, 0)
            new.append("items:\n" + listed.decode() if listed else "items: []\n")
        elif self.items:
            edits += self._entries(changes)
        else:
            edits += self._first_entries(changes, self.part)
        old = self.found.part("results")
        if old is not None:
            edits.append((old.start, old.end, b""))
        if results:
            new.append(dump({"results": results}, indent=self.found.column)[self.found.column :])
        pad = " " * self.found.column
        text = "".join(pad + one for one in new).encode()
        edits.append((self.found.end, self.found.end, text))
        return splice(self.data, edits)

    def _markers(self) -> list[Edit]:
        """Return the edits that drop `---`, `...` and a `%YAML` line, since not every host takes them."""
        head, tail = self.data[: self.found.parts[0].start], self.data[self.found.end :]
        if b"%TAG" in head or not (head or tail):
            return []
        found = [(match.start(), match.end()) for match in _MARKER.finditer(head)]
        found += [(match.start() + self.found.end, match.end() + self.found.end) for match in _MARKER.finditer(tail)]
        return [(start, end, b"") for start, end in found]

    def _first_entries(self, changes: Changes, part: Part) -> list[Edit]:
        """Return the edits that put the first entries into an empty list."""
        colon = self.data.find(b":", part.start) + 1
        end = colon if part.value_start == part.value_end else part.value_end
        if not changes.added:
            return [(colon, end, b" []")]
        return [(colon, end, b""), (part.end, part.end, self._added(changes, self.found.column))]

    def _added(self, changes: Changes, column: int) -> bytes:
        """Return the new entries, with their dashes in a column."""
        pad, indent = " " * column + "- ", column + 2
        return "".join(pad + dump(value, indent=indent)[indent:] for value in changes.added).encode()

    def _entries(self, changes: Changes) -> list[Edit]:
        """Return the edits of the list's entries."""
        part = self.part
        items = self.items
        assert part is not None  # noqa: S101 - the caller has looked
        edits: list[Edit] = []
        # Line of the first dash; an entry's lines begin where those of the entry before end.
        begin = part.value_start - part.value_column
        if not changes.added and len(changes.removed) == len(items):
            colon = self.data.find(b":", part.start) + 1
            edits.append((colon, colon, b" []"))
        for position in sorted(changes.removed):
            start = items[position - 1].end if position else begin
            edits.append((start, self._body_end(items[position]), b""))
        for position, value in changes.replaced.items():
            if position not in changes.removed:
                item = items[position]
                text = dump(value, indent=item.column)[item.column :].encode()
                edits.append((item.start, self._body_end(item), text))
        if changes.labelled or changes.revised:
            edits += self._edited(changes)
        if changes.added:
            at = self._body_end(items[-1])
            edits.append((at, at, self._added(changes, part.value_column)))
        return edits

    def _edited(self, changes: Changes) -> Iterator[Edit]:
        """Yield the edits of the user's own objects."""
        from krm_fn.yaml.edit import revise, set_labels  # noqa: PLC0415 - rarely needed

        texts: list[tuple[int, Any, Any]] = [
            (position, set_labels, labels) for position, labels in changes.labelled.items()
        ]
        texts += [(position, revise, value) for position, value in changes.revised.items()]
        for position, edit, wanted in texts:
            if position not in changes.removed:
                item = self.items[position]
                text = edit(item.text, wanted)
                yield (item.start, item.end, text[item.column :] + (b"" if text.endswith(b"\n") else b"\n"))

    def _body_end(self, item: Item) -> int:
        """Return where an entry ends but for comments in column 0 behind it, which belong to what follows.

        They are comments if the entry is complete without them; else a quoted scalar runs over these lines.
        """
        text = self.data[item.start : item.end]
        tail = _TAIL.search(text) if b"#" in text else None
        if tail is None:
            return item.end
        body = b" " * item.column + text[: tail.start()]
        try:
            complete.require([(0, len(body))], body)
        except (yaml.YAMLError, BadYaml):
            return item.end
        return item.start + tail.start()


def spliceable(data: bytes, found: Outline) -> bool:
    """Tell whether a document is such that `BlockForm` can write it.

    Not so: flow style; anchors that cross objects; a list or a key that shares its first line with something else
    (`? items`), or keys or lists with escapes, tags or anchors; and a text that ends within a block scalar, where a line end behind it would change the value.
    """
    items = found.part("items")
    if found.flow or found.tangled or (found.items and items is not None and items.flow):
        return False
    if items is not None and not data.startswith(_ITEMS, items.start):
        return False
    if found.items and items is not None and not data.startswith(b"-", items.value_start):
        return False
    places = [(part.start, found.column) for part in found.parts]
    if found.items and items is not None:
        places.append((items.value_start, items.value_column))
    for start, column in places:
        begin = start - column
        if data[begin:start].strip(b" ") or data[begin - 1 : begin] not in _BEFORE_LINE:
            return False
    if data.endswith((b"\n", b"\r")):
        return True
    item = found.items[-1] if found.items and found.items[-1].end == len(data) else None
    start, column = (found.parts[-1].start, found.column) if item is None else (item.start, item.column)
    text = b" " * column + data[start:]
    return bool(load(text) == load(text + b"\n"))


class LoadedForm:
    """A document that can't be spliced: a list in flow style, or anchors that cross objects. It is written anew."""

    def __init__(self, data: bytes, found: Outline, value: dict[str, Any]) -> None:
        """Take the text and its whole value."""
        self.data = data
        self.found = found
        self.values = value

    def write(self, changes: Changes, results: Sequence[dict[str, Any]]) -> list[bytes | memoryview]:
        """Return the output: the text as it came if nothing changes, else the value in block style."""
        if changes.empty and not results and "results" not in self.values and self.values.get("items") is not None:
            return [self.data]
        value = {key: field for key, field in self.values.items() if key != "results"}
        value["items"] = changed(self.values.get("items") or (), changes)
        if results:
            value["results"] = list(results)
        return [dump(value).encode()]


def changed(items: Sequence[Any], changes: Changes) -> list[Any]:
    """Return values of items with changes applied."""
    made: list[Any] = []
    for position, old in enumerate(items):
        if position in changes.removed:
            continue
        if position in changes.labelled:
            made.append(labelled(old, changes.labelled[position]))
        else:
            made.append(changes.revised.get(position, changes.replaced.get(position, old)))
    return [*made, *changes.added]


def labelled(value: dict[str, Any], labels: Any) -> dict[str, Any]:
    """Return an object with labels set."""
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    old = metadata.get("labels")
    return {**value, "metadata": {**metadata, "labels": {**(old if isinstance(old, dict) else {}), **labels}}}
