from __future__ import annotations

import os
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn.files import finding, reading
from krm_fn.krm.results import Errors

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


def found(path: Path, **rules: Any) -> tuple[list[str], list[str]]:
    files, results = finding.find([str(path)], finding.Rules(**rules))
    return [one.relative for one in files], [f"{one.severity}: {one.message}" for one in results]


def test_manifests_are_found_at_any_depth_sorted_and_nothing_hidden(folder: Path) -> None:
    assert found(folder) == (["a/b/c.json", "a/z.yml", "b.yaml"], [])


def test_folders_can_be_skipped(folder: Path) -> None:
    assert found(folder, skip=frozenset({str(folder / "a" / "b")})) == (["a/z.yml", "b.yaml"], [])
    assert found(folder, skip=frozenset({str(folder / "b.yaml")})) == (["a/b/c.json", "a/z.yml"], [])


@pytest.mark.parametrize(
    ("lines", "left"),
    [
        pytest.param(["b.yaml"], ["a/b/c.json", "a/z.yml"], id="a name"),
        pytest.param(["c.json"], ["a/z.yml", "b.yaml"], id="a name at any depth"),
        pytest.param(["/c.json"], ["a/b/c.json", "a/z.yml", "b.yaml"], id="a name at the top alone"),
        pytest.param(["*.y?ml"], ["a/b/c.json", "a/z.yml"], id="a pattern"),
        pytest.param(["*.y*ml", "*.json"], [], id="several"),
        pytest.param(["a"], ["b.yaml"], id="a folder"),
        pytest.param(["b"], ["a/z.yml", "b.yaml"], id="a folder at any depth"),
        pytest.param(["a/b/"], ["a/z.yml", "b.yaml"], id="a folder by its path"),
        pytest.param(["b.yaml/"], ["a/b/c.json", "a/z.yml", "b.yaml"], id="no folder"),
        pytest.param(["a/*"], ["b.yaml"], id="what is in a folder"),
        pytest.param(["a/*.json"], ["a/b/c.json", "a/z.yml", "b.yaml"], id="a star ends at a slash"),
        pytest.param(["a/**/*.json"], ["a/z.yml", "b.yaml"], id="two stars don't"),
        pytest.param(["**/c.json"], ["a/z.yml", "b.yaml"], id="two stars first"),
        pytest.param(["a/**"], ["b.yaml"], id="two stars last"),
        pytest.param(["*", "!b.yaml"], ["b.yaml"], id="all but one"),
        pytest.param(["# b.yaml", "", "  "], ["a/b/c.json", "a/z.yml", "b.yaml"], id="comments"),
    ],
)
def test_patterns_leave_files_out_as_git_does(folder: Path, lines: list[str], left: list[str]) -> None:
    if not lines[0].startswith("#"):
        assert found(folder, exclude=tuple(lines))[0] == left
    (folder / ".krmignore").write_text("\n".join(lines))
    assert found(folder)[0] == left


def test_an_ignore_file_counts_from_its_own_folder(folder: Path) -> None:
    (folder / "a" / ".krmignore").write_text("/b\nb.yaml\n")
    assert found(folder)[0] == ["a/z.yml", "b.yaml"]


def test_a_pattern_of_many_stars_takes_no_time(folder: Path) -> None:
    name = "a" * 200 + ".yaml"
    (folder / name).write_text("")
    assert name in found(folder, exclude=("*a" * 100 + "b", "**/" * 200 + "b"))[0]


def test_a_helm_chart_is_not_read_and_one_warning_names_all(folder: Path) -> None:
    for name in ("charts/x", "charts/y"):
        (folder / name / "templates").mkdir(parents=True)
        (folder / name / "Chart.yaml").write_text("name: x\n")
        (folder / name / "templates" / "t.yaml").write_text("{{ bad }}")
    files, said = found(folder)
    assert files == ["a/b/c.json", "a/z.yml", "b.yaml"]
    assert said == [
        f"warning: {folder}/charts/x, {folder}/charts/y are Helm charts: not read; render with `helm template` and give the output as -"
    ]


def test_output_of_an_earlier_run_is_no_input_but_can_be_given(folder: Path) -> None:
    (folder / "a" / reading.MARKER).write_text("{}")
    assert found(folder) == (
        ["b.yaml"],
        [f"info: {folder}/a holds output of `render` ({reading.MARKER}): it is not read"],
    )
    assert found(folder / "a") == (["b/c.json", "z.yml"], [])


