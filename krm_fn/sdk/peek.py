"""Looking at the metadata of an object, and at the keys of its fields, without reading the rest of it.

Two ways, which must agree. `metadata` and `keys` walk the object's events and build only what is asked. For the usual
form, that of kustomize and kpt, there is a shortcut by lines (ten thousand Clusters are looked at in one run), which
answers None wherever it is not sure. Its argument:

- It takes an object that is known to be complete YAML, from its first byte on, and explains every line that it passes,
  so that the parser's state at each line start is known. Values are plain words, quoted without escapes and on one
  line, `{}`, or a literal block whose indentation its first line fixes. Nothing but ASCII, so no other line breaks.
- A line in the column of a mapping's keys ends a plain or block scalar before it.
- To find the keys of `spec` it must only know that no quoted scalar or flow collection is open at a line start behind
  `spec:`. That holds by induction: a line without `"`, `'`, `{` and `[` opens none, and a line that is nothing but
  blanks, dashes, an optional simple key and one such value on that line closes what it opens.
"""

from __future__ import annotations

import re

import yaml
from yaml.events import MappingEndEvent, MappingStartEvent, ScalarEvent, SequenceEndEvent

from krm_fn.sdk.events import Builder, at_event, bad_yaml, key_text, parser, scalar_value
from krm_fn.sdk.scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_KEY = r"[A-Za-z][A-Za-z0-9./_-]*"
_PLAIN = r"[A-Za-z0-9/][A-Za-z0-9./_=@+-]*(?:[ :][A-Za-z0-9./_=@+-]+)*"
_VALUE = rf"""(?:{_PLAIN}|'[ -&(-~]*'|"[ !#-\[\]-~]*"|\{{\}})"""


class Shortcut:
    """The shortcut for objects whose keys stand in one column."""

    def __init__(self, column: int) -> None:
        """Prepare it for a column."""
        pad, one, two, three = (" " * (column + step) for step in (0, 2, 4, 6))
        literal = rf"\|\n(?:{three} *[!-~][ -~]*\n)+"
        head = rf"apiVersion:\ [A-Za-z][A-Za-z0-9./-]*\n{pad}kind:\ [A-Za-z][A-Za-z0-9]*\n{pad}metadata:\n"
        nested = rf"{one}(?:annotations|labels):\n(?:{two}{_KEY}:\ (?:{_VALUE}\n|{literal}))+"
        behind = rf"(?={pad}[^ \n\t#]|\Z)" if pad else r"(?=[^ \n\t#]|\Z)"
        self.head = re.compile(rf"{head}((?:{nested}|{one}{_KEY}:\ {_VALUE}\n)+){behind}".replace(r"\ ", " ").encode())
        self.line = re.compile(
            rf"""{one}(  )?({_KEY}):(?: (?:({_PLAIN})|'([^'\n]*)'|"([^"\n]*)"|(\{{\}})|\|\n{three}([ -~\n]*?\n)(?!{three})))?\n?"""
        )
        self.margin = "\n" + three
        self.key_lines = re.compile(rf"\n{one}([^ \n][^\n]*)".encode())
        self.next_key = re.compile(rf"\n{pad}[^ \n]".encode())
        self.pad = pad.encode()

    def metadata(self, source: bytes, start: int, end: int) -> tuple[dict[str, Any], int] | None:
        """Return the metadata of an object, and where it ends; None if not sure."""
        match = self.head.match(source, start, end)
        if match is None:
            return None
        found: dict[str, Any] = {}
        holder = found
        for nested, key, plain, single, double, empty, literal in self.line.findall(match[1].decode()):
            if not nested:
                holder = found
            if key in holder or resolve(key) != key:
                return None
            if plain:
                holder[key] = resolve(plain)
            elif literal:
                holder[key] = literal.replace(self.margin, "\n")
            elif empty:
                holder[key] = {}
            elif not nested and key in _NESTED and not single and not double:
                holder[key] = holder = {}
            else:
                holder[key] = single or double
        return found, match.end()

    def keys(self, source: bytes, start: int, end: int, field: bytes) -> tuple[str, ...] | None:
        """Return the keys of a field that stands right behind the metadata; None if not sure."""
        head = self.pad + field + b":\n"
        if not source.startswith(head, start, end):
            return None
        text = source[start + len(head) - 1 : end]
        behind = self.next_key.search(text)
        if behind is not None:
            text = text[: behind.start() + 1]
        if _OPENING.search(_CLOSED_LINE.sub(b"\n", text)):
            return None
        found = []
        for line in self.key_lines.findall(text):
            match = _KEY_LINE.match(line)
            if match is None:
                return None
            found.append(match[1].decode())
        return tuple(found) if found and len(set(found)) == len(found) else None


_NESTED = frozenset(("annotations", "labels"))
_OPENING = re.compile(rb"""["'{\[\x80-\xff\t\r]""")
_CLOSED_LINE = re.compile(rb"""\n *(?:- )*(?:[A-Za-z][A-Za-z0-9./_-]*: )?(?:'[ -&(-~]*'|"[ !#-\[\]-~]*"|\{\}|\[\])(?=\n)""")
_KEY_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9]{3,}):(?: [^&*!?|>%@`#]|\Z)")
_SHORTCUTS: dict[int, Shortcut] = {}


def shortcut(column: int) -> Shortcut:
    """Return the shortcut for a column, made once."""
    found = _SHORTCUTS.get(column)
    if found is None:
        found = _SHORTCUTS[column] = Shortcut(column)
    return found


def metadata(text: bytes) -> Any:
    """Return the value of an object's `metadata`, built from its events; None when absent.

    Raises:
        BadYaml: It can't be read, or `metadata` stands twice before its end.
    """
    events = parser(text)
    try:
        builder = Builder(events)
        event = _enter(events)
        while isinstance(event, ScalarEvent):
            if event.value == "metadata":
                return builder.build(events.get_event())
            value = events.get_event()
            # anchors of earlier fields may be used in metadata
            builder.build(value) if _may_anchor(text) else builder.skip(value)
            event = events.get_event()
    except (yaml.YAMLError, UnicodeError) as error:
        raise bad_yaml(error) from None
    return None
