"""The gallery of errors, docs/errors.md: broken inputs, and what is printed about each of them.

`errors/base/` holds an input without an error. `errors/<case>/` holds what is put over it, and `case.yaml`: under which heading
and title the page shows the case, the command, files of the base that are left out, and variables of the environment.
`UPDATE_DOCS=1` writes the page anew: read its diff as a user would.
"""

from __future__ import annotations

import functools
import io
import os
import re
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from krm_fn.__main__ import main

HERE = Path(__file__).parent / "errors"
PAGE = Path(__file__).parents[2] / "docs/errors.md"
CASES = sorted(path.parent.name for path in HERE.glob("*/case.yaml"))
NOW = "1795428000"  # 2026-11-23T10:00:00Z
TOKEN = "0123456789abcdef"
SECTIONS = (
    "The configuration",
    "The registration token",
    "Clusters",
    "Guards and conflicts",
    "Files and folders",
    "From kustomize and kpt",
    "Dumps for status and migrate",
)
HEAD = """\
# Errors and what they look like

{count} broken inputs, and what is printed about each. The cause comes first, then what to do. Most have lines to paste
(`help:`), in which `…` is a value that you have already.
A test makes this page from [tests/golden/errors](../tests/golden/errors): each folder there holds the files that are put
over a small input without an error ([base](../tests/golden/errors/base)).

The first block of each case shows a terminal of 100 columns. The second is the first line in a pipe: what kustomize and kpt show,
and what a CI log has. `--error-format github` annotates the lines of a pull request, and `--error-format sarif` writes a SARIF log
for code scanning; both carry the same messages, places and corrections.
"""


class Case(NamedTuple):
    """A broken input."""

    name: str
    section: str
    title: str
    command: str
    without: list[str]
    environment: dict[str, str]


class Printed(NamedTuple):
    """What a run left on stderr."""

    code: int
    text: str


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Piped(io.TextIOWrapper):
    def __init__(self, data: bytes = b"") -> None:
        super().__init__(io.BytesIO(data), encoding="utf-8")


def read(name: str) -> Case:
    found: dict[str, Any] = yaml.safe_load((HERE / name / "case.yaml").read_text(encoding="utf-8"))
    return Case(name, found["section"], found["title"], found["run"], found.get("without", []), found.get("env", {}))


def run(case: Case, *, terminal: bool) -> Printed:
    """Run a case in this process and in a folder of its own, as a shell would."""
    with tempfile.TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        folder = Path(name)
        for source in (HERE / "base", HERE / case.name):
            shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("case.yaml"))
        for one in case.without:
            (folder / one).unlink()
        patch.chdir(folder)
        for key in [key for key in os.environ if key.startswith("CLUSTERNET_")]:
            patch.delenv(key)
        settings = {"COLUMNS": "100", "TERM": "xterm", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": NOW, **case.environment}
        for key, value in settings.items():
            patch.setenv(key, value)
        _, *arguments = shlex.split(case.command)
        stdin = b""
        if "<" in arguments:
            at = arguments.index("<")
            stdin = (folder / arguments[at + 1]).read_bytes()
            arguments = arguments[:at]
        said = Terminal() if terminal else io.StringIO()
        patch.setattr(sys, "stdin", Piped(stdin))
        patch.setattr(sys, "stdout", Piped())
        patch.setattr(sys, "stderr", said)
        return Printed(main(arguments), said.getvalue())


@functools.cache
def printed(name: str, *, terminal: bool) -> Printed:
    return run(read(name), terminal=terminal)


def shown(name: str) -> str:
    """A case as the page shows it."""
    case = read(name)
    first = printed(name, terminal=False).text.partition("\n")[0]
    blocks = [first] if "<" in case.command else [printed(name, terminal=True).text.rstrip("\n"), first]
    return (
        f"### {case.title}\n\n[`{case.command}`](../tests/golden/errors/{name})\n\n"
        + "\n\n".join(f"```text\n{block}\n```" for block in blocks)
        + "\n"
    )


def page() -> str:
    parts = [HEAD.format(count=len(CASES))]
    for section in SECTIONS:
        parts += [f"## {section}\n", *(shown(name) for name in CASES if read(name).section == section)]
    return "\n".join(parts)


def test_the_page_shows_every_case() -> None:
    assert len(CASES) >= 50
    assert {read(name).section for name in CASES} == set(SECTIONS)
    whole = page()
    if os.environ.get("UPDATE_DOCS"):
        PAGE.write_text(whole, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == whole


@pytest.mark.parametrize("name", CASES)
def test_a_broken_input_is_reported_and_shows_no_secret(name: str) -> None:
    for terminal in (True, False):
        code, text = printed(name, terminal=terminal)
        assert code in {1, 2} or "warning:" in text
        assert re.match(r"(\S+: )?(error|warning): |Usage: ", text), text
        assert not any(TOKEN[at : at + 6] in text for at in range(len(TOKEN) - 5))
        assert "Traceback" not in text


@pytest.mark.parametrize("name", [name for name in CASES if "<" not in read(name).command])
def test_lines_keep_to_the_terminal(name: str) -> None:
    assert [line for line in printed(name, terminal=True).text.splitlines() if len(line) > 100] == []
