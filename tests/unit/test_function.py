"""The function as a whole: what comes out for what goes in."""

from __future__ import annotations

import base64

import pytest
import yaml

from tests.support.lists import TOKEN, Run, cluster, config, document, named, run

PATH = "internal.config.kubernetes.io/path"
INDEX = "internal.config.kubernetes.io/index"


def test_each_namespace_with_a_match_gets_its_carriers_and_resource_sets() -> None:
    made = run([cluster("a"), cluster("b", "team-b"), cluster("c", "team-c", labels={"env": "dev"})])
    assert made.code == 0
    expected = {
        (kind, namespace, f"clusternet-cluster-api{suffix}")
        for namespace in ("team-a", "team-b")
        for kind, suffix in (
            ("Secret", "-registration"),
            ("ConfigMap", "-identity"),
            ("ConfigMap", "-agent"),
            ("ClusterResourceSet", "-identity"),
            ("ClusterResourceSet", ""),
        )
    }
    assert (
        made.names() - {("Cluster", "team-a", "a"), ("Cluster", "team-b", "b"), ("Cluster", "team-c", "c")} == expected
    )


def test_the_main_set_applies_the_registration_before_the_agent() -> None:
    made = run([cluster("a")])
    assert made.item("ClusterResourceSet", "clusternet-cluster-api")["spec"] == {
        "clusterSelector": {"matchLabels": {"env": "prod"}},
        "strategy": "Reconcile",
        "resources": [
            {"kind": "Secret", "name": "clusternet-cluster-api-registration"},
            {"kind": "ConfigMap", "name": "clusternet-cluster-api-agent"},
        ],
    }


def test_identity_is_applied_once_by_a_set_of_its_own() -> None:
    spec = run([cluster("a")]).item("ClusterResourceSet", "clusternet-cluster-api-identity")["spec"]
    assert spec["strategy"] == "ApplyOnce"
    assert spec["resources"] == [{"kind": "ConfigMap", "name": "clusternet-cluster-api-identity"}]


def test_with_apply_once_a_single_set_refers_to_all_three_carriers() -> None:
    made = run([cluster("a")], config(clusterResourceSet={"strategy": "ApplyOnce"}))
    sets = [one for one in made.items if one["kind"] == "ClusterResourceSet"]
    assert [one["metadata"]["name"] for one in sets] == ["clusternet-cluster-api"]
    assert [one["name"] for one in sets[0]["spec"]["resources"]] == [
        "clusternet-cluster-api-identity",
        "clusternet-cluster-api-registration",
        "clusternet-cluster-api-agent",
    ]


def test_extra_resources_come_between_registration_and_agent() -> None:
    extra = [{"kind": "Secret", "name": "pull"}, {"kind": "ConfigMap", "name": "crds"}]
    made = run([cluster("a")], config(clusterResourceSet={"extraResources": extra}))
    names = [one["name"] for one in made.item("ClusterResourceSet", "clusternet-cluster-api")["spec"]["resources"]]
    assert names == ["clusternet-cluster-api-registration", "pull", "crds", "clusternet-cluster-api-agent"]


def test_a_planted_token_is_found_only_base64_encoded_in_the_registration_secret() -> None:
    secret = named("Secret", "src", data={"regToken": base64.b64encode(TOKEN.encode()).decode()})
    made = run([cluster("a"), secret], config(registrationToken={"secretRef": {"name": "src"}}))
    assert made.code == 0
    assert TOKEN not in made.stdout.decode() + made.stderr
    payload = base64.b64decode(
        made.item("Secret", "clusternet-cluster-api-registration")["data"]["20-registration.yaml"]
    )
    inner = yaml.safe_load(payload)
    assert base64.b64decode(inner["data"]["regToken"]).decode() == TOKEN


def test_the_function_on_its_own_output_changes_no_byte() -> None:
    first = run([cluster("a"), cluster("b", "team-b", topology=True)])
    assert Run(first.stdout).stdout == first.stdout


def test_the_order_of_the_input_does_not_change_what_is_generated() -> None:
    items = [cluster("a"), cluster("b", "team-b"), cluster("c"), named("Namespace", "team-a", "")]
    forward, backward = run(items), run(items[::-1])
    key = str
    assert sorted(forward.items, key=key) == sorted(backward.items, key=key)
    assert forward.items[len(items) :] == backward.items[len(items) :]


def test_stale_output_of_the_same_config_is_removed() -> None:
    first = run([cluster("a"), cluster("b", "team-b")])
    kept = [one for one in first.items if (one["kind"], one["metadata"]["name"]) != ("Cluster", "b")]
    second = Run(document(kept, first.data["functionConfig"]))
    assert second.code == 0
    assert {namespace for _, namespace, _ in second.names()} == {"team-a"}


def test_output_of_another_config_stays() -> None:
    first = run([cluster("a")], config("one"))
    items = [*first.items, cluster("b", "team-b", labels={"env": "dev"})]
    second = Run(
        document(
            items, config("two", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "two"})
        )
    )
    assert second.code == 0
    assert first.names() <= second.names()


