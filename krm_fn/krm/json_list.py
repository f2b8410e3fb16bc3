"""A ResourceList in JSON: read with every object's span, written with untouched objects byte for byte."""

from __future__ import annotations

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined] # the stubs hide it

from krm_fn.krm.items import Item
from krm_fn.krm.outline import Outline, Part
from krm_fn.krm.splice import labelled
from krm_fn.yaml.events import MAX_DEPTH, BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.changes import Changes

_BLANKS = re.compile(r"[ \t\n\r]*")
_HALF_PAIR = re.compile("[\ud800-\udfff]")
_FIRST_LINE = re.compile(r"\{\r?\n([ \t]+)\"")


class NotJson(Exception):  # noqa: N818 - a signal to read it as YAML
    """The text is not JSON."""


class JsonForm:
    """A document in JSON."""

    def __init__(self, data: bytes) -> None:
        """Read it.

        Raises:
            NotJson: It is no JSON object; it may be YAML in flow style.
            BadYaml: It is JSON that can't be read safely.
        """
        try:
            self.text = data.decode()
        except UnicodeDecodeError:
            raise NotJson from None
        self.data = data
        self.found = Outline()
        self.found.flow = True
        self.spans: list[tuple[int, int]] = []  # of the items, in characters
        self.decoder = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
        self.values: dict[str, Any] = {}
        try:
            self._read()
        except (json.JSONDecodeError, StopIteration):
            raise NotJson from None
        except RecursionError:
            message = "nested too deep"
            raise BadYaml(message) from None
        except ValueError as error:  # a number of thousands of digits
            message = f"not a number that can be read ({type(error).__name__})"
            raise BadYaml(message) from None

    # --- reading -----------------------------------------------------------------------------------------------------

    def _blanks(self, at: int) -> int:
        match = _BLANKS.match(self.text, at)
        return at if match is None else match.end()

    def _expect(self, at: int, characters: str) -> int:
        """Go behind one of some characters and the blanks around it."""
        at = self._blanks(at)
        if self.text[at : at + 1] not in characters or at >= len(self.text):
            raise NotJson
        return self._blanks(at + 1)

    def _read(self) -> None:
        text, parts = self.text, self.found.parts
        at = self._expect(0, "{")
        while text[at : at + 1] != "}" or parts:
            if text[at : at + 1] != '"':
                raise NotJson
            key, behind = scanstring(text, at + 1, True)  # noqa: FBT003 - C function
            if key in self.values:
                message = "a key appears twice in one mapping"
                raise BadYaml(message, *self._place(at))
            part = Part(key, at)
            part.value_start = self._expect(behind, ":")
            if key == "items" and text[part.value_start : part.value_start + 1] == "[":
                part.value_end = self._items(part.value_start)
                part.shape = "sequence"
                self.values[key] = []
            else:
                value, part.value_end = self._value(part.value_start)
                self.values[key] = value
                part.shape = {dict: "mapping", list: "sequence", type(None): "null"}.get(type(value), "scalar")
                part.value = value if part.shape == "scalar" else None
            parts.append(part)
            at = self._blanks(part.value_end)
            part.end = at
            if text[at : at + 1] == "}":
                break
            at = self._expect(at, ",")
        self.found.end = at
        if self._blanks(at + 1) != len(text):
            raise NotJson

    def _items(self, at: int) -> int:
        """Read the elements; return where the list ends."""
        text, found = self.text, self.found
        at = self._blanks(at + 1)
        if text[at : at + 1] == "]":
            return at + 1
        characters = size = 0
        while True:
            value, end = self._value(at)
            start = size + len(text[characters:at].encode())
            characters, size = end, start + len(text[at:end].encode())
            item = Item(self.data, start, size, 0, len(found.items), "", "")
            if isinstance(value, dict):
                item.know(value)
            elif found.stray is None:
                found.stray = item.position
            self.spans.append((at, end))
            found.items.append(item)
            at = self._blanks(end)
            if text[at : at + 1] == "]":
                return at + 1
            at = self._expect(at, ",")

    def _value(self, at: int) -> tuple[Any, int]:
        try:
            value, end = self.decoder.raw_decode(self.text, at)
        except BadYaml as error:
            raise BadYaml(error.problem, *self._place(at)) from None
        text = self.text
        if text.count("[", at, end) + text.count("{", at, end) > MAX_DEPTH and _deeper(value, MAX_DEPTH):
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise BadYaml(message, *self._place(at))
        return value, end

    def _place(self, at: int) -> tuple[int, int]:
        return self.text.count("\n", 0, at), at - (self.text.rfind("\n", 0, at) + 1)

    # --- writing -----------------------------------------------------------------------------------------------------

    def write(self, changes: Changes, results: Sequence[Mapping[str, Any]]) -> list[bytes | memoryview]:
        """Return the output: untouched objects as they came, new ones in the style of the text."""
        text, parts = self.text, self.found.parts
        edits: list[tuple[int, int, str]] = []
        pretty = _FIRST_LINE.match(text, self._blanks(0))
        step = pretty[1] if pretty else ""
        items = self.found.part("items")
        fields: list[tuple[str, Any]] = []
        if items is None:
            fields.append(("items", list(changes.added)))
        elif self.found.items:
            edits += self._elements(changes, step)
        else:
            edits.append((items.value_start, items.value_end, _dumped(list(changes.added), step, step)))
        last = parts[-1]
        for place, part in enumerate(parts):
            if part.key == "results":
                if place:
                    edits.append((parts[place - 1].value_end, part.value_end, ""))
                    last = parts[-1] if place < len(parts) - 1 else parts[place - 1]
                else:
                    edits.append((part.start, parts[1].start, ""))
        if results:
            fields.append(("results", list(results)))
        line = f",\n{step}" if step else ", "
        behind = "".join(f"{line}{json.dumps(key)}: {_dumped(value, step, step)}" for key, value in fields)
        edits.append((last.value_end, last.value_end, behind))
        return [_spliced(text, edits).encode()]

    def _elements(self, changes: Changes, step: str) -> list[tuple[int, int, str]]:
        text, items, spans = self.text, self.found.items, self.spans
        edits = []
        first = spans[0][0]
        pad = text[text.rfind("\n", 0, first) + 1 : first]
        pad = pad if step and not pad.strip() else ""
        new = {**changes.replaced, **changes.revised}
        new |= {position: labelled(items[position].value(), labels) for position, labels in changes.labelled.items()}
        kept = [item.position for item in items if item.position not in changes.removed]
        for position, value in new.items():
            if position not in changes.removed:
                edits.append((*spans[position], _dumped(value, pad and step, pad)))
        for position in changes.removed:
            # with the comma before it, or, where nothing is kept before it, up to the next element
            if kept and position > kept[0]:
                edits.append((spans[position - 1][1], spans[position][1], ""))
            else:
                next_one = spans[position + 1][0] if position + 1 < len(items) else spans[position][1]
                edits.append((spans[position][0], next_one, ""))
        line = f",\n{pad}" if pad else ", "
        added = line.join(_dumped(value, pad and step, pad) for value in changes.added)
        if added:
            end = spans[-1][1]
            edits.append((end, end, (line if kept else "") + added))
        return edits


def _spliced(text: str, edits: list[tuple[int, int, str]]) -> str:
    pieces, at = [], 0
    for start, end, new in sorted(edits, key=lambda edit: edit[0]):
        pieces += [text[at:start], new]
        at = max(at, end)
    return "".join([*pieces, text[at:]])


def _dumped(value: Any, step: str, pad: str) -> str:
    """Return a value as JSON: indented by steps behind a margin, or on one line."""
    text = json.dumps(value, ensure_ascii=False, indent=step or None).replace("\n", "\n" + pad)
    return _HALF_PAIR.sub("\ufffd", text)  # half a surrogate pair, as Go's JSON decoder has it


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        message = "a key appears twice in one mapping"
        raise BadYaml(message)
    return found


def _refuse(name: str) -> Any:
    message = f"{name} is no JSON number"
    raise BadYaml(message)


def _deeper(value: Any, depth: int) -> bool:
    """Tell whether a value is nested deeper than that; without recursion."""
    level = [value]
    while level and depth >= 0:
        depth -= 1
        level = [
            child
            for one in level
            if isinstance(one, (dict, list))
            for child in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)
