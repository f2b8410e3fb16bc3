"""What a change does to each Cluster, seen through the function; tests/hosts/lab holds the same against real servers."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.lists import TOKEN, cluster, config, named
from tests.support.plans import change

IMAGE = "ghcr.io/clusternet/clusternet-agent:{}"
OLDER = {"image": IMAGE.format("v0.18.0")}
PER_CLUSTER = {"mode": "PerCluster"}
FLEET = [cluster("a"), cluster("b"), cluster("c", "team-b")]
ALL = ("team-a/a", "team-a/b", "team-b/c")
TYPE = "addons.cluster.x-k8s.io/resource-set"


def wave(number: int, **spec: Any) -> Any:
    selector = {"matchLabels": {"wave": str(number)}}
    return config(f"wave-{number}", clusterSelector=selector, clusterResourceSet={"name": f"wave-{number}"}, **spec)


def in_wave(number: int, name: str = "a") -> Any:
    return cluster(name, labels={"wave": str(number)})


def kept(url: str, type_: str = TYPE) -> Any:
    """The user's own registration Secret."""
    manifest = (
        '---\n"apiVersion": "v1"\n"kind": "Secret"\n"metadata":\n  "name": "clusternet-agent-cluster-registration"\n'
        f'  "namespace": "clusternet-system"\n"data":\n  "parentURL": "{base64.b64encode(url.encode()).decode()}"\n'
    )
    data = {"r.yaml": base64.b64encode(manifest.encode()).decode()}
    return named("Secret", "kept", type=type_, data=data)


EXISTING = {"registrationToken": {"existingSecret": {"name": "kept"}}}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param({}, {}, [], id="nothing"),
        pytest.param({}, {"agent": OLDER}, ["rolls"], id="image"),
        pytest.param({}, {"registrationToken": {"value": "other0.0123456789abcdef"}}, ["rolls"], id="token"),
        pytest.param({}, {"parentURL": "https://b.example.com"}, ["registers-again", "rolls"], id="parent"),
        pytest.param({}, {"agent": {"replicas": 1}}, ["replaced"], id="replicas"),
        pytest.param({}, {"identity": PER_CLUSTER}, ["rolls", "renamed-set"], id="to PerCluster"),
        pytest.param({"identity": PER_CLUSTER}, {}, ["rolls", "moves-set"], id="to Shared"),
        pytest.param({}, {"clusterResourceSet": {"name": "fleet-2"}}, ["renamed-set"], id="a new name"),
        pytest.param({}, {"clusterResourceSet": {"name": "n"}, "agent": OLDER}, ["rolls", "renamed-set"], id="a new name and image"),
        pytest.param(
            {}, {"clusterResourceSet": {"name": "n"}, "agent": {"namespace": "agents"}}, ["registers-again", "renamed-set"], id="agent namespace"
        ),
        pytest.param(
            {"clusterResourceSet": {"strategy": "ApplyOnce"}},
            {"clusterResourceSet": {"strategy": "ApplyOnce"}, "agent": OLDER},
            ["ignored"],
            id="under ApplyOnce",
        ),
        pytest.param({}, {"clusterResourceSet": {"labels": {"a": "b"}}}, [], id="a label on the set"),
        pytest.param(
            {"agent": {"image": IMAGE.format("v0.15.1")}}, {"agent": {"image": IMAGE.format("v0.15.2")}},
            ["blocked", "rolls", "replaced", "left-behind"], id="a refused roleRef",
        ),
    ],
)  # fmt: skip
def test_a_change_of_the_config_happens_to_every_cluster(before: Any, after: Any, expected: list[str]) -> None:
    view = change([*FLEET, config(**before)], [*FLEET, config(**after)])
    assert [one.code for one in view.effects] == expected
    assert all(one.clusters == ALL for one in view.effects)


def codes(before: list[Any], now: list[Any], *, ok: bool = True) -> dict[str, list[str]]:
    return change(before, now, ok=ok).happens