def test_an_edited_output_is_put_right_in_its_place_and_keeps_the_hosts_annotations() -> None:
    first = run([cluster("a", annotations={PATH: "fleet/a.yaml"})])
    items = first.items
    for one in items:
        if one["kind"] == "ConfigMap" and one["metadata"]["name"].endswith("-agent"):
            one["data"] = {"edited": "by hand"}
            one["metadata"]["annotations"][INDEX] = "3"
    second = Run(document(items, config()))
    agent = second.item("ConfigMap", "clusternet-cluster-api-agent")
    assert set(agent["data"]) == {"30-rbac.yaml", "40-deployment.yaml"}
    assert agent["metadata"]["annotations"][INDEX] == "3"
    assert [one["metadata"]["name"] for one in second.items] == [one["metadata"]["name"] for one in items]


def test_new_items_get_a_path_beside_the_config_where_the_host_uses_paths() -> None:
    function_config = config(
        annotations={PATH: "clusternet/fn.yaml", "config.kubernetes.io/path": "clusternet/fn.yaml"}
    )
    made = run([cluster("a", annotations={PATH: "clusters/a.yaml"})], function_config)
    annotations = made.item("ConfigMap", "clusternet-cluster-api-agent")["metadata"]["annotations"]
    assert annotations[PATH] == "clusternet/team-a/configmap_clusternet-cluster-api-agent.yaml"
    assert annotations["config.kubernetes.io/path"] == annotations[PATH]
    assert annotations[INDEX] == "0"


def test_a_new_item_is_not_put_where_another_object_lies() -> None:
    path = "fn/team-a/configmap_clusternet-cluster-api-agent.yaml"
    other = named("ConfigMap", "mine")
    other["metadata"]["annotations"] = {PATH: path, INDEX: "0"}
    made = run([cluster("a", annotations={PATH: "a.yaml"}), other], config(annotations={PATH: "fn/config.yaml"}))
    assert made.code == 1
    assert f"{path} already contains ConfigMap mine" in made.stderr
    assert len(made.items) == 2


def test_new_items_get_no_path_where_the_host_uses_none() -> None:
    made = run([cluster("a")])
    assert PATH not in made.item("ConfigMap", "clusternet-cluster-api-agent")["metadata"]["annotations"]


def test_a_token_that_goes_into_files_warns() -> None:
    made = run([cluster("a", annotations={PATH: "clusters/a.yaml"})])
    assert any("whoever reads them" in one for one in made.messages("warning"))


@pytest.mark.parametrize("version", ["config.kubernetes.io/v1", "config.kubernetes.io/v1beta1"])
def test_both_versions_of_the_resource_list_are_echoed(version: str) -> None:
    made = Run(document([cluster("a")], config(), version))
    assert made.code == 0
    assert made.data["apiVersion"] == version


def test_mode_check_changes_nothing() -> None:
    items = [cluster("a")]
    made = run(items, config(mode="Check"))
    assert made.code == 0
    assert made.items == items


def test_mode_check_accepts_the_output_of_the_config_it_checks() -> None:
    first = run([cluster("a")])
    made = Run(document(first.items, config("fleet-check", mode="Check")))
    assert made.code == 0, made.stderr


def test_on_an_error_the_items_come_out_as_they_came_with_the_reason() -> None:
    data = document([cluster("a"), cluster("b", labels={"env": True})], config())
    made = Run(data)
    assert made.code == 1
    assert made.items == yaml.safe_load(data)["items"]
    assert "metadata.labels 'env' is a boolean" in made.messages()[0]
    assert made.stderr.startswith("stdin:19:14: error: Cluster b:")


def test_configs_among_the_items_are_rendered_together() -> None:
    items = [
        cluster("a"),
        cluster("b", labels={"env": "dev"}),
        config("one"),
        config("two", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "two"}),
    ]
    made = Run(document(items))
    assert made.code == 0, made.stderr
    assert ("ClusterResourceSet", "team-a", "clusternet-cluster-api") in made.names()
    assert ("ClusterResourceSet", "team-a", "two") in made.names()


def test_without_any_config_the_error_says_where_to_put_one() -> None:
    made = Run(document([cluster("a")]))
    assert made.code == 1
    assert "there is no configuration" in made.stderr


def test_two_configs_of_one_name_are_refused() -> None:
    made = Run(document([cluster("a"), config(), config()]))
    assert made.code == 1
    assert "two ClusternetCAPIConfigs are called fleet" in made.stderr


def test_all_errors_of_all_configs_are_reported_at_once() -> None:
    made = Run(document([cluster("a"), config("one", parentURL="http://x"), config("two", clusterSelector={})]))
    assert {"one", "two"} <= {one["resourceRef"]["name"] for one in made.data["results"]}


