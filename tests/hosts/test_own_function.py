"""A function that somebody else writes with our protocol layer, in kustomize and in kpt."""

from __future__ import annotations

import shutil

import pytest
import yaml

from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

EXAMPLE = REPOSITORY / "examples/own-function"
EXPECTED = """\
# what the team runs
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings # read at start
  labels:
    app: shop
    team: platform
data:
  # minutes
  timeout: "10"
  mode: 'on'
---
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the example."""
    return shutil.copytree(EXAMPLE, tmp_path / "own")


def test_in_kustomize_every_object_gets_the_label(kustomize: Path, package: Path) -> None:
    done = run(kustomize, "build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=package)
    objects = list(yaml.safe_load_all(done.out))
    assert [one["metadata"]["labels"]["team"] for one in objects] == ["platform", "platform"]
    assert objects[0]["data"] == {"timeout": "10", "mode": "on"}


def test_in_kpt_the_label_is_all_that_changes_in_the_file(kpt: Path, package: Path) -> None:
    (package / "kustomization.yaml").unlink()
    before = (package / "app.yaml").read_text(encoding="utf-8")
    run(kpt, "fn", "eval", "app.yaml", "--exec", "./label.py", "--", "team=platform", cwd=package)
    after = (package / "app.yaml").read_text(encoding="utf-8")
    assert after.startswith(EXPECTED)
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert changed == ["    team: platform", 'metadata: {name: shop, "labels": {"team": "platform"}}']


def test_an_error_of_the_function_fails_the_build(kustomize: Path, package: Path) -> None:
    labels = package / "labels.yaml"
    labels.write_text(labels.read_text(encoding="utf-8").replace("team: platform", "team: 7"), encoding="utf-8")
    done = run(kustomize, "build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=package, code=None)
    assert "no labels to set" in done.err
