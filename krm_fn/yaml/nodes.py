"""The places of a document's nodes in its text, and how the entries of two lists match: what a bounded edit needs.

PyYAML's own composer forgets aliases and the true ends of block collections (their end mark is at the next token,
behind comments), so this one is built from events.
"""

from __future__ import annotations

from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from krm_fn.base import late
from krm_fn.yaml.read import key_text, parser, same_places, scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_TABLE = 250_000  # cells: beyond, only the common ends of two lists are matched
_FIRST_KEY = late(rb"(?:[ \t]*(?:#[^\n]*)?\n)*( *)[A-Za-z]")
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
    """Return the root node of a document that `read.load` accepts."""
    events = parser(same_places(text))
    events.get_event()  # stream start
    events.get_event()  # document start
    return _node(events, events.get_event())


def through_metadata(text: bytes) -> bytes:
    """Return a document in block style up to the end of its `metadata`; all of it where not sure.

    The cut is before the next key, in the column of the first one, where no block or plain scalar goes on. So if that much
    can be read by itself, a parser stands there as between two keys, and reads on as in the whole.
    """
    first = _FIRST_KEY.match(text)
    if first is None or b'metadata"' in text or b"metadata'" in text:
        return text
    pad, begin = b"\n" + first[1], first.end(1)
    is_first = text.startswith(b"metadata:", begin)
    if text.count(pad + b"metadata:", begin) + is_first != 1:
        return text
    at = text.find(pad, begin if is_first else text.find(pad + b"metadata:", begin) + 1)
    while at >= 0 and not text[at + len(pad) : at + len(pad) + 1].isalpha():
        at = text.find(pad, at + 1)
    return text if at < 0 else text[: at + 1]


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


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal with equal types (`1`, `1.0` and `True` differ); the order of keys is free."""
    if hasattr(one, "items") and hasattr(other, "items"):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124 - the test for NaN
        return other != other  # noqa: PLR0124 - the same
    return type(one) is type(other) and bool(one == other)


def align(old: list[Any], new: list[Any]) -> tuple[list[tuple[int, int]], list[int], dict[int, list[int]]]:
    """Match the entries of two lists so that few of them change.

    Entries that are equal are matched, longest common subsequence first; between matches, what is left on both sides
    is paired in order.

    Returns:
        Pairs of indices (equal or to be changed), indices of `old` to remove, and for an index of `old` (-1: the
        front) the indices of `new` to insert behind it.
    """
    pairs: list[tuple[int, int]] = []
    gone: list[int] = []
    added: dict[int, list[int]] = {}
    i = j = 0
    for matched_i, matched_j in [*_common(old, new), (len(old), len(new))]:
        while i < matched_i and j < matched_j:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        gone.extend(range(i, matched_i))
        if j < matched_j:
            added[i - 1] = list(range(j, matched_j))
        if matched_i < len(old):
            pairs.append((matched_i, matched_j))
        i, j = matched_i + 1, matched_j + 1
    return pairs, gone, added


def _common(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence; only common ends where that would take too long."""
    head = 0
    while head < min(len(old), len(new)) and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    rows, columns = len(old) - head - tail, len(new) - head - tail
    middle: list[tuple[int, int]] = []
    if rows * columns <= _MAX_TABLE:
        best = [[0] * (columns + 1) for _ in range(rows + 1)]
        for i in range(rows - 1, -1, -1):
            for j in range(columns - 1, -1, -1):
                equal = same(old[head + i], new[head + j])
                best[i][j] = best[i + 1][j + 1] + 1 if equal else max(best[i + 1][j], best[i][j + 1])
        i = j = 0
        while i < rows and j < columns:
            if same(old[head + i], new[head + j]):
                middle.append((head + i, head + j))
                i, j = i + 1, j + 1
            elif best[i + 1][j] >= best[i][j + 1]:
                i += 1
            else:
                j += 1
    ends = [(len(old) - back, len(new) - back) for back in range(tail, 0, -1)]
    return [*((index, index) for index in range(head)), *middle, *ends]
