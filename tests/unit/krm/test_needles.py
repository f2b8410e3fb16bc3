"""Looking for a text over a whole input finds what looking into each item would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.krm.items import Item
from krm_fn.krm.needles import holding

NEEDLE = b"r5t6/7u8"


def items(*texts: bytes) -> list[Item]:
    """Return items that share one source."""
    source = b"".join(texts)
    found = []
    start = 0
    for position, text in enumerate(texts):
        found.append(Item(source, start, start + len(text), 0, position, "v1", "ConfigMap"))
        start += len(text)
    return found


def positions(*texts: bytes, needle: bytes = NEEDLE) -> list[int]:
    return [item.position for item in holding(items(*texts), [needle])]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"a: r5t6/7u8\n", id="plain"),
        pytest.param(rb'a: "\x72"', id="escaped by two digits"),
        pytest.param(rb'a: "\u0072"', id="escaped by four"),
        pytest.param(rb'a: "\U00000072"', id="escaped by eight"),
        pytest.param(rb'a: "\/"', id="escaped slash"),
        pytest.param(b'a: "r5t6\\\n  /7u8"', id="joined lines"),
        pytest.param(b'a: "r5t6\\\r\n  /7u8"', id="joined lines, CRLF"),
        pytest.param(b"a: !!binary cjV0Ng==", id="binary"),
    ],
)
def test_an_item_that_may_hold_it_is_found_alone(text: bytes) -> None:
    assert positions(b"a: b\n", text, b"c: d\n") == [1]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"a: r5t6\n", id="a part"),
        pytest.param(rb'a: "a \"quote\" and \n a line"', id="escapes that stand for no such character"),
    ],
)
def test_an_item_that_can_not_hold_it_is_left_out(text: bytes) -> None:
    assert positions(b"a: b\n", text) == []


def test_an_escaped_slash_matters_to_texts_with_a_slash_only() -> None:
    assert positions(rb'a: "\/"', needle=b"r5t67u8") == []


def test_a_text_of_other_characters_may_be_anywhere() -> None:
    assert positions(b"a: b\n", b"c: d\n", needle=b"a b") == [0, 1]


def test_an_item_made_of_a_value_may_hold_anything() -> None:
    assert holding([Item.from_value({"a": "b"}, 0)], [NEEDLE])


def test_items_of_several_sources_are_told_apart() -> None:
    one, two = items(b"a: r5t6/7u8\n", b"b: c\n"), items(b"d: e\n", b"f: r5t6/7u8\n")
    assert holding([*one, *two], [NEEDLE]) == [one[0], two[1]]


@given(
    st.lists(
        st.lists(st.sampled_from([b"ab", b"a", b"b", b"/", b"\\x61", b"\\/", b"\\\n", b"!!binary ", b" "])).map(
            b"".join
        ),
        max_size=6,
    ),
    st.sampled_from([b"ab", b"a/b", b"bb", b"a"]),
)
def test_what_is_found_lies_between_what_is_there_and_what_an_item_admits(texts: list[bytes], needle: bytes) -> None:
    found = {item.position for item in holding(items(*texts), [needle])}
    shown = {position for position, text in enumerate(texts) if needle in text}
    admitted = {item.position for item in items(*texts) if item.contains(needle)}
    disguised = {position for position, text in enumerate(texts) if b"\\x" in text or b"binary" in text}
    assert shown | disguised <= found <= admitted
