"""Plans of a change: what was rendered before, what is rendered now, and what the views show of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from krm_fn import function
from krm_fn.krm import resource_list
from krm_fn.views import plan_shown
from tests.support.lists import Run, document

if TYPE_CHECKING:
    from krm_fn.views.plan_shown import Filters, Shown


def change(
    before: list[Any], now: list[Any], filters: Filters | None = None, *, ok: bool = True, sort: bool = False
) -> Shown:
    """Show what changes between two inputs, each with its configs among the items.

    Args:
        before: The items of which the baseline is rendered.
        now: The items of today.
        filters: What to show.
        ok: Whether today's items render.
        sort: Whether the baseline has its keys in the order of the alphabet, as kustomize prints them.
    """
    first = Run(document(before))
    assert first.code == 0, first.stderr
    text = yaml.safe_dump(yaml.safe_load(first.stdout)).encode() if sort else first.stdout
    baseline = resource_list.read(text).items
    made = Run(document(now), baseline=baseline)
    assert (made.code == 0) == ok, made.stderr
    assert made.outcome is not None
    comparison = function.compare(made.outcome, resource_list.read(document(now)).items)
    return plan_shown.of(made.outcome, made.outcome.results, comparison, filters)


def plan(items: list[Any], filters: Filters | None = None) -> Shown:
    """Show what is decided about an input, with nothing to compare with."""
    made = Run(document(items))
    assert made.outcome is not None
    return plan_shown.of(made.outcome, made.outcome.results, None, filters)


def happens(view: Shown) -> dict[str, list[str]]:
    """The codes of what happens to each Cluster."""
    return view.happens
