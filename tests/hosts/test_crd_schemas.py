"""Objects against the CRDs that Cluster API publishes, with unknown fields refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.hosts import crd_schemas, programs
from tests.hosts.fleet import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    Schemas = dict[crd_schemas.Kind, dict[str, Any]]

EXAMPLES = programs.REPOSITORY / "examples"
GROUPS = ("cluster.x-k8s.io/", "addons.cluster.x-k8s.io/")


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    folder = crd_schemas.module("sigs.k8s.io/cluster-api", programs.REPOSITORY / "tests/hosts/capi_reader")
    if folder is None:
        pytest.skip("no Go here, or no way to the module sigs.k8s.io/cluster-api, which carries the CRDs")
    return crd_schemas.read(folder / "core/config/crd/bases")


def ours(text: str) -> list[dict[str, Any]]:
    """The objects of Cluster API's core groups in a stream or a ResourceList."""
    values = [one for one in yaml.load_all(text, Loader=yaml.CSafeLoader) if isinstance(one, dict)]
    values = [item for one in values for item in (one["items"] if one.get("kind") == "ResourceList" else [one])]
    return [one for one in values if str(one.get("apiVersion")).startswith(GROUPS)]


def texts() -> list[Any]:
    found = [path for path in sorted(EXAMPLES.rglob("*.yaml")) if ours(path.read_text(encoding="utf-8"))]
    return [pytest.param(path, id=str(path.relative_to(EXAMPLES))) for path in found]


@pytest.mark.parametrize("path", texts())
def test_the_clusters_and_sets_of_the_examples_are_what_the_crds_describe(path: Path, schemas: Schemas) -> None:
    found = {
        one["metadata"]["name"]: crd_schemas.errors(schemas, one) for one in ours(path.read_text(encoding="utf-8"))
    }

    assert [error for one in found.values() for error in one] == []


@pytest.mark.parametrize("mode", ["Shared", "PerCluster"])
@pytest.mark.parametrize("strategy", ["Reconcile", "ApplyOnce"])
@pytest.mark.parametrize("version", ["auto", "v1beta1", "v1beta2"])
def test_the_sets_that_we_render_are_what_the_crds_describe(
    version: str, strategy: str, mode: str, schemas: Schemas, tmp_path: Path
) -> None:
    resource_set = {"apiVersion": version, "strategy": strategy, "labels": {"a": "1e3"}, "annotations": {"b": "y"}}

    objects = ours(render(tmp_path, mode=mode, clusterResourceSet=resource_set))

    assert "ClusterResourceSet" in {one["kind"] for one in objects}
    assert [error for one in objects for error in crd_schemas.errors(schemas, one)] == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"spec": {}}, "spec: 'clusterSelector' is a required property"),
        ({"apiVersion": "addons.cluster.x-k8s.io/v1alpha4"}, "no CRD serves ClusterResourceSet"),
        ({"metadata": {"name": "n", "label": {}}}, "metadata: Additional properties are not allowed ('label'"),
        ({"status": {"applied": True}}, "status: Additional properties are not allowed ('applied'"),
    ],
)
def test_an_object_that_the_crd_does_not_describe_is_noticed(
    change: dict[str, Any], error: str, schemas: Schemas
) -> None:
    sound = {
        "apiVersion": "addons.cluster.x-k8s.io/v1beta2",
        "kind": "ClusterResourceSet",
        "metadata": {"name": "n"},
        "spec": {"clusterSelector": {"matchLabels": {"a": "b"}}, "resources": [{"kind": "Secret", "name": "n"}]},
    }

    found = crd_schemas.errors(schemas, {**sound, **change})

    assert crd_schemas.errors(schemas, sound) == []
    assert [one for one in found if one.startswith(error)]