@pytest.mark.parametrize("name", reading.KUSTOMIZATIONS)
def test_a_folder_that_kustomize_builds_is_an_error_below_a_plain_one(folder: Path, name: str) -> None:
    (folder / "a" / name).write_text("resources: [z.yml]\n")
    files, said = found(folder)
    assert files == ["b.yaml"]
    assert said == [
        f"error: {folder}/a is built by kustomize ({name}), and {folder} is read as plain files: give {folder}/a as PATH instead, or leave it out with --exclude /a"
    ]
    assert found(folder, exclude=("a",)) == (["b.yaml"], [])
    assert found(folder, rendered=True) == (["a/b/c.json", "a/z.yml", "b.yaml"], [])


def test_a_kpt_package_that_runs_other_functions_is_warned_about(folder: Path) -> None:
    (folder / "Kptfile").write_text("pipeline:\n  mutators:\n  - exec: clusternet-capi-fn\n")
    assert found(folder)[1] == []
    (folder / "Kptfile").write_text("pipeline:\n  mutators:\n  - image: example.com/set-labels:v1\n")
    assert found(folder)[1] == [
        f"warning: {folder}/Kptfile runs other functions, which are not run here: use `kpt fn render`"
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param(b"caf\xe9.yaml", "caf\\xe9.yaml", id="not UTF-8"),
        pytest.param(b"a\nb.yaml", "a\\nb.yaml", id="a line end"),
        pytest.param("a\u202eb.yaml".encode(), "a\\u202eb.yaml", id="a change of direction"),
    ],
)
def test_a_name_that_can_not_be_shown_is_an_error_that_escapes_it(folder: Path, name: bytes, shown: str) -> None:
    (folder / os.fsdecode(name)).write_text("")
    said = f"error: the file name {folder}/{shown} is not printable UTF-8 text: rename the file, or leave it out with --exclude"
    assert found(folder) == (["a/b/c.json", "a/z.yml", "b.yaml"], [said])
    (folder / "Größe.yaml").write_text("")
    assert "Größe.yaml" in found(folder)[0]
    (folder / os.fsdecode(name)).unlink()
    (folder / os.fsdecode(name.removesuffix(b".yaml"))).mkdir()
    assert len(found(folder)[1]) == 1
    assert len(finding.find([str(folder / os.fsdecode(name))])[1]) == 1


@pytest.mark.parametrize(
    ("name", "target", "warning"),
    [
        pytest.param("l.yaml", "../outside.yaml", "a link that leads to no file in this folder", id="file outside"),
        pytest.param("l", "..", "a link that leads to no file in this folder", id="folder outside"),
        pytest.param("l", "a", "a link that leads to no file in this folder", id="folder inside"),
        pytest.param("a/l", "..", "a link that leads to no file in this folder", id="the folder itself"),
        pytest.param("l.yaml", "l.yaml", "a link that leads to no file in this folder", id="itself"),
        pytest.param("l.yaml", "missing.yaml", "a link that leads to no file in this folder", id="nothing"),
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
    assert found(folder) == (["a/b/c.json", "a/z.yml", "b.yaml"], [])


def test_a_pipe_or_a_link_to_one_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "pipe.yaml")
    (folder / "l.yaml").symlink_to("pipe.yaml")
    files, said = found(folder)
    assert files == ["a/b/c.json", "a/z.yml", "b.yaml"]
    assert [line.partition(" is ")[2].partition(":")[0] for line in said] == [
        "a link that leads to no file in this folder",
        "a named pipe, not a regular file",
    ]
    with pytest.raises(Errors, match="it is a named pipe, not a regular file"):
        reading.read(str(folder / "pipe.yaml"))


def test_a_mounted_configmap_is_read_through_its_links(tmp_path: Path) -> None:
    (tmp_path / "..2026").mkdir()
    (tmp_path / "..2026" / "a.yaml").write_text("")
    (tmp_path / "..data").symlink_to("..2026")
    (tmp_path / "a.yaml").symlink_to("..data/a.yaml")
    assert found(tmp_path) == (["a.yaml"], [])


def test_a_file_is_read_once_whatever_the_paths(folder: Path) -> None:
    (folder / "b-link.yaml").symlink_to("b.yaml")
    files, results = finding.find(
        [str(folder / "b.yaml"), str(folder), f"{folder}/../root/b.yaml", str(folder / "Kptfile")]
    )
    assert [one.relative for one in files] == ["b.yaml", "root/a/b/c.json", "root/a/z.yml", "Kptfile"]
    assert results == []


def test_a_link_given_by_name_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "l").symlink_to("root")
    assert found(tmp_path / "l")[0] == ["a/b/c.json", "a/z.yml", "b.yaml"]
    assert folder.name == "root"


