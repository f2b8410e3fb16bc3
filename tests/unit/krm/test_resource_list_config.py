"""The functionConfig, wherever it stands and whatever it refers to."""

from __future__ import annotations

from krm_fn.krm import resource_list


def test_an_alias_to_an_anchor_in_the_items_is_followed() -> None:
    data = (
        b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: ConfigMap\n"
        b"  metadata:\n    name: a\n    labels: &shared\n      env: prod\n"
        b"functionConfig:\n  apiVersion: fn.clusternet.io/v1alpha1\n  kind: ClusternetCAPIConfig\n  metadata:\n"
        b"    name: fleet\n  spec:\n    clusterSelector:\n      matchLabels: *shared\n"
    )
    found = resource_list.read(data).function_config
    assert found is not None
    assert found.value()["spec"] == {"clusterSelector": {"matchLabels": {"env": "prod"}}}
    assert found.name == "fleet"
