"""Minimal edits of a YAML or JSON document: only the lines of what differs change.

What is guaranteed, for a document that `read.load` can read:

- The result, read again, equals the wanted value with the same types; this is checked before anything is returned.
- Everything outside the nodes that differ keeps its bytes: comments, quotes, order, indentation, line ends, and the
  spelling of values (`on`, `1e3`, `0o17`, dates), since untouched nodes are never rewritten.
- A changed string keeps its kind of quotes where the new text allows it. New keys come last in their mapping. A comment
  on the line of a changed value stays there. Comments inside a removed or wholly replaced node go with it.
- Where a change can't be bounded to its node (an anchor that is used elsewhere, a merge key, an explicit `? key`), the
  top-level field that holds it is rewritten, and as a last resort the whole document; comments there are lost.

A round trip through ruamel.yaml would re-indent lists and re-spell values.
"""

from __future__ import annotations

import re

from krm_fn.yaml import BadYaml
from krm_fn.yaml.nodes import ALIAS, MAPPING, SCALAR, SEQUENCE, compose, diff, same, through_metadata
from krm_fn.yaml.read import load
from krm_fn.yaml.write import dump, flow, quoted, scalar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.yaml.nodes import Node

_ANYWHERE = 60  # levels down to which differences are followed; beyond, the node is replaced whole
_TOP_LEVEL = 1
_BOM = "\ufeff"
_COLON = re.compile(r"[ \t]*:")
_SINGLE_QUOTABLE = re.compile(r"[\x20-\x7e\xa0-\ud7ff]*\Z")


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
    return _revised(text, load(text), new)


def set_labels(text: bytes, labels: Mapping[str, str]) -> bytes:
    """Set labels in `metadata.labels`, with the guarantees of this module.

    Only the text up to the end of `metadata` is read, unless something there calls for more.

    Raises:
        BadYaml: The text can't be read.
    """
    head = through_metadata(text)
    if len(head) < len(text) and b"&" not in head:  # which may be an anchor, that something behind could refer to
        try:
            value = load(head)
        except BadYaml:
            value = None  # the whole text tells
        if isinstance(value, dict) and "metadata" in value:
            edited = _revised(head, value, _labelled(value, labels))
            return text if edited is head else edited + text[len(head) :]
    value = load(text)
    if not isinstance(value, dict):
        message = "an object must be a mapping"
        raise BadYaml(message)
    return _revised(text, value, _labelled(value, labels))


