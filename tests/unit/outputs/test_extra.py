"""`extraResources` that the input holds under nearly the right name."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lists import cluster, config, named, run

EXTRA = {"clusterResourceSet": {"extraResources": [{"kind": "ConfigMap", "name": "cni"}]}}
SECRET = {"clusterResourceSet": {"extraResources": [{"kind": "Secret", "name": "pull"}]}}


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        (named("ConfigMap", "cni-5hk82m4tgd"), "team-a/cni-5hk82m4tgd is; a ClusterResourceSet is not renamed with it"),
        (named("ConfigMap", "cni", "team-b"), "team-b/cni is; keep one in each namespace with matching Clusters"),
    ],
    ids=["a hash", "another namespace"],
)
def test_a_near_miss_is_a_warning(item: Any, expected: str) -> None:
    made = run([cluster("a"), item], config(**EXTRA))
    assert made.code == 0, made.stderr
    (message,) = [one for one in made.messages("warning") if "extraResources" in one]
    assert "ConfigMap cni (spec.clusterResourceSet.extraResources) is not in the input in namespace team-a" in message
    assert expected in message


@pytest.mark.parametrize(
    "items",
    [[], [named("ConfigMap", "cni")], [named("ConfigMap", "cni-of-others", "team-b")], [named("Secret", "cni", "x")]],
    ids=["kept elsewhere", "there", "another name", "another kind"],
)
def test_no_word_about_one_that_is_there_or_kept_elsewhere(items: list[Any]) -> None:
    assert "extraResources" not in run([cluster("a"), *items], config(**EXTRA)).stderr


def test_a_secret_of_a_type_that_no_set_applies_is_an_error() -> None:
    made = run([cluster("a"), named("Secret", "pull", type="Opaque")], config(**SECRET))
    assert made.code == 1
    assert "must be of type addons.cluster.x-k8s.io/resource-set" in made.stderr
    assert (
        run([cluster("a"), named("Secret", "pull", type="addons.cluster.x-k8s.io/resource-set")], config(**SECRET)).code
        == 0
    )
