"""Reading a metav1.LabelSelector as any object may hold it."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.kube.labels import MATCHES_NOTHING, LabelSelector


def test_order_and_repetition_do_not_matter() -> None:
    one = {"key": "a", "operator": "In", "values": ["x", "y", "x"]}
    two = {"key": "b", "operator": "Exists"}
    read = LabelSelector.read({"matchLabels": {"d": "1", "c": "2"}, "matchExpressions": [two, one, two]})
    assert read == LabelSelector.read({"matchLabels": {"c": "2", "d": "1"}, "matchExpressions": [one, two]})
    assert str(read) == "c=2,d=1,a in (x,y),b"


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"matchLabels": []},
        {"matchLabels": {"a": 1}},
        {"matchExpressions": {}},
        {"matchExpressions": ["a"]},
        {"matchExpressions": [{"operator": "Exists"}]},
        {"matchExpressions": [{"key": "a", "operator": "exists"}]},
        {"matchExpressions": [{"key": "a", "operator": "In", "values": "x"}]},
        {"matchExpressions": [{"key": "a", "operator": ["In"]}]},
    ],
)
def test_one_that_no_server_would_take_is_none(data: Any) -> None:
    assert LabelSelector.read(data) is None


def test_the_one_for_such_cases_matches_nothing() -> None:
    assert not MATCHES_NOTHING.matches({})
    assert not MATCHES_NOTHING.matches({"a": "b"})
