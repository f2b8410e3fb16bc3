"""What a package index shows and installs: built as a release builds it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", folder, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def read(wheel: zipfile.ZipFile, name: str) -> bytes:
    (path,) = [one for one in wheel.namelist() if one.endswith(f".dist-info/{name}")]
    return wheel.read(path)


def test_the_description_has_absolute_links_and_no_mermaid(wheel: zipfile.ZipFile) -> None:
    metadata = message_from_bytes(read(wheel, "METADATA"))
    text = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "mermaid" not in text
    links = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(links) > 50
    assert [link for link in links if not link.startswith("https://")] == []


def test_both_programs_are_installed_and_the_starters_with_them(wheel: zipfile.ZipFile) -> None:
    programs = read(wheel, "entry_points.txt").decode()
    assert "clusternet-capi-fn = krm_fn.__main__:main" in programs
    assert "kubectl-clusternet_capi = krm_fn.__main__:main" in programs
    assert "krm_fn/starters/kpt/Kptfile" in wheel.namelist()
    assert "krm_fn/py.typed" in wheel.namelist()
