from __future__ import annotations

from typing import Any

import pytest

from krm_fn.krm.changes import Changes
from krm_fn.krm.resource_list import read, write
from krm_fn.krm.results import Errors, Result

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
ONE = "- kind: One # kept\n  list:\n    -  x\n"
TWO = "- kind: Two\n"
THREE = "- kind: Three"
CONFIG = "functionConfig:\n  kind: C\n"
NEW = {"kind": "New", "on": "off"}
NEW_TEXT = '- kind: New\n  "on": "off"\n'
SAID = [Result(message="said", severity="info")]
SAID_TEXT = "results:\n- message: said\n  severity: info\n"


def written(text: str, results: list[Result] | None = None, **changes: Any) -> str:
    return b"".join(write(read(text.encode()), Changes(**changes), results or [])).decode()


@pytest.mark.parametrize(
    ("text", "changes", "out"),
    [
        ("items:\n" + ONE + TWO, {"added": (NEW,)}, "items:\n" + ONE + TWO + NEW_TEXT),
        ("items:\n" + ONE + THREE, {"added": (NEW,)}, "items:\n" + ONE + THREE + "\n" + NEW_TEXT),
        ("items:\n" + ONE + CONFIG, {"added": (NEW,)}, "items:\n" + ONE + NEW_TEXT + CONFIG),
        ("items:\n" + ONE + "# on C\n" + CONFIG, {"added": (NEW,)}, "items:\n" + ONE + NEW_TEXT + "# on C\n" + CONFIG),
        ("items:\n  - kind: A\n", {"added": (NEW,)}, 'items:\n  - kind: A\n  - kind: New\n    "on": "off"\n'),
        ("items: []\n" + CONFIG, {"added": (NEW,)}, "items:\n" + NEW_TEXT + CONFIG),
        ("items:\n" + CONFIG, {"added": (NEW,)}, "items:\n" + NEW_TEXT + CONFIG),
        ("items:", {"added": (NEW,)}, "items:\n" + NEW_TEXT),
        ("items: null # c", {"added": (NEW,)}, "items: # c\n" + NEW_TEXT),
        ("items: # a: b\n" + CONFIG, {"added": (NEW,)}, "items: # a: b\n" + NEW_TEXT + CONFIG),
        (CONFIG, {"added": (NEW,)}, CONFIG + "items:\n" + NEW_TEXT),
        ("items:\n" + ONE + TWO + CONFIG, {"removed": frozenset({0})}, "items:\n" + TWO + CONFIG),
        ("items:\n" + ONE + TWO + CONFIG, {"removed": frozenset({1})}, "items:\n" + ONE + CONFIG),
        ("items:\n" + ONE + "# on two\n" + TWO, {"removed": frozenset({0})}, "items:\n# on two\n" + TWO),
        ("items:\n" + ONE + TWO + CONFIG, {"removed": frozenset({0, 1})}, "items: []\n" + CONFIG),
        ("items: # c\n" + ONE, {"removed": frozenset({0})}, "items: [] # c\n"),
        ("items:\n" + ONE, {"removed": frozenset({0}), "added": (NEW,)}, "items:\n" + NEW_TEXT),
        ("items:\n" + ONE + "# c\n" + TWO, {"replaced": {0: NEW}}, "items:\n" + NEW_TEXT + "# c\n" + TWO),
        ("items:\n" + ONE + THREE, {"replaced": {1: NEW}}, "items:\n" + ONE + NEW_TEXT),
        ("items:\n  - # c\n    kind: A\n", {"replaced": {0: NEW}}, 'items:\n  - # c\n    kind: New\n    "on": "off"\n'),
        ("items:\n" + ONE, {"labelled": {0: {"a": "on"}}}, "items:\n" + ONE + '  metadata:\n    labels:\n      a: "on"\n'),
        ("items:\n" + ONE + THREE, {"revised": {1: {"kind": "3"}}}, "items:\n" + ONE + '- kind: "3"'),
        ("items:\n" + ONE, {"removed": frozenset({0}), "revised": {0: {}}, "replaced": {0: {}}}, "items: []\n"),
    ],
    ids=["added", "added without a line end", "added before the rest", "added before a comment on the rest",
         "added in its column", "added to an empty list", "added to null", "added to null at the end",
         "added to null with a comment", "a colon in that comment", "added without items", "removed first", "removed last",
         "comment of the next one stays", "all removed", "all removed with comment", "all removed, one added",
         "replaced keeps what follows", "replaced at the end", "replaced in its place", "labelled", "revised",
         "removed wins"],
)  # fmt: skip
def test_only_what_changes_is_new(text: str, changes: dict[str, Any], out: str) -> None:
    assert written(HEAD + text, **changes) == HEAD + out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("items:\n" + ONE, "items:\n" + ONE + SAID_TEXT),
        ("items:\n" + THREE, "items:\n" + THREE + "\n" + SAID_TEXT),
        ("results:\n- message: old\nitems:\n" + ONE, "items:\n" + ONE + SAID_TEXT),
        ("items:\n" + ONE + "results:\n  - message: old\n" + CONFIG, "items:\n" + ONE + CONFIG + SAID_TEXT),
        ("items: []\nresults: []", "items: []\n" + SAID_TEXT),
        ("", "items: []\n" + SAID_TEXT),
        ("items:\n", "items: []\n" + SAID_TEXT),
        ("items:\n" + ONE + "...\n", "items:\n" + ONE + SAID_TEXT),
    ],
    ids=["none before", "no line end", "before the items", "between", "empty", "no items", "null items", "end marker"],
)
def test_results_take_the_place_of_those_that_came_in(text: str, out: str) -> None:
    assert written(HEAD + text, SAID) == HEAD + out


