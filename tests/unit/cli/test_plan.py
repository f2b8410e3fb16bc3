"""`plan` and `manifests`: what a person sees."""

from __future__ import annotations

import json
import pathlib
import re
from typing import Any

import click
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


@pytest.mark.parametrize("form", ["table", "markdown", "mermaid", "json", "yaml"])
def test_no_form_shows_the_token(form: str, folder: Folder) -> None:
    path = fleet(folder, cluster("one"))
    code, shown, said = invoke("plan", path, "-o", form)
    assert code == 0
    assert TOKEN not in shown + said


def test_json_and_yaml_say_the_same(folder: Folder) -> None:
    path = fleet(folder, cluster("one"), cluster("two", labels={"env": "staging"}))
    assert json.loads(invoke("plan", path, "-o", "json")[1]) == yaml.safe_load(invoke("plan", path, "-o", "yaml")[1])


FORMS = pytest.mark.parametrize("form", ["table", "markdown", "mermaid", "json", "yaml"])


@FORMS
def test_errors_are_in_every_form_on_stderr_and_in_the_exit_code(form: str, folder: Folder) -> None:
    path = fleet(folder, cluster("one", labels={"env": "staging"}))
    code, shown, said = invoke("plan", path, "-o", form)
    assert code == 1
    assert "the one Cluster in the input does not match" in shown
    assert re.match(r"\S+/config.yaml:\d+:\d+: error: the one Cluster in the input", said)


@FORMS
def test_a_time_of_the_environment_that_is_none_is_an_error_in_every_form(
    form: str, folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "today")
    code, shown, said = invoke("plan", fleet(folder, cluster("one")), "-o", form)
    assert (code, "SOURCE_DATE_EPOCH must be" in said) == (1, True)
    assert "SOURCE" in shown


@FORMS
def test_a_config_or_file_that_cannot_be_read_is_an_error_in_every_form(form: str, folder: Folder) -> None:
    code, shown, said = invoke("plan", fleet(folder, cluster("one"), parentURL="http://x"), "-o", form)
    assert code == 1
    assert "https" in shown
    assert "spec.parentURL" in said
    code, shown, _ = invoke("plan", str(folder.root / "nowhere"), "-o", form)
    assert code == 1
    assert "nowhere" in shown


def rendered(folder: Folder, *clusters: Any, **spec: Any) -> str:
    made = run(list(clusters), config(**spec))
    assert made.code == 0, made.stderr
    return str(pathlib.Path(folder.write("rendered/all.yaml", *made.items)).parent)


