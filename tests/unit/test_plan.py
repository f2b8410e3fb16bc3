"""The Plan: names, guards, overlaps and earlier output, seen through the function."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.krm import resource_list
from tests.support.lists import Run, cluster, config, document, named, run

PER_CLUSTER = {"identity": {"mode": "PerCluster"}}
NAME_LABEL = "cluster.x-k8s.io/cluster-name"


def baseline_of(made: Run) -> Any:
    return resource_list.read(made.stdout).items


# --- PerCluster ------------------------------------------------------------------------------------------------------


def test_each_cluster_gets_an_agent_configmap_and_a_set_that_selects_it_alone() -> None:
    made = run([cluster("a"), cluster("b")], config(**PER_CLUSTER))
    assert made.code == 0, made.stderr
    spec = made.item("ClusterResourceSet", "clusternet-cluster-api.b")["spec"]
    assert spec["clusterSelector"] == {"matchLabels": {NAME_LABEL: "b"}}
    assert [one["name"] for one in spec["resources"]] == [
        "clusternet-cluster-api.registration",
        "clusternet-cluster-api-agent.b",
    ]
    deployment = made.item("ConfigMap", "clusternet-cluster-api-agent.b")["data"]["40-deployment.yaml"]
    assert '"--cluster-reg-name=b"' in deployment


def test_a_classic_cluster_is_given_its_name_as_a_label_and_nothing_else() -> None:
    before = cluster("a")
    made = run([before], config(**PER_CLUSTER))
    before["metadata"]["labels"][NAME_LABEL] = "a"
    assert made.items[0] == before


def test_a_clusterclass_cluster_is_left_alone() -> None:
    before = cluster("a", topology=True)
    assert run([before], config(**PER_CLUSTER)).items[0] == before


def test_a_wrong_cluster_name_label_is_an_error() -> None:
    made = run([cluster("a", labels={"env": "prod", NAME_LABEL: "other"})], config(**PER_CLUSTER))
    assert made.code == 1
    assert "is 'other', but its name is 'a'" in made.stderr


def test_a_local_config_cluster_without_the_live_label_is_an_error_with_the_line_to_add() -> None:
    local = cluster("a", annotations={"config.kubernetes.io/local-config": "true"})
    made = run([local], config(**PER_CLUSTER))
    assert made.code == 1
    assert "add 'cluster.x-k8s.io/cluster-name: a'" in made.stderr


def test_a_local_config_cluster_is_matched_and_never_edited() -> None:
    local = cluster(
        "a", annotations={"config.kubernetes.io/local-config": "true"}, labels={"env": "prod", NAME_LABEL: "a"}
    )
    made = run([local], config(**PER_CLUSTER))
    assert made.code == 0, made.stderr
    assert made.items[0] == local


def test_a_long_name_is_shortened_with_a_hash_that_other_clusters_do_not_change() -> None:
    long = "production-europe-west-payments-01"
    alone = run([cluster(long)], config(**PER_CLUSTER)).plan.verdicts[0].registration_name
    both = run([cluster(long), cluster(long + "x")], config(**PER_CLUSTER)).plan.verdicts
    assert len(alone) == 30
    assert alone.startswith("production-europe-wes")
    assert both[0].registration_name == alone
    assert both[1].registration_name != alone


def test_two_clusters_of_one_registration_name_are_an_error_that_names_both() -> None:
    made = run([cluster("a"), cluster("a", "team-b")], config(**PER_CLUSTER))
    assert made.code == 1
    assert "Clusters team-a/a, team-b/a would all register as 'a'" in made.stderr


def test_the_namespace_in_the_template_makes_them_differ() -> None:
    spec = {"identity": {"mode": "PerCluster", "nameTemplate": "{namespace}-{name}"}}
    made = run([cluster("a"), cluster("a", "team-b")], config(**spec))
    assert [one.registration_name for one in made.plan.verdicts] == ["team-a-a", "team-b-a"]


def test_names_are_unique_over_all_configs_of_the_input() -> None:
    one = config("one", **PER_CLUSTER)
    two = config(
        "two", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "two"}, **PER_CLUSTER
    )
    made = Run(document([cluster("a"), cluster("a", "team-b", labels={"env": "dev"}), one, two]))
    assert made.code == 1
    assert "would all register as 'a'" in made.stderr


def test_names_are_unique_over_the_steps_of_a_pipeline() -> None:
    clusters = [cluster("a", "one"), cluster("a", "two", labels={"env": "dev"})]
    prod = config("prod", **PER_CLUSTER)
    dev = config("dev", **PER_CLUSTER, clusterSelector={"matchLabels": {"env": "dev"}})
    # the other config among the items, and its output from an earlier step
    for items in ([*clusters, prod], run(clusters, prod).items):
        made = run(items, dev)
        assert made.code == 1
        assert (
            "Cluster two/a can't be registered: Cluster one/a of ClusternetCAPIConfig prod registers as 'a' too"
            in made.stderr
        )
        assert made.items == items


def test_a_cluster_keeps_its_name_where_another_config_checks_it() -> None:
    first = run([cluster("a")], config("prod", **PER_CLUSTER))
    assert run(first.items, config("check", **PER_CLUSTER, mode="Check")).code == 0


def test_a_rename_of_a_registered_cluster_is_an_error_that_names_both_names() -> None:
    first = run([cluster("a")], config(**PER_CLUSTER))
    renamed = config(identity={"mode": "PerCluster", "nameTemplate": "prod-{name}"})
    made = Run(document(first.items, renamed))
    assert made.code == 1
    assert "it registered as 'a' and would now be 'prod-a'" in made.stderr


def test_label_keys_are_copied_and_static_labels_added() -> None:
    spec = {"identity": {"mode": "PerCluster", "labels": {"fleet": "one"}, "labelKeys": ["env", "absent"]}}
    made = run([cluster("a")], config(**spec))
    assert made.plan.verdicts[0].registration_labels == {"env": "prod", "fleet": "one"}
    assert (
        "--cluster-labels=env=prod,fleet=one"
        in made.item("ConfigMap", "clusternet-cluster-api-agent.a")["data"]["40-deployment.yaml"]
    )
    assert any("first registers" in one for one in made.messages("info"))


def test_a_cluster_that_cannot_be_served_is_left_out_with_a_warning_where_the_guard_says_so() -> None:
    bad = cluster("b", labels={"env": "prod", NAME_LABEL: "x"})
    made = run([cluster("a"), bad], config(guard={"onInvalidCluster": "Skip"}, **PER_CLUSTER))
    assert made.code == 0, made.stderr
    assert ("ClusterResourceSet", "team-a", "clusternet-cluster-api.a") in made.names()
    assert ("ClusterResourceSet", "team-a", "clusternet-cluster-api.b") not in made.names()
    assert any("left out" in one for one in made.messages("warning"))
    assert [one.code for one in made.plan.verdicts] == ["matched", "invalid"]


def test_a_name_clash_leaves_the_cluster_that_registered_first_in_place() -> None:
    skip = config(guard={"onInvalidCluster": "Skip"}, **PER_CLUSTER)
    first = run([cluster("a")], skip)
    made = Run(document([*first.items, cluster("a", "team-b")], skip))
    assert made.code == 0, made.stderr
    assert [(one.cluster.namespace, one.matched) for one in made.plan.verdicts] == [("team-a", True), ("team-b", False)]


def test_per_cluster_without_clusters_is_an_error() -> None:
    made = run([named("Namespace", "x", "")], config(namespaces=["team-a"], **PER_CLUSTER))
    assert made.code == 1
    assert "identity.mode: PerCluster" in made.stderr


def test_a_selector_that_the_added_label_would_break_is_an_error() -> None:
    selector = {"matchExpressions": [{"key": NAME_LABEL, "operator": "DoesNotExist"}]}
    made = run([cluster("a")], config(clusterSelector=selector, **PER_CLUSTER))
    assert made.code == 1
    assert "no longer matches it" in made.stderr


def test_many_resource_sets_warn() -> None:
    made = run([cluster(f"c{number}") for number in range(501)], config(**PER_CLUSTER))
    assert made.code == 0
    assert any("cluster-api#9843" in one for one in made.messages("warning"))


def test_the_illegal_name_of_a_cluster_is_an_error_that_names_it() -> None:
    made = run([cluster("a.b")], config(**PER_CLUSTER))
    assert made.code == 1
    assert "registration name 'a.b'" in made.stderr


def test_a_template_with_the_namespace_needs_one() -> None:
    spec = {"identity": {"mode": "PerCluster", "nameTemplate": "{namespace}x{name}"}}
    assert "it has no namespace" in run([cluster("a", "")], config(**spec)).stderr


# --- selectors and live labels ---------------------------------------------------------------------------------------


def test_the_topology_controllers_labels_count_as_present() -> None:
    selector = {"matchExpressions": [{"key": NAME_LABEL, "operator": "Exists"}]}
    made = run([cluster("a", topology=True), cluster("b")], config(clusterSelector=selector))
    assert [(one.cluster.name, one.matched) for one in made.plan.verdicts] == [("a", True), ("b", False)]


def test_a_selector_on_a_key_that_no_controller_sets_on_clusters_warns() -> None:
    selector = {"matchExpressions": [{"key": "cluster.x-k8s.io/control-plane", "operator": "DoesNotExist"}]}
    made = run([cluster("a")], config(clusterSelector=selector))
    assert any("no Cluster API controller sets" in one for one in made.messages("warning"))


def test_namespaces_are_selected_by_their_labels() -> None:
    spaces = [named("Namespace", "team-a", ""), named("Namespace", "team-b", "")]
    spaces[0]["metadata"]["labels"] = {"tier": "gold"}
    made = run(
        [*spaces, cluster("a"), cluster("b", "team-b"), cluster("c", "team-c")],
        config(namespaceSelector={"matchLabels": {"tier": "gold"}}),
    )
    assert [(one.cluster.name, one.code) for one in made.plan.verdicts] == [
        ("a", "matched"),
        ("b", "namespace-labels"),
        ("c", "namespace-labels"),
    ]
    assert "not in the input" in made.plan.verdicts[2].rule


def test_the_name_of_a_namespace_counts_as_its_label() -> None:
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "team-b"}}
    made = run([cluster("a"), cluster("b", "team-b")], config(namespaceSelector=selector))
    assert [one.matched for one in made.plan.verdicts] == [False, True]


def test_a_cluster_without_a_namespace_under_a_namespace_selector_is_an_error() -> None:
    made = run([cluster("a", "")], config(namespaceSelector={"matchLabels": {"tier": "one"}}))
    assert made.code == 1
    assert "has no namespace" in made.stderr


@pytest.mark.parametrize(
    ("versions", "expected"),
    [(["v1beta1"], "v1beta1"), (["v1beta2"], "v1beta2"), (["v1beta1", "v1beta2"], "v1beta2")],
    ids=["all v1beta1", "all v1beta2", "mixed"],
)
def test_the_api_version_follows_the_matching_clusters(versions: list[str], expected: str) -> None:
    made = run([cluster(f"c{at}", version=version) for at, version in enumerate(versions)])
    found = made.item("ClusterResourceSet", "clusternet-cluster-api")["apiVersion"]
    assert found == f"addons.cluster.x-k8s.io/{expected}"


def test_an_old_cluster_version_is_an_error_that_names_the_upgrade() -> None:
    made = run([cluster("a", version="v1alpha4")])
    assert made.code == 1
    assert "upgrade the object to v1beta1" in made.stderr


def test_a_cluster_of_another_group_is_none_of_ours() -> None:
    foreign = named("Cluster", "pg", api_version="postgresql.cnpg.io/v1", spec={"instances": 3})
    foreign["metadata"]["labels"] = {"env": "prod"}
    made = run([cluster("a"), foreign])
    assert made.code == 0
    assert len(made.plan.verdicts) == 1


# --- guards ----------------------------------------------------------------------------------------------------------


def test_no_matching_cluster_is_an_error() -> None:
    made = run([cluster("a", labels={"env": "dev"})])
    assert made.code == 1
    assert "the one Cluster in the input does not match" in made.stderr


def test_no_matching_cluster_is_allowed_where_the_guard_says_so() -> None:
    made = run([cluster("a", labels={"env": "dev"})], config(guard={"allowNoClusters": True}))
    assert made.code == 0
    assert len(made.items) == 1


def test_too_few_clusters_are_an_error() -> None:
    made = run([cluster("a")], config(guard={"minClusters": 2}))
    assert made.code == 1
    assert "fewer than guard.minClusters (2)" in made.stderr


@pytest.mark.parametrize("limit", [1, "50%"], ids=["a count", "a share"])
def test_more_removed_clusters_than_allowed_are_an_error_with_their_names(limit: Any) -> None:
    guarded = config(guard={"maxRemovedClusters": limit})
    first = run([cluster("a"), cluster("b"), cluster("c")], guarded)
    made = run([cluster("a")], guarded, baseline=baseline_of(first))
    assert made.code == 1
    assert "2 of 3 Clusters would no longer be served" in made.stderr
    assert "team-a/b, team-a/c" in made.stderr


@pytest.mark.parametrize("limit", [2, "67%"], ids=["a count", "a share"])
def test_as_many_as_allowed_pass(limit: Any) -> None:
    guarded = config(guard={"maxRemovedClusters": limit})
    first = run([cluster("a"), cluster("b"), cluster("c")], guarded)
    assert run([cluster("a")], guarded, baseline=baseline_of(first)).code == 0


def test_sets_whose_clusters_the_baseline_does_not_hold_are_counted_in_pairs_beside_the_others() -> None:
    guarded = config(guard={"maxRemovedClusters": 0})
    first = run([cluster("a"), cluster("b", "team-b")], guarded)
    rendered = [one for one in first.items if one["metadata"]["name"] != "b"]  # as where it is local-config
    baseline = resource_list.read(document(rendered)).items
    assert run([cluster("a"), cluster("b", "team-b")], guarded, baseline=baseline).code == 0
    made = run([cluster("a")], guarded, baseline=baseline)
    assert made.code == 1
    assert "1 of 1 pairs of namespace and ClusterResourceSet" in made.stderr
    assert "team-b/clusternet-cluster-api" in made.stderr


def test_earlier_output_in_the_input_is_counted_in_pairs() -> None:
    guarded = config(guard={"maxRemovedClusters": 0})
    first = run([cluster("a"), cluster("b", "team-b")], guarded)
    kept = [one for one in first.items if one["metadata"]["name"] != "b"]
    made = Run(document(kept, guarded))
    assert made.code == 1
    assert "1 of 2 pairs of namespace and ClusterResourceSet" in made.stderr


def test_with_nothing_to_compare_the_guard_says_that_it_was_not_evaluated() -> None:
    made = run([cluster("a")], config(guard={"maxRemovedClusters": 0}))
    assert made.code == 0
    assert any("was not evaluated" in one for one in made.messages("warning"))


# --- overlaps --------------------------------------------------------------------------------------------------------


def test_two_configs_that_reach_one_cluster_are_an_error_that_names_both() -> None:
    made = Run(document([cluster("a"), config("one"), config("two", clusterResourceSet={"name": "two"})]))
    assert made.code == 1
    assert "ClusternetCAPIConfigs one and two both reach Cluster team-a/a" in made.stderr


def test_another_config_in_the_input_counts_for_overlaps() -> None:
    made = run([cluster("a"), config("other", clusterResourceSet={"name": "other"})])
    assert made.code == 1
    assert "both reach" in made.stderr


def test_output_of_an_earlier_step_that_reaches_the_cluster_is_an_error() -> None:
    first = run([cluster("a")], config("one"))
    made = Run(document(first.items, config("two", clusterResourceSet={"name": "two"})))
    assert made.code == 1
    assert "which ClusterResourceSet clusternet-cluster-api of ClusternetCAPIConfig one already serves" in made.stderr


def test_disjoint_configs_of_one_namespace_need_different_names() -> None:
    two = config("two", clusterSelector={"matchLabels": {"env": "dev"}})
    made = Run(document([cluster("a"), cluster("b", labels={"env": "dev"}), config("one"), two]))
    assert made.code == 1
    assert "set another spec.clusterResourceSet.name in two" in made.stderr


def test_a_name_prefix_after_the_function_is_detected_in_the_next_layer() -> None:
    first = run([cluster("a")], config("inner", **PER_CLUSTER))
    for one in first.items:
        if one["kind"] == "Cluster":
            one["metadata"]["name"] = "pre-a"
            one["metadata"]["labels"]["env"] = "other"
    outer = config("outer", clusterResourceSet={"name": "o"}, guard={"allowNoClusters": True})
    made = Run(document(first.items, outer))
    assert any("namePrefix" in one for one in made.messages("warning"))


# --- earlier output --------------------------------------------------------------------------------------------------


def test_a_changed_selector_is_an_error_with_the_next_name_to_set() -> None:
    first = run([cluster("a", labels={"env": "prod", "tier": "one"})])
    made = Run(document(first.items, config(clusterSelector={"matchLabels": {"tier": "one"}})))
    assert made.code == 1
    assert "immutable on the server" in made.stderr
    assert "spec.clusterResourceSet.name: clusternet-cluster-api-2" in made.stderr


def test_a_changed_strategy_is_an_error() -> None:
    first = run([cluster("a")])
    made = Run(document(first.items, config(clusterResourceSet={"strategy": "ApplyOnce"})))
    assert made.code == 1
    assert "strategy of ClusterResourceSet team-a/clusternet-cluster-api differs" in made.stderr


def test_the_steps_for_an_existing_secret_name_its_only_owner() -> None:
    source = {"registrationToken": {"existingSecret": {"name": "mine"}}}
    first = run([cluster("a", labels={"env": "prod", "tier": "one"})], config(**source))
    made = Run(document(first.items, config(clusterSelector={"matchLabels": {"tier": "one"}}, **source)))
    assert "only owner of your Secret mine" in made.stderr


def test_the_printed_name_works_and_takes_the_old_objects_out() -> None:
    first = run([cluster("a", labels={"env": "prod", "tier": "one"})])
    moved = config(
        clusterSelector={"matchLabels": {"tier": "one"}}, clusterResourceSet={"name": "clusternet-cluster-api-2"}
    )
    made = Run(document(first.items, moved))
    assert made.code == 0, made.stderr
    assert ("ClusterResourceSet", "team-a", "clusternet-cluster-api-2") in made.names()
    assert ("ClusterResourceSet", "team-a", "clusternet-cluster-api") not in made.names()


def test_a_changed_agent_namespace_is_an_error() -> None:
    first = run([cluster("a")])
    made = Run(document(first.items, config(agent={"namespace": "elsewhere"})))
    assert made.code == 1
    assert "spec.agent.namespace changes from clusternet-system to elsewhere" in made.stderr


def test_the_agents_namespace_changes_under_a_new_name_as_the_message_says() -> None:
    first = run([cluster("a")], config())
    name = {"name": "clusternet-cluster-api-2"}
    made = Run(document(first.items, config(agent={"namespace": "elsewhere"}, clusterResourceSet=name)))
    assert made.code == 0, made.stderr
    assert "clusternet-cluster-api-identity" not in made.stdout.decode()


def test_an_agent_upgrade_that_changes_a_role_warns_with_what_to_delete() -> None:
    first = run([cluster("a")], config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.15.1"}))
    made = Run(document(first.items, config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.16.0"})))
    assert made.code == 0, made.stderr
    assert "kubectl delete clusterrolebinding clusternet:app:deployer" in made.stderr


def test_a_jump_over_the_releases_that_migrate_the_lease_is_an_error() -> None:
    first = run([cluster("a")], config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.14.0"}))
    made = Run(document(first.items, config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.17.0"})))
    assert made.code == 1
    assert "would jump from v0.14 or older to v0.17.0" in made.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [({}, {"clusterResourceSet": {"name": "another"}}), ({}, PER_CLUSTER), (PER_CLUSTER, {})],
    ids=["another name", "to PerCluster", "to Shared"],
)
def test_a_jump_under_another_name_is_one_too(before: dict[str, Any], after: dict[str, Any]) -> None:
    image = "ghcr.io/clusternet/clusternet-agent"
    first = run([cluster("a")], config(agent={"image": f"{image}:v0.14.0"}, **before))
    made = Run(document(first.items, config(agent={"image": f"{image}:v0.17.0"}, **after)))
    assert made.code == 1
    assert "would jump from v0.14 or older to v0.17.0" in made.stderr


def test_a_cluster_that_comes_when_another_went_jumps_over_nothing() -> None:
    image = "ghcr.io/clusternet/clusternet-agent"
    first = run([cluster("a")], config(agent={"image": f"{image}:v0.14.0"}, **PER_CLUSTER))
    items = [cluster("b"), *(one for one in first.items if one["kind"] != "Cluster")]
    made = Run(document(items, config(agent={"image": f"{image}:v0.17.0"}, **PER_CLUSTER)))
    assert made.code == 0, made.stderr


@pytest.mark.parametrize(
    ("old", "new"), [("v0.14.0", "v0.16.0"), ("v0.15.2", "v0.18.1"), ("v0.13.0", "v0.14.0")], ids=lambda part: part
)
def test_other_upgrades_are_no_jump(old: str, new: str) -> None:
    first = run([cluster("a")], config(agent={"image": f"ghcr.io/clusternet/clusternet-agent:{old}"}))
    made = Run(document(first.items, config(agent={"image": f"ghcr.io/clusternet/clusternet-agent:{new}"})))
    assert made.code == 0, made.stderr


def test_an_earlier_payload_that_was_edited_into_nonsense_is_put_right() -> None:
    first = run([cluster("a")])
    for one in first.items:
        if one["metadata"]["name"].endswith("-agent"):
            one["data"]["30-rbac.yaml"] = "roleRef: [unclosed"
    made = Run(document(first.items, config()))
    assert made.code == 0, made.stderr


def test_an_agent_upgrade_within_one_role_says_nothing_of_it() -> None:
    first = run([cluster("a")], config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.15.2"}))
    made = Run(document(first.items, config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.16.0"})))
    assert "roleRef" not in made.stderr


def test_a_changed_selector_is_found_against_the_baseline_too() -> None:
    first = run([cluster("a", labels={"env": "prod", "tier": "one"})])
    changed = config(clusterSelector={"matchLabels": {"tier": "one"}})
    made = run([cluster("a", labels={"env": "prod", "tier": "one"})], changed, baseline=baseline_of(first))
    assert made.code == 1
    assert "immutable" in made.stderr


def test_a_cluster_that_moves_between_sets_warns_that_moving_back_does_not_roll_back() -> None:
    waves = [
        config("one", clusterResourceSet={"name": "one"}),
        config("two", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "two"}),
    ]
    first = Run(document([cluster("a"), cluster("b", labels={"env": "dev"}), *waves]))
    assert first.code == 0, first.stderr
    moved = [cluster("a", labels={"env": "dev"}), cluster("b"), *waves]
    made = Run(document(moved), baseline=baseline_of(first))
    said = made.messages("warning")
    assert any("Cluster team-a/b moves from ClusterResourceSet two to one" in one for one in said)
    assert any("roll back" in one for one in said)


# --- existing secrets ------------------------------------------------------------------------------------------------

EXISTING = {"registrationToken": {"existingSecret": {"name": "mine"}}}


def test_an_existing_secret_is_referred_to_and_not_made() -> None:
    made = run([cluster("a")], config(**EXISTING))
    assert {kind for kind, _, _ in made.names()} == {"Cluster", "ConfigMap", "ClusterResourceSet"}
    spec = made.item("ClusterResourceSet", "clusternet-cluster-api")["spec"]
    assert spec["resources"][0] == {"kind": "Secret", "name": "mine"}


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"type": "Opaque", "stringData": {"a": "x" * 40}}, "must be of type"),
        ({"type": "addons.cluster.x-k8s.io/resource-set"}, "at least one key"),
        ({"type": "addons.cluster.x-k8s.io/resource-set", "stringData": {"a": "short"}}, "fewer than 32 bytes"),
        ({"type": "addons.cluster.x-k8s.io/resource-set", "data": {"a": "c2hvcnQ="}}, "fewer than 32 bytes"),
    ],
    ids=["wrong type", "empty", "short text", "short data"],
)
def test_an_existing_secret_in_the_input_is_checked(secret: dict[str, Any], expected: str) -> None:
    made = run([cluster("a"), named("Secret", "mine", **secret)], config(**EXISTING))
    assert made.code == 1
    assert expected in made.stderr


def test_an_existing_secret_with_the_marks_of_earlier_output_is_not_removed_silently() -> None:
    first = run([cluster("a")], config())
    kept = {"registrationToken": {"existingSecret": {"name": "clusternet-cluster-api-registration"}}}
    made = Run(document(first.items, config(**kept)))
    assert made.code == 1
    assert "is marked as this function's own output" in made.stderr
    assert made.items == first.items


@pytest.mark.parametrize("mode", ["Shared", "PerCluster"])
@pytest.mark.parametrize("strategy", ["Reconcile", "ApplyOnce"])
def test_another_agent_namespace_is_an_error_whatever_changes_with_it(mode: str, strategy: str) -> None:
    way = {"clusterResourceSet": {"strategy": strategy}}
    first = run([cluster("a")], config(**way))
    moved = config(identity={"mode": mode}, agent={"namespace": "elsewhere"}, **way)
    made = Run(document(first.items, moved))
    assert made.code == 1
    assert "spec.agent.namespace changes from clusternet-system to elsewhere" in made.stderr


SHARED, SINGLE = {"identity": {"mode": "Shared"}}, PER_CLUSTER


@pytest.mark.parametrize(("old", "new"), [(SHARED, SINGLE), (SINGLE, SHARED)], ids=["to PerCluster", "to Shared"])
@pytest.mark.parametrize("strategy", ["Reconcile", "ApplyOnce"])
def test_a_change_of_identity_mode_shares_no_carrier_with_the_sets_that_go(
    old: dict[str, Any], new: dict[str, Any], strategy: str
) -> None:
    way = {"clusterResourceSet": {"strategy": strategy}}
    before, after = run([cluster("a")], config(**old, **way)), run([cluster("a")], config(**new, **way))
    assert before.code == after.code == 0
    stay = set(before.names()) & set(after.names())
    gone = {
        (one["kind"], one["name"])
        for item in before.items
        if item["kind"] == "ClusterResourceSet"
        and ("ClusterResourceSet", item["metadata"]["namespace"], item["metadata"]["name"]) not in stay
        for one in item["spec"]["resources"]
    }
    assert gone
    assert not {(kind, name) for kind, _, name in stay} & gone


@pytest.mark.parametrize(("old", "new"), [(SHARED, SINGLE), (SINGLE, SHARED)], ids=["to PerCluster", "to Shared"])
def test_the_step_that_keeps_the_users_own_objects_is_printed_when_all_their_owners_are_replaced(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    extra = {"clusterResourceSet": {"extraResources": [{"kind": "ConfigMap", "name": "crds"}]}}
    clusters = [cluster("a"), cluster("b", "team-b")]
    first = run(clusters, config(**EXISTING, **extra, **old))
    made = Run(document(first.items, config(**EXISTING, **extra, **new)))
    assert made.code == 0, made.stderr
    assert (
        "Secret mine (namespaces team-a, team-b) would be deleted with the ClusterResourceSets that own it"
        in made.stderr
    )
    assert "ConfigMap crds (namespaces team-a, team-b) would be deleted" in made.stderr
    assert (
        "apply this render without pruning; wait until `kubectl get secret mine -n team-a -o jsonpath=" in made.stderr
    )


def test_a_set_that_stays_keeps_the_users_own_objects() -> None:
    way = {**EXISTING, **PER_CLUSTER}
    first = run([cluster("a"), cluster("b")], config(**way))
    items = [one for one in first.items if (one["kind"], one["metadata"]["name"]) != ("Cluster", "a")]
    made = Run(document([*items, cluster("c")], config(**way)))
    assert made.code == 0, made.stderr
    assert "would be deleted" not in made.stderr


@pytest.mark.parametrize(
    "secret",
    [{"stringData": {"a": "x" * 40}}, {"stringData": {"a": "ENC[AES256_GCM,data:x]"}}, {"data": {"a": "eHh4" * 20}}],
    ids=["text", "still encrypted", "data"],
)
def test_a_good_existing_secret_passes(secret: dict[str, Any]) -> None:
    item = named("Secret", "mine", type="addons.cluster.x-k8s.io/resource-set", **secret)
    assert run([cluster("a"), item], config(**EXISTING)).code == 0


def test_payload_documents_are_all_there() -> None:
    made = run([cluster("a")])
    kinds = []
    for name in ("clusternet-cluster-api-identity", "clusternet-cluster-api-agent"):
        for text in made.item("ConfigMap", name)["data"].values():
            kinds += [one["kind"] for one in yaml.safe_load_all(text)]
    assert sorted(kinds) == [
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterRoleBinding",
        "Deployment",
        "Namespace",
        "Role",
        "RoleBinding",
        "Secret",
        "ServiceAccount",
        "ServiceAccount",
    ]


# --- names and modes that once were taken for something else ---------------------------------------------------------


@pytest.mark.parametrize("name", ["fleet", "my-agents", "edge-identity"])
def test_an_unchanged_second_run_removes_nothing_whatever_the_name(name: str) -> None:
    spec = config(clusterResourceSet={"name": name}, guard={"maxRemovedClusters": 0})
    first = run([cluster("a")], spec)
    second = run(first.items, spec)
    assert second.code == 0, second.stderr


def test_a_config_in_mode_check_labels_no_cluster_beside_one_that_renders() -> None:
    checked = config("checked", mode="Check", **PER_CLUSTER)
    rendering = config("rendering", clusterSelector={"matchLabels": {"env": "dev"}}, guard={"allowNoClusters": True})
    before = [cluster("a"), checked, rendering]
    made = Run(document(before))
    assert made.code == 0, made.stderr
    assert made.items == before


# --- found by a fresh reader -----------------------------------------------------------------------------------------


def test_a_renamed_set_that_serves_the_same_namespaces_loses_nobody_for_the_guard() -> None:
    guard = {"guard": {"maxRemovedClusters": 0}}
    first = run([cluster("a"), cluster("b", "team-b")], config(**guard))
    made = Run(document(first.items, config(clusterResourceSet={"name": "clusternet-cluster-api-2"}, **guard)))
    assert made.code == 0, made.stderr


def test_from_per_cluster_to_shared_loses_nobody_who_is_still_there() -> None:
    guard = {"guard": {"maxRemovedClusters": 0}}
    first = run([cluster("a"), cluster("b")], config(**guard, **PER_CLUSTER))
    assert Run(document(first.items, config(**guard))).code == 0
    kept = [one for one in first.items if one["metadata"]["name"] != "b"]
    made = Run(document(kept, config(**guard)))
    assert "1 of 2 pairs" in made.stderr


def test_two_configs_that_name_one_namespace_with_one_selector_overlap_without_any_cluster() -> None:
    both = {"namespaces": ["team-a", "team-b"]}
    pair = [config("one", **both), config("two", clusterResourceSet={"name": "two"}, **both)]
    made = Run(document([named("Namespace", "team-a", ""), *pair]))
    assert made.code == 1
    assert "both serve namespace team-a, team-b with the same clusterSelector" in made.stderr


def test_only_one_config_may_make_the_hubs_secret() -> None:
    hub = {"hub": {"discoverySecret": True}}
    two = config("two", clusterSelector={"matchLabels": {"env": "dev"}}, clusterResourceSet={"name": "two"}, **hub)
    made = Run(document([cluster("a"), cluster("b", labels={"env": "dev"}), config("one", **hub), two]))
    assert made.code == 1
    assert "only one config may set spec.hub.discoverySecret" in made.stderr
