"""Label selectors against a naive oracle over everything small, and keys and values against a check by hand."""

from __future__ import annotations

import itertools
import string
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.kube.labels import OPERATORS, LabelSelector, Requirement, label_key_error, label_value_error, parse_selector

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = ("a", "b")
VALUES = ("", "x", "y")
LABELS = [
    {key: value for key, value in zip(KEYS, chosen, strict=True) if value is not None}
    for chosen in itertools.product((None, *VALUES), repeat=len(KEYS))
]
LISTS = [values for size in (1, 2, 3) for values in itertools.combinations(VALUES, size)]
REQUIREMENTS = [
    *(
        Requirement(key=key, operator=operator, values=values)
        for key in KEYS
        for operator in ("In", "NotIn")
        for values in LISTS
    ),
    *(Requirement(key=key, operator=operator) for key in KEYS for operator in ("Exists", "DoesNotExist")),
]


def naive(one: Requirement, labels: dict[str, str]) -> bool:
    """The table of the Kubernetes documentation, row by row: NotIn also takes objects without the key."""
    there = [value for key, value in labels.items() if key == one.key]
    if one.operator == "Exists":
        return len(there) == 1
    if one.operator == "DoesNotExist":
        return len(there) == 0
    listed = [value for value in there if value in list(one.values)]
    return len(listed) == 1 if one.operator == "In" else len(listed) == 0


def subset(match_labels: dict[str, str], labels: dict[str, str]) -> bool:
    return match_labels.items() <= labels.items()


@pytest.mark.parametrize("one", REQUIREMENTS, ids=str)
def test_each_requirement_decides_as_the_table_of_kubernetes(one: Requirement) -> None:
    assert [one.matches(labels) for labels in LABELS] == [naive(one, labels) for labels in LABELS]


@pytest.mark.parametrize("match_labels", LABELS, ids=str)
def test_each_pair_of_requirements_beside_labels_is_all_of_them(match_labels: dict[str, str]) -> None:
    for pair in itertools.combinations_with_replacement(REQUIREMENTS, 2):
        selector = LabelSelector.of(match_labels, pair)
        expected = [subset(match_labels, one) and all(naive(each, one) for each in pair) for one in LABELS]
        assert [selector.matches(labels) for labels in LABELS] == expected, str(selector)
        assert [not selector.first_failure(labels) for labels in LABELS] == expected, str(selector)


def test_no_requirement_matches_everything() -> None:
    assert all(LabelSelector().matches(labels) for labels in LABELS)
    assert LabelSelector().empty


REQUIREMENT = st.sampled_from([one for one in REQUIREMENTS if "" not in one.values])


@given(st.sampled_from(LABELS), st.lists(REQUIREMENT, max_size=4))
def test_the_order_in_which_it_is_written_never_counts(match_labels: dict[str, str], parts: list[Requirement]) -> None:
    forward, backward = LabelSelector.of(match_labels, parts), LabelSelector.of(match_labels, parts[::-1])
    assert forward == backward
    assert str(forward) == str(backward)
    assert forward.as_data() == backward.as_data()
    assert forward.keys == tuple(sorted({*match_labels, *(one.key for one in parts)}))


@given(st.lists(REQUIREMENT, min_size=1, max_size=4))
def test_the_syntax_of_kubectl_reads_back_what_it_writes(parts: list[Requirement]) -> None:
    written = str(LabelSelector.of({}, parts))
    read = parse_selector(written)
    again = LabelSelector.of(
        read.get("matchLabels", {}),
        [
            Requirement(key=one["key"], operator=one["operator"], values=tuple(one.get("values", ())))
            for one in read.get("matchExpressions", ())
        ],
    )
    for labels in LABELS:
        assert again.matches(labels) == all(naive(one, labels) for one in parts)


def test_there_are_four_operators() -> None:
    assert OPERATORS == ("In", "NotIn", "Exists", "DoesNotExist")


# --- keys and values -------------------------------------------------------------------------------------------------

