"""Looking at an object's metadata, and at the keys of the field behind it, without reading the rest of the object.

A shortcut by lines for the usual form, that of kustomize and kpt, since ten thousand Clusters are looked at in one run.
It answers what reading the whole object would answer, or None wherever it is not sure. Its argument:

- It takes an object that is known to be complete YAML, from its first byte on, and explains every line that it passes,
  so that the parser's state at each line start is known. Values are plain words, quoted without escapes and on one
  line, `{}`, or a literal block whose indentation its first line fixes. Nothing but ASCII, so no other line breaks.
- A line in the column of a mapping's keys ends a plain or block scalar before it.
- To find the keys of `spec` it must only know that no quoted scalar or flow collection is open at a line start behind
  `spec:`. That holds by induction: a line without `"`, `'`, `{` and `[` opens none, and a line that is nothing but
  blanks, dashes, an optional simple key and one such value on that line closes what it opens.
"""

from __future__ import annotations

import yaml

from krm_fn.base.patterns import late
from krm_fn.yaml import complete
from krm_fn.yaml.events import BadYaml
from krm_fn.yaml.scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY = r"[A-Za-z][A-Za-z0-9./_-]*"
_END = r"(?: +#[ -~]*)?\n"
_VALUE = (
    r"[A-Za-z0-9/][A-Za-z0-9./_=@+-]*(?:[ :][A-Za-z0-9./_=@+-]+)*"  # plain
    r"""|'[ -&(-~]*'|"[ !#-\[\]-~]*"|\{\}"""
)
_MANY = 10_000
_EMPTY: dict[str, str] = {}
_QUOTES = b"'\""
_KEY_START = frozenset(range(0x21, 0x7F)) - {ord("#")}


class Shortcut:
    """The shortcut for objects whose keys stand in one column."""

    def __init__(self, column: int) -> None:
        """Prepare it for a column."""
        pad, one, three = (" " * (column + step) for step in (0, 2, 6))
        leading = "" if pad else r"(?:(?:#[ -~]*)?\n)*"
        first = rf"apiVersion: [A-Za-z][A-Za-z0-9./-]*{_END}{pad}kind: [A-Za-z][A-Za-z0-9]*{_END}"
        literal = rf"\|\n({three}[!-~][ -~]*\n(?:{three} *[!-~][ -~]*\n)*)"
        self.head = late(rf"{leading}{first}{pad}metadata:{_END}".encode())
        # groups: all, deeper by one level, key, lines of a literal block, value; a comment has no key
        one_line = rf"({_KEY}):(?: {literal}|(?: ({_VALUE}))?{_END})"
        self.line = late(rf"({one}(  )?(?:{one_line}|#[ -~]*\n))".encode())
        self.margin = "\n" + three
        self.key_lines = late(rf"\n{one}([^ \n][^\n]*)".encode())
        self.next_key = late(rf"\n{pad}[^ \n]".encode())
        self.pad = pad.encode()
        self.names: dict[bytes, str] = {}  # keys that are strings, each held once
        self.values: dict[bytes, Any] = {}  # the same for plain values

    def _name(self, name: bytes) -> str:
        """Return a key; empty if it is no string for Kubernetes."""
        key = name.decode()
        if resolve(key) != key:
            return ""
        if len(self.names) < _MANY:
            self.names[name] = key
        return key

    def metadata(self, source: bytes, start: int, end: int) -> tuple[dict[str, Any], int] | None:
        """Return the metadata of an object, and where it ends; None if not sure."""
        head = self.head.match(source, start, end)
        if head is None:
            return None
        at = head.end()
        behind = self.next_key.search(source, at - 1, end)
        stop = behind.start() + 1 if behind else end
        if behind and source[behind.end() - 1] not in _KEY_START:
            return None
        found = self._mapping(source[at:stop])
        return (found, stop) if found else None

    def _mapping(self, text: bytes) -> dict[str, Any] | None:
        """Return the mapping of some lines, each of which must be explained."""
        found: dict[str, Any] = {}
        names, values = self.names, self.values
        nested: dict[str, Any] | None = None  # the mapping of the last key without a value
        size = 0
        for line, deeper, name, literal, value in self.line.findall(text):
            size += len(line)
            if not name:
                continue
            key = names.get(name) or self._name(name)
            if not deeper:
                if nested == _EMPTY:
                    return None  # null rather than a mapping
                nested = None
            holder = nested if deeper else found
            bare = not value and not literal
            if holder is None or not key or key in holder or (deeper and bare):
                return None
            if bare:
                nested = found[key] = {}
            elif literal:
                holder[key] = self._literal(literal.decode())
            else:
                known = values.get(value, values)
                holder[key] = self._value(value) if known is values else known
        return found if size == len(text) and nested != _EMPTY else None

    def _literal(self, lines: str) -> str:
        """Return the value of a literal block."""
        return ("\n" + lines).replace(self.margin, "\n")[1:]

    def _value(self, text: bytes) -> Any:
        """Return the value of a scalar on one line, or of `{}`."""
        if text[0] in _QUOTES:
            return text[1:-1].decode()
        if text == b"{}":
            return {}
        value = resolve(text.decode())
        if len(self.values) < _MANY:
            self.values[text] = value
        return value

    def has(self, source: bytes, start: int, end: int, field: bytes, key: bytes) -> bool | None:
        """Tell whether the field that stands right behind the metadata has a key; None if not sure."""
        head = self.pad + field + b":\n"
        at = source.find(b"\n" + self.pad + b"  " + key + b":\n", start, end)
        if at < 0 or not source.startswith(head, start, end):
            return None
        before = source[start + len(head) - 1 : at + 1]
        return True if self.next_key.search(before) is None and _closed(before) else None

    def keys(self, source: bytes, start: int, end: int, field: bytes) -> tuple[str, ...] | None:
        """Return the keys of a field that stands right behind the metadata; None if not sure."""
        head = self.pad + field + b":\n"
        if not source.startswith(head, start, end):
            return None
        text = source[start + len(head) - 1 : end]
        behind = self.next_key.search(text)
        if behind is not None:
            text = text[: behind.start() + 1]
        if not _closed(text):
            return None
        found = []
        for line in self.key_lines.findall(text):
            match = _KEY_LINE.match(line)
            if match is None:
                return None
            found.append(match[1].decode())
        return tuple(found) if found and len(set(found)) == len(found) else None


