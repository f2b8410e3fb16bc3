"""Text that can't be read, in plain words: the slip that a person can see, where it is, and what to do about it.

A parser stops where it can't go on, which is often a line below the slip. So the lines down to there are looked at as a
person would, for common mistakes, before the parser's own message is used.
"""

from __future__ import annotations

import codecs
import re

import yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from krm_fn.yaml import BadYaml

    Said = tuple[str, int | None, int | None]

_ENCODINGS = {
    "UTF-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "UTF-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
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
    ("alias", "put a value that begins with * in quotes; in place of a real alias, write what it stands for"),
    ("number", "put it in quotes, or shorten it"),
    ("key must be", "put it in quotes"),
    ("must be a mapping", "give an object with apiVersion, kind and metadata"),
    ("not a mapping", "give an object with apiVersion and kind"),
    ("YAML document", "use YAML 1.1 or 1.2"),
)
_CUT_OFF = "the text ends in the middle of a line; if it was cut off, fix whatever writes it"
_SYNTAX = "fix the syntax there; if the file is truncated, fix whatever writes it"
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
    "quoted scalar",
    "tag",
    "percent",
)
_LARGEST = 1 << 16  # of a text in which a missing comma is looked for
_LINE_BREAK = re.compile(rb"\r\n|\n|\r|\xc2\x85|\xe2\x80\xa8|\xe2\x80\xa9")
_TABLE = re.compile(rb"[A-Z][A-Z-]*( {2,}[A-Z][A-Z-]*)+\s*\Z")
_CONTROL = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
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
    ("tag", "a value that begins with ! must be in quotes"),
)

_FIELD = re.compile(r"""(?P<indent> *)(?P<dashes>(?:- +)*)(?P<name>[A-Za-z_][\w./$-]*|"[^"]*"|'[^']*')(?::(?= |$))""")
_BLOCK = re.compile(r"(?:^|:|-) *(?:[!&]\S+ +)*[|>][-+0-9]*(?: +#.*)?$")
_TEMPLATE = re.compile(r"""\s*(?:- +)*(?:[\w./-]+: +)?(?P<at>\{\{)""")
# Alone in place of a field, or in brackets or braces, where the braces of a variable are YAML's own
_VARIABLE = re.compile(r"""\s*(?:(\$\{[^}]*\}\s*)$|(?:- +)*(?:[\w./-]+: +)?[\[{][^\]}"']*?(\$\{[A-Za-z_]))""")
_OPEN_QUOTE = re.compile(r""" *(?:- +)*(?:[\w./$-]+: +)?(?P<at>"(?:[^"\\]|\\.)*|'(?:[^']|'')*)$""")
_NAME = re.compile(r" *(?:- +)*(?P<name>[A-Za-z][A-Za-z0-9./_-]{0,60})(?P<rest>.*)$")
# Characters that look like YAML's own in an editor but are not.
_LOOKALIKES = {
    "\u00a0": "a no-break space (U+00A0), which YAML takes for a letter; type a normal space",
    "\u2007": "a figure space (U+2007), which YAML takes for a letter; type a normal space",
    "\u202f": "a narrow no-break space (U+202F), which YAML takes for a letter; type a normal space",
    "\u3000": "a wide space (U+3000), which YAML takes for a letter; type a normal space",
    "\u200b": "an invisible zero-width space (U+200B); delete it and the characters beside it, and type them again",
    "\ufeff": "an invisible byte order mark (U+FEFF) inside the text; delete it",
    "\uff1a": "a full-width colon (U+FF1A), which YAML takes for a letter; type ':' and a space",
    "\u2013": "an en dash (U+2013), which YAML takes for a letter; type '-'",
    "\u2014": "an em dash (U+2014), which YAML takes for a letter; type '-'",
    "\u2022": "a bullet (U+2022), which YAML takes for a letter; type '-'",
}
_ODD = re.compile(f"[{''.join(_LOOKALIKES)}]")
_DASH = "the '-'"
_BARE_NAME = re.compile(r" *(?:- +)*[\w./$-]+:?\Z")
_QUOTES = re.compile("[\u201c\u201d\u2018\u2019\u201e\u00ab\u00bb]")


def lines_of(data: bytes) -> list[bytes]:
    """Split a text where a YAML parser ends a line, which is what its positions count (YAML 1.1, section 4.1.4)."""
    return _LINE_BREAK.split(data)


def is_table(text: bytes) -> bool:
    """Return whether a text is a table as kubectl prints it."""
    return _TABLE.match(text.lstrip().split(b"\n", 1)[0]) is not None


def lookalike(text: str) -> str:
    """Name the first character of a text that looks like another one, with what to do; "" where there is none."""
    odd = _ODD.search(text)
    if odd:
        return _LOOKALIKES[odd[0]]
    quote = _QUOTES.search(text)
    return f'a typographic quotation mark (U+{ord(quote[0]):04X}); type " instead' if quote else ""


