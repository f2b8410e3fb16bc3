"""`plan` and `manifests` where nobody offers the token: they warn and go on, `render` fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from click.testing import CliRunner

from krm_fn.cli import group
from tests.support.lists import cluster, config
from tests.support.traces import seen

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = "q7xv2j.w8kq4zj9vhxq2zkn"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reg"}}
ABSENT = {
    "a variable": ({"env": "CLUSTERNET_T"}, []),
    "a file": ({"file": "regToken"}, []),
    "a Secret": ({"secretRef": {"name": "reg"}}, []),
    "a Secret that is encrypted": (
        {"secretRef": {"name": "reg"}},
        [{**SECRET, "stringData": {"regToken": "ENC[AES256_GCM,data:xx,type:str]"}}],
    ),
    "a value that is filled in later": ({"value": "${TOKEN}"}, []),
}
WRONG = {
    "a variable that is never offered": ({"env": "HOME"}, []),
    "a Secret with another key": ({"secretRef": {"name": "reg"}}, [{**SECRET, "stringData": {"x": "y"}}]),
    "a value that is no token": ({"value": "abcdef.123"}, []),
}


def write(folder: Path, source: Any, more: Any = (), **spec: Any) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "all.yaml").write_text(
        yaml.safe_dump_all([config(registrationToken=source, **spec), cluster("one"), *more], sort_keys=False)
    )
    return folder


def call(*arguments: object, **environment: str) -> tuple[int, str, str]:
    offered = {"CLUSTERNET_PARENT_URLS": "*", "CLUSTERNET_TOKEN_DIR": "/nonexistent", **environment}
    done = CliRunner(env=offered).invoke(group, [str(one) for one in arguments], standalone_mode=False)
    assert done.exception is None, done.output
    return done.return_value, done.stdout, done.stderr


@pytest.mark.parametrize("case", ABSENT)
def test_a_plan_needs_no_token(tmp_path: Path, case: str) -> None:
    folder = write(tmp_path / "in", *ABSENT[case])
    code, shown, said = call("plan", folder, "-o", "json")
    assert code == 0, said
    assert [one["registers"] for one in json.loads(shown)["clusters"]] == [True]
    assert "warning: " in said
    assert "(a warning only: `render` needs the token, this does not)" in said
    assert call("manifests", folder)[0] == 0
    code, shown, said = call("render", folder)
    assert (code, shown) == (1, "")
    assert "error: " in said


def test_a_plan_needs_no_list_of_parents(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"env": "CLUSTERNET_T"})
    done = CliRunner(env={"CLUSTERNET_PARENT_URLS": None, "CLUSTERNET_T": TOKEN}).invoke(
        group, ["plan", str(folder)], standalone_mode=False
    )
    assert done.return_value == 0
    assert "set CLUSTERNET_PARENT_URLS" in done.stderr


def test_a_parent_that_is_not_listed_stays_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"env": "CLUSTERNET_T"})
    assert call("plan", folder, CLUSTERNET_PARENT_URLS="https://other.example.com")[0] == 1


@pytest.mark.parametrize("case", WRONG)
def test_what_would_be_wrong_with_any_token_stays_an_error(tmp_path: Path, case: str) -> None:
    assert call("plan", write(tmp_path / "in", *WRONG[case]))[0] == 1


def test_against_a_rendered_tree_an_absent_token_is_no_change(tmp_path: Path) -> None:
    folder = write(tmp_path / "in", {"env": "CLUSTERNET_T"})
    assert call("render", folder, "-o", tmp_path / "out", CLUSTERNET_T=TOKEN)[0] == 0
    code, shown, said = call("plan", folder, "--baseline", tmp_path / "out", "--exit-code")
    assert code == 0, shown
    assert seen(TOKEN, shown + said) == []
    write(folder, {"env": "CLUSTERNET_T"}, agent={"replicas": 2})
    code, shown, said = call("plan", folder, "--baseline", tmp_path / "out", "--exit-code")
    assert code == 1
    assert seen(TOKEN, shown + said) == []


@pytest.mark.parametrize("data", [{}, {"20-registration.yaml": "!"}, {"20-registration.yaml": "YTogYg=="}, "x"])
def test_a_registration_that_holds_no_token_is_passed_over(tmp_path: Path, data: Any) -> None:
    folder = write(tmp_path / "in", {"env": "CLUSTERNET_T"})
    assert call("render", folder, "-o", tmp_path / "out", CLUSTERNET_T=TOKEN)[0] == 0
    path = tmp_path / "out/team-a/secret_clusternet-cluster-api-registration.yaml"
    made = yaml.safe_load(path.read_text())
    path.write_text(
        yaml.safe_dump({**made, "data": data, "metadata": {**made["metadata"], "x": "20-registration.yaml"}})
    )
    assert call("plan", folder, "--baseline", tmp_path / "out", "--exit-code")[0] == 1