def test_results_are_gone_when_there_are_none() -> None:
    assert written(HEAD + "results:\n- message: old\nitems:\n" + ONE) == HEAD + "items:\n" + ONE


def test_document_markers_go_since_kpt_refuses_them() -> None:
    text = "%YAML 1.1\n# head\n--- # start\n" + HEAD + "items:\n" + ONE + "...\n# end\n"
    assert written(text) == "# head\n" + HEAD + "items:\n" + ONE + "# end\n"


@pytest.mark.parametrize("line_end", ["\u2028", "\r", "\u0085"], ids=ascii)
def test_markers_stay_where_a_directive_does(line_end: str) -> None:
    text = f"# a{line_end}%YAML 1.1\n---\n{HEAD}items:\n{ONE}"
    assert written(text, SAID) == text + SAID_TEXT


def test_many_comments_at_the_start_of_lines_take_no_time() -> None:
    last = "- kind: Two\n" + "#\n" * 200_000  # by the square of their number, they would take half an hour
    assert written(f"{HEAD}items:\n{ONE}{last}  a: b\n", added=(NEW,)).endswith(f"{last}  a: b\n{NEW_TEXT}")


def test_tag_directives_stay_since_tags_need_them() -> None:
    text = "%TAG !k! tag:example.com,2000:\n---\n" + HEAD + "items:\n- a: !k!x b\n"
    assert written(text, SAID) == text + SAID_TEXT


@pytest.mark.parametrize(
    "text",
    [
        "items:\n- kind: A\n  text: 'one\n# two'\n",
        'items:\n- kind: A\n  text: "one\n# two"\n# "three"\n',
    ],
    ids=["quoted", "quoted and comment"],
)
def test_a_line_in_quotes_that_looks_like_a_comment_goes_with_its_object(text: str) -> None:
    out = written(HEAD + text + TWO, removed=frozenset({0}))
    assert "two" not in out
    assert read(out.encode()).items[0].kind == "Two"


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("items: [{kind: A}, {kind: B}] # c\n", 'items: [{kind: B}, {"kind": "New", "on": "off"}] # c\n' + SAID_TEXT),
        ("items:\n [ {kind: A}, # a\n  {kind: B}, ]\n", 'items:\n [ {kind: B}, {"kind": "New", "on": "off"}, ]\n' + SAID_TEXT),
        ("items:\n  [\n  {kind: A},\n  {kind: B}\n  ]\n",
         'items:\n  [\n  {kind: B},\n  {\n    "kind": "New",\n    "on": "off"\n  }\n  ]\n' + SAID_TEXT),
        ("!!str items: !!seq &s # c\n- kind: A\n- kind: B\n", "!!str items: !!seq &s # c\n- kind: B\n" + NEW_TEXT + SAID_TEXT),
        ('"\\x69tems":\n  -   kind: A\n  -   kind: B\n',
         '"\\x69tems":\n  -   kind: B\n  - kind: New\n    "on": "off"\n' + SAID_TEXT),
        ("items:\n- kind: A\n-\n  kind: B\n? functionConfig\n: {kind: C}\n",
         "items:\n-\n  kind: B\n" + NEW_TEXT + "? functionConfig\n: {kind: C}\n" + SAID_TEXT),
    ],
    ids=["flow list", "comments and a comma at the end", "a line each", "tags and anchor", "escaped key", "explicit key"],
)  # fmt: skip
def test_a_list_of_any_form_is_edited_in_its_place(text: str, out: str) -> None:
    assert written(HEAD + text, SAID, removed=frozenset({0}), added=(NEW,)) == HEAD + out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("items: [{kind: A}] # c\n", "items: [] # c\n"),
        ("items: [\n{kind: A},]\n", "items: [\n]\n"),
        ("items: !!seq # c\n- kind: A\n", "items: [] # c\n"),
    ],
    ids=["flow", "comma at the end", "tag"],
)
def test_a_list_whose_entries_all_go_is_empty(text: str, out: str) -> None:
    assert written(HEAD + text, removed=frozenset({0})) == HEAD + out


def test_braces_around_everything_stay() -> None:
    text = "%YAML 1.1\n--- {apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: [{kind: A, n: 0777, y: n}]} # c\n...\n"
    assert written(text, SAID, added=(NEW,)) == (
        "{apiVersion: config.kubernetes.io/v1, kind: ResourceList, items: [{kind: A, n: 0777, y: n},"
        ' {"kind": "New", "on": "off"}], "results": [{"message": "said", "severity": "info"}]} # c\n'
    )


