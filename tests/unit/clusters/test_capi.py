"""Reading Clusters."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.clusters import capi
from krm_fn.krm.items import Item
from krm_fn.krm.results import Faults
from tests.support.lists import cluster, document, resource_list


def item(value: Any) -> Any:
    return resource_list.read(document([value])).items[0]


@pytest.mark.parametrize("version", sorted(capi.VERSIONS))
def test_every_known_version_is_read_or_refused_with_the_upgrade(version: str) -> None:
    one = item(cluster("a", version=version))
    if not capi.VERSIONS[version]:
        assert capi.read(one).api_version.endswith(version)
        return
    with pytest.raises(Faults, match="upgrade the object"):
        capi.read(one)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    with pytest.raises(Faults, match="known are v1beta1 and v1beta2"):
        capi.read(item(cluster("a", version="v9")))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "a boolean"), (1, "a number"), (1.5, "a number"), (None, "null"), ([], "a list")],
    ids=["boolean", "integer", "float", "null", "list"],
)
def test_a_label_that_is_no_string_is_refused_at_its_place(value: Any, kind: str) -> None:
    with pytest.raises(Faults, match=f"'env' is {kind}") as caught:
        capi.read(item(cluster("a", labels={"env": value})))
    assert caught.value.results[0].field == "metadata.labels.env"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "metadata.name is missing"),
        ({"namespace": 5}, "metadata.namespace is a number for Kubernetes, not a string; put it in double quotes"),
        ({"labels": "x"}, "metadata.labels must be a mapping"),
        ({"annotations": []}, "metadata.annotations must be a mapping"),
    ],
    ids=["name", "namespace", "labels", "annotations"],
)
def test_wrong_metadata_is_refused(change: dict[str, Any], message: str) -> None:
    value = cluster("a")
    value["metadata"].update(change)
    with pytest.raises(Faults, match=message):
        capi.read(item(value))


def test_all_faults_of_a_cluster_are_told_at_once() -> None:
    with pytest.raises(Faults) as caught:
        capi.read(item(cluster("a", version="v1alpha4", labels={"x": 1, "y": False})))
    assert len(caught.value.results) == 3


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        pytest.param(
            {"labels": {"a b": "x"}},
            r"metadata\.labels has a bad key 'a b': it has a name part that is not letters",
            id="label",
        ),
        pytest.param(
            {"labels": {"A/b": "x"}},
            r"metadata\.labels has a bad key 'A/b': it has a prefix before '/' that is not",
            id="prefix",
        ),
        pytest.param({"annotations": {"a/b/c": "x"}}, r"metadata\.annotations has a bad key 'a/b/c'", id="annotation"),
        pytest.param(
            {"labels": {"k" * 200: "x"}},
            rf"a bad key '{'k' * 59}…': it has a name part of 200 characters",
            id="a long one",
        ),
    ],
)
def test_a_key_that_a_server_would_refuse_is_told(metadata: dict[str, Any], message: str) -> None:
    value = {"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": {"name": "a", **metadata}}
    with pytest.raises(Faults, match=message):
        capi.read(Item.from_value(value, 0))


def test_annotation_keys_may_have_capitals_in_their_domain() -> None:
    metadata = {"name": "a", "annotations": {"Example.COM/x": "y"}}
    value = {"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": metadata}
    assert capi.read(Item.from_value(value, 0)).name == "a"
