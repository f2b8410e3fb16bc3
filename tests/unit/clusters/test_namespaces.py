"""Which namespaces are served: those of Clusters, those that are listed, and empty ones where that is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lists import Run, cluster, config, document, named, run

EMPTY: dict[str, Any] = {"namespaceSelector": {"matchLabels": {"tier": "fleet"}}, "serveEmptyNamespaces": True}


def namespace(name: str, **labels: str) -> Any:
    value = named("Namespace", name, namespace="")
    value["metadata"]["labels"] = labels
    return value


def served(made: Run) -> set[str]:
    assert made.code == 0, made.stderr
    return {where for kind, where, _ in made.names() if kind == "ClusterResourceSet"}


def test_a_matching_namespace_without_clusters_is_served_where_that_is_asked_for() -> None:
    items = [cluster("a"), namespace("team-a", tier="fleet"), namespace("team-b", tier="fleet"), namespace("other")]
    assert served(run(items, config(**EMPTY))) == {"team-a", "team-b"}
    assert served(run(items, config(**{**EMPTY, "serveEmptyNamespaces": False}))) == {"team-a"}


def test_a_namespace_whose_clusters_do_not_match_is_not_empty() -> None:
    items = [cluster("a"), cluster("b", "team-b", labels={"env": "dev"})]
    items += [namespace("team-a", tier="fleet"), namespace("team-b", tier="fleet")]
    assert served(run(items, config(**EMPTY))) == {"team-a"}


def test_no_cluster_at_all_is_fine_with_an_empty_namespace_to_serve() -> None:
    assert served(run([namespace("team-b", tier="fleet")], config(**EMPTY))) == {"team-b"}
    assert run([namespace("team-b")], config(**EMPTY)).code == 1


def test_min_clusters_still_needs_clusters_in_the_input() -> None:
    made = run([namespace("team-b", tier="fleet")], config(guard={"minClusters": 1}, **EMPTY))
    assert made.code == 1
    assert "guard.minClusters of fleet can't be evaluated without one" in made.stderr


def test_an_empty_namespace_is_counted_with_no_clusters() -> None:
    made = run([namespace("team-b", tier="fleet")], config(**EMPTY))
    assert "fleet: 0 of 0 Clusters register in namespace team-b" in made.messages("info")


def test_a_namespace_with_an_illegal_name_is_not_served() -> None:
    items = [cluster("a"), namespace("team-a", tier="fleet"), namespace("../x", tier="fleet")]
    assert served(run(items, config(**EMPTY))) == {"team-a"}


def test_two_configs_that_serve_one_empty_namespace_with_one_selector_are_an_error() -> None:
    two = config("two", **EMPTY, clusterResourceSet={"name": "two"})
    made = Run(document([cluster("a"), namespace("team-b", tier="fleet"), config("one", **EMPTY), two]))
    assert made.code == 1
    assert "one and two both serve namespace team-b" in made.stderr


@pytest.mark.parametrize("objects", [[], [namespace("team-a")]], ids=["not in the input", "without that label"])
def test_every_namespace_has_its_name_as_a_label(objects: list[Any]) -> None:
    by_name = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "team-a"}}}
    assert served(run([cluster("a"), cluster("b", "team-b"), *objects], config(**by_name))) == {"team-a"}


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ({"tier": 1}, "Namespace team-a: metadata.labels 'tier' is a number for Kubernetes, not a string"),
        ({"tier": "${TIER}"}, "Namespace team-a: metadata.labels 'tier' has a bad value '${TIER}': it is a variable"),
        (["tier"], "Namespace team-a: metadata.labels must be an object"),
    ],
    ids=["number", "placeholder", "list"],
)
def test_a_wrong_label_that_a_namespace_selector_asks_for_is_an_error_at_the_namespace(labels: Any, said: str) -> None:
    odd = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a", "labels": labels}}
    items = [cluster("a"), cluster("b", "team-b"), odd, namespace("team-b", tier="1")]
    selector = {"namespaceSelector": {"matchLabels": {"tier": "1"}}}
    made = run(items, config(**selector))
    assert made.code == 1  # else the objects of team-a would go, and GitOps would prune them
    assert said in made.stderr
    # it decides nothing here: no Cluster is there, another label or the name is asked for
    assert served(run(items[1:], config(**selector))) == {"team-b"}
    named_b = {"matchExpressions": [{"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["team-a"]}]}
    assert served(run(items, config(namespaceSelector=named_b))) == {"team-b"}
    assert served(run(items, config())) == {"team-a", "team-b"}
