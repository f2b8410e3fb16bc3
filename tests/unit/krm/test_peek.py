"""Where the shortcut is sure; that it is right then is shown in tests/properties/test_resource_list_spans.py."""

from __future__ import annotations

import pytest

from krm_fn.krm import peek
from krm_fn.krm.items import Item
from krm_fn.krm.peek import identity, shortcut

FIRST = "apiVersion: v1\n  kind: A\n  metadata:\n"
SPEC = "  spec:\n    class: x\n"


def metadata(lines: str, behind: str = SPEC) -> object:
    data = (FIRST + lines + behind).encode()
    found = shortcut(2).metadata(data, 0, len(data))
    assert found is None or data[found[1] :].decode() == behind
    return None if found is None else found[0]


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        ("    name: one\n", {"name": "one"}),
        ("    name: 'one'\n    uid: \"two words\"\n", {"name": "one", "uid": "two words"}),
        ("    labels:\n      a: b\n      c: on\n    name: one\n", {"labels": {"a": "b", "c": True}, "name": "one"}),
        ("    labels: {}\n    generation: 3\n", {"labels": {}, "generation": 3}),
        ("    labels: # c\n      # d\n      a: b # e\n    # f\n    name: one\n", {"labels": {"a": "b"}, "name": "one"}),
        ("    annotations:\n      a: |\n        one\n          two\n      b: c\n", {"annotations": {"a": "one\n  two\n", "b": "c"}}),
        ("    creationTimestamp: null\n    name: http://a:1\n", {"creationTimestamp": None, "name": "http://a:1"}),
    ],
    ids=["plain", "quoted", "labels", "empty and number", "comments", "literal block", "null and colons"],
)  # fmt: skip
def test_the_usual_metadata_are_read_by_lines(lines: str, value: object) -> None:
    assert metadata(lines) == value
    assert metadata(lines, "") == value


@pytest.mark.parametrize(
    "lines",
    [
        "",
        "    labels:\n    name: one\n",
        "    labels:\n      # none\n    name: one\n",
        "    name: one\n    labels:\n",
        "    name: one\n      two: b\n",
        "    name: one\n    name: two\n",
        "    on: one\n",
        "    labels:\n      y: one\n",
        "    labels:\n      a:\n        b: c\n",
        "    finalizers:\n    - a\n",
        "    labels: {a: b}\n",
        "    name: 'it''s'\n",
        '    name: "a\\n"\n',
        "    name: 'a\n    b'\n",
        "    name: &a one\n",
        "    name: *a\n",
        "    name: !!str 1\n",
        "    name: é\n",
        "    annotations:\n      a: >\n        b\n",
        "    annotations:\n      a: |-\n        b\n",
        "    annotations:\n      a: |\n\n        b\n",
        "    annotations:\n      a: |\n       b\n",
        "    ? name\n    : one\n",
        "\n    name: one\n",
    ],
)
def test_unusual_metadata_are_left_to_the_events(lines: str) -> None:
    assert metadata(lines) is None


@pytest.mark.parametrize("behind", ["  # c\n", "  é: x\n"], ids=["comment", "not ASCII"])
def test_a_line_behind_that_might_not_be_a_key_makes_it_unsure(behind: str) -> None:
    data = (FIRST + "    name: one\n" + behind).encode()
    assert shortcut(2).metadata(data, 0, len(data)) is None


def item(spec: str) -> Item:
    data = f"{FIRST}    name: one\n{spec}".encode()
    return Item(data, 0, len(data), 2, 0, "v1", "A")


def read_whole(found: Item) -> bool:
    """Whether somebody had to read the whole object."""
    return isinstance(found._value, dict)


