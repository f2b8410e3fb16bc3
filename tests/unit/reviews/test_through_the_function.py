"""Gates, hub and discovery as a user meets them: a ResourceList in, a ResourceList out."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from tests.support.lists import TOKEN, Run, cluster, config, document, run
from tests.unit.reviews.builders import (
    SECRET_NAME,
    container_of,
    controller_manager,
    manager,
    secret,
)

HUB = {"kubeconfigSecretRef": {"name": SECRET_NAME, "key": "kubeconfig"}}
OFF = "--feature-gates=ClusterResourceSet=false"


def parent(name: str = "fleet", hub: Any = HUB, **changes: Any) -> Any:
    guard, gate = {"allowNoClusters": True}, {"featureGate": "Ignore"}
    return config(name, hub=hub, guard=guard, managementCluster=gate, **changes)


def test_a_gate_that_is_off_where_it_is_needed_fails_the_run_and_changes_nothing() -> None:
    made = run([manager("v1.5.3", OFF), cluster("a")], config())
    assert made.code == 1
    assert made.items == [manager("v1.5.3", OFF), cluster("a")]
    assert 'EXP_CLUSTER_RESOURCE_SET: "true"' in made.stderr


def test_ensure_fixes_the_manager_in_its_place() -> None:
    made = run([manager("v1.5.3", OFF), cluster("a")], config(managementCluster={"featureGate": "Ensure"}))
    assert made.code == 0, made.stderr
    assert container_of(made.items[0])["args"] == ["--feature-gates=ClusterResourceSet=true"]


def test_discovery_adds_the_opaque_secret_that_the_hub_waits_for() -> None:
    made = run([cluster("a")], config(hub={"discoverySecret": True}))
    assert made.code == 0, made.stderr
    found = made.item("Secret", "clusternet-cluster-api", "capi-system")
    assert found["type"] == "Opaque"
    assert sorted(found["data"]) == ["image", "parentURL", "regToken"]
    assert b64decode(found["data"]["regToken"]).decode() == TOKEN
    assert "copies the token into a readable ConfigMap" in made.stderr


def test_discovery_is_refused_with_a_token_that_is_kept_out_of_sight() -> None:
    made = run(
        [cluster("a")], config(hub={"discoverySecret": True}, registrationToken={"existingSecret": {"name": "x"}})
    )
    assert made.code == 1
    assert "spec.hub.discoverySecret" in made.stderr


def test_the_parents_package_needs_no_clusters() -> None:
    made = run([controller_manager()], parent())
    assert made.code == 0, made.stderr
    assert len(made.items) == 1
    assert container_of(made.items[0])["args"][-1] == "--cluster-api-kubeconfig=/etc/cluster-api-kubeconfig/kubeconfig"
    assert run(made.items, parent()).items == made.items


def test_a_kubeconfig_that_can_not_work_fails_the_run_and_is_not_shown() -> None:
    made = run([controller_manager(), secret({"kubeconfig": "planted: secret"})], parent())
    assert made.code == 1
    assert made.items[0] == controller_manager()
    assert "planted" not in made.stderr
    assert "has no current-context" in made.stderr


def test_two_configs_that_set_up_one_deployment_alike_agree() -> None:
    made = Run(document([controller_manager(), parent("a"), parent("b")]))
    assert made.code == 0, made.stderr


def test_two_configs_that_set_up_one_deployment_differently_are_an_error() -> None:
    other = parent("b", {"kubeconfigSecretRef": {"name": "other", "key": "kubeconfig"}})
    made = Run(document([controller_manager(), parent("a"), other]))
    assert made.code == 1
    assert "is configured differently by ClusternetCAPIConfigs a and b" in made.stderr
