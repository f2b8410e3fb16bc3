"""Arguments that no person types end in one line."""

from __future__ import annotations

import pytest

from krm_fn.__main__ import main


@pytest.mark.parametrize("now", ["9" * 5_000, "9" * 16, "tomorrow", "\u202e1"], ids=["thousands", "16", "word", "bidi"])
def test_a_time_that_is_none_is_refused_in_one_short_line(now: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", ".", "--now", now]) == 2
    said = capsys.readouterr().err
    assert "is neither RFC 3339" in said
    assert max(map(len, said.splitlines())) < 300
    assert "\u202e" not in said
