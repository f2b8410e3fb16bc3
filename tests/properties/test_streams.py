from __future__ import annotations

import hypothesis
import yaml
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.files.documents import SourceFile, written
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_documents

LINES = (
    *("---", "--- # c", "---\t", "...", "... # c", "--- {apiVersion: v1, kind: A}", "%YAML 1.1", "# c", "", "  # c", "null"),
    *("apiVersion: v1", "kind: A", "kind: List", "items: []", "a: |", "  ---", "  text", "b: 'x", "  y'", "--- 'x", "---x"),
    *("items:", "- apiVersion: v1\n  kind: B", "- {apiVersion: v1, kind: C, metadata: {name: c}}", '{"a": "b"}', "data: {k: v}"),
    *("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a", "apiVersion: v1\r\nkind: A\r\n", "a: b ---", "\t", "a: |+"),
)  # fmt: skip
streams = st.lists(st.sampled_from(LINES), max_size=14).flatmap(
    lambda lines: st.sampled_from(["", "\n"]).map(lambda end: "\n".join(lines) + end)
)


def documents_of_libyaml(text: str) -> int | None:
    """Count the documents with content; None where libyaml refuses the stream."""
    count = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                empty = True
            elif isinstance(event, yaml.DocumentEndEvent):
                count += not empty
            elif not isinstance(event, yaml.ScalarEvent) or event.value not in {"", "null"}:
                empty = False
    except yaml.YAMLError:
        return None
    return count


@given(text=streams)
def test_a_stream_is_cut_where_libyaml_cuts_it(text: str) -> None:
    expected = documents_of_libyaml(text)
    data = text.encode()
    try:
        documents = read_documents(data)
    except Errors as errors:
        # libyaml does not look for duplicate keys, and takes a directive without the `...` that YAML wants before it
        hypothesis.assume(expected is not None and "%" not in text and "appears twice" not in str(errors))
        raise
    assert b"".join(data[one.start : one.end] for one in documents) == data
    if expected is not None:
        lists = [one for one in documents if one.is_list or one.items or one.stray]
        assert len(lists) == expected


@given(text=streams, data=st.data())
def test_what_is_not_left_out_keeps_its_bytes(text: str, data: st.DataObject) -> None:
    raw = text.encode()
    try:
        documents = read_documents(raw)
        values = [item.value() for one in documents for item in one.items]
    except Errors:
        hypothesis.reject()
    documents = [one for one in documents if not one.stray]
    file = SourceFile(path="a.yaml", relative="a.yaml", data=raw, documents=documents)
    for position, item in enumerate(file.items):
        item.position = position
    count = len(file.items)
    left_out = data.draw(st.sets(st.integers(0, count - 1))) if count else set()
    result = written(file, Changes(removed=frozenset(left_out)))
    kept = [value for position, value in enumerate(values) if position not in left_out]
    again = [item for one in read_documents(result) for item in one.items]
    assert [item.value() for item in again] == kept
    for document in documents:
        if document.items and not left_out.intersection(item.position for item in document.items):
            assert raw[document.body : document.body_end] in result
