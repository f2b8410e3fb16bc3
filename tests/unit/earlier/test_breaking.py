"""What a change breaks that goes from one config to another, or from one ClusterResourceSet to another."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lists import cluster, config
from tests.support.plans import change

PER_CLUSTER = {"mode": "PerCluster"}
ONCE = {"strategy": "ApplyOnce"}
OLD = {"image": "ghcr.io/clusternet/clusternet-agent:v0.14.0"}
NOISE = ("open-token", "moved")
KEPT = {"registrationToken": {"existingSecret": {"name": "kept"}}}


def wave(name: str, **spec: Any) -> Any:
    return config(
        name, **{"clusterSelector": {"matchLabels": {"wave": name}}, "clusterResourceSet": {"name": name}, **spec}
    )


def in_wave(name: str, called: str = "a") -> Any:
    return cluster(called, labels={"wave": name, "env": "prod"})


OTHERS = [in_wave("one", "x"), in_wave("two", "y")]


@pytest.mark.parametrize(
    ("before", "now", "rules"),
    [
        pytest.param([config()], [config("renamed")], [], id="a renamed config"),
        pytest.param(
            [config()], [config("renamed", clusterSelector={"matchLabels": {"wave": "one"}})], ["immutable-field"], id="renamed, another selector"
        ),
        pytest.param([config()], [config("renamed", clusterResourceSet=ONCE)], ["immutable-field"], id="renamed, another strategy"),
        pytest.param([config()], [config("renamed", agent={"namespace": "agents"})], ["agent-namespace-changed"], id="renamed, agent namespace"),
        pytest.param([config(agent=OLD)], [config("renamed")], ["agent-version-jump", "immutable-role"], id="renamed, a jump"),
        pytest.param(
            [config(identity=PER_CLUSTER)], [config("renamed", identity={**PER_CLUSTER, "nameTemplate": "b-{name}"})], ["cluster"], id="renamed, names"
        ),
        pytest.param([config(**KEPT)], [wave("one", **KEPT)], ["owners-replaced"], id="renamed, another set owns the user's Secret"),
        pytest.param([config()], [config(identity=PER_CLUSTER)], [], id="another mode"),
        pytest.param([config(clusterResourceSet=ONCE)], [config(identity=PER_CLUSTER)], ["owners-replaced"], id="another mode and strategy"),
    ],
)  # fmt: skip
def test_what_is_there_counts_whichever_config_made_it(before: list[Any], now: list[Any], rules: list[str]) -> None:
    failing = {"immutable-field", "agent-namespace-changed", "agent-version-jump", "cluster"} & {*rules}
    view = change([in_wave("one"), *before], [in_wave("one"), *now], ok=not failing)
    assert sorted(one.rule for one in (*view.errors, *view.warnings) if one.rule not in NOISE) == rules


@pytest.mark.parametrize(
    ("one", "two", "rules"),
    [
        pytest.param({}, {}, [], id="the same content"),
        pytest.param({"agent": OLD}, {}, ["agent-version-jump", "immutable-role"], id="a jump of versions"),
        pytest.param({"agent": OLD}, {"agent": OLD}, [], id="an old agent in both"),
        pytest.param(
            {"identity": PER_CLUSTER}, {"identity": {**PER_CLUSTER, "nameTemplate": "b-{name}"}}, ["cluster"], id="another name"
        ),
        pytest.param({"identity": PER_CLUSTER}, {"identity": PER_CLUSTER}, [], id="the same name"),
        pytest.param(KEPT, KEPT, [], id="a Secret that the other set still owns"),
    ],
)  # fmt: skip
def test_a_cluster_that_moves_brings_its_past_along(one: Any, two: Any, rules: list[str]) -> None:
    configs = [wave("one", **one), wave("two", **two)]
    before, now = ([in_wave(name), *OTHERS, *configs] for name in ("one", "two"))
    view = change(before, now, ok=not {"agent-version-jump", "cluster"} & {*rules})
    found = [result for result in (*view.errors, *view.warnings) if result.rule not in NOISE]
    assert sorted(result.rule for result in found) == rules
    assert all("every cluster" not in result.message for result in found)


@pytest.mark.parametrize(("stays", "lost"), [(True, []), (False, ["Secret fleet.registration"])])
def test_a_carrier_goes_with_the_last_cluster_that_had_it(stays: bool, lost: list[str]) -> None:  # noqa: FBT001
    per_cluster = config(identity=PER_CLUSTER, clusterResourceSet={"name": "fleet"})
    kept = [cluster("c")] if stays else []
    view = change([cluster("a"), *kept, per_cluster], [cluster("b"), *kept, per_cluster])
    found = [one.message for one in view.warnings if one.rule == "owners-replaced"]
    assert [message.partition(" (")[0] for message in found] == lost


def test_a_local_cluster_that_is_new_registers_where_the_earlier_tree_holds_others() -> None:
    local = {"config.kubernetes.io/local-config": "true"}
    first, second = (cluster(name, annotations=local) for name in "ab")
    assert change([first, config()], [first, second, config()]).happens == {"team-a/b": ["registers"]}
