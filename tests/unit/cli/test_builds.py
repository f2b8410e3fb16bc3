"""Folders that kustomize builds, with a stand-in for the program; tests/hosts/test_kustomize_roots.py drives the real ones."""

from __future__ import annotations

import json
import sys
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
# Lists resources, calls functions in containers, sets a namespace or a prefix: as much of kustomize as is needed here.
STAND_IN = """#!{python}
import os, subprocess, sys, yaml
root = sys.argv[-1]
def load(name):
    with open(os.path.join(root, name)) as file:
        return [one for one in yaml.safe_load_all(file) if one]
(settings,) = load("kustomization.yaml")
for key in settings:
    if key not in ("resources", "transformers", "namePrefix"):
        sys.exit(f"Error: invalid Kustomization: json: unknown field {{key}} in {{root}}/kustomization.yaml")
try:
    items = [one for name in settings.get("resources", []) for one in load(name)]
except OSError as error:
    sys.exit(f"Error: {{error}}")
for name in settings.get("transformers", []):
    (function,) = load(name)
    image = yaml.safe_load(function["metadata"]["annotations"]["config.kubernetes.io/function"])["container"]["image"]
    text = yaml.safe_dump({{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items,
                           "functionConfig": function}})
    done = subprocess.run(["docker", "run", image], input=text, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit("Error: exit status 1")
    items = yaml.safe_load(done.stdout)["items"]
for one in items:
    one["metadata"]["name"] = settings.get("namePrefix", "") + one["metadata"]["name"]
local = "config.kubernetes.io/local-config"
print("---\\n".join(yaml.safe_dump(one) for one in items if local not in one["metadata"].get("annotations", {{}})), end="")
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kustomize"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    root = tmp_path / "repository"
    (root / ".git").mkdir(parents=True)
    write(root, "kustomization.yaml", {"resources": ["clusters.yaml"], "transformers": ["fleet.yaml"]})
    write(root, "clusters.yaml", cluster("one"), cluster("two", labels={"env": "dev"}))
    write(root, "fleet.yaml", called())
    return root


def write(folder: Path, name: str, *values: Any) -> None:
    (folder / name).write_text(yaml.safe_dump_all(values, sort_keys=False))


def called(name: str = "fleet", **spec: Any) -> Any:
    made = config(**{"registrationToken": {"existingSecret": {"name": "reg"}}, **spec})
    function = "exec: {path: clusternet-capi-fn}"
    made["metadata"] = {"name": name, "annotations": {"config.kubernetes.io/function": function}}
    return made


def call(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(group, [str(one) for one in arguments], standalone_mode=False)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.output
    return done.return_value, done.stdout, done.stderr


def test_what_the_function_saw_and_made_in_the_build_is_shown(folder: Path) -> None:
    code, shown, _ = call("plan", folder, "-o", "json")
    assert code == 0
    assert [(one["name"], one["registers"]) for one in json.loads(shown)["clusters"]] == [("one", True), ("two", False)]
    code, shown, _ = call("render", folder, "--only", "generated")
    assert code == 0
    assert {one["kind"] for one in yaml.safe_load_all(shown)} == {"ConfigMap", "ClusterResourceSet"}
    assert "fn.clusternet.io/made" not in shown


def test_names_are_those_of_the_end_and_clusters_that_move_are_warned_about(folder: Path) -> None:
    write(
        folder,
        "kustomization.yaml",
        {"resources": ["clusters.yaml"], "transformers": ["fleet.yaml"], "namePrefix": "x-"},
    )
    _, shown, said = call("plan", folder, "-o", "json")
    assert json.loads(shown)["clusters"][0]["clusterResourceSet"].startswith("x-")
    assert "after this function has run, the build renames, moves or removes" in said
    code, shown, said = call("manifests", folder)
    assert code == 0
    assert "# for team-a/x-one (config fleet)" in shown


def test_what_a_build_renames_later_is_compared_under_the_name_that_it_has_in_the_end(
    folder: Path, tmp_path: Path
) -> None:
    settings = {"resources": ["clusters.yaml"], "transformers": ["fleet.yaml"], "namePrefix": "x-"}
    write(folder, "kustomization.yaml", settings)
    write(folder, "fleet.yaml", called(guard={"maxRemovedClusters": 0}))
    assert call("render", folder, "-o", tmp_path / "out")[0] == 0
    code, shown, said = call("plan", folder, "--baseline", tmp_path / "out", "--exit-code", "-o", "json")
    assert code == 0, said
    assert [one["name"] for one in json.loads(shown)["clusters"]] == ["x-one", "x-two"]
    write(folder, "clusters.yaml", cluster("two", labels={"env": "dev"}), cluster("three"))
    code, _, said = call("plan", folder, "--baseline", tmp_path / "out")
    assert code == 1
    assert "1 of 1 Clusters would no longer be served" in said
    assert "team-a/x-one" in said


def test_manifests_are_found_whatever_a_build_renames(folder: Path) -> None:
    _, plain, _ = call("manifests", folder)
    settings = {"resources": ["clusters.yaml"], "transformers": ["fleet.yaml"], "namePrefix": "x-"}
    write(folder, "kustomization.yaml", settings)
    code, shown, _ = call("manifests", folder, "--only", "registration")
    assert code == 0
    assert "clusternet-agent-cluster-registration" in shown
    code, shown, _ = call("manifests", folder)
    assert code == 0
    # kustomize does not rename what the sets refer to, so that Cluster API finds none of it
    assert plain.count('"kind": ') > shown.count('"kind": ')


def test_several_configs_are_one_plan(folder: Path) -> None:
    second = called("second", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "second"})
    write(folder, "second.yaml", second)
    write(folder, "kustomization.yaml", {"resources": ["clusters.yaml"], "transformers": ["fleet.yaml", "second.yaml"]})
    _, shown, _ = call("plan", folder, "-o", "json")
    assert [one["config"] for one in json.loads(shown)["clusters"]] == ["fleet", "second"]


def test_an_error_of_the_function_has_its_place_in_the_users_file(folder: Path) -> None:
    write(folder, "fleet.yaml", called(clusterSelecter={}))
    code, _, said = call("render", folder)
    assert code == 1
    assert f"{folder}/fleet.yaml:" in said
    assert "clusterSelecter" in said


@pytest.mark.parametrize("name", ["Bad_Name", "${CLUSTER_NAME}"])
def test_an_error_about_a_cluster_of_the_build_has_its_place_in_the_users_file(folder: Path, name: str) -> None:
    write(folder, "kustomization.yaml", {"resources": ["clusters.yaml"]})
    write(folder, "clusters.yaml", cluster("one"), cluster(name))
    write(folder.parent, "apart.yaml", called())
    code, _, said = call("plan", folder, "-c", folder.parent / "apart.yaml")
    assert code == 1
    text = (folder / "clusters.yaml").read_text().splitlines()
    line = next(at for at, one in enumerate(text, 1) if name in one)
    assert f"{folder}/clusters.yaml:{line}:" in said


def test_of_several_files_with_one_cluster_that_of_the_same_spec_is_named(folder: Path) -> None:
    write(folder, "kustomization.yaml", {"resources": ["clusters.yaml"]})
    write(folder, "clusters.yaml", {**cluster("Bad_Name"), "spec": {"paused": True}})
    write(folder, "other.yaml", cluster("Bad_Name"))
    write(folder.parent, "apart.yaml", called())
    assert f"{folder}/clusters.yaml:" in call("plan", folder, "-c", folder.parent / "apart.yaml")[2]
    write(folder, "clusters.yaml", cluster("Bad_Name"))
    assert f"{folder}: error: Cluster" in call("plan", folder, "-c", folder.parent / "apart.yaml")[2]


@pytest.mark.parametrize(
    "form",
    [
        TOKEN,
        TOKEN[:-3],
        TOKEN[-10:],
        "x" * 40 + TOKEN,
        "y" * (200 - 12) + TOKEN,
        "c3RyaW5nOiBxN3h2MmoudzhrcTR6ajl2aHhxMnprbg",
        TOKEN.encode().hex(),
        TOKEN.encode().hex()[-26:-1],
    ],
)
def test_what_kustomize_says_shows_no_token_of_the_folder_and_is_short(folder: Path, form: str) -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "reg"}, "stringData": {"regToken": TOKEN}}
    write(folder, "secret.yaml", secret)
    write(folder, "kustomization.yaml", {"resources": ["clusters.yaml", "secret.yaml"], form: "x" * 3_000})
    code, _, said = call("render", folder)
    assert code == 1
    assert "kustomize can't build" in said
    assert "unknown field" in said
    assert seen(TOKEN, said) == []
    assert len(said) < len(str(folder)) + 300


def test_a_base_outside_is_the_first_thing_that_is_said(folder: Path) -> None:
    write(folder, "kustomization.yaml", {"resources": ["../../outside"]})
    outside = folder.parent.parent / "outside"
    outside.mkdir(exist_ok=True)
    write(outside, "kustomization.yaml", {"resources": []})
    said = call("render", folder)[2]
    assert (
        f"kustomize can't build {folder}: ../../outside leads out of {folder}: run this in a Git repository or" in said
    )


def test_a_config_under_resources_is_reported_that_kustomize_runs_nothing_there(folder: Path) -> None:
    write(folder, "kustomization.yaml", {"resources": ["clusters.yaml", "fleet.yaml"]})
    code, _, said = call("plan", folder)
    assert code == 0
    assert (
        f"{folder}/fleet.yaml:1:1: warning: the kustomization lists this ClusternetCAPIConfig under resources" in said
    )
    assert "list the file under transformers instead" in said
