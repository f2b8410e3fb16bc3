"""What holds for every fleet: twice is once, order never matters, foreign items keep their bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import yaml
from hypothesis import given, settings

from krm_fn.krm import resource_list
from tests.support.lists import TOKEN, Run, cluster, config, document, named

if TYPE_CHECKING:
    import random

names = st.from_regex(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?", fullmatch=True)
namespaces = st.sampled_from(["", "team-a", "team-b", "x"])
labels = st.dictionaries(st.sampled_from(["env", "tier", "region"]), st.sampled_from(["prod", "dev", "one", "1", ""]))


@st.composite
def fleets(draw: st.DrawFn) -> list[Any]:
    keys = draw(st.lists(st.tuples(namespaces, names), max_size=6, unique=True))
    found = []
    for namespace, name in keys:
        version, topology = draw(st.sampled_from(["v1beta1", "v1beta2"])), draw(st.booleans())
        found.append(cluster(name, namespace, labels=draw(labels), version=version, topology=topology))
    for at in range(draw(st.integers(0, 3))):
        kind = draw(st.sampled_from(["ConfigMap", "Secret", "Namespace", "Service"]))
        found.append(named(kind, f"other-{at}", draw(namespaces), data={"text": draw(st.text(max_size=20))}))
    return found


@st.composite
def selectors(draw: st.DrawFn) -> Any:
    key = draw(st.sampled_from(["env", "tier", "region", "cluster.x-k8s.io/cluster-name"]))
    operator = draw(st.sampled_from(["In", "NotIn", "Exists", "DoesNotExist"]))
    one: dict[str, Any] = {"key": key, "operator": operator}
    if operator in {"In", "NotIn"}:
        one["values"] = draw(st.lists(st.sampled_from(["prod", "dev", "one"]), min_size=1, unique=True))
    return {"matchExpressions": [one]}


@st.composite
def configs(draw: st.DrawFn) -> Any:
    spec: dict[str, Any] = {"clusterSelector": draw(selectors())}
    if draw(st.booleans()):
        spec["identity"] = {"mode": "PerCluster"}
        if draw(st.booleans()):
            spec["identity"]["nameTemplate"] = "{namespace}-{name}"
    if draw(st.booleans()):
        spec["clusterResourceSet"] = {"strategy": draw(st.sampled_from(["Reconcile", "ApplyOnce"]))}
    if draw(st.booleans()):
        spec["guard"] = {"allowNoClusters": True}
    return config(**spec)


@given(fleets(), configs())
def test_twice_is_once(items: list[Any], function_config: Any) -> None:
    first = Run(document(items, function_config))
    if first.code == 0:
        assert Run(first.stdout).stdout == first.stdout


@given(fleets(), configs(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_never_matters(items: list[Any], function_config: Any, order: random.Random) -> None:
    shuffled = order.sample(items, len(items))
    first, second = Run(document(items, function_config)), Run(document(shuffled, function_config))
    assert first.code == second.code
    assert sorted(map(str, first.items)) == sorted(map(str, second.items))
    assert first.items[len(items) :] == second.items[len(items) :]


@given(fleets(), configs())
def test_foreign_items_keep_their_bytes(items: list[Any], function_config: Any) -> None:
    data = document(items, function_config)
    made = Run(data)
    before = [one.text for one in resource_list.read(data).items]
    after = [one.text for one in resource_list.read(made.stdout).items]
    edited = made.outcome.changes.labelled if made.outcome is not None else {}
    assert [text for at, text in enumerate(before) if at not in edited] == [
        text for at, text in enumerate(after[: len(before)]) if at not in edited
    ]


@given(fleets(), configs())
def test_nothing_is_lost_and_the_token_is_nowhere_in_the_open(items: list[Any], function_config: Any) -> None:
    made = Run(document(items, function_config))
    assert made.code in {0, 1}
    assert len(made.items) >= len(items)
    shown = yaml.safe_dump([made.items, made.data.get("results", [])]) + made.stderr
    assert TOKEN not in shown


@given(fleets(), selectors(), selectors())
@settings(max_examples=60)
def test_two_configs_overlap_exactly_when_a_cluster_matches_both(items: list[Any], one: Any, two: Any) -> None:
    relaxed = {"guard": {"allowNoClusters": True}}
    pair = [
        config("one", clusterSelector=one, clusterResourceSet={"name": "one"}, **relaxed),
        config("two", clusterSelector=two, clusterResourceSet={"name": "two"}, **relaxed),
    ]
    made = Run(document([*items, *pair]))
    shared = [
        value for value in items if value["kind"] == "Cluster" and naive(one, live(value)) and naive(two, live(value))
    ]
    assert ("both reach" in made.stderr) == bool(shared)


def live(value: Any) -> dict[str, str]:
    found = dict(value["metadata"]["labels"])
    if "topology" in value["spec"]:
        found["cluster.x-k8s.io/cluster-name"] = value["metadata"]["name"]
    return found


def naive(selector: Any, found: dict[str, str]) -> bool:
    """A second reading of one requirement, by a truth table instead of the product's code."""
    rule = selector["matchExpressions"][0]
    present, listed = rule["key"] in found, found.get(rule["key"]) in rule.get("values", ())
    table = {
        "In": present and listed,
        "NotIn": not (present and listed),
        "Exists": present,
        "DoesNotExist": not present,
    }
    return table[rule["operator"]]
