"""Writing JSON-like data as block-style YAML that every reader types alike.

Who reads it: sigs.k8s.io/yaml (go-yaml v2 rules), go-yaml v3 (kustomize, kpt), PyYAML (YAML 1.1) and YAML 1.2 readers.
They disagree on what a plain scalar is, so a string stays plain only in a form that none of them takes for anything
else: it begins with a letter, `/` or `--` and a letter, is no word such as `on` or `null`, and has no character that
means something in YAML. All other strings are double-quoted with the escapes that JSON and YAML share, or, when they
have several lines, written as a literal block where that gives exactly the same string back.

The form is that of kustomize and kpt: two spaces per level, the dash of a list in its parent's column, keys as given.
"""

from __future__ import annotations

from krm_fn.base import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re
    from collections.abc import Mapping, Sequence
    from typing import Any

_PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@,()~$*%;-: "
_SEPARATORS = ("::", ": ", " :", "  ")  # a plain string has single ones, and none at its end
_WORDS = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
_LONGEST_WORD = 5

# Not printable in YAML, or a line end in YAML 1.1 but not in 1.2 (NEL, LS, PS), or U+FEFF, or half a surrogate pair.
_UNPRINTABLE = "\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff"
_ESCAPED = late(f'["\\\\\t\n{_UNPRINTABLE}]')

# A literal block keeps neither the characters above, nor, in many editors, spaces at the end of a line.
_NOT_LITERAL = late(f"[{_UNPRINTABLE}]|[ \t](?:\n|\\Z)")

_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}

# A simple key may be 1024 characters long (YAML 1.1 and 1.2); beyond that it takes the explicit form "? key".
_MAX_SIMPLE_KEY = 1000


def dump(value: Any, *, indent: int = 0, quote_all: bool = False) -> str:
    """Write a value as YAML, ending in a newline.

    Args:
        value: JSON-like data: mappings with string keys, lists, tuples, `str`, `int`, `float`, `bool`, `None`.
        indent: Number of spaces before every line (not before empty lines of literal blocks).
        quote_all: Put every string, keys included, in double quotes; never a literal block.

    Returns:
        The text; keys in the order given. Half a surrogate pair, which no UTF-8 text can hold, becomes U+FFFD as in
        Go's JSON decoder.

    Raises:
        TypeError: For a key or a value of any other type.
    """
    out: list[str] = []
    pad = " " * indent
    if _is_mapping(value) and value:
        _Writer(out, quote_all=quote_all).mapping(value, pad, pad)
    elif isinstance(value, (list, tuple)) and value:
        _Writer(out, quote_all=quote_all).sequence(value, pad, pad)
    else:
        out.append(f"{pad}{_flat(value, quote_all=quote_all)}\n")
    return "".join(out)


def quoted(text: str) -> str:
    r"""Return a string in double quotes, on one line.

    The escapes are those that JSON and YAML share: `\"`, `\\`, `\n`, `\r`, `\t` and `\uXXXX`.
    """
    if text.isprintable():  # stricter than YAML's definition, and needs nothing compiled
        text = text.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{text}"'
    return f'"{_ESCAPED.sub(_escape, text)}"'


def flow(value: Any, step: str = "", pad: str = "") -> str:
    """Return a value as JSON, which is valid in any flow collection of YAML as well.

    Args:
        value: JSON-like data, as `dump` takes it.
        step: Indentation of each level; "" puts everything on one line.
        pad: What every line but the first begins with.
    """
    if isinstance(value, str):
        return quoted(value)
    inner = pad + step
    if isinstance(value, (list, tuple)):
        opened, closed, parts = "[", "]", [flow(one, step, inner) for one in value]
    elif _is_mapping(value):
        opened, closed = "{", "}"
        parts = [f"{quoted(key)}: {flow(one, step, inner)}" for key, one in value.items()]
    else:
        return _flat(value, quote_all=True)
    if not step or not parts:
        return opened + ", ".join(parts) + closed
    return f"{opened}\n{inner}" + f",\n{inner}".join(parts) + f"\n{pad}{closed}"


def scalar(text: str) -> str:
    """Return a string on one line: plain where every reader takes that for the same string, else double-quoted."""
    return text if _plain(text) else quoted(text)


def _plain(text: str) -> bool:
    if text.strip(_PLAIN):  # without compiling anything: what is left holds another character
        return False
    first = text[2:3] if text.startswith("--") else text[:1]
    if not first.isalpha() and not text.startswith("/"):
        return False
    if (":" in text or " " in text) and (text[-1] in ": " or any(two in text for two in _SEPARATORS)):
        return False
    return len(text) > _LONGEST_WORD or text.lower() not in _WORDS


