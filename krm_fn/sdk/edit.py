"""Minimal edits of a YAML or JSON document: only the lines of what differs change.

What is guaranteed, for a document that `events.load` can read:

- The result, read again, equals the wanted value with the same types; this is checked before anything is returned.
- Everything outside the nodes that differ keeps its bytes: comments, quotes, order, indentation, line ends, and the
  spelling of values (`on`, `1e3`, `0o17`, dates), since untouched nodes are never written anew.
- A changed string keeps its kind of quotes where the new text allows it. New keys come last in their mapping. A comment
  on the line of a changed value stays there. Comments inside a removed or wholly replaced node go with it.
- Where a change can't be bounded to its node (an anchor that is used elsewhere, a merge key, an explicit `? key`), the
  top-level field that holds it is written anew, and as a last resort the whole document; comments there are lost.

A round trip through ruamel.yaml would re-indent lists and re-spell values; offsets from the parser's events need no
such trade.
"""

from __future__ import annotations

import re

from krm_fn.sdk.events import BadYaml, load
from krm_fn.sdk.nodes import ALIAS, MAPPING, SCALAR, SEQUENCE, compose, compose_entry
from krm_fn.sdk.yaml_write import dump, quoted, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.sdk.nodes import Node

_COLON = re.compile(r"[ \t]*:")
_SINGLE_QUOTABLE = re.compile(r"[\x20-\x7e\xa0-\ud7ff]*\Z")
_ANYWHERE = 60  # levels down to which differences are followed; beyond, the node is replaced whole
_TOP_LEVEL = 1
_BOM = "\ufeff"


class Unbounded(Exception):  # noqa: N818 - a signal inside this module, never seen outside
    """The change can't be bounded to its node."""


def revise(text: bytes, new: Mapping[str, Any]) -> bytes:
    """Edit a document so that it holds a new value, changing only what differs.

    Args:
        text: One YAML or JSON document that holds a mapping, at any indentation.
        new: The value wanted, JSON-like.

    Returns:
        The edited document; the text itself where nothing differs.

    Raises:
        BadYaml: The text can't be read.
    """
    source = text.decode()
    bom = _BOM if source.startswith(_BOM) else ""
    source = source[len(bom) :]
    try:
        old = load(source)
    except BadYaml:
        return _revise_json(source, new)
    if _same(old, new):
        return text
    root = compose(source)
    for depth in (_ANYWHERE, _TOP_LEVEL):
        try:
            edit = _Edit(source, depth)
            edit.change(root, old, new, depth=0)
            result = edit.apply()
            if _same(load(result), new):
                return (bom + result).encode()
        except (Unbounded, BadYaml):
            continue
    return (bom + _rewrite(source, root, new)).encode()


def set_labels(text: bytes, labels: Mapping[str, str]) -> bytes:
    """Set labels in `metadata.labels`, with the guarantees of this module.

    Only the text up to the end of `metadata` is read, unless something there calls for more. That is enough: the edit
    lies inside `metadata`, it is read again and compared up to the same place, and behind it the same bytes meet the
    same state of the parser.

    Raises:
        BadYaml: The text can't be read.
    """
    source = text.decode()
    try:
        found = None if source.startswith(_BOM) else compose_entry(source, "metadata")
    except BadYaml:
        found = None
    if found is not None and isinstance(found[1], dict):
        node, old = found
        new = _labelled(old, labels)
        if _same(old, new):
            return text
        try:
            edit = _Edit(source, _ANYWHERE)
            edit.change(node, old, new, depth=0)
            result = edit.apply()
            again = compose_entry(result, "metadata")
            if again is not None and _same(again[1], new):
                return result.encode()
        except (Unbounded, BadYaml):
            pass
    try:
        whole = load(source)
    except BadYaml:
        from json import loads  # noqa: PLC0415 - only JSON with escapes that YAML lacks comes here

        try:
            whole = loads(source)
        except ValueError:
            whole = None
        if not isinstance(whole, dict):
            raise
    metadata = whole.get("metadata")
    return revise(text, {**whole, "metadata": _labelled(metadata if isinstance(metadata, dict) else {}, labels)})


