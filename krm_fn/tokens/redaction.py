"""Redaction: no part of a token in what is printed, and a warning where the input shows one.

The id of a bootstrap token and the header of a JWT are public; the rest is the secret half, of which no six characters in
a row are shown, in whatever form. In the input a Secret may hold the token; everything else is read by many more people
(ConfigMaps, annotations, arguments, comments).
"""

from __future__ import annotations

import binascii

from krm_fn.base import Record, full_name, late
from krm_fn.krm.results import WARNING, Errors, Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import HIDDEN, MOST_QUOTED, Secret
from krm_fn.surface import GROUP, KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Collection, Iterable, Iterator, Sequence
    from typing import Any, TextIO

    from krm_fn.krm.items import Item

_RUN = 6  # characters of a secret half that may not be seen in a row
_CUT_HALF = 13  # characters after a dot that count as a secret half (16) which was cut
_WORDS = late(r"[A-Za-z0-9+/_.-]{6,}")
_HEXADECIMAL = late(r"[0-9A-Fa-f]{12,}")
# Text with characters in URL form or, as in Markdown, behind a backslash
_ESCAPED = late(r"(?:%[0-9A-Fa-f]{2}|\\[!-/:-@\[-`{-~]|[A-Za-z0-9+/_.-])+")
_ESCAPE = late(r"%([0-9A-Fa-f]{2})|\\?(.)", 16)  # 16: a dot matches a line break
_UNBROKEN = late(rf"\S{{{MOST_QUOTED + 1},}}")
_DIGIT, _LETTER = late(r"[0-9]"), late(r"[A-Za-z]")
_PARTS = late(r"(\.?)([A-Za-z0-9_-]{6,})")
_KEY = "\0key"  # in a path: "the key itself"; no key of an object has a NUL
_TOKEN_FIELD = ("spec", "registrationToken", "value")


class Redactor:
    """Takes tokens out of whatever is printed: those of this run in part and in any form, others by their shape."""

    def __init__(self, tokens: Iterable[Secret] = (), public: Iterable[str] = ()) -> None:
        """Take the tokens of this run, refused ones included, and names of ours that look like a token by chance."""
        halves = {half for token in tokens for half in _secret_halves(token.reveal())}
        self._runs = {run for half in halves for form in _forms(half) for run in _slices(form, _RUN)}
        self._runs |= {run for half in halves for run in _slices(half.encode().hex(), 2 * _RUN)}
        self._begins = {run[at : at + 3] for run in self._runs for at in range(4)}
        self._public = "\n".join(public)
        self._known: dict[str, str] = {}

    def joined(self, other: Redactor) -> Redactor:
        """Return one that takes out what either of two does."""
        both = Redactor(public=filter(None, (self._public, other._public)))
        both._runs, both._begins = self._runs | other._runs, self._begins | other._begins
        return both

    def text(self, text: str) -> str:
        """Return a text without tokens."""
        text = secrets.hide(text, self._public)
        if not self._runs or len(text) < _RUN:
            return text
        spans = [*self._found(text, _WORDS, _RUN), *self._found(text, _HEXADECIMAL, 2 * _RUN)]
        if "%" in text or "\\" in text:
            spans += self._escaped(text)
        return _without(text, spans) if spans else text

    def value(self, value: Any) -> Any:
        """Return a record, or JSON-like data, in which every text is without tokens; the same object if it was before."""
        if isinstance(value, str):
            found = self._known.get(value)
            if found is None:
                found = self._known[value] = self.text(value)
            return found
        if isinstance(value, dict):
            made = {self.value(key): self.value(one) for key, one in value.items()}
            return value if made == value else made
        if isinstance(value, (tuple, list)):
            entries = [self.value(one) for one in value]
            same = all(new is old for new, old in zip(entries, value, strict=True))
            return value if same else type(value)(entries)
        if isinstance(value, Record):
            changes = {
                name: new for name, old in zip(value._fields, value, strict=True) if (new := self.value(old)) is not old
            }
            return value.replace(**changes) if changes else value
        return value

    def results(self, results: Iterable[Result]) -> tuple[Result, ...]:
        """Return results without tokens, whatever module made them, whose messages quote no more than they may."""
        return tuple(_shortened(self.value(one)) for one in results)

    def _found(self, text: str, words: re.Pattern[str], length: int) -> Iterator[tuple[int, int]]:
        """Yield where so many characters of a secret are: as they are or in base64, or twice as many in hexadecimal form."""
        for word in words.finditer(text):
            found, start = word[0] if length == _RUN else word[0].lower(), word.start()
            # of every six characters in a row, three begin at a multiple of four
            if any(found[at : at + 3] in self._begins for at in range(0, len(found) - 2, 4)):
                for at in range(len(found) - length + 1):
                    if found[at : at + length] in self._runs:
                        yield start + at, start + at + length

    def _escaped(self, text: str) -> Iterator[tuple[int, int]]:
        for word in _ESCAPED.finditer(text):
            if "%" in word[0] or "\\" in word[0]:
                start = word.start()
                places = [(start + one.start(), start + one.end()) for one in _ESCAPE.finditer(word[0])]
                plain = _ESCAPE.sub(_unescaped, word[0])
                for first, last in self._found(plain, _WORDS, _RUN):
                    yield places[first][0], places[last - 1][1]