def explained(error: BadYaml, data: bytes) -> Said:
    """Say in plain words why a text can't be read and what to do about it.

    Args:
        error: What the reader raised.
        data: The text that it read.

    Returns:
        The problem with its remedy, then line and column of its cause, from 0; None where unknown.
    """
    problem = error.problem.partition(" (while ")[0]  # without the parser's own state
    if error.line is None:
        line, column = _control(data) if "characters are not allowed" in problem else (None, None)
        return f"{problem}; {_remedy(problem, data)}", line, column
    lines = [line.decode("utf-8", "replace") for line in lines_of(data)]
    conflict = _conflict(lines, error.line)
    if conflict is not None:
        said = "a merge conflict is not resolved: keep one side, and remove the lines <<<<<<<, ======= and >>>>>>>"
        return said, conflict, 0
    if "document start" in error.problem and any(one.rstrip() == "..." for one in lines[: error.line]):
        return "text follows the end of the document (...); remove it", error.line, 0
    if any(part in error.problem for part in _SYNTAX_PROBLEMS):
        found = _slip(lines, error.line, error.column or 0, error.problem) or _comma(data, error.problem)
        if found is not None:
            return found
        said = next((said for part, said in _CAUSES if part in error.problem), "")
        if said:
            return said, error.line, error.column
    return f"{problem}; {_remedy(problem, data)}", error.line, error.column


def _conflict(lines: Sequence[str], line: int) -> int | None:
    """Return the line at which an unresolved merge conflict begins, if there is one up to just below a line."""
    return next((at for at, one in enumerate(lines[: line + 2]) if one.startswith(("<<<<<<< ", ">>>>>>> "))), None)


def _comma(data: bytes, problem: str) -> tuple[str, int, int] | None:
    """Return the place where a comma would make the text readable, if there is one."""
    text = data.decode("utf-8", "replace")
    mark = _problem(text) if "expected ',' or" in problem and len(text) <= _LARGEST else None
    for end in () if mark is None else (mark.index, text.rfind("\n", 0, mark.index)):
        before = text[: max(end, 0)].rstrip()
        if _problem(f"{before},{text[len(before) :]}") is None:
            return "a comma is missing here", before.count("\n"), len(before) - before.rfind("\n") - 1
    return None


def _problem(text: str) -> Any:
    try:
        for _ in yaml.parse(text):
            pass
    except yaml.MarkedYAMLError as error:
        return error.problem_mark
    return None


def _control(data: bytes) -> tuple[int | None, int | None]:
    """Return line and column of the first character that YAML does not allow."""
    text = data.decode("utf-8", "replace")
    found = _CONTROL.search(text)
    if found is None:
        return None, None
    before = lines_of(text[: found.start()].encode())
    return len(before) - 1, len(before[-1].decode())


# --- slips in the lines above, and at, the place where a parser stopped ----------------------------------------------


def _slip(lines: Sequence[str], line: int, column: int, problem: str) -> tuple[str, int, int] | None:  # noqa: PLR0911 - one per slip
    """Return the first slip in the lines down to where the parser stopped: what it is, its line and column."""
    known = list(outside_blocks(lines[: line + 1]))
    for at, text in known:
        found = _anywhere(text, lines[at + 1] if at + 1 < len(lines) else "")
        if found is not None:
            return found[0], at, found[1]
    if line >= len(lines):
        return None
    above = [(at, text) for at, text in known if at < line and text.strip() and not text.lstrip().startswith("#")]
    for at, text in (*above[-1:], (line, lines[line])):
        variable = _VARIABLE.match(text)
        if variable:
            said = "a variable (${…}) is not substituted; do that first (clusterctl generate, envsubst), or put it in quotes"
            return said, at, variable.start(variable.lastindex or 0)
        entry = re.match(r" *(- +)+", text) if at < line else None
        dashes = entry.end() if entry and _indent(lines[line]) == entry.end() else 0
        found = _no_field(text[dashes:])
        if found is not None:
            last = dashes + found[1] == len(text) and at == len(lines) - 1  # no line end follows
            return _CUT_OFF if last else found[0], at, dashes + found[1]
    mark = lines[line][column : column + 1]
    if "cannot start any token" in problem:
        what = "a tab where YAML wants spaces; replace it with spaces" if mark == "\t" else ""
        return what or f"a value can't begin with {mark}; put it in quotes", line, column
    if any(one in problem for one in ("mapping values", "expected", "not find")) and "flow" not in problem:
        return _indentation(above, lines[line], line, column, problem)
    return None


