"""The function of examples/own-function in a pipe; in kustomize and kpt it runs in tests/hosts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/own-function"
HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
LABELS = "functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  data: {team: platform}\n"
SAID = "results:\n- message: set team on 1 objects\n  severity: info\n"


CRASHING = """
from krm_fn.krm.runner import as_main
as_main(lambda found: [][0])
"""


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


@pytest.mark.parametrize(
    "given",
    ["apiVersion: v1\nkind: ConfigMap\n", "kind: A\n---\nkind: B\n", "nonsense", "", HEAD + "items: [x]\n"],
    ids=["an object", "several", "no object", "nothing", "no objects in the list"],
)
def test_what_is_said_of_a_wrong_input_names_no_other_function(given: str) -> None:
    done = call(given)
    assert done.stderr.startswith(("error: ", "stdin:"))
    assert "clusternet" not in done.stderr.lower()


def test_a_crash_is_no_matter_of_this_project() -> None:
    done = subprocess.run([sys.executable, "-c", CRASHING], input=HEAD, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        "error: internal error (IndexError), not caused by your input; please report it\n"
        "run it again with --debug to see where\n"
    )


def test_the_protocol_layer_does_not_know_the_product() -> None:
    layer = [*(ROOT / "krm_fn/krm").glob("*.py"), *(ROOT / "krm_fn/yaml").glob("*.py"), ROOT / "krm_fn/base.py"]
    assert len(layer) > 15
    assert [one.name for one in layer if "clusternet" in one.read_text(encoding="utf-8").lower()] == []
