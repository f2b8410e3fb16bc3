from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import pytest
import ruamel.yaml
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from krm_fn.yaml.write import dump, quoted, scalar

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Reader = Callable[[str], object]

NASTY = (
    *(
        "on",
        "y",
        "N",
        "Yes",
        "oFF",
        "null",
        "~",
        "=",
        "<<",
        "true",
        "True",
        "1e3",
        "1E5",
        "0o17",
        "0777",
        "0x1f",
        "0b1",
    ),
    *("1:30", "190:20:30", "2020-01-01", "2001-12-14t21:59:43.10-05:00", ".inf", "-.INF", ".nan", "1_000", "+1", "-0"),
    *("", " ", "a ", " a", "a\t", "\ta", "- a", "-", "--", "---", "...", "--- a", "# a", "a # b", "a #", "a: b", "a:"),
    *(
        ":",
        ": a",
        "?",
        "? a",
        "%",
        "%YAML 1.1",
        "@a",
        "`a",
        "!a",
        "!!str a",
        "&a",
        "*a",
        "|",
        ">",
        "{a",
        "[a",
        "a]",
        ",",
    ),
    *(
        "'",
        '"',
        "\\",
        "a\\nb",
        "\\u0041",
        "\u0085",
        "a\u0085b",
        "\u2028",
        "a\u2029b",
        "\ufeff",
        "a\ufeffb",
        "\x00",
        "\x07",
    ),
    *(
        "\x1b[0m",
        "\x7f",
        "\x9f",
        "\ufffe",
        "\uffff",
        "é",
        "日本",
        "\U0001f600",
        "\U0001fffe",
        "\xa0",
        "\u200b",
        "\r",
        "a\rb",
    ),
    *("\n", "\n\n", "a\n", "a\nb", "a\nb\n", "a\nb\n\n", "a\n\nb", "\na", "\n\n a\n", " a\nb", "\ta\nb", "a\n\tb\n"),
    *(
        "a\n b",
        "a\n  \nb",
        "a \nb",
        "a\nb ",
        "a\n\t\nb",
        "# a\nb",
        "- a\n- b\n",
        "a: b\nc: d\n",
        "---\na\n...\n",
        "%\n%",
    ),
    *(
        "a\r\nb\r\n",
        "a\nb\u2028c",
        "a\n\ufeffb",
        "x" * 1500,
        "x " * 1500,
        "x\n" * 100,
        "a: " * 500,
        "--flag=a:b",
        "-a",
    ),
    *(
        "https://a.example:6443/x?y=z",
        "ghcr.io/a/b:v1",
        "a::b",
        "a  b",
        "v1.20.0",
        "1.20",
        "a,b",
        "a=b",
        "=a",
        ".a",
        "_1",
    ),
)

texts = st.one_of(
    st.sampled_from(NASTY),
    st.lists(st.sampled_from(["a", " ", "\n", "\t", ":", "-", "#", "1", "e", ".", "'", '"', "\u0085", "|"])).map(
        "".join
    ),
    st.text(st.characters(exclude_categories=("Cs",)), max_size=30),
)
flats = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    texts,
)
values = st.recursive(
    flats,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
collections = st.one_of(st.lists(values, max_size=4), st.dictionaries(texts, values, max_size=4))


def typed(value: object) -> object:
    """Make equality strict: `1`, `1.0` and `True` differ, key order counts."""
    if isinstance(value, dict):
        return ("map", [(typed(key), typed(item)) for key, item in value.items()])
    if isinstance(value, list):
        return ("list", [typed(item) for item in value])
    return (type(value).__name__, repr(value))


def read_libyaml(text: str) -> object:
    return yaml.load(text.encode(), Loader=yaml.CSafeLoader)


def read_pyyaml(text: str) -> object:
    return yaml.safe_load(text)


def read_ruamel(text: str) -> object:
    reader = ruamel.yaml.YAML(typ="safe", pure=True)
    reader.version = (1, 2)
    return reader.load(text)


READERS = [
    pytest.param(read_libyaml, id="libyaml, YAML 1.1"),
    pytest.param(read_pyyaml, id="PyYAML, YAML 1.1"),
    pytest.param(read_ruamel, id="ruamel.yaml, YAML 1.2"),
]


@pytest.mark.parametrize("quote_all", [False, True])
@pytest.mark.parametrize("read", READERS)
@given(value=values)
def test_every_value_is_read_back_with_its_type(read: Reader, *, quote_all: bool, value: Any) -> None:
    assert typed(read(dump(value, quote_all=quote_all))) == typed(value)


@pytest.mark.parametrize("text", NASTY, ids=ascii)
@pytest.mark.parametrize("read", READERS)
def test_a_nasty_string_is_the_same_string_wherever_it_stands(read: Reader, text: str) -> None:
    value = [text, {text: text, "z": {"k": [[text, text], {"a": text, text + "k": [text]}]}}, text]
    assert typed(read(dump(value))) == typed(value)
    assert typed(read(dump(value, quote_all=True))) == typed(value)


@pytest.mark.parametrize("read", READERS)
@given(value=collections.filter(bool), indent=st.integers(2, 6))
def test_an_indented_value_stands_as_an_entry_of_a_list(read: Reader, indent: int, value: Any) -> None:
    text = dump(value, indent=indent)
    assert text.startswith(" " * indent)
    entry = "-" + text[1:]
    assert typed(read(f"{entry}{entry}")) == typed([value, value])


@given(text=texts)
def test_a_quoted_string_is_json(text: str) -> None:
    assert json.loads(quoted(text)) == text


@given(value=st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_a_number_bool_or_null_is_json(value: Any) -> None:
    assert typed(json.loads(dump(value))) == typed(value)


@given(text=texts)
def test_a_scalar_is_the_same_string_for_ruamel_with_the_rules_of_yaml_1_1(text: str) -> None:
    reader = ruamel.yaml.YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    assert typed(reader.load(io.StringIO(f"%YAML 1.1\n---\na: {scalar(text)}\n"))) == typed({"a": text})


@given(value=collections)
@example(value={"b": 1, "a": {"d": [], "c": {}}})
def test_the_same_value_gives_the_same_text(value: Any) -> None:
    assert dump(value) == dump(json.loads(json.dumps(value)))
