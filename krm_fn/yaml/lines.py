"""Reading by its lines what `write.dump`, kustomize and kpt write: several times as fast as by libyaml's events.

`read(text)` returns either exactly what `read.load(text)` returns, or None ("ask `read.load`"). Ten thousand Clusters are
looked at in one run, and a rendered tree of as many has 70 MB, almost all of it literal blocks.

Why lines tell the truth: every line is explained. The text is printable ASCII and line ends. Each line is empty, a comment, a
key in the column of an open mapping, or a dash in that of an open sequence, with at most one value behind it: a text in
quotes without escapes, a plain scalar (typed as `read.load` types it), an empty collection, or a literal block whose first
line fixes its indentation. What opens a collection is followed by its first child, which fixes the column of the others. So
no scalar goes on in a next line but a literal block, which ends at the first line that is indented less. Anchors, tags,
aliases, other styles and keys that appear twice lead to None.
"""

from __future__ import annotations

from functools import lru_cache

from krm_fn.yaml.read import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\n"
_WORD = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@,()~$*%;-"
_SEPARATORS = (b"::", b": ", b" :", b"  ")  # a plain scalar has single ones, and none at its end
_LONGEST_KEY = 1000  # of those without a `?` before them, which YAML bounds
_DEEPEST = 200  # collections in one another; `read.load` bounds them as well
_MANY = 10_000  # explained lines that are kept, since most lines of an input are alike
_known: dict[bytes, tuple[int, bool, str | None, Any]] = {}
_OPENS, _BLOCK, _CHOPPED, _MAPPING, _SEQUENCE = object(), object(), object(), object(), object()
_MARKS = {b"|": _BLOCK, b"|-": _CHOPPED, b"{}": _MAPPING, b"[]": _SEQUENCE}


class NotSure(Exception):  # noqa: N818 - a signal to the readers of lines
    """A line has another form."""


def read(text: bytes, column: int = 0) -> dict[str, Any] | None:
    """Return the value of a mapping that has its keys in a column; None if not sure, or if it is empty."""
    if not text.endswith(b"\n") or text.translate(None, _PRINTABLE):
        return None
    try:
        return _mapping(text, column) or None
    except NotSure:
        return None


def through_metadata(text: bytes, column: int) -> bytes:
    """Return an object in block style, with its keys in a column, up to a key behind its `metadata`; all of it where not sure.

    No block or plain scalar goes on in the line of that key. So if that much can be read by itself, a parser is there
    between two keys, and reads on as in the whole.
    """
    pad = b"\n" + b" " * column
    key = pad + b"metadata:"
    begin = 1 if text.startswith(key[1:]) else text.find(key) + 1
    at = text.find(pad + b"spec:", begin) if begin else -1  # mostly
    if begin and at < 0:
        at = text.find(pad, begin)
        while at >= 0 and not text[at + len(pad) : at + len(pad) + 1].isalpha():
            at = text.find(pad, at + 1)
    return text if at < 0 else text[: at + 1]


def scalar(text: bytes) -> Any:
    """Return the value of a scalar on one line.

    Raises:
        NotSure: It has another form.
    """
    first = text[:1]
    if first.isalnum() or first == b"/":
        others = text.translate(None, _WORD)
        if not others or (
            not others.strip(b" :") and text[-1] not in b" :" and not any(two in text for two in _SEPARATORS)
        ):
            return resolve(text.decode())
    elif first in {b'"', b"'"}:
        inner = text[1:-1]
        if len(text) > 1 and text.endswith(first) and first not in inner and b"\\" not in inner:
            return inner.decode()
    raise NotSure


def _mapping(text: bytes, column: int) -> dict[str, Any]:  # noqa: C901 - one loop over lines, called for each object
    """Return the value of a mapping with its keys in a column.

    Raises:
        NotSure: A line has another form.
    """
    top: dict[str, Any] = {}
    holder: Any = top  # the innermost collection around a line, which is in `column`
    opened: list[tuple[int, Any]] = [(column, top)]  # the collections around a line
    pending: str | None = None  # the last key, where a collection may follow
    at, size, known = 0, len(text), _known
    while at < size:
        end = text.index(b"\n", at)
        line = text[at:end]
        explained = known.get(line) or _explained(line)
        at = end + 1
        if explained is None:
            continue
        indent, dash, name, value = explained
        if pending is not None and indent >= column + (not dash):
            holder[pending] = [] if dash else {}
            column, holder = indent, holder[pending]
            opened.append((column, holder))
        elif indent != column or dash is not (type(holder) is list):
            kind = list if dash else dict
            while opened and (opened[-1][0] != indent or type(opened[-1][1]) is not kind):
                opened.pop()
            if not opened:
                raise NotSure
            column, holder = opened[-1]
        if dash and name is not None:  # a mapping begins behind the dash
            holder.append({})
            column, holder = column + 2, holder[-1]
            opened.append((column, holder))
        pending = name if value is _OPENS else None
        if type(value) is object:
            value, at = _of_mark(value, text, at, column)
        if name is None:
            holder.append(value)
        elif name in holder or len(opened) > _DEEPEST:
            raise NotSure
        else:
            holder[name] = value
    return top


def _of_mark(mark: object, text: bytes, at: int, column: int) -> tuple[Any, int]:
    """Return the value of what is no scalar on one line, and where it ends, if it is below a key or a dash in a column.

    Raises:
        NotSure: It is a block whose first line doesn't fix its indentation.
    """
    if mark is _OPENS:
        return None, at
    if mark is _MAPPING:
        return {}, at
    if mark is _SEQUENCE:
        return [], at
    first = text[at : text.find(b"\n", at)]
    indent = len(first) - len(first.lstrip(b" "))
    if indent <= column or indent == len(first):
        raise NotSure
    pad, begin = b" " * indent, at
    while text.startswith((pad, b"\n"), at):
        at = text.index(b"\n", at) + 1
    return _unindented(text[begin:at], indent, chopped=mark is _CHOPPED), at


def _explained(line: bytes) -> tuple[int, bool, str | None, Any] | None:
    """Return column, dash, key and value of a line, None for a comment or nothing."""
    body = line.lstrip(b" ")
    if not body or body.startswith(b"#"):
        return None
    column = len(line) - len(body)
    dash = body.startswith(b"- ")
    if dash:
        body = body[2:]
    body = body.partition(b" #")[0].rstrip(b" ")
    key, colon, rest = (body[:-1], b":", b"") if body.endswith(b":") else body.partition(b": ")
    if not colon:
        key, rest = b"", body
    if not (dash or key) or len(key) > _LONGEST_KEY:
        raise NotSure
    name = scalar(key) if key else None
    if key and not isinstance(name, str):
        raise NotSure
    value = _MARKS.get(rest) or scalar(rest) if rest else _OPENS
    found = column, dash, name, value
    if len(_known) < _MANY:
        _known[line] = found
    return found


@lru_cache(maxsize=64)
def _unindented(block: bytes, column: int, *, chopped: bool) -> str:
    """Return the text of a literal block; a tree has most texts many times, and they are held once."""
    text = block.replace(b"\n" + b" " * column, b"\n")[column:].rstrip(b"\n").decode()
    return text if chopped else text + "\n"
