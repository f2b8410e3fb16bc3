"""The krew plugin that a release builds: its manifest and archive hold together, and the plugin runs without libyaml."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from krm_fn import __version__

ROOT = Path(__file__).parents[2]
ARCHIVE = f"kubectl-clusternet_capi-v{__version__}.tar.gz"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("krew")
    subprocess.run([sys.executable, ROOT / ".ci/krew", folder], check=True)
    return folder


def test_the_manifest_has_the_fields_that_krew_requires(built: Path) -> None:
    """As krew v0.4.3 validates them: internal/index/validation/validate.go."""
    manifest = yaml.safe_load((built / "clusternet-capi.yaml").read_text(encoding="utf-8"))
    spec, (platform,) = manifest["spec"], manifest["spec"]["platforms"]
    assert manifest["apiVersion"] == "krew.googlecontainertools.github.com/v1alpha2"
    assert manifest["kind"] == "Plugin"
    assert manifest["metadata"] == {"name": "clusternet-capi"}  # the file's own name, and no underscore
    assert spec.keys() == {"version", "homepage", "shortDescription", "description", "caveats", "platforms"}
    assert spec["version"] == f"v{__version__}"
    assert len(spec["shortDescription"]) <= 50
    assert platform.keys() == {"selector", "uri", "sha256", "bin"}
    assert platform["uri"].endswith(f"/releases/download/v{__version__}/{ARCHIVE}")
    assert platform["sha256"] == hashlib.sha256((built / ARCHIVE).read_bytes()).hexdigest()


def test_the_release_publishes_what_the_manifest_names() -> None:
    workflow = (ROOT / ".github/workflows/release.yml").read_text(encoding="utf-8")
    assert "python .ci/krew dist" in workflow
    assert re.search(
        r"gh release create .* dist/kubectl-clusternet_capi-\*\.tar\.gz dist/clusternet-capi\.yaml", workflow
    )


def test_the_same_source_gives_the_same_archive(built: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / ".ci/krew", tmp_path], check=True)
    assert (tmp_path / ARCHIVE).read_bytes() == (built / ARCHIVE).read_bytes()


def test_the_plugin_runs_from_its_archive_alone(built: Path, tmp_path: Path) -> None:
    with tarfile.open(built / ARCHIVE) as archive:
        names = archive.getnames()
        for member in archive:
            archive.extract(member, tmp_path)
    assert [name for name in names if name.endswith((".so", ".pyc")) or name.startswith(("/", ".."))] == []
    assert sum("LICENSE" in name for name in names) == 3  # ours, PyYAML's and click's
    (tmp_path / "bin").mkdir()
    plugin = tmp_path / "bin/kubectl-clusternet_capi"  # krew links it so
    plugin.symlink_to(tmp_path / "kubectl-clusternet_capi")
    paths = [ROOT / "examples/kustomization" / name for name in ("fleet.yaml", "registration-token.yaml", "clusters")]
    done = subprocess.run(
        [sys.executable, "-E", "-s", "-S", plugin, "plan", *paths], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.count("  yes")) == (0, 4), done.stderr
