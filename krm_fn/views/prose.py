"""Sentences for a terminal: wrapped to its width with a hanging indent, and free of control characters."""

from __future__ import annotations

import textwrap

# narrower than that, wrapping helps nobody
_NARROWEST = 40


def clean(text: str) -> str:
    """Return text without control characters: what comes from a server may hold escape codes."""
    return "".join(character if character.isprintable() else "?" for character in text)


def wrap(text: str, width: int | None, first: str, rest: str) -> list[str]:
    """Return text as lines.

    Args:
        text: One paragraph.
        width: Columns of the terminal; None for a pipe, where nothing is wrapped.
        first: Begins the first line.
        rest: Begins the others.
    """
    line = clean(text)
    if width is None:
        return [first + line]
    return textwrap.wrap(
        line,
        max(width, _NARROWEST),
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
