"""The Secret for the hub's own discovery, and the warning that goes with it."""

from __future__ import annotations

from base64 import b64decode

from krm_fn.hub import discovery_secret, review
from krm_fn.krm.results import WARNING
from krm_fn.kube.secrets import Secret
from krm_fn.model import HubOptions
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


def test_without_the_option_nothing_is_said() -> None:
    assert not review([], config(feature_gate="Ignore")).results
