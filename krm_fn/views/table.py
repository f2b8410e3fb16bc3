"""Aligned text tables for terminals and pipes: width-aware, coloured only where the caller says so.

Width is counted in terminal cells: East Asian wide characters take two (Unicode Annex 11), combining marks none.
"""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GAP = "  "
_NARROWEST = 12

# SGR codes of the few colours in use
STYLES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "head": "1"}


def paint(text: str, style: str, *, colour: bool) -> str:
    """Return text in a style (a key of `STYLES`), or as it is."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if colour and style else text


def cells(text: str) -> int:
    """Return how many terminal cells a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def render(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    width: int | None = None,
    colour: bool = False,
    style: Callable[[int, Sequence[str]], str] | None = None,
) -> str:
    """Return a table as text, each line ended.

    Args:
        headers: Column titles.
        rows: Cells, as many a row as there are headers.
        width: Cells that a line may take; the last column is wrapped to fit. None for a pipe: nothing is wrapped.
        colour: Whether to use colours.
        style: Gives the style of a cell from its column and row; "" for none.
    """
    widths = [max(cells(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    room = None
    if width is not None:
        room = max(_NARROWEST, width - sum(widths[:-1]) - len(GAP) * (len(widths) - 1))
    lines = [_line([paint(_pad(one, widths[at]), "head", colour=colour) for at, one in enumerate(headers)])]
    for row in rows:
        wrapped = [row[-1]] if room is None else _wrap(row[-1], room)
        for at, part in enumerate(wrapped):
            shown = [*(row[:-1] if at == 0 else [""] * (len(row) - 1)), part]
            lines.append(
                _line(
                    [
                        paint(_pad(one, widths[column]), style(column, row) if style else "", colour=colour)
                        for column, one in enumerate(shown)
                    ]
                )
            )
    return "".join(lines)


def _line(parts: Sequence[str]) -> str:
    return GAP.join(parts).rstrip() + "\n"


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _wrap(text: str, room: int) -> list[str]:
    """Break a text at blanks so that each line takes at most `room` cells; a longer word stands alone."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(joined) <= room or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