def _labelled(metadata: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    present = metadata.get("labels")
    return {**metadata, "labels": {**(present if isinstance(present, dict) else {}), **labels}}


def _revise_json(source: str, new: Mapping[str, Any]) -> bytes:
    """Write JSON that libyaml can't read (escaped surrogate pairs, `\\/`); its layout becomes the usual one.

    Raises:
        BadYaml: It is no JSON either.
    """
    from json import dumps, loads  # noqa: PLC0415 - rarely needed

    try:
        loads(source)
    except ValueError:
        load(source)
        raise
    indent = 2 if "\n" in source.strip() else None
    return dumps(new, ensure_ascii=False, indent=indent).encode() + (b"\n" if source.endswith("\n") else b"")


def _rewrite(source: str, root: Node, new: Mapping[str, Any]) -> str:
    """Write the whole document anew, in its form and at its indentation; what stands before it stays."""
    if root.flow:
        return source[: root.start] + flow(new) + source[root.end :]
    text = dump(new, indent=root.column)
    before = source[: source.rfind("\n", 0, root.start) + 1]
    return before + (text.replace("\n", "\r\n") if "\r\n" in source else text)


def flow(value: Any) -> str:
    """Return a value on one line, as JSON with a blank after `:` and `,`; valid in any flow collection of YAML."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(flow, value))}]"
    if hasattr(value, "items"):
        return f"{{{', '.join(f'{quoted(key)}: {flow(item)}' for key, item in value.items())}}}"
    return dump(value).rstrip("\n")


class _Edit:
    """Replacements in one text, collected while old and new value are compared."""

    __slots__ = ("depth", "newline", "splices", "text")

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.depth = depth
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.splices: list[tuple[int, int, str]] = []

    def apply(self) -> str:
        """Return the edited text.

        Raises:
            Unbounded: Two replacements overlap.
        """
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(self.splices, key=lambda splice: splice[:2]):
            if start < at:
                raise Unbounded
            parts += (self.text[at:start], new)
            at = end
        return "".join(parts) + self.text[at:]

    def splice(self, start: int, end: int, new: str) -> None:
        """Replace a part of the text; `new` has plain newlines."""
        self.splices.append((start, end, new if self.newline == "\n" else new.replace("\n", self.newline)))

    # --- comparing ----------------------------------------------------------------------------------------------

    def change(self, node: Node, old: Any, new: Any, *, depth: int) -> None:
        """Note what makes a collection's old value the new one.

        Raises:
            Unbounded: Not possible inside this node.
        """
        if node.kind == MAPPING and isinstance(old, dict) and hasattr(new, "items") and new:
            self._change_mapping(node, old, new, depth=depth)
        elif node.kind == SEQUENCE and isinstance(old, list) and isinstance(new, (list, tuple)) and new:
            self._change_sequence(node, old, list(new), depth=depth)
        else:
            raise Unbounded

    def _follow(self, parent: Node, at: int, node: Node, old: Any, new: Any, *, depth: int) -> None:
        """Compare a child; `at` is the offset behind the colon or dash before it."""
        if _same(old, new):
            return
        if depth < self.depth and node.children:
            mark = len(self.splices)
            try:
                self.change(node, old, new, depth=depth)
            except Unbounded:
                del self.splices[mark:]
            else:
                return
        self._replace(parent, at, node, new)

    def _change_mapping(self, node: Node, old: dict[str, Any], new: Mapping[str, Any], *, depth: int) -> None:
        kept: list[int] = []
        gone: list[int] = []
        seen: set[str] = set()
        entries = node.entries
        for index, (key, value) in enumerate(entries):
            if key.kind != SCALAR:
                raise Unbounded
            if key.key is None:  # a merge key: what it brings is changed by an entry of its own
                kept.append(index)
                continue
            seen.add(key.key)
            if key.key not in new:
                gone.append(index)
                continue
            kept.append(index)
            if not _same(old[key.key], new[key.key]):
                colon = _COLON.match(self.text, key.end)
                if colon is None:
                    raise Unbounded
                self._follow(node, colon.end(), value, old[key.key], new[key.key], depth=depth + 1)
        added = {
            key: value
            for key, value in new.items()
            if key not in seen and not (key in old and _same(old[key], value))  # or a merge key has brought it
        }
        if not kept:
            raise Unbounded
        spans = [(key.start, value.end) for key, value in entries]
        self._remove(node, spans, gone, [value for _, value in entries])
        if added and node.flow:
            texts = [f"{quoted(key)}: {flow(value)}" for key, value in added.items()]
            self._insert_flow(spans[kept[-1]], texts)
        elif added:
            self._insert_lines(entries[kept[-1]][1], dump(added, indent=node.column))

    def _change_sequence(self, node: Node, old: list[Any], new: list[Any], *, depth: int) -> None:
        pairs, gone, added = align(old, new)
        items = node.children
        starts = self._dashes(node) if not node.flow else [item.start for item in items]
        if len(gone) == len(items):
            raise Unbounded
        for at, to in pairs:
            self._follow(node, starts[at] + (0 if node.flow else 1), items[at], old[at], new[to], depth=depth + 1)
        self._remove(node, [(start, item.end) for start, item in zip(starts, items, strict=True)], gone, items)
        for after, indices in added.items():
            values = [new[index] for index in indices]
            if node.flow and after < 0:
                self.splice(items[0].start, items[0].start, "".join(f"{flow(value)}, " for value in values))
            elif node.flow:
                self._insert_flow((starts[after], items[after].end), [flow(value) for value in values])
            elif after < 0:
                pad = " " * node.column
                self.splice(node.start, node.start, dump(values, indent=node.column)[node.column :] + pad)
            else:
                self._insert_lines(items[after], dump(values, indent=node.column))

    def _dashes(self, node: Node) -> list[int]:
        """Return the offsets of a block sequence's dashes."""
        found = [node.start]
        dash = re.compile(rf"^ {{{node.column}}}-(?=\s|\Z)", re.MULTILINE)
        for before, item in zip(node.children, node.children[1:], strict=False):
            match = dash.search(self.text, before.end, item.start + 1)
            if match is None:
                raise Unbounded
            found.append(match.end() - 1)
        return found

    # --- replacing, removing, inserting ---------------------------------------------------------------------------

    def _replace(self, parent: Node, at: int, node: Node, new: Any) -> None:
        """Write a child anew; `at` is the offset behind the colon or dash before it."""
        if parent.flow:
            self.splice(node.start, node.end, flow(new) if node.end > node.start else " " + flow(new))
            return
        if node.end > node.start and (node.kind == ALIAS or node.flow or (node.kind == SCALAR and node.style not in "|>")):
            line = self._one_line(node, new)
            if line:
                self.splice(node.start, node.end, line)
                return
        inside = dump([new] if parent.kind == SEQUENCE else {"k": new}, indent=parent.column)
        inside = inside[parent.column + (1 if parent.kind == SEQUENCE else 2) : -1]
        end = self._tail(node)
        rest = "" if node.children or node.style in {"|", ">"} else self.text[node.end : end].rstrip()
        head, newline, body = inside.partition("\n")
        self.splice(at, end, head + rest + newline + body)

    @staticmethod
    def _one_line(node: Node, new: Any) -> str:
        """Return a scalar in the quotes of the one that it replaces; "" where a line of its own is better."""
        if not isinstance(new, str):
            return "" if new and isinstance(new, (list, tuple, dict)) else flow(new)
        if node.kind == SCALAR and node.style == '"':
            return quoted(new)
        if "\n" in new:
            return ""
        if node.kind == SCALAR and node.style == "'" and _SINGLE_QUOTABLE.match(new):
            return "'" + new.replace("'", "''") + "'"
        return scalar(new)

    def _tail(self, node: Node) -> int:
        """Return the offset of the line end behind a block child, its comment included."""
        while node.children and not node.flow:
            node = node.children[-1]
        end = node.end
        if node.kind == SCALAR and node.style and node.style in "|>":
            header = self.text[node.start : self.text.find("\n", node.start)]
            if "+" not in header.partition("#")[0]:  # else the empty lines behind it belong to it
                end = node.start + len(self.text[node.start : end].rstrip())
            else:
                end -= len(self.text[node.start : end]) - len(self.text[node.start : end].removesuffix("\n"))
                return end - 1 if self.text[end - 1 : end] == "\r" else end
        line_end = self.text.find("\n", end)
        if line_end < 0:
            return len(self.text)
        return line_end - 1 if self.text[line_end - 1] == "\r" and line_end > end else line_end

    def _insert_lines(self, after: Node, lines: str) -> None:
        """Put lines behind the last line of a block child."""
        at = self._tail(after)
        self.splice(at, at, "\n" + (lines[:-1] if at < len(self.text) else lines))

    def _insert_flow(self, after: tuple[int, int], texts: list[str]) -> None:
        """Put entries behind an entry of a flow collection; on a line of their own where that one has one."""
        start, end = after
        line = self.text.rfind("\n", 0, start) + 1
        before = self.text[line:start]
        gap = " " if before.strip() or not line else "\n" + before
        comma = re.compile(r"\s*,").match(self.text, end)
        if comma is None:
            self.splice(end, end, "".join(f",{gap}{text}" for text in texts))
        else:
            self.splice(comma.end(), comma.end(), "".join(f"{gap}{text}," for text in texts))

    def _remove(self, node: Node, spans: list[tuple[int, int]], gone: list[int], values: list[Node]) -> None:
        """Drop entries, given by their indices in ascending order; at least one entry stays."""
        runs: list[tuple[int, int]] = []
        for index in gone:
            if runs and runs[-1][1] == index - 1:
                runs[-1] = (runs[-1][0], index)
            else:
                runs.append((index, index))
        for first, last in runs:
            start = spans[first][0]
            line = self.text.rfind("\n", 0, start) + 1
            if node.flow:
                following = last + 1 < len(spans)
                self.splice(
                    start if following else spans[first - 1][1], spans[last + 1][0] if following else spans[last][1], ""
                )
            elif not self.text[line:start].strip():
                tail = self._tail(values[last])
                line_end = self.text.find("\n", tail)
                self.splice(line, len(self.text) if line_end < 0 else line_end + 1, "")
            else:
                self.splice(start, spans[last + 1][0], "")


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


_MAX_TABLE = 250_000


def _common(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence; only common ends where that would take too long."""
    head = 0
    while head < min(len(old), len(new)) and _same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and _same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    rows, columns = len(old) - head - tail, len(new) - head - tail
    middle: list[tuple[int, int]] = []
    if rows * columns <= _MAX_TABLE:
        best = [[0] * (columns + 1) for _ in range(rows + 1)]
        for i in range(rows - 1, -1, -1):
            for j in range(columns - 1, -1, -1):
                equal = _same(old[head + i], new[head + j])
                best[i][j] = best[i + 1][j + 1] + 1 if equal else max(best[i + 1][j], best[i][j + 1])
        i = j = 0
        while i < rows and j < columns:
            if _same(old[head + i], new[head + j]):
                middle.append((head + i, head + j))
                i, j = i + 1, j + 1
            elif best[i + 1][j] >= best[i][j + 1]:
                i += 1
            else:
                j += 1
    ends = [(len(old) - back, len(new) - back) for back in range(tail, 0, -1)]
    return [*((index, index) for index in range(head)), *middle, *ends]


def _same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal with equal types (`1`, `1.0` and `True` differ); the order of keys is free."""
    if hasattr(one, "items") and hasattr(other, "items"):
        return len(one) == len(other) and all(key in other and _same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124 - the test for NaN
        return other != other  # noqa: PLR0124 - the same
    return type(one) is type(other) and bool(one == other)
