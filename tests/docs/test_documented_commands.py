"""Every command that README.md and the pages under docs/ show in a ```console block is run, and prints what they say.

In such a block a line that begins with `$ ` is a command (a `\\` at its end continues it), followed by what it prints,
errors included. ` # exit: 1` at its end, or a line `# exit: 1` below it, states the exit code; without one it is 0.
What is not to be run is in a ```text or ```shell block. `UPDATE_DOCS=1` writes the real outputs into the pages.

The commands of a page run one after the other in one folder that looks like the repository's root, at a fixed time.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
# The tutorial is run by tests/hosts/lab/test_tutorial.py; Chinese pages have the blocks of the English ones (test_readme.py).
PAGES = sorted(
    page
    for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    if page.name != "tutorial.md" and not page.name.endswith(".zh-CN.md")
)
NOW = "1795428000"  # 2026-11-23T10:00:00Z

_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"\s+# exit: (\d+)\Z")


class Shown(NamedTuple):
    """A command as a page shows it."""

    lines: str  # the command's own lines, as they stand there
    command: str
    code: int
    output: str


def shown(block: str) -> list[Shown]:
    found = []
    for part in re.split(r"^(?=\$ )", block, flags=re.MULTILINE):
        if not part.startswith("$ "):
            assert not part.strip(), f"a console block begins with a command, not with {part.splitlines()[0]!r}"
            continue
        rows = part.splitlines(keepends=True)
        own = 1
        while rows[own - 1].endswith("\\\n"):
            own += 1
        if own < len(rows) and rows[own].startswith("# exit: "):
            own += 1
        lines = "".join(rows[:own])
        command, code = lines[2:].rstrip("\n").replace("\n# exit:", " # exit:"), 0
        stated = _EXIT.search(command)
        if stated:
            command, code = command[: stated.start()], int(stated[1])
        found.append(Shown(lines, command, code, "".join(rows[own:])))
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which a command may write without touching the repository."""
    for name in ("README.md", "docs", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    if (ROOT / "examples").is_dir():
        shutil.copytree(ROOT / "examples", tmp_path / "examples", symlinks=True)
    return tmp_path


def environment() -> dict[str, str]:
    """What the commands of a page run with: the command itself on PATH, and none of the caller's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLUSTERNET_", "COV", "GIT_"))}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SOURCE_DATE_EPOCH": NOW,
        "LC_ALL": "C.UTF-8",
    }


def run(command: str, folder: Path, variables: dict[str, str]) -> tuple[int, str]:
    """Run a shell command; its exit code, and what it printed on either stream."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout


def blocks(page: Path) -> list[list[Shown]]:
    return [shown(found[1]) for found in _BLOCK.finditer(page.read_text(encoding="utf-8"))]


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_shows_what_its_commands_print(page: Path, folder: Path) -> None:
    written = [one for block in blocks(page) for one in block]
    variables = environment()
    real = [(one, *run(one.command, folder, variables)) for one in written]
    if page.name != "README.md" and any("neither kustomize nor kubectl is on PATH" in output for _, _, output in real):
        pytest.skip("no kustomize and no kubectl here, and a command of this page needs one")
    if os.environ.get("UPDATE_DOCS"):
        _update(page, [(one, output) for one, _, output in real])
        written = [one for block in blocks(page) for one in block]
    assert [(one.command, code, output) for one, code, output in real] == [
        (one.command, one.code, one.output) for one in written
    ]


def _update(page: Path, real: list[tuple[Shown, str]]) -> None:
    outputs = iter(real)

    def block(found: re.Match[str]) -> str:
        parts = []
        for _ in shown(found[1]):
            one, output = next(outputs)
            parts.append(one.lines + output + ("" if not output or output.endswith("\n") else "\n"))
        return "```console\n" + "".join(parts) + "```"

    page.write_text(_BLOCK.sub(block, page.read_text(encoding="utf-8")), encoding="utf-8")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param("$ a b\nout\n", [("a b", 0, "out\n")], id="one"),
        pytest.param("$ a  # exit: 1\n$ b\n", [("a", 1, ""), ("b", 0, "")], id="exit-code-on-the-line"),
        pytest.param("$ a\n# exit: 2\nout\n", [("a", 2, "out\n")], id="exit-code-below"),
        pytest.param("$ a \\\n    b  # exit: 3\nout\n\nmore\n", [("a \\\n    b", 3, "out\n\nmore\n")], id="continued"),
    ],
)
def test_blocks_are_read_as_the_convention_says(block: str, expected: list[tuple[str, int, str]]) -> None:
    assert [(one.command, one.code, one.output) for one in shown(block)] == expected


def test_there_are_documented_commands() -> None:
    assert sum(len(block) for page in PAGES for block in blocks(page)) > 0
