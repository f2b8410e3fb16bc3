"""Where the parts of a ResourceList are in its text: one walk over the events of a parser, for every form.

Block style, flow style and JSON give the same events, so there is one outline of all of them. `fast` is the shortcut
for the form that hosts send, and must agree with it. Marks of libyaml count characters; they are turned into byte
offsets at the end.
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
from krm_fn.yaml import BadYaml, at_event, bad_yaml
from krm_fn.yaml.read import Builder, key_text, parser, same_places, scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BOM = b"\xef\xbb\xbf"
IDENTITY = ("apiVersion", "kind")
OFFSETS = ("start", "key_end", "value_start", "value_end", "end")  # of a part


class Part:
    """A key of the top-level mapping.

    Attributes:
        key: Its text.
        start: Offset of the key.
        key_end: Offset behind the key.
        value_start: Offset of the value; of a block list that of its first dash.
        value_end: Offset behind the value, as the parser marks it.
        value_column: Column of `value_start`.
        end: Offset of the next key, or of the end of the mapping.
        shape: `mapping`, `sequence`, `scalar`, `null` or `alias`.
        flow: Whether the value is in flow style.
        value: Value of `apiVersion` and `kind` where they are scalars; None for others.
    """

    __slots__ = ("end", "flow", "key", "key_end", "shape", "start", "value", "value_column", "value_end", "value_start")

    def __init__(self, key: str, start: int, key_end: int) -> None:
        self.key = key
        self.start = start
        self.key_end = key_end
        self.value_start = self.value_end = self.end = key_end
        self.value_column = 0
        self.shape = "scalar"
        self.flow = False
        self.value: Any = None


class Outline:
    """What is known of a document: its top-level keys and the objects of its `items`."""

    __slots__ = ("column", "crossing", "end", "flow", "items", "parts", "start", "stray")

    def __init__(self) -> None:
        self.parts: list[Part] = []  # keys of the top-level mapping, in order
        self.items: list[Item] = []  # entries of `items`; empty where that is absent or no list
        self.stray: int | None = None  # position of the first entry that is no mapping; None if all are
        # line, from 0, of the first alias in an entry to an anchor outside of it, and the entry's position
        self.crossing: tuple[int, int] | None = None
        self.start = 0  # offset of the mapping
        self.end = 0  # offset behind the mapping
        self.flow = False  # whether the mapping is in flow style
        self.column = 0  # column of the top-level keys

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
    text: bytes | str = same_places(data)
    base = len(BOM) if data.startswith(BOM) else 0  # which the parser does not count
    if not data.isascii():
        try:
            text = data[base:].decode()
        except UnicodeDecodeError as error:
            message = "not valid UTF-8"
            raise BadYaml(message, *place(data, error.start + base)) from None
        text = same_places(text)
    try:
        found = _Walker(text, data).run()
    except yaml.reader.ReaderError as error:
        raise BadYaml(str(error.reason), *place(data, error.position + base)) from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    if found is not None and isinstance(text, str):
        _to_bytes(found, text, base)
    return found


def place(data: bytes, at: int) -> tuple[int, int]:
    """Return line and column, both from 0, of a byte."""
    line_start = data.rfind(b"\n", 0, at) + 1
    return data.count(b"\n", 0, at), len(data[line_start:at].decode("utf-8", "replace"))


def identity(text: bytes) -> tuple[str, str, bool] | None:
    """Return apiVersion and kind of the one object in a list of one entry, and whether it has an alias to an anchor outside.

    None if it is no mapping.
    """
    try:
        walker = _Walker(text, text)
        events = [walker.events.get_event() for _ in range(4)]  # stream, document, sequence, the entry
        who = walker.object(events[3])
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    return None if who is None else (*who, walker.builder.foreign is not None)


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
        self.space: Any
        self.dash: Any
        self.breaks: tuple[Any, ...]  # what libyaml takes for a line break
        if isinstance(text, str):
            self.space, self.dash, self.breaks = " ", "-", ("\n", "\r", "\x85", "\u2028", "\u2029")
        else:
            self.space, self.dash, self.breaks = b" ", b"-", (b"\n", b"\r")
        self.events = parser(text)
        self.builder = Builder(self.events)

    def run(self) -> Outline | None:
        """Walk the whole document."""
        get = self.events.get_event
        get()
        if isinstance(get(), StreamEndEvent):
            return None
        found = Outline()
        self._begin(found)
        seen: set[str] = set()
        event = self.first
        while not isinstance(event, MappingEndEvent):
            if not isinstance(event, ScalarEvent):
                raise at_event(event, "a top-level key must be a string")
            part = Part(key_text(scalar_value(event), event), _start(event).index, _end(event).index)
            if part.key in seen:
                raise at_event(event, "a key appears twice in one mapping")
            seen.add(part.key)
            if not found.flow:
                part.start = self._first_of_line(part.start)  # for `? key`
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

    def _begin(self, found: Outline) -> None:
        """Read up to the first key."""
        event = self.events.get_event()
        if not isinstance(event, MappingStartEvent):
            raise at_event(event, "the document is not a mapping")
        found.flow = bool(event.flow_style)
        self.first = self.events.get_event()
        found.start = _start(self.first).index
        if not found.flow:
            found.start = self._first_of_line(found.start)
            found.column = found.start - self._line_begin(found.start, 0)

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
                part.value_end = self._items(found, event, part)
                return
        else:
            part.shape = "alias"
        part.value_end = self.builder.skip(event)

    def _items(self, found: Outline, start: Any, part: Part) -> int:
        """Read the entries; return where the list ends."""
        get = self.events.get_event
        items, builder = found.items, self.builder
        event = get()
        while not isinstance(event, SequenceEndEvent):
            mark = _start(event)
            column = 0 if start.flow_style else mark.column
            item = Item(self.data, mark.index, mark.index, column, len(items), "", "")
            if not start.flow_style:
                if items:
                    items[-1].end = self._line_start(self._dash(item.start, items[-1].start))
                else:
                    part.value_start = self._dash(item.start, part.key_end)
                    part.value_column = part.value_start - self._line_begin(part.value_start, 0)
            builder.seen.clear()
            builder.foreign = None
            who = self.object(event)
            if who is None:
                item.end = builder.skip(event)
                found.stray = item.position if found.stray is None else found.stray
            else:
                item.api_version, item.kind = who
                item.end = self.object_end
            if builder.foreign is not None and found.crossing is None:
                found.crossing = (_start(builder.foreign).line, item.position)
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

    def _line_begin(self, index: int, lower: int) -> int:
        """Return where the line of a character begins, or `lower` if that is on the same line."""
        found: int = max(self.text.rfind(line_break, lower, index) for line_break in self.breaks)
        return max(lower, found + 1)

    def _first_of_line(self, index: int) -> int:
        """Return the offset of the first character of a line that is no space."""
        line = self._line_begin(index, 0)
        before = self.text[line:index]
        return line + len(before) - len(before.lstrip(self.space))

    def _line_start(self, index: int) -> int:
        """Go back over spaces to the start of the line, if nothing else is before."""
        start = index if index < len(self.text) else 0  # the end of the text may follow spaces
        while start and self.text[start - 1 : start] == self.space:
            start -= 1
        return start if start and self.text[start - 1 : start] in self.breaks else index

    def _dash(self, index: int, lower: int) -> int:
        """Return the offset of the dash of the entry whose node begins at an index.

        It is the last one of the node's own line, or the first character of a line before, with nothing but empty lines
        and comments between; `lower` is in what comes before the entry.
        """
        line = self._line_begin(index, lower)
        before = self.text[line:index].rstrip()
        if before.endswith(self.dash):
            own: int = line + len(before) - 1
            return own
        while line > lower:
            end, line = line - 1, self._line_begin(line - 1, lower)
            text = self.text[line:end].lstrip(self.space)
            if text.startswith(self.dash):
                dash: int = end - len(text)
                return dash
        message = "an entry of items shares its first line with something else"
        raise BadYaml(message, *place(self.data, index))


def _to_bytes(found: Outline, text: str, base: int) -> None:
    """Turn character offsets into byte offsets, behind a byte order mark of that size."""
    holders: list[tuple[int, Any, str]] = [(getattr(found, name), found, name) for name in ("start", "end")]
    for part in found.parts:
        holders += [(getattr(part, name), part, name) for name in OFFSETS]
    for item in found.items:
        holders += [(item.start, item, "start"), (item.end, item, "end")]
    holders.sort(key=lambda holder: holder[0])
    chars, size = 0, base
    for index, holder, name in holders:
        size += len(text[chars:index].encode())
        chars = index
        setattr(holder, name, size)