def _closed(text: bytes) -> bool:
    """Tell whether no quoted scalar or flow collection is open at the start of any line of a text."""
    return not _OPENING.search(text) or not _OPENING.search(_CLOSED_LINE.sub(b"\n", text))


_OPENING = late(rb"""["'{\[\x80-\xff\t\r]""")
_CLOSED_LINE = late(rb"""\n *(?:- )*(?:[A-Za-z][A-Za-z0-9./_-]*: )?(?:'[ -&(-~]*'|"[ !#-\[\]-~]*"|\{\}|\[\])(?=\n)""")
_KEY_LINE = late(rb"([A-Za-z][A-Za-z0-9]{3,}):(?: [^&*!?|>%@`#]|\Z)")
_DEEPER_KEY = late(rb" *[A-Za-z][A-Za-z0-9]*:[ \n]")
_SHORTCUTS: dict[int, Shortcut] = {}


def opens_mapping(source: bytes, start: int, end: int, column: int, field: bytes) -> bool:
    """Tell whether a field in a column, behind the metadata, surely holds a mapping: a key stands deeper below its line."""
    pad = b" " * column
    line = b"\n" + pad + field + b":\n" + pad + b" "
    at = source.find(line, start - 1, end)
    return at >= 0 and _closed(source[start : at + 1]) and _DEEPER_KEY.match(source, at + len(line), end) is not None


def shortcut(column: int) -> Shortcut:
    """Return the shortcut for a column, made once."""
    found = _SHORTCUTS.get(column)
    if found is None:
        found = _SHORTCUTS[column] = Shortcut(column)
    return found


# Column-0 lines of a document that could read `kind` or `apiVersion`, and what no document of the usual form has there.
_DOCUMENT = late(
    rb"(?:(?:#[^\n]*)?\n)*apiVersion: ([A-Za-z][A-Za-z0-9./-]*)\nkind: ([A-Za-z][A-Za-z0-9]*)\n(?=[A-Za-z])"
)
_DOUBTFUL = late(rb"""\n(?:kind|apiVersion|[^ \nA-Za-z#-]|-[^ \n])|[\0\r\x80-\xff]""")


def identity(text: bytes) -> tuple[str, str] | None:
    """Return apiVersion and kind of a document in the usual form that is complete YAML; None if not sure.

    The usual form begins with `apiVersion: x` and `kind: Y` and has no other line in column 0 that could be either, nor
    one that begins or ends a document. Then it is a mapping with its keys in column 0, as `spans` argues for entries.
    """
    match = _DOCUMENT.match(text) if complete.available() else None
    if match is None or _DOUBTFUL.search(text, match.end() - 1):
        return None
    try:
        complete.require([(0, len(text))], text)
    except (yaml.YAMLError, BadYaml):
        return None
    api_version, kind = resolve(match[1].decode()), resolve(match[2].decode())
    if isinstance(api_version, str) and isinstance(kind, str):
        return api_version, kind
    return None
