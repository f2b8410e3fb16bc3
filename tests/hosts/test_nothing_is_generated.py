"""Every row of "Nothing is generated" in docs/troubleshooting.md, provoked with the real programs."""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.hosts import programs

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = programs.REPOSITORY / "examples"
PAGE = (programs.REPOSITORY / "docs/troubleshooting.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## Nothing is generated\n")[2].partition("\n## ")[0]
ALPHA, EXEC = "--enable-alpha-plugins", "--enable-exec"
FUNCTION = re.compile(r"  annotations:\n    config.kubernetes.io/function: \|\n(      .*\n)+")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A kustomization that works."""
    return shutil.copytree(EXAMPLES / "kustomization", tmp_path / "fleet")


@pytest.fixture
def kustomize() -> Path:
    found = programs.kustomize("newest")
    if found is None:
        pytest.skip("no kustomize here")
    return found


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def kubectl() -> Path:
    found = programs.kubectls()
    if not found:
        pytest.skip("no kubectl here")
    return next(iter(found.values()))


def shown(message: str, output: str) -> None:
    """The page quotes what the program prints."""
    assert message in output
    assert message in SECTION


def test_without_enable_exec_kustomize_skips_the_function(kustomize: Path, folder: Path) -> None:
    done = programs.run(kustomize, "build", ALPHA, folder, cwd=folder)
    assert "kind: Cluster\n" in done.out
    assert "ClusterResourceSet" not in done.out
    assert done.err == ""


def test_kubectl_skips_a_program(folder: Path) -> None:
    done = programs.run(kubectl(), "kustomize", ALPHA, folder, cwd=folder)
    assert "kind: Cluster\n" in done.out
    assert "ClusterResourceSet" not in done.out


def test_under_resources_nothing_is_run(kustomize: Path, folder: Path) -> None:
    change(folder / "kustomization.yaml", "transformers:\n- fleet.yaml\n", "")
    change(folder / "kustomization.yaml", "resources:\n", "resources:\n- fleet.yaml\n")
    done = programs.run(kustomize, "build", ALPHA, EXEC, folder, cwd=folder)
    assert "kind: ClusternetCAPIConfig" in done.out
    assert "ClusterResourceSet" not in done.out
    planned = programs.run("clusternet-capi-fn", "plan", "fleet", cwd=folder.parent, code={0, 1})
    assert (
        "fleet/fleet.yaml:1:1: warning: the kustomization lists this ClusternetCAPIConfig under resources"
        in planned.err
    )


def test_without_alpha_plugins(kustomize: Path, folder: Path) -> None:
    done = programs.run(kustomize, "build", folder, cwd=folder, code=1)
    shown("external plugins disabled; unable to load external plugin", done.err)


def test_without_the_annotation(kustomize: Path, folder: Path) -> None:
    config = folder / "fleet.yaml"
    config.write_text(FUNCTION.sub("", config.read_text(encoding="utf-8")), encoding="utf-8")
    shown("unable to find plugin root", programs.run(kustomize, "build", ALPHA, EXEC, folder, cwd=folder, code=1).err)
    planned = programs.run("clusternet-capi-fn", "plan", "fleet", cwd=folder.parent, code=1)
    assert "has no annotation config.kubernetes.io/function" in planned.err


@pytest.mark.parametrize(
    ("path", "message"),
    [
        pytest.param("clusternet-capifn", "executable file not found in $PATH", id="not installed"),
        pytest.param("./clusternet-capi-fn", "no such file or directory", id="relative path"),
    ],
)
def test_a_program_that_is_not_there(kustomize: Path, folder: Path, path: str, message: str) -> None:
    change(folder / "fleet.yaml", "path: clusternet-capi-fn", f"path: {path}")
    shown(message, programs.run(kustomize, "build", ALPHA, EXEC, folder, cwd=folder, code=1).err)


def test_an_image_without_a_container_engine(kustomize: Path, folder: Path, tmp_path: Path) -> None:
    change(
        folder / "fleet.yaml",
        "exec:\n        path: clusternet-capi-fn",
        f"container:\n        image: {programs.BARE_IMAGE}",
    )
    empty = tmp_path / "bin"
    empty.mkdir()
    done = programs.run(kustomize, "build", ALPHA, folder, cwd=folder, code=1, env={"PATH": str(empty)})
    assert "docker" in done.err


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return shutil.copytree(EXAMPLES / "kpt/fleet", tmp_path / "fleet")


def kpt() -> Path:
    found = programs.kpts()
    if not found:
        pytest.skip("no kpt here")
    return next(iter(found.values()))


def test_kpt_runs_no_program_unless_told(package: Path) -> None:
    done = programs.run(kpt(), "fn", "render", package, cwd=package, code=1)
    assert "must run with `--allow-exec`" in done.err
    assert "must run with --allow-exec" in SECTION


def test_kpt_adds_a_registry_to_a_bare_name(package: Path) -> None:
    change(package / "Kptfile", "exec: clusternet-capi-fn", f"image: {programs.BARE_IMAGE}")
    done = programs.run(kpt(), "fn", "render", package, cwd=package, code=1)
    assert f'"gcr.io/kpt-fn/{programs.BARE_IMAGE}"' in done.out + done.err
    assert "gcr.io/kpt-fn/clusternet-capi-fn" in SECTION


def test_labels_that_match_nothing(kustomize: Path, folder: Path) -> None:
    change(folder / "fleet.yaml", 'register: "true"', 'register: "yes"')
    done = programs.run(kustomize, "build", ALPHA, EXEC, folder, cwd=folder, code=1)
    shown("none of the 5 Clusters in the input matches", done.err)
    assert "did you mean clusternet.io/register=true?" in done.err
