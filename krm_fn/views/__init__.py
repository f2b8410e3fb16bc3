"""Text for terminals and pipes, shared by the views: sentences, steps and aligned tables, in the width and colours of the destination.

Width is counted in terminal cells: East Asian wide characters take two (Unicode Annex 11), combining marks none. Nothing
has control characters: what comes from a server may hold escape codes.
"""

from __future__ import annotations

import textwrap
import unicodedata

from krm_fn.base import Record, printable
from krm_fn.krm.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

GAP = "  "
_NARROWEST = 40  # narrower than this, wrapping doesn't help
_NARROWEST_COLUMN = 24
_MARKS = {ERROR: ("✗", "bad"), WARNING: ("!", "warn"), INFO: ("·", "dim")}
_PROGRAMS = frozenset({"kubectl", "clusternet-capi-fn"})
# SGR codes of the few colours in use
_STYLES = {"good": "32", "bad": "31", "warn": "33", "dim": "2", "head": "1"}


class Terminal(Record):
    """Where text goes."""

    width: int | None = None  # its columns; None for a pipe, where nothing is wrapped
    colour: bool = False

    def paint(self, text: str, style: str) -> str:
        """Return text in a style (`good`, `bad`, `warn`, `dim`, `head`), or as it is."""
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colour and style and text else text

    def wrap(self, text: str, first: str = "", rest: str = "") -> list[str]:
        """Return a paragraph as lines, of which the first and the rest begin as given."""
        line = clean(text)
        if self.width is None:
            return [first + line]
        return textwrap.wrap(
            line,
            max(self.width, _NARROWEST),
            initial_indent=first,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )

    def marked(self, text: str, severity: str) -> list[str]:
        """Return text as lines behind the mark of a severity."""
        first, *rest = self.wrap(text, "  ", "  ")
        return [self.paint(*_MARKS[severity]) + first[1:], *rest]

    def steps(self, remedy: Iterable[str]) -> Iterator[str]:
        """Yield the lines of a remedy; a command stays whole, however narrow the terminal, so that it can be copied."""
        for step in remedy:
            if step.partition(" ")[0] in _PROGRAMS:
                yield f"      {clean(step)}"
            else:
                yield from self.wrap(f"→ {step}", "    ", "      ")

    def table(
        self,
        headers: Sequence[str],
        rows: Sequence[Sequence[str]],
        style: Callable[[int, Sequence[str]], str] = lambda _column, _row: "",
    ) -> str:
        """Return a table as text, each line ended; `style` gives the style of a cell from its column and row.

        The last column is wrapped to fit, or put below its row where it would get too narrow.
        """
        widths = [max(cells(row[column]) for row in (headers, *rows)) for column in range(len(headers))]
        left = None if self.width is None else self.width - sum(widths[:-1]) - len(GAP) * (len(widths) - 1)
        below = left is not None and left < min(_NARROWEST_COLUMN, widths[-1])
        if below and self.width is not None:
            left = max(_NARROWEST_COLUMN, self.width - len(GAP))
        lines = [_line([self.paint(one, "head") + _padding(one, widths[at]) for at, one in enumerate(headers)])]
        for row in rows:
            wrapped = [row[-1]] if left is None else _wrap(row[-1], left)
            shown = [[*row[:-1], ""]] if below else [[*row[:-1], wrapped[0]]]
            shown += [] if below else [[*[""] * (len(row) - 1), part] for part in wrapped[1:]]
            for each in shown:
                painted = [self.paint(one, style(at, row)) + _padding(one, widths[at]) for at, one in enumerate(each)]
                lines.append(_line(painted))
            lines += [f"{GAP}{part}\n" for part in wrapped if part] if below else []
        return "".join(lines)


PIPE = Terminal()


def clean(text: str) -> str:
    """Return text without control characters."""
    return printable(text, "?")


def cells(text: str) -> int:
    """Return how many terminal cells a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def _line(parts: Sequence[str]) -> str:
    return GAP.join(parts).rstrip() + "\n"


def _padding(text: str, width: int) -> str:
    return " " * (width - cells(text))


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
