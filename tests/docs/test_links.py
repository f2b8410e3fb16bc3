"""Every relative link of a Markdown page leads to a file that is there, and to a heading that is in it."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])

_FENCE = re.compile(r"^(`{3,}).*?^\1`*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)


def prose(page: Path) -> str:
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def slug(heading: str) -> str:
    """The anchor that GitHub makes of a heading."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    found: dict[str, int] = {}
    names = set()
    for heading in _HEADING.findall(prose(page)):
        name = slug(heading)
        names.add(f"{name}-{found[name]}" if name in found else name)
        found[name] = found.get(name, 0) + 1
    return names


def problem(page: Path, link: str) -> str:
    """Why a link leads nowhere; empty if it does not."""
    if re.match(r"[a-z]+:", link):
        return ""
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT):
        return f"{link} leads out of the repository"
    if not target.exists():
        return f"{link}: no such file"
    if not anchor:
        return ""
    target = target / "README.md" if target.is_dir() else target
    return "" if target.suffix == ".md" and anchor in anchors(target) else f"{link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert [why for link in _LINK.findall(prose(page)) if (why := problem(page, link))] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").rglob("*.md")), ids=lambda page: str(page.relative_to(ROOT)))
def test_every_page_is_reached_from_the_index(page: Path) -> None:
    index = ROOT / "docs/README.md"
    reached = {(index.parent / link.partition("#")[0]).resolve() for link in _LINK.findall(prose(index))}
    assert page in reached | {index}


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        pytest.param("The agent's namespace", "the-agents-namespace", id="apostrophe"),
        pytest.param("`gitops.argocd: true`", "gitopsargocd-true", id="code"),
        pytest.param("1. The feature gate", "1-the-feature-gate", id="number"),
        pytest.param("与 hub 比较", "与-hub-比较", id="chinese"),
        pytest.param("A [link](to) here", "a-link-here", id="link"),
    ],
)
def test_anchors_are_those_of_github(heading: str, expected: str) -> None:
    assert slug(heading) == expected


@pytest.mark.parametrize(
    "link",
    ["missing.md", "README.md#no-such-heading", "../../etc/passwd", "docs/README.md#nothing", "pyproject.toml#project"],
)
def test_a_link_that_leads_nowhere_is_noticed(link: str) -> None:
    assert problem(ROOT / "README.md", link)
