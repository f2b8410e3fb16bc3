"""Guard arithmetic against a second way of counting."""

from __future__ import annotations

from fractions import Fraction

import hypothesis.strategies as st
from hypothesis import given

from krm_fn.krm import resource_list
from tests.support.lists import cluster, config, run

members = st.sets(st.integers(0, 12), min_size=1, max_size=10)


@given(members, members, st.one_of(st.integers(0, 10), st.integers(0, 100).map(lambda share: f"{share}%")))
def test_the_guard_stops_exactly_what_is_over_the_limit(before: set[int], now: set[int], limit: int | str) -> None:
    guarded = config(guard={"maxRemovedClusters": limit})
    first = run([cluster(f"c{number}") for number in sorted(before)], guarded)
    baseline = resource_list.read(first.stdout).items
    made = run([cluster(f"c{number}") for number in sorted(now)], guarded, baseline=baseline)
    gone = len(before - now)
    allowed = Fraction(int(limit[:-1]), 100) * len(before) if isinstance(limit, str) else limit
    assert (made.code == 1) == (gone > allowed)
