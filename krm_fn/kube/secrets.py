"""Secret values: a wrapper that never shows its own, base64 and the values of a Secret as Kubernetes reads them, SOPS, and tokens' shapes.

The one place that knows what a registration token looks like. Whatever quotes foreign text hides that shape first and shortens
afterwards, since a token that was cut no longer has it. Every search takes time in proportion to the text.
"""

from __future__ import annotations

import binascii

from krm_fn.base import late, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_BASE64 = late(r"[A-Za-z0-9+/]*={0,2}\Z")
_SOPS = late(r"ENC\[[A-Z0-9_]+,")

HIDDEN = "(hidden)"
MOST_QUOTED = 200  # characters of foreign text in a message

# A bootstrap token by itself, where one case tells it from `Values.controlPlaneHost`; one that is glued to other text, where a
# digit tells it from a host's name; a JWT, or what is left of one, from its first part on (base64url of `{"`). Kubernetes
# `k8s.io/cluster-bootstrap/token/api`.
_ID, _SECRET = 6, 16  # characters of a bootstrap token before and behind its dot
_TOKEN = late(
    r"(?<![A-Za-z0-9])[A-Za-z0-9]{6}\.(?:[a-z0-9]{16}|[A-Z0-9]{16})(?![A-Za-z0-9])"
    r"|[A-Za-z0-9]{6}\.(?=[A-Za-z]{0,15}[0-9])[A-Za-z0-9]{16,}(?:\.[A-Za-z0-9]{16,})*"
    r"|eyJ(?:[A-Za-z0-9_-]{8}|[A-Za-z0-9_-]{0,7}\.[A-Za-z0-9_.-]{8})[A-Za-z0-9_.-]*"
)
_API_GROUP = late(r"\.[a-z0-9.-]{0,200}\bk8s\.io\b")
# Text in which a whole token may be encoded: its dot alone in URL form, all of it in hexadecimal form or base64
_SHORTEST_ENCODED, _SHORTEST_BASE64, _SHORTEST_HEXADECIMAL = 25, 31, 46
_ENCODED = late(r"[A-Za-z0-9+/_%.=-]{25,}")
_PERCENT = late(r"%([0-9A-Fa-f]{2})")
_HEXADECIMAL = late(r"[0-9A-Fa-f]{46,}")
_BASE64_RUN = late(r"[A-Za-z0-9+/_-]{31,}")
_DEEPEST = 2  # a manifest in base64 holds tokens in base64


class Secret:
    """Holds a secret value so that no repr, log or traceback shows it."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value: to make the registration manifest, to check its format and expiry, and to redact it."""
        return self._value

    def __repr__(self) -> str:
        """Say that there is a value, never which."""
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))


def encode(text: str) -> str:
    """Encode a text in standard base64, as `data` of a Secret holds it."""
    return binascii.b2a_base64(text.encode(), newline=False).decode()


def decode(text: str) -> bytes | None:
    """Decode standard base64 as Kubernetes does for `data` of a Secret; None when it is no base64.

    Line breaks inside are skipped, as Go's decoder skips them.
    """
    packed = text.replace("\r", "").replace("\n", "")
    if len(packed) % 4 or not _BASE64.match(packed):
        return None
    return binascii.a2b_base64(packed)


def made(name: str, namespace: str, kind: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return a Secret of a type, with `data`: a key once written through `stringData` outlives its removal."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "type": kind,
        "data": {key: encode(text) for key, text in values.items()},
    }