def knowing(texts: Iterable[bytes], tokens: Iterable[Secret] = ()) -> Redactor:
    """Return a redactor that knows every token in some texts, plain or encoded: for errors before a config is read."""
    read = (text.decode("utf-8", "replace") for text in texts)
    found = [one for text in read for part in (text, *secrets.decodings(text)) for one in secrets.tokens_in(part)]
    return Redactor([*tokens, *map(Secret, dict.fromkeys(found))])


class Cleared(Errors):
    """Errors without tokens, and the redactor that knows them: for whoever prints more than the errors, such as source lines."""

    def __init__(self, results: Iterable[Result], redactor: Redactor) -> None:
        self.redactor = redactor
        super().__init__(redactor.results(results))


class _Redacted:
    """A text stream behind `hide`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without anything in the shape of a token."""
        return self._stream.write(secrets.hide(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def redacted(stream: TextIO) -> TextIO:
    """Return a stream that shows nothing in the shape of a token, whoever writes to it: stderr."""
    return _Redacted(stream)  # type: ignore[return-value] # is the stream in all that it does not do itself


def _secret_halves(value: str) -> set[str]:
    """Return what is secret in a value that is, was or was meant to be a token."""
    joined = "".join(value.split()).strip("\"'")
    tokens = [token for text in (joined, *secrets.decodings(joined)) for token in secrets.tokens_in(text)]
    halves = [token.partition(".")[2] or token for token in tokens]
    found = {half for half in halves if len(half) >= _RUN}
    if not found:
        # refused as no token: what is left of one is random, so it mixes letters and digits, or follows a dot
        for dot, word in _PARTS.findall(value):
            if (dot and len(word) >= _CUT_HALF) or (_DIGIT.search(word) and _LETTER.search(word)):
                found.add(word)
    return found


def _forms(half: str) -> Iterator[str]:
    """Yield a secret half in every case, and what is the same in base64 of any text that holds it."""
    yield from {half, half.lower(), half.upper()}
    for shift in range(3):
        packed = binascii.b2a_base64(b"\0" * shift + half.encode(), newline=False).decode()
        inner = packed[(8 * shift + 5) // 6 : 8 * (shift + len(half.encode())) // 6]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _slices(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(len(text) - length + 1))


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1], 16)) if found[1] else found[2]


