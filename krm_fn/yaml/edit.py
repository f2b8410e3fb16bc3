"""Minimal edits of a YAML or JSON document: only the lines of what differs change.

What is guaranteed, for a document that `read.load` can read:

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

from krm_fn.yaml import BadYaml
from krm_fn.yaml.nodes import compose, same, through_metadata
from krm_fn.yaml.read import load
from krm_fn.yaml.textual import Edit, Unbounded
from krm_fn.yaml.write import dump, flow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.yaml.nodes import Node

_ANYWHERE = 60  # levels down to which differences are followed; beyond, the node is replaced whole
_TOP_LEVEL = 1
_BOM = "\ufeff"


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
    return {
        **value,
        "metadata": {**metadata, "labels": {**(present if isinstance(present, dict) else {}), **labels}},
    }


def _revised(text: bytes, old: Any, new: Mapping[str, Any]) -> bytes:
    """Return a document that holds `old` so that it holds `new`."""
    if same(old, new):
        return text
    source = text.decode()
    bom = _BOM if source.startswith(_BOM) else ""
    source = source[len(bom) :]
    root = compose(source)
    for depth in (_ANYWHERE, _TOP_LEVEL):
        result = _edited(source, root, old, new, depth)
        if result is not None and _reads_as(result, new):
            return (bom + result).encode()
    result = _rewrite(source, root, new)
    return (bom + (result if _reads_as(result, new) else dump(new))).encode()


def _edited(source: str, node: Node, old: Any, new: Any, depth: int) -> str | None:
    """Return the text with the differences edited; None where they can't be bounded."""
    edit = Edit(source, depth)
    try:
        edit.change(node, old, new, depth=0)
        return edit.apply()
    except Unbounded:
        return None


def _reads_as(text: str, value: Mapping[str, Any]) -> bool:
    try:
        return same(load(text), value)
    except BadYaml:
        return False


def _rewrite(source: str, root: Node, new: Mapping[str, Any]) -> str:
    """Write the whole document anew, in its form and at its indentation; what precedes it stays."""
    if root.flow:
        return source[: root.start] + flow(new) + source[root.end :]
    text = dump(new, indent=root.column)
    before = source[: source.rfind("\n", 0, root.start) + 1]
    return before + (text.replace("\n", "\r\n") if "\r\n" in source else text)
