from __future__ import annotations

from typing import Any

import pytest

from krm_fn.krm.changes import at_path, split_annotations, with_annotations

HOSTS = {
    "internal.config.kubernetes.io/path": "a.yaml",
    "config.kubernetes.io/index": "0",
    "config.k8s.io/id": "1",
    "kustomize.config.k8s.io/needs-hash": "true",
}
USERS = {"a": "b", "config.kubernetes.io/local-config": "true"}


def test_annotations_of_hosts_are_split_from_those_of_users() -> None:
    value = {"kind": "A", "metadata": {"name": "n", "annotations": {**USERS, **HOSTS}}}
    left, found = split_annotations(value)
    assert left == {"kind": "A", "metadata": {"name": "n", "annotations": USERS}}
    assert found == HOSTS
    assert value["metadata"]["annotations"] == {**USERS, **HOSTS}  # type: ignore[index]


@pytest.mark.parametrize("metadata", [None, {}, {"annotations": None}, {"annotations": ["a"]}], ids=str)
def test_an_object_without_annotations_stays_as_it_is(metadata: Any) -> None:
    value = {"kind": "A", "metadata": metadata}
    assert split_annotations(value) == (value, {})


def test_annotations_are_put_back_in_order() -> None:
    found = with_annotations({"metadata": {"annotations": {"b": "1"}}}, {"c": "2", "a": "3"})
    assert list(found["metadata"]["annotations"]) == ["a", "b", "c"]


def test_a_path_is_written_in_both_forms() -> None:
    found = at_path({"metadata": {"name": "n"}}, "x/a.yaml")["metadata"]["annotations"]
    assert found == {
        "config.kubernetes.io/index": "0",
        "config.kubernetes.io/path": "x/a.yaml",
        "internal.config.kubernetes.io/index": "0",
        "internal.config.kubernetes.io/path": "x/a.yaml",
    }
