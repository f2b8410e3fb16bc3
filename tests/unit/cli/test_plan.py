"""`plan` and `manifests`: what a person sees."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from krm_fn.cli import group
from tests.support.lists import TOKEN, cluster, config, document, run


class Folder:
    def __init__(self, root: pathlib.Path) -> None:
        self.root = root

    def write(self, name: str, *values: Any) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        parts = [yaml.safe_load(document([value]))["items"][0] for value in values]
        path.write_text(yaml.safe_dump_all(parts, sort_keys=False))
        return str(path)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> Folder:
    return Folder(tmp_path)


def invoke(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, result.stdout, result.stderr


def fleet(folder: Folder, *clusters: Any, **spec: Any) -> str:
    folder.write("fleet/clusters.yaml", *clusters)
    folder.write("fleet/config.yaml", config(**spec))
    return str(folder.root / "fleet")


def test_the_table_names_every_cluster_with_its_rule(folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    code, shown, _ = invoke("plan", path)
    assert code == 0
    lines = shown.splitlines()
    assert lines[0].split() == ["NAMESPACE", "CLUSTER", "REGISTERS", "AS", "RESOURCE", "SET", "WHY"]
    assert lines[1].split() == [
        "team-a",
        "one",
        "yes",
        "clusternet-cluster-xxxxx",
        "clusternet-cluster-api",
        "env=prod",
    ]
    assert "two" in lines[2]
    assert "the label is 'staging'" in lines[2]


@pytest.mark.parametrize("form", ["table", "markdown", "mermaid", "json", "yaml"])
def test_no_form_shows_the_token(form: str, folder: Folder) -> None:
    path = fleet(folder, cluster("one"))
    code, shown, said = invoke("plan", path, "-o", form)
    assert code == 0
    assert TOKEN not in shown + said


def test_json_and_yaml_say_the_same(folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    assert json.loads(invoke("plan", path, "-o", "json")[1]) == yaml.safe_load(invoke("plan", path, "-o", "yaml")[1])


def test_errors_are_in_the_markdown_and_the_exit_code(folder: Folder) -> None:
    path = fleet(folder, cluster("one", labels={"env": "staging"}))
    code, shown, said = invoke("plan", path, "-o", "markdown")
    assert code == 1
    assert "**This would fail: 1 error.**" in shown
    assert re.match(r"\S+/config.yaml:\d+:\d+: error: none of the 1 Clusters", said)


def test_a_faulty_config_is_told_and_nothing_is_planned(folder: Folder) -> None:
    code, shown, said = invoke("plan", fleet(folder, cluster("one"), parentURL="http://x"))
    assert code == 1
    assert not shown
    assert "spec.parentURL" in said


def rendered(folder: Folder, *clusters: Any, **spec: Any) -> str:
    made = run(list(clusters), config(**spec))
    assert made.code == 0, made.stderr
    return str(pathlib.Path(folder.write("rendered/all.yaml", *made.items)).parent)


def test_against_the_same_tree_nothing_changes(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    code, shown, _ = invoke("plan", fleet(folder, cluster("one")), "--baseline", before)
    assert code == 0
    assert "No change against the baseline." in shown


def test_against_an_earlier_tree_the_pods_that_restart_are_named(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    path = fleet(folder, cluster("one"), agent={"extraArgs": ["--v=5"]})
    code, shown, _ = invoke("plan", path, "--baseline", before)
    assert code == 0
    assert "Objects: 0 added, 1 changed, 0 removed, 4 unchanged." in shown
    assert "Agent pods restart on 1 Cluster: team-a/one." in shown
    assert '"--v=5"' in shown


def test_more_replicas_restart_no_pods(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    _, shown, _ = invoke("plan", fleet(folder, cluster("one"), agent={"replicas": 5}), "--baseline", before)
    assert "1 changed" in shown
    assert "restart" not in shown


def test_clusters_that_come_and_go_are_named(folder: Folder) -> None:
    before = rendered(folder, cluster("one"), cluster("gone", "team-b"))
    path = fleet(folder, cluster("one"), cluster("new", "team-c"))
    _, shown, _ = invoke("plan", path, "--baseline", before)
    assert "Registers from now on: team-c/new." in shown
    assert "No longer served: team-b/gone." in shown


def test_with_apply_once_changes_are_said_to_be_held(folder: Folder) -> None:
    once = {"clusterResourceSet": {"strategy": "ApplyOnce"}}
    before = rendered(folder, cluster("one"), **once)
    path = fleet(folder, cluster("one"), agent={"extraArgs": ["--v=5"]}, **once)
    _, shown, _ = invoke("plan", path, "--baseline", before)
    assert "never delivered (strategy ApplyOnce): team-a/one" in shown


def test_a_changed_token_is_hidden_in_the_diff(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    other = "other0.0123456789abcdef"
    path = fleet(folder, cluster("one"), registrationToken={"value": other})
    _, shown, _ = invoke("plan", path, "--baseline", before, "-o", "markdown")
    assert "(hidden, changed)" in shown
    assert other not in shown
    assert TOKEN not in shown


def test_a_baseline_without_clusters_says_so(folder: Folder) -> None:
    made = run([cluster("one")])
    folder.write("rendered/all.yaml", *[one for one in made.items if one["kind"] != "Cluster"])
    path = fleet(folder, cluster("one"), agent={"replicas": 1})
    _, shown, _ = invoke("plan", path, "--baseline", str(folder.root / "rendered"))
    assert "The baseline holds no Cluster objects" in shown


def test_mermaid_draws_namespaces_sets_and_clusters(folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    shown = invoke("plan", path, "-o", "mermaid")[1]
    assert shown.splitlines()[1] == "flowchart LR"
    assert '[/"ClusterResourceSet<br/>clusternet-cluster-api"/]' in shown
    assert '["one<br/>as clusternet-cluster-xxxxx"]' in shown
    assert '["left out:<br/>team-a/two"]' in shown


@pytest.mark.parametrize("form", ["markdown", "mermaid"])
def test_a_cluster_that_another_config_registers_is_not_left_out(form: str, folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}), cluster("three", labels={}))
    second = config(
        "second", clusterSelector={"matchLabels": {"env": "staging"}}, clusterResourceSet={"name": "second"}
    )
    folder.write("fleet/second.yaml", second)
    shown = invoke("plan", path, "-o", form)[1]
    assert {"markdown": "<summary>1 Cluster left out, and why</summary>", "mermaid": '["left out:<br/>team-a/three"]'}[
        form
    ] in shown


def test_mermaid_does_not_break_names_at_their_hyphens(folder: Folder) -> None:
    first = invoke("plan", fleet(folder, cluster("one")), "-o", "mermaid")[1].splitlines()[0]
    assert json.loads(first.removeprefix("%%{init: ").removesuffix("}%%")) == {"flowchart": {"wrappingWidth": 500}}


def test_a_large_fleet_is_drawn_with_counts(folder: Folder) -> None:
    path = fleet(folder, *[cluster(f"c{number}") for number in range(101)])
    assert '["101 Clusters"]' in invoke("plan", path, "-o", "mermaid")[1]


def test_several_configs_get_a_column(folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    second = config(
        "second", clusterSelector={"matchLabels": {"env": "staging"}}, clusterResourceSet={"name": "second"}
    )
    folder.write("fleet/second.yaml", second)
    assert invoke("plan", path)[1].startswith("CONFIG")


def test_the_config_of_another_function_is_passed_over_with_a_warning(folder: Folder) -> None:
    path = fleet(folder, cluster("one"))
    other = {"apiVersion": "x.io/v1", "kind": "SetLabels", "metadata": {"name": "x", "annotations": {}}}
    other["metadata"]["annotations"]["config.kubernetes.io/function"] = "container: {image: x}"
    folder.write("fleet/other.yaml", other)
    assert "configures another function" in invoke("plan", path)[2]


def test_a_config_given_apart_is_used(folder: Folder) -> None:
    folder.write("fleet/clusters.yaml", cluster("one"))
    apart = folder.write("config.yaml", config())
    assert invoke("plan", str(folder.root / "fleet"), "-c", apart)[0] == 0


def test_a_config_file_with_more_than_one_object_is_refused(folder: Folder) -> None:
    folder.write("fleet/clusters.yaml", cluster("one"))
    apart = folder.write("config.yaml", config(), cluster("one"))
    code, _, said = invoke("plan", str(folder.root / "fleet"), "-c", apart)
    assert code == 1
    assert "holds 2 objects" in said


# --- manifests -------------------------------------------------------------------------------------------------------


def test_manifests_come_in_the_order_in_which_they_are_applied(folder: Folder) -> None:
    code, shown, _ = invoke("manifests", fleet(folder, cluster("one")))
    assert code == 0
    kinds = [one["kind"] for one in yaml.safe_load_all(shown)]
    assert kinds[:5] == ["Namespace", "ServiceAccount", "ServiceAccount", "Secret", "Secret"]
    assert kinds[-1] == "Deployment"
    assert len(kinds) == 11
    assert TOKEN not in shown


def test_the_registration_needs_no_cluster(folder: Folder) -> None:
    path = folder.write("config.yaml", config(registrationToken={"existingSecret": {"name": "mine"}}))
    code, shown, _ = invoke("manifests", path, "--only", "registration")
    assert code == 0
    assert "<base64 of the registration token>" in shown


def test_each_distinct_set_of_manifests_is_printed_once(folder: Folder) -> None:
    shown = invoke("manifests", fleet(folder, cluster("one"), cluster("two")), "--only", "agent")[1]
    assert shown.count("# for team-a/one, team-a/two (config fleet)") == 1
    assert shown.count('kind": "Deployment') == 1


def test_one_cluster_can_be_chosen(folder: Folder) -> None:
    per_cluster = {"identity": {"mode": "PerCluster"}}
    path = fleet(folder, cluster("one"), cluster("two"), **per_cluster)
    shown = invoke("manifests", path, "--cluster", "team-a/two")[1]
    assert "--cluster-reg-name=two" in shown
    assert "--cluster-reg-name=one" not in shown


@pytest.mark.parametrize(
    ("chosen", "reason"),
    [("team-a/nope", "no such Cluster"), ("team-a/two", "the label is 'staging'")],
    ids=["unknown", "left out"],
)
def test_a_cluster_that_gets_none_is_told_why(chosen: str, reason: str, folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    code, _, said = invoke("manifests", path, "--cluster", chosen)
    assert code == 1
    assert reason in said


def test_manifests_of_namespaces_without_clusters_in_the_input_are_printed(folder: Folder) -> None:
    path = folder.write("fleet.yaml", config(namespaces=["team-a", "team-b"]))
    code, shown, _ = invoke("manifests", path)
    assert code == 0
    assert re.findall("(?m)^# for .*", shown) == [f"# for namespace team-{name} (config fleet)" for name in "ab"]
    assert shown.count('"kind": "Deployment"') == 2


def test_errors_print_no_manifests(folder: Folder) -> None:
    code, shown, said = invoke("manifests", fleet(folder, cluster("one", labels={"env": "staging"})))
    assert code == 1
    assert not shown
    assert "none of the 1 Clusters" in said
