"""Names and labels under which clusters register, and Clusters that can't have them."""

from __future__ import annotations

import pytest

from tests.support.lists import cluster, config, run

LABEL = "cluster.x-k8s.io/cluster-name"
PER_CLUSTER = {"mode": "PerCluster"}


def test_a_name_too_long_for_a_label_is_refused() -> None:
    made = run([cluster("a" * 70)], config(identity=PER_CLUSTER))
    (error,) = made.messages()
    assert "its name can't be the value of label cluster.x-k8s.io/cluster-name" in error
    assert "at most 63 are allowed" in error


def test_a_selector_that_the_new_label_would_break_is_refused() -> None:
    selector = {"matchExpressions": [{"key": LABEL, "operator": "DoesNotExist"}]}
    made = run([cluster("a")], config(identity=PER_CLUSTER, clusterSelector=selector))
    assert "with which spec.clusterSelector no longer matches it" in made.messages()[0]


@pytest.mark.parametrize("found", ["b", ""])
def test_a_wrong_label_is_refused(found: str) -> None:
    made = run([cluster("a", labels={"env": "prod", LABEL: found})], config(identity=PER_CLUSTER))
    assert f"its label {LABEL} is {found!r}, but its name is 'a'" in made.messages()[0]


def test_labels_are_copied_where_they_are_and_left_out_where_not() -> None:
    identity = {**PER_CLUSTER, "labelKeys": ["region", "tier"], "labels": {"static": "yes"}}
    made = run([cluster("a", labels={"env": "prod", "region": "eu"})], config(identity=identity))
    assert made.code == 0, made.stderr
    (verdict,) = made.plan.verdicts
    assert dict(verdict.registration_labels) == {"region": "eu", "static": "yes"}


def test_an_illegal_label_is_left_out_where_the_guard_says_so() -> None:
    items = [cluster("a"), cluster("b", labels={"env": "prod", "region": "e u"})]
    made = run(items, config(identity=PER_CLUSTER, guard={"onInvalidCluster": "Skip"}))
    assert made.code == 0, made.stderr
    assert any("'region' has a bad value 'e u'" in one and "left out" in one for one in made.messages("warning"))


def test_namespaces_are_chosen_by_name_or_labels() -> None:
    items = [cluster("a"), cluster("b", "team-b")]
    assert (
        run(items, config(namespaces=["team-b"])).plan.verdicts[0].rule == "namespace team-a is not in spec.namespaces"
    )
    selector = {"matchLabels": {"kubernetes.io/metadata.name": "team-b"}}
    first, second = run(items, config(namespaceSelector=selector)).plan.verdicts
    assert first.rule.startswith("namespace team-a: kubernetes.io/metadata.name=team-b")
    assert second.matched


def test_without_a_namespace_a_list_of_them_leaves_a_cluster_out() -> None:
    (verdict,) = run([cluster("a", "")], config(namespaces=["team-b"])).plan.verdicts
    assert verdict.rule == "namespace (none) is not in spec.namespaces"
