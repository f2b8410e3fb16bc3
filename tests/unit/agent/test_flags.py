"""The agent's command line."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.agent import manifests, releases
from krm_fn.agent.manifests import Registration
from krm_fn.agent.releases import traits
from tests.unit.agent.options import RELEASES, agent

COMMON = [
    "--cluster-reg-token=$(REG_TOKEN)",
    "--cluster-reg-parent-url=$(PARENT_URL)",
    "--cluster-reg-type=StandardCluster",
    "--cluster-sync-mode=Dual",
    "--use-metrics-server=false",
    "--feature-gates=AppPusher=true,Predictor=true,Recovery=true,SocketConnection=true",
]
REST = [
    "--leader-elect-resource-namespace=$(AGENT_NAMESPACE)",
    "--predictor-direct-access=false",
    "--predictor-port=8080",
]
LIMITS = ["--kube-api-qps=50", "--kube-api-burst=100"]
QUIET = ["--v=0"]


def arguments(release: str = "v0.18.1", registration: Registration | None = None, **changes: Any) -> list[str]:
    options = agent(release, **changes)
    return manifests.arguments(options, traits(options.version), registration or Registration())


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("v0.12.0", [*COMMON, *REST, *QUIET]),
        ("v0.14.0", [*COMMON, *REST, *QUIET]),
        ("v0.15.0", [*COMMON, "--leader-elect=true", *REST, *QUIET]),
        ("v0.15.2", [*COMMON, "--leader-elect=true", *REST, *QUIET]),
        ("v0.16.0", [*COMMON, "--leader-elect=true", *REST, *LIMITS, *QUIET]),
        ("v0.18.1", [*COMMON, "--leader-elect=true", *REST, *LIMITS, *QUIET]),
    ],
)
def test_each_release_gets_its_own_flags(release: str, expected: list[str]) -> None:
    assert arguments(release) == expected


def test_name_prefix_and_labels_stand_after_the_parent_url_with_labels_sorted() -> None:
    registration = Registration(name="one", name_prefix="fleet", labels={"b": "2", "a/x": "1", "c": ""})

    assert arguments(registration=registration)[2:5] == [
        "--cluster-reg-name=one",
        "--cluster-reg-name-prefix=fleet",
        "--cluster-labels=a/x=1,b=2,c=",
    ]


def test_type_and_sync_mode_come_from_the_options() -> None:
    found = arguments(clusterType="EdgeCluster", syncMode="Pull")

    assert "--cluster-reg-type=EdgeCluster" in found
    assert "--cluster-sync-mode=Pull" in found


def test_feature_gates_are_merged_and_sorted() -> None:
    found = arguments(featureGates={"MultiClusterService": True, "Predictor": False})

    expected = "AppPusher=true,MultiClusterService=true,Predictor=false,Recovery=true,SocketConnection=true"
    assert releases.flag_value(found, "feature-gates") == expected


def test_the_multi_cluster_gate_stays_out_unless_it_is_asked_for() -> None:
    assert "MultiClusterService" not in releases.flag_value(arguments(), "feature-gates")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("extra", "place"),
    [
        (["--predictor-port=9090"], ["--predictor-port=9090"]),
        (["--predictor_port=9090"], ["--predictor_port=9090"]),
        (["--predictor-port"], ["--predictor-port"]),
    ],
    ids=["equals", "underscore", "bare"],
)
def test_an_extra_flag_replaces_ours_where_ours_stood(extra: list[str], place: list[str]) -> None:
    before = arguments()
    at = before.index("--predictor-port=8080")

    assert arguments(extraArgs=tuple(extra)) == [*before[:at], *place, *before[at + 1 :]]


def test_extra_flags_that_are_not_ours_follow_in_their_order() -> None:
    assert arguments(extraArgs=("--vmodule=hub=4", "--cluster-reg-namespace=edge"))[-2:] == [
        "--vmodule=hub=4",
        "--cluster-reg-namespace=edge",
    ]


def test_the_agent_keeps_its_flags_out_of_its_log_unless_another_verbosity_is_asked_for() -> None:
    assert arguments()[-1] == "--v=0"
    assert [one for one in arguments(extraArgs=("--v=4",)) if one.startswith("--v=")] == ["--v=4"]


@pytest.mark.parametrize("release", RELEASES)
def test_no_flag_is_ever_given_twice_by_us(release: str) -> None:
    extra = ("--kube-api-qps=1", "--leader_elect=true", "--cluster-labels=a=b", "--secure-port=10651")
    registration = Registration(name="n", labels={"k": "v"})

    names = [releases.flag_name(one) for one in arguments(release, registration, extraArgs=extra)]

    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("given", "name"),
    [("--a-b=c", "a-b"), ("--a_b", "a-b"), ("--v", "v"), ("--x=--y", "x")],
)
def test_a_flag_is_known_by_its_name(given: str, name: str) -> None:
    assert releases.flag_name(given) == name


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ([], None),
        (["--secure-port"], ""),
        (["--secure-port=1"], "1"),
        (["--secure-port=1", "--secure_port=3"], "3"),
    ],
)
def test_the_last_value_of_a_flag_counts(given: list[str], value: str | None) -> None:
    assert releases.flag_value(given, "secure-port") == value


@pytest.mark.parametrize(
    ("given", "port"),
    [
        ([], 10650),
        (["--secure-port=0"], 0),
        (["--secure-port=10651"], 10651),
        (["--secure-port=65536"], -1),
        (["--secure-port=on"], -1),
        (["--secure-port=²"], -1),
        (["--secure-port"], -1),
        (["--secure-port=" + "9" * 5000], -1),
    ],
)
def test_the_health_port_follows_the_flag(given: list[str], port: int) -> None:
    assert releases.health_port(given) == port
