from __future__ import annotations

import re

import pytest

from krm_fn.views import Terminal, cells


@pytest.mark.parametrize(
    ("text", "width"), [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("集群", 4), ("ｆ", 2)], ids=repr
)
def test_width_is_counted_in_cells(text: str, width: int) -> None:
    assert cells(text) == width


def test_columns_are_aligned_and_nothing_trails() -> None:
    assert Terminal().table(["A", "LONG"], [["集群", "x"], ["b", ""]]) == "A     LONG\n集群  x\nb\n"


def test_the_last_column_is_wrapped_to_the_width() -> None:
    text = Terminal(width=27).table(["A", "WHY"], [["x", "one two three four five six seven"]])
    assert text == "A  WHY\nx  one two three four five\n   six seven\n"


def test_a_last_column_that_would_get_too_narrow_goes_below_its_row() -> None:
    text = Terminal(width=30).table(["A", "B", "WHY"], [["x", "y" * 20, "one two three four five six"]])
    assert text == f"A  B{' ' * 19}  WHY\nx  {'y' * 20}\n  one two three four five six\n"


def test_a_word_longer_than_the_width_has_a_line_to_itself() -> None:
    long = "a-word-that-is-longer-than-the-width"
    assert Terminal(width=24).table(["WHY"], [[f"{long} b"]]) == f"WHY\n{long}\nb\n"


def test_colours_are_used_only_where_asked_for() -> None:
    rows = [["yes"], ["no"]]
    plain = Terminal().table(["OK"], rows, style=lambda _, row: "good" if row[0] == "yes" else "")
    assert plain == "OK\nyes\nno\n"
    coloured = Terminal(colour=True).table(["OK"], rows, style=lambda _, row: "good" if row[0] == "yes" else "")
    assert coloured == "\x1b[1mOK\x1b[0m\n\x1b[32myes\x1b[0m\nno\n"
    assert Terminal(colour=True).table(["OK"], [["a"]]).endswith("\na\n")


def test_colours_make_no_line_longer() -> None:
    rows = [["x", "y", "one two three four five six seven"]]
    plain, coloured = (
        Terminal(width=27, colour=colour).table(["A", "B", "WHY"], rows, lambda at, _: ("good", "bad", "")[at])
        for colour in (False, True)
    )
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


def test_a_narrow_terminal_still_gets_readable_lines() -> None:
    assert Terminal(width=5).wrap("one two three four five six seven eight", "- ", "  ") == [
        "- one two three four five six seven",
        "  eight",
    ]
