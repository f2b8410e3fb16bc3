"""`config.kubectl_selector`: label selectors in kubectl's syntax."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.kube.kubectl_selector import SelectorError, parse


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
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("=prod", 'must have a label key, not "="', id="no key"),
        pytest.param("!", "must have a label key after '!' at its end", id="no key after a bang"),
        pytest.param("a=b,", "must not end with ','", id="a comma at the end"),
        pytest.param(",a", 'must have a label key, not ","', id="a comma at the beginning"),
        pytest.param("a b", "must have '=', '!=', 'in' or 'notin' after a, not \"b\"", id="two words"),
        pytest.param("a=b c", "must have ',' between requirements, not \"c\"", id="two values"),
        pytest.param("a>1", "must have '=', '!=', 'in' or 'notin' after a, not \">\"", id="greater"),
        pytest.param("a=(b)", 'must have a value after a=, not "("', id="parentheses after equal"),
        pytest.param("a in x", "must have '(' before the values, not \"x\"", id="in without parentheses"),
        pytest.param("a in", "must have '(' before the values at its end", id="in at the end"),
        pytest.param("a in (x", "must have ',' or ')' between values at its end", id="open parentheses"),
        pytest.param("a in (x y)", "must have ',' or ')' between values, not \"y\"", id="values without a comma"),
        pytest.param("a in (=)", "must have a value or ')', not \"=\"", id="an equal sign for a value"),
        pytest.param("a=b,a=c", "asks for two values of a at once: use the operator in", id="two values of one key"),
    ],
)
def test_bad_text_is_refused_with_the_cause(text: str, message: str) -> None:
    with pytest.raises(SelectorError, match=r".") as caught:
        parse(text)
    assert str(caught.value) == message
