"""Reading YAML and JSON: from libyaml's events to values, iterative, bounded, typed as Kubernetes types them.

PyYAML's loaders are not used for values: they type by YAML 1.1 (dates, `1:30` as 90), recurse once per level, and let
aliases multiply. Here depth and the expanded size are bounded, and a duplicate key is an error with its line.
Where PyYAML was built without libyaml, its pure Python parser gives the same events, only slower.

Plain scalars mean what they mean to `sigs.k8s.io/yaml`, which follows go-yaml v2: booleans of YAML 1.1 (`on`, `yes`,
`y`), octal with a leading zero, digits grouped by `_`, floats such as `1e3`; but dates and `1:30` stay strings. Source:
`goyaml.v2/resolve.go` of sigs.k8s.io/yaml v1.4.
"""

from __future__ import annotations

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from krm_fn.base import late
from krm_fn.yaml import BadYaml, at_event, bad_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Parser = Any  # what both of PyYAML's parsers are: `get_event` returns the next event, None after the last

MAX_DEPTH = 250  # of a value that is built: its readers and writers recurse
MAX_FLOW_DEPTH = 250  # of flow collections anywhere: libyaml takes time quadratic in it
MAX_SKIPPED_DEPTH = 100_000  # of what is only read past: libyaml holds some bytes a level
TOO_MANY_ALIASES = "aliases stand for more than"  # begins that error
MAX_EXPANDED = 2_000_000  # values that the aliases of one run stand for, over all texts

