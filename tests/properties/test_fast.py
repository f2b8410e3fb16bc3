"""The shortcuts against the full parse, over documents that are hard to cut."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.krm import fast, outline
from krm_fn.krm.fast import identity
from krm_fn.krm.items import Item
from krm_fn.krm.results import Errors
from krm_fn.yaml import BadYaml
from tests.support import nasty

if TYPE_CHECKING:
    from typing import Any

PART = ("key", "start", "key_end", "end", "value_start", "value_end", "value_column", "shape", "flow", "value")
ITEM = ("position", "start", "end", "column", "api_version", "kind")
MANY = settings(max_examples=5 * settings().max_examples)


def shape(found: outline.Outline) -> Any:
    return (
        [tuple(getattr(part, name) for name in PART) for part in found.parts],
        [tuple(getattr(item, name) for name in ITEM) for item in found.items],
        (found.end, found.column, found.flow, found.stray, found.crossing, found.start),
    )


def full(data: bytes) -> outline.Outline | None:
    try:
        return outline.read(data)
    except BadYaml:
        return None


@MANY
@given(nasty.documents())
def test_where_the_shortcut_answers_it_answers_what_the_full_parse_does(text: str) -> None:
    short = fast.read(text.encode())
    if short is not None:
        found = full(text.encode())
        assert found is not None
        assert shape(short) == shape(found)


def objects(text: str) -> list[tuple[Item, dict[str, Any]]]:
    """The objects of a document, each as one that nobody looked at yet, with its value: in the list, and as a document."""
    found = full(text.encode())
    pairs = []
    for item in found.items if found else ():
        alone = b"".join(line.removeprefix(b" " * item.column) for line in item.text.splitlines(keepends=True))
        for source, start, end, column in ((item.source, item.start, item.end, item.column), (alone, 0, len(alone), 0)):
            try:
                value = Item(source, start, end, column, 0, "", "").value()
            except Errors:
                continue
            pairs.append((Item(source, start, end, column, 0, "", ""), value))
    return pairs


@MANY
@given(nasty.documents())
def test_metadata_read_by_themselves_are_the_metadata_of_the_value(text: str) -> None:
    for item, value in objects(text):
        metadata = value.get("metadata")
        assert repr(item.metadata()) == repr(metadata if isinstance(metadata, dict) else {})


@MANY
@given(nasty.documents())
def test_a_field_that_is_looked_at_alone_is_that_of_the_value(text: str) -> None:
    for item, value in objects(text):
        spec = value.get("spec")
        assert item.is_mapping("spec") is (None if spec is None else isinstance(spec, dict))
        found = spec.get("topology") if isinstance(spec, dict) else None
        assert item.is_mapping("spec", "topology") is (None if found is None else isinstance(found, dict))
        metadata = value.get("metadata")
        assert repr(item.metadata()) == repr(metadata if isinstance(metadata, dict) else {})


def strings(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for pair in value.items() for part in pair for text in strings(part)]
    if isinstance(value, list):
        return [text for one in value for text in strings(one)]
    return [value] if isinstance(value, str) else []


@MANY
@given(nasty.documents(), st.sampled_from(["kind", "Cluster", "a", "x", "topology", "ab", "it"]))
def test_an_object_that_does_not_contain_a_text_has_it_in_no_string(text: str, needle: str) -> None:
    for item, value in objects(text):
        if not item.contains(needle.encode()):
            assert not any(needle in one for one in strings(value))


@MANY
@given(
    st.lists(st.sampled_from(nasty.ENTRIES), min_size=1, max_size=3),
    st.sampled_from(nasty.SNIPPETS),
    st.integers(0, 90),
)
def test_the_identity_of_a_document_by_lines_is_that_of_its_value(entries: list[str], snippet: str, at: int) -> None:
    text = "".join(line[2:] + "\n" for line in "".join(entries).splitlines())
    data = (text[:at] + snippet + text[at:]).encode()
    known = identity(data)
    if known is not None:
        found = outline.read(data)
        assert found is not None
        assert known == tuple(part.value for part in map(found.part, outline.IDENTITY) if part)
