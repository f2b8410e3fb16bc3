from __future__ import annotations

import subprocess
import sys
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from krm_fn.yaml.write import dump, quoted, scalar

if TYPE_CHECKING:
    from typing import Any


def test_a_manifest_looks_as_kustomize_and_kpt_print_it() -> None:
    value = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "a", "labels": {"x/y": "true"}, "annotations": {}},
        "data": {"a.sh": "#!/bin/sh\nexit 0\n", "list": "a\nb"},
        "spec": {"args": ["--v=4", "-x", ["n", 1]], "ports": [{"port": 80, "tls": False}, {}], "none": None},
    }
    assert dump(value) == (
        "apiVersion: v1\n"
        "kind: ConfigMap\n"
        "metadata:\n"
        "  name: a\n"
        "  labels:\n"
        '    x/y: "true"\n'
        "  annotations: {}\n"
        "data:\n"
        "  a.sh: |\n"
        "    #!/bin/sh\n"
        "    exit 0\n"
        "  list: |-\n"
        "    a\n"
        "    b\n"
        "spec:\n"
        "  args:\n"
        "  - --v=4\n"
        '  - "-x"\n'
        '  - - "n"\n'
        "    - 1\n"
        "  ports:\n"
        "  - port: 80\n"
        "    tls: false\n"
        "  - {}\n"
        "  none: null\n"
    )


def test_with_quote_all_every_string_is_in_double_quotes_on_one_line() -> None:
    assert dump({"a": ["b\nc\n", 1, True, {"d": None}]}, quote_all=True) == (
        '"a":\n- "b\\nc\\n"\n- 1\n- true\n- "d": null\n'
    )


def test_every_line_of_an_indented_value_has_the_indentation_except_empty_ones() -> None:
    assert dump({"a": {"b": "c\n\nd\n"}}, indent=4) == "    a:\n      b: |\n        c\n\n        d\n"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("a\nb\n", "k: |\n  a\n  b\n", id="one line end at the end"),
        pytest.param("a\nb", "k: |-\n  a\n  b\n", id="none"),
        pytest.param("a\n\n", 'k: "a\\n\\n"\n', id="two"),
        pytest.param("  a\nb\n", "k: |2\n    a\n  b\n", id="spaces first"),
        pytest.param("\na", "k: |2-\n\n  a\n", id="an empty line first"),
        pytest.param("\n\n", 'k: "\\n\\n"\n', id="line ends alone"),
        pytest.param("a \nb", 'k: "a \\nb"\n', id="a blank at the end of a line"),
        pytest.param("a\r\nb", 'k: "a\\r\\nb"\n', id="CRLF"),
        pytest.param("a\n\u2028b", 'k: "a\\n\\u2028b"\n', id="line separator"),
    ],
)
def test_a_string_of_several_lines_is_a_literal_block_only_where_that_is_exact(value: Any, text: str) -> None:
    assert dump({"k": value}) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(1e16, "1.0e+16\n", id="large"),
        pytest.param(1e-7, "1.0e-07\n", id="small"),
        pytest.param(1.5e300, "1.5e+300\n", id="with a fraction"),
        pytest.param(-0.0, "-0.0\n", id="negative zero"),
        pytest.param(float("inf"), ".inf\n", id="infinity"),
        pytest.param(float("-inf"), "-.inf\n", id="negative infinity"),
        pytest.param(float("nan"), ".nan\n", id="not a number"),
        pytest.param(10**30, f"{10**30}\n", id="large integer"),
        pytest.param("on", '"on"\n', id="top-level string"),
        pytest.param([], "[]\n", id="empty list"),
        pytest.param((), "[]\n", id="empty tuple"),
        pytest.param(({"a": ()},), "- a: []\n", id="tuples"),
        pytest.param(MappingProxyType({}), "{}\n", id="empty read-only mapping"),
        pytest.param(MappingProxyType({"a": "b"}), "a: b\n", id="read-only mapping"),
    ],
)
def test_values_that_are_no_plain_manifest_have_their_form_too(value: Any, text: str) -> None:
    assert dump(value) == text


def test_a_key_too_long_for_a_simple_key_takes_the_explicit_form() -> None:
    long = "x" * 2000
    assert dump({"a": {long: "b"}, long: ["c"]}) == f"a:\n  ? {long}\n  : b\n? {long}\n:\n- c\n"


def test_half_a_surrogate_pair_becomes_the_replacement_character_as_in_go() -> None:
    assert quoted("a\ud83d") == '"a�"'


def test_a_plain_string_stays_plain() -> None:
    assert scalar("ghcr.io/clusternet/clusternet-agent:v0.18.1") == "ghcr.io/clusternet/clusternet-agent:v0.18.1"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param({1: "a"}, "a key must be a string, not int", id="key"),
        pytest.param({"a": b"x"}, "can't write a bytes as YAML", id="bytes in a mapping"),
        pytest.param([{"a"}], "can't write a set as YAML", id="set in a list"),
    ],
)
def test_what_is_not_json_like_is_refused_by_its_type_alone(value: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        dump(value)


def test_it_imports_nothing_but_re_and_rooms_of_ours() -> None:
    code = "import __future__, re, sys; before = set(sys.modules); import krm_fn.yaml.write; print(*set(sys.modules) - before)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.partition(".")[0] for name in out.split()} == {"krm_fn"}
