"""docs/large-fleets.md shows what `python -m bench.fleet` measured."""

from __future__ import annotations

import json

from bench.fleet import __main__ as fleet


def test_the_page_shows_the_figures_that_were_measured() -> None:
    figures = json.loads(fleet.FIGURES.read_text(encoding="utf-8"))
    (table,) = fleet.TABLE.findall(fleet.PAGE.read_text(encoding="utf-8"))
    assert table == fleet.report(figures)