def test_a_new_cluster_registers_and_restarts_nothing() -> None:
    assert codes([FLEET[0], config()], [*FLEET[:2], config()]) == {"team-a/b": ["registers"]}


def test_a_cluster_that_no_selector_reaches_any_more_loses_its_set() -> None:
    off = cluster("b", labels={"env": "off"})
    assert codes([*FLEET, config()], [FLEET[0], off, FLEET[2], config()]) == {"team-a/b": ["loses-set"]}


def test_a_cluster_that_leaves_the_input_is_removed() -> None:
    assert codes([*FLEET, config()], [*FLEET[:2], config()]) == {"team-b/c": ["removed"]}


def test_a_config_that_is_removed_leaves_its_clusters_without_a_set() -> None:
    other = config("other", clusterSelector={"matchLabels": {"env": "dev"}}, guard={"allowNoClusters": True})
    view = change([*FLEET, config()], [*FLEET, other])
    assert [(one.code, one.clusters) for one in view.effects] == [("loses-set", ALL)]
    assert view.comparison is not None
    assert len(view.comparison.removed) == 10


def test_a_config_that_is_renamed_changes_owners_and_nothing_else() -> None:
    view = change([*FLEET, config()], [*FLEET, config("renamed")])
    assert view.effects == ()
    assert view.comparison is not None
    assert len(view.comparison.changed) == 10


@pytest.mark.parametrize(("image", "expected"), [("v0.18.1", ["moves-set"]), ("v0.18.0", ["rolls", "moves-set"])])
def test_a_move_between_waves_brings_the_content_of_the_new_one(image: str, expected: list[str]) -> None:
    stays = [in_wave(1, "x"), in_wave(2, "y")]
    configs = [wave(1, agent={"image": IMAGE.format(image)}), wave(2)]
    view = change([*stays, in_wave(2), *configs], [*stays, in_wave(1), *configs])
    assert view.happens == {"team-a/a": expected}
    (moved,) = [one for one in view.effects if one.code == "moves-set"]
    assert (moved.before, moved.after) == ("wave-2", "wave-1")


WAVES = [wave(one, guard={"allowNoClusters": True}) for one in (1, 2)]
ANY = config("any", clusterSelector={"matchExpressions": [{"key": "wave", "operator": "Exists"}]})


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param([in_wave(2, "b"), *WAVES], [in_wave(2, "b"), *WAVES], "moves-set", id="the old set stays"),
        pytest.param(WAVES, WAVES, "moves-set", id="the old set goes"),
        pytest.param([wave(2)], [ANY], "moves-set", id="the old set goes with its config"),
        pytest.param([ANY], [wave(1)], "renamed-set", id="the old set goes and selects the Cluster still"),
    ],
)
def test_a_move_is_one_where_no_old_set_selects_the_cluster_any_more(
    before: list[Any], now: list[Any], expected: str
) -> None:
    view = change([in_wave(2), *before], [in_wave(1), *now])
    warned = [one.message for one in view.results if one.rule == "moved"]
    assert view.happens == {"team-a/a": [expected]}
    assert [one.startswith("Cluster team-a/a moves from") for one in warned] == [True] * (expected == "moves-set")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ({"clusterSelector": {"matchLabels": {"env": "prod", "x": "y"}}}, {}, "clusterSelector"),
        ({"clusterResourceSet": {"strategy": "ApplyOnce"}}, {}, "strategy"),
        ({}, {"identity": PER_CLUSTER}, "identity.mode"),
        ({}, {}, ""),
    ],
)
def test_a_new_name_says_which_change_needed_it(before: Any, after: Any, reason: str) -> None:
    fleet = [cluster("a", labels={"env": "prod", "x": "y"})]
    name = {} if reason == "identity.mode" else {"clusterResourceSet": {"name": "fleet-2"}}
    view = change([*fleet, config(**before)], [*fleet, config(**after, **name)])
    (renamed,) = [one for one in view.effects if one.code == "renamed-set"]
    assert renamed.field == reason


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"clusterSelector": {"matchExpressions": [{"key": "env", "operator": "Exists"}]}}, "clusterSelector"),
        ({"clusterResourceSet": {"strategy": "ApplyOnce"}}, "strategy"),
    ],
)
def test_an_immutable_field_is_blocked(changed: Any, field: str) -> None:
    view = change([*FLEET, config()], [*FLEET, config(**changed)], ok=False)
    blocked = [one for one in view.effects if one.code == "blocked"]
    assert {one.field for one in blocked} == {field}
    assert all(one.clusters == ALL for one in blocked)


