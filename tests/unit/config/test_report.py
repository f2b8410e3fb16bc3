"""`config.report`: paths, and what may be shown of a value."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.base import nearest
from krm_fn.config.report import Log, Place
from krm_fn.kube.secrets import quoted
from tests.support.configs import TOKEN, changed, results_of


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("text", "text", id="text"),
        pytest.param(True, "true", id="a boolean"),
        pytest.param(None, "null", id="null"),
        pytest.param(1.5, "1.5", id="a number"),
        pytest.param("a\nb\x1b", "a b\ufffd", id="control characters"),
        pytest.param(" Render\n", " Render ", id="whitespace at the ends"),
        pytest.param("x" * 61, "x" * 59 + "…", id="a long text"),
        pytest.param(10**5000, "a very long number", id="a number too long for Python to print"),
        pytest.param(f"pre{TOKEN}", "pre(hidden)", id="a bootstrap token"),
        pytest.param("eyJhbGciOiJSUzI1NiJ9.e30.x", "(hidden)", id="a JWT"),
    ],
)
def test_a_value_is_shown_as_one_short_line(value: object, expected: str) -> None:
    assert quoted(value) == expected


@pytest.mark.parametrize(
    ("value", "in_the_open", "in_private"),
    [
        pytest.param(None, "nothing", "nothing", id="null"),
        pytest.param(False, "the boolean false", "a boolean", id="a boolean"),
        pytest.param(5, "the number 5", "a number", id="a number"),
        pytest.param("x", 'the string "x"', "a string", id="a string"),
        pytest.param("", "a string", "a string", id="an empty string"),
        pytest.param([1], "a list", "a list", id="a list"),
        pytest.param({}, "an object", "an object", id="an object"),
    ],
)
def test_a_private_place_names_the_type_alone(value: object, in_the_open: str, in_private: str) -> None:
    assert Place(Log({}), "a").described(value) == in_the_open
    assert Place(Log({}), "a", private=True).field("b").entry(0).described(value) == in_private


def test_paths_are_written_as_kubernetes_does() -> None:
    assert Place(Log({}), "").field("spec").field("a").entry(2).key("x.y/z").path == "spec.a[2][x.y/z]"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("spec.agent", True, id="above"),
        pytest.param("spec.agent.env", True, id="the same"),
        pytest.param("spec.agent.env[0].name", True, id="below"),
        pytest.param("spec.agent.environment", False, id="beginning alike"),
        pytest.param("spec.hub", False, id="beside"),
    ],
)
def test_an_error_breaks_what_is_above_and_below_it(path: str, *, expected: bool) -> None:
    log = Log({})
    Place(log, "spec.agent.env").error("is bad", "test")
    assert log.broken(path) is expected


def test_a_warning_breaks_nothing() -> None:
    log = Log({})
    Place(log, "spec").warn("is odd", "test")
    assert not log.broken("spec")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("PARENTURL", "parentURL", id="other capitals"),
        pytest.param("parent-url", "parentURL", id="a dash"),
        pytest.param("parentUrI", "parentURL", id="a typo"),
        pytest.param("qqq", "", id="nothing near"),
    ],
)
def test_the_nearest_name_is_found(name: str, expected: str) -> None:
    assert nearest(name, ["mode", "parentURL"]) == expected


def test_a_long_name_is_near_no_name_that_shares_half_of_its_letters() -> None:
    assert nearest("permissions", ["apiVersion", "kind", "metadata", "spec"]) == ""
    assert nearest("metadata\n    name", ["apiVersion", "kind", "metadata", "spec"]) == "metadata"


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"agent.env": [TOKEN]}, id="as an object of a list"),
        pytest.param({"agent.imagePullSecrets": TOKEN}, id="as a list"),
        pytest.param({"clusterSelector": {"env": TOKEN}}, id="as a label beside matchLabels"),
        pytest.param({"clusterSelector": f"env={TOKEN}"}, id="in a selector of kubectl's"),
    ],
)
def test_a_token_in_the_place_of_another_value_is_in_no_part_of_an_error(changes: dict[str, Any]) -> None:
    errors = results_of(changed(changes))

    assert errors
    assert not [one for one in errors if TOKEN in f"{one.message}{one.field}{one.fix}{one.current}{one.proposed}"]


def test_ten_thousand_errors_take_time_in_proportion() -> None:
    log = Log({})
    for index in range(10_000):
        place = Place(log, "spec").field("agent").field("env").entry(index)
        assert not log.broken(place.path)
        place.error("is wrong", "type")
    assert log.broken("spec.agent.env[5].name")
    assert log.broken("spec.agent")
    assert not log.broken("spec.agen")
