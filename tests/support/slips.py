"""Slips in the layout of a YAML text, as people make them: what it is called, the line where it is, and the text with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Slip(NamedTuple):
    """A text with a slip; `line` counts from 0."""

    what: str
    line: int
    text: str


def of(text: str) -> Iterator[Slip]:
    """Every slip of a text without comments and literal blocks."""
    lines = text.splitlines()
    for at, line in enumerate(lines):
        end = _end(lines, at)
        below = lines[at + 1 : end]
        dash = line.lstrip().startswith("- ")
        column = _indent(line)
        bare = line.lstrip().removeprefix("- ")
        made: list[tuple[str, list[str]]] = []
        if below and not dash:
            made.append(("a line is forgotten", below))
        for by in (-4, -2, -1, 1, 2, 4):
            if column + by < 0:
                continue
            made.append((f"a line is moved by {by}", [_moved(line, by), *below]))
            if below and all(_indent(one) + by >= 0 for one in below):
                made.append((f"a block is moved by {by}", [_moved(one, by) for one in (line, *below)]))
        if dash:
            made += [
                ("a dash is dropped", [f"{' ' * column}  {bare}", *below]),
                ("a dash is dropped with its space", [f"{' ' * column}{bare}", *below]),
            ]
        else:
            made.append(("a dash is added", [f"{' ' * column}- {bare}", *below]))
            if column > 1:
                made.append(("a dash is added before", [f"{' ' * (column - 2)}- {bare}", *below]))
        for what, instead in made:
            yield Slip(what, at, "\n".join([*lines[:at], *instead, *lines[end:]]) + "\n")


def _end(lines: list[str], at: int) -> int:
    """The line behind a block: what is indented further, and the entries of a list in the column of its key."""
    column, dash = _indent(lines[at]), lines[at].lstrip().startswith("- ")
    end = at + 1
    while end < len(lines):
        one = lines[end]
        if _indent(one) <= column and not (not dash and _indent(one) == column and one.lstrip().startswith("- ")):
            break
        end += 1
    return end


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _moved(line: str, by: int) -> str:
    return " " * by + line if by > 0 else line[-by:]