def test_behind_a_block_scalar_without_a_line_end_nothing_is_written() -> None:
    text = "items:\n- kind: A\n- kind: B\n  text: |\n    no line end"
    out = written(HEAD + text, SAID, added=(NEW,))
    assert out == SAID_TEXT + HEAD + "items:\n- kind: A\n" + NEW_TEXT + "- kind: B\n  text: |\n    no line end"


def test_an_entry_that_shares_its_line_is_not_removed_but_told() -> None:
    with pytest.raises(Errors, match="the first entry of items shares its line with something else"):
        written(HEAD + "? items\n: - kind: A\n  - kind: B\n", removed=frozenset({0}))
    assert (
        written(HEAD + "? items\n: - kind: A\n", added=({"kind": "B"},)) == HEAD + "? items\n: - kind: A\n  - kind: B\n"
    )


def test_untouched_runs_are_views_of_the_input() -> None:
    data = (HEAD + "items:\n" + ONE * 50).encode()
    pieces = write(read(data), Changes(added=(NEW,)), [])
    assert isinstance(pieces[0], memoryview)
    assert pieces[0].obj is data
    assert len(pieces[0]) == len(data)


def test_an_object_that_is_to_be_edited_but_can_not_be_read_is_reported() -> None:
    with pytest.raises(
        Errors, match="an object that is to be edited can't be read: a key appears twice in one mapping"
    ):
        written(HEAD + "items:\n- kind: A\n  a: 1\n  a: 2\n", revised={0: {"kind": "A"}})


def in_turn(*calls: tuple[Any, ...]) -> str:
    """Make calls on the item of a list: `set` with a path, `set_label` without one."""
    found = read((HEAD + "items:\n- kind: A # kept\n  metadata:\n    labels: {a: b}\n  data: {on: 1}\n").encode())
    for key, value, *path in calls:
        found.items[0].set(value, *path, key) if path else found.items[0].set_label(key, value)
    return b"".join(write(found, found.changes, [])).decode()


@pytest.mark.parametrize(
    ("calls", "labels", "data"),
    [
        ([("t", "1"), ("u", "2"), ("t", "3")], '{a: b, "t": "3", "u": "2"}', "{on: 1}"),
        ([("k", 2, "data"), ("l", 3, "data")], "{a: b}", '{on: 1, "k": 2, "l": 3}'),
        ([("t", "1"), ("k", 2, "data")], '{a: b, "t": "1"}', '{on: 1, "k": 2}'),
        ([("k", 2, "data"), ("t", "1")], '{a: b, "t": "1"}', '{on: 1, "k": 2}'),
        ([("t", "1"), ("k", 2, "data"), ("u", "2"), ("l", 3, "data")], '{a: b, "t": "1", "u": "2"}',
         '{on: 1, "k": 2, "l": 3}'),
        ([("t", "1"), ("t", "2", "metadata", "labels")], '{a: b, "t": "2"}', "{on: 1}"),
        ([("t", "2", "metadata", "labels"), ("t", "1")], '{a: b, "t": "1"}', "{on: 1}"),
        ([("t", "1"), ("labels", {"a": "c"}, "metadata")], '{a: "c"}', "{on: 1}"),
        ([("labels", {"a": "c"}, "metadata"), ("t", "1")], '{a: "c", "t": "1"}', "{on: 1}"),
    ],
    ids=["labels", "fields", "a label, a field", "a field, a label", "in turns", "a label as a field",
         "a field as a label", "then all labels", "all labels first"],
)  # fmt: skip
def test_what_is_set_on_one_object_counts_in_the_order_of_the_calls(
    calls: list[tuple[Any, ...]], labels: str, data: str
) -> None:
    assert in_turn(*calls) == f"{HEAD}items:\n- kind: A # kept\n  metadata:\n    labels: {labels}\n  data: {data}\n"


def test_what_was_set_on_an_object_goes_with_it() -> None:
    found = read((HEAD + "items:\n" + ONE + TWO).encode())
    for item in found.items:
        item.set_label("a", "b")
        item.set(1, "spec")
    found.remove(found.items[0])
    out = b"".join(write(found, found.changes, [])).decode()
    assert out == HEAD + "items:\n" + TWO + "  metadata:\n    labels:\n      a: b\n  spec: 1\n"


def test_the_function_config_is_not_removed_nor_another_object_in_its_place() -> None:
    found = read((HEAD + "items:\n" + ONE + TWO + CONFIG).encode())
    assert found.function_config is not None
    with pytest.raises(ValueError, match="functionConfig"):
        found.remove(found.function_config)
    assert found.changes == Changes()


def test_changes_that_were_decided_elsewhere_are_all_even_if_there_are_none() -> None:
    found = read((HEAD + "items:\n" + ONE).encode())
    found.items[0].set_label("a", "b")
    found.add(NEW)
    found.apply(Changes())
    assert found.changes == Changes()