def test_a_secret_that_the_user_keeps_counts_where_it_can_be_read() -> None:
    before = [FLEET[0], kept("https://a.example.com"), config(**EXISTING)]
    now = [FLEET[0], kept("https://b.example.com"), config(**EXISTING)]
    assert codes(before, now) == {"team-a/a": ["registers-again", "replaced"]}
    assert codes(before, [FLEET[0], config(**EXISTING)]) == {}


def test_an_external_secret_counts_by_its_template() -> None:
    external = {"externalSecret": {"secretStoreRef": {"name": "s"}, "remoteRef": {"key": "k"}}}
    before = [FLEET[0], config(registrationToken=external)]
    now = [FLEET[0], config(registrationToken=external, parentURL="https://b.example.com")]
    assert codes(before, now) == {"team-a/a": ["registers-again", "rolls"]}


def test_an_extra_resource_is_applied_beside_the_agent() -> None:
    text = '---\n"apiVersion": "v1"\n"kind": "ConfigMap"\n"metadata":\n  "name": "crds"\n  "namespace": "default"\n'
    extra = named("ConfigMap", "extra", data={"a": text})
    now = config(clusterResourceSet={"extraResources": [{"kind": "ConfigMap", "name": "extra"}]})
    view = change([FLEET[0], extra, config()], [FLEET[0], extra, now])
    assert [(one.code, one.objects) for one in view.effects] == [("replaced", ("ConfigMap default/crds",))]


def test_an_api_version_of_cluster_api_changes_nothing_on_workload_clusters() -> None:
    view = change([cluster("a", version="v1beta1"), config()], [cluster("a", version="v1beta2"), config()])
    assert view.effects == ()
    assert view.comparison is not None
    assert {key.kind for key in view.comparison.changed} == {"ClusterResourceSet"}


def test_without_clusters_in_the_earlier_tree_labels_of_now_decide() -> None:
    local = [cluster("a", annotations={"config.kubernetes.io/local-config": "true"})]
    assert codes([*local, config()], [*local, config(agent=OLDER)]) == {"team-a/a": ["rolls"]}


def test_ten_thousand_namespaces_have_one_effect() -> None:
    fleet = [cluster("a", f"team-{number}") for number in range(50)]
    view = change([*fleet, config()], [*fleet, config(agent=OLDER)])
    (effect,) = view.effects
    assert len(effect.clusters) == 50
    assert view.comparison is not None
    (diff,) = view.comparison.changes
    assert len(diff.keys) == 50


def test_a_baseline_with_sorted_keys_differs_in_values_alone() -> None:
    view = change([*FLEET, config()], [*FLEET, config(agent={"replicas": 1})], sort=True)
    assert view.comparison is not None
    lines = [
        line
        for one in view.comparison.changes
        for line in one.diff
        if line[0] in "+-" and line[:3] not in {"+++", "---"}
    ]
    assert lines == ['-      "replicas": 3', '+      "replicas": 1']


def test_no_effect_and_no_diff_shows_a_token() -> None:
    view = change([*FLEET, config()], [*FLEET, config(registrationToken={"value": "other0.0123456789abcdef"})])
    text = repr(view.comparison)
    assert TOKEN not in text
    assert "0123456789abcdef" not in text
    assert "(hidden, changed)" in text
