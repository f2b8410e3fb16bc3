"""`init` writes packages that render at once."""

from __future__ import annotations

import pathlib
import re

import pytest
from click.testing import CliRunner

from krm_fn.cli import group, starters
from krm_fn.cli.init import SCHEMA_FILE


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, result.output


@pytest.mark.parametrize("host", sorted(starters.STARTERS))
def test_what_is_written_renders_at_once(host: str, tmp_path: pathlib.Path) -> None:
    code, said = invoke("init", "--for", host, str(tmp_path))
    assert code == 0
    assert starters.NEXT[host] in said
    code, planned = invoke("plan", str(tmp_path))
    assert code == 0
    assert "1 of 1 Clusters register" in planned
    assert "warning" not in planned


@pytest.mark.parametrize("host", sorted(starters.STARTERS))
def test_the_editors_schema_line_points_at_the_schema(host: str, tmp_path: pathlib.Path) -> None:
    invoke("init", "--for", host, str(tmp_path))
    (config,) = [path for path in tmp_path.rglob("*.yaml") if "kind: ClusternetCAPIConfig" in path.read_text()]
    found = re.search(r"\$schema=(\S+)", config.read_text())
    assert found
    assert (config.parent / found[1]).resolve() == (tmp_path / SCHEMA_FILE).resolve()


def test_nothing_is_overwritten(tmp_path: pathlib.Path) -> None:
    (tmp_path / "clusters.yaml").write_text("mine")
    code, said = invoke("init", str(tmp_path))
    assert code == 1
    assert "clusters.yaml" in said
    assert (tmp_path / "clusters.yaml").read_text() == "mine"
    assert not (tmp_path / "kustomization.yaml").exists()


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = invoke("init", str(tmp_path / "file" / "below"))
    assert code == 1
    assert said.startswith("error: can't write")
