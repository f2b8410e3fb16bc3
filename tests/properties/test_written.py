"""What is read by its lines against the full parse: what the writer wrote, and texts that are near it."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.krm.streams import read_stream
from krm_fn.yaml import BadYaml, written
from krm_fn.yaml.read import load
from krm_fn.yaml.write import dump

MANY = settings(max_examples=5 * settings().max_examples)
WORDS = (
    "a",
    "on",
    "null",
    "1",
    "0o7",
    "x: y",
    "- a",
    "#",
    "a #b",
    " a",
    "a ",
    "",
    "a\n",
    "a\nb",
    " a\nb\n",
    "a\n\nb\n",
    "---\nx\n",
)
texts = st.one_of(
    st.sampled_from(WORDS),
    st.text(alphabet="ab:#-|\n \"'{}[]*&!%~\\é", max_size=8),
    st.from_regex(r"[a-z/0-9.:_-]{1,6}"),
)
keys = st.one_of(st.sampled_from(("a", "b", "30-rbac.yaml", "x/y", "on", "1", "")), texts)
values = st.recursive(
    st.one_of(texts, st.integers(), st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)
mappings = st.dictionaries(keys, values, min_size=1, max_size=4)
LINES = (
    *("a: b", "a:", "  b: c", "  b:", "- a", "- a: b", "  - c", "- |", "- - a", "a: |", "  text", "    text", "", "  ", "a: |-"),
    *("b: x y", "  x", "c: {}", "c: []", "- {}", 'd: "x"', '"e": f', "b: 1", "on: off", "a: 'x'", "# c", "b: &x y", "c: *x", "---"),
    *("a: b: c", "a: b #c", "<<: {a: b}", "? a", ": b", "a: |2", "   b: c", "  a: |", "      text", "b: null", "b: ~", "-", "b: -"),
    *('b: "x', 'y"', "b: [", "]", "b: >", "!!str a: b", "b:\tc", "\tb: c", "b: https://x:1", "b: c ", "...", "%YAML 1.1", "b: é"),
)  # fmt: skip


def full(text: bytes) -> object:
    try:
        return load(text)
    except BadYaml:
        return BadYaml


@MANY
@given(mappings)
def test_what_the_writer_wrote_is_read_as_the_full_parse_reads_it(value: dict[str, object]) -> None:
    text = dump(value).encode()
    found = written.read(text)
    assert found is None or repr(found) == repr(full(text)) == repr(value)


@MANY
@given(st.lists(st.sampled_from(LINES), max_size=8), st.sampled_from(("", "\n")))
def test_lines_in_any_order_are_read_as_the_full_parse_reads_them(lines: list[str], end: str) -> None:
    text = ("\n".join(lines) + end).encode()
    found = written.read(text)
    assert found is None or repr(found) == repr(full(text))


@MANY
@given(mappings, st.integers(0, 200), st.sampled_from((*LINES, "\n", " ", "  ", "\n\n", ":", "|", '"', "\r", "\0")))
def test_a_text_that_was_edited_is_read_as_the_full_parse_reads_it(
    value: dict[str, object], at: int, more: str
) -> None:
    text = dump(value)
    edited = (text[:at] + more + text[at:]).encode()
    found = written.read(edited)
    assert found is None or repr(found) == repr(full(edited))


@given(st.dictionaries(st.sampled_from(("10-a.yaml", "b")), texts.map(lambda text: text + "\nx\n"), min_size=1))
def test_an_object_with_a_payload_has_the_value_of_the_full_parse(data: dict[str, str]) -> None:
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data}
    (item,) = read_stream(dump(value).encode())
    assert (item.api_version, item.kind, item.value()) == ("v1", "ConfigMap", value)
