"""Which documents the shortcut takes; that it is right then is shown in tests.properties.test_fast.py."""

from __future__ import annotations

import pytest
import yaml

from krm_fn.krm import fast, outline
from krm_fn.yaml import BadYaml
from tests.properties.test_fast import shape

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
ENTRY = "- apiVersion: v1\n  kind: A\n"


@pytest.mark.parametrize(
    "text",
    [
        HEAD + ENTRY,
        HEAD + ENTRY + "functionConfig:\n  a: b\nresults:\n- message: x\n",
        "items:\n" + ENTRY + "kind: ResourceList\napiVersion: config.kubernetes.io/v1\n",
        HEAD + "# c\n\n" + ENTRY + "# d\n" + ENTRY,
        HEAD.replace("items:", "items: # c") + ENTRY,
        HEAD + "- apiVersion: v1\n  data: {a: 'b'}\n  kind: A\n",
        HEAD + "- kind: A\n  apiVersion: v1\n",
        HEAD + "- # c\n  apiVersion: v1 # d\n  kind: A # e\n",
        HEAD + "- apiVersion: v1\n  kind: 'A'\n",
        HEAD + "- apiVersion: v1\n  kind: A\n  a: &x 1\n  b: *x\n",
        HEAD + "- apiVersion: v1\n  kind: A\n  a: é\n",
        HEAD + "- apiVersion: v1\n  kind: A\n  b: |\n    x",
        HEAD + "- apiVersion: v1\n  kind: A\n  a: " + "[" * 100 + "]" * 100 + "\n" + ENTRY * 9000,
        HEAD + "- apiVersion: v1\n  kind: A\n  a: '" + "{}" * 300 + "'\n",
        HEAD + "- apiVersion: v1\n  kind: A\n  a: |\n" + "    x\n" * 50_000,
        HEAD + "- foo\n",
    ],
    ids=["plain", "rest", "items first", "comments", "comment at items", "late kind", "kind first", "comments of kpt",
         "quoted kind", "own anchor", "not ASCII", "no line end", "brackets in a batch", "brackets in a string", "long entry",
         "no object"],
)  # fmt: skip
def test_the_usual_forms_take_the_shortcut(text: str) -> None:
    short, full = fast.read(text.encode()), outline.read(text.encode())
    assert short is not None
    assert full is not None
    assert shape(short) == shape(full)


def test_license_comments_above_objects_cost_no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outline, "identity", None)  # a call of it would fail
    found = fast.read((HEAD + "- # Copyright\n  # and so on\n  apiVersion: v1\n  kind: A\n  a: b\n" + ENTRY).encode())
    assert found is not None
    assert [(item.api_version, item.kind) for item in found.items] == [("v1", "A")] * 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: b\n",
        HEAD + ENTRY.replace("\n", "\r\n"),
        "\ufeff" + HEAD + ENTRY,
        HEAD + "- a: \0\n",
        HEAD + "- a: x\u2028\n",
        "---\n" + HEAD + ENTRY,
        "%YAML 1.1\n---\n" + HEAD + ENTRY,
        HEAD + ENTRY + "...\n",
        HEAD + ENTRY + "---\na: b\n",
        HEAD.replace("items:", "items: []"),
        HEAD.replace("items:", "items: &a") + ENTRY,
        HEAD.replace("items:", "items: null\nother:") + ENTRY,
        HEAD + "  - a: b\n",
        HEAD + "-\n  a: b\n",
        HEAD + '- "a": b\n',
        HEAD + "- {a: b}\n",
        HEAD + "- a: 'x\n- b'\n",
        HEAD + "- a: 'x\n",
        HEAD + "- a: {\n}\n",
        HEAD + ENTRY + "kind: x\n",
        HEAD + ENTRY + "items:\n- a: b\n",
        HEAD + ENTRY + "'x': y\n",
        "  apiVersion: v1\n" + HEAD + ENTRY,
        "a: 'x\nitems:\n- b'\n" + HEAD + ENTRY,
        HEAD + "- a: &x 1\n- apiVersion: v1\n  kind: A\n  b: *x\n",
        HEAD + "- apiVersion: v1\n  kind: A\n  kind: B\n",
        HEAD + "- a: " + "[" * 300 + "]" * 300 + "\n",
        HEAD + "- a:\n  " + "- " * 110_000 + "x\n",
        "foo\n" + HEAD + ENTRY,
        HEAD + ENTRY + "foo\n",
    ],
)
def test_everything_else_is_left_to_the_full_parse(text: str) -> None:
    assert fast.read(text.encode()) is None


@pytest.mark.parametrize("missing", ["cyaml", "raw_parse"])
def test_without_libyaml_or_its_bare_parse_there_is_no_shortcut(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if missing == "cyaml":
        monkeypatch.delattr(yaml, "cyaml")
    else:
        monkeypatch.setattr(yaml.cyaml, "CParser", object)
    assert not fast.available()
    assert fast.read((HEAD + ENTRY).encode()) is None


def require(*pieces: bytes) -> None:
    cuts = [0]
    for piece in pieces:
        cuts.append(cuts[-1] + len(piece))
    fast.require(cuts, b"".join(pieces))


@pytest.mark.parametrize("pieces", [(b"- a\n", b"- b: 'c'\n"), (b"- a",), (), (b"- {a: [b]}\n# c\n",)])
def test_complete_pieces_are_good(pieces: tuple[bytes, ...]) -> None:
    require(*pieces)


@pytest.mark.parametrize("piece", [b"- 'a\n", b"- [a\n", b"- {a: \n", b"- a: b\n c\n d: e\n", b'- "a\n# b\n'])
def test_an_incomplete_piece_is_refused_whatever_comes_behind_it(piece: bytes) -> None:
    with pytest.raises(yaml.YAMLError):
        require(b"- a\n", piece, b"- b'\n", b"- b]\n", b'- b"\n', b"- b}\n")


@pytest.mark.parametrize("many", [1, 500, 20_000])
def test_brackets_beyond_the_bound_are_walked_one_piece_at_a_time(many: int) -> None:
    require(*[b"- [[a]]\n"] * many)
    with pytest.raises(BadYaml):
        require(*[b"- [[a]]\n"] * many, b"- " + b"[" * 300 + b"]" * 300 + b"\n")


def test_a_document_may_hold_a_list_in_column_0() -> None:
    require(b"a:\n- 'b\n- c'\n")
