"""The places of a YAML document's nodes in its text, so that an edit can be bounded to what it changes.

PyYAML's own composer forgets aliases and the true ends of block collections (their end mark lies at the next token,
behind comments), so this one is built from events.
"""

from __future__ import annotations

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from krm_fn.yaml.events import Builder, bad_yaml, key_text, parser, scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCALAR, ALIAS, MAPPING, SEQUENCE = "scalar", "alias", "mapping", "sequence"


class Node:
    """A node and its place.

    Attributes:
        kind: `SCALAR`, `ALIAS`, `MAPPING` or `SEQUENCE`.
        start: Offset (in characters) of its first character; of a block sequence the first dash.
        end: Offset behind its last character: for a block collection that of its last child, for a block scalar
            behind its last line end. Equal to `start` for an empty scalar.
        column: Column of `start`; of a block mapping that of its keys.
        style: Quote or block indicator of a scalar (`'`, `"`, `|`, `>`), "" for a plain one.
        flow: Whether a collection is written with braces or brackets.
        key: A scalar that is a mapping key: its text as JSON needs it; None for a merge key.
        children: Of a mapping key, value, key, value …; of a sequence its entries.
    """

    __slots__ = ("children", "column", "end", "flow", "key", "kind", "start", "style")

    def __init__(self, kind: str, event: Any) -> None:
        """Take the event that begins it."""
        self.kind = kind
        self.start: int = event.start_mark.index
        self.end: int = event.end_mark.index
        marked = kind == MAPPING and (event.anchor or event.tag)  # then `start` is that of the anchor or tag
        self.column: int = -1 if marked else event.start_mark.column
        self.style: str = getattr(event, "style", None) or ""
        self.flow: bool = bool(getattr(event, "flow_style", False))
        self.key: str | None = None
        self.children: list[Node] = []

    @property
    def entries(self) -> list[tuple[Node, Node]]:
        """Keys and values of a mapping."""
        return list(zip(self.children[::2], self.children[1::2], strict=True))


def compose(text: str) -> Node:
    """Return the root node of a document that `events.load` accepts."""
    events = parser(text)
    events.get_event()  # stream start
    events.get_event()  # document start
    return _node(events, events.get_event())


def compose_entry(text: str, key: str) -> tuple[Node, Any] | None:
    """Return the node and the value of one key of a document's top-level mapping; what comes after it isn't looked at.

    Returns:
        None where there is no such key, or where its value refers to an anchor set before it.

    Raises:
        BadYaml: The text up to there can't be read.
    """
    try:
        events = parser(text)
        events.get_event()  # stream start
        events.get_event()  # document start
        if not isinstance(events.get_event(), MappingStartEvent):
            return None
        recorder = _Recorder(events)
        while True:
            event = events.get_event()
            if isinstance(event, MappingEndEvent):
                return None
            if isinstance(event, ScalarEvent) and event.value == key:
                first = recorder.get_event()
                value = Builder(recorder).build(first)
                return _node(_Replay(recorder.seen[1:]), first), value
            Builder(events).skip(event)
            Builder(events).skip(events.get_event())
    except yaml.YAMLError as error:
        raise bad_yaml(error) from None


class _Recorder:
    """A parser that remembers what it has given out."""

    __slots__ = ("events", "seen")

    def __init__(self, events: Any) -> None:
        self.events = events
        self.seen: list[Any] = []

    def get_event(self) -> Any:
        event = self.events.get_event()
        self.seen.append(event)
        return event


class _Replay:
    """A parser that gives out what was recorded."""

    __slots__ = ("rest",)

    def __init__(self, events: list[Any]) -> None:
        self.rest = iter(events)

    def get_event(self) -> Any:
        return next(self.rest)


def _node(events: Any, event: Any) -> Node:
    """Build the node that begins with an event; iterative, as documents may be nested deeper than Python's stack."""
    stack: list[Node] = []
    while True:
        kind = type(event)
        if kind is MappingStartEvent or kind is SequenceStartEvent:
            stack.append(Node(MAPPING if kind is MappingStartEvent else SEQUENCE, event))
            event = events.get_event()
            continue
        if kind is ScalarEvent:
            node = Node(SCALAR, event)
        elif kind is AliasEvent:
            node = Node(ALIAS, event)
        else:
            node = stack.pop()
            if node.flow or not node.children:
                node.end = event.end_mark.index
            else:
                node.end = node.children[-1].end
            if node.column < 0 and node.children:
                node.column = node.children[0].column
        if not stack:
            return node
        parent = stack[-1]
        if parent.kind == MAPPING and len(parent.children) % 2 == 0 and kind is ScalarEvent:
            node.key = None if event.value == "<<" and event.implicit[0] else key_text(scalar_value(event), event)
        parent.children.append(node)
        event = events.get_event()
