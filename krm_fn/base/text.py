"""Text for messages: a value as one short printable line, and the name that was most likely meant."""

from __future__ import annotations

from krm_fn.base.patterns import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LONGEST_SHOWN = 60
_TOKEN = late(r"[a-z0-9]{6}\.[a-z0-9]{16}|eyJ[A-Za-z0-9_-]{8,}")


def plain(value: object) -> str:
    """Return a value as one short printable line; text in the form of a token is never shown."""
    text = "".join(char if char.isprintable() else "?" for char in _text(value))
    if ("." in text or "eyJ" in text) and _TOKEN.search(text):  # most have neither, and need nothing compiled
        return "…"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"


def _text(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    try:
        return str(value)
    except ValueError:  # an int of more than 4,300 digits
        return "a very long number"


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that was most likely meant, or "" where none is near."""
    candidates = sorted(names)
    folded = name.casefold().replace("-", "").replace("_", "")
    for candidate in candidates:
        if candidate.casefold().replace("-", "") == folded:
            return candidate
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a wrong name only, and slow to import

    found = get_close_matches(name[:100], candidates, n=1)
    return found[0] if found else ""


def some(texts: Sequence[str], most: int = 10) -> str:
    """Return texts as a list that stays short: `a, b and 7 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")
