from __future__ import annotations

import math

import pytest

from krm_fn.yaml.read import resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", True),
        ("Yes", True),
        ("y", True),
        ("OFF", False),
        ("n", False),
        ("True", True),
        ("false", False),
        ("", None),
        ("~", None),
        ("NULL", None),
        ("0", 0),
        ("-12", -12),
        ("+3", 3),
        ("1_000", 1000),
        ("0777", 511),
        ("0o17", 15),
        ("-0o17", -15),
        ("0x1F", 31),
        ("0b101", 5),
        ("-0b101", -5),
        ("089", 89.0),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        ("1.", 1.0),
        (".5", 0.5),
        ("+.5e1", 5.0),
        ("9223372036854775807", 2**63 - 1),
        ("18446744073709551615", 2**64 - 1),
        ("18446744073709551616", float(2**64)),
        ("-9223372036854775809", -float(2**63)),
        (".inf", math.inf),
        ("-.INF", -math.inf),
    ],
)
def test_a_plain_scalar_has_the_type_that_kubernetes_reads(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["oN", "yES", "nULL", "2020-01-01", "2001-12-14t21:59:43.10-05:00", "1:30", "0o8", "1e400", ".", "-", "+", "._", "e3",
     "1.2.3", "v1", "<<", "=", "a b", "0x", "1e", "_1", "9" * 5000, ".1_0", "--1"],
)  # fmt: skip
def test_what_kubernetes_reads_as_a_string_stays_one(text: str) -> None:
    assert resolve(text) == text


def test_not_a_number_is_a_float() -> None:
    value = resolve(".NaN")
    assert isinstance(value, float)
    assert math.isnan(value)
