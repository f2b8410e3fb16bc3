"""What a Secret holds: base64 as Kubernetes reads it, and values that SOPS has encrypted."""

from __future__ import annotations

import binascii

from krm_fn.base.patterns import late

_BASE64 = late(r"[A-Za-z0-9+/]*={0,2}\Z")
_SOPS = late(r"ENC\[[A-Z0-9_]+,")


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


def encrypted(value: str) -> bool:
    """Tell whether a value is one that SOPS has encrypted and nobody has decrypted."""
    return value.startswith("ENC[") and bool(_SOPS.match(value))
