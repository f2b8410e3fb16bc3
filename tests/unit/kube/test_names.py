from __future__ import annotations

import itertools
import string

import pytest

from krm_fn.kube.labels import dns_label_error, dns_subdomain_error

_ENDS = set(string.ascii_lowercase + string.digits)
SHORT = ["".join(letters) for size in range(5) for letters in itertools.product("aA0-._\n", repeat=size)]
_LETTERS = "letters, digits or '-', and begin and end with a letter or digit"


def by_hand(text: str) -> bool:
    return bool(text) and set(text) <= _ENDS | {"-"} and {text[0], text[-1]} <= _ENDS


def test_every_short_label_is_judged_as_by_hand() -> None:
    assert [text for text in SHORT if (dns_label_error(text) == "") != by_hand(text)] == []


def test_every_short_subdomain_is_judged_as_by_hand() -> None:
    wrong = [text for text in SHORT if (dns_subdomain_error(text) == "") != all(map(by_hand, text.split(".")))]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "limit", "error"),
    [
        ("a" * 63, 63, ""),
        ("a" * 64, 63, "is 64 characters long, at most 63 are allowed"),
        ("a" * 31, 30, "is 31 characters long, at most 30 are allowed"),
        ("a.b", 63, f"must be lower-case {_LETTERS}"),
    ],
)
def test_a_bad_label_is_reported_with_the_rule(text: str, limit: int, error: str) -> None:
    assert dns_label_error(text, limit) == error


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a" * 253, ""),
        ("a" * 254, "is 254 characters long, at most 253 are allowed"),
        ("a..b", "must be lower-case letters, digits, '-' or '.', and begin and end with a letter or digit"),
    ],
)
def test_a_bad_subdomain_is_reported_with_the_rule(text: str, error: str) -> None:
    assert dns_subdomain_error(text) == error
