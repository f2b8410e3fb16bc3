"""Asking libyaml whether pieces of text are complete YAML documents, without making Python objects of them."""

from __future__ import annotations

import yaml

from krm_fn.sdk.events import MAX_FLOW_DEPTH, MAX_SKIPPED_DEPTH, Builder, parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_BATCH = 1 << 16
_LONG = 1 << 17
_SEPARATOR = b"---\n"


def available() -> bool:
    """Tell whether PyYAML was built with libyaml and has the (undocumented) parse without Python objects."""
    return hasattr(getattr(getattr(yaml, "cyaml", None), "CParser", None), "raw_parse")


def check(pieces: Iterable[tuple[int, bytes]]) -> None:
    """Make sure that every piece by itself is a complete YAML document.

    Raises:
        yaml.YAMLError: One is not.
        BadYaml: One is nested too deep.
    """
    batch: list[bytes] = []
    size = 0
    for length, piece in pieces:
        batch.append(piece)
        size += length
        if size > _BATCH:
            _check_batch(batch)
            batch, size = [], 0
    _check_batch(batch)


def _check_batch(batch: list[bytes]) -> None:
    joined = _SEPARATOR.join(batch)
    if _shallow(joined):
        _raw_parse(joined)
        return
    for piece in batch:
        if _shallow(piece):
            _raw_parse(piece)
        else:
            _walk(piece)


def _raw_parse(text: bytes) -> None:
    yaml.cyaml.CParser(text).raw_parse()  # type: ignore[attr-defined] # the stubs hide it


def _shallow(text: bytes) -> bool:
    """Tell whether a text is surely within the bounds of depth that the full parse keeps.

    A block collection begins right of its parent, but for a sequence in the column of its mapping, so there are at most
    two levels a column.
    """
    return text.count(b"[") + text.count(b"{") <= MAX_FLOW_DEPTH and (
        len(text) < _LONG or max(map(len, text.split(b"\n"))) < MAX_SKIPPED_DEPTH // 2 - MAX_FLOW_DEPTH
    )


def _walk(piece: bytes) -> None:
    events = parser(piece)
    events.get_event()
    events.get_event()
    Builder(events).skip(events.get_event())
    events.get_event()
    events.get_event()
