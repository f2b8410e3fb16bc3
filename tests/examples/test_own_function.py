"""The function of examples/own-function in a pipe; in kustomize and kpt it runs in tests/hosts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/own-function"
HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
LABELS = "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  data: {team: platform}\n"
SAID = "results:\n- message: set team on 1 objects\n  severity: info\n"


def call(given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, EXAMPLE / "label.py"], input=given, capture_output=True, text=True, check=False, timeout=60
    )


def test_it_is_shorter_than_thirty_lines() -> None:
    assert len((EXAMPLE / "label.py").read_text(encoding="utf-8").splitlines()) < 30


@pytest.mark.parametrize(
    ("items", "out"),
    [
        (
            "items:\n- kind: A # kept\n  n: 0777\n  metadata:\n    labels:\n      app: 'x' # why\n  on: yes\n",
            "items:\n- kind: A # kept\n  n: 0777\n  metadata:\n    labels:\n      app: 'x' # why\n      team: platform\n  on: yes\n",
        ),
        (
            "items: [{kind: A, n: 0777, metadata: {name: a}}] # flow\n",
            'items: [{kind: A, n: 0777, metadata: {name: a, "labels": {"team": "platform"}}}] # flow\n',
        ),
    ],
    ids=["block", "flow"],
)
def test_a_label_is_set_and_every_other_byte_stays(items: str, out: str) -> None:
    done = call(HEAD + items + LABELS)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == HEAD + out + LABELS + SAID


@pytest.mark.parametrize("config", ["", "functionConfig:\n  kind: ConfigMap\n  data: {team: 1}\n"], ids=["none", "number"])
def test_without_labels_it_fails_and_the_items_stay(config: str) -> None:
    done = call(f"{HEAD}items:\n- kind: A\n{config}")
    assert done.returncode == 1
    assert "no labels to set: give a ConfigMap with strings as data" in done.stderr
    assert done.stdout.startswith(f"{HEAD}items:\n- kind: A\n")


def test_what_is_no_resource_list_is_one_line() -> None:
    done = call("nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
