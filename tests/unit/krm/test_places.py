"""Results get the line and column of what they are about, only when there is something to report."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.krm.places import located, spelled
from krm_fn.krm.resource_list import read
from krm_fn.krm.results import FUNCTION_CONFIG, INFO, Related, Result
from krm_fn.krm.streams import read_stream

TEXT = """\
# a comment
apiVersion: v1
kind: A
metadata:
  name: a
  labels:
    env: prod
    a.b/c: "x"
    "a.b/c.d": y
    a.b/c.é: z
spec:
  list:
  - one
  - key: two
  flow: {a: [1, {b: 2}]}
  block: |
    text
  ? complex
  : value
  empty:
"""


def place(text: str, field: str, rule: str = "") -> tuple[int | None, int | None]:
    items = read_stream(text.encode(), "a.yaml")
    result = Result(message="m", rule=rule, **items[0].place(field))
    (found,) = located([result], items, None, stream=False)
    assert found.file_path == "a.yaml"
    return found.line, found.column


@pytest.mark.parametrize(
    ("field", "line", "column"),
    [
        ("", 2, 1),
        ("kind", 3, 7),
        ("metadata", 4, 1),
        ("metadata.name", 5, 9),
        ("metadata.labels.env", 7, 10),
        ("metadata.labels[env]", 7, 10),
        ("metadata.labels.a.b/c", 8, 12),
        ("metadata.labels[a.b/c]", 8, 12),
        ("metadata.labels.a.b/c.d", 9, 16),
        ("metadata.labels.a.b/c.é", 10, 14),
        ("spec.list", 12, 3),
        ("spec.list[0]", 13, 5),
        ("spec.list[1].key", 14, 10),
        ("spec.flow", 15, 9),
        ("spec.flow.a[1].b", 15, 21),
        ("spec.block", 16, 10),
        ("spec.complex", 19, 5),
        ("spec.missing", 11, 1),
        ("spec.list[7].key", 12, 3),
        ("spec.empty", 20, 9),
        ("status.phase", 2, 1),
    ],
)
def test_a_field_is_found_or_its_nearest_parent(field: str, line: int, column: int) -> None:
    assert place(TEXT, field) == (line, column)


def test_an_unknown_field_is_marked_at_its_name() -> None:
    assert place(TEXT, "metadata.labels.env", "unknown-field") == (7, 5)


@pytest.mark.parametrize(
    "text", ['{"apiVersion": "v1", "kind": "A",\n "spec": {"x": 1}}', "{apiVersion: v1, kind: A,\n spec: {x: 1}}"]
)
def test_json_and_flow_style_have_places(text: str) -> None:
    assert place(text, "spec.x")[0] == 2


def test_documents_behind_others_count_from_the_start_of_the_file() -> None:
    items = read_stream(f"{TEXT}---\n{TEXT}".encode(), "a.yaml")
    results = [Result(message=str(at), **item.place("metadata.name")) for at, item in enumerate(items)]
    assert [one.line for one in located(reversed(results), items, None, stream=False)] == [26, 5]


def stream(*entries: str, config: str = "") -> Any:
    text = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n" + "".join(entries)
    return read((text + config).encode())


ENTRY = """\
- # kept
  apiVersion: v1
  kind: A
  metadata:
    name: a
    annotations:
      config.kubernetes.io/index: '0'
      config.kubernetes.io/path: 'dir/a.yaml'
      internal.config.kubernetes.io/index: '0'
      internal.config.kubernetes.io/path: 'dir/a.yaml'
      internal.config.kubernetes.io/seqindent: 'compact'
  spec:
    x: 1
"""


def test_an_object_that_a_host_took_from_a_file_has_the_lines_of_the_file() -> None:
    found = stream(ENTRY)
    (result,) = located([Result(message="m", **found.items[0].place("spec.x"))], found.items, None, stream=True)
    assert result.text() == "dir/a.yaml:7:6: error: m [spec.x]"


def test_annotations_of_the_user_keep_their_lines() -> None:
    found = stream(ENTRY.replace("annotations:\n", "annotations:\n      own: x\n"))
    (result,) = located([Result(message="m", **found.items[0].place("spec.x"))], found.items, None, stream=True)
    assert result.text() == "dir/a.yaml:9:6: error: m [spec.x]"


def test_a_later_object_of_a_file_says_how_lines_are_counted() -> None:
    found = stream(ENTRY, ENTRY.replace("index: '0'", "index: '1'"))
    (result,) = located([Result(message="m", **found.items[1].place("spec.x"))], found.items, None, stream=True)
    assert result.text() == (
        "dir/a.yaml:7:6: error: m (object 2 of that file; lines are counted from the start of that object) [spec.x]"
    )


def test_an_object_without_a_file_has_the_lines_of_the_stream_and_is_named() -> None:
    found = stream("- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n  x: 1\n")
    (result,) = located([Result(message="bad", **found.items[0].place("x"))], found.items, None, stream=True)
    assert result.text() == "stdin:7:6: error: A a: bad [x]"


def test_the_function_config_has_a_place() -> None:
    found = stream(ENTRY, config="functionConfig:\n  apiVersion: v1\n  kind: B\n  metadata: {name: b}\n  x: 1\n")
    assert found.function_config is not None
    result = Result(message="bad", **found.function_config.place("x"))
    assert result.item == FUNCTION_CONFIG
    (result,) = located([result], found.items, found.function_config, stream=True)
    assert result.text() == "stdin:21:6: error: B b: bad [x]"


def test_a_second_place_is_named_in_the_message() -> None:
    items = read_stream(f"{TEXT}---\n{TEXT}".encode(), "a.yaml")
    first = Related(label="the other", item=0, file_path="a.yaml", file_index=0)
    (result,) = located([Result(message="twice", related=(first,), **items[1].place())], items, None, stream=False)
    assert result.text() == "a.yaml:23:1: error: twice (the other: a.yaml:2:1)"


def test_a_second_place_may_be_a_field() -> None:
    items = read_stream(TEXT.encode(), "a.yaml")
    other = Related.at("the flow", items[0].place("spec.flow"))
    (result,) = located([Result(message="m", related=(other,), **items[0].place())], items, None, stream=False)
    assert result.text() == "a.yaml:2:1: error: m (the flow: a.yaml:15:9)"


@pytest.mark.parametrize(
    ("text", "spelling"),
    [
        pytest.param("a: yes", "yes", id="a boolean"),
        pytest.param("a: 0x1F", "0x1F", id="a number"),
        pytest.param("a: {b: c}", "", id="a map"),
        pytest.param("b: c", "", id="absent"),
        pytest.param("a: [", "", id="unreadable"),
    ],
)
def test_the_spelling_of_a_value_is_found(text: str, spelling: str) -> None:
    item = Item.from_span(text.encode(), 0, len(text), 0, 0, "a.yaml", 0)
    assert spelled(item, "a") == spelling


def test_an_info_and_an_object_of_another_file_get_no_place() -> None:
    items = read_stream(TEXT.encode(), "a.yaml")
    quiet = Result(message="m", severity=INFO, **items[0].place("spec"))
    foreign = Result(message="m", **{**items[0].place("spec"), "file_path": "b.yaml"})
    assert [one.line for one in located([quiet, foreign], items, None, stream=False)] == [None, None]


def test_an_object_that_can_not_be_parsed_has_no_place() -> None:
    (item,) = read_stream(b'{"apiVersion": "v1", "kind": "A", "x": "\\ud83d\\ude00"}', "a.json")
    (result,) = located([Result(message="m", **item.place("x"))], [item], None, stream=False)
    assert result.text() == "a.json: error: m [x]"