class _Writer:
    """One run of `dump`: where the text goes, and how strings are written."""

    __slots__ = ("keys", "out", "quote_all")

    def __init__(self, out: list[str], *, quote_all: bool) -> None:
        self.out = out
        self.quote_all = quote_all
        self.keys: dict[str, str] = {}  # keys repeat, so each is examined once

    def mapping(self, value: Mapping[str, Any], lead: str, pad: str) -> None:
        """Write a non-empty mapping; `lead` goes before the first line, `pad` before the others."""
        append = self.out.append
        for key, item in value.items():
            head = lead + (self.keys.get(key) or self.key(key, pad))
            lead = pad
            if isinstance(item, str):
                append(f"{head} {self.text(item, pad)}\n")
            elif isinstance(item, (list, tuple)) and item:
                append(f"{head}\n")
                self.sequence(item, pad, pad)
            elif _is_mapping(item) and item:
                append(f"{head}\n")
                deeper = pad + "  "
                self.mapping(item, deeper, deeper)
            else:
                append(f"{head} {_flat(item, quote_all=self.quote_all)}\n")

    def sequence(self, value: Sequence[Any], lead: str, pad: str) -> None:
        """Write a non-empty sequence, with the same arguments."""
        append = self.out.append
        deeper = pad + "  "
        for item in value:
            head = lead + "- "
            lead = pad
            if isinstance(item, str):
                append(f"{head}{self.text(item, pad)}\n")
            elif isinstance(item, (list, tuple)) and item:
                self.sequence(item, head, deeper)
            elif _is_mapping(item) and item:
                self.mapping(item, head, deeper)
            else:
                append(f"{head}{_flat(item, quote_all=self.quote_all)}\n")

    def key(self, key: object, pad: str) -> str:
        """Return a key with its colon."""
        if not isinstance(key, str):
            message = f"a key must be a string, not {type(key).__name__}"
            raise TypeError(message)
        text = quoted(key) if self.quote_all else scalar(key)
        if len(text) > _MAX_SIMPLE_KEY:
            return f"? {text}\n{pad}:"
        self.keys[key] = text + ":"
        return self.keys[key]

    def text(self, text: str, pad: str) -> str:
        """Return a string value; `pad` is the indentation of the collection that holds it."""
        if self.quote_all:
            return quoted(text)
        if _plain(text):
            return text
        if "\n" not in text or not _fits_literal(text):
            return quoted(text)
        return _literal(text, pad + "  ")


def _fits_literal(text: str) -> bool:
    """Return whether a literal block would keep every character of a text that has a newline."""
    if text.replace("\n", "").replace("\t", "").isprintable():
        return " \n" not in text and "\t\n" not in text and text[-1] not in " \t"
    return _NOT_LITERAL.search(text) is None


def _literal(text: str, pad: str) -> str:
    """Return a literal block; the caller has made sure that it has a newline and no character that a block would lose."""
    if text.endswith("\n\n") or text == "\n":
        return quoted(text)  # `|+` would also keep an empty line that somebody puts behind the object
    # Without content at its start, a reader can't find the indentation on its own.
    indicator = "2" if text[0] in " \t\n" else ""
    chomping = "" if text[-1] == "\n" else "-"
    lines = (text if chomping else text[:-1]).split("\n")
    body = "\n".join([pad + line if line else "" for line in lines])
    return f"|{indicator}{chomping}\n{body}"


def _flat(value: Any, *, quote_all: bool) -> str:
    """Return a scalar that is no string in a block, or an empty collection, on one line.

    Raises:
        TypeError: For anything else.
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, str):
        return quoted(value) if quote_all else scalar(value)
    if isinstance(value, (list, tuple)) or _is_mapping(value):
        return "{}" if _is_mapping(value) else "[]"
    message = f"can't write a {type(value).__name__} as YAML"
    raise TypeError(message)


def _float(value: float) -> str:
    """Return a float in a form that YAML 1.1 (a dot, a signed exponent), YAML 1.2 and JSON read as a float."""
    text = repr(float(value))
    if text in {"inf", "-inf", "nan"}:
        return text.replace("inf", ".inf").replace("nan", ".nan")
    mantissa, exponent, power = text.partition("e")
    return text if not exponent or "." in mantissa else f"{mantissa}.0e{power}"


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    known = _ESCAPES.get(char)
    if known:
        return known
    return "�" if "\ud800" <= char <= "\udfff" else f"\\u{ord(char):04x}"


def _is_mapping(value: Any) -> bool:
    """Return whether a value is a mapping, without the slow check by `collections.abc`."""
    return isinstance(value, dict) or hasattr(value, "items")
