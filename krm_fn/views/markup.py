"""Foreign text in Markdown: names, messages and file names that can't become markup in a comment.

A pull-request comment is written under the name of a trusted bot, from input that its author chose. Whatever is quoted
goes through `text` or `code`, diffs and pictures through `block`; a heading, link, mention, image or HTML tag in the
input is shown as the characters it consists of. Both work in a table's cell. Hosts look for mentions, references, emoji
and addresses after they have rendered Markdown, where a backslash is gone: an element between the characters stops them.
"""

from __future__ import annotations

import re

from krm_fn.base import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FENCE = 3
# What makes markup anywhere in a line, and what begins a list, a heading's underline or a table at the start of one
_SPECIAL = late(
    r"[\\`*_\[\]~<>&|@#$]|:(?=//)|:(?=[A-Za-z0-9_+-]+:)|\bwww(?=\.)|!(?=[0-9])|^[-+=:]|^[0-9]+(?=[.)])", re.IGNORECASE
)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
# Mentions, references and formulas; with these the pattern's longer matches (`www`, `:`) are taken apart too
_APART = frozenset("@#$:!")
_BACKTICKS = late(r"`+")


def text(foreign: str) -> str:
    """Return foreign text as Markdown that shows it, as part of a line."""
    return _SPECIAL.sub(_shown, _line(foreign))


def code(foreign: str) -> str:
    """Return foreign text as inline code; an empty text gives an empty text."""
    line = _line(foreign)
    if "|" in line:  # the one character that a table splits at even in inline code
        return f"<code>{text(line)}</code>"
    if not line:
        return ""
    fence = "`" * (_longest_run(line) + 1)
    # one space at each side is taken away again when Markdown is rendered
    space = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{space}{line}{space}{fence}"


def block(lines: Iterable[str], language: str) -> list[str]:
    """Return lines as a fenced block of code, under a fence that none of them can close."""
    shown = [_printable(line) for line in lines]
    fence = "`" * max(_FENCE, 1 + max(map(_longest_run, shown), default=0))
    return [f"{fence}{language}", *shown, fence]


def _shown(found: re.Match[str]) -> str:
    special = found.group()
    if special in _ENTITIES:
        return _ENTITIES[special]
    if special in _APART or special == "www":
        return f"<span>{special}</span>"
    return f"{special}\\" if special.isdigit() else f"\\{special}"


def _longest_run(line: str) -> int:
    return max(map(len, _BACKTICKS.findall(line)), default=0) if "`" in line else 0


def _line(foreign: str) -> str:
    """Return a text as one line without control characters, of which some turn the direction of what follows."""
    return _printable(" ".join(foreign.split()))


def _printable(line: str) -> str:
    if line.isprintable():
        return line
    return "".join(one if one.isprintable() else "\ufffd" for one in line)