def _labelled(value: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    present = metadata.get("labels")
    labels = {**(present if isinstance(present, dict) else {}), **labels}
    return {**value, "metadata": {**metadata, "labels": labels}}


def _revised(text: bytes, old: Any, new: Mapping[str, Any]) -> bytes:
    """Return a document that holds `old` so that it holds `new`."""
    if same(old, new):
        return text
    source = text.decode()
    bom = _BOM if source.startswith(_BOM) else ""
    source = source[len(bom) :]
    root = compose(source)
    for depth in (_ANYWHERE, _TOP_LEVEL):
        edit = _Edit(source, depth)
        try:
            edit.change(root, old, new, depth=0)
            result = edit.apply()
        except _Unbounded:
            continue
        if _reads_as(result, new):
            return (bom + result).encode()
    result = _rewrite(source, root, new)
    return (bom + (result if _reads_as(result, new) else dump(new))).encode()


def _reads_as(text: str, value: Mapping[str, Any]) -> bool:
    try:
        return same(load(text), value)
    except BadYaml:
        return False


def _rewrite(source: str, root: Node, new: Mapping[str, Any]) -> str:
    """Rewrite the whole document, in its form and at its indentation; what precedes it stays."""
    if root.flow:
        return source[: root.start] + flow(new) + source[root.end :]
    text = dump(new, indent=root.column)
    before = source[: source.rfind("\n", 0, root.start) + 1]
    return before + (text.replace("\n", "\r\n") if "\r\n" in source else text)


class _Unbounded(Exception):  # noqa: N818 - a signal inside this module
    """The change can't be bounded to its node."""


class _Edit:
    """Replacements in one text, collected while old and new value are compared.

    Every step raises `_Unbounded` where they can't be bounded to a node, or overlap.
    """

    __slots__ = ("depth", "newline", "splices", "text")

    def __init__(self, text: str, depth: int) -> None:
        self.text = text
        self.depth = depth  # how many levels down differences are followed
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self.splices: list[tuple[int, int, str]] = []

    def apply(self) -> str:
        """Return the edited text."""
        parts: list[str] = []
        at = 0
        for start, end, new in sorted(self.splices, key=lambda splice: splice[:2]):
            if start < at:
                raise _Unbounded
            parts += (self.text[at:start], new)
            at = end
        return "".join(parts) + self.text[at:]

    def splice(self, start: int, end: int, new: str) -> None:
        """Replace a part of the text; `new` has plain newlines."""
        self.splices.append((start, end, new if self.newline == "\n" else new.replace("\n", self.newline)))

    # --- comparing ----------------------------------------------------------------------------------------------

    def change(self, node: Node, old: Any, new: Any, *, depth: int) -> None:
        """Note what makes a collection's old value the new one."""
        if node.kind == MAPPING and isinstance(old, dict) and hasattr(new, "items") and new:
            self._change_mapping(node, old, new, depth=depth)
        elif node.kind == SEQUENCE and isinstance(old, list) and isinstance(new, (list, tuple)) and new:
            self._change_sequence(node, old, list(new), depth=depth)
        else:
            raise _Unbounded

    def _follow(  # noqa: PLR0913 - a place, and two values
        self, parent: Node, at: int, node: Node, old: Any, new: Any, *, depth: int
    ) -> None:
        """Compare a child; `at` is the offset behind the colon or dash before it."""
        if same(old, new):
            return
        if depth < self.depth and node.children:
            mark = len(self.splices)
            try:
                self.change(node, old, new, depth=depth)
            except _Unbounded:
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
                raise _Unbounded
            if key.key is None:  # a merge key: what it brings is changed by an entry of its own
                kept.append(index)
                continue
            seen.add(key.key)
            if key.key not in new:
                gone.append(index)
                continue
            kept.append(index)
            if not same(old[key.key], new[key.key]):
                colon = _COLON.match(self.text, key.end)
                if colon is None:
                    raise _Unbounded
                self._follow(node, colon.end(), value, old[key.key], new[key.key], depth=depth + 1)
        added = {
            key: value
            for key, value in new.items()
            if key not in seen and not (key in old and same(old[key], value))  # or a merge key has brought it
        }
        if not kept:
            raise _Unbounded
        spans = [(key.start, value.end) for key, value in entries]
        self._remove(node, spans, gone, [value for _, value in entries])
        if added and node.flow:
            texts = [f"{quoted(key)}: {flow(value)}" for key, value in added.items()]
            self._insert_flow(spans[kept[-1]], texts)
        elif added:
            self._insert_lines(entries[kept[-1]][1], dump(added, indent=node.column))

    def _change_sequence(self, node: Node, old: list[Any], new: list[Any], *, depth: int) -> None:
        pairs, gone, added = diff(old, new)
        items = node.children
        starts = self._dashes(node) if not node.flow else [item.start for item in items]
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
        if self.text[node.start] != "-":  # an anchor or a tag comes before it
            raise _Unbounded
        found = [node.start]
        dash = re.compile(rf"^ {{{node.column}}}-(?=\s|\Z)", re.MULTILINE)
        for before, item in zip(node.children, node.children[1:], strict=False):
            match = dash.search(self.text, before.end, item.start + 1)
            if match is None:
                raise _Unbounded
            found.append(match.end() - 1)
        return found

    # --- replacing, removing, inserting ---------------------------------------------------------------------------

    def _replace(self, parent: Node, at: int, node: Node, new: Any) -> None:
        """Rewrite a child; `at` is the offset behind the colon or dash before it."""
        if parent.flow:
            blank = "" if node.end > node.start or self.text[node.start - 1].isspace() else " "
            self.splice(node.start, node.end, blank + flow(new))
            return
        if node.end > node.start and (
            node.kind == ALIAS or node.flow or (node.kind == SCALAR and node.style not in "|>")
        ):
            line = self._one_line(node, new)
            if line:
                self.splice(node.start, node.end, line)
                return
        inside = dump([new] if parent.kind == SEQUENCE else {"k": new}, indent=parent.column)
        inside = inside[parent.column + (1 if parent.kind == SEQUENCE else 2) : -1]
        end = self._tail(node)
        rest = "" if node.children or node.style in {"|", ">"} else self.text[node.end : end].rstrip()
        head, newline, body = inside.partition("\n")
        # at the end of a text without a last line end, a block scalar would lose its own
        last = newline if end == len(self.text) else ""
        self.splice(at, end, head + rest + newline + body + last)

    @staticmethod
    def _one_line(node: Node, new: Any) -> str:
        """Return a scalar in the quotes of the one that it replaces; "" where a line of its own is better."""
        if not isinstance(new, str):
            collection = new and isinstance(new, (list, tuple, dict))
            return "" if collection and not node.children else flow(new)
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
                end -= self.text[node.start : end].endswith("\n")
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
            first = runs.pop()[0] if runs and runs[-1][1] == index - 1 else index
            runs.append((first, index))
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
            elif last + 1 < len(spans):
                self.splice(start, spans[last + 1][0], "")
            else:  # an explicit key (`? key`)
                raise _Unbounded
