"""Everything that fuzzing ever found stays mended, and the seeds themselves hold."""

from __future__ import annotations

import pathlib

import pytest

from fuzz import run, targets

FOUND = sorted(path for path in run.FOUND.rglob("*") if path.is_file() and path.name != "README.md")
SEEDS = [(target, at) for target in run.TARGETS for at in range(min(4, len(run.seeds(target))))]


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_find_stays_mended(path: pathlib.Path) -> None:
    targets.check(path.parent.name, path.read_bytes())


@pytest.mark.parametrize(("target", "at"), SEEDS, ids=str)
def test_a_seed_breaks_no_oracle(target: str, at: int) -> None:
    targets.check(target, run.seeds(target)[at])


@pytest.mark.parametrize("target", run.TARGETS)
def test_a_short_run_finds_nothing(target: str) -> None:
    assert run.by_mutation(target, seconds=1.5, seed=20261123) == 0
