from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn.files.documents import Tree
from krm_fn.files.finding import Rules
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_stream

if TYPE_CHECKING:
    from pathlib import Path


def cm(name: str, more: str = "") -> str:
    return f"apiVersion: v1\nkind: ConfigMap # c\nmetadata:\n  name: '{name}'\n{more}"


def value(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}


def tree(folder: Path, files: dict[str, str], **rules: Any) -> Tree:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text.encode())
    return Tree.read([str(folder)], rules=Rules(**rules))


def stream(found: Tree, changes: Changes | None = None) -> str:
    return b"".join(found.stream(changes or Changes())).decode()


def test_items_count_through_all_files_in_sorted_order(tmp_path: Path) -> None:
    found = tree(tmp_path, {"b.yaml": cm("3"), "a/z.yml": cm("1"), "a.json": '{"apiVersion": "v1", "kind": "A", "metadata": {"name": "0"}}', "b/x.yaml": cm("2")})  # fmt: skip
    assert [(item.position, item.name) for item in found.items] == [(0, "1"), (1, "0"), (2, "2"), (3, "3")]
    assert found.items[0].file_path == f"{tmp_path}/a/z.yml"
    assert found.results == ()


def test_untouched_files_make_a_stream_of_their_own_bytes(tmp_path: Path) -> None:
    one, two = f"# head\n{cm('a')}\n# tail", f"---\n{cm('b')}---\n# c\n{cm('c')}"
    found = tree(tmp_path, {"1.yaml": one, "2.yaml": two, "3.yaml": "# nothing\n", "4.yaml": "\ufeff" + cm("d")})
    assert stream(found) == f"{one}\n{two}---\n{cm('d')}"


@pytest.mark.parametrize(
    ("text", "changes", "expected"),
    [
        pytest.param(f"# h\n{cm('a')}---\n{cm('b')}", Changes(removed=frozenset({0})), f"---\n{cm('b')}", id="first removed"),
        pytest.param(f"{cm('a')}--- # x\n{cm('b')}", Changes(removed=frozenset({1})), cm("a"), id="last left out"),
        pytest.param(f"{cm('a')}--- # x\n{cm('b')}", Changes(labelled={0: {"k": "v"}}), f"{cm('a')}  labels:\n    k: v\n--- # x\n{cm('b')}", id="labelled"),
        pytest.param(f"{cm('a')}...\n# y\n---\n{cm('b')}", Changes(labelled={0: {"k": "v"}}), f"{cm('a')}  labels:\n    k: v\n...\n# y\n---\n{cm('b')}", id="labelled before an end of document"),
        pytest.param(cm("a"), Changes(revised={0: {**value("a"), "data": {"k": "on"}}}), cm("a") + 'data:\n  k: "on"\n', id="revised"),
        pytest.param(f"{cm('a')}---\n{cm('b')}", Changes(replaced={0: value("z")}), f"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: z\n---\n{cm('b')}", id="replaced"),
        pytest.param(cm("a").rstrip("\n"), Changes(added=(value("z"),)), cm("a") + "---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: z\n", id="added"),
        pytest.param(f"{cm('a')}---\n# only a comment\n", Changes(removed=frozenset({0})), "", id="nothing left but comments"),
        pytest.param(f"{cm('a')}...\n%YAML 1.1\n---\n{cm('b')}", Changes(), f"{cm('a')}...\n%YAML 1.1\n---\n{cm('b')}", id="directives"),
        pytest.param(f"{cm('a')}---\n{cm('b')}...\n%YAML 1.1\n---\n{cm('c')}", Changes(removed=frozenset({1})), f"{cm('a')}...\n%YAML 1.1\n---\n{cm('c')}", id="left out before a directive"),
        pytest.param("--- {apiVersion: v1, kind: A}\n", Changes(labelled={0: {"k": "v"}}), '--- {apiVersion: v1, kind: A, "metadata": {"labels": {"k": "v"}}}\n', id="a document on the line of its mark"),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1 # x\n  kind: A\n- apiVersion: v1\n  kind: B\n  text: 'x\n y'\n- apiVersion: v1\n  kind: C\n",
            Changes(labelled={0: {"k": "v"}}, removed=frozenset({2})),
            "apiVersion: v1 # x\nkind: A\nmetadata:\n  labels:\n    k: v\n---\n  apiVersion: v1\n  kind: B\n  text: 'x\n y'\n",
            id="a List of which something changes",
        ),
    ],
)  # fmt: skip
def test_changes_touch_their_documents_alone(tmp_path: Path, text: str, changes: Changes, expected: str) -> None:
    found = tree(tmp_path, {"a.yaml": text})
    result = stream(found, changes)
    assert result == expected
    assert len(read_stream(result.encode())) == len(found.items) - len(changes.removed) + len(changes.added)


def test_a_file_that_begins_with_a_directive_ends_the_document_before_it(tmp_path: Path) -> None:
    found = tree(tmp_path, {"1.yaml": cm("a"), "2.yaml": f"%YAML 1.1\n---\n{cm('b')}"})
    assert stream(found) == f"{cm('a')}...\n%YAML 1.1\n---\n{cm('b')}"
    assert len(read_stream(stream(found).encode())) == 2


def test_contents_are_the_files_without_those_that_hold_nothing(tmp_path: Path) -> None:
    found = tree(
        tmp_path, {"a.yaml": cm("a"), "d/b.yaml": "\ufeff" + cm("b"), "c.yaml": "# nothing\n", "e.yaml": cm("e")}
    )
    contents = found.contents(Changes(labelled={1: {"k": "v"}}, removed=frozenset({2})))
    assert contents == {
        "a.yaml": cm("a").encode(),
        "d/b.yaml": f"\ufeff{cm('b')}  labels:\n    k: v\n".encode(),
    }