def test_against_the_same_tree_nothing_changes(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    code, shown, _ = invoke("plan", fleet(folder, cluster("one")), "--baseline", before, "--exit-code")
    assert code == 0
    assert "Nothing changes." in shown


def test_the_exit_code_tells_of_changes_that_a_filter_hides(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    path = fleet(folder, cluster("one"), agent={"extraArgs": ["--v=5"]})
    assert invoke("plan", path, "--baseline", before, "--exit-code", "-n", "nope")[0] == 1


def test_with_an_exit_code_a_change_fails(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    path = fleet(folder, cluster("one"), agent={"extraArgs": ["--v=5"]})
    assert invoke("plan", path, "--baseline", before)[0] == 0
    code, shown, said = invoke("plan", path, "--baseline", before, "--exit-code")
    assert code == 1
    assert "Agent pods restart on 1 Cluster: team-a/one." in shown
    assert '"--v=5"' in shown
    assert "error" not in said


def test_a_changed_token_is_hidden_in_the_diff(folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    other = "other0.0123456789abcdef"
    path = fleet(folder, cluster("one"), registrationToken={"value": other})
    for form in ("table", "markdown", "json"):
        shown = invoke("plan", path, "--baseline", before, "-o", form)[1]
        assert "(hidden, changed)" in shown
        assert other not in shown
        assert TOKEN not in shown


def test_a_baseline_without_clusters_says_so(folder: Folder) -> None:
    made = run([cluster("one")])
    folder.write("rendered/all.yaml", *[one for one in made.items if one["kind"] != "Cluster"])
    path = fleet(folder, cluster("one"), agent={"replicas": 1})
    _, shown, _ = invoke("plan", path, "--baseline", str(folder.root / "rendered"))
    assert "The earlier tree holds no Cluster objects" in shown


@pytest.mark.parametrize("content", ["nothing", "sources"])
def test_a_baseline_with_nothing_of_ours_is_an_error_where_a_guard_is_set(content: str, folder: Folder) -> None:
    (folder.root / "before").mkdir()
    if content == "sources":
        folder.write("before/all.yaml", cluster("one"), config())
    before = str(folder.root / "before")
    code, _, said = invoke("plan", fleet(folder, cluster("one")), "--baseline", before)
    assert code == 0
    assert "holds nothing that this function generated" in said
    guarded = fleet(folder, cluster("one"), guard={"maxRemovedClusters": 0})
    for command in ("plan", "render"):
        code, _, said = invoke(command, guarded, "--baseline", before)
        assert code == 1
        assert "guard.maxRemovedClusters of fleet can't be evaluated" in said


@pytest.mark.parametrize("command", ["plan", "render"])
def test_what_of_a_baseline_is_not_read_is_reported(command: str, folder: Folder) -> None:
    before = rendered(folder, cluster("one"))
    (pathlib.Path(before) / "notes.yaml").write_text("just: notes\n")
    (pathlib.Path(before) / "gone.yaml").symlink_to("nowhere.yaml")
    code, _, said = invoke(command, fleet(folder, cluster("one")), "--baseline", before)
    assert code == 0
    assert "notes.yaml:1" in said
    assert "it is not read" in said
    assert "gone.yaml" in said


def test_filters_choose_what_is_shown(folder: Folder) -> None:
    path = fleet(
        folder, cluster("one"), cluster("two", "team-b"), cluster("three", labels={"env": "prod", "x": "gold"})
    )

    def names(*arguments: str) -> list[str]:
        return [one["name"] for one in json.loads(invoke("plan", path, "-o", "json", *arguments)[1])["clusters"]]

    assert names("-n", "team-b") == ["two"]
    assert names("-l", "x=gold") == ["three"]
    assert names("-l", "x in (gold),!z") == ["three"]
    assert names("--cluster", "team-a/one", "--cluster", "team-b/two") == ["one", "two"]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--exit-code"], "--exit-code needs --baseline or --against"),
        (["--only-changed"], "--only-changed needs --baseline or --against"),
        (["-l", "a=b=c"], "-l a=b=c: "),
        (["--baseline", "x", "--against", "y"], "--baseline or --against, not both"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(arguments: list[str], reason: str, folder: Folder) -> None:
    with pytest.raises(click.UsageError, match=re.escape(reason)):
        group.main(["plan", fleet(folder, cluster("one")), *arguments], standalone_mode=False)


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
    [
        ("team-a/nope", "there is no Cluster team-a/nope in the input: did you mean team-a/one?"),
        ("team-a/two", "the label is 'staging'"),
    ],
    ids=["unknown", "left out"],
)
def test_a_cluster_that_gets_none_is_reported_why(chosen: str, reason: str, folder: Folder) -> None:
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
    assert "the one Cluster in the input" in said


def test_a_baseline_of_kubectl_differs_in_what_we_render_alone(folder: Folder) -> None:
    path = fleet(folder, cluster("one"))
    code, shown, _ = invoke("render", path, "--only", "generated", "-o", "-")
    assert code == 0
    live = []
    for at, one in enumerate(yaml.safe_load_all(shown)):
        metadata = {
            **one["metadata"],
            "uid": f"u{at}",
            "resourceVersion": "7",
            "creationTimestamp": "2026-01-01T00:00:00Z",
        }
        metadata["managedFields"] = [{"manager": "kubectl"}]
        metadata["ownerReferences"] = [{"kind": "ClusterResourceSet", "name": "x"}]
        metadata["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] = "{}"
        live.append({**one, "metadata": metadata, "status": {"conditions": []}})
    listed = folder.root / "live.yaml"
    listed.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": live}, sort_keys=True))
    code, shown, _ = invoke("plan", path, "--baseline", str(listed), "--exit-code")
    assert code == 0, shown
    fleet(folder, cluster("one"), agent={"replicas": 1})
    code, shown, _ = invoke("plan", path, "--baseline", str(listed), "--exit-code", "-o", "markdown")
    assert code == 1
    assert [line for line in shown.splitlines() if line[:1] in {"+", "-"} and "replicas" in line] == [
        '-      "replicas": 3',
        '+      "replicas": 1',
    ]
    assert "uid" not in shown


def test_a_folder_without_clusters_is_called_that(folder: Folder) -> None:
    path = fleet(folder, guard={"allowNoClusters": True})
    assert invoke("plan", path)[1].startswith("The input contains no Clusters.\n")