_EXACT = 1e15  # whole floats below print without an exponent
_TAG = "tag:yaml.org,2002:"
_CHECKED_TAGS: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "true", "True", "TRUE"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF", "false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
}
_NUMERIC_START = frozenset("+-.0123456789")
_INT = late(r"([-+]?)(?:0[bB]([01]+)|0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))\Z")
_BASES = ((2, 2), (3, 16), (4, 8), (5, 10))  # group of _INT, its base
_FLOAT = late(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_POINT_FLOAT = late(r"\.[0-9]+(?:[eE][-+]?[0-9]+)?\Z")
_MAX_INT_TEXT = 70  # a sign, a prefix and 64 binary digits; longer ones are beyond 64 bits unless padded with zeros
_HALF = late(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")  # of an escaped surrogate pair: JSON has it, libyaml refuses it
_INT64_MIN, _INT64_MAX, _UINT64_MAX = -(2**63), 2**63 - 1, 2**64 - 1


def parser(text: str | bytes) -> Parser:
    """Return an event parser over a text: libyaml's, or PyYAML's own where that is missing."""
    made: Parser = getattr(getattr(yaml, "cyaml", None), "CParser", yaml.SafeLoader)(text)
    return made


def same_places(text: Any) -> Any:
    """Return JSON, in bytes or characters, in a form that libyaml reads with every node in the same place.

    JSON has surrogate pairs, which libyaml refuses; other text comes back as it is.
    """
    if isinstance(text, str):
        if "\\u" not in text:
            return text
        return same_places(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
    json = b"\\u" in text and text.lstrip(b" \t\r\n")[:1] in {b"[", b"{"}
    return _HALF.sub(rb"\\ufffd", text) if json else text


def load(text: str | bytes) -> Any:
    """Return the value of a text that holds one YAML or JSON document; None for an empty one.

    Raises:
        BadYaml: Syntax, several documents, depth, size of expanded aliases, duplicate keys, unusable keys or tags.
    """
    try:
        return _load(text)
    except BadYaml:
        value = _with_surrogates(text)
        if value is None:
            raise
        return value


def _with_surrogates(text: str | bytes) -> Any:
    """Return the value of JSON with surrogate pairs in its escapes, which libyaml refuses; None for any other text."""
    from json import loads  # noqa: PLC0415 - rarely needed

    replaced = same_places(text)
    if replaced == text:
        return None
    try:
        _load(replaced)  # keeps the bounds, and refuses duplicate keys
        return loads(text)
    except (BadYaml, ValueError, RecursionError):
        return None


def _load(text: str | bytes) -> Any:
    try:
        events = parser(text)
        events.get_event()  # stream start
        event = events.get_event()
        if isinstance(event, StreamEndEvent):
            return None
        value = Builder(events).build(events.get_event())
        events.get_event()  # document end
        event = events.get_event()
        if isinstance(event, DocumentStartEvent):
            raise at_event(event, "a second YAML document begins")
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    return value


def new_budget() -> None:
    """Reset the count of values that the aliases of a run stand for."""
    Builder.expanded = 0


class Builder:
    """Builds values from the events of one parser; anchors live as long as the builder.

    Attributes:
        foreign: The event of the first alias that was read past and refers to no anchor read past; None so far.
        expanded: How many values the aliases of this run stand for, in whatever text.
    """

    __slots__ = ("anchors", "events", "foreign", "seen")
    expanded = 0

    def __init__(self, events: Parser) -> None:
        """Take the parser whose next events are to be built."""
        self.events = events
        self.anchors: dict[str, tuple[Any, int]] = {}  # anchor -> value, its expanded size
        self.seen: set[str | None] = set()  # anchors read past
        self.foreign: Any = None

    def skip(self, event: Any) -> int:
        """Read past the node that begins with an event; return where it ends, as the parser marks it."""
        depth = flow_start = 0
        get = self.events.get_event
        while True:
            kind = type(event)
            if kind is AliasEvent:
                if self.foreign is None and event.anchor not in self.seen:
                    self.foreign = event
            elif kind is ScalarEvent:
                self.seen.add(event.anchor)  # None does no harm
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                self.seen.add(event.anchor)
                depth += 1
                if not event.flow_style:
                    flow_start = depth
                if depth > MAX_SKIPPED_DEPTH or depth - flow_start > MAX_FLOW_DEPTH:
                    raise at_event(event, "nested too deep")
            else:
                depth -= 1
                flow_start = min(flow_start, depth)
            if depth <= 0:
                end: int = event.end_mark.index
                return end
            event = get()

    def build(self, event: Any) -> Any:
        """Return the value of the node that begins with an event."""
        get = self.events.get_event
        stack: list[_Frame] = []
        while True:
            kind = type(event)
            if kind is MappingStartEvent or kind is SequenceStartEvent:
                if len(stack) >= MAX_DEPTH:
                    raise at_event(event, f"nested deeper than {MAX_DEPTH} levels")
                stack.append(_Frame(event, {} if kind is MappingStartEvent else []))
                event = get()
                continue
            merge = False
            if kind is ScalarEvent:
                value, size = scalar_value(event), 1
                merge = event.value == "<<" and event.implicit[0]
            elif kind is AliasEvent:
                value, size = self._aliased(event)
            else:  # the end of a mapping or sequence
                frame = stack.pop()
                value, size, event = frame.finish(), frame.size, frame.event
            if event.anchor and kind is not AliasEvent:
                self.anchors[event.anchor] = (value, size)
            if not stack:
                return value
            stack[-1].add(value, event, merge=merge)
            stack[-1].size += size
            event = get()

    def _aliased(self, event: Any) -> tuple[Any, int]:
        """Return what an alias stands for, and its size."""
        if event.anchor not in self.anchors:
            raise at_event(event, "an alias refers to an anchor that is not set before it")
        value, size = self.anchors[event.anchor]
        Builder.expanded += size
        if Builder.expanded > MAX_EXPANDED:
            new_budget()
            raise at_event(event, f"{TOO_MANY_ALIASES} {MAX_EXPANDED} values")
        return value, size


class _Frame:
    """A mapping or sequence that is being built."""

    __slots__ = ("event", "has_key", "key", "merged", "size", "value")

    def __init__(self, event: Any, value: Any) -> None:
        self.event = event
        self.value = value
        self.size = 1
        self.has_key = False
        self.key: str | None = None  # None with has_key: a merge key
        self.merged: list[tuple[Any, Any]] = []

    def add(self, value: Any, event: Any, *, merge: bool) -> None:
        """Take the next child."""
        if type(self.value) is list:
            self.value.append(value)
        elif not self.has_key:
            self.has_key = True
            self.key = None if merge else key_text(value, event)
            if self.key in self.value:
                raise at_event(event, "a key appears twice in one mapping")
        else:
            self.has_key = False
            if self.key is None:
                self.merged.append((value, event))
            else:
                self.value[self.key] = value

    def finish(self) -> Any:
        """Return the value, merge keys applied: what is written in the mapping itself wins, then the first source."""
        for merged, event in self.merged:
            for source in merged if isinstance(merged, list) else [merged]:
                if not isinstance(source, dict):
                    raise at_event(event, "a merge key (<<) needs a mapping or a list of mappings")
                for key, value in source.items():
                    self.value.setdefault(key, value)
        return self.value


def key_text(value: Any, event: Any) -> str:
    """Return a mapping key as JSON needs it, as sigs.k8s.io/yaml does: numbers and booleans become their text.

    Raises:
        BadYaml: For null, a mapping or a list as key.
    """
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        return str(value)
    if type(value) is float:
        return str(int(value)) if value.is_integer() and abs(value) < _EXACT else str(value)
    raise at_event(event, "a mapping key must be a string")


def scalar_value(event: Any) -> Any:
    """Return the value of a scalar event.

    Raises:
        BadYaml: For an explicit tag that the text does not fit.
    """
    tag = event.tag
    if tag is None or tag == "!":
        return resolve(event.value) if event.implicit[0] and tag is None else event.value
    if tag in _CHECKED_TAGS:
        value = resolve(event.value)
        if isinstance(value, _CHECKED_TAGS[tag]) and not (type(value) is bool and "bool" not in tag):
            return float(value) if tag == _TAG + "float" and value is not None else value
        raise at_event(event, f"a value does not fit its tag !!{tag[len(_TAG) :]}")
    if tag == _TAG + "binary":
        return _binary(event)
    return event.value


def _binary(event: Any) -> str:
    from binascii import Error, a2b_base64  # noqa: PLC0415 - rarely needed

    try:
        return a2b_base64(event.value).decode("utf-8", "replace")
    except (Error, ValueError):
        raise at_event(event, "a value does not fit its tag !!binary") from None


def resolve(text: str) -> str | int | float | bool | None:
    """Return the value of a plain (unquoted) scalar as Kubernetes' parsers read it."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMERIC_START:
        return text
    if text[0] == ".":
        return _float(text) if _POINT_FLOAT.match(text) else text
    plain = text.replace("_", "")
    number = _int(plain)
    if number is not None:
        return number
    if _FLOAT.match(plain):
        value = _float(plain)
        return text if isinstance(value, str) else value
    return text


def _int(plain: str) -> int | None:
    """Return the integer that Go's `strconv.ParseInt`, then `ParseUint` (base 0) would find; None if neither does."""
    match = _INT.match(plain) if len(plain) <= _MAX_INT_TEXT else None
    if match is None:
        return None
    sign = match[1]
    value = next(int(match[group], base) for group, base in _BASES if match[group] is not None)
    if sign == "-":
        value = -value
    fits = _INT64_MIN <= value <= _INT64_MAX or (not sign and value <= _UINT64_MAX)
    return value if fits else None


def _float(plain: str) -> float | str:
    """Return the float; the text itself where it is out of range, as Go's `ParseFloat` fails there."""
    value = float(plain)
    return plain if value in (float("inf"), float("-inf")) else value
