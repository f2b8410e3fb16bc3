"""Errors of text that can't be read: the exception, and one remedy for each problem that a reader names."""

from __future__ import annotations

import codecs

from krm_fn.base.text import late

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
# a part of the problem's wording, and what to do; the first that fits counts
_REMEDIES = (
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
        super().__init__(problem)
        self.problem = problem
        self.line = line
        self.column = column


def bad_yaml(error: yaml.YAMLError | UnicodeError) -> BadYaml:
    """Turn an error of PyYAML into ours; its excerpts of the text are left out, as they may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    if "quoted scalar" in str(getattr(error, "context", None)) and "end of stream" in str(
        getattr(error, "problem", None)
    ):
        mark = getattr(error, "context_mark", None) or mark  # where the quote is, not where the text ends
    opened = getattr(error, "context_mark", None)
    if (
        opened is not None
        and "flow" in str(getattr(error, "context", None))
        and (mark is None or mark.line != opened.line)
    ):
        mark = opened  # where the bracket is, not a line far below that shows nothing wrong
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


def lines_of(data: bytes) -> list[bytes]:
    """Split a text where a YAML parser ends a line, which is what its positions count (YAML 1.1, section 4.1.4)."""
    return _LINE_BREAK.split(data)


def explained(error: BadYaml, data: bytes) -> tuple[str, int | None, int | None]:
    """Say in plain words why a text can't be read and what to do about it.

    Args:
        error: What the reader raised.
        data: The text that it read.

    Returns:
        The problem with its remedy, then line and column of its cause, from 0; None where unknown.
    """
    if error.line is None:
        return f"{error.problem}; {_remedy(error.problem, data)}", None, None
    lines = lines_of(data)
    found = _conflict(lines, error.line)
    if found is not None:
        return (
            "a merge conflict is not resolved: keep one side, and remove the lines <<<<<<<, ======= and >>>>>>>",
            found,
            0,
        )
    line = lines[error.line] if error.line < len(lines) else b""
    said = ""
    if any(part in error.problem for part in _SYNTAX_PROBLEMS):
        before = lines[error.line - 1] if error.line else b""
        said = _cause(line, before, error)
    return said or f"{_plain(error.problem)}; {_remedy(error.problem, data)}", error.line, error.column


# What both of PyYAML's parsers call what is wrong with the syntax; whatever these are part of is ours to explain.
_SYNTAX_PROBLEMS = (
    "expected",
    "not find",
    "not allowed in this context",
    "cannot start any token",
    "mapping values",
    "key must be",
    "tab character",
    "escape",
)
_LINE_BREAK = late(rb"\r\n|\n|\r|\xc2\x85|\xe2\x80\xa8|\xe2\x80\xa9")
_TABLE = late(rb"[A-Z][A-Z-]*( {2,}[A-Z][A-Z-]*)+\s*\Z")
# A part of the parser's words, and what has most likely happened; the first that fits counts.
_CAUSES = (
    ("while scanning a quoted scalar", "a quote is opened here and never closed; close it"),
    ("',' or ']'", "a list in brackets is not closed, or a comma is missing; close it with ']'"),
    ("',' or '}'", "a map in braces is not closed, or a comma is missing; close it with '}'"),
    ("node content", "a value is missing, or brackets are not closed"),
    ("mapping values", "a ':' where no field can begin; put the value in quotes, or correct the indentation"),
    ("expected ':'", "a field without ':'; write it as name: value, with the indentation of the fields beside it"),
    ("'-' indicator", "a line in a list does not begin with '- '; correct the indentation"),
    ("block sequence entries", "a '- ' where no list can begin; put it on a line of its own below the field"),
    ("expected key", "the indentation does not fit the lines above, or a ':' is missing"),
    ("block end", "the indentation does not fit the lines above, or a ':' is missing"),
    ("escape", "a backslash in double quotes begins an escape that YAML lacks; write \\\\, or use single quotes"),
    ("alphabetic or numeric", "a value that begins with * or & must be in quotes"),
)


def is_table(text: bytes) -> bool:
    """Return whether a text is a table as kubectl prints it."""
    return _TABLE.match(text.lstrip().split(b"\n", 1)[0]) is not None


def _conflict(lines: list[bytes], line: int) -> int | None:
    """Return the line at which an unresolved merge conflict begins, if there is one up to just below a line."""
    return next((at for at, one in enumerate(lines[: line + 2]) if one.startswith((b"<<<<<<< ", b">>>>>>> "))), None)


def _cause(line: bytes, before: bytes, error: BadYaml) -> str:
    """Say what has most likely been written where the syntax is wrong."""
    for one in (line, before):
        if b"{{" in one:
            return "a template expression ({{ … }}), which is no YAML; render the template (helm template, say) first"
    if b"\t" in line[: len(line) - len(line.lstrip())]:
        return "a tab where YAML wants spaces; indent with spaces, not tabs"
    mark = line[error.column or 0 : (error.column or 0) + 1].decode("ascii", "replace")
    if "cannot start any token" in error.problem:
        what = "a tab where YAML wants spaces; use spaces, not tabs" if mark == "\t" else ""
        return what or f"a value can't begin with {mark}; put it in quotes"
    return next((said for part, said in _CAUSES if part in error.problem), "")


def _plain(problem: str) -> str:
    """Return a problem without the parser's own state in parentheses."""
    return problem.partition(" (while ")[0]


def _remedy(problem: str, data: bytes) -> str:
    """Return what to do about a problem."""
    if "UTF-8" in problem or "characters are not allowed" in problem:
        encoding = _encoding(data)
        if encoding:
            return f"it is {encoding}: save it as UTF-8"
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
