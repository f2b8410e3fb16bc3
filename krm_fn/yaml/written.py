"""Reading what `write.dump` wrote, by its lines: several times as fast as by libyaml's events, which `read.load` takes.

`read(text)` returns either exactly what `read.load(text)` returns, or None ("ask `read.load`"). A rendered tree of ten
thousand Clusters has 70 MB, almost all of it literal blocks.

Why lines tell the truth: every line is explained. The text is printable ASCII and line ends, and each line is a key in the
column of an open mapping, or a dash in that of an open sequence, with at most one value behind it: a quoted text without
escapes, a plain scalar (typed as `read.load` types it), an empty collection, or a literal block whose first line fixes its
indentation. What opens a collection is followed by its first child in the one column where `write.dump` puts it. So no
scalar continues on the next line except a literal block, which ends at the first line that is indented less. Comments, blank
lines, anchors, tags, aliases, other styles and keys that appear twice lead to None.
"""

from __future__ import annotations

import re
from functools import lru_cache

from krm_fn.yaml.read import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_WORDS = rb"[A-Za-z0-9_./+=@,()~$*%;-]*(?:[: ][A-Za-z0-9_./+=@,()~$*%;-]+)*"
# Groups: 1 indentation, 2 a dash, 3 a plain key, 4 a quoted key, 5 a quoted value, 6 a plain one, 7 the begin of a block, 8 {} or [].
_LINE = re.compile(
    rb'( *)(- )?(?:(?:([A-Za-z/][A-Za-z0-9_./-]{0,999})|"([ !#-\[\]-~]{0,999})"):(?: (?=[^\n])|(?=\n)))?'
    rb'(?:"([ !#-\[\]-~]*)"|([A-Za-z0-9/]' + _WORDS + rb")|(\|-?)|(\{\}|\[\]))?\n"
)
_DEEPEST = 200  # collections in one another; `read.load` bounds them as well
_OPENS, _BLOCK, _CHOPPED, _MAPPING, _SEQUENCE = object(), object(), object(), object(), object()


class NotSure(Exception):  # noqa: N818 - a signal inside this module
    """A line has another form."""


def read(text: bytes) -> dict[str, Any] | None:
    """Return the value of a mapping in the form that `write.dump` gives it; None if not sure."""
    if not text.endswith(b"\n") or text.translate(None, _PRINTABLE):
        return None
    try:
        return _Reading().run(text)
    except NotSure:
        return None


class _Reading:
    """One run over a text; every step raises `NotSure` where a line has another form."""

    __slots__ = ("column", "holder", "opened", "pending")

    def __init__(self) -> None:
        self.holder: Any = {}  # the innermost collection around a line
        self.column = 0  # its column
        self.opened: list[tuple[int, Any]] = [(0, self.holder)]  # the collections around a line, each with its column
        self.pending: str | None = None  # its last key, where the value is still to come

    def run(self, text: bytes) -> dict[str, Any]:
        """Take all lines."""
        top: dict[str, Any] = self.holder
        at, size = 0, len(text)
        while at < size:
            end = text.index(b"\n", at) + 1
            column, dash, name, value = _explained(text[at:end])
            at = end
            if self.pending is not None:
                self.child(column, dash=dash)
            elif column != self.column or dash is not (type(self.holder) is list):
                self.go_back(column, list if dash else dict)
            if dash and name is not None:  # a mapping begins behind the dash
                self.open(column + 2, {})
            if value is _BLOCK or value is _CHOPPED:
                inner = self.column + 2
                ended = _end_of_block(inner).search(text, at)
                if ended is None or not text.startswith(b" " * inner, at):
                    raise NotSure
                block, at = text[at : ended.end()], ended.end()
                value = _unindented(block, inner, chopped=value is _CHOPPED)
            self.take(name, value)
        if self.pending is not None:
            raise NotSure
        return top

    def child(self, column: int, *, dash: bool) -> None:
        """Begin the collection of the last key, in the one column where it is written."""
        if column != self.column + (0 if dash else 2) or len(self.opened) > _DEEPEST:
            raise NotSure
        inner: Any = [] if dash else {}
        self.holder[self.pending] = inner
        self.pending = None
        self.column, self.holder = column, inner
        self.opened.append((column, inner))

    def go_back(self, column: int, kind: type) -> None:
        """Go on with a collection further out."""
        opened = self.opened
        while opened and (opened[-1][0] != column or type(opened[-1][1]) is not kind):
            opened.pop()
        if not opened:
            raise NotSure
        self.column, self.holder = opened[-1]

    def open(self, column: int, inner: Any) -> None:
        """Begin an entry of a sequence."""
        self.holder.append(inner)
        self.column, self.holder = column, inner
        self.opened.append((column, inner))

    def take(self, name: str | None, value: Any) -> None:
        """Add a value."""
        if value is _MAPPING:
            value = {}
        elif value is _SEQUENCE:
            value = []
        if name is None:
            self.holder.append(value)
        elif name in self.holder:
            raise NotSure
        elif value is _OPENS:
            self.holder[name] = None
            self.pending = name
        else:
            self.holder[name] = value


@lru_cache(maxsize=4096)
def _explained(text: bytes) -> tuple[int, bool, str | None, Any]:
    """Return column, dash, key and value of a line; most lines of a tree are alike."""
    line = _LINE.fullmatch(text)
    if line is None:
        raise NotSure
    name: Any = None if line[4] is None else line[4].decode()
    if line[3]:
        name = resolve(line[3].decode())
        if type(name) is not str:
            raise NotSure
    elif name is None and not line[2]:
        raise NotSure
    return len(line[1]), bool(line[2]), name, _value(line, name)


def _value(line: re.Match[bytes], name: str | None) -> Any:
    if line[5] is not None:
        return line[5].decode()
    if line[6]:
        return resolve(line[6].decode())
    if line[7]:
        return _BLOCK if line[7] == b"|" else _CHOPPED
    if line[8]:
        return _MAPPING if line[8] == b"{}" else _SEQUENCE
    if name is None:
        raise NotSure
    return _OPENS


@lru_cache(maxsize=16)
def _end_of_block(column: int) -> re.Pattern[bytes]:
    """Return what matches the line end behind which a block in a column is over."""
    return re.compile(rb"\n(?! {%d}|\n)" % column)


@lru_cache(maxsize=64)
def _unindented(block: bytes, column: int, *, chopped: bool) -> str:
    """Return the text of a literal block; a tree has most texts many times, and they are held once.

    Raises:
        NotSure: Its indentation or its end must be judged by `read.load`.
    """
    if block[column : column + 1] in b" \n" or block.endswith(b"\n\n"):
        raise NotSure
    text = block.replace(b"\n" + b" " * column, b"\n")[column:].decode()
    return text[:-1] if chopped else text
