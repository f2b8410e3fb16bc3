"""The shortcut to a ResourceList's outline: by its lines, with libyaml as the judge of every object.

`read(data)` answers either exactly what `outline.read(data)` answers, or None ("ask the full parse"). Why it is
exact where it answers:

1. *Lines.* There is no CR, NUL, BOM, NEL, LS or PS, so LF is the only line break. From the `items:` line on, every
   line that begins in column 0 is an entry `- x`, a comment, or the first line of the rest (a letter).
2. *Pieces.* Cut at those lines, the text is: the head (up to the first entry), one piece per entry, and the rest. Each
   piece by itself is a complete YAML document for libyaml. So at each cut no quoted scalar and no flow collection is
   open (the piece before it would be incomplete), and block and plain scalars inside an entry end at a column-0 line
   at the latest, since they are indented by at least one column. The parser therefore stands at each cut as at the
   start of a line of the sequence `items`, and reads each entry in the whole document as it reads the piece alone. To
   save parsers, many pieces go through one, joined by `---` lines: libyaml takes such a line for the start of a
   document or refuses it, whatever is open, and no piece has a column-0 line that looks like it.
3. *Head and rest* are read by the full parse; in the head `items` must be the last key, with nothing after its colon
   but comments, and no key may stand twice.
4. *Identity.* An entry that begins `- apiVersion: x` (or with comments between the dash and that key in column 2) and
   has its next line in column 2 is a mapping with its keys in column 2. Every line that could be such a key and read
   `kind` or `apiVersion` (these words, or anything quoted, tagged, anchored, aliased or explicit, in column 2) is looked
   at. There must be exactly one, a plain `kind: X` whose next line is not deeper than column 2. A block or plain scalar
   can't hold it, being indented deeper. A quoted scalar or flow collection could, unless it is the line right after
   `apiVersion`; so any other such line is one more cut: what comes before it in the entry, and what begins with it,
   must be complete for libyaml. The parser then is in the mapping with its keys in column 2 when it meets the line, and
   reads on as it reads the second piece alone. Everything else is asked from the events.
5. *Depth.* libyaml takes time quadratic in the depth of flow collections, so pieces with many brackets, and pieces
   with very long lines, are walked by events with a bound, as the full parse does.
6. *Aliases.* An entry with what looks like an alias is walked by events, and one to an anchor outside of the entry makes
   this module give up.

An object that takes its `kind` from a merge key (`<<`) has none here, in either way. A duplicate key that is neither
`kind` nor `apiVersion` is found when somebody reads the object, in either way.
"""

from __future__ import annotations

from bisect import bisect_right

import yaml

from krm_fn.base.text import late
from krm_fn.krm import outline
from krm_fn.krm.items import Item
from krm_fn.yaml.errors import BadYaml
from krm_fn.yaml.read import MAX_FLOW_DEPTH, MAX_SKIPPED_DEPTH, Builder, parser, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.outline import Outline

_NOT_PLAIN_LINES = (b"\r", b"\0")
_OTHER_BREAKS = ("\ufeff".encode(), "\x85".encode(), "\u2028".encode(), "\u2029".encode())

# The lines that matter from `items:` on. Groups: 1 an entry's apiVersion, 2 a plain kind right behind it, 3 a later one,
# 4 another entry's begin, 5 any other column-0 line but a comment, 6 what might be a second kind or apiVersion.
_LINE = late(
    rb"\n(?!   )(?:"
    rb"- (?:#[^\n]*\n(?: *(?:#[^\n]*)?\n)*  )?"
    rb"apiVersion: ([A-Za-z][A-Za-z0-9./-]*)(?: +#[^\n]*)?(?=\n  [^ \n\t])"
    rb"(?:\n  kind: ([A-Za-z][A-Za-z0-9]*)(?: +#[^\n]*)?(?=\n(?:  )?[^ \n\t]|\n?\Z))?"
    rb"|  kind: ([A-Za-z][A-Za-z0-9]*)(?: +#[^\n]*)?(?=\n(?:  )?[^ \n\t]|\n?\Z)"
    rb"|(- [A-Za-z])"
    rb"|#"
    rb"|([^ \n])"
    rb"""|  (kind|apiVersion|["'?&!*])"""
    rb")"  # not re.VERBOSE, which takes a third longer to compile
)
_API_VERSION, _KIND, _LATE_KIND, _ENTRY, _OTHER = 1, 2, 3, 4, 5
_BEGINS = frozenset((_API_VERSION, _KIND, _ENTRY))
_KEY = len("apiVersion: ")
_ALIAS = late(rb"\*[A-Za-z0-9_-]")
_BEFORE_ALIAS = b" \t\n,[{-?:"
_HEAD_LINE = late(rb"(?m)^[^ \n#A-Za-z-]|^-(?! )")
# Column-0 lines of a document that could read `kind` or `apiVersion`, and what no document of the usual form has there.
_DOCUMENT = late(
    rb"(?:(?:#[^\n]*)?\n)*apiVersion: ([A-Za-z][A-Za-z0-9./-]*)\nkind: ([A-Za-z][A-Za-z0-9]*)\n(?=[A-Za-z])"
)
_DOUBTFUL = late(rb"""\n(?:kind|apiVersion|[^ \nA-Za-z#-]|-[^ \n])|[\0\r\x80-\xff]""")
_BATCH = 1 << 16
_LONG = 1 << 17
_SEPARATOR = b"---\n"


