from __future__ import annotations

import pytest

from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_documents, read_stream


def names(data: bytes) -> list[str]:
    return [item.name for item in read_stream(data, "a.yaml")]


def cm(name: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("# only a comment\n---\n\n--- # another\n...\n", [], id="nothing but comments and marks"),
        pytest.param(cm("a"), ["a"], id="one document"),
        pytest.param(f"{cm('a')}---\n{cm('b')}", ["a", "b"], id="two"),
        pytest.param(f"---\n# c\n{cm('a')}...\n# d\n---\n{cm('b')}...\n", ["a", "b"], id="with ends of documents"),
        pytest.param(f"{cm('a')}---\nnull\n---\n~\n--- # c\n{cm('b')}", ["a", "b"], id="null documents"),
        pytest.param("--- {apiVersion: v1, kind: A, metadata: {name: a}}\n---\n" + cm("b"), ["a", "b"], id="on the line of the mark"),
        pytest.param("\ufeff" + cm("a"), ["a"], id="byte order mark"),
        pytest.param("\ufeff---\n" + cm("a"), ["a"], id="byte order mark before a mark"),
        pytest.param(cm("a").replace("\n", "\r\n") + "---\r\n" + cm("b").replace("\n", "\r\n"), ["a", "b"], id="CRLF"),
        pytest.param("%YAML 1.1\n---\n" + cm("a"), ["a"], id="a directive"),
        pytest.param(f"{cm('a')}...\n%YAML 1.1\n--- # c\n{cm('b')}---\n{cm('c')}", ["a", "b", "c"], id="a directive between"),
        pytest.param("# c\n%YAML 1.1\n# d\n---\n" + cm("a"), ["a"], id="a directive below a comment"),
        pytest.param('{"apiVersion": "v1", "kind": "A", "metadata": {"name": "\\ud83d\\ude00\\/"}}', ["😀/"], id="JSON"),
        pytest.param(cm("a") + "data:\n  x: |\n    ---\n    y\n", ["a"], id="a mark inside a block"),
        pytest.param("apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: A\n  metadata: {name: a}\n- apiVersion: v1\n  kind: A\n  metadata:\n    name: b\n", ["a", "b"], id="a List"),
        pytest.param("apiVersion: v1\nkind: List\nitems: []\n", [], id="an empty List"),
        pytest.param('{"kind": "List", "apiVersion": "v1", "items": [{"apiVersion": "v1", "kind": "A", "metadata": {"name": "\\ud83d\\ude00"}}]}', ["😀"], id="a List in JSON"),
        pytest.param("apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: a}\n", ["a"], id="a typed list"),
        pytest.param("kind: List\napiVersion: v1\nitems:\n- &a {apiVersion: v1, kind: A, metadata: &m {name: a}}\n- {apiVersion: v1, kind: B, metadata: *m}\n", ["a", "a"], id="an anchor across the entries of a List"),
        pytest.param("apiVersion: x.y/v1\nkind: PriceList\nmetadata: {name: a}\n", ["a"], id="a kind that only sounds like a List"),
    ],
)  # fmt: skip
def test_a_stream_gives_its_objects(text: str, expected: list[str]) -> None:
    assert names(text.encode()) == expected


def test_items_know_their_file_and_place_in_it() -> None:
    text = f"# c\n---\n{cm('a')}---\napiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: A}}\n- {{apiVersion: v1, kind: B}}\n"
    items = read_stream(text.encode(), "x/a.yaml")
    assert [(item.position, item.where()) for item in items] == [
        (0, "x/a.yaml (object 1)"),
        (1, "x/a.yaml (object 2)"),
        (2, "x/a.yaml (object 3)"),
    ]
    assert [item.kind for item in items] == ["ConfigMap", "A", "B"]


def test_a_typed_list_lends_its_kind() -> None:
    (item,) = read_stream(b"apiVersion: v1\nkind: SecretList\nitems:\n- metadata: {name: a}\n")
    assert (item.api_version, item.kind) == ("v1", "Secret")


def test_documents_cover_the_whole_stream() -> None:
    text = f"# c\n%YAML 1.1\n---\n{cm('a')}...\n# d\n%YAML 1.1\n---\n{cm('b')}---\n".encode()
    documents = read_documents(text)
    assert b"".join(text[one.start : one.end] for one in documents) == text


@pytest.mark.parametrize(
    ("data", "message"),
    [
        pytest.param(b"apiVersion: v1\nkind: A\n---\na: [\n", r"a\.yaml:5:1: error: invalid YAML: a value is missing, or brackets are not closed", id="syntax"),
        pytest.param(b"a: b\xff\n", r"a\.yaml:1:5: error: can't be read: not valid UTF-8; save it as UTF-8", id="not UTF-8"),
        pytest.param("a: b\n".encode("utf-16"), r"a\.yaml:1:1: error: can't be read: not valid UTF-8", id="UTF-16"),
        pytest.param(b"# c\n- a\n", r"a\.yaml:1:1: error: not a Kubernetes object: it is a list; write its objects without dashes", id="a list"),
        pytest.param(b"---\nhello\n", r"a\.yaml:2:1: error: not a Kubernetes object: it is a plain value", id="a scalar"),
        pytest.param(b"version: '3'\nservices: {}\n", r"not a Kubernetes object: it has no apiVersion$", id="Compose"),
        pytest.param(b"permissions: {}\non: push\n", r"not a Kubernetes object: it has no apiVersion$", id="a workflow"),
        pytest.param(b"kind: A\n", r"not a Kubernetes object: it has no apiVersion; add it", id="no apiVersion"),
        pytest.param(b"apiVersion: v1\nKind: A\n", r"a\.yaml:2:1: error: Kind is not a known field: did you mean kind\?", id="a wrong letter"),
        pytest.param(b"apiVersion: v1\nkind: 1\n", r"a\.yaml:2:1: error: not a Kubernetes object: kind must be a text", id="a kind that is no string"),
        pytest.param(b"apiVersion: v1\nkind: List\nitems: [1]\n", "an entry that is not an object", id="a List of numbers"),
        pytest.param(b"apiVersion: v1\nkind: List\nitems: [{apiVersion: v1}]\n", "an entry without apiVersion or kind", id="a List of nameless objects"),
        pytest.param(b"apiVersion: v1\nkind: A\n...\nb: 1\n", r"a\.yaml:1:1: error: text follows the end of a document", id="text behind the end"),
        pytest.param(b'{"a": "\\ud83d\\ude00"', r"invalid YAML", id="broken JSON"),
        pytest.param(b"apiVersion: v1\nkind: A\na: 1\na: 2\n", r"twice", id="a key twice in a document that looks usual"),
    ],
)  # fmt: skip
def test_what_can_not_be_read_is_named_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(Errors, match=message):
        [item.value() for item in read_stream(data, "a.yaml")]


def test_all_broken_documents_are_reported_at_once() -> None:
    with pytest.raises(Errors) as found:
        read_stream(b"a: [\n---\nb: }\n", "a.yaml")
    assert len(found.value.results) == 2
