"""What is wrong with a text, in plain words: the cause that a person can see, where it is, and what to do."""

from __future__ import annotations

import pytest

from krm_fn.yaml import BadYaml
from krm_fn.yaml.explain import explained, is_table
from krm_fn.yaml.read import load

TEXT = "kind: ResourceList\n"
OTHER = "fix the syntax there; if the file is truncated, fix whatever writes it"


VARIABLE = "a variable (${…}) is not substituted; do that first (clusterctl generate, envsubst), or put it in quotes"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_another_encoding_is_named(encoding: str) -> None:
    said, _, _ = explained(BadYaml("not valid UTF-8"), TEXT.encode(encoding))
    assert said == f"not valid UTF-8; it is {encoding[:6].upper()}: save it as UTF-8"


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 40, b"a", b"\x1f\x8b\x08\0\0\0\0\0", b"abc\0defg", "é".encode("latin-1")], ids=repr
)
def test_what_is_no_text_is_not_called_an_encoding(data: bytes) -> None:
    assert explained(BadYaml("not valid UTF-8"), data)[0].endswith("; save it as UTF-8, and keep binary data out")


@pytest.mark.parametrize(
    ("text", "said", "line", "column"),
    [
        pytest.param("a:\n\tb: 1\n", "a tab where YAML wants spaces; replace it with spaces", 1, 0, id="a tab"),
        pytest.param("a: @x\n", "a value can't begin with @; put it in quotes", 0, 3, id="a reserved character"),
        pytest.param("a:\n  b: {{ .Values.x }}\n", "a template expression ({{ … }}), which is not YAML", 1, None, id="Helm"),
        pytest.param("{{- if .x }}\na: b\n{{- end }}\n", "a template expression ({{ … }})", 0, None, id="Helm's if"),
        pytest.param("a: 'x\nb: 1\n", "a quote is opened here and never closed; close it", 0, 3, id="a quote"),
        pytest.param("a: [x\nb: 1\n", "brackets", None, None, id="a bracket"),
        pytest.param("a: {x: 1\n", "a map in braces is not closed, or a comma is missing", None, None, id="a brace"),
        pytest.param("a: b: c\n", "a ':' where no field can begin; put the value in quotes", 0, 4, id="two colons"),
        pytest.param("a: 1\n  b: 2\n", "this line is indented further than the field above it, which has a value already", 1, 2, id="indented too far"),
        pytest.param("a:\n  b: 1\n c: 2\n", "this line is indented by 1 space, a field above it by 2", 2, 1, id="between levels"),
        pytest.param("a:\n  b: 1\n  c: 2\n d: 3\n", "this line is indented by 1 space, a field above it by 2", 3, 1, id="after a field"),
        pytest.param("  a: 1\nb: 2\n", "this line is indented further than the fields below it", 0, 2, id="the first line"),
        pytest.param("- a: 1\nb: 2\n", "this line is in the column of the '-' above it", 1, 0, id="beside a list"),
        pytest.param("a: 1\nb\nc: 2\n", "a ':' is missing here; write it as name: value", 1, 1, id="no colon"),
        pytest.param("a: 1\nb 1\nc: 2\n", "a ':' is missing here", 1, 1, id="no colon before a value"),
        pytest.param("- a 1\n  c: 2\n", "a ':' is missing here", 0, 3, id="no colon in an entry"),
        pytest.param("a:1\nc: 2\n", "a space is missing after ':'; write it as name: value", 0, 1, id="no space behind a colon"),
        pytest.param("a=1\nc: 2\n", "'=' in place of ':'; write it as name: value", 0, 1, id="an equals sign"),
        pytest.param("a:\n  -b: 1\n   c: 2\n", "a space is missing after '-'", 1, 2, id="no space behind a dash"),
        pytest.param("// note\na: 1\n", "a comment begins with #", 0, 0, id="a comment of another language"),
        pytest.param('a: "x\nb: "y"\n', "a quote is opened here and never closed", 0, 3, id="a quote closed by the next one"),
        pytest.param("a:\n\u00a0 b: 1\nc: 1\n  d: 2\n", "a no-break space (U+00A0)", 1, 0, id="a no-break space"),
        pytest.param("a:\n  b\uff1a1\n  c: 1\n", "a full-width colon (U+FF1A)", 1, 3, id="a full-width colon"),
        pytest.param("a:\n  b: 1\n  \u2013 c\n", "an en dash (U+2013)", 2, 2, id="a typographic dash"),
        pytest.param("a:\n  keys: [${KEYS}]\n", VARIABLE, 1, 9, id="a variable in brackets"),
        pytest.param("a: {name: ${NAME}, b: c}\n", VARIABLE, 0, 10, id="a variable in braces"),
        pytest.param("a: b\n${MORE}\n---\n", VARIABLE, 1, 0, id="a variable in place of fields"),
        pytest.param("${KEY}: b\nc d\n", "a ':' is missing here", 1, 1, id="a variable that is a key"),
        pytest.param('{"a": "x"\n "b": 2}\n', "a comma is missing here", 0, 9, id="a comma in JSON"),
        pytest.param('{"a": 1\n "b": 2}\n', "a comma is missing here", 0, 7, id="a comma behind a number"),
        pytest.param('{"a": 1\n "b": 2\n "c": 3}\n', "is not closed, or a comma is missing", 0, 0, id="two commas in JSON"),
        pytest.param("a: |\n  {{ x }}\n  \tb\nb: @\n", "a value can't begin with @", 3, 3, id="a block is no YAML"),
        pytest.param("a: !x!y 1\n", "a value that begins with ! must be in quotes", 0, None, id="a tag"),
        pytest.param("a: *.example.com\n", "a value that begins with * or & must be in quotes", 0, None, id="an asterisk"),
        pytest.param(
            "a: 1\n<<<<<<< HEAD\nb: 1\n=======\nb: 2\n>>>>>>> x\n", "a merge conflict is not resolved", 1, 0, id="a conflict"
        ),
    ],
)  # fmt: skip
def test_slips_are_explained_in_plain_words(text: str, said: str, line: int | None, column: int | None) -> None:
    with pytest.raises(BadYaml) as caught:
        load(text)
    words, at, where = explained(caught.value, text.encode())
    assert said in words
    assert "while" not in words
    assert "token" not in words
    if line is not None:
        assert at == line
    if column is not None:
        assert where == column


def test_anything_else_says_where_to_look() -> None:
    assert explained(BadYaml("found x (while scanning y)", 9, 0), b"a: b\n") == (f"found x; {OTHER}", 9, 0)


@pytest.mark.parametrize(
    ("text", "table"),
    [(b"NAMESPACE   NAME   PHASE\nfleet   a   Ready\n", True), (b"NAME\n", False), (b"kind: A\n", False)],
)
def test_a_table_of_kubectl_is_known(text: bytes, table: bool) -> None:  # noqa: FBT001 - a table
    assert is_table(text) is table