def test_the_copy_of_the_functionconfig_among_the_items_is_that_config_and_lends_its_path() -> None:
    listed = config(annotations={PATH: "fn/config.yaml"})
    made = run([cluster("a", annotations={PATH: "a.yaml"}), listed], config())
    assert made.code == 0, made.stderr
    annotations = made.item("ConfigMap", "clusternet-cluster-api-agent")["metadata"]["annotations"]
    assert annotations[PATH].startswith("fn/team-a/")


def test_an_invalid_other_config_does_not_stop_this_one() -> None:
    assert run([cluster("a"), config("other", parentURL="nonsense")]).code == 0


def test_flat_keys_of_a_configmap_configure_as_well() -> None:
    flat = named(
        "ConfigMap",
        "function-input",
        "",
        data={
            "name": "fleet",
            "parentURL": "https://parent.example.com:6443",
            "registrationToken.value": TOKEN,
            "clusterSelector": "env in (prod)",
        },
    )
    made = run([cluster("a")], flat)
    assert made.code == 0, made.stderr
    spec = made.item("ClusterResourceSet", "clusternet-cluster-api")["spec"]
    assert spec["clusterSelector"] == {"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}]}


def test_verbose_says_every_verdict() -> None:
    made = run([cluster("a"), cluster("b", labels={"env": "dev"})], verbose=True)
    said = made.messages("info")
    assert any("Cluster team-a/a registers as clusternet-cluster-xxxxx" in one for one in said)
    assert any("Cluster team-a/b is left out: env=prod: the label is 'dev'" in one for one in said)


def test_counts_are_said_for_each_namespace() -> None:
    made = run([cluster("a"), cluster("b", labels={"env": "dev"}), cluster("c", "team-c")])
    assert "fleet: 1 of 2 Clusters register in namespace team-a" in made.messages("info")
    assert "fleet: 1 of 1 Clusters register in namespace team-c" in made.messages("info")


def test_clusters_without_a_namespace_get_objects_without_one() -> None:
    made = run([cluster("a", "")])
    assert ("ClusterResourceSet", "", "clusternet-cluster-api") in made.names()
    assert "namespace" not in made.item("ClusterResourceSet", "clusternet-cluster-api", "")["metadata"]


def test_a_foreign_object_under_a_generated_name_is_never_overwritten() -> None:
    made = run([cluster("a"), named("ConfigMap", "clusternet-cluster-api-agent", data={"mine": "x"})])
    assert made.code == 1
    assert "is already in the input" in made.stderr
    assert "does not overwrite it" in made.stderr


def test_a_generated_name_of_a_renamed_config_names_the_old_one_and_the_remedy() -> None:
    first = run([cluster("a")], config("old"))
    made = Run(document(first.items, config("new")))
    assert made.code == 1
    assert "were made by ClusternetCAPIConfig old" in made.stderr


def test_versions_do_not_count_for_identity() -> None:
    first = run([cluster("a", version="v1beta1")])
    assert first.item("ClusterResourceSet", "clusternet-cluster-api")["apiVersion"].endswith("/v1beta1")
    items = [cluster("a"), *first.items[1:]]
    second = Run(document(items, config()))
    assert second.code == 0, second.stderr
    assert second.item("ClusterResourceSet", "clusternet-cluster-api")["apiVersion"].endswith("/v1beta2")


def test_gitops_annotations_are_set_where_they_are_needed() -> None:
    made = run([cluster("a")], config(gitops={"argocd": True, "flux": True}))
    crs = made.item("ClusterResourceSet", "clusternet-cluster-api")["metadata"]["annotations"]
    agent = made.item("ConfigMap", "clusternet-cluster-api-agent")["metadata"]["annotations"]
    assert crs["argocd.argoproj.io/ignore-healthcheck"] == "true"
    assert agent["kustomize.toolkit.fluxcd.io/substitute"] == "disabled"


def test_a_changed_token_rolls_the_pods() -> None:
    first = run([cluster("a")]).item("ConfigMap", "clusternet-cluster-api-agent")["data"]
    other = config(registrationToken={"value": "other0.0123456789abcdef"})
    second = run([cluster("a")], other).item("ConfigMap", "clusternet-cluster-api-agent")["data"]
    assert first["30-rbac.yaml"] == second["30-rbac.yaml"]
    assert first["40-deployment.yaml"] != second["40-deployment.yaml"]


def test_a_listed_namespace_without_clusters_is_served_all_the_same() -> None:
    made = run([named("Namespace", "x", "")], config(namespaces=["team-z"]))
    assert made.code == 0, made.stderr
    assert ("ClusterResourceSet", "team-z", "clusternet-cluster-api") in made.names()


def test_the_token_in_a_configmap_elsewhere_is_reported_by_place_never_by_value() -> None:
    made = run([cluster("a"), named("ConfigMap", "leak", data={"x": f"token={TOKEN}"})])
    assert "ConfigMap" in made.stderr
    assert "leak" in made.stderr
    assert TOKEN not in made.stderr
