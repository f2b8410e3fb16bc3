"""Writing a block-style ResourceList by splicing: only the bytes of what changes are new."""

from __future__ import annotations

import re

import yaml

from krm_fn.sdk import complete
from krm_fn.sdk.events import BadYaml
from krm_fn.sdk.yaml_write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from krm_fn.sdk.changes import Changes
    from krm_fn.sdk.items import Item
    from krm_fn.sdk.layout import Outline

    Edit = tuple[int, int, bytes]

# Comments in column 0, and blank lines among them, at the end of an entry's span: they stand before the next entry.
_TAIL = re.compile(rb"(?:\A|(?<=\n))#[^\n]*\n(?:#[^\n]*\n|[ \t]*\n)*\Z")


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
        """Take the text and its outline."""
        self.data = data
        self.found = found
        self.items = found.items
        self.part = found.part("items")

    def write(self, changes: Changes, results: Sequence[dict[str, Any]]) -> list[bytes | memoryview]:
        """Return the pieces of the output."""
        edits: list[Edit] = []
        new: list[str] = []
        if self.part is not None and self.items:
            edits += self._entries(changes)
        elif self.part is not None:
            start, end = self.part.value_start, self.part.value_end
            blank = b"" if self.data[start - 1 : start] in (b" ", b"\t") else b" "
            listed = b"\n" + self._added(changes, 0)[:-1]
            edits.append((start, end, listed if changes.added else blank + b"[]"))
        else:
            listed = self._added(changes, 0)
            new.append("items:\n" + listed.decode() if listed else "items: []\n")
        old = self.found.part("results")
        if old is not None:
            edits.append((old.start, old.end, b""))
        if results:
            new.append(dump({"results": results}, indent=self.found.column)[self.found.column :])
        if new:
            pad = " " * self.found.column
            edits.append(self._insertion(self.found.end, "".join(pad + text for text in new).encode()))
        return splice(self.data, edits)

    def _insertion(self, at: int, text: bytes) -> Edit:
        """Return the edit that puts whole lines at a place, beginning a line first where the text ends without one."""
        return (at, at, text if self.data[at - 1 : at] in (b"\n", b"\r", b"") else b"\n" + text)

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
        begin = self.data.rfind(b"\n", 0, part.value_start) + 1
        if not changes.added and len(changes.removed) == len(items):
            colon = self.data.rfind(b":", part.start, part.value_start) + 1
            edits.append((colon, colon, b" []"))
        for position in sorted(changes.removed):
            start = items[position - 1].end if position else begin
            edits.append((start, self._body_end(items[position]), b""))
        for position, value in changes.replaced.items():
            item = items[position]
            text = dump(value, indent=item.column)[item.column :].encode()
            edits.append((item.start, self._body_end(item), text))
        if changes.labelled or changes.revised:
            from krm_fn.sdk.edit import revise, set_labels  # noqa: PLC0415 - rarely needed

            for position, labels in changes.labelled.items():
                edits.append(self._edited(items[position], set_labels(items[position].text, labels)))
            for position, value in changes.revised.items():
                edits.append(self._edited(items[position], revise(items[position].text, value)))
        if changes.added:
            at = self._body_end(items[-1])
            edits.append(self._insertion(at, self._added(changes, part.value_column)))
        return edits

    def _edited(self, item: Item, text: bytes) -> Edit:
        return (item.start, item.end, text[item.column :])

    def _body_end(self, item: Item) -> int:
        """Return where an entry ends but for comments in column 0 behind it, which belong to what follows.

        They are comments if the entry is complete without them; else a quoted scalar runs over these lines.
        """
        text = self.data[item.start : item.end]
        tail = _TAIL.search(text)
        if tail is None:
            return item.end
        body = b" " * item.column + text[: tail.start()]
        try:
            complete.check([(len(body), body)])
        except (yaml.YAMLError, BadYaml):
            return item.end
        return item.start + tail.start()


class LoadedForm:
    """A document that can't be spliced: a list in flow style, or anchors that cross objects. It is written anew."""

    def __init__(self, data: bytes, found: Outline, value: dict[str, Any]) -> None:
        """Take the text and its whole value."""
        self.data = data
        self.found = found
        self.value = value

    def write(self, changes: Changes, results: Sequence[dict[str, Any]]) -> list[bytes | memoryview]:
        """Return the output: the text as it came if nothing changes, else the value in block style."""
        if changes.empty and not results and "results" not in self.value:
            return [self.data]
        value = {key: field for key, field in self.value.items() if key != "results"}
        value["items"] = changed(self.value["items"], changes)
        if results:
            value["results"] = list(results)
        return [dump(value).encode()]


def changed(items: Sequence[Any], changes: Changes) -> list[Any]:
    """Return values of items with changes applied."""
    made = []
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
