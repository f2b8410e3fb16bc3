"""SHA-256 without the cost of `hashlib`, whose import loads OpenSSL (about four milliseconds of a cold start)."""

from __future__ import annotations

import sys

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
        if sys.version_info >= (3, 12):  # asking for a module that is not there costs as much as loading one
            from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
        else:
            from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
    except ImportError:
        from hashlib import sha256  # noqa: PLC0415 - the portable, slower way
    found: Callable[[bytes], _Digest] = sha256
    return found
