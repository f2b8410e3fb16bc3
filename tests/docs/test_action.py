"""action.yml: its steps run as GitHub would run them, without GitHub; and what the other CI files promise."""

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
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
GIT = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "a"),
    **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "a@example.com"),
}


class Job:
    """A checkout of a pull request, and what a job leaves behind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        self.temp = folder / "temp"
        self.temp.mkdir()
        self.clusters = self.folder / "clusters"
        shutil.copytree(
            ROOT / "examples/waves", self.clusters, ignore=shutil.ignore_patterns(".expected", "kustomization.yaml")
        )
        self.git("init", "--quiet")
        self.base = self.commit()

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env={**os.environ, **GIT}, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "x")
        return self.git("rev-parse", "HEAD")

    def run(self, script: str, path: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("CLUSTERNET_", "COV"))}
        environment = {
            **kept,
            "PATH": f"{path}{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "GITHUB_OUTPUT": str(self.temp / "output"),
            "GITHUB_PATH": str(self.temp / "path"),
            "GITHUB_REPOSITORY": "team/fleet",
            "GITHUB_STEP_SUMMARY": str(self.temp / "summary.md"),
            **variables,
        }
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", ROOT / "action" / script]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)

    def plan(self, base: str | None = None) -> tuple[str, str, str]:
        done = self.run("plan", PLAN_PATH="clusters", PLAN_BASE=self.base if base is None else base)
        assert done.returncode == 0, done.stderr
        output = dict(line.split("=", 1) for line in (self.temp / "output").read_text(encoding="utf-8").splitlines())
        comment = Path(output["plan"]).read_text(encoding="utf-8")
        assert (self.temp / "summary.md").read_text(encoding="utf-8") == comment
        return output["code"], comment, done.stderr


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_pull_request_is_compared_with_its_base(job: Job) -> None:
    change(job.clusters / "wave-2.yaml", "agent:v0.18.0", "agent:v0.18.1")
    job.commit()
    code, comment, _ = job.plan()
    assert code == "0"
    assert "prod/main-1" in comment
    assert "agent" in comment
    assert "restart" in comment


def test_a_guard_that_stops_a_change_is_in_the_comment_and_an_annotation(job: Job) -> None:
    change(job.clusters / "wave-2.yaml", "  agent:", "  guard: {maxRemovedClusters: 0}\n  agent:")
    change(job.clusters / "clusters.yaml", 'name: main-1\n  namespace: prod\n  labels:\n    clusternet.io/wave: "2"',
           "name: main-1\n  namespace: prod")  # fmt: skip
    job.commit()
    code, comment, printed = job.plan()
    assert code == "1"
    assert "guard.maxRemovedClusters" in comment
    assert "::error " in printed


def test_without_a_base_the_plan_is_of_the_pull_request_alone(job: Job) -> None:
    code, comment, _ = job.plan(base="")
    assert code == "0"
    assert "prod/main-1" in comment


GH = """\
#!/bin/sh
# Answers as gh does: it lists the comments by their numbers, and keeps what it is called with.
case "$*" in
*--paginate*) printf '%s' "$COMMENTS" ;;
*) printf '%s\\n' "$@" >"$RUNNER_TEMP/gh"; cp "$RUNNER_TEMP/clusternet-comment.md" "$RUNNER_TEMP/body" ;;
esac
"""


@pytest.mark.parametrize(
    ("comments", "called"),
    [
        pytest.param("", ["repos/team/fleet/issues/7/comments", "--method", "POST"], id="none before"),
        pytest.param("41\n", ["repos/team/fleet/issues/comments/41", "--method", "PATCH"], id="one before"),
        pytest.param("41\n52\n", ["repos/team/fleet/issues/comments/41", "--method", "PATCH"], id="two before"),
    ],
)
def test_the_comment_of_an_earlier_run_is_replaced(job: Job, tmp_path: Path, comments: str, called: list[str]) -> None:
    program = tmp_path / "bin/gh"
    program.parent.mkdir()
    program.write_text(GH, encoding="utf-8")
    program.chmod(0o755)
    (job.temp / "plan.md").write_text("the plan\n", encoding="utf-8")
    given = {"PLAN_NUMBER": "7", "PLAN_FILE": str(job.temp / "plan.md"), "PLAN_PATH": 'a "b" -->/c'}
    done = job.run("comment", f"{program.parent}{os.pathsep}", COMMENTS=comments, **given)
    assert done.returncode == 0, done.stderr
    assert (job.temp / "gh").read_text(encoding="utf-8").splitlines()[1:4] == called
    body = (job.temp / "body").read_text(encoding="utf-8")
    assert body == "<!-- clusternet-capi-fn plan a__b__--_/c -->\nthe plan\n"


def test_every_script_of_the_action_exists_and_every_script_is_used() -> None:
    used = {step["run"].split("/")[-1].rstrip("\"'") for step in STEPS if "GITHUB_ACTION_PATH" in step["run"]}
    assert used == {path.name for path in (ROOT / "action").iterdir()}
    assert all(os.access(ROOT / "action" / name, os.X_OK) for name in used)


def test_no_step_puts_an_expression_into_a_script() -> None:
    assert [step["run"] for step in STEPS if "${{" in step["run"]] == []


def test_a_fork_gets_no_comment() -> None:
    (condition,) = [step["if"] for step in STEPS if "if" in step]
    assert "head.repo.full_name == github.repository" in condition


def test_the_workflow_may_read_and_comment_and_keeps_no_credentials() -> None:
    workflow = yaml.safe_load((ROOT / "examples/ci/plan-comment.yml").read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read", "pull-requests": "write"}
    (checkout,) = [one for one in workflow["jobs"]["plan"]["steps"] if "checkout" in one["uses"]]
    assert checkout["with"]["persist-credentials"] is False


def test_the_gitlab_component_passes_its_inputs_to_commands_that_exist() -> None:
    _, jobs = yaml.safe_load_all((ROOT / "templates/plan.yml").read_text(encoding="utf-8"))
    script, *rest = jobs["clusternet-plan"]["script"]
    assert script.endswith(" || code=$?")
    assert rest[-1] == 'exit "${code:-0}"'
    words = script.split(" > ")[0].replace('"$[[ inputs.path ]]"', "examples/waves/clusters.yaml").split()
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", "plan", "--help"], capture_output=True, text=True, check=True
    )
    assert words[:2] == ["clusternet-capi-fn", "plan"]
    assert [word for word in words if word.startswith("--") and word not in done.stdout] == []


def test_the_pre_commit_hook_runs_a_command_that_exists() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert hook["entry"] == "clusternet-capi-fn plan"
    assert hook["pass_filenames"] is False
    shown = (ROOT / "examples/ci/README.md").read_text(encoding="utf-8").split("```yaml\n")[1].split("```")[0]
    (repository,) = yaml.safe_load(shown)["repos"]
    assert [one["id"] for one in repository["hooks"]] == [hook["id"]]
