"""docs/tutorial.md, run from its first command to its last on a lab that `python -m tests.hosts.lab up` starts."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.docs.test_documented_commands import run, shown
from tests.hosts import programs
from tests.hosts.lab import lab as labs
from tests.hosts.lab import servers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = programs.REPOSITORY
PAGE = ROOT / "docs/tutorial.md"
PART = re.compile(r"^<!-- file: (\S+) -->\n\n```\w+\n(.*?)^```$|^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
READS = re.compile(r"\bget\b|clusternet-capi-fn status")
SECONDS = 60  # in which a command that reads has to show what the page says
# What differs from run to run: names that the agent and the hub choose, and how long something has been so.
VARIES = ((r"clusternet-cluster-\w{5}\b", "clusternet-cluster-x"), (r"clusternet-[0-9a-f]{5}\b", "clusternet-x"))


@pytest.fixture
def bash(newest_kustomize: Path, tmp_path: Path) -> Generator[list[str | dict[str, str]], None, None]:
    """The environment of the page's shell, in a folder that looks like a checkout, with a lab."""
    reason = labs.missing()
    if reason:
        pytest.skip(reason)
    for name in ("tests", "krm_fn"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/kubectl").symlink_to(servers.kubectl())
    (tmp_path / "bin/kustomize").symlink_to(newest_kustomize)
    state = tmp_path / "lab"
    who = {
        f"GIT_{role}_{field}": "tutorial@example.com" for role in ("AUTHOR", "COMMITTER") for field in ("NAME", "EMAIL")
    }
    environment = programs.environment(
        {
            **who,
            "CLUSTERNET_LAB": str(state),
            "KUBECONFIG": str(state / "kubeconfig"),
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), str(tmp_path / "bin"), os.environ["PATH"]]),
        }
    )
    lab = [sys.executable, "-m", "tests.hosts.lab"]
    subprocess.run([*lab, "up"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    try:
        yield environment
    finally:
        subprocess.run([*lab, "down"], cwd=tmp_path, env=environment, check=True)


def same(text: str) -> str:
    """A text without what varies, and without runs of spaces, which a column's width makes."""
    for pattern, constant in VARIES:
        text = re.sub(pattern, constant, text)
    return re.sub(r" +", " ", text)


def test_the_tutorial_leads_from_an_empty_folder_to_a_registered_cluster(bash: dict[str, str], tmp_path: Path) -> None:
    update = bool(os.environ.get("UPDATE_DOCS"))
    text, at, fresh = PAGE.read_text(encoding="utf-8"), 0, []
    for part in PART.finditer(text):
        fresh.append(text[at : part.start()])
        at = part.end()
        if part[1]:
            (tmp_path / part[1]).write_text(part[2], encoding="utf-8")
            fresh.append(part[0])
            continue
        block = []
        for one in shown(part[3]):
            end = time.monotonic() + SECONDS
            time.sleep(10 if update and READS.search(one.command) else 0)
            code, output = run(one.command, tmp_path, bash)
            while not update and READS.search(one.command) and time.monotonic() < end:
                if (code, same(output)) == (one.code, same(one.output)):
                    break
                time.sleep(0.5)
                code, output = run(one.command, tmp_path, bash)
            block += [one.lines, output]
            assert code == one.code, f"{one.command}\n{output}"
            assert update or same(output) == same(one.output), one.command
        fresh.append(f"```console\n{''.join(block)}```")
    if update:
        PAGE.write_text("".join([*fresh, text[at:]]), encoding="utf-8")
    assert len(fresh) > 20


def test_every_command_of_the_page_that_stands_in_for_a_program_is_one_of_the_lab() -> None:
    calls = re.findall(r"^\$ (python -m tests\.hosts\.lab .*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    known = programs.run(sys.executable, "-m", "tests.hosts.lab", cwd=ROOT, code=1).err
    assert {shlex.split(call)[3] for call in calls} <= set(re.findall(r"[a-z]+", known.partition("usage:")[2]))
