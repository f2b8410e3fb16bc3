"""Label selectors in kubectl's syntax."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.kube.labels import SelectorError, parse_selector


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("env=prod", {"matchLabels": {"env": "prod"}}, id="equal"),
        pytest.param("env==prod", {"matchLabels": {"env": "prod"}}, id="double equal"),
        pytest.param(" a = b , c=d ", {"matchLabels": {"a": "b", "c": "d"}}, id="spaces"),
        pytest.param("a=b,a=b", {"matchLabels": {"a": "b"}}, id="the same twice"),
        pytest.param("env=", {"matchLabels": {"env": ""}}, id="an empty value"),
        pytest.param("a=,b=c", {"matchLabels": {"a": "", "b": "c"}}, id="an empty value in between"),
        pytest.param("env!=prod", {"matchExpressions": [expression("env", "NotIn", "prod")]}, id="unequal"),
        pytest.param("env!=", {"matchExpressions": [expression("env", "NotIn", "")]}, id="unequal to nothing"),
        pytest.param("a.b/c in (x,y)", {"matchExpressions": [expression("a.b/c", "In", "x", "y")]}, id="in"),
        pytest.param("a in(x)", {"matchExpressions": [expression("a", "In", "x")]}, id="in without a blank"),
        pytest.param("a notin ( x , y )", {"matchExpressions": [expression("a", "NotIn", "x", "y")]}, id="notin"),
        pytest.param("a in (x,)", {"matchExpressions": [expression("a", "In", "x", "")]}, id="an empty last value"),
        pytest.param("a in (,x)", {"matchExpressions": [expression("a", "In", "", "x")]}, id="an empty first value"),
        pytest.param(
            "a in (x,,y)", {"matchExpressions": [expression("a", "In", "x", "", "y")]}, id="an empty value amid"
        ),
        pytest.param(
            "a in ()",
            {"matchExpressions": [{"key": "a", "operator": "In", "values": []}]},
            id="no values, for the tree",
        ),
        pytest.param("a", {"matchExpressions": [expression("a", "Exists")]}, id="exists"),
        pytest.param("!a", {"matchExpressions": [expression("a", "DoesNotExist")]}, id="does not exist"),
        pytest.param("! a", {"matchExpressions": [expression("a", "DoesNotExist")]}, id="does not exist, with a blank"),
        pytest.param(
            "in in (in)", {"matchExpressions": [expression("in", "In", "in")]}, id="words of the syntax as names"
        ),
        pytest.param(
            "env=prod,region in (eu,us),!legacy,owner",
            {
                "matchLabels": {"env": "prod"},
                "matchExpressions": [
                    expression("region", "In", "eu", "us"),
                    expression("legacy", "DoesNotExist"),
                    expression("owner", "Exists"),
                ],
            },
            id="all together",
        ),
    ],
)
def test_text_becomes_a_selector(text: str, expected: dict[str, Any]) -> None:
    assert parse_selector(text) == expected


@pytest.mark.parametrize(
    ("text", "part"),
    [
        pytest.param("=prod", "=prod", id="no key"),
        pytest.param("!", "!", id="no key after a bang"),
        pytest.param("!a=b", "!a=b", id="a bang and a value"),
        pytest.param("a=b,", "", id="a comma at the end"),
        pytest.param(",a", "", id="a comma at the beginning"),
        pytest.param("x,a b", "a b", id="two words"),
        pytest.param("a=b c", "a=b c", id="two values"),
        pytest.param("a>1", "a>1", id="greater"),
        pytest.param("a=(b)", "a=(b)", id="parentheses after equal"),
        pytest.param("a in x", "a in x", id="in without parentheses"),
        pytest.param("a in", "a in", id="in at the end"),
        pytest.param("a in (x", "a in (x", id="open parentheses"),
        pytest.param("a in (x y),b", "a in (x y)", id="values without a comma"),
        pytest.param("a in (=)", "a in (=)", id="an equal sign for a value"),
    ],
)
def test_bad_text_is_refused_with_the_part_that_is_wrong(text: str, part: str) -> None:
    with pytest.raises(SelectorError, match=r"must have key=value, .* or !key between its commas") as caught:
        parse_selector(text)
    assert str(caught.value).endswith(f'not "{part}"')


def test_two_values_of_one_key_are_refused() -> None:
    with pytest.raises(SelectorError, match="asks for two values of a at once: use the operator in"):
        parse_selector("a=b,a=c")


@pytest.mark.parametrize(
    "text", ["a," * 100_000, "(" * 100_000, "a in (" * 50_000, "a" * 100_000 + " b", "a" + " " * 100_000 + ">"]
)
def test_text_without_end_takes_time_in_proportion(text: str) -> None:
    with pytest.raises(SelectorError):
        parse_selector(text)
