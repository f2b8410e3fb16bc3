from __future__ import annotations

import builtins
import hashlib
from typing import Any

import pytest

from krm_fn.base import sha256_hex


@pytest.mark.parametrize("data", [b"", b"abc", b"\0" * 1000, bytes(range(256))], ids=["none", "abc", "zeros", "all"])
@pytest.mark.parametrize("lacking", [(), ("_sha2",), ("_sha2", "_sha256")], ids=["as here", "older", "any Python"])
def test_digests_are_those_of_hashlib_on_every_python(
    data: bytes, lacking: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name in lacking:
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()
