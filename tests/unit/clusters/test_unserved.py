"""Clusters with errors, through the function: one that no config can reach stops nobody."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lists import Run, cluster, config, document, run

ELSEWHERE = {"namespaces": ["team-a"]}
BY_LABEL = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-a"}}}
PER_CLUSTER = {"identity": {"mode": "PerCluster"}}
SKIP = {"guard": {"onInvalidCluster": "Skip"}}
UNREACHED = "a warning only: no config of this run can reach this Cluster"


def unnamed(namespace: str = "team-b", **labels: Any) -> Any:
    return cluster("${CLUSTER_NAME}", namespace, labels=labels)


@pytest.mark.parametrize(
    ("invalid", "spec"),
    [
        pytest.param(cluster("old", "team-b", version="v1alpha4"), ELSEWHERE, id="not listed"),
        pytest.param(cluster("old", "team-b", version="v1alpha4"), BY_LABEL, id="namespaceSelector"),
        pytest.param(cluster("old", labels={"env": "dev"}, version="v1alpha4"), {}, id="another label"),
        pytest.param(unnamed("team-a", env="dev"), {}, id="a placeholder for a name"),
        pytest.param(unnamed("${NAMESPACE}", env="dev"), ELSEWHERE, id="a placeholder for a namespace"),
        pytest.param(unnamed("team-a", cni="${CLUSTER_NAME}-cni"), {}, id="a placeholder in another label"),
        pytest.param(cluster("x", labels={"env": "dev", "cni": 1}), {}, id="a number in another label"),
    ],
)
def test_an_invalid_cluster_that_no_config_can_reach_is_a_warning(invalid: Any, spec: dict[str, Any]) -> None:
    made = run([cluster("a"), invalid], config(**spec))
    assert made.code == 0, made.stderr
    assert any(UNREACHED in message for message in made.messages("warning"))
    assert made.item("ClusterResourceSet", "clusternet-cluster-api")


@pytest.mark.parametrize(
    ("invalid", "spec"),
    [
        pytest.param(cluster("old", version="v1alpha4"), {}, id="reached by its labels"),
        pytest.param(unnamed("${NAMESPACE}", env="prod"), ELSEWHERE, id="its namespace may become any"),
        pytest.param(cluster("x", labels={"env": True}), {}, id="the label that is asked for is invalid"),
        pytest.param(cluster("x", labels={"\u201cenv\u201d": "prod"}), {}, id="a key may become the one asked for"),
        pytest.param({**cluster("x"), "metadata": {"name": "x", "labels": "env=prod"}}, {}, id="labels are no map"),
        pytest.param(
            {**cluster("x"), "spec": 1},
            {
                "clusterSelector": {
                    "matchExpressions": [{"key": "topology.cluster.x-k8s.io/owned", "operator": "Exists"}]
                }
            },
            id="a spec that may turn out to be of a class",
        ),
        pytest.param(
            cluster("x", labels={"env": 1}),
            {"clusterSelector": {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["dev"]}]}},
            id="a requirement that excludes",
        ),
    ],
)
def test_an_invalid_cluster_that_a_config_may_reach_is_an_error(invalid: Any, spec: dict[str, Any]) -> None:
    made = run([cluster("a"), cluster("b", topology=True), invalid], config(**spec))
    assert made.code == 1
    assert UNREACHED not in made.stderr


def test_of_many_invalid_clusters_that_no_config_can_reach_ten_are_reported() -> None:
    made = run(
        [cluster("a"), *(cluster(f"old-{at}", "team-b", version="v1alpha4") for at in range(30))], config(**ELSEWHERE)
    )
    assert made.code == 0, made.stderr
    assert len([one for one in made.messages("warning") if UNREACHED in one]) == 10
    assert "20 more Clusters that no config of this run can reach have errors" in made.stderr


def test_one_config_that_may_reach_it_is_enough() -> None:
    configs = [config("one"), config("two", clusterSelector={"matchLabels": {"env": "dev"}})]
    items = [cluster("a"), cluster("b", "team-b", labels={"env": "dev"}), unnamed(env="dev"), *configs]
    assert Run(document(items)).code == 1


def test_skip_leaves_it_out_with_per_cluster() -> None:
    made = run([cluster("a"), unnamed(env="prod")], config(**PER_CLUSTER, **SKIP))
    assert made.code == 0, made.stderr
    assert "left out: spec.guard.onInvalidCluster is Skip" in made.stderr


def test_skip_with_shared_says_that_the_selector_still_covers_it() -> None:
    made = run([cluster("a"), unnamed(env="prod")], config(**SKIP))
    assert made.code == 0, made.stderr
    assert "a shared selector can't leave it out" in made.stderr


def test_a_cluster_that_appears_twice_is_one_error_with_every_place() -> None:
    made = run([cluster("a"), cluster("a")])
    assert made.code == 1
    assert "stdin:4:3: error: Cluster team-a/a appears twice in the input: remove all but one" in made.stderr
    assert "again: stdin:13:3" in made.stderr


def test_many_copies_are_one_error_with_ten_places() -> None:
    made = run([cluster("a") for _ in range(200)])
    (message,) = made.messages("error")
    assert "appears 200 times in the input (10 of these places are shown)" in message
    assert made.stderr.count("again: stdin:") == 9


def test_copies_that_no_config_can_reach_are_a_warning() -> None:
    twice = cluster("x", labels={"env": "dev"})
    assert run([cluster("a"), twice, twice]).code == 0
    assert run([cluster("a"), twice, cluster("x")]).code == 1


def test_a_cluster_without_a_namespace_stops_a_namespace_selector_only_if_its_labels_match() -> None:
    assert run([cluster("a"), cluster("x", "", labels={"env": "dev"})], config(**BY_LABEL)).code == 0
    assert run([cluster("a"), cluster("x", "")], config(**BY_LABEL)).code == 1
