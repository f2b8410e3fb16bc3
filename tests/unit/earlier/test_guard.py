"""What `guard.maxRemovedClusters` counts, where configs are renamed, deleted, or hand Clusters to one another."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.krm import resource_list
from tests.support.lists import Run, cluster, config, document

GUARD = {"guard": {"maxRemovedClusters": 0}}
DEV = {"clusterSelector": {"matchLabels": {"env": "dev"}}, "clusterResourceSet": {"name": "dev"}}
FLEET = [cluster("a"), cluster("b"), cluster("c", "team-b")]
LAST = {"maxRemovedClusters": 0, "allowNoClusters": True}


def dev(name: str) -> Any:
    return cluster(name, labels={"env": "dev"})


BOTH = [cluster("a"), dev("d")]


def against(before: list[Any], now: list[Any], *, clusters: bool = True) -> Run:
    first = Run(document(before))
    assert first.code == 0, first.stderr
    kept = [one for one in first.items if clusters or one["kind"] != "Cluster"]
    return Run(document(now), baseline=resource_list.read(document(kept)).items)


@pytest.mark.parametrize("clusters", [True, False], ids=["Clusters", "pairs"])
@pytest.mark.parametrize(
    ("before", "now", "removed"),
    [
        pytest.param([*FLEET, config(**GUARD)], [*FLEET, config(**GUARD)], False, id="nothing"),
        pytest.param([*FLEET, config(**GUARD)], [*FLEET, config("renamed", **GUARD)], False, id="a renamed config serves on"),
        pytest.param([*FLEET, config(**GUARD)], [*FLEET[:2], config("renamed", **GUARD)], True, id="a renamed config drops some"),
        pytest.param(
            [*FLEET, dev("d"), config(), config("other", **DEV, **GUARD)], [*FLEET, dev("d"), config("other", **DEV, **GUARD)], True,
            id="a config is deleted",
        ),
        pytest.param(
            [*FLEET, config(**GUARD)], [*FLEET, config(clusterResourceSet={"name": "second"}, **GUARD)], False, id="another set name"
        ),
        pytest.param([*FLEET, config(**GUARD)], [*FLEET, config(identity={"mode": "PerCluster"}, **GUARD)], False, id="another mode"),
        pytest.param([*FLEET, config(**GUARD)], [cluster("a"), config(**GUARD)], True, id="Clusters go"),
        pytest.param(
            [*BOTH, config(), config("other", **DEV, **GUARD)], [*BOTH, config("other", **DEV, **GUARD)], True,
            id="a config is deleted in a namespace that another one serves on",
        ),
        pytest.param(
            [*BOTH, config(), config("other", **DEV, **GUARD)],
            [*BOTH, config("other", **{**DEV, "clusterResourceSet": {"name": "second"}}, **GUARD)], True,
            id="a config is deleted where another one takes another set name",
        ),
        pytest.param(
            [*BOTH, config(guard=LAST), config("other", **DEV)], [BOTH[1], config(guard=LAST), config("other", **DEV)], True,
            id="the last Cluster of a config goes where another one serves on",
        ),
        pytest.param(
            [*BOTH, config(), config("other", **DEV, **GUARD)],
            [*BOTH, config("renamed", clusterResourceSet={"name": "second"}), config("other", **DEV, **GUARD)], False,
            id="a config gets another name and another set name beside another one",
        ),
    ],
)  # fmt: skip
def test_what_no_config_serves_any_more_is_removed(before: Any, now: Any, removed: bool, clusters: bool) -> None:  # noqa: FBT001
    made = against(before, now, clusters=clusters)
    found = [one for one in made.messages() if "would no longer be served" in one]
    assert bool(found) == removed, made.stderr
    assert (made.code == 1) == removed, made.stderr
    if found:
        assert ("Clusters would" if clusters else "pairs of namespace and ClusterResourceSet would") in found[0]


def test_a_cluster_that_another_config_takes_over_is_not_removed() -> None:
    configs = [config(**GUARD), config("other", **DEV, guard={"allowNoClusters": True})]
    made = against([*FLEET, dev("d"), *configs], [*FLEET[1:], dev("a"), dev("d"), *configs])
    assert made.code == 0, made.stderr


def test_a_guard_that_had_no_output_before_is_not_evaluated() -> None:
    made = against([*FLEET, config()], [*FLEET, dev("d"), config(), config("other", **DEV, **GUARD)])
    assert made.code == 0, made.stderr
    assert any("of other" in one or "output of other" in one for one in made.messages("warning"))


def test_clusters_that_the_tree_does_not_hold_count_with_the_others_where_each_has_a_set() -> None:
    """kustomize and `render` drop local-config Clusters; one limit is for all of them."""
    labelled = {"env": "prod", "cluster.x-k8s.io/cluster-name": ""}
    fleet = [cluster(name, labels={**labelled, "cluster.x-k8s.io/cluster-name": name}) for name in "abcd"]
    limited = config(identity={"mode": "PerCluster"}, guard={"maxRemovedClusters": 1})
    first = Run(document([*fleet, limited]))
    kept = [one for one in first.items if one["kind"] != "Cluster" or one["metadata"]["name"] in "ab"]
    baseline = resource_list.read(document(kept)).items
    made = Run(document([fleet[0], fleet[2], limited]), baseline=baseline)
    assert made.code == 1
    assert "2 of 4 Clusters would no longer be served" in made.stderr
    assert Run(document([*fleet[1:], limited]), baseline=baseline).code == 0


@pytest.mark.parametrize("clusters", [True, False], ids=["Clusters", "pairs"])
def test_a_cluster_whose_own_error_fails_the_run_is_not_called_removed(clusters: bool) -> None:  # noqa: FBT001 - a table
    wrong = cluster("c", "team-b", labels={"env": "prod", "gpu": True})
    made = against([*FLEET, config(**GUARD)], [*FLEET[:2], wrong, config(**GUARD)], clusters=clusters)
    assert made.code == 1
    assert [one for one in made.messages("error") if "guard.maxRemovedClusters" in one] == []


@pytest.mark.parametrize(
    ("wrong", "guard"),
    [
        pytest.param({"env": "dev", "gpu": True}, {}, id="its error is out of reach"),
        pytest.param({"env": "prod", "gpu": True}, {"onInvalidCluster": "Skip"}, id="it is left out"),
    ],
)
def test_a_cluster_with_an_error_that_fails_nothing_is_gone(wrong: dict[str, Any], guard: dict[str, Any]) -> None:
    limited = config(guard={"maxRemovedClusters": 0, **guard})
    made = against([*FLEET, limited], [*FLEET[:2], cluster("c", "team-b", labels=wrong), limited])
    assert made.code == 1
    assert [one for one in made.messages("error") if "(team-b/c): more than guard.maxRemovedClusters" in one]


@pytest.mark.parametrize(
    ("more", "remedy"),
    [
        pytest.param({}, "correct the errors, list spec.namespaces, or set", id="any"),
        pytest.param({"minClusters": 1}, "correct the errors, or lower guard.minClusters (1)", id="a number"),
    ],
)
def test_where_all_clusters_that_match_are_left_out_that_is_the_cause(more: dict[str, Any], remedy: str) -> None:
    wrong = cluster("c", labels={"env": "prod", "gpu": True})
    made = Run(document([wrong, config(guard={"onInvalidCluster": "Skip", **more})]))
    (message,) = made.messages("error")
    assert "fleet reaches no Cluster: 1 Cluster that it may match has errors and is left out; " in message
    assert remedy in message


def test_what_another_step_of_the_pipeline_made_stays() -> None:
    """kustomize and kpt call the function for one config after the other; each sees what the others made."""
    items = [cluster("a"), cluster("d", "team-b", labels={"env": "dev"})]
    for _ in range(2):
        for one in (config(**GUARD), config("other", **DEV, **GUARD)):
            made = Run(document(items, one))
            assert made.code == 0, made.stderr
            items = made.items


def test_what_a_config_drops_is_removed_beside_one_in_mode_check() -> None:
    checking = config("other", mode="Check", guard={"allowNoClusters": True})
    first = Run(document([*FLEET, config(**GUARD)]))
    kept = [one for one in first.items if one["kind"] not in {"Cluster", "ClusternetCAPIConfig"}]
    made = Run(document([*FLEET[:2], config(**GUARD), checking, *kept]))
    assert made.code == 1
    assert "1 of 2 pairs of namespace and ClusterResourceSet would no longer be served" in made.stderr


@pytest.mark.parametrize(("now", "removed"), [(BOTH, True), ([dev("a"), dev("d")], False)], ids=["there", "relabelled"])
def test_a_new_set_takes_over_nothing_whose_clusters_are_there_and_not_served(now: Any, removed: bool) -> None:  # noqa: FBT001
    """Another selector asks for another set name, so a wrong one looks like a renamed set."""
    made = against([*BOTH, config(**GUARD)], [*now, config(**DEV, **GUARD)], clusters=False)
    assert ("1 of 1 pairs of namespace and ClusterResourceSet would no longer be served" in made.stderr) == removed
    assert made.code == removed, made.stderr


@pytest.mark.parametrize(
    ("newcomer", "removed"),
    [
        pytest.param(DEV, True, id="other Clusters"),
        pytest.param({"clusterResourceSet": {"name": "second"}}, False, id="the same ones"),
    ],
)
def test_a_config_that_is_new_in_a_namespace_takes_over_what_it_selects(newcomer: Any, removed: bool) -> None:  # noqa: FBT001
    """Without Clusters to look at: `namespaces` moves from one config to the other."""
    before = [config(namespaces=["team-a", "team-b"], **GUARD), config("other", namespaces=["team-c"], **newcomer)]
    now = [config(namespaces=["team-a"], **GUARD), config("other", namespaces=["team-b", "team-c"], **newcomer)]
    made = against(before, now)
    assert ("1 of 2 pairs of namespace and ClusterResourceSet would no longer be served" in made.stderr) == removed
    assert made.code == removed, made.stderr