class NotPlain(Exception):  # noqa: N818 - a signal inside this module
    """The text is not of the form that the shortcut understands."""


def available() -> bool:
    """Return whether PyYAML was built with libyaml and has the (undocumented) parse without Python objects."""
    return hasattr(getattr(getattr(yaml, "cyaml", None), "CParser", None), "raw_parse")


def read(data: bytes) -> Outline | None:
    """Return what `outline.read` would, or None where that must be asked."""
    if not available() or any(byte in data for byte in _NOT_PLAIN_LINES):
        return None
    if not data.isascii() and any(char in data for char in _OTHER_BREAKS):
        return None
    try:
        return _Scan(data).run()
    except (NotPlain, BadYaml, yaml.YAMLError, UnicodeError):
        return None  # the full parse tells whether it is an error, and where


class _Scan:
    """One run over a text."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts: list[int] = []  # of the entries' first lines, and where the last one ends
        self.nodes: list[int] = []  # of the entries' objects
        self.who: list[tuple[str, str] | None] = []  # apiVersion and kind; None: ask the events
        self.known: dict[tuple[bytes, bytes], tuple[str, str]] = {}  # by the text, so that each is held once
        self.late: list[int] = []  # lines with a kind that no quoted scalar or flow collection may hold

    def run(self) -> Outline:
        """Find everything.

        Raises:
            NotPlain: The text has another form.
            yaml.YAMLError: A piece is incomplete.
            BadYaml: A piece is nested too deep.
        """
        data = self.data
        items_line = 0 if data.startswith(b"items:") else data.find(b"\nitems:") + 1
        if not items_line and not data.startswith(b"items:"):
            raise NotPlain
        first = data.find(b"\n- ", items_line) + 1
        if not first:
            raise NotPlain
        self.scan(first - 1)
        rest = self.starts[-1]
        found = self.frame(data[:first], data[rest:], rest)
        require(sorted([*self.starts, *self.late]), data)
        self.refuse_crossing()
        self.identify(found)
        return found

    def scan(self, at: int) -> None:
        """Find the entries from a line break on."""
        starts, nodes, who = self.starts, self.nodes, self.who
        first = second = b""  # apiVersion and kind of the entry at hand; `first` is empty for an unusual one
        end = len(self.data)
        for match in _LINE.finditer(self.data, at):
            group = match.lastindex
            if group is None:
                continue  # a comment
            if group in _BEGINS:
                if starts:
                    who.append(self.named(first, second))
                first, second = match[_API_VERSION] or b"", match[_KIND] or b""
                start = match.start() + 1
                starts.append(start)
                nodes.append(match.start(_API_VERSION) - _KEY if first else start + 2)
            elif group == _LATE_KIND:
                if second:
                    first = b""
                second = match[_LATE_KIND]
                if first:
                    self.late.append(match.start() + 1)
            elif group == _OTHER:
                if match[_OTHER] == b"-" or not match[_OTHER].isalpha():
                    raise NotPlain
                end = match.start() + 1
                break
            else:
                first = b""
        who.append(self.named(first, second))
        starts.append(end)

    def named(self, api_version: bytes, kind: bytes) -> tuple[str, str] | None:
        """Return apiVersion and kind; None where the lines don't tell both."""
        if not api_version or not kind:
            return None
        text = (api_version, kind)
        return self.known.get(text) or self.known.setdefault(text, (_text(api_version), _text(kind)))

    def frame(self, head: bytes, rest: bytes, rest_at: int) -> Outline:
        """Read what is before the entries and behind them."""
        if _HEAD_LINE.search(head) or _HEAD_LINE.search(rest):
            raise NotPlain
        found = outline.read(head)
        if found is None or found.flow or found.column or found.parts[-1].key != "items":
            raise NotPlain
        items = found.parts[-1]
        if items.shape != "null" or items.value_start != items.value_end:
            raise NotPlain
        dashes = len(head)
        items.shape, items.value_start, items.value_column = "sequence", dashes, 0
        items.end = found.end = rest_at
        items.value_end = rest_at
        behind = outline.read(rest)
        if behind is None:
            return found
        if behind.flow or behind.column or behind.items or behind.part("items"):
            raise NotPlain
        for part in behind.parts:
            if found.part(part.key):
                raise NotPlain
            part.start += rest_at
            part.key_end += rest_at
            part.value_start += rest_at
            part.value_end += rest_at
            part.end += rest_at
            found.parts.append(part)
        found.end = behind.end + rest_at
        return found

    def refuse_crossing(self) -> None:
        """Leave objects with an alias to an anchor outside of them to the full parse."""
        data, starts = self.data, self.starts
        checked = -1
        for match in _ALIAS.finditer(data, starts[0], starts[-1]):
            if data[match.start() - 1] in _BEFORE_ALIAS:
                position = bisect_right(starts, match.start()) - 1
                if position != checked:
                    checked = position
                    seen = outline.identity(data[starts[position] : starts[position + 1]])
                    if seen is None or seen[2]:
                        raise NotPlain

    def identify(self, found: Outline) -> None:
        """Make the items."""
        data, starts = self.data, self.starts
        items = found.items
        for position, who in enumerate(self.who):
            start, end = starts[position], starts[position + 1]
            if who is None:
                seen = outline.identity(data[start:end])
                if seen is None:
                    found.stray = position if found.stray is None else found.stray
                who = ("", "") if seen is None else seen[:2]  # noqa: PLW2901 - found out
            items.append(Item(data, self.nodes[position], end, 2, position, *who))


