from __future__ import annotations

import pytest

from krm_fn.krm.outline import Outline, identity
from krm_fn.krm.outline import read as outline
from krm_fn.yaml import BadYaml

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"


def found(text: str) -> Outline:
    result = outline(text.encode())
    assert result is not None
    return result


def texts(text: str) -> list[str]:
    data = text.encode()
    return [data[item.start : item.end].decode() for item in found(text).items]


@pytest.mark.parametrize(
    ("items", "spans"),
    [
        ("items:\n- a: 1\n- b: 2\n", ["a: 1\n", "b: 2\n"]),
        ("items:\n  - a: 1\n\n  # c\n  - b: 2\n", ["a: 1\n\n  # c\n", "b: 2\n"]),
        ("items:\n-   a: 1\n-\n  b: 2\n", ["a: 1\n", "b: 2\n"]),
        ("items:\n- a: 1\n- # c\n\n  b: 2\n", ["a: 1\n", "b: 2\n"]),
        ("items:\n- a: 1\n# c\n- b: 2\n# d\nother: x\n", ["a: 1\n# c\n", "b: 2\n# d\n"]),
        ("items:\r\n- a: 1\r\n- b: 2\r\n", ["a: 1\r\n", "b: 2\r\n"]),
        ("items:\r- a: 1\r- b: 2\r", ["a: 1\r", "b: 2\r"]),
        ("items:\n- a: é\n- b: 2\n", ["a: é\n", "b: 2\n"]),
        ("items: [{a: 1}, {b: 2}]\n", ["{a: 1}", "{b: 2}"]),
        ("items:\n- a: 1", ["a: 1"]),
        ("items:\n- a: 1\n  ", ["a: 1\n  "]),
        ("items: []\n", []),
        ("items:\n", []),
    ],
    ids=["compact", "indented", "wide and bare", "comment behind the dash", "comments between", "CR LF", "CR", "not ASCII",
         "flow", "no line end", "spaces at the end", "empty", "null"],
)  # fmt: skip
def test_every_style_of_list_has_exact_spans(items: str, spans: list[str]) -> None:
    assert texts(HEAD.replace("\n", "\r" if items.endswith("\r") else "\n") + items) == spans


def test_parts_tell_what_stands_where() -> None:
    text = f'{HEAD}items: []\nfunctionConfig:\n  kind: "é"\nother: &a {{b: c}}\nlast: *a\n'
    data = text.encode()
    parts = found(text).parts
    assert [(part.key, part.shape, part.flow) for part in parts] == [
        ("apiVersion", "scalar", False),
        ("kind", "scalar", False),
        ("items", "sequence", True),
        ("functionConfig", "mapping", False),
        ("other", "mapping", True),
        ("last", "alias", False),
    ]
    assert [data[part.start : part.end].decode() for part in parts][3:] == [
        'functionConfig:\n  kind: "é"\n',
        "other: &a {b: c}\n",
        "last: *a\n",
    ]
    assert data[parts[3].value_start : parts[3].value_end].decode() == 'kind: "é"\n'
    assert parts[1].value == "ResourceList"


def test_a_byte_order_mark_shifts_everything() -> None:
    text = f"\ufeff{HEAD}items:\n- a: é\n- b: 1\n"
    assert texts(text) == ["a: é\n", "b: 1\n"]


@pytest.mark.parametrize("text", ["", "\n\n", "# only\n", "---\n# c\n"[4:]])
def test_an_empty_document_has_no_outline(text: str) -> None:
    assert outline(text.encode()) is None


@pytest.mark.parametrize(
    ("data", "problem", "line", "column"),
    [
        (b"a", "the document is not a mapping", 0, 0),
        (b"- a", "the document is not a mapping", 0, 0),
        (b"? [a]\n: b", "a top-level key must be a string", 0, 2),
        (b"a: 1\nb: 2\na: 3\n", "a key appears twice in one mapping", 2, 0),
        (b"a: 1\n---\nb: 2\n", "a second YAML document begins", 1, 0),
        (b"items:\n- kind: a\n  kind: b\n", "a key appears twice in one mapping", 2, 2),
        (b"a: \xc3\xa9\nb: \xff\n", "not valid UTF-8", 1, 3),
        (b"\xef\xbb\xbfa: \xff\n", "not valid UTF-8", 0, 4),
        ("a: é\nb: é\0\n".encode(), "control characters are not allowed", 1, 4),
        (b"a: 'x\n", "found unexpected end of stream (while scanning a quoted scalar)", 0, 3),
        (b"a:\n- [" + b"[" * 300, "nested too deep", 1, 252),
    ],
)
def test_a_bad_document_is_reported_with_line_and_column(data: bytes, problem: str, line: int, column: int) -> None:
    with pytest.raises(BadYaml) as caught:
        outline(data)
    assert (caught.value.problem, caught.value.line, caught.value.column) == (problem, line, column)


def test_the_first_entry_that_is_no_object_is_noted() -> None:
    assert found(f"{HEAD}items:\n- a: 1\n- x\n- [y]\n").stray == 1


@pytest.mark.parametrize(
    ("items", "crossing"),
    [
        ("- a: &x 1\n  b: *x\n", None),
        ("- &x a: &y {c: d}\n  b: [*x, *y]\n", None),
        ("- &x\n  a: 1\n- *x\n", (5, 1)),
        ("- a: &x 1\n- b: [*x]\n", (4, 1)),
        ("- apiVersion: &x v1\n- kind: *x\n", (4, 1)),
    ],
    ids=["own", "own on key", "entry is an alias", "of another entry", "in the identity"],
)
def test_aliases_to_other_objects_are_noted(items: str, crossing: tuple[int, int] | None) -> None:
    assert found(f"{HEAD}items:\n{items}").crossing == crossing


def test_identity_of_one_entry() -> None:
    assert identity(b"- apiVersion: v1\n  x: [*a]\n  kind: on\n") == ("v1", "", True)
    assert identity(b"- x\n") is None
    with pytest.raises(BadYaml):
        identity(b"- 'x\n")
