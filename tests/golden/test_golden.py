"""Golden directories: what goes in, what comes out, byte for byte.

`positive/<case>/` and `negative/<case>/` hold `input.yaml` (a ResourceList), `expected.yaml` (stdout) and, where something
is said, `stderr.txt`. A positive case exits 0 and is run twice; a negative one exits 1. `UPDATE_GOLDEN=1` writes what is
expected anew: read the diff before you commit it.
"""

from __future__ import annotations

import os
import pathlib

import pytest

from tests.support.lists import Run

HERE = pathlib.Path(__file__).parent
CASES = sorted(path.parent for kind in ("positive", "negative") for path in (HERE / kind).glob("*/input.yaml"))
NOW = 1_795_000_000  # 2026-11-18, for tokens with a life

UPDATE = os.environ.get("UPDATE_GOLDEN") == "1"


def test_there_are_golden_cases_of_both_kinds() -> None:
    assert len([case for case in CASES if case.parent.name == "positive"]) >= 10
    assert len([case for case in CASES if case.parent.name == "negative"]) >= 10


def said(path: pathlib.Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_golden(case: pathlib.Path) -> None:
    made = Run((case / "input.yaml").read_bytes(), now=NOW)
    if UPDATE:
        (case / "expected.yaml").write_bytes(made.stdout)
        (case / "stderr.txt").write_text(made.stderr, encoding="utf-8")
        if not made.stderr:
            (case / "stderr.txt").unlink()
    assert made.code == (0 if case.parent.name == "positive" else 1), made.stderr
    assert made.stderr == said(case / "stderr.txt")
    assert made.stdout.decode() == said(case / "expected.yaml")
    if made.code == 0:
        again = Run(made.stdout, now=NOW)
        assert again.stdout == made.stdout
