"""Text: patterns that compile late, a digest, the name most likely meant, and lists that stay short."""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, AnyStr, Protocol

    class _Digest(Protocol):
        def hexdigest(self) -> str: ...


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves like `re.compile(pattern, flags)`, and compiles only when a method is first asked for.

    Compiling the expressions of the package takes longer than `import yaml` may take in a cold start
    (docs/performance.md), and a run uses a third of them.
    """
    return _Late(pattern, flags)  # type: ignore[return-value] # stands in for the pattern by handing out its methods


class _Late:
    """A pattern to be: each attribute is the compiled pattern's, and stays here once it was asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)
        self.__dict__[name] = found
        return found


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 lower-case hexadecimal digits.

    Without `hashlib`, whose import loads OpenSSL: about four milliseconds of a cold start.
    """
    return _constructor()(data).hexdigest()


def _constructor() -> Callable[[bytes], _Digest]:
    """Find CPython's own implementation by the names it has had; any other Python answers with hashlib's."""
    try:
        if sys.version_info >= (3, 12):  # asking for a module that is not there costs as much as loading one
            from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
        else:
            from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
    except ImportError:
        from hashlib import sha256  # noqa: PLC0415 - the portable, slower way
    found: Callable[[bytes], _Digest] = sha256
    return found


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


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 Cluster`, `2,000 Clusters`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def full_name(namespace: str, name: str) -> str:
    """Return `namespace/name`, or the name alone where there is no namespace."""
    return f"{namespace}/{name}" if namespace else name
