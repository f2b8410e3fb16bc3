"""Whole manifests of every release line, as they come in and as they leave."""

from __future__ import annotations

import pytest
import yaml

from tests.unit.reviews.golden import CASES, read, run


def test_there_are_golden_cases() -> None:
    assert len(CASES) > 20


@pytest.mark.parametrize("case", CASES)
def test_a_case_gives_its_expected_text_and_results(case: str) -> None:
    stream, results = run(read(case, "input.yaml"), read(case, "config.yaml"))
    assert stream == read(case, "expected.yaml")
    assert results == yaml.safe_load(read(case, "results.yaml"))


@pytest.mark.parametrize("case", CASES)
def test_a_case_is_done_after_one_run(case: str) -> None:
    expected = read(case, "expected.yaml")
    assert run(expected, read(case, "config.yaml"))[0] == expected
