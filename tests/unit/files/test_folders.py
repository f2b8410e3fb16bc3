from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from krm_fn.files import folders
from krm_fn.krm.results import Faults

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "outside.yaml").write_text("")
    root = tmp_path / "root"
    for name in ("b.yaml", "a/z.yml", "a/b/c.json", "note.txt", ".hidden/x.yaml", ".x.yaml", "Kptfile"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    return root


def found(path: Path, **options: object) -> tuple[list[str], list[str]]:
    files, results = folders.find([str(path)], **options)  # type: ignore[arg-type]
    return [one.relative for one in files], [f"{one.severity}: {one.message}" for one in results]


def test_manifests_are_found_at_any_depth_sorted_and_nothing_hidden(folder: Path) -> None:
    assert found(folder) == (["a/b/c.json", "a/z.yml", "b.yaml"], [])


def test_folders_can_be_skipped(folder: Path) -> None:
    assert found(folder, skip={str(folder / "a" / "b")}) == (["a/z.yml", "b.yaml"], [])
    assert found(folder, skip={str(folder / "b.yaml")}) == (["a/b/c.json", "a/z.yml"], [])


@pytest.mark.parametrize(
    ("name", "target", "warning"),
    [
        pytest.param("l.yaml", "../outside.yaml", "a link that leads out of the folder", id="file outside"),
        pytest.param("l", "..", "a link that leads out of the folder", id="folder outside"),
        pytest.param("l", "a", "a link to a folder", id="folder inside"),
        pytest.param("a/l", "..", "a link to a folder", id="the folder itself"),
        pytest.param("l.yaml", "l.yaml", "a link to nothing, or in a circle", id="itself"),
        pytest.param("l.yaml", "missing.yaml", "a link to nothing, or in a circle", id="nothing"),
    ],
)
def test_a_link_is_passed_over_with_a_reason(folder: Path, name: str, target: str, warning: str) -> None:
    (folder / name).symlink_to(target)
    files, said = found(folder)
    assert files == ["a/b/c.json", "a/z.yml", "b.yaml"]
    assert said == [
        f"warning: {folder}/{name} is {warning}: it is not read; name it on the command line if it belongs here"
    ]


def test_links_of_no_interest_are_passed_over_silently(folder: Path) -> None:
    (folder / "l.txt").symlink_to("../outside.yaml")
    os.mkfifo(folder / "pipe")
    (folder / "l.yaml").symlink_to("pipe")
    assert found(folder) == (["a/b/c.json", "a/z.yml", "b.yaml"], [])


def test_a_mounted_configmap_is_read_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "a.yaml").write_text("")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert found(tmp_path) == (["a.yaml"], [])


def test_a_file_is_read_once_whatever_the_paths(folder: Path) -> None:
    (folder / "b-link.yaml").symlink_to("b.yaml")
    files, results = folders.find(
        [str(folder / "b.yaml"), str(folder), f"{folder}/../root/b.yaml", str(folder / "Kptfile")]
    )
    assert [(one.relative, one.explicit) for one in files] == [
        ("b.yaml", True),
        ("root/a/b/c.json", False),
        ("root/a/z.yml", False),
        ("Kptfile", True),
    ]
    assert results == []


def test_a_link_given_by_name_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("root")
    assert found(tmp_path / "l")[0] == ["a/b/c.json", "a/z.yml", "b.yaml"]
    assert folder.name == "root"


def test_an_empty_folder_is_warned_about(tmp_path: Path) -> None:
    assert found(tmp_path) == ([], [f"warning: {tmp_path} holds no file that ends in .yaml, .yml, .json"])


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/does/not/exist", "No such file or directory", id="missing"),
        pytest.param("a\0b", "not a path", id="not a path"),
    ],
)
def test_a_path_that_is_not_there_is_an_error(path: str, reason: str) -> None:
    files, results = folders.find([path])
    assert files == []
    assert results[0].message == f"can't read {path}: {reason}"
    with pytest.raises(Faults, match=f": {reason}"):
        folders.read(path)


def test_a_folder_that_vanishes_while_it_is_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def vanishing(path: str) -> object:
        if path.endswith("b"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert found(folder) == (["a/z.yml", "b.yaml"], [f"error: can't read {folder}/a/b: No such file or directory"])
