"""The nodes of a document with their places in its text, for edits and for errors; how the entries of two lists match.

PyYAML's own composer forgets aliases and the true ends of block collections (their end mark is at the next token,
behind comments), so this one is built from events.
"""

from __future__ import annotations

from operator import itemgetter

import yaml
from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from krm_fn.base import late, printable
from krm_fn.yaml.read import MAX_DEPTH, key_text, parser, same_places, scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from krm_fn.yaml.read import Parser

_MAX_TABLE = 250_000  # cells: beyond, only the common ends of two lists are matched
_FIRST_KEY = late(rb"(?:[ \t]*(?:#[^\n]*)?\n)*( *)[A-Za-z]")
SCALAR, ALIAS, MAPPING, SEQUENCE = "scalar", "alias", "mapping", "sequence"
_KINDS = {ScalarEvent: SCALAR, AliasEvent: ALIAS, MappingStartEvent: MAPPING, SequenceStartEvent: SEQUENCE}


class Node:
    """A node and its place.

    Attributes:
        kind: `SCALAR`, `ALIAS`, `MAPPING` or `SEQUENCE`.
        place: Line and column where it begins, from 0.
        start: Offset (in characters) of its first character; of a block sequence the first dash.
        end: Offset behind its last character: for a block collection that of its last child, for a block scalar
            behind its last line end. Equal to `start` for an empty scalar.
        column: Column of `start`; of a block mapping that of its keys.
        style: Quote or block indicator of a scalar (`'`, `"`, `|`, `>`), "" for a plain one.
        flow: Whether a collection is written with braces or brackets.
        value: The text of a scalar, "" for anything else.
        key: A scalar that is a mapping key: its text as JSON needs it; None for a merge key, and in what `tree_of` reads.
        children: Of a mapping key, value, key, value …; of a sequence its entries.
    """

    __slots__ = ("children", "column", "end", "flow", "key", "kind", "place", "start", "style", "value")

    def __init__(self, kind: str, event: Any) -> None:
        self.kind = kind
        self.place: tuple[int, int] = (event.start_mark.line, event.start_mark.column)
        self.start: int = event.start_mark.index
        self.end: int = event.end_mark.index
        marked = kind == MAPPING and (event.anchor or event.tag)  # then `start` is that of the anchor or tag
        self.column: int = -1 if marked else event.start_mark.column
        self.style: str = getattr(event, "style", None) or ""
        self.flow: bool = bool(getattr(event, "flow_style", False))
        self.value: str = event.value if kind == SCALAR else ""
        self.key: str | None = None
        self.children: list[Node] = []

    @property
    def entries(self) -> list[tuple[Node, Node]]:
        """Keys and values of a mapping."""
        return list(zip(self.children[::2], self.children[1::2], strict=False))  # where reading stopped, a key is last

    def fields(self) -> Iterator[tuple[str | None, tuple[int, int], Node]]:
        """Yield the steps of a path from here: key, its place and the value; `[0]` and so on in a sequence."""
        if self.kind == MAPPING:
            for key, value in self.entries:
                yield key.value if key.kind == SCALAR else None, key.place, value
        elif self.kind == SEQUENCE:
            for index, child in enumerate(self.children):
                yield f"[{index}]", child.place, child

    def all(self) -> Iterator[Node]:
        """Yield the node and every value below it."""
        pending = [self]
        while pending:
            one = pending.pop()
            yield one
            pending += [node for _, _, node in one.fields()]

    def child(self, *path: str) -> Node | None:
        """Return the value at a path of keys; of a key that appears twice the first."""
        node: Node | None = self
        for key in path:
            node = None if node is None else next((one for name, _, one in node.fields() if name == key), None)
        return node

    def text(self, *path: str) -> str:
        """Return the text of the scalar at a path of keys; "" where there is none."""
        found = self.child(*path)
        return "" if found is None else found.value

    def find(self, path: str, *, key: bool) -> tuple[int, int]:
        """Return the place of a field, or of its nearest parent that is there.

        Args:
            path: Such as `spec.tolerations[0].key`; a key may hold dots, or be in brackets.
            key: Whether the key is meant rather than the value.
        """
        node, place = self, self.place
        while path:
            steps = ((_match(path, name), at, one) for name, at, one in node.fields() if name is not None)
            length, at, child = max(steps, key=itemgetter(0), default=(-1, place, node))
            if length < 0:
                return place
            path, place, node = path[length:], at, child
        is_block = node.kind in {MAPPING, SEQUENCE} and not node.flow
        return place if key or is_block else node.place


def _match(path: str, name: str) -> int:
    """Return how much of a path a key takes; -1 if it is not that key."""
    path_ = path.removeprefix(".")
    dot = len(path) - len(path_)
    for text in (name, f"[{name}]", f"[{printable(name)}]"):
        if path_.startswith(text) and path_[len(text) : len(text) + 1] in {"", ".", "["}:
            return dot + len(text)
    return -1


def compose(text: str) -> Node:
    """Return the root node of a document that `read.load` accepts."""
    return _read(parser(same_places(text)), typed=True)


def tree_of(text: bytes) -> Node | None:
    """Return the root node of a document that need not be one that `read.load` accepts; None where it has no nodes.

    Where it is nested deeper than any object that is read, those up to there: libyaml's time grows with the square of the
    depth.
    """
    try:
        return _read(parser(text), typed=False)
    except (yaml.YAMLError, UnicodeError, IndexError):
        return None


def _read(events: Parser, *, typed: bool) -> Node:
    """Build the nodes; iterative, as documents may be nested deeper than Python's stack."""
    events.get_event()  # stream start
    events.get_event()  # document start
    stack: list[Node] = []
    while True:
        event = events.get_event()
        kind = _KINDS.get(type(event))
        if kind is None:
            node = stack.pop()
            if node.flow or not node.children:
                node.end = event.end_mark.index
            else:
                node.end = node.children[-1].end
            if node.column < 0 and node.children:
                node.column = node.children[0].column
        else:
            node = Node(kind, event)
            if stack:
                parent = stack[-1]
                if typed and kind == SCALAR and parent.kind == MAPPING and len(parent.children) % 2 == 0:
                    is_merge = event.value == "<<" and event.implicit[0]
                    node.key = None if is_merge else key_text(scalar_value(event), event)
                parent.children.append(node)
            if kind in {MAPPING, SEQUENCE}:
                if len(stack) > MAX_DEPTH:
                    return stack[0]
                stack.append(node)
        if not stack:
            return node


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


def same(one: Any, other: Any) -> bool:
    """Return whether two values are equal with equal types (`1`, `1.0` and `True` differ); the order of keys is free."""
    if hasattr(one, "items") and hasattr(other, "items"):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124 - the test for NaN
        return other != other  # noqa: PLR0124 - the same
    return type(one) is type(other) and bool(one == other)


def diff(old: list[Any], new: list[Any]) -> tuple[list[tuple[int, int]], list[int], dict[int, list[int]]]:
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