def outside_blocks(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of literal and folded blocks, with their numbers."""
    block = -1  # indentation of the field whose value is a block
    for at, text in enumerate(lines):
        indent = _indent(text)
        if block >= 0 and (indent > block or not text.strip()):
            continue
        block = indent if _BLOCK.search(text) else -1
        yield at, text


def _anywhere(text: str, below: str) -> tuple[str, int] | None:
    """Return a slip that is wrong anywhere in a text, and its column."""
    indent = text[: len(text) - len(text.lstrip())]
    if not text.strip() or text.startswith(("#", "---", "...")):
        return None
    template = _TEMPLATE.match(text)
    odd, quote = _ODD.search(text), _OPEN_QUOTE.match(text)
    found = None
    if template:
        said = "a template expression ({{ … }}), which is not YAML; render the template (helm template, say) first"
        found = said, template.start("at")
    elif "\t" in indent:
        found = "a tab where YAML wants spaces; replace it with spaces", indent.index("\t")
    elif odd and (odd.start() <= len(indent) or _BARE_NAME.match(text, 0, odd.start())):
        found = _LOOKALIKES[odd[0]], odd.start()
    elif text.lstrip(" ").startswith(("//", "/*")):
        found = "a comment begins with #, not with //", len(indent)
    elif quote and (_FIELD.match(below) or not below.strip()):
        found = "a quote is opened here and never closed; close it", quote.start("at")
    return found


def _no_field(text: str) -> tuple[str, int] | None:
    """Say why a line that should be a field is not one, and at which column."""
    stripped = text.lstrip(" ")
    at = len(text) - len(stripped)
    if re.match(r"-[A-Za-z\"'{-]", stripped):
        return "a space is missing after '-'; write the entry as '- …'", at
    if _FIELD.match(text) or stripped[:1] in {"", "#", "-", "[", "{", "]", "}", '"', "'", "?"}:
        return None
    found = _NAME.match(text)
    if found is None:
        return None
    rest = found["rest"]  # the name itself is not said: a value that was broken off can hold half of a token
    if rest.startswith(":"):
        return "a space is missing after ':'; write it as name: value", found.end("name")
    if rest.lstrip().startswith("="):
        return "'=' in place of ':'; write it as name: value", found.end("name")
    return "a ':' is missing here; write it as name: value", found.end("name")


def _indentation(
    above: Sequence[tuple[int, str]], text: str, line: int, column: int, problem: str
) -> tuple[str, int, int] | None:
    """Say which field above a line contradicts its indentation."""
    found = _FIELD.match(text)
    indent = _indent(text)
    if found is not None and column > found.end():
        return None  # a second colon
    opened: list[tuple[int, str, str]] = []  # column of what is open above, "" or a dash, its line
    for _, one in above:
        field = _FIELD.match(one)
        start = _indent(one)
        opened = [each for each in opened if each[0] < start]
        if field is None:
            continue
        if field["dashes"]:
            opened.append((start, _DASH, one))
        opened.append((start + len(field["dashes"]), "", one))  # its name is not said, as in `_no_field`
    if not opened:
        return None
    if "document start" in problem:
        first, one = above[0]
        return (
            "this line is indented further than the fields below it; begin both in the same column",
            first,
            _indent(one),
        )
    deepest, _, last = opened[-1]
    beside = [each for each in opened if each[0] == indent]
    if "'-' indicator" in problem or (beside and beside[-1][1] == _DASH and not text.lstrip().startswith("- ")):
        said = "this line is in the column of the '-' above it; indent it further to belong to that entry, or remove the '-'"
    elif indent > deepest and _FIELD.sub("", last, count=1).partition(" #")[0].strip():
        said = (
            "this line is indented further than the field above it, which has a value already; give both the same indentation,"
            " or write the line that is missing between them"
        )
    elif indent < deepest and not beside:
        depth, *_ = next(each for each in opened if each[0] > indent)
        said = (
            f"this line is indented by {indent} space{'s' * (indent != 1)}, a field above it by {depth}: the fields of one object begin in the"
            " same column"
        )
    else:
        return None
    return said, line, indent


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip(" "))


# --- remedies --------------------------------------------------------------------------------------------------------


def _remedy(problem: str, data: bytes) -> str:
    """Return what to do about a problem."""
    if "UTF-8" in problem or "characters are not allowed" in problem:
        encoding = _encoding(data)
        if encoding:
            return f"it is {encoding}: save it as UTF-8"
    return next((said for part, said in _REMEDIES if part in problem), _SYNTAX)


def _encoding(data: bytes) -> str:
    """Name an encoding other than UTF-8: by its byte order mark, or by the zeros that it puts beside ASCII letters."""
    for name, marks in _ENCODINGS.items():
        if data.startswith(marks):
            return name
    start = data[:8]
    if len(start) == 8 and start.count(0) == 6 and start[:4].count(0) == 3:  # noqa: PLR2004 - two letters of four bytes
        return "UTF-32"
    even, odd = start[0::2], start[1::2]
    return "UTF-16" if odd and ((all(even) and not any(odd)) or (all(odd) and not any(even))) else ""
