"""Errors of text that can't be read: the exception, and one remedy for each problem that a reader names."""

from __future__ import annotations

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import yaml

_ENCODINGS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_UTF8 = "save it as UTF-8, and keep binary data out"
_TAB = "indent with spaces, not tabs"
# a part of the problem's wording, and what to do; the first that fits counts
_REMEDIES = (
    ("tab character", _TAB),
    ("UTF-8", _UTF8),
    ("control characters", "remove them, or write them as escapes in double quotes"),
    ("special characters", "remove them, or write them as escapes in double quotes"),
    ("appears twice", "remove one of them"),
    ("second YAML document", "give one document"),
    ("nested", "write it with fewer levels"),
    ("aliases stand for", "write out what is meant, without aliases"),
    ("alias", "write out what the alias stands for"),
    ("JSON number", "put it in quotes"),
    ("number", "put it in quotes, or shorten it"),
    ("key must be", "put it in quotes"),
    ("must be a mapping", "give an object with apiVersion, kind and metadata"),
    ("not a mapping", "give an object with apiVersion and kind"),
    ("YAML document", "use YAML 1.1 or 1.2"),
)
_SYNTAX = "fix the syntax there; if the file is truncated, fix whatever writes it"


class BadYaml(Exception):  # noqa: N818 - named for what it is
    """The text is not YAML, or not YAML that can be read safely.

    Attributes:
        problem: One line, without any value of the text.
        line: Line from 0, relative to the text that was parsed; None where unknown.
        column: Column from 0.
    """

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        """Take the problem and its place."""
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def bad_yaml(error: yaml.YAMLError | UnicodeError) -> BadYaml:
    """Turn an error of PyYAML into ours; its excerpts of the text are left out, as they may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be parsed"
    context = getattr(error, "context", None)
    if context:
        problem = f"{problem} ({context})"
    if mark is None:
        return BadYaml(str(problem))
    return BadYaml(str(problem), mark.line, mark.column)


def at_event(event: Any, problem: str) -> BadYaml:
    """Return the error of a problem at an event."""
    return BadYaml(problem, event.start_mark.line, event.start_mark.column)


def remedy(problem: str, data: bytes = b"", line: int | None = None) -> str:
    """Return what to do about a problem.

    Args:
        problem: As `BadYaml` words it.
        data: The text, to tell encodings and tabs by; empty if it is not at hand.
        line: Where the problem is, from 0.
    """
    if "UTF-8" in problem or "characters are not allowed" in problem:
        encoding = _encoding(data)
        if encoding:
            return f"it is {encoding}: save it as UTF-8"
    if line is not None and _tab(data, line):
        return _TAB
    return next((said for part, said in _REMEDIES if part in problem), _SYNTAX)


def _encoding(data: bytes) -> str:
    """Name an encoding other than UTF-8: by its byte order mark, or by the zeros that it puts beside ASCII letters."""
    for mark, name in _ENCODINGS:
        if data.startswith(mark):
            return name
    start = data[:8]
    if len(start) == 8 and start.count(0) == 6 and start[:4].count(0) == 3:  # noqa: PLR2004 - two letters of four bytes
        return "UTF-32"
    even, odd = start[0::2], start[1::2]
    return "UTF-16" if odd and ((all(even) and not any(odd)) or (all(odd) and not any(even))) else ""


def _tab(data: bytes, line: int) -> bool:
    """Tell whether a line is indented with a tab."""
    text = b"".join(data.split(b"\n", line + 1)[line : line + 1])
    return b"\t" in text[: len(text) - len(text.lstrip())]
