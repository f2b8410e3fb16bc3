"""Reading Clusters."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.clusters import capi
from krm_fn.krm.items import Item
from krm_fn.krm.streams import read_stream
from krm_fn.model import Cluster
from tests.support.lists import cluster, document, resource_list


def item(value: Any) -> Any:
    return resource_list.read(document([value])).items[0]


def read(value: Any) -> Cluster:
    found = capi.read(Item.from_value(value, 0))
    assert isinstance(found, Cluster)
    return found


def refused(value: Any) -> capi.Unreadable:
    found = capi.read(item(value))
    assert isinstance(found, capi.Unreadable)
    return found


def messages(value: Any) -> str:
    return "\n".join(one.message for one in refused(value).results)


@pytest.mark.parametrize("version", capi.VERSIONS, ids=lambda one: one.name)
def test_every_known_version_is_read_or_refused_with_the_upgrade(version: capi.Version) -> None:
    one = cluster("a", version=version.name)
    if not version.gone:
        assert read(one).api_version.endswith(version.name)
        return
    assert f"last served by Cluster API {version.gone}; upgrade the object to v1beta1 or newer" in messages(one)


def test_an_unknown_version_is_refused_with_the_known_ones() -> None:
    assert "use v1beta1 and v1beta2" in messages(cluster("a", version="v9"))


@pytest.mark.parametrize(
    ("value", "kind"),
    [(True, "a boolean"), (1, "a number"), (1.5, "a number"), (None, "null"), ([], "a list")],
    ids=["boolean", "integer", "float", "null", "list"],
)
def test_a_label_that_is_no_string_is_refused_at_its_place(value: Any, kind: str) -> None:
    (result,) = refused(cluster("a", labels={"env": value})).results
    assert f"'env' is {kind}" in result.message
    assert result.field == "metadata.labels.env"


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        pytest.param("yes", 'env: "yes"', id="a boolean"),
        pytest.param("1.10", 'env: "1.10"', id="a number as it is spelled"),
        pytest.param('"in double quotes, no label value"', "", id="a string that is quoted and wrong"),
        pytest.param("[a]", "", id="a list"),
    ],
)
def test_only_a_value_without_its_quotes_is_proposed_with_them(value: str, fix: str) -> None:
    text = f"apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata: {{name: a, labels: {{env: {value}}}}}\n"
    (item,) = read_stream(text.encode(), "a.yaml")
    found = capi.read(item)
    assert isinstance(found, capi.Unreadable)
    assert [one.fix for one in found.results] == [fix]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "metadata.name is missing"),
        ({"name": 123}, "metadata.name is a number for Kubernetes, not a string; put it in double quotes"),
        ({"name": ["a"]}, "metadata.name is a list for Kubernetes, not a string; give a string"),
        ({"namespace": 5}, "metadata.namespace is a number for Kubernetes, not a string"),
        ({"labels": "x"}, "metadata.labels must be an object: write each entry"),
        ({"annotations": []}, "metadata.annotations must be an object"),
    ],
    ids=["name", "a number for a name", "a list for a name", "namespace", "labels", "annotations"],
)
def test_wrong_metadata_is_refused(change: dict[str, Any], message: str) -> None:
    value = cluster("a")
    value["metadata"].update(change)
    assert message in messages(value)


def test_all_errors_of_a_cluster_are_reported_at_once() -> None:
    assert len(refused(cluster("a", version="v1alpha4", labels={"x": 1, "y": False})).results) == 3


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        pytest.param(
            {"labels": {"a b": "x"}}, "labels has a bad key 'a b': it has a name part that is not letters", id="label"
        ),
        pytest.param({"labels": {"A/b": "x"}}, "key 'A/b': it has a prefix before '/' that is not", id="prefix"),
        pytest.param({"annotations": {"a/b/c": "x"}}, "metadata.annotations has a bad key 'a/b/c'", id="annotation"),
        pytest.param({"labels": {"k" * 200: "x"}}, f"key '{'k' * 59}…': it has a name part of 200", id="a long one"),
        pytest.param({"labels": {"\u201ca\u201d": "x"}}, "it contains typographic quotes", id="quotes around a key"),
        pytest.param({"labels": {"a": "\u2018x\u2019"}}, "it contains typographic quotes", id="quotes around a value"),
    ],
)
def test_a_key_that_a_server_would_refuse_is_reported(metadata: dict[str, Any], message: str) -> None:
    value = {"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": {"name": "a", **metadata}}
    assert message in messages(value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${CLUSTER_NAME}", "(clusterctl generate, envsubst; Flux's postBuild runs later)"),
        ("${NAMESPACE:=default}", "is a variable: substitute it before this function runs"),
        ("{{ .Values.name }}", "is a template expression: render it"),
        ("($name)", "is a binding of Chainsaw"),
        ("<path:secret/data#name>", "is a placeholder of argocd-vault-plugin"),
        ("<CHANGEME>", "is a placeholder: fill it in"),
        ("ENC[AES256_GCM,data:x,type:str]", "is a value that SOPS has encrypted"),
    ],
)
@pytest.mark.parametrize("place", ["name", "namespace", "label", "key"])
def test_a_placeholder_is_named_as_such(text: str, message: str, place: str) -> None:
    value = cluster("a", labels={"env": text} if place == "label" else {text: "x"} if place == "key" else None)
    if place in {"name", "namespace"}:
        value["metadata"][place] = text
    assert message in messages(value)


def test_annotation_keys_may_have_capitals_in_their_domain() -> None:
    metadata = {"name": "a", "annotations": {"Example.COM/x": "y"}}
    value = {"apiVersion": "cluster.x-k8s.io/v1beta2", "kind": "Cluster", "metadata": metadata}
    assert read(value).name == "a"
