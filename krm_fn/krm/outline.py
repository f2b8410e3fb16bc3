"""Where the parts of a ResourceList stand in its text: the full parse, by one walk over YAML events.

It reads every event of the document, so what it finds is what a YAML parser finds, in whatever style the document is
written. `spans` is the shortcut that must agree with it. Marks of libyaml count characters, so they are turned into
byte offsets at the end.
"""

from __future__ import annotations

import yaml
from yaml.events import (
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from krm_fn.krm.items import Item
from krm_fn.yaml.events import BadYaml, Builder, at_event, bad_yaml, key_text, parser, scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.yaml.complete import Verdict

BOM = b"\xef\xbb\xbf"
IDENTITY = ("apiVersion", "kind")


class Part:
    """A key of the top-level mapping.

    Attributes:
        key: Its text.
        start: Offset of the key.
        value_start: Offset of the value.
        value_end: Offset behind the value, as the parser marks it.
        value_column: Column of the value.
        end: Offset of the next key, or of the end of the mapping.
        shape: `mapping`, `sequence`, `scalar`, `null` or `alias`.
        flow: Whether the value is in flow style.
        value: Value of `apiVersion` and `kind` where they are scalars; None for others.
    """

    __slots__ = ("end", "flow", "key", "shape", "start", "value", "value_column", "value_end", "value_start")

    def __init__(self, key: str, start: int) -> None:
        """Take the key and its place."""
        self.key = key
        self.start = start
        self.value_start = self.value_end = self.end = start
        self.value_column = 0
        self.shape = "scalar"
        self.flow = False
        self.value: Any = None


class Outline:
    """What is known of a document: its top-level keys and the objects of its `items`.

    Attributes:
        parts: Keys of the top-level mapping, in order.
        items: Entries of `items`; empty where that is absent or no list.
        stray: Position of the first entry that is no mapping; None if all are.
        end: Offset behind the mapping.
        flow: Whether the mapping is in flow style.
        column: Column of the top-level keys.
        tangled: Whether an object holds an alias to an anchor outside of it.
        verdict: Tells whether the outline holds, where that is still being found out; None where it surely does.
    """

    __slots__ = ("column", "end", "flow", "items", "parts", "stray", "tangled", "verdict")

    def __init__(self) -> None:
        """Start empty."""
        self.parts: list[Part] = []
        self.items: list[Item] = []
        self.stray: int | None = None
        self.end = 0
        self.flow = False
        self.column = 0
        self.tangled = False
        self.verdict: Verdict | None = None

    def part(self, key: str) -> Part | None:
        """Return a part by its key."""
        return next((part for part in self.parts if part.key == key), None)


def read(data: bytes) -> Outline | None:
    """Read the outline of a document whose top level is a mapping.

    Returns:
        The outline with byte offsets; None for an empty document.

    Raises:
        BadYaml: Not one YAML document, not a mapping, or one that can't be read safely.
    """
    text: bytes | str = data
    base = len(BOM) if data.startswith(BOM) else 0  # which the parser does not count
    if not data.isascii():
        try:
            text = data[base:].decode()
        except UnicodeDecodeError as error:
            message = "not valid UTF-8"
            raise BadYaml(message, *_place(data, error.start + base)) from None
    try:
        found = _Walker(text, data).run()
    except yaml.reader.ReaderError as error:
        raise BadYaml(str(error.reason), *_place(data, error.position + base)) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    if found is not None and isinstance(text, str):
        _to_bytes(found, text, base)
    return found


def _place(data: bytes, at: int) -> tuple[int, int]:
    """Return line and column, both from 0, of a byte."""
    line_start = data.rfind(b"\n", 0, at) + 1
    return data.count(b"\n", 0, at), len(data[line_start:at].decode("utf-8", "replace"))


def identity(text: bytes) -> tuple[str, str, bool] | None:
    """Read the one object in a list of one entry, by its events.

    Returns:
        Its apiVersion and kind, and whether it holds an alias to an anchor outside of it; None if it is no mapping.

    Raises:
        BadYaml: It can't be read.
    """
    try:
        walker = _Walker(text, text)
        events = [walker.events.get_event() for _ in range(4)]  # stream, document, sequence, the entry
        who = walker.object(events[3])
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    return None if who is None else (*who, walker.builder.foreign)


def _start(event: Any) -> Any:
    """Return the mark of an event's start; events of a parser always have one."""
    return event.start_mark


def _end(event: Any) -> Any:
    return event.end_mark


class _Walker:
    """One walk over the events of a text."""

    def __init__(self, text: bytes | str, data: bytes) -> None:
        self.text: Any = text
        self.data = data
        self.blank: Any
        self.dash: Any
        self.breaks: tuple[Any, ...]  # what libyaml takes for a line break
        if isinstance(text, str):
            self.blank, self.dash, self.breaks = " ", "-", ("\n", "\r", "\x85", "\u2028", "\u2029")
        else:
            self.blank, self.dash, self.breaks = b" ", b"-", (b"\n", b"\r")
        self.events = parser(text)
        self.builder = Builder(self.events)

    def run(self) -> Outline | None:
        """Walk the whole document."""
        get = self.events.get_event
        get()
        if isinstance(get(), StreamEndEvent):
            return None
        event = get()
        if not isinstance(event, MappingStartEvent):
            raise at_event(event, "the document is not a mapping")
        found = Outline()
        mark = _start(event)
        found.flow = bool(event.flow_style)
        found.column = mark.column
        seen: set[str] = set()
        event = get()
        while not isinstance(event, MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise at_event(event, "a top-level key must be a string")
            part = Part(key_text(scalar_value(event), event), _start(event).index)
            if part.key in seen:
                raise at_event(event, "a key appears twice in one mapping")
            seen.add(part.key)
            self._value(part, found)
            if found.parts:
                found.parts[-1].end = part.start
            found.parts.append(part)
            event = get()
        found.end = _end(event).index if found.flow else self._line_start(_start(event).index)
        if found.parts:
            found.parts[-1].end = found.end
        get()
        event = get()
        if isinstance(event, DocumentStartEvent):
            raise at_event(event, "a second YAML document begins")
        return found

    def _value(self, part: Part, found: Outline) -> None:
        """Read the value of a top-level key."""
        event = self.events.get_event()
        part.value_start = _start(event).index
        part.value_column = _start(event).column
        part.flow = bool(getattr(event, "flow_style", False))
        if isinstance(event, ScalarEvent):
            value = scalar_value(event)
            part.value = value if part.key in IDENTITY else None
            part.shape = "null" if value is None else "scalar"
        elif isinstance(event, MappingStartEvent):
            part.shape = "mapping"
        elif isinstance(event, SequenceStartEvent):
            part.shape = "sequence"
            if part.key == "items":
                part.value_end = self._items(found, event)
                return
        else:
            part.shape = "alias"
        part.value_end = self.builder.skip(event)

    def _items(self, found: Outline, start: Any) -> int:
        """Read the entries; return where the list ends."""
        get = self.events.get_event
        items, builder = found.items, self.builder
        event = get()
        while not isinstance(event, SequenceEndEvent):
            mark = _start(event)
            item = Item(self.data, mark.index, mark.index, mark.column, len(items), "", "")
            if items and not start.flow_style:
                items[-1].end = self._dash_line(item.start, items[-1].start)
            builder.seen.clear()
            builder.foreign = False
            who = self.object(event)
            if who is None:
                item.end = builder.skip(event)
                found.stray = item.position if found.stray is None else found.stray
            else:
                item.api_version, item.kind = who
                item.end = self.object_end
            found.tangled = found.tangled or builder.foreign
            items.append(item)
            event = get()
        if items and not start.flow_style:
            items[-1].end = self._line_start(_start(event).index)
        end: int = _end(event).index
        return end

    def object(self, event: Any) -> tuple[str, str] | None:
        """Read past an object; return its apiVersion and kind, or None, with nothing read, if it is no mapping."""
        if not isinstance(event, MappingStartEvent):
            return None
        get, skip = self.events.get_event, self.builder.skip
        if event.anchor:
            self.builder.seen.add(event.anchor)
        found: dict[str, str] = {}
        key = get()
        while not isinstance(key, MappingEndEvent):
            if isinstance(key, ScalarEvent) and key.value in IDENTITY:
                if key.value in found:
                    raise at_event(key, "a key appears twice in one mapping")
                skip(key)
                event = get()
                value = scalar_value(event) if isinstance(event, ScalarEvent) else None
                found[key.value] = value if isinstance(value, str) else ""
            else:
                skip(key)
                event = get()
            skip(event)
            key = get()
        self.object_end: int = _end(key).index
        return found.get("apiVersion", ""), found.get("kind", "")

    def _line_start(self, index: int) -> int:
        """Go back over blanks to the start of the line, if nothing else is before."""
        start = index if index < len(self.text) else 0  # the end of the text may follow blanks
        while start and self.text[start - 1 : start] == self.blank:
            start -= 1
        return start if start and self.text[start - 1 : start] in self.breaks else index

    def _dash_line(self, index: int, lower: int) -> int:
        """Return the start of the line that holds the dash of the entry whose node begins at an index.

        Between that line and the node there are but blank lines and comments; `lower` lies in the entry before.
        """
        at = index
        while True:
            line: int = 1 + max(self.text.rfind(line_break, lower, at) for line_break in self.breaks)
            if self.text[line:index].lstrip(self.blank).startswith(self.dash):
                return line
            at = line - 1


def _to_bytes(found: Outline, text: str, base: int) -> None:
    """Turn character offsets into byte offsets, behind a byte order mark of that size."""
    holders: list[tuple[int, Any, str]] = [(found.end, found, "end")]
    for part in found.parts:
        holders += [(getattr(part, name), part, name) for name in ("start", "value_start", "value_end", "end")]
    for item in found.items:
        holders += [(item.start, item, "start"), (item.end, item, "end")]
    holders.sort(key=lambda holder: holder[0])
    chars, size = 0, base
    for index, holder, name in holders:
        size += len(text[chars:index].encode())
        chars = index
        setattr(holder, name, size)