def texts(secret: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the values of a Secret as text, `stringData` over `data` as on the server; None for what is none.

    A value that SOPS has encrypted is left as it is.
    """
    found: dict[str, str | None] = {}
    for part in ("data", "stringData"):
        values = secret.get(part)
        for key, value in values.items() if isinstance(values, dict) else ():
            found[key] = value if isinstance(value, str) else None
            if part == "data" and isinstance(value, str) and not encrypted(value):
                raw = decode(value)
                found[key] = None if raw is None else raw.decode("utf-8", "replace")
    return found


def part_with(secret: Mapping[str, Any], key: str) -> str:
    """Return where a Secret has a key: in `stringData`, which counts first, or in `data`."""
    plain = secret.get("stringData")
    return "stringData" if isinstance(plain, dict) and key in plain else "data"


def encrypted(value: str) -> bool:
    """Return whether a value is still encrypted by SOPS."""
    return value.startswith("ENC[") and bool(_SOPS.match(value))


def looks_like_token(value: str) -> bool:
    """Return whether a text contains anything in the shape of a token; such a text is never printed."""
    return _may_hold_token(value) and bool(_TOKEN.search(value))


def tokens_in(text: str) -> list[str]:
    """Return everything in the shape of a token in a text, but no part of a webhook's name: `default.metal3datatemplate.….k8s.io`."""
    found = _TOKEN.finditer(text) if _may_hold_token(text) else ()
    return [one[0] for one in found if not _API_GROUP.match(text, one.end())]


def hide(text: str, public: str = "") -> str:
    """Return a text without anything in the shape of a token, be it plain or encoded.

    Args:
        text: Any text.
        public: What may be shown in whatever shape: names of our own, with a separator between them.
    """
    if len(text) >= _SHORTEST_ENCODED and any(map(_may_encode, text.split())):
        text = _ENCODED.sub(lambda found: HIDDEN if _encodes_token(found[0]) else found[0], text)
    if _may_hold_token(text):
        text = _TOKEN.sub(lambda found: found[0] if public and found[0] in public else HIDDEN, text)
    return text


def quoted(value: object, most: int = 60, *, ends: bool = False) -> str:
    """Return a foreign value as one short printable line without a token.

    Args:
        value: The whole value: a token that was cut can no longer be recognized.
        most: How many characters to show.
        ends: Whether to cut out the middle, as for the output of a program, whose last words say why it failed.
    """
    given = _text(value)
    text = printable(hide(" ".join(given.split())))
    if not ends:  # a space at an end may be all that is wrong with a value
        text = f"{' ' if given[:1].isspace() else ''}{text}{' ' if given[-1:].isspace() else ''}"
    if len(text) <= most:
        return text
    return f"{text[: most // 4]} … {text[3 - most * 3 // 4 :]}" if ends else f"{text[: most - 1]}…"


def decodings(text: str) -> list[str]:
    """Return what a text may encode: in base64 (at whatever place in it), URL and hexadecimal form."""
    found = []
    if "%" in text:
        found.append(_PERCENT.sub(lambda code: chr(int(code[1], 16)), text))
    if len(text) >= _SHORTEST_HEXADECIMAL:
        found += [
            bytes.fromhex(run[shift : len(run) - (len(run) - shift) % 2]).decode("latin-1")
            for run in _HEXADECIMAL.findall(text)
            for shift in (0, 1)
        ]
    for run in _BASE64_RUN.findall(text):
        if run != run.lower():  # that of a token has capitals, most long names have none
            standard = run.replace("-", "+").replace("_", "/")
            found += [_decoded(standard[shift:]) for shift in range(4)]
    return found


def _decoded(run: str) -> str:
    rest = len(run) % 4
    padded = run[:-1] if rest == 1 else run + "=" * (-rest % 4)
    return binascii.a2b_base64(padded).decode("latin-1")


def _may_hold_token(text: str) -> bool:
    """Return whether a text needs the pattern: most have neither a JWT nor letters and digits around a dot."""
    if "eyJ" in text:
        return True
    dot = text.find(".")
    while dot >= 0:
        if (
            text[max(dot - _ID, 0) : dot].isalnum()
            and text[dot + 1 : dot + 1 + _SECRET].isalnum()
            and _ID <= dot < len(text) - _SECRET
        ):
            return True
        dot = text.find(".", dot + 1)
    return False


def _may_encode(word: str) -> bool:
    """Return whether text without spaces needs the patterns of `decodings`: short words and most names do not."""
    if len(word) < _SHORTEST_ENCODED or "%" in word:
        return len(word) >= _SHORTEST_ENCODED
    longest = max(map(len, word.split(".")))  # no run of base64 or hexadecimal form has a dot
    return longest >= _SHORTEST_HEXADECIMAL or (longest >= _SHORTEST_BASE64 and word != word.lower())


def _encodes_token(text: str, depth: int = 1) -> bool:
    return any(
        looks_like_token(decoded)
        or (depth < _DEEPEST and any(_encodes_token(one[0], depth + 1) for one in _ENCODED.finditer(decoded)))
        for decoded in decodings(text)
    )


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # an int of more than 4,300 digits
        return "a very long number"
