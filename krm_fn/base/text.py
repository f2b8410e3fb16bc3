"""Text for messages: the name that was most likely meant, and lists that stay short."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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


def full_name(namespace: str, name: str) -> str:
    """Return `namespace/name`, or the name alone where there is no namespace."""
    return f"{namespace}/{name}" if namespace else name
