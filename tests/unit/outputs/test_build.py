"""What holds the manifests, and the sets that refer to it."""

from __future__ import annotations

import base64

import pytest

from krm_fn import outputs
from tests.support import configs
from tests.support.lists import cluster, config, run

BIG = "x" * 1_100_000


def test_manifests_too_large_for_a_configmap_are_an_error_with_a_remedy() -> None:
    made = run([cluster("a")], config(agent={"podAnnotations": {"big": BIG}}))
    assert made.code == 1
    (error,) = made.messages()
    assert error.startswith("ConfigMap clusternet-cluster-api-agent would hold 1")
    assert error.endswith("Make spec.agent.patches, env or annotations smaller")
    assert len(made.items) == 1


@pytest.mark.parametrize(
    ("given", "versions", "expected"),
    [
        ("auto", ["v1beta1", "v1beta1"], "v1beta1"),
        ("auto", ["v1beta1", "v1beta2"], "v1beta2"),
        ("auto", ["v1beta2"], "v1beta2"),
        ("addons.cluster.x-k8s.io/v1beta1", ["v1beta2"], "v1beta1"),
        ("addons.cluster.x-k8s.io/v1beta2", ["v1beta1"], "v1beta2"),
    ],
)
def test_the_version_of_the_sets_follows_the_clusters_unless_it_is_given(
    given: str, versions: list[str], expected: str
) -> None:
    items = [cluster(f"c{at}", version=version) for at, version in enumerate(versions)]
    made = run(items, config(clusterResourceSet={"apiVersion": given}))
    sets = [one for one in made.items if one["kind"] == "ClusterResourceSet"]
    assert {one["apiVersion"] for one in sets} == {f"addons.cluster.x-k8s.io/{expected}"}, made.stderr


def test_without_clusters_the_newest_version_is_taken() -> None:
    assert outputs.api_version(configs.decoded({}), ()) == "addons.cluster.x-k8s.io/v1beta2"


def test_every_value_of_a_carrier_is_long_enough_for_the_controller() -> None:
    made = run([cluster("a")])
    for one in made.items:
        for text in one.get("data", {}).values():
            assert len(base64.b64decode(text) if one["kind"] == "Secret" else text) >= 32