_ENDS = set(string.ascii_letters + string.digits)
_INNER = _ENDS | set("-_.")
_LOWER = set(string.ascii_lowercase + string.digits)


def a_name(text: str) -> bool:
    """At most 63 of letters, digits, `-`, `_`, `.`, with a letter or digit at both ends."""
    return 1 <= len(text) <= 63 and set(text) <= _INNER and {text[0], text[-1]} <= _ENDS


def a_domain(text: str) -> bool:
    """At most 253 in all; parts of lower-case letters, digits and `-`, with a letter or digit at both ends."""
    parts = text.split(".")
    return len(text) <= 253 and all(
        part != "" and set(part) <= _LOWER | {"-"} and {part[0], part[-1]} <= _LOWER for part in parts
    )


def a_key(text: str) -> bool:
    parts = text.split("/")
    return a_name(parts[-1]) and (len(parts) == 1 or (len(parts) == 2 and a_domain(parts[0])))


def everything(alphabet: str, longest: int) -> Iterator[str]:
    for size in range(longest + 1):
        yield from ("".join(letters) for letters in itertools.product(alphabet, repeat=size))


def test_every_short_key_is_judged_as_by_hand() -> None:
    wrong = [text for text in everything("aA0-_./ \n", 4) if (label_key_error(text) == "") != a_key(text)]
    assert wrong == []


def test_every_short_value_is_judged_as_by_hand() -> None:
    right = {text for text in everything("aA0-_. \nä", 4) if label_value_error(text) == ""}
    assert right == {text for text in everything("aA0-_. \nä", 4) if text == "" or a_name(text)}


@given(st.text(alphabet="aZ9-_./", max_size=70) | st.text(max_size=10))
def test_any_key_and_value_is_judged_as_by_hand(text: str) -> None:
    assert (label_key_error(text) == "") == a_key(text)
    assert (label_value_error(text) == "") == (text == "" or a_name(text))


@pytest.mark.parametrize(
    ("key", "error"),
    [
        ("a" * 63, ""),
        ("a" * 64, "has a name part of 64 characters, at most 63 are allowed"),
        ("a" * 253 + "/b", ""),
        ("a" * 254 + "/b", "has a prefix of 254 characters, at most 253 are allowed"),
        ("/a", "has an empty prefix before '/'"),
        ("a/", "has no name part"),
        ("", "has no name part"),
        ("A/b", "has a prefix before '/' that is not a DNS subdomain (lower-case letters, digits, '-', '.')"),
        ("a/b/c", "has a prefix before '/' that is not a DNS subdomain (lower-case letters, digits, '-', '.')"),
        (
            "a b",
            "has a name part that is not letters, digits, '-', '_' or '.', beginning and ending with a letter or digit",
        ),
    ],
)
def test_a_bad_key_is_reported_with_the_rule(key: str, error: str) -> None:
    assert label_key_error(key) == error


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ("a" * 63, ""),
        ("a" * 64, "is 64 characters long, at most 63 are allowed"),
        ("-a", "must be letters, digits, '-', '_' or '.', and begin and end with a letter or digit"),
        ("a\n", "must be letters, digits, '-', '_' or '.', and begin and end with a letter or digit"),
    ],
)
def test_a_bad_value_is_reported_with_the_rule(value: str, error: str) -> None:
    assert label_value_error(value) == error


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({}, "a=x: the label is absent"),
        ({"a": "y"}, "a=x: the label is 'y'"),
        ({"a": "x", "b": "y"}, "b in (x): the label is 'y'"),
        ({"a": "x"}, "b in (x): the label is absent"),
        ({"a": "x", "b": "x"}, ""),
    ],
)
def test_the_first_requirement_that_fails_is_named(labels: dict[str, str], reason: str) -> None:
    selector = LabelSelector.of({"a": "x"}, [Requirement(key="b", operator="In", values=("x",))])
    assert selector.first_failure(labels) == reason
