"""Which items may hold some text: a few passes over the whole input instead of one over each item.

`Item.contains` answers for one item; over sixty thousand of them the calls cost more than the reading does. Items of one
input share its bytes, so a text that does not stand there, and that no escape can stand for, is in none of them.
"""

from __future__ import annotations

from bisect import bisect_left

from krm_fn.base.patterns import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from krm_fn.krm.items import Item

_PLAIN = late(rb"[A-Za-z0-9_./:=,@+~-]+\Z")
# What can stand for a plain text without showing it, as in `Item.contains`: escapes and joined lines; binary values. One
# expression, since `bytes.find` is three times slower on texts of two bytes.
_ESCAPES = late(rb"\\[xuU\r\n]")
_ESCAPES_AND_SLASH = late(rb"\\[xuU/\r\n]")
_BINARY = b"binary"


def holding(items: Iterable[Item], needles: Sequence[bytes]) -> list[Item]:
    """Return the items that may hold one of some texts in a string; those left out surely do not.

    Args:
        items: Items of one input or of several.
        needles: Texts without blanks and quotes; with any other every item is returned.
    """
    if not all(map(_PLAIN.match, needles)):
        return list(items)
    by_source: dict[int, list[Item]] = {}
    for item in items:
        by_source.setdefault(id(item.source), []).append(item)
    sought = {*needles, _BINARY}
    escapes = _ESCAPES_AND_SLASH if any(b"/" in needle for needle in needles) else _ESCAPES
    found: list[Item] = []
    for group in by_source.values():
        source = group[0].source
        if not source:  # made of values: there is no text to look at
            found += group
            continue
        offsets = [offset for one in sought for offset in _offsets(source, one)]
        offsets += [match.start() for match in escapes.finditer(source)]
        if offsets:
            offsets.sort()
            found += [item for item in group if _any_within(offsets, item.start, item.end)]
    return [item for item in found if any(item.contains(needle) for needle in needles)]


def _offsets(source: bytes, needle: bytes) -> list[int]:
    """Return where a text stands."""
    offsets = []
    offset = source.find(needle)
    while offset >= 0:
        offsets.append(offset)
        offset = source.find(needle, offset + 1)
    return offsets


def _any_within(offsets: Sequence[int], start: int, end: int) -> bool:
    place = bisect_left(offsets, start)
    return place < len(offsets) and offsets[place] < end
