"""One version: every file that names this release agrees, and one command moves them all."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from krm_fn import __version__

ROOT = Path(__file__).parents[2]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([folder / ".ci/version", *arguments], capture_output=True, text=True, check=False)


def test_every_place_names_this_version() -> None:
    done = run(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert run(ROOT).stdout.strip() == __version__


def test_one_command_moves_every_place(tmp_path: Path) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    for command in (["init", "-q"], ["add", "-A"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    assert run(tmp_path, "9.8.7").returncode == 0
    assert run(tmp_path, "--check").returncode == 0
    assert "v9.8.7" in (tmp_path / "Dockerfile").read_text()
    assert "clusternet-capi-fn-v9.8" in (tmp_path / "examples/argocd/application.yaml").read_text()
    assert "## [9.8.7] - " in (tmp_path / "CHANGELOG.md").read_text()


def test_a_version_of_another_form_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".ci").mkdir()
    shutil.copy(ROOT / ".ci/version", tmp_path / ".ci/version")
    assert run(tmp_path, "v1").returncode == 2
