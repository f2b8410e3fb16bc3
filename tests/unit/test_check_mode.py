"""`mode: Check` over our own output of an earlier step: what its sets refer to is there, or an error names both."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lists import Run, cluster, config, document, run

CHECK = {"mode": "Check"}
EXISTING = {"registrationToken": {"existingSecret": {"name": "mine"}}}
WAYS: dict[str, dict[str, Any]] = {
    "Shared": {},
    "PerCluster": {"identity": {"mode": "PerCluster"}},
    "ApplyOnce": {"clusterResourceSet": {"strategy": "ApplyOnce"}},
    "existingSecret": EXISTING,
    "externalSecret": {
        "registrationToken": {
            "externalSecret": {"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "fleet"}},
        }
    },
    "a name that holds -agent": {"clusterResourceSet": {"name": "my-agent-set"}},
    "a name that ends in -agent": {"clusterResourceSet": {"name": "my-agent"}, "identity": {"mode": "PerCluster"}},
}


def rendered(**spec: Any) -> list[Any]:
    made = run([cluster("a", labels={"env": "prod", "cluster.x-k8s.io/cluster-name": "a"})], config(**spec))
    assert made.code == 0, made.stderr
    return list(made.items)


def checked(items: list[Any], **spec: Any) -> Run:
    return Run(document(items, config(**spec, **CHECK)))


def carriers(items: list[Any]) -> list[Any]:
    return [one for one in items if one["kind"] in {"ConfigMap", "Secret"}]


@pytest.mark.parametrize("spec", WAYS.values(), ids=WAYS)
def test_untouched_output_passes(spec: dict[str, Any]) -> None:
    items = rendered(**spec)
    made = checked(items, **spec)
    assert made.code == 0, made.stderr
    assert made.items == items


@pytest.mark.parametrize("spec", [*list(WAYS.values())[:4]], ids=list(WAYS)[:4])
@pytest.mark.parametrize("rename", ["eu-{}", "{}-eu"], ids=["prefix", "suffix"])
def test_a_renamed_carrier_is_an_error_that_names_set_and_carrier(spec: dict[str, Any], rename: str) -> None:
    items = rendered(**spec)
    for one in items:
        if one["kind"] != "Cluster":
            one["metadata"]["name"] = rename.format(one["metadata"]["name"])
    made = checked(items, **spec)
    assert made.code == 1
    for one in carriers(items):
        now = one["metadata"]["name"]
        assert f"{one['kind']} {now} of the same namespace looks like it, renamed" in made.stderr
    assert "examples/kustomization/name-references.yaml" in made.stderr


@pytest.mark.parametrize("spec", WAYS.values(), ids=WAYS)
def test_a_deleted_carrier_is_an_error(spec: dict[str, Any]) -> None:
    items = rendered(**spec)
    for gone in carriers(items):
        made = checked([one for one in items if one is not gone], **spec)
        assert made.code == 1
        assert f"refers to {gone['kind']} {gone['metadata']['name']}, which is not in the input" in made.stderr


def test_what_the_user_keeps_elsewhere_may_be_missing() -> None:
    extra = {"clusterResourceSet": {"extraResources": [{"kind": "ConfigMap", "name": "crds"}]}}
    assert checked(rendered(**EXISTING, **extra), **EXISTING, **extra).code == 0


def test_a_changed_type_is_an_error() -> None:
    items = rendered()
    for one in carriers(items):
        if one["kind"] == "Secret":
            one["type"] = "Opaque"
    made = checked(items)
    assert made.code == 1
    assert "is no longer of type addons.cluster.x-k8s.io/resource-set" in made.stderr


def test_a_lost_key_is_an_error() -> None:
    items = rendered()
    for one in carriers(items):
        one["data"].popitem()
    made = checked(items)
    assert made.code == 1
    for key in ("10-app-deployer-token.yaml", "20-registration.yaml", "40-deployment.yaml"):
        assert f"has lost its {key}" in made.stderr


def test_nothing_of_this_is_said_while_rendering() -> None:
    items = [one for one in rendered() if one["kind"] != "ConfigMap"]
    assert Run(document(items, config())).code == 0
