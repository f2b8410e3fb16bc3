"""The first steps of README.md, taken literally: the files that it shows, built by kustomize and rendered by kpt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from tests.docs.test_readme import ENGLISH, files_of
from tests.hosts import programs

if TYPE_CHECKING:
    from pathlib import Path

CLUSTER = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod-1, namespace: team-a, labels: {clusternet.io/register: "true"}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in files_of(ENGLISH).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for host in ("kustomize", "kpt"):
        (tmp_path / host / "clusters.yaml").write_text(CLUSTER, encoding="utf-8")
    return tmp_path


def test_kustomize_builds_what_the_readme_shows(kustomize: Path, folder: Path) -> None:
    done = programs.run(kustomize, "build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=folder / "kustomize")
    kinds = sorted(one["kind"] for one in yaml.safe_load_all(done.out))
    assert kinds == ["Cluster", *["ClusterResourceSet"] * 2, *["ConfigMap"] * 2, "Secret"]
    assert "clusternet-registration\n" not in done.out  # kustomize dropped the token's own Secret


def test_kpt_renders_what_the_readme_shows(kpt: Path, folder: Path) -> None:
    package = folder / "kpt"
    config = yaml.safe_load((folder / "kustomize/clusternet.yaml").read_text())
    config["metadata"]["annotations"] = {"config.kubernetes.io/local-config": "true"}
    config["spec"]["registrationToken"] = {"existingSecret": {"name": "clusternet-registration"}}
    (package / "clusternet").mkdir()
    (package / "clusternet/config.yaml").write_text(yaml.safe_dump(config))
    for _ in range(2):
        programs.run(kpt, "fn", "render", "--allow-exec", cwd=package)
    assert len(list((package / "clusternet/team-a").glob("*.yaml"))) == 4


@pytest.mark.parametrize("with_clusters", [False, True], ids=["empty", "existing"])
def test_what_init_writes_builds_in_kustomize(with_clusters: bool, kustomize: Path, tmp_path: Path) -> None:  # noqa: FBT001
    folder = tmp_path / "fleet"
    folder.mkdir()
    if with_clusters:
        (folder / "clusters.yaml").write_text(CLUSTER)
        (folder / "kustomization.yaml").write_text("resources: [clusters.yaml]\ntransformers: [clusternet.yaml]\n")
    programs.run("clusternet-capi-fn", "init", ".", cwd=folder)
    done = programs.run(kustomize, "build", "--enable-alpha-plugins", "--enable-exec", ".", cwd=folder)
    assert done.out.count("kind: ClusterResourceSet") == (2 if with_clusters else 0)


@pytest.mark.parametrize("with_clusters", [False, True], ids=["empty", "existing"])
def test_what_init_writes_renders_in_kpt(with_clusters: bool, kpt: Path, tmp_path: Path) -> None:  # noqa: FBT001
    folder = tmp_path / "fleet"
    folder.mkdir()
    if with_clusters:
        (folder / "clusters.yaml").write_text(CLUSTER)
        (folder / "Kptfile").write_text(
            "apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata: {name: fleet}\npipeline:\n  mutators:\n"
            "  - exec: clusternet-capi-fn\n    configPath: clusternet/config.yaml\n"
        )
    programs.run("clusternet-capi-fn", "init", "--for", "kpt", ".", cwd=folder)
    for _ in range(2):
        programs.run(kpt, "fn", "render", "--allow-exec", cwd=folder)
    assert len(list((folder / "clusternet").rglob("clusterresourceset_*.yaml"))) == (2 if with_clusters else 0)
