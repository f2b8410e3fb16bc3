"""A token that the run knows is shown in no part by what commands print beside results: lines of files, notes, names that were asked for."""

from __future__ import annotations

import base64
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import click
import pytest

from krm_fn.__main__ import main
from krm_fn.files.reading import MARKER
from tests.support.traces import seen

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "q7xv2j.w8kq4zj9vhxq2zkn"
HALF = TOKEN.partition(".")[2]
FORMS = (HALF, HALF.upper(), HALF[3:11], base64.b64encode(TOKEN.encode()).decode()[9:-4], TOKEN.encode().hex()[14:40])
FLEET = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata: {name: fleet}
spec:
  parentURL: https://parent.example.com
  registrationToken: {env: CLUSTERNET_T}
  clusterSelector: {matchLabels: {env: prod}}
---
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: one, namespace: team, labels: {env: prod}}
"""
CLUSTER = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: two, namespace: team, labels: {env: dev}}
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def fleet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {"CLUSTERNET_T": TOKEN, "CLUSTERNET_PARENT_URLS": "*", "COLUMNS": "80", "TERM": "xterm"}.items():
        monkeypatch.setenv(name, value)
    folder = tmp_path / "fleet"
    folder.mkdir()
    (folder / "fleet.yaml").write_text(FLEET)
    return folder


def shown(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Return what a command prints on a terminal, without its colours."""
    stdout, stderr = Terminal(), Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", stdout)
        patch.setattr(sys, "stderr", stderr)
        main(arguments)
    return click.unstyle(stdout.getvalue() + stderr.getvalue())


@pytest.mark.parametrize("command", ["plan", "render", "manifests"])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param("apiVersion: v1\nkind: [FORM]\n", id="no object"),
        pytest.param("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nFORM: [\n", id="no YAML"),
        pytest.param(f"{CLUSTER}spec: {{a: *FORM}}\n", id="no alias"),
        pytest.param("apiVersion: config.kubernetes.io/v1\nkind: ResourceList # FORM\nmetadata: {name: x}\n", id="no item"),
    ],
)  # fmt: skip
def test_no_line_of_a_file_that_is_in_the_way(
    fleet: Path, monkeypatch: pytest.MonkeyPatch, command: str, text: str
) -> None:
    for form in FORMS:
        (fleet / "other.yaml").write_text(text.replace("FORM", form))
        said = shown(monkeypatch, command, "fleet")
        assert "other.yaml:" in said
        assert seen(TOKEN, said) == []


def test_no_line_of_a_file_in_the_way_of_a_baseline(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet.parent / "before").mkdir()
    (fleet.parent / "before" / "other.yaml").write_text(f"a: [\n{HALF}: [\n")
    said = shown(monkeypatch, "plan", "fleet", "--baseline", "before")
    assert "other.yaml:" in said
    assert seen(TOKEN, said) == []


@pytest.mark.parametrize("source", ["{env: CLUSTERNET_T}", f"{{value: {TOKEN}}}", "{secretRef: {name: reg}}"])
def test_no_name_of_an_object_that_is_in_the_way(fleet: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("{env: CLUSTERNET_T}", source))
    (fleet / "reg.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: reg, namespace: team}}\nstringData: {{regToken: {TOKEN}}}\n"
    )
    (fleet / "other.yaml").write_text(CLUSTER.replace("two", f"c-{HALF}") + "spec: {a: *b}\n")
    said = shown(monkeypatch, "plan", "fleet")
    assert "can't be read: an alias" in " ".join(said.split())
    assert seen(TOKEN, said) == []


def test_none_in_a_secret_that_the_config_misses(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("{env: CLUSTERNET_T}", "{secretRef: {name: reg}}"))
    (fleet / "reg.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: other, namespace: team}}\nstringData: {{regToken: {TOKEN}}}\n"
    )
    (fleet / "other.yaml").write_text(CLUSTER.replace("two", HALF))
    monkeypatch.delenv("CLUSTERNET_T")
    assert seen(TOKEN, shown(monkeypatch, "plan", "fleet")) == []


@pytest.mark.parametrize(
    "arguments",
    [("plan", "fleet", "--cluster", f"team/{HALF}"), ("manifests", "fleet", "--cluster", f"team/{HALF}")],
    ids=lambda arguments: arguments[0],
)
def test_no_name_that_was_asked_for(fleet: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]) -> None:
    said = shown(monkeypatch, *arguments)
    assert "there is no Cluster team/(hidden)" in said
    (fleet / "other.yaml").write_text(CLUSTER.replace("two", HALF))
    assert seen(TOKEN, said + shown(monkeypatch, *arguments)) == []


def test_no_namespace_of_the_registration(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet / "fleet.yaml").write_text(FLEET.replace("spec:\n", f"spec:\n  agent: {{namespace: {HALF}}}\n"))
    said = shown(monkeypatch, "manifests", "fleet", "--only", "registration")
    assert "parentURL" in said
    assert seen(TOKEN, said) == []


def test_no_folder_that_is_written_or_passed_over(fleet: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (fleet / HALF).mkdir()
    (fleet / HALF / MARKER).write_text('{"files": []}')
    said = shown(monkeypatch, "render", "fleet", "--verbose", "-o", f"out-{HALF}")
    assert "holds output of `render`" in said
    assert "out-(hidden): 6 files" in said
    assert seen(TOKEN, said) == []


def test_none_where_the_streams_take_ascii_only(fleet: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    del environment["CLUSTERNET_T"]
    (fleet / "fleet.yaml").write_text(FLEET.replace("{env: CLUSTERNET_T}", "{existingSecret: {name: reg}}"))
    done = subprocess.run(
        [sys.executable, "-m", "krm_fn", "render", "fleet", "-o", TOKEN],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "(hidden): " in done.stderr
    assert TOKEN not in done.stderr