def _text(word: bytes) -> str:
    value: Any = resolve(word.decode())
    return value if isinstance(value, str) else ""


def identity(text: bytes) -> tuple[str, str] | None:
    """Return apiVersion and kind of a document in the usual form that is complete YAML; None if not sure.

    The usual form begins with `apiVersion: x` and `kind: Y` and has no other line in column 0 that could be either, nor
    one that begins or ends a document. Then it is a mapping with its keys in column 0, by the argument for entries above.
    """
    match = _DOCUMENT.match(text) if available() else None
    if match is None or _DOUBTFUL.search(text, match.end() - 1):
        return None
    try:
        require((0, len(text)), text)
    except (yaml.YAMLError, BadYaml):
        return None
    return _text(match[1]), _text(match[2])


def require(cuts: Sequence[int], data: bytes) -> None:
    """Make sure that each piece of a text, from one cut to the next, is a complete YAML document by itself.

    Args:
        cuts: Offsets of the starts of lines, ascending, and where the last piece ends.
        data: The text.

    Raises:
        yaml.YAMLError: One is not.
        BadYaml: One is nested too deep.
    """
    place, last = 0, len(cuts) - 1
    while place < last:
        behind = min(max(bisect_right(cuts, cuts[place] + _BATCH) - 1, place + 1), last)
        pieces = [data[cuts[at] : cuts[at + 1]] for at in range(place, behind)]
        text = _SEPARATOR.join(pieces)
        if _shallow(text):
            _raw_parse(text)
        else:
            for piece in pieces:
                _require_one(piece)
        place = behind


def _require_one(piece: bytes) -> None:
    if _shallow(piece):
        _raw_parse(piece)
    else:
        _walk(piece)


def _raw_parse(text: bytes) -> None:
    yaml.cyaml.CParser(text).raw_parse()  # type: ignore[attr-defined] # the stubs hide it


def _shallow(text: bytes) -> bool:
    """Return whether a text is surely within the bounds of depth that the full parse keeps.

    A block collection begins right of its parent, but for a sequence in the column of its mapping, so there are at most
    two levels a column.
    """
    return text.count(b"[") + text.count(b"{") <= MAX_FLOW_DEPTH and (
        len(text) < _LONG or max(map(len, text.split(b"\n"))) < MAX_SKIPPED_DEPTH // 2 - MAX_FLOW_DEPTH
    )


def _walk(piece: bytes) -> None:
    events = parser(piece)
    events.get_event()
    events.get_event()
    Builder(events).skip(events.get_event())
    events.get_event()
    events.get_event()
