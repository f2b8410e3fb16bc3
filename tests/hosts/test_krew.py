"""The plugin that a release builds, installed by krew and called by kubectl."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.hosts import programs

if TYPE_CHECKING:
    from pathlib import Path


def test_krew_installs_the_plugin_and_kubectl_finds_it(kubectl: Path, tmp_path: Path) -> None:
    krew = programs.TOOLS / "krew"
    if not krew.exists():
        pytest.skip("no krew here; `make tools` installs it")
    programs.run(sys.executable, programs.REPOSITORY / ".ci/krew", ".", cwd=tmp_path)
    (archive,) = tmp_path.glob("*.tar.gz")
    root = tmp_path / "krew"
    environment = {"KREW_ROOT": str(root), "HOME": str(tmp_path), "PATH": f"{root / 'bin'}:/usr/bin:/bin"}
    install = ("install", f"--manifest={tmp_path / 'clusternet-capi.yaml'}", f"--archive={archive}")
    programs.run(krew, *install, cwd=tmp_path, env=environment)
    (root / "bin/python3").symlink_to(sys.executable)  # the archive asks for a `python3` from 3.10 on
    done = programs.run(kubectl, "clusternet-capi", "version", cwd=tmp_path, env=environment)
    assert done.out.startswith("clusternet-capi-fn ")
