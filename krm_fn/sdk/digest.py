"""SHA-256 without the cost of `hashlib`, whose import loads OpenSSL (about four milliseconds of a cold start)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class _Digest(Protocol):
        def hexdigest(self) -> str: ...


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 lower-case hexadecimal digits."""
    return _constructor()(data).hexdigest()


def _constructor() -> Callable[[bytes], _Digest]:
    """Find CPython's own implementation by the names it has had; any other Python answers with hashlib's."""
    try:
        from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - CPython 3.12 on
    except ImportError:
        try:
            from _sha256 import sha256  # type: ignore[import-not-found,no-redef,unused-ignore] # noqa: PLC0415 - to 3.11
        except ImportError:
            from hashlib import sha256  # noqa: PLC0415 - the portable, slower way
    found: Callable[[bytes], _Digest] = sha256
    return found
