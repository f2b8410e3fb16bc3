"""Redaction: no part of a token in what is printed.

The id of a bootstrap token and the header of a JWT are public; the rest is the secret half, of which no six characters in
a row are shown, in whatever form.
"""

from __future__ import annotations

import binascii

from krm_fn.base import Record, late
from krm_fn.kube import secrets
from krm_fn.kube.secrets import HIDDEN, MOST_QUOTED, Secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Iterable, Iterator
    from typing import Any, TextIO

    from krm_fn.krm.results import Result

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


class Redactor:
    """Takes tokens out of whatever is printed: those of this run in part and in any form, others by their shape."""

    def __init__(self, tokens: Iterable[Secret] = (), public: Iterable[str] = ()) -> None:
        """Take the tokens of this run, refused ones included, and names of ours that look like a token by chance."""
        halves = {half for token in tokens for half in _secret_halves(token.reveal())}
        self._runs = {run for half in halves for form in _forms(half) for run in _slices(form, _RUN)}
        self._begins = {run[at : at + 3] for run in self._runs for at in range(4)}
        self._hexadecimal = {run for half in halves for run in _slices(half.encode().hex(), 2 * _RUN)}
        self._public = "\n".join(public)
        self._known: dict[str, str] = {}

    def text(self, text: str) -> str:
        """Return a text without tokens."""
        text = secrets.hide(text, self._public)
        if not self._runs or len(text) < _RUN:
            return text
        spans = [*self._plain(text), *self._in_hexadecimal(text)]
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

    def _plain(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where six characters of a secret are, as they are or in base64."""
        runs, begins = self._runs, self._begins
        for word in _WORDS.finditer(text):
            found, start = word[0], word.start()
            # of every six characters in a row, three begin at a multiple of four
            if any(found[at : at + 3] in begins for at in range(0, len(found) - 2, 4)):
                for at in range(len(found) - _RUN + 1):
                    if found[at : at + _RUN] in runs:
                        yield start + at, start + at + _RUN

    def _in_hexadecimal(self, text: str) -> Iterator[tuple[int, int]]:
        for word in _HEXADECIMAL.finditer(text):
            found, start = word[0].lower(), word.start()
            for at in range(len(found) - 2 * _RUN + 1):
                if found[at : at + 2 * _RUN] in self._hexadecimal:
                    yield start + at, start + at + 2 * _RUN

    def _escaped(self, text: str) -> Iterator[tuple[int, int]]:
        for word in _ESCAPED.finditer(text):
            if "%" in word[0] or "\\" in word[0]:
                start = word.start()
                places = [(start + one.start(), start + one.end()) for one in _ESCAPE.finditer(word[0])]
                plain = _ESCAPE.sub(_unescaped, word[0])
                for first, last in self._plain(plain):
                    yield places[first][0], places[last - 1][1]


def knowing(texts: Iterable[str], tokens: Iterable[Secret] = ()) -> Redactor:
    """Return a redactor that knows every token in some texts, plain or encoded: for errors before a config is read."""
    found = [one for text in texts for part in (text, *secrets.decodings(text)) for one in secrets.tokens_in(part)]
    return Redactor([*tokens, *map(Secret, dict.fromkeys(found))])


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
    found = {half for text in (joined, *secrets.decodings(joined)) for half in _halves_of_tokens(text)}
    if not found:
        # refused as no token: what is left of one is random, so it mixes letters and digits, or follows a dot
        for dot, word in _PARTS.findall(value):
            if (dot and len(word) >= _CUT_HALF) or (_DIGIT.search(word) and _LETTER.search(word)):
                found.add(word)
    return found


def _halves_of_tokens(text: str) -> Iterator[str]:
    for token in secrets.tokens_in(text):
        half = token.partition(".")[2] or token
        if len(half) >= _RUN:
            yield half


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
