"""What came before: earlier output by its owner, and which of its sets reach a Cluster."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn import earlier
from krm_fn.clusters import Inventory, capi
from krm_fn.earlier import Baseline
from krm_fn.krm.items import Item
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    CLUSTER_NAME_LABEL,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
)
from tests.support.lists import cluster

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.clusters.capi import ResourceSet
    from krm_fn.model import Cluster


def value(kind: str, name: str, owner: str = "fleet", namespace: str = "team-a", **more: Any) -> dict[str, Any]:
    api_version = "addons.cluster.x-k8s.io/v1beta2" if kind == "ClusterResourceSet" else "v1"
    annotations = {OWNER_ANNOTATION: owner, **more.pop("annotations", {})}
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **more}


def a_set(name: str, selector: Any, *, owner: str = "fleet", namespace: str = "team-a", registers: str = "") -> Any:
    spec = {"clusterSelector": selector, "resources": [{"kind": "ConfigMap", "name": f"{name}-agent"}]}
    annotations = {REGISTRATION_NAME_ANNOTATION: registers} if registers else {}
    return value("ClusterResourceSet", name, owner, namespace, spec=spec, annotations=annotations)


def of_one(name: str, **more: Any) -> Any:
    return a_set(f"n.{name}", {"matchLabels": {CLUSTER_NAME_LABEL: name}}, registers=f"r-{name}", **more)


def labels(**pairs: str) -> dict[str, Any]:
    return {"matchLabels": pairs}


def requires(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, **({"values": [*values]} if values else {})}]}


def items(*values: Any) -> list[Item]:
    return [Item.from_value(one, position) for position, one in enumerate(values)]


def taken(*values: Any) -> Inventory:
    return Inventory(items(*values), ())


def fleet(*values: Any) -> dict[str, Cluster]:
    return {one.name: one for one in taken(*values).clusters}


# --- what it holds ---------------------------------------------------------------------------------------------------

IDENTITY = value("ConfigMap", "n-identity", annotations={AGENT_NAMESPACE_ANNOTATION: "edge"})
OUTPUT = [
    a_set("n", labels(env="prod")),
    value("ClusterResourceSet", "n-identity", spec={"resources": [{"kind": "ConfigMap", "name": "n-identity"}]}),
    IDENTITY,
    value("ConfigMap", "n-agent"),
    value("Secret", "n-registration"),
    of_one("web", owner="other"),
]


def test_earlier_output_is_held_by_what_it_is_and_whose() -> None:
    tree = earlier.read(taken(*OUTPUT), None).output
    assert {owner: [one.name for one in sets] for owner, sets in tree.sets.items()} == {
        "fleet": ["n", "n-identity"],
        "other": ["n.web"],
    }
    assert [one.name for one in tree.all_sets] == ["n", "n-identity", "n.web"]
    assert [one.name for one in tree.main_sets] == ["n", "n.web"]
    assert {owner: [one.name for one in maps] for owner, maps in tree.config_maps.items()} == {
        "fleet": ["n-agent", "n-identity"]
    }


def test_names_on_the_parent_cluster_are_taken_by_both_trees_and_the_baseline_counts_last() -> None:
    moved = of_one("web", owner="other", namespace="team-b")
    found = earlier.read(taken(*OUTPUT), Baseline(items=items(moved, of_one("db")), source="the baseline"))
    assert [tree.source for tree in found.trees] == ["the earlier output in the input", "the baseline"]
    assert found.registration_names == {"r-web": ("team-b", "web"), "r-db": ("team-a", "db")}


def test_clusters_of_the_input_are_not_those_of_its_earlier_output() -> None:
    holds = items(*OUTPUT, cluster("web"))
    found = earlier.read(taken(*OUTPUT, cluster("web")), Baseline(items=holds))
    assert found.output.clusters == ()
    assert found.baseline is not None
    assert [one.name for one in found.baseline.clusters] == ["web"]


# --- which sets reach a Cluster --------------------------------------------------------------------------------------

CLUSTERS = fleet(
    cluster("web", labels={"env": "prod", "tier": "gold"}),
    cluster("db", labels={"env": "dev"}),
    cluster("named", labels={"env": "dev", CLUSTER_NAME_LABEL: "named"}),
    cluster("topo", labels={"env": "prod"}, topology=True),
    cluster("bare", labels={}),
    cluster("far", "team-b", labels={"env": "prod"}),
)


@pytest.mark.parametrize(
    ("given_set", "reached"),
    [
        pytest.param(a_set("n", labels(env="prod")), ["topo", "web"], id="a label"),
        pytest.param(a_set("n", labels(env="prod", tier="gold")), ["web"], id="two labels"),
        pytest.param(a_set("n", labels(env="prod"), namespace="team-b"), ["far"], id="its own namespace alone"),
        pytest.param(a_set("n", labels(env="prod"), namespace=""), [], id="no namespace is one of its own"),
        pytest.param(a_set("n", requires("env", "In", "dev", "prod")), ["db", "named", "topo", "web"], id="In"),
        pytest.param(a_set("n", requires("env", "NotIn", "dev")), ["bare", "topo", "web"], id="NotIn, absent keys too"),
        pytest.param(a_set("n", requires("tier", "Exists")), ["web"], id="Exists"),
        pytest.param(a_set("n", requires("env", "DoesNotExist")), ["bare"], id="DoesNotExist"),
        pytest.param(a_set("n", {**labels(env="prod"), **requires("tier", "DoesNotExist")}), ["topo"], id="both"),
        pytest.param(a_set("n", {}), [], id="an empty selector selects nothing"),
        pytest.param(a_set("n", {"matchLabels": 7}), [], id="nothing that a server would take"),
        pytest.param(of_one("web"), ["web"], id="PerCluster, by name though the label is not in Git"),
        pytest.param(of_one("topo"), ["topo"], id="PerCluster of a ClusterClass"),
        pytest.param(of_one("far"), [], id="PerCluster in another namespace"),
        pytest.param(a_set("n", labels(**{CLUSTER_NAME_LABEL: "named"})), ["named"], id="Shared that selects by name"),
        pytest.param(a_set("n", labels(**{CLUSTER_NAME_LABEL: "web"})), [], id="and the label is not there"),
    ],
)  # fmt: skip
def test_a_set_reaches_the_clusters_that_it_selects_on_the_server(given_set: Any, reached: list[str]) -> None:
    coverage = earlier.Coverage([capi.read_set(given_set)])
    assert sorted(name for name, one in CLUSTERS.items() if coverage.of(one)) == reached


_KEYS = st.sampled_from(["env", "tier", CLUSTER_NAME_LABEL])
_VALUES = st.sampled_from(["a", "b", "c"])
_PAIRS = st.dictionaries(_KEYS, _VALUES, max_size=2)
_EXPRESSIONS = st.one_of(
    st.builds(lambda key, op, values: {"key": key, "operator": op, "values": values}, _KEYS,
              st.sampled_from(["In", "NotIn"]), st.lists(_VALUES, min_size=1, max_size=2, unique=True)),
    st.builds(lambda key, op: {"key": key, "operator": op}, _KEYS, st.sampled_from(["Exists", "DoesNotExist"])),
)  # fmt: skip
_SELECTORS = st.builds(
    lambda pairs, expressions: {"matchLabels": pairs, "matchExpressions": expressions},
    _PAIRS,
    st.lists(_EXPRESSIONS, max_size=2),
)
_NAMESPACES = st.sampled_from(["team-a", "team-b"])
_SETS = st.one_of(
    st.builds(lambda selector, namespace: a_set("n", selector, namespace=namespace), _SELECTORS, _NAMESPACES),
    st.builds(lambda name, namespace: of_one(name, namespace=namespace), _VALUES, _NAMESPACES),
)
_CLUSTERS = st.builds(
    lambda name, namespace, pairs: next(iter(taken(cluster(name, namespace, labels=pairs)).clusters)),
    _VALUES,
    _NAMESPACES,
    _PAIRS,
)


@given(st.lists(_SETS, max_size=6), _CLUSTERS)
def test_the_index_answers_as_asking_every_set_would(values: list[Any], one: Cluster) -> None:
    sets = [capi.read_set(each) for each in values]

    def reaches(each: ResourceSet) -> bool:
        by_name = each.cluster == one.name if each.cluster else each.matches(one.live_labels)
        return each.namespace == one.namespace and by_name

    found = earlier.Coverage(sets).of(one)
    assert sorted(map(id, found)) == sorted(id(each) for each in sets if reaches(each))
