from __future__ import annotations

import math
from typing import Any

import pytest
import yaml

from krm_fn.yaml import BadYaml, read
from krm_fn.yaml.read import load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: on", {"a": True}),
        ("a: 'on'", {"a": "on"}),
        ('a: "1e3"', {"a": "1e3"}),
        ("a: 1e3", {"a": 1000.0}),
        ("a: 2020-01-01", {"a": "2020-01-01"}),
        ("a: 1:30", {"a": "1:30"}),
        ("a:", {"a": None}),
        ("a: |\n  on\n", {"a": "on\n"}),
        ("[1, [a], {b: c}]", [1, ["a"], {"b": "c"}]),
        ("", None),
        ("# only a comment\n", None),
        ("a: !!str 1", {"a": "1"}),
        ("a: ! 1", {"a": "1"}),
        ("a: !!int '3'", {"a": 3}),
        ("a: !!float 3", {"a": 3.0}),
        ("a: !!null ''", {"a": None}),
        ("a: !!bool on", {"a": True}),
        ("a: !!timestamp 2020-01-01", {"a": "2020-01-01"}),
        ("a: !own x", {"a": "x"}),
        ("a: !!binary b24=", {"a": "on"}),
        ("on: a\n1: b\n1.5: c\n2e3: d\n1e30: e", {"true": "a", "1": "b", "1.5": "c", "2000": "d", "1e+30": "e"}),
        ("no: a", {"false": "a"}),
    ],
)
def test_values_have_the_types_that_kubernetes_reads(text: str, value: object) -> None:
    found = load(text)
    assert found == value
    assert repr(found) == repr(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x [1]\nb: *x", {"a": [1], "b": [1]}),
        ("a: &x {c: 1}\nb: {<<: *x, d: 2}", {"a": {"c": 1}, "b": {"c": 1, "d": 2}}),
        ("a: &x {c: 1}\nb: {c: 3, <<: *x}", {"a": {"c": 1}, "b": {"c": 3}}),
        ("b: {<<: [{c: 1}, {c: 2, d: 3}]}", {"b": {"c": 1, "d": 3}}),
        ("b: {'<<': x}", {"b": {"<<": "x"}}),
        ("&k a: *k", {"a": "a"}),
    ],
    ids=["alias", "merge", "own key wins", "first source wins", "quoted is no merge", "anchored key"],
)
def test_aliases_and_merge_keys_are_applied(text: str, value: object) -> None:
    assert load(text) == value


@pytest.mark.parametrize(
    ("text", "problem", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "a key appears twice in one mapping", 2, 0),
        ("a: {b: 1,\n b: 2}", "a key appears twice in one mapping", 1, 1),
        ("on: 1\n'true': 2", "a key appears twice in one mapping", 1, 0),
        ("a: *x", "an alias refers to an anchor that is not set before it", 0, 3),
        ("a: &x [*x]", "an alias refers to an anchor that is not set before it", 0, 7),
        ("a\n---\nb", "a second YAML document begins", 1, 0),
        ("? [a]\n: b", "a mapping key must be a string", 0, 2),
        ("~: b", "a mapping key must be a string", 0, 0),
        ("<<: a", "a merge key (<<) needs a mapping or a list of mappings", 0, 4),
        ("a: !!int x", "a value does not fit its tag !!int", 0, 3),
        ("a: !!int on", "a value does not fit its tag !!int", 0, 3),
        ("a: !!binary é", "a value does not fit its tag !!binary", 0, 3),
        ("- " * 300 + "x", "nested deeper than 250 levels", 0, 500),
        ("[" * 300 + "]" * 300, "nested deeper than 250 levels", 0, 250),
        ("a:\n\tb: c", "found character that cannot start any token (while scanning for the next token)", 1, 0),
    ],
)
def test_what_can_not_be_read_safely_is_reported_with_its_place(
    text: str, problem: str, line: int, column: int
) -> None:
    with pytest.raises(BadYaml) as caught:
        load(text)
    assert (caught.value.problem, caught.value.line, caught.value.column) == (problem, line, column)


@pytest.mark.parametrize("text", [b"a: \0", b"\xff", "a: \ud800"], ids=["control character", "bad UTF-8", "surrogate"])
def test_characters_that_yaml_does_not_allow_are_reported(text: str | bytes) -> None:
    with pytest.raises(BadYaml):
        load(text)


def test_aliases_that_multiply_are_refused_early() -> None:
    lines = ["l0: &l0 x"] + [f"l{level}: &l{level} [{', '.join([f'*l{level - 1}'] * 10)}]" for level in range(1, 12)]
    with pytest.raises(BadYaml, match="aliases stand for more than 2000000 values"):
        load("\n".join(lines))


def test_an_error_shows_nothing_of_the_text() -> None:
    with pytest.raises(BadYaml) as caught:
        load("token: plantd.0123456789abcdef: x")
    assert "plantd" not in repr(caught.value)
    assert "plantd" not in caught.value.problem


def test_an_infinite_key_is_its_text() -> None:
    assert load(".inf: a") == {"inf": "a"}
    assert load("a: .nan")["a"] is not None
    assert math.isnan(load("a: .nan")["a"])


def test_without_libyaml_values_and_errors_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(yaml, "cyaml")
    assert isinstance(read.parser("a"), yaml.SafeLoader)
    assert load("a: &x on\nb: [*x, 1:30]") == {"a": True, "b": [True, "1:30"]}
    with pytest.raises(BadYaml) as caught:
        load("a: [")
    assert caught.value.line == 0


@pytest.mark.parametrize(
    "text",
    ["[" * 251 + "]" * 251, "- " * 100_001 + "x"],
    ids=["flow collections", "block collections"],
)
def test_what_is_only_read_past_has_bounds_too(text: str) -> None:
    parser: Any = read.parser(text)
    parser.get_event()
    parser.get_event()
    with pytest.raises(BadYaml, match="nested too deep"):
        read.Builder(parser).skip(parser.get_event())
