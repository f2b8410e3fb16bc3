"""docs/large-fleets.md shows what `python -m bench.fleet` measured."""

from __future__ import annotations

import json

from bench.fleet import page


def test_the_page_shows_the_figures_that_were_measured() -> None:
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    (table,) = page.TABLE.findall(page.PAGE.read_text(encoding="utf-8"))
    assert table == page.report(figures)