def test_an_empty_folder_is_warned_about(tmp_path: Path) -> None:
    assert found(tmp_path) == ([], [f"warning: {tmp_path} holds no file that ends in .yaml, .yml, .json"])


def test_a_folder_whose_files_were_given_already_is_not_said_to_be_empty(folder: Path) -> None:
    files, results = finding.find([str(folder), str(folder / "a")])
    assert len(files) == 3
    assert results == []


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/does/not/exist", "No such file or directory", id="missing"),
        pytest.param("a\0b", "not a path", id="not a path"),
    ],
)
def test_a_path_that_is_not_there_is_an_error(path: str, reason: str) -> None:
    files, results = finding.find([path])
    assert files == []
    assert results[0].message == f"can't read {reading.show(path)}: {reason}"
    with pytest.raises(Errors, match=f": {reason}"):
        reading.read(path)


def test_a_folder_that_vanishes_while_it_is_read_is_an_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scan = os.scandir

    def vanishing(path: str) -> object:
        if path.endswith("b"):
            raise FileNotFoundError(2, "No such file or directory", path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", vanishing)
    assert found(folder) == (["a/z.yml", "b.yaml"], [f"error: can't read {folder}/a/b: No such file or directory"])


def test_a_file_that_became_a_link_meanwhile_is_not_followed(folder: Path) -> None:
    (one, *_), _ = finding.find([str(folder)])
    assert finding.read_found(one) == b""
    (folder / "a" / "b").rename(folder.parent / "b")
    (folder / "a" / "b").symlink_to(folder.parent / "b")
    with pytest.raises(Errors, match=r"can't read .*c\.json"):
        finding.read_found(one)


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/null", "."])
def test_what_is_no_regular_file_is_not_read(path: str) -> None:
    with pytest.raises(Errors, match=r"it is a (?:device|folder), not a regular file"):
        reading.read(path)


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 11)
    assert reading.read(str(tmp_path / "a"), 11) == b"x" * 11
    with pytest.raises(Errors, match="it has more than 10 bytes"):
        reading.read(str(tmp_path / "a"), 10)


def test_a_run_reads_up_to_a_limit() -> None:
    budget = reading.Budget(1024 * 1024)
    budget.take(b"x" * 1024 * 1024)
    with pytest.raises(Errors, match="the input has more than 1 MiB in total"):
        budget.take(b"x")


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_a_descriptor_that_the_caller_opened_is_read(path: str) -> None:
    code = f"from krm_fn.files import reading; print(reading.read({path!r}))"
    ran = subprocess.run([sys.executable, "-c", code], input=b"x", capture_output=True, check=True)
    assert ran.stdout == b"b'x'\n"


def test_a_chart_that_is_named_itself_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "Chart.yaml").write_text("name: x\n")
    found, results = finding.find([str(tmp_path)])
    assert not found
    (error,) = results
    assert error.severity == "error"
    assert "is a Helm chart: render it with `helm template`, and give the output" in error.message


@pytest.mark.parametrize("name", ["values.yaml", "[x]*.yaml", "a b.yaml"])
def test_the_pattern_of_a_file_leaves_out_that_file_alone(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / "sub", tmp_path / "sub/sub"):
        folder.mkdir(exist_ok=True)
        (folder / name).write_text("a: 1\n")
    (tmp_path / "x.yaml").write_text("a: 1\n")
    found, _ = finding.find([str(tmp_path)])
    for one in found:
        (pattern,) = shlex.split(one.pattern)
        left, _ = finding.find([str(tmp_path)], finding.Rules(exclude=(pattern,)))
        assert {other.path for other in found} - {other.path for other in left} == {one.path}
