from __future__ import annotations

import json
from typing import Any

import pytest

from krm_fn.krm.changes import Changes
from krm_fn.krm.resource_list import read, write
from krm_fn.krm.results import Result

HEAD = '"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"'
ONE = '{"kind":"One","n": 1.0, "e": 1e3, "s": "\\ud83d\\ude00\\/"}'
TWO = '{"kind": "Zwö"}'
NEW = {"kind": "New", "list": [1, "é"]}
NEW_TEXT = '{"kind": "New", "list": [1, "é"]}'
SAID = [Result(message="said", severity="info")]
SAID_TEXT = '"results": [{"message": "said", "severity": "info"}]'


def written(text: str, results: list[Result] | None = None, **changes: Any) -> str:
    return b"".join(write(read(text.encode()), Changes(**changes), results or [])).decode()


@pytest.mark.parametrize(
    ("text", "changes", "out"),
    [
        (f'{HEAD}, "items": [{ONE}, {TWO}]', {}, f'{HEAD}, "items": [{ONE}, {TWO}]'),
        (f'{HEAD}, "items": [{ONE}]', {"added": (NEW,)}, f'{HEAD}, "items": [{ONE}, {NEW_TEXT}]'),
        (f'{HEAD}, "items": []', {"added": (NEW,)}, f'{HEAD}, "items": [{NEW_TEXT}]'),
        (f'{HEAD}, "items": null', {"added": (NEW,)}, f'{HEAD}, "items": [{NEW_TEXT}]'),
        (HEAD, {"added": (NEW,)}, f'{HEAD}, "items": [{NEW_TEXT}]'),
        (HEAD, {}, f'{HEAD}, "items": []'),
        (f'{HEAD}, "items": [{ONE}, {TWO}]', {"removed": frozenset({0})}, f'{HEAD}, "items": [{TWO}]'),
        (f'{HEAD}, "items": [{ONE}, {TWO}]', {"removed": frozenset({1})}, f'{HEAD}, "items": [{ONE}]'),
        (f'{HEAD}, "items": [{ONE}, {TWO}]', {"removed": frozenset({0, 1})}, f'{HEAD}, "items": []'),
        (f'{HEAD}, "items": [{TWO}]', {"removed": frozenset({0}), "added": (NEW,)}, f'{HEAD}, "items": [{NEW_TEXT}]'),
        (f'{HEAD}, "items": [{ONE}, {TWO}]', {"replaced": {1: NEW}}, f'{HEAD}, "items": [{ONE}, {NEW_TEXT}]'),
        (f'{HEAD}, "items": [{TWO}]', {"revised": {0: NEW}}, f'{HEAD}, "items": [{NEW_TEXT}]'),
        (f'{HEAD}, "items": [{TWO}]', {"labelled": {0: {"a": "on"}}},
         f'{HEAD}, "items": [{{"kind": "Zwö", "metadata": {{"labels": {{"a": "on"}}}}}}]'),
    ],
    ids=["nothing", "added", "added to an empty list", "added to null", "added without items", "no items", "removed first",
         "removed last", "all removed", "all removed, one added", "replaced", "revised", "labelled"],
)  # fmt: skip
def test_json_stays_json_and_untouched_objects_keep_their_bytes(text: str, changes: dict[str, Any], out: str) -> None:
    assert written(f"{{{text}}}\n", **changes) == f"{{{out}}}\n"


@pytest.mark.parametrize(
    ("text", "out"),
    [
        (f'{HEAD}, "items": []', f'{HEAD}, "items": [], {SAID_TEXT}'),
        (f'{HEAD}, "results": [{{}}], "items": []', f'{HEAD}, "items": [], {SAID_TEXT}'),
        (f'{HEAD}, "items": [], "results": [{{}}]', f'{HEAD}, "items": [], {SAID_TEXT}'),
        (f'"results": [], {HEAD}, "items": []', f'{HEAD}, "items": [], {SAID_TEXT}'),
    ],
    ids=["none", "between", "last", "first"],
)
def test_results_take_the_place_of_those_that_came_in(text: str, out: str) -> None:
    assert written(f"{{{text}}}", SAID) == f"{{{out}}}"


@pytest.mark.parametrize("step", ["  ", "    ", "\t"])
def test_new_objects_are_indented_as_the_text_is(step: str) -> None:
    value = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": [{"kind": "One"}]}
    text = json.dumps(value, indent=step)
    wanted = {**value, "items": [{"kind": "One"}, NEW], "results": [{"message": "said", "severity": "info"}]}
    assert written(text, SAID, added=(NEW,)) == json.dumps(wanted, indent=step, ensure_ascii=False)


def test_an_escape_that_yaml_does_not_know_stays_as_it_came() -> None:
    out = written(f'{{{HEAD}, "items": [{{"kind": "A", "s": "\\ud800"}}]}}', labelled={0: {"a": "b"}})
    assert json.loads(out)["items"][0]["s"] == "\ud800"


def test_places_are_lines_of_the_text() -> None:
    items = read(f'{{{HEAD},\n"items": [\n{TWO},\n{ONE}]}}'.encode()).items
    assert [item.where() for item in items] == ["items[0], line 3", "items[1], line 4"]
    assert items[1].text.decode() == ONE