def _without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return a text with something else in place of these spans, which may overlap."""
    made, end = "", 0
    for first, last in sorted(spans):
        if first > end or not made:
            made += text[end:first] + HIDDEN
        end = max(end, last)
    return made + text[end:]


def _shortened(result: Result) -> Result:
    """Return a result whose message quotes no more than it may: of names with spaces, and of anything without."""
    message = result.message
    if len(message) <= MOST_QUOTED:
        return result
    ref = result.resource_ref
    quoted = (result.field, result.file_path, *(() if ref is None else (ref.name, ref.namespace)))
    for one in quoted:
        if len(one) > MOST_QUOTED:
            message = message.replace(one, _short(one))
    if max(map(len, message.split())) > MOST_QUOTED:
        message = _UNBROKEN.sub(lambda found: _short(found[0]), message)
    return result if message == result.message else result.replace(message=message)


def _short(text: str) -> str:
    return f"{text[: MOST_QUOTED - 1]}…"


# --- tokens in the input ----------------------------------------------------------------------------------------------


def find_leaks(token: Secret, items: Sequence[Item], *, except_positions: Collection[int] = ()) -> tuple[Result, ...]:
    """Warn of every place of the input where a token appears in plain text, or in base64, outside a Secret's data.

    `except_positions` are items that may hold it. The order of the input does not change that of the warnings, which name
    places and never the value.
    """
    whole = token.reveal()
    needle = whole.partition(".")[2]  # an id and a header are public
    # in base64, the text up to the last whole triple of bytes is the same whatever follows
    packed = secrets.encode(whole[: len(whole) // 3 * 3])
    found: list[Result] = []
    sought = (needle.encode(), packed.encode())
    for item in items:
        if item.position in except_positions or not item.contains(*sought):
            continue
        try:
            for path in _places(item, needle, packed):
                where = f"{item.kind or 'an object'} {full_name(item.namespace, item.name)}, {path}"
                found.append(_leak(where, **item.place("" if path.startswith("a ") else path)))
        except Errors:  # not our object, so its error is not reported, but tokens in its text are
            if needle.encode() in item.text:
                found.append(_leak(f"items[{item.position}], which can't be read"))
    clean = Redactor([token]).results(found)
    return tuple(sorted(clean, key=lambda one: (one.message, one.file_path, one.file_index or 0)))


def in_secrets(items: Sequence[Item]) -> list[Secret]:
    """Return every token in a Secret of the input, where no readable config says which of them is used."""
    found: list[Secret] = []
    for item in items:
        if item.kind != "Secret":
            continue
        try:
            value = item.value()
        except Errors:
            continue  # reported where it is read
        for part in (value.get("data"), value.get("stringData")):
            texts = [text for text in part.values() if isinstance(text, str)] if isinstance(part, dict) else []
            texts += [data.decode("utf-8", "replace") for data in map(secrets.decode, texts) if data is not None]
            found += [Secret(token) for text in texts for token in secrets.tokens_in(text)]
    return found


def _places(item: Item, needle: str, packed: str) -> list[str]:
    """Return the fields that hold a token and may not, and "a comment" where the text has it more often than the value."""
    allowed: tuple[tuple[str, ...], ...] = ()
    if item.kind == "Secret" and item.group == "":
        allowed = (("data",), ("stringData",))
    elif item.group == GROUP and item.kind == KIND:
        allowed = (_TOKEN_FIELD,)  # decoding the configuration warns of it already
    found, seen = set(), 0
    for path, text in _strings(item.value()):
        seen += text.count(needle)
        if (needle in text or packed in text) and not any(path[: len(field)] == field for field in allowed):
            found.add(_shown(path))
    if item.text.count(needle.encode()) > seen:
        found.add("a comment")
    return sorted(found)


def _strings(value: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the path and the text of every string, keys included, of a JSON-like value.

    Without recursion, and each container once, so that neither depth nor aliases cost more than the text is long.
    """
    seen: set[int] = set()
    stack: list[tuple[tuple[str, ...], Any]] = [((), value)]
    while stack:
        path, one = stack.pop()
        if isinstance(one, str):
            yield path, one
        elif isinstance(one, (dict, list)) and id(one) not in seen:
            seen.add(id(one))
            if isinstance(one, dict):
                for key, inner in one.items():
                    yield (*path, _KEY), str(key)
                    stack.append(((*path, str(key)), inner))
            else:
                stack.extend(((*path, f"[{index}]"), inner) for index, inner in enumerate(one))


def _shown(path: tuple[str, ...]) -> str:
    """Return a path as messages print it: `metadata.annotations[a.b/c]`, `a key of data`."""
    if path and path[-1] == _KEY:
        return f"a key of {_shown(path[:-1]) or 'the object'}"
    steps = ((part, f"[{part}]" if "." in part or "/" in part else f".{part}") for part in path)
    return "".join(part if part.startswith("[") else step for part, step in steps).removeprefix(".")


def _leak(where: str, **place: Any) -> Result:
    message = (
        f"the registration token appears in plain text in {where}: remove it there and rotate it, since anyone who could read"
        " this may have it"
    )
    return Result(message=message, severity=WARNING, rule="token-in-plain-sight", **place)
