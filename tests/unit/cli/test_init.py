"""`init` writes a configuration that renders at once, into empty folders and into existing repositories."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml
from click.testing import CliRunner

from krm_fn.cli import group
from krm_fn.cli.init import STARTERS
from krm_fn.hosts import HOSTS

if TYPE_CHECKING:
    import pathlib

CLUSTER = """\
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata: {name: prod-1, namespace: team-a, labels: {clusternet.io/register: "true"}}
"""


def invoke(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(group, arguments, standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, result.output


def config_of(folder: pathlib.Path) -> pathlib.Path:
    (found,) = [path for path in folder.rglob("*.yaml") if "kind: ClusternetCAPIConfig" in path.read_text()]
    return found


@pytest.mark.parametrize("host", [host.name for host in HOSTS])
def test_what_it_writes_into_an_empty_folder_is_valid_before_there_is_any_cluster(
    host: str, tmp_path: pathlib.Path
) -> None:
    folder = tmp_path / "fleet"
    code, said = invoke("init", "--for", host, str(folder))
    assert code == 0, said
    code, planned = invoke("plan", str(config_of(folder)))
    assert code == 0, planned
    assert "error" not in planned


@pytest.mark.parametrize("host", [host.name for host in HOSTS])
def test_it_writes_no_cluster_and_no_json(host: str, tmp_path: pathlib.Path) -> None:
    invoke("init", "--for", host, str(tmp_path / "new"))
    files = [path for path in (tmp_path / "new").rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if path.suffix == ".json" or "kind: Cluster\n" in path.read_text()]


@pytest.mark.parametrize(
    ("file", "written", "line"),
    [
        pytest.param("kustomization.yaml", "clusternet.yaml", "- clusternet.yaml", id="kustomization.yaml"),
        pytest.param("Kustomization", "clusternet.yaml", "- clusternet.yaml", id="Kustomization"),
        pytest.param("Kptfile", "clusternet/config.yaml", "configPath: clusternet/config.yaml", id="Kptfile"),
    ],
)
def test_an_existing_package_gets_the_config_alone_and_the_lines_to_add(
    file: str, written: str, line: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / file).write_text("mine")
    code, said = invoke("init", str(tmp_path))
    assert code == 0, said
    assert line in said
    files = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert files == {file, written}
    assert (tmp_path / file).read_text() == "mine"


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("kustomization.yaml", "transformers: [clusternet.yaml]\n", id="kustomization.yaml"),
        pytest.param("Kptfile", "configPath: clusternet/config.yaml\n", id="Kptfile"),
    ],
)
def test_a_package_that_names_the_configuration_already_gets_no_lines_to_add(
    file: str, text: str, tmp_path: pathlib.Path
) -> None:
    (tmp_path / file).write_text(text)
    code, said = invoke("init", str(tmp_path))
    assert code == 0, said
    assert "Add to" not in said


@pytest.mark.parametrize("host", [host.name for host in HOSTS])
def test_the_line_that_the_starter_asks_to_remove_can_be_removed(host: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "clusters.yaml").write_text(CLUSTER)
    invoke("init", "--for", host, str(tmp_path))
    config = config_of(tmp_path)
    kept = [line for line in config.read_text().splitlines(keepends=True) if "allowNoClusters" not in line]
    config.write_text("".join(kept))
    code, planned = invoke("plan", str(tmp_path / "clusters.yaml"), str(config))
    assert code == 0, planned


@pytest.mark.parametrize("host", [host.name for host in HOSTS])
def test_beside_clusters_with_the_label_it_registers_them(host: str, tmp_path: pathlib.Path) -> None:
    (tmp_path / "clusters.yaml").write_text(CLUSTER)
    code, said = invoke("init", "--for", host, str(tmp_path))
    assert code == 0, said
    code, planned = invoke("plan", str(tmp_path / "clusters.yaml"), str(config_of(tmp_path)))
    assert code == 0, planned
    assert "1 of 1 Cluster" in planned


@pytest.mark.parametrize("link", [False, True], ids=["file", "dangling link"])
def test_nothing_is_overwritten_and_no_link_is_followed(link: bool, tmp_path: pathlib.Path) -> None:  # noqa: FBT001
    target = tmp_path / "elsewhere"
    folder = tmp_path / "folder"
    folder.mkdir()
    taken = folder / "clusternet.yaml"
    if link:
        taken.symlink_to(target)
    else:
        taken.write_text("mine")
    code, said = invoke("init", str(folder))
    assert code == 1
    assert f"{taken}: already exists" in said
    assert not target.exists()
    assert link or taken.read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_one_clear_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    code, said = invoke("init", str(tmp_path / "file" / "below"))
    assert code == 1
    assert said.startswith("error: can't write")


@pytest.mark.parametrize(
    "path", sorted(STARTERS.rglob("*.y*ml")), ids=lambda path: path.relative_to(STARTERS).as_posix()
)
def test_every_starter_file_is_yaml(path: pathlib.Path) -> None:
    assert list(yaml.safe_load_all(path.read_text()))