@pytest.mark.parametrize(
    ("spec", "keys"),
    [
        ("  spec:\n    class: x\n    topology:\n      a: 'b'\n  status:\n    other: x\n", ("class", "topology")),
        ("  spec:\n    class: {}\n    list:\n    - \"a\"\n    - name: 'b'\n    text: |\n      x: y\n", None),
        ("  spec:\n    class: x\n    text: 'a\n      b'\n", None),
        ("  spec:\n    class: x\n    class2: [\n      b]\n", None),
        ("  spec: {class: x}\n", None),
        ("  spec:\n    class: &a x\n", None),
        ("  spec:\n    - class\n", None),
        ("  data:\n    class: x\n  spec:\n    class: x\n", None),
    ],
    ids=[
        "lines",
        "a list in the keys' column",
        "quoted lines",
        "flow lines",
        "flow",
        "anchor",
        "list",
        "not the next field",
    ],
)
def test_keys_come_from_the_lines_where_they_can_not_lie(spec: str, keys: tuple[str, ...] | None) -> None:
    found = item(spec)
    whole = item(spec).value()["spec"]
    assert found.keys("spec") == (tuple(whole) if isinstance(whole, dict) else ())
    assert read_whole(found) is (keys is None)


@pytest.mark.parametrize(
    ("spec", "there", "whole"),
    [
        ("  spec:\n    class: x\n    topology:\n      a: b\n", True, False),
        ("  spec:\n    class: 'x'\n    topology:\n      a: b\n", True, False),
        ("  spec:\n    class: x\n", False, False),
        ("  spec:\n    class: topology\n", False, False),
        ("  spec:\n    class: 'x\n    topology:\n      y'\n", False, True),
        ("  spec:\n    class: x\n  status:\n    topology:\n      a: b\n", False, False),
        ("  spec:\n    topology: {}\n", True, False),
        ("  spec: {topology: {}}\n", True, True),
    ],
    ids=["there", "behind a quoted one", "absent", "as a value", "in quotes", "of another field", "empty", "flow"],
)
def test_a_key_is_there_or_not(spec: str, there: bool, whole: bool) -> None:  # noqa: FBT001 - a table
    found = item(spec)
    assert found.has("spec", "topology") is there
    assert read_whole(found) is whole


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("  spec:\n    topology:\n      a: b\n", True),
        ("  spec:\n    topology: x\n", False),
        ("  spec:\n    topology:\n", None),
        ("  spec:\n    class: x\n", None),
        ("  spec:\n    topology: x\n    text: '\n    topology:\n      a: b'\n", False),
    ],
    ids=["mapping", "text", "null", "absent", "text, and a mapping in quotes"],
)
def test_a_field_is_a_mapping_or_not(spec: str, answer: bool | None) -> None:  # noqa: FBT001 - a table
    assert item(spec).is_mapping("spec", "topology") is answer


@pytest.mark.parametrize(
    ("text", "known"),
    [
        (b"apiVersion: v1\nkind: A\nmetadata:\n  name: x\n", ("v1", "A")),
        (b"# c\n\napiVersion: v1\nkind: A\nx: 'y'\n", ("v1", "A")),
        (b"apiVersion: v1\nkind: A\n", None),
        (b"apiVersion: on\nkind: A\nx: y\n", None),
        (b"kind: A\napiVersion: v1\nx: y\n", None),
        (b"apiVersion: v1\nkind: A\nkind: B\n", None),
        (b"apiVersion: v1\nkind: A\nx: y\n'kind': B\n", None),
        (b"apiVersion: v1\nkind: A\nx: y\n---\na: b\n", None),
        (b"apiVersion: v1\nkind: A\nx: y\n...\n", None),
        (b"apiVersion: v1\nkind: A\nx: 'y\n", None),
        (b"apiVersion: v1\nkind: A\nx: " + b"[" * 300 + b"]" * 300 + b"\n", None),
        (b"apiVersion: v1\r\nkind: A\r\nx: y\r\n", None),
    ],
)
def test_the_identity_of_a_document_is_told_where_it_is_sure(text: bytes, known: tuple[str, str] | None) -> None:
    assert identity(text) == known


def test_what_is_remembered_of_keys_and_values_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(peek, "_MANY", 1)
    short = peek.Shortcut(2)
    data = (FIRST + "    name: one\n    uid: two\n").encode()
    assert short.metadata(data, 0, len(data)) == ({"name": "one", "uid": "two"}, len(data))
    assert (len(short.names), len(short.values)) == (1, 1)
