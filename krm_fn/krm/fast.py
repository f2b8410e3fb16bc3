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
   but comments, and no key may appear twice.
4. *Identity.* An entry that begins `- apiVersion: x` (or with comments between the dash and that key in column 2) and
   has its next line in column 2 is a mapping with its keys in column 2. Every line that could be such a key and read
   `kind` or `apiVersion` (these words, or anything quoted, tagged, anchored, aliased or explicit, in column 2) is looked
   at. There must be exactly one, a plain `kind: X` whose next line is not deeper than column 2. A block or plain scalar
   can't hold it, being indented deeper. A quoted scalar or flow collection could, unless it is the line right after
   `apiVersion`; so any other such line is one more cut: what comes before it in the entry, and what begins with it,
   must be complete for libyaml. The parser then is in the mapping with its keys in column 2 when it meets the line, and
   reads on as it reads the second piece alone (kustomize sorts keys, so `data` is before `kind`). Everything else is
   asked from the events.
5. *Depth.* libyaml takes time quadratic in the depth of flow collections, so pieces with many brackets, and pieces
   with very long lines, are walked by events with a bound, as the full parse does.
6. *Aliases.* An entry with what looks like an alias is walked by events, and one to an anchor outside of the entry makes
   this module give up.

An object that takes its `kind` from a merge key (`<<`) has none here, in either way. A duplicate key that is neither
`kind` nor `apiVersion` is found when somebody reads the object, in either way.
"""

from __future__ import annotations

import yaml

from krm_fn.base import late
from krm_fn.krm import outline
from krm_fn.krm.items import Item
from krm_fn.krm.partial import both, in_column_2, plain, text_of, word
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import MAX_FLOW_DEPTH, MAX_SKIPPED_DEPTH, Builder, parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.krm.outline import Outline

_NOT_PLAIN_LINES = (b"\r", b"\0")
_OTHER_BREAKS = ("\ufeff".encode(), "\x85".encode(), "\u2028".encode(), "\u2029".encode())

# The lines that matter from `items:` on: an entry in the usual form, which is the group; any other line in column 0; and
# what might be a second kind or apiVersion, by its first letter. No more, since compiling it is part of every cold start.
_LINE = late(rb"""\n(?!   )(?:- (apiVersion: [^\n]*\n  kind: [^\n]*)(?=\n(?:  )?\S)|[^ \n]|  [ka"'?&!*])""")
_LETTERS = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DASH, _SPACE, _HASH = b"- #"
_IDENTITY_LINES = (b"  kind", b"  apiVersion")
_BEFORE_ALIAS = b" \t\n,[{-?:"
_IN_ALIAS = _LETTERS | frozenset(b"0123456789_-")
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
        return None  # the full parse finds out whether it is an error, and where


class _Scan:
    """One run over a text; where it raises anything, the full parse must be asked."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.starts: list[int] = []  # of the entries' first lines, and where the last one ends
        self.nodes: list[int] = []  # of the entries' objects
        self.who: list[tuple[str, str | None] | None] = []  # apiVersion and kind; None: ask the events
        self.known: dict[bytes, tuple[str, str | None] | None] = {}  # by the text, so that each is held once
        self.second = 0  # where the last unusual entry has its second line
        self.late: list[int] = []  # lines with a kind that no quoted scalar or flow collection may hold

    def run(self) -> Outline:
        """Find everything."""
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
        data, known = self.data, self.known
        starts, nodes, who = self.starts, self.nodes, self.who
        for match in _LINE.finditer(data, at):
            start = match.start() + 1
            text = match[1]
            if text is not None:
                starts.append(start)
                nodes.append(start + 2)
                who.append(known[text] if text in known else known.setdefault(text, both(text)))
            elif data[start] == _DASH:
                self.entry(start)
            elif data[start] == _SPACE:
                self.key(start)
            elif data[start] in _LETTERS:
                starts.append(start)
                return
            elif data[start] != _HASH:
                raise NotPlain
        starts.append(len(data))

    def entry(self, at: int) -> None:
        """Take the entry in another form that begins in a line."""
        data = self.data
        node = at + 2
        if data.startswith(b"- #", at):
            node = _behind_comments(data, node)
        elif data[at + 1 : node] != b" " or not data[node : node + 1].isalpha():
            raise NotPlain
        end = data.find(b"\n", node)
        api_version = plain(data[node:end], b"apiVersion: ") if in_column_2(data[end + 1 : end + 4]) else None
        self.starts.append(at)
        self.nodes.append(node)
        self.who.append(None if api_version is None else (api_version, None))  # the kind comes in a later line
        self.second = end + 1

    def key(self, at: int) -> None:
        """Take a line in column 2 that may hold a kind."""
        data, who = self.data, self.who[-1]
        if who is None or (data[at + 2] in _LETTERS and not data.startswith(_IDENTITY_LINES, at)):
            return
        if at + 2 == self.nodes[-1]:
            return  # the apiVersion that the entry begins with, behind comments
        end = data.find(b"\n", at)
        end = len(data) if end < 0 else end
        behind = data[end + 1 : end + 4]
        # ended by a line in column 0 or 2, or with the text
        ended = in_column_2(behind) or not behind.startswith((b" ", b"\t", b"\n"))
        kind = plain(data[at:end], b"  kind: ") if who[1] is None and ended else None
        self.who[-1] = None if kind is None else (who[0], kind)
        if kind is not None and at != self.second:
            self.late.append(at)

    def frame(self, head: bytes, rest: bytes, rest_at: int) -> Outline:
        """Read what is before the entries and behind them."""
        if not (_usual_lines(head) and _usual_lines(rest)):
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
            for name in outline.OFFSETS:
                setattr(part, name, getattr(part, name) + rest_at)
            found.parts.append(part)
        found.end = behind.end + rest_at
        return found

    def refuse_crossing(self) -> None:
        """Leave objects with an alias to an anchor outside of them to the full parse."""
        data, starts = self.data, self.starts
        position, end = 0, starts[-1]
        checked = -1
        at = data.find(b"*", starts[0], end)
        while at >= 0:
            if data[at - 1] in _BEFORE_ALIAS and at + 1 < end and data[at + 1] in _IN_ALIAS:
                while starts[position + 1] <= at:
                    position += 1
                if position != checked:
                    checked = position
                    seen = outline.identity(data[starts[position] : starts[position + 1]])
                    if seen is None or seen[2]:
                        raise NotPlain
            at = data.find(b"*", at + 1, end)

    def identify(self, found: Outline) -> None:
        """Make the items."""
        data, starts = self.data, self.starts
        items = found.items
        for position, who in enumerate(self.who):
            start, end = starts[position], starts[position + 1]
            api_version, kind = who or ("", None)
            if kind is None:
                seen = outline.identity(data[start:end])
                if seen is None:
                    found.stray = position if found.stray is None else found.stray
                api_version, kind = ("", "") if seen is None else seen[:2]
            items.append(Item(data, self.nodes[position], end, 2, position, api_version, kind))


def _usual_lines(text: bytes) -> bool:
    """Return whether every line begins with a letter, a space, a comment or `- `, or is empty."""
    return all(
        not line or line[0] in _LETTERS or line[:1] in {b" ", b"#"} or line.startswith(b"- ")
        for line in text.split(b"\n")
    )


def _behind_comments(data: bytes, at: int) -> int:
    """Return where the key in column 2 is that follows comments and empty lines; `at` is in the first of them."""
    while True:
        at = data.find(b"\n", at) + 1
        end = data.find(b"\n", at)
        line = data[at:end].lstrip(b" ")
        if not at or end < 0:
            raise NotPlain
        if line and not line.startswith(b"#"):
            break
    if not data.startswith(b"  apiVersion: ", at):
        raise NotPlain
    return at + 2


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
    return text_of(word(match[1])), text_of(word(match[2]))


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
        behind, limit = place + 1, cuts[place] + _BATCH
        while behind < last and cuts[behind + 1] <= limit:
            behind += 1
        pieces = [data[cuts[at] : cuts[at + 1]] for at in range(place, behind)]
        text = _SEPARATOR.join(pieces)
        together = _shallow(text)
        for one in [text] if together else pieces:
            if together or _shallow(one):
                _raw_parse(one)
            else:
                _walk(one)
        place = behind


def _raw_parse(text: bytes) -> None:
    yaml.cyaml.CParser(text).raw_parse()  # type: ignore[attr-defined] # the stubs hide it


def _shallow(text: bytes) -> bool:
    """Return whether a text is surely within the bounds of depth that the full parse keeps.

    A block collection begins right of its parent, but for a sequence in the column of its mapping, so there are at most
    two levels a column.
    """
    return _brackets(text) <= MAX_FLOW_DEPTH and (
        len(text) < _LONG or max(map(len, text.split(b"\n"))) < MAX_SKIPPED_DEPTH // 2 - MAX_FLOW_DEPTH
    )


def _brackets(text: bytes) -> int:
    """Count opening brackets, until there are too many; most texts have few, and `find` passes the rest faster than `count`."""
    found = 0
    for bracket in (b"[", b"{"):
        at = text.find(bracket)
        while at >= 0 and found <= MAX_FLOW_DEPTH:
            found += 1
            at = text.find(bracket, at + 1)
    return found


def _walk(piece: bytes) -> None:
    events = parser(piece)
    events.get_event()
    events.get_event()
    Builder(events).skip(events.get_event())
    events.get_event()
    events.get_event()
