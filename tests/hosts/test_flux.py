"""Flux: the commands of examples/flux as CI runs them, and what kustomize-controller makes of the result."""

from __future__ import annotations

import shlex
import tarfile

import pytest

from tests.hosts.manifests import generated, index, read, shared
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from tests.hosts.manifests import Manifest

FLUX = REPOSITORY / "examples/flux"
REGISTRATION = {("Secret", namespace, "clusternet-cluster-api-registration") for namespace in ("payments", "retail")}
SERVED = (shared("payments") | shared("retail")) - REGISTRATION  # the token's Secret is the users' own


def steps(workflow: str) -> list[dict[str, Any]]:
    """The steps of the one job of a workflow."""
    (value,) = read((FLUX / "ci" / workflow).read_text(encoding="utf-8"))
    (job,) = value["jobs"].values()
    return job["steps"]


def command(workflow: str, name: str) -> list[str]:
    """The one command of a step."""
    (found,) = (step["run"] for step in steps(workflow) if step.get("name") == name)
    return shlex.split(found)


def manifests(folder: Path) -> list[Manifest]:
    """Every object of the tree."""
    return [value for path in sorted(folder.rglob("*.yaml")) for value in read(path.read_text(encoding="utf-8"))]


def tree(folder: Path) -> dict[str, bytes]:
    """Every file by its path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture(params=["render-and-push.yml", "render-and-commit.yml"])
def workflow(request: pytest.FixtureRequest) -> str:
    """Both variants."""
    return request.param


def test_the_rendered_tree_in_the_repository_is_what_the_workflow_renders(
    workflow: str, example: Callable[..., Path]
) -> None:
    folder = example("flux")
    run(*command(workflow, "render"), cwd=folder)
    assert tree(folder / "rendered") == tree(FLUX / "rendered")


def test_a_stale_file_of_the_rendered_tree_goes(workflow: str, example: Callable[..., Path]) -> None:
    folder = example("flux")
    clusters = folder / "repository/clusters.yaml"
    first, _, _ = clusters.read_text(encoding="utf-8").partition("---\n")
    clusters.write_text(first, encoding="utf-8")
    run(*command(workflow, "render"), cwd=folder)
    built = manifests(folder / "rendered")
    assert {namespace for _, namespace, _ in generated(built)} == {"payments"}


def test_the_compare_step_fails_where_the_committed_tree_is_stale(example: Callable[..., Path]) -> None:
    folder = example("flux")
    (compare,) = (step["run"] for step in steps("render-and-commit.yml") if step.get("name") == "compare")
    git = ("git", "-c", "user.name=t", "-c", "user.email=t@example.com")
    run(*git, "init", "--quiet", ".", cwd=folder)
    run(*git, "add", ".", cwd=folder)
    run(*git, "commit", "--quiet", "--message", "as it is", cwd=folder)
    run(*command("render-and-commit.yml", "render"), cwd=folder)
    run("sh", "-c", compare, cwd=folder)
    fleet = folder / "repository/fleet.yaml"
    fleet.write_text(fleet.read_text(encoding="utf-8").replace("parent.example.com", "other.example.com"))
    run(*command("render-and-commit.yml", "render"), cwd=folder)
    run("sh", "-c", compare, cwd=folder, code=None)


def test_kustomize_controller_builds_the_tree_without_plugins(kustomize: Path, example: Callable[..., Path]) -> None:
    """The controller writes a kustomization over all files where there is none, and builds it."""
    folder = example("flux") / "rendered"
    run(kustomize, "create", "--autodetect", "--recursive", cwd=folder)
    built = read(run(kustomize, "build", ".", cwd=folder).out)
    assert generated(built) == SERVED
    assert {("Cluster", "payments", "payments-prod"), ("Cluster", "retail", "shop")} <= set(index(built))
    assert not any(value["kind"] == "ClusternetCAPIConfig" for value in built)


def test_the_artifact_holds_nothing_but_manifests_and_the_list_of_them(
    example: Callable[..., Path], tmp_path: Path
) -> None:
    """`flux push artifact --path` packs the folder as a tar archive."""
    folder = example("flux") / "rendered"
    with tarfile.open(tmp_path / "artifact.tgz", "w:gz") as archive:
        archive.add(folder, arcname=".")
    with tarfile.open(tmp_path / "artifact.tgz") as archive:
        names = [member.name for member in archive if member.isfile()]
    others = [name for name in names if not name.endswith(".yaml")]
    assert others == ["./.clusternet-capi-fn"]
    assert len(names) > len(others)


def test_objects_with_embedded_text_are_kept_from_substitution() -> None:
    embedding = [value for value in manifests(FLUX / "rendered") if value["kind"] == "ConfigMap"]
    assert embedding
    notes = [value["metadata"]["annotations"] for value in embedding]
    assert {found["kustomize.toolkit.fluxcd.io/substitute"] for found in notes} == {"disabled"}


@pytest.mark.parametrize(
    ("path", "kind", "where"),
    [
        pytest.param("from-oci.yaml", "OCIRepository", "./", id="OCI"),
        pytest.param("from-git.yaml", "GitRepository", "./rendered", id="Git"),
    ],
)
def test_what_the_management_cluster_consumes_is_the_rendered_tree(path: str, kind: str, where: str) -> None:
    source, kustomization = read((FLUX / "management" / path).read_text(encoding="utf-8"))
    assert source["kind"] == kind
    assert kustomization["spec"]["sourceRef"] == {"kind": kind, "name": source["metadata"]["name"]}
    assert kustomization["spec"]["path"] == where
