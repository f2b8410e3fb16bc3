"""Configs and objects that meet: two configs at one Cluster, an earlier step's sets, Clusters that were renamed."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.clusters import Inventory, Part, capi
from krm_fn.earlier import overlap
from krm_fn.krm.items import Item
from krm_fn.kube.labels import LabelSelector
from krm_fn.model import Token
from krm_fn.surface import CLUSTER_NAME_LABEL, OWNER_ANNOTATION, REGISTRATION_NAME_ANNOTATION
from tests.support.decoded import decoded
from tests.support.lists import cluster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.krm.results import Result
    from krm_fn.model import Cluster, Config

ONE, TWO, THREE = (decoded(name=name) for name in ("one", "two", "three"))
DEV = decoded(name="dev", cluster_selector=LabelSelector.of({"env": "dev"}, ()))


def taken(*names: str) -> Inventory:
    values = [cluster(name) for name in names]
    return Inventory([Item.from_value(each, at) for at, each in enumerate(values)], ())


def clusters(*names: str) -> Sequence[Cluster]:
    return taken(*names).clusters


def messages(results: Iterable[Result], rule: str) -> list[str]:
    found = list(results)
    assert {one.rule for one in found} <= {rule}
    return [one.message for one in found]


# --- two configs of one run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reached", "expected"),
    [
        pytest.param([], [], id="no config"),
        pytest.param([(ONE, "ab")], [], id="one config"),
        pytest.param([(ONE, "a"), (TWO, "b")], [], id="disjoint"),
        pytest.param([(ONE, "ab"), (TWO, "bc")], ["one and two: team-a/b"], id="one Cluster in common"),
        pytest.param([(TWO, "ab"), (ONE, "ab")], ["one and two: team-a/a, team-a/b"], id="by name, not by order"),
        pytest.param(
            [(ONE, "a"), (TWO, "ab"), (THREE, "b")],
            ["one and two: team-a/a", "three and two: team-a/b"],
            id="two pairs",
        ),
        pytest.param(
            [(ONE, "a"), (TWO, "a"), (THREE, "a")],
            ["one and three: team-a/a", "one and two: team-a/a"],
            id="all three at one",
        ),
        pytest.param([(ONE, "abcde"), (TWO, "abcde")], ["one and two: team-a/a, team-a/b, team-a/c and 2 more"], id="many"),
    ],
)  # fmt: skip
def test_configs_that_reach_one_cluster_are_reported_in_pairs(
    reached: list[tuple[Config, str]], expected: list[str]
) -> None:
    found = messages(overlap.shared_clusters([(config, clusters(*names)) for config, names in reached]), "overlap")
    assert len(found) == len(expected)
    for message, parts in zip(found, expected, strict=True):
        pair, _, titles = parts.partition(": ")
        assert f"ClusternetCAPIConfigs {pair} both reach Cluster" in message
        assert titles in message


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        pytest.param([(ONE, ["team-a"]), (TWO, ["team-b"])], [], id="other namespaces"),
        pytest.param([(ONE, ["team-a"]), (DEV, ["team-a"])], [], id="other selectors"),
        pytest.param([(ONE, []), (TWO, ["team-a"])], [], id="no namespace"),
        pytest.param([(TWO, ["x", "team-a"]), (ONE, ["team-a"])], ["one and two both serve namespace team-a"], id="the same"),
        pytest.param(
            [(ONE, ["b", "a"]), (TWO, ["a", "b"])], ["one and two both serve namespace a, b"], id="two namespaces, sorted"
        ),
        pytest.param(
            [(ONE, ["a"]), (TWO, ["a"]), (THREE, ["a"])],
            ["one and three both", "one and two both", "three and two both"],
            id="three configs",
        ),
    ],
)  # fmt: skip
def test_configs_that_serve_a_namespace_without_clusters_by_one_selector_are_reported(
    targets: list[tuple[Config, list[str]]], expected: list[str]
) -> None:
    found = messages(overlap.same_targets(targets), "overlap")
    assert len(found) == len(expected)
    assert all(part in message for message, part in zip(found, expected, strict=True)), found


# --- an earlier step of the pipeline ---------------------------------------------------------------------------------


def a_set(owner: str, name: str, **more: Any) -> ResourceSet:
    annotations = {OWNER_ANNOTATION: owner, **more.get("annotations", {})}
    selector = {"matchLabels": more.get("labels", {"env": "prod"})}
    metadata = {"name": name, "namespace": "team-a", "annotations": annotations}
    return capi.read_set({"metadata": metadata, "spec": {"clusterSelector": selector}})


def of_one(cluster: str, owner: str = "inner", name: str = "") -> ResourceSet:
    annotations = {REGISTRATION_NAME_ANNOTATION: cluster}
    return a_set(owner, name or f"n.{cluster}", annotations=annotations, labels={CLUSTER_NAME_LABEL: cluster})


@pytest.mark.parametrize(
    ("strangers", "expected"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([of_one("a", "other", "n")], [("team-a/a", "n", "other")], id="one Cluster"),
        pytest.param([a_set("other", "n")], [("team-a/a, team-a/b", "n", "other")], id="two Clusters"),
        pytest.param(
            [of_one("a", "z", "n"), of_one("a", "b", "m")], [("team-a/a", "m", "b"), ("team-a/a", "n", "z")], id="two sets, in order"
        ),
    ],
)  # fmt: skip
def test_clusters_that_an_earlier_step_serves_are_reported_by_its_set(
    strangers: list[ResourceSet], expected: list[tuple[str, str, str]]
) -> None:
    part = Part(ONE, Token(), taken("a", "b"))
    found = messages(overlap.already_served([part], strangers), "overlap")
    assert len(found) == len(expected)
    for message, (titles, name, owner) in zip(found, expected, strict=True):
        assert f"{titles}, which ClusterResourceSet {name} of ClusternetCAPIConfig {owner} already serves" in message


def test_the_sets_of_one_config_are_one_error_however_many_they_are() -> None:
    names = [f"c{number}" for number in range(9)]
    part = Part(ONE, Token(), taken(*names))
    (message,) = messages(overlap.already_served([part], [of_one(name) for name in names]), "overlap")
    assert "reaches Clusters team-a/c0, team-a/c1, " in message
    assert "which ClusterResourceSets n.c0, n.c1, " in message
    assert "of ClusternetCAPIConfig inner already serve; make" in message


@pytest.mark.parametrize(
    ("fleet", "expected"),
    [
        pytest.param({("team-a", "web"), ("team-a", "db")}, [], id="all there"),
        pytest.param({("team-a", "x-web"), ("team-a", "x-db")}, ["web", "db"], id="a namePrefix"),
        pytest.param({("team-b", "web"), ("team-a", "db")}, ["web"], id="another namespace"),
        pytest.param(set(), [], id="no Clusters, so nobody knows"),
    ],
)
def test_sets_whose_cluster_was_renamed_after_them_are_a_warning(
    fleet: set[tuple[str, str]], expected: list[str]
) -> None:
    results = list(overlap.stranded([of_one("web"), of_one("db")], fleet))
    assert {one.severity for one in results} <= {"warning"}
    found = messages(results, "stranded")
    assert len(found) == len(expected)
    assert all(f"is for Cluster {name}, which" in message for message, name in zip(found, expected, strict=True))
