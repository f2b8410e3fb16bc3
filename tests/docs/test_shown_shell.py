"""Shell lines that pages, examples and workflows show, but that no test can run: their commands and options exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from krm_fn.cli import group

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
PAGES.remove(ROOT / "docs/errors.md")  # tests/golden/test_errors.py runs its commands; some are wrong on purpose
WORKFLOWS = sorted([*(ROOT / "examples").rglob("*.yml"), *(ROOT / "examples").rglob("workflows/*.yaml")])

_BLOCK = re.compile(r"^ *```(?:sh|shell|bash)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`(clusternet-capi-fn [^`]+)`")
_ENDS = {"|", "||", "&&", ";", ">", ">>", "<", "2>", ")", "then", "fi", "do", "done"}


def commands(text: str) -> list[list[str]]:
    """Each call of the program in a piece of shell, as its arguments."""
    found = []
    for line in re.sub(r"\\\n\s*", " ", text).splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        try:
            words = list(lexer)
        except ValueError:  # a quoted text of several lines
            continue
        for at, word in enumerate(words):
            if word != "clusternet-capi-fn" or (
                at and not (words[at - 1] in _ENDS | {"if", "("} or "=" in words[at - 1])
            ):
                continue
            rest = words[at + 1 :]
            end = next((n for n, one in enumerate(rest) if one in _ENDS or set(one) <= set("|&;<>()")), len(rest))
            found.append(rest[:end])
    return found


def refused(arguments: list[str]) -> str:
    """Why the command line would not take these arguments; empty if it would."""
    if not arguments or arguments[0].startswith("-"):
        return "" if set(arguments) <= {"--help", "--version", "--debug"} else f"unknown option {arguments}"
    command = group.get_command(click.Context(group), arguments[0])
    if command is None:
        return f"no command {arguments[0]}"
    options = {name for one in command.params if isinstance(one, click.Option) for name in one.opts} | {"-h", "--help"}
    given = [one.partition("=")[0] for one in arguments[1:] if re.match(r"--?[a-z]", one)]
    unknown = [one for one in given if one not in options]
    return f"{arguments[0]} has no option {', '.join(unknown)}" if unknown else ""


def shown(page: Path) -> list[list[str]]:
    text = page.read_text(encoding="utf-8")
    inline = [found for line in _INLINE.findall(text) for found in commands(line)]
    return [*inline, *(found for block in _BLOCK.findall(text) for found in commands(block))]


@pytest.mark.parametrize("page", [one for one in PAGES if shown(one)], ids=lambda one: str(one.relative_to(ROOT)))
def test_commands_on_a_page_exist(page: Path) -> None:
    assert [why for arguments in shown(page) if (why := refused(arguments))] == []


def steps(path: Path) -> list[dict[str, Any]]:
    """The steps of a GitHub workflow."""
    document: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    jobs = document.get("jobs") or {}
    return [step for job in jobs.values() for step in job["steps"]]


@pytest.mark.parametrize("path", [one for one in WORKFLOWS if "jobs:" in one.read_text()], ids=lambda one: one.name)
def test_commands_in_a_workflow_exist(path: Path) -> None:
    calls = [arguments for step in steps(path) for arguments in commands(step.get("run", ""))]
    own = [step for step in steps(path) if step.get("uses", "").startswith("clusternet/clusternet-capi-fn@")]
    assert calls or own
    assert [why for arguments in calls if (why := refused(arguments))] == []
    inputs = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["inputs"]
    assert [name for step in own for name in step["with"] if name not in inputs] == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        pytest.param("clusternet-capi-fn plan a | cat", [["plan", "a"]], id="pipe"),
        pytest.param("if clusternet-capi-fn render a; then", [["render", "a"]], id="condition"),
        pytest.param("A=1 clusternet-capi-fn plan a > b", [["plan", "a"]], id="variable-and-redirection"),
        pytest.param("clusternet-capi-fn plan \\\n  a -o json # why", [["plan", "a", "-o", "json"]], id="continued"),
        pytest.param("pip install clusternet-capi-fn", [], id="not-a-call"),
    ],
)
def test_calls_are_found(line: str, expected: list[list[str]]) -> None:
    assert commands(line) == expected


@pytest.mark.parametrize("arguments", [["no-such"], ["plan", "--no-such"], ["--no-such"]], ids=" ".join)
def test_a_call_that_does_not_exist_is_noticed(arguments: list[str]) -> None:
    assert refused(arguments)
