"""The Secret for the hub's own discovery, and the warning that goes with it."""

from __future__ import annotations

from base64 import b64decode

from krm_fn.hub import discovery_secret, review
from krm_fn.krm.results import WARNING
from krm_fn.kube.secrets import Secret
from krm_fn.model import HubOptions
from tests.support import lists
from tests.unit.reviews.builders import TOKEN, config, messages, severities

WITH_DISCOVERY = {"feature_gate": "Ignore", "hub": HubOptions(discovery_secret=True)}


def test_the_secret_holds_the_three_keys_that_the_hub_reads() -> None:
    value = discovery_secret(config(), Secret(TOKEN))
    assert value == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "clusternet-cluster-api", "namespace": "capi-system"},
        "type": "Opaque",
        "data": value["data"],
    }
    assert {key: b64decode(text).decode() for key, text in value["data"].items()} == {
        "image": "ghcr.io/clusternet/clusternet-agent:v0.18.1",
        "parentURL": "https://parent.example.com:6443",
        "regToken": TOKEN,
    }


def test_the_warning_says_that_the_name_of_ours_stops_only_the_hubs_own_set() -> None:
    found = review([], config(**WITH_DISCOVERY))
    assert severities(found.results) == [WARNING]
    assert "copies the token into a readable ConfigMap" in messages(found.results)
    assert "only the hub's own ClusterResourceSet is not created" in messages(found.results)


def test_the_warning_says_that_under_another_name_both_install_the_agent() -> None:
    other = config().resource_set.replace(name="fleet")
    found = review([], config(resource_set=other, **WITH_DISCOVERY))
    assert "beside fleet" in messages(found.results)


def test_the_warning_says_that_with_a_set_for_each_cluster_both_install_the_agent() -> None:
    """None of ours has the name that stops the hub's set."""
    each = config().identity.replace(mode="PerCluster")
    found = review([], config(identity=each, **WITH_DISCOVERY))
    assert "beside clusternet-cluster-api.*, and both install the agent" in messages(found.results)


def test_the_remedy_for_a_secret_that_is_there_already_is_not_another_name_of_ours() -> None:
    """Its name is fixed by the hub."""
    taken = lists.named("Secret", "clusternet-cluster-api", "capi-system")
    items = [lists.cluster("one"), taken]
    ran = lists.run(items, lists.config(hub={"discoverySecret": True}))
    assert ran.code == 1
    assert "does not overwrite it. Remove spec.hub.discoverySecret from fleet, or remove that object" in ran.stderr
    assert "clusterResourceSet.name" not in ran.stderr
    taken["metadata"]["annotations"] = {"fn.clusternet.io/owner": "other"}
    ran = lists.run(items, lists.config(hub={"discoverySecret": True}))
    assert ran.code == 1
    assert "Only one config may set spec.hub.discoverySecret, or, if other was renamed to fleet" in ran.stderr
    assert "clusterResourceSet.name" not in ran.stderr


def test_without_the_option_nothing_is_said() -> None:
    assert not review([], config(feature_gate="Ignore")).results
