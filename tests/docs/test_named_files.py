"""Files that pages name in code exist: a recipe that sends a newcomer to a file that was moved is worse than none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

_NAMED = re.compile(r"`((?:krm_fn|tests|examples|docs|schema|bench|fuzz|\.ci|\.github)/[\w./-]*)(?:::(\w+))?`")
_MESSAGE = re.compile(r"\bdocs/(?!book/)[\w/-]+\.md")  # docs/book is that of Cluster API


def named(page: Path) -> list[tuple[str, str]]:
    return _NAMED.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [one for one in PAGES if named(one)], ids=lambda one: str(one.relative_to(ROOT)))
def test_files_and_tests_that_a_page_names_exist(page: Path) -> None:
    lost = []
    for path, test in named(page):
        target = ROOT / path
        if not target.exists() or (test and f"def {test}(" not in target.read_text(encoding="utf-8")):
            lost.append(f"{path}::{test}" if test else path)
    assert lost == []


def test_pages_that_the_program_names_exist() -> None:
    found = {path for file in (ROOT / "krm_fn").rglob("*.py") for path in _MESSAGE.findall(file.read_text("utf-8"))}
    assert found
    assert [path for path in sorted(found) if not (ROOT / path).is_file()] == []


def test_names_in_backquotes_that_the_recipes_give_exist_in_the_file_beside_them() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    pairs = re.findall(r"`(\w+)` (?:of|in|\() ?`?(krm_fn/[\w/.]+\.py)", text.replace("\n   ", " "))
    assert len(pairs) >= 5
    assert [name for name, path in pairs if name not in (ROOT / path).read_text(encoding="utf-8")] == []


def test_every_package_has_a_row_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = [
        one.name if one.suffix else f"{one.name}/"
        for one in sorted((ROOT / "krm_fn").iterdir())
        if one.suffix == ".py" or (one / "__init__.py").is_file()
    ]
    assert len(packages) >= 15
    assert [one for one in packages if one != "__init__.py" and f"`{one}`" not in text] == []