def test_several_folders_keep_their_names_in_the_contents(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tree(tmp_path / name, {"x.yaml": cm(name)})
    assert sorted(Tree.read([str(tmp_path / "a"), str(tmp_path / "b")]).contents(Changes())) == ["a/x.yaml", "b/x.yaml"]


def test_two_files_of_one_name_can_not_share_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        tree(tmp_path / name, {"x.yaml": cm(name)})
    found = Tree.read([str(tmp_path / "a" / "x.yaml"), str(tmp_path / "b" / "x.yaml")])
    with pytest.raises(Errors, match=r"would both be written to x\.yaml"):
        found.contents(Changes())


def test_stdin_is_read_for_a_dash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(cm("a").encode())))
    found = Tree.read(["-"])
    assert [(item.name, item.file_path) for item in found.items] == [("a", "stdin")]
    assert list(found.contents(Changes())) == ["stdin.yaml"]


def test_the_caller_may_not_want_an_object(tmp_path: Path) -> None:
    tree(tmp_path, {"a.yaml": f"{cm('a')}---\n{cm('b')}", "b.yaml": cm("a")})
    found = Tree.read([str(tmp_path)], wanted=lambda path, item: item.name != "a" or path.endswith("x"))
    assert [(item.position, item.name) for item in found.items] == [(0, "b")]
    assert stream(found) == f"---\n{cm('b')}"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("replicas: 3\n", "it has no apiVersion", id="values"),
        pytest.param(f"{cm('b')}---\napiVersion: cluster.x-k8s.io/v1beta2\n", "it has no kind; add it", id="cut"),
        pytest.param("- a\n", "it is a list", id="a list"),
        pytest.param("text\n", "it is a plain value", id="text"),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems: [3]\n", "a List holds an entry that is not an object", id="entry"
        ),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: [{kind: A}]}]\n",
            "a List holds an entry without apiVersion or kind",
            id="entry of an entry",
        ),
        pytest.param("apiVersion: v1\nkind: List\nitems: {a: b}\n", "a List whose items are not a list", id="items"),
        pytest.param(
            "apiVersion: v1\nkind: List\nitems: [{apiVersion: v1, kind: List, items: x}]\n",
            "a List whose items are not a list",
            id="items of an entry",
        ),
    ],
)
def test_a_document_that_is_no_object_is_an_error_that_says_how_to_leave_it_out(
    tmp_path: Path, text: str, reason: str
) -> None:
    with pytest.raises(Errors) as found:
        tree(tmp_path, {"a.yaml": cm("a"), "values.yaml": text})
    (error,) = found.value.results
    assert reason in error.message
    assert error.file_path == f"{tmp_path}/values.yaml"
    assert error.line
    assert error.message.endswith("(to leave the file out: --exclude /values.yaml)")
    assert tree(tmp_path, {}, exclude=("values.yaml",)).items[0].name == "a"
    (warning,) = tree(tmp_path, {}, rendered=True).results
    assert warning.severity == "warning"


@pytest.mark.parametrize("header", ["|", "|+", ">", "|2"])
def test_a_file_that_ends_within_a_block_scalar_keeps_its_value_before_another(tmp_path: Path, header: str) -> None:
    text = f"# c\n{cm('a')}data:\n  k: 'x' # c\n  text: {header}\n    one\n    two"
    found = tree(tmp_path, {"1.yaml": text, "2.yaml": cm("b")})
    before = found.items[0].value()
    assert isinstance(before["data"], dict)
    shown = stream(found)
    assert shown.startswith(f"# c\n{cm('a')}data:\n  k: 'x' # c\n")
    first, second = read_stream(shown.encode())
    assert first.value() == before
    assert second.name == "b"


def test_lists_are_unfolded_at_any_depth(tmp_path: Path) -> None:
    inner = (
        "{apiVersion: v1, kind: ConfigMapList, items: [{metadata: {name: b}}, {apiVersion: v1, kind: List, items: []}]}"
    )
    text = f"apiVersion: v1\nkind: List\nitems:\n- {{apiVersion: v1, kind: A, metadata: {{name: a}}}}\n- {inner}\n- {{apiVersion: v1, kind: C, metadata: {{name: c}}}}\n"
    found = tree(tmp_path, {"a.yaml": text})
    assert [(item.kind, item.name, item.position) for item in found.items] == [
        ("A", "a", 0),
        ("ConfigMap", "b", 1),
        ("C", "c", 2),
    ]
    assert stream(found) == text
    assert stream(found, Changes(removed=frozenset({0}))).count("---") == 1


def test_a_file_given_by_name_that_is_no_object_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "values").write_text("replicas: 3\n")
    with pytest.raises(Errors, match="not a Kubernetes object"):
        Tree.read([str(tmp_path / "values")])


def test_all_errors_are_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [\n")
    (tmp_path / "b.yaml").write_bytes(b"\xff")
    with pytest.raises(Errors) as found:
        Tree.read([str(tmp_path), str(tmp_path / "missing")])
    assert len(found.value.results) == 3


def test_an_object_that_can_not_be_edited_is_named(tmp_path: Path) -> None:
    found = tree(tmp_path, {"a.yaml": cm("a", "data:\n  a: 1\n  a: 2\n").replace(" # c", "")})
    with pytest.raises(
        Errors, match=rf"can't be edited: a key appears twice in one mapping: {tmp_path}/a.yaml \(object 1\)"
    ):
        stream(found, Changes(revised={0: value("a")}))
