"""What a Secret holds is read as the server reads it."""

from __future__ import annotations

import base64
import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.kube import secrets

HALF = "r5t6y7u8i9o0p1a2"
BOOTSTRAP = f"q2w3e4.{HALF}"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"


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


# --- the shape of a token --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(f"a {BOOTSTRAP} b {JWT}", [BOOTSTRAP, JWT], id="tokens"),
        pytest.param(f"{BOOTSTRAP}.example.com", [BOOTSTRAP], id="before a host"),
        pytest.param("default.metal3datatemplate.infrastructure.cluster.x-k8s.io", [], id="the name of a webhook"),
        pytest.param("a.b" + ".metal3" * 100_000, [], id="a name without end"),
    ],
)
def test_tokens_are_found_in_a_text(text: str, expected: list[str]) -> None:
    assert secrets.tokens_in(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(BOOTSTRAP, True, id="bootstrap"),
        pytest.param(f"kube/{BOOTSTRAP}.yaml", True, id="in a path"),
        pytest.param(BOOTSTRAP.upper(), True, id="upper case"),
        pytest.param(JWT, True, id="JWT"),
        pytest.param(JWT[:40], True, id="a JWT that was cut"),
        pytest.param(f"x{BOOTSTRAP}", True, id="a longer word"),
        pytest.param(BOOTSTRAP * 2, True, id="twice"),
        pytest.param("clusternet-registration", False, id="a name"),
        pytest.param("CLUSTERNET_TOKEN", False, id="a variable"),
        pytest.param("cluster.addonsofthecontrolplane.example.com", False, id="a host"),
        pytest.param("topology.cluster.x-k8s.io/owned", False, id="a label"),
        pytest.param("{{ .Values.controlPlaneHost }}", False, id="a value of a Helm chart"),
        pytest.param("ABCDEF.ABCDEFGHIJKLMNOP", True, id="a bootstrap token in capitals"),
    ],
)
def test_text_in_the_shape_of_a_token_is_recognised(text: str, *, expected: bool) -> None:
    assert secrets.looks_like_token(text) is expected


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODED = {
    "plain": lambda token: token,
    "in a sentence": lambda token: f"Bearer {token};",
    "glued": lambda token: f"{'a' * 58}{token}z",
    "twice": lambda token: token * 2,
    "base64": packed,
    "base64 of a line": lambda token: packed(f"token: {token}\n"),
    "base64 for URLs": lambda token: base64.urlsafe_b64encode(b"\xfb\xff" + token.encode()).decode(),
    "base64 glued": lambda token: f"zz{packed(token)}",
    "base64 of base64": lambda token: packed(f"regToken: {packed(token)}"),
    "URL": lambda token: urllib.parse.quote(token).replace(".", "%2E"),
    "URL, each character": lambda token: "".join(f"%{ord(one):02x}" for one in token),
    "hexadecimal": lambda token: token.encode().hex(),
    "hexadecimal glued": lambda token: f"A{token.encode().hex().upper()}",
}


@pytest.mark.parametrize("form", ENCODED)
@pytest.mark.parametrize("token", [BOOTSTRAP, JWT], ids=["bootstrap", "jwt"])
def test_a_token_is_hidden_in_whatever_form(token: str, form: str) -> None:
    made = secrets.hide(f"label {ENCODED[form](token)} is bad")
    assert made.startswith("label ")
    assert made.endswith(" is bad")
    assert secrets.HIDDEN in made
    inner = ENCODED[form](token)
    assert not [at for at in range(len(inner) - 10) if inner[at : at + 10] in made and "aaaaaa" not in inner[at:]]


@given(st.text())
def test_text_without_a_dot_or_a_long_word_stays_as_it_is(text: str) -> None:
    plain = text.replace(".", "").replace("eyJ", "")[:24]
    assert secrets.hide(plain) == plain


def test_names_of_ours_are_shown_in_whatever_shape() -> None:
    name = "canary.cluster0000000001"
    assert secrets.hide(f"{name} {BOOTSTRAP}") == "(hidden) (hidden)"
    assert secrets.hide(f"{name} {BOOTSTRAP}", f"a\n{name}") == f"{name} (hidden)"


@pytest.mark.parametrize(
    "unit", ["eyJ", "eyJa.", "a.", "abcdef.", "abcdef.0", "%41", "Aa0/", "=", "AAAA", "-", "aaaaaaaa"]
)
def test_hiding_takes_time_in_proportion_to_the_text(unit: str) -> None:
    def seconds(length: int) -> float:
        text = (unit * length)[:length]
        start = time.process_time()
        secrets.hide(text)
        return time.process_time() - start

    # eight times the text takes at most some twenty times as long; where it were the square, 64 times
    assert min(seconds(400_000) for _ in range(3)) < 20 * max(0.001, min(seconds(50_000) for _ in range(3)))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("x" * 61, "x" * 59 + "…"),
        (f"{'x' * 50}{BOOTSTRAP}", f"{'x' * 50}(hidden)"),
        (f"{BOOTSTRAP}{'x' * 90}", "(hidden)"),
        ("a\n\tb", "a b"),
        ("\u202etxt", "\ufffdtxt"),
    ],
    ids=["long", "cut after hiding", "long and hidden", "lines", "direction"],
)
def test_a_quoted_value_is_hidden_first_and_shortened_afterwards(value: str, expected: str) -> None:
    assert secrets.quoted(value) == expected
