"""Aligned text tables for terminals and pipes: width-aware, coloured only where the caller says so.

Width is counted in terminal cells: East Asian wide characters take two (Unicode Annex 11), combining marks none.
"""

from __future__ import annotations

import unicodedata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

GAP = "  "
_NARROWEST = 24

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
        width: Cells that a line may take; the last column is wrapped to fit, or put below its row where it would get too
            narrow. None for a pipe: nothing is wrapped.
        colour: Whether to use colours.
        style: Gives the style of a cell from its column and row; "" for none.
    """
    widths = [max(cells(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
    left = None if width is None else width - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)
    below = left is not None and left < min(_NARROWEST, widths[-1])
    if below and width is not None:
        left = max(_NARROWEST, width - len(GAP))
    lines = [_line([paint(_pad(one, widths[at]), "head", colour=colour) for at, one in enumerate(headers)])]
    for row in rows:
        wrapped = [row[-1]] if left is None else _wrap(row[-1], left)
        if below:
            lines.append(_line(_styled([*row[:-1], ""], row, widths, style, colour=colour)))
            lines += [f"{GAP}{part}\n" for part in wrapped if part]
            continue
        for at, part in enumerate(wrapped):
            shown = [*(row[:-1] if at == 0 else [""] * (len(row) - 1)), part]
            lines.append(_line(_styled(shown, row, widths, style, colour=colour)))
    return "".join(lines)


def _styled(
    shown: Sequence[str],
    row: Sequence[str],
    widths: Sequence[int],
    style: Callable[[int, Sequence[str]], str] | None,
    *,
    colour: bool,
) -> list[str]:
    return [
        paint(_pad(one, widths[column]), style(column, row) if style else "", colour=colour)
        for column, one in enumerate(shown)
    ]


def _line(parts: Sequence[str]) -> str:
    return GAP.join(parts).rstrip() + "\n"


def _pad(text: str, width: int) -> str:
    return text + " " * (width - cells(text))


def _wrap(text: str, width: int) -> list[str]:
    """Break a text at spaces so that each line takes at most `width` cells; a longer word has a line to itself."""
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cells(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines
