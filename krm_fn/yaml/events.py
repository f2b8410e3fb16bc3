"""From YAML events to values: iterative, bounded, typed as Kubernetes' parsers type (`scalars.resolve`).

PyYAML's loaders are not used for values: they type by YAML 1.1 (dates, `1:30` as 90), recurse once a level, and let
aliases multiply. Here depth and the expanded size are bounded, and a duplicate key is an error with its line.
Where PyYAML has no libyaml inside, its pure Python parser gives the same events, only slower.
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

from krm_fn.yaml.scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Parser(Protocol):
        """What both of PyYAML's parsers offer."""

        def get_event(self) -> Any:
            """Return the next event; None after the last."""


MAX_DEPTH = 250  # of a value that is built: its readers and writers recurse
MAX_FLOW_DEPTH = 250  # of flow collections anywhere: libyaml takes time quadratic in it
MAX_SKIPPED_DEPTH = 100_000  # of what is only read past: libyaml holds some bytes a level
MAX_EXPANDED = 1_000_000

_EXACT = 1e15  # whole floats below print without an exponent
_TAG = "tag:yaml.org,2002:"
_CHECKED_TAGS: dict[str, tuple[type, ...]] = {
    _TAG + "int": (int,),
    _TAG + "float": (int, float),
    _TAG + "bool": (bool,),
    _TAG + "null": (type(None),),
}


class BadYaml(Exception):  # noqa: N818 - named for what it is
    """The text is not YAML, or not YAML that can be read safely.

    Attributes:
        problem: One line, without any value of the text.
        line: Line from 0, relative to the text that was parsed; None where unknown.
        column: Column from 0.
    """

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        """Take the problem and its place."""
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def parser(text: str | bytes) -> Parser:
    """Return an event parser over a text: libyaml's, or PyYAML's own where that is missing."""
    try:
        made: Parser = yaml.cyaml.CParser(text)  # type: ignore[attr-defined] # the stubs hide it
    except AttributeError:
        return yaml.SafeLoader(text)
    return made


def bad_yaml(error: yaml.YAMLError | UnicodeError) -> BadYaml:
    """Turn an error of PyYAML into ours; its excerpts of the text are left out, as they may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be parsed"
    context = getattr(error, "context", None)
    if context:
        problem = f"{problem} ({context})"
    if mark is None:
        return BadYaml(str(problem))
    return BadYaml(str(problem), mark.line, mark.column)


def load(text: str | bytes) -> Any:
    """Return the value of a text that holds one YAML document; None for an empty one.

    Raises:
        BadYaml: Syntax, several documents, depth, size of expanded aliases, duplicate keys, unusable keys or tags.
    """
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


class Builder:
    """Builds values from the events of one parser; anchors live as long as the builder."""

    __slots__ = ("anchors", "events", "expanded", "foreign", "seen")

    def __init__(self, events: Parser) -> None:
        """Take the parser whose next events are to be built."""
        self.events = events
        self.anchors: dict[str, tuple[Any, int]] = {}  # anchor -> value, its expanded size
        self.seen: set[str] = set()  # anchors read past
        self.foreign = False  # whether an alias to none of these was read past
        self.expanded = 0  # values that aliases stand for, all together

    def skip(self, event: Any) -> int:
        """Read past the node that begins with an event.

        Returns:
            Where it ends, as the parser marks it.

        Raises:
            BadYaml: Nested too deep.
            yaml.YAMLError: Syntax.
        """
        depth = flow_start = 0
        get = self.events.get_event
        while True:
            kind = type(event)
            if kind is AliasEvent:
                self.foreign = self.foreign or event.anchor not in self.seen
            elif kind is ScalarEvent:
                if event.anchor:
                    self.seen.add(event.anchor)
            elif kind is MappingStartEvent or kind is SequenceStartEvent:
                if event.anchor:
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
        """Return the value of the node that begins with an event.

        Raises:
            BadYaml: See `load`.
            yaml.YAMLError: Syntax.
        """
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
        self.expanded += size
        if self.expanded > MAX_EXPANDED:
            raise at_event(event, f"aliases stand for more than {MAX_EXPANDED} values")
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


def at_event(event: Any, problem: str) -> BadYaml:
    """Return the error of a problem at an event."""
    return BadYaml(problem, event.start_mark.line, event.start_mark.column)
