"""Everything that fuzzing ever found stays fixed, and the seeds themselves hold."""

from __future__ import annotations

import pathlib
import random

import pytest

from fuzz import run, targets
from tests.support.traces import forms, seen

FOUND = sorted(path for path in run.FOUND.rglob("*") if path.is_file() and path.name != "README.md")
RUNS = 300
SEEDS = [(target, at) for target in run.TARGETS for at in range(min(4, len(run.seeds(target))))]


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_find_stays_mended(path: pathlib.Path) -> None:
    targets.check(path.parent.name, path.read_bytes())


@pytest.mark.parametrize(("target", "at"), SEEDS, ids=str)
def test_a_seed_breaks_no_oracle(target: str, at: int) -> None:
    targets.check(target, run.seeds(target)[at])


@pytest.mark.parametrize("target", run.TARGETS)
def test_a_short_run_finds_nothing(target: str) -> None:
    assert run.by_mutation(target, 20261123, runs=RUNS) == 0


@pytest.mark.parametrize("target", run.PLANTED)
def test_a_token_is_planted_where_it_must_not_be_seen(target: str) -> None:
    assert run.TOKEN.decode() == targets.TOKEN
    seeds = [text.decode() for text in run.seeds(target)]
    assert any(targets.TOKEN in text for text in seeds)
    for form in forms(targets.TOKEN):
        seeds = [text.replace(form, "") for text in seeds]
    assert [text for text in seeds if seen(targets.TOKEN, text)] == []  # nothing looks like it by chance


def test_a_number_of_runs_from_a_seed_is_the_same_run_each_time() -> None:
    def inputs() -> list[bytes]:
        chance = random.Random(1)  # noqa: S311 - nothing secret depends on it
        known = run.seeds("whole")
        return [run.mutate(chance.choice(known), chance.choice(known), chance, run.PIECES) for _ in range(50)]

    assert inputs() == inputs()
