"""What a Secret holds is read as the server reads it."""

from __future__ import annotations

import pytest

from krm_fn.kube import secrets


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", b"", id="empty"),
        pytest.param("YQ==", b"a", id="padded"),
        pytest.param("YW\nJj\r\n", b"abc", id="line breaks"),
        pytest.param("YQ", None, id="no padding"),
        pytest.param("Y===", None, id="too much padding"),
        pytest.param("YW-_", None, id="base64url"),
        pytest.param("YW Jj", None, id="a blank"),
    ],
)
def test_base64_is_read_as_the_server_reads_it(text: str, expected: bytes | None) -> None:
    assert secrets.decode(text) == expected


def test_what_is_encoded_is_decoded_again() -> None:
    assert secrets.decode(secrets.encode("a: ü\n")) == "a: ü\n".encode()


@pytest.mark.parametrize(
    ("value", "encrypted"),
    [("ENC[AES256_GCM,data:x]", True), ("ENC[", False), ("ENC[x]", False), ("x ENC[AES256_GCM,", False), ("", False)],
)
def test_a_value_that_sops_encrypted_is_known(value: str, *, encrypted: bool) -> None:
    assert secrets.encrypted(value) is encrypted
