"""examples/ci/plan-comment.yml: its steps run as GitHub would run them, without GitHub."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / "examples/ci/plan-comment.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = WORKFLOW["jobs"]["plan"]["steps"]


def step(name: str) -> dict[str, Any]:
    return next(one for one in STEPS if one.get("name") == name)


class Job:
    """A checkout of a pull request with the main branch beside it, and what a job leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.temp = folder / "temp"
        self.temp.mkdir()
        for place in ("clusters", ".base/clusters"):
            shutil.copytree(ROOT / "examples/waves", folder / place, ignore=shutil.ignore_patterns(".expected"))

    def run(self, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLUSTERNET_", "COV"))}
        environment = {
            **kept,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_ENV": str(self.temp / "env"),
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            **variables,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def plan(self) -> tuple[str, str]:
        done = self.run(step("plan")["run"])
        assert done.returncode == 0, done.stderr
        comment = (self.temp / "comment.md").read_text(encoding="utf-8")
        assert (self.temp / "summary.md").read_text(encoding="utf-8") == comment
        return (self.temp / "env").read_text(encoding="utf-8").strip(), comment


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_pull_request_is_compared_with_the_main_branch(job: Job) -> None:
    change(job.folder / "clusters/wave-2.yaml", "agent:v0.18.0", "agent:v0.18.1")
    code, comment = job.plan()
    assert code == "code=0"
    assert "Agent pods restart on 2 Clusters: prod/main-1, prod/main-2." in comment


def test_a_guard_that_stops_a_change_is_in_the_comment_and_fails_the_job(job: Job) -> None:
    change(job.folder / "clusters/wave-2.yaml", "  agent:", "  guard: {maxRemovedClusters: 0}\n  agent:")
    change(job.folder / "clusters/clusters.yaml", 'name: main-1\n  namespace: prod\n  labels:\n    clusternet.io/wave: "2"',
           "name: main-1\n  namespace: prod")  # fmt: skip
    code, comment = job.plan()
    assert code == "code=1"
    assert "**This would fail: 1 error.**" in comment
    assert "guard.maxRemovedClusters" in comment
    assert job.run(step("result")["run"], code="1").returncode == 1


def test_without_a_main_branch_that_renders_the_plan_stands_alone(job: Job) -> None:
    shutil.rmtree(job.folder / ".base/clusters")
    code, comment = job.plan()
    assert code == "code=0"
    assert "baseline" not in comment


def test_the_comment_is_updated_and_never_posted_for_a_fork() -> None:
    comment = step("comment")
    assert "--edit-last --create-if-none" in comment["run"]
    assert comment["if"] == "github.event.pull_request.head.repo.full_name == github.repository"


def test_its_rights_are_to_read_and_to_comment() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read", "pull-requests": "write"}
    assert all(one["with"]["persist-credentials"] is False for one in STEPS if "checkout" in one.get("uses", ""))
