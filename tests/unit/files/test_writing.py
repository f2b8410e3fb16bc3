from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from krm_fn.files import writing
from krm_fn.files.reading import MARKER
from krm_fn.krm.results import Errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = {"a.yaml": b"old a\n", "d/b.yaml": b"old b\n", "d/gone.yaml": b"old\n", "e/gone.yaml": b"old\n"}
NEW = {"a.yaml": b"new a\n", "d/b.yaml": b"new b\n", "f/c.yaml": b"new c\n"}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MARKER
    }


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def folders(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_dir())


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    writing.replace_tree(str(folder), OLD)
    return folder


@pytest.fixture
def shared(target: Path) -> Path:
    """A target that also holds files of somebody else."""
    (target / "README").write_bytes(b"theirs")
    (target / "d" / "theirs").symlink_to("nowhere")
    (target / "empty").mkdir()
    return target


# --- folders ---------------------------------------------------------------------------------------------------------


def test_a_missing_folder_is_made_with_its_parents(tmp_path: Path) -> None:
    writing.replace_tree(str(tmp_path / "x" / "y"), NEW)
    assert files(tmp_path / "x" / "y") == NEW
    assert listed(tmp_path / "x") == ["y"]


def test_a_folder_of_ours_is_replaced_and_stale_files_go(target: Path) -> None:
    assert writing.replace_tree(str(target), NEW)
    assert files(target) == NEW
    assert folders(target) == ["d", "f"]
    assert listed(target.parent) == ["target"]
    assert json.loads((target / MARKER).read_text())["files"] == sorted(NEW)


def test_files_of_others_stay(shared: Path) -> None:
    writing.replace_tree(str(shared), NEW)
    assert files(shared) == {**NEW, "README": b"theirs"}
    assert (shared / "d" / "theirs").is_symlink()
    assert folders(shared) == ["d", "empty", "f"]


def test_the_same_again_touches_nothing(target: Path) -> None:
    before = (target / "a.yaml").stat()
    assert not writing.replace_tree(str(target), OLD)
    assert (target / "a.yaml").stat() == before


def test_a_stale_file_alone_is_a_reason_to_write(target: Path) -> None:
    writing.replace_tree(str(target), {"a.yaml": OLD["a.yaml"]})
    assert files(target) == {"a.yaml": OLD["a.yaml"]}


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"theirs")
    with pytest.raises(Errors, match=r"a\.yaml exists and was not written by this command"):
        writing.replace_tree(str(tmp_path), NEW)
    assert files(tmp_path) == {"a.yaml": b"theirs"}


def test_a_file_of_somebody_else_with_the_same_bytes_becomes_ours(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(NEW["a.yaml"])
    writing.replace_tree(str(tmp_path), NEW)
    writing.replace_tree(str(tmp_path), {})
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "path", ["../x.yaml", "/x.yaml", "a/../../x.yaml", "./x.yaml", "a//x.yaml", "", MARKER, "a\0b"]
)
def test_a_path_that_leads_out_of_the_folder_is_refused(target: Path, path: str) -> None:
    with pytest.raises(Errors, match="it is not a path below the folder"):
        writing.replace_tree(str(target), {**NEW, path: b"x"})
    assert files(target) == OLD


def test_a_folder_of_somebody_else_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(Errors, match=r"a\.yaml: it is a folder, not a regular file"):
        writing.replace_tree(str(tmp_path), NEW)
    assert listed(tmp_path) == ["a.yaml"]


@pytest.mark.parametrize("where", ["f", "d/b.yaml", "a.yaml", "d"])
@pytest.mark.parametrize("ours", [True, False], ids=["in the list", "not in the list"])
def test_nothing_is_written_through_a_link(tmp_path: Path, where: str, *, ours: bool) -> None:
    target, outside = tmp_path / "target", tmp_path / "outside"
    if ours:
        writing.replace_tree(str(target), NEW)
    outside.mkdir()
    for name in ("b.yaml", "c.yaml"):
        (outside / name).write_bytes(b"precious")
    place = target / where
    if place.is_dir():
        place.rename(tmp_path / "moved")
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside if "." not in where else outside / "b.yaml")
    before = {} if not ours else {name: data for name, data in files(target).items() if name != where}
    with pytest.raises(Errors, match=r"is a link"):
        writing.replace_tree(str(target), {**NEW, "a.yaml": b"newer\n"})
    assert files(outside) == {"b.yaml": b"precious", "c.yaml": b"precious"}
    assert before.items() <= files(target).items()


def test_a_pipe_in_the_place_of_a_file_or_of_the_list_is_an_error_and_not_waited_for(target: Path) -> None:
    os.mkfifo(target / "pipe.yaml")
    with pytest.raises(Errors, match="is a named pipe, not a regular file"):
        writing.replace_tree(str(target), {"pipe.yaml": b"x"})
    (target / MARKER).unlink()
    os.mkfifo(target / MARKER)
    with pytest.raises(Errors, match="is a named pipe, not a regular file"):
        writing.replace_tree(str(target), NEW)


@pytest.mark.parametrize("outside", ["../outside", "{parent}/outside", "d/../../outside"])
def test_a_list_that_leads_outside_removes_nothing_there(target: Path, outside: str) -> None:
    (target.parent / "outside").write_bytes(b"x")
    listing = json.loads((target / MARKER).read_text())
    listing["files"].append(outside.format(parent=target.parent))
    (target / MARKER).write_text(json.dumps(listing))
    writing.replace_tree(str(target), NEW)
    assert (target.parent / "outside").exists()


@pytest.mark.parametrize("name", ["a\ud800", "a\0b"])
def test_a_name_that_no_file_can_have_in_the_list_is_passed_over(target: Path, name: str) -> None:
    (target / MARKER).write_text(json.dumps({"files": [*OLD, name]}))
    writing.replace_tree(str(target), NEW)
    assert files(target) == NEW


def test_a_list_that_leads_through_a_link_removes_nothing_there(target: Path) -> None:
    outside = target.parent / "outside"
    outside.mkdir()
    (outside / "gone.yaml").write_bytes(b"x")
    (target / "e" / "gone.yaml").unlink()
    (target / "e").rmdir()
    (target / "e").symlink_to(outside)
    writing.replace_tree(str(target), NEW)
    assert (outside / "gone.yaml").exists()


@pytest.mark.parametrize("text", ["\xff", "[]", "{", '{"files": 1}', "# a comment\na.yaml\n"])
def test_a_list_that_is_none_is_an_error(target: Path, text: str) -> None:
    (target / MARKER).write_bytes(text.encode("latin-1"))
    with pytest.raises(Errors, match="is not a list that `render` wrote"):
        writing.replace_tree(str(target), NEW)
    assert files(target) == OLD


def test_a_name_with_a_line_end_in_it_is_one_name(tmp_path: Path) -> None:
    name = "x\nREADME.md\ny.yaml"
    (tmp_path / "README.md").write_bytes(b"theirs")
    writing.replace_tree(str(tmp_path), {name: b"x"})
    writing.replace_tree(str(tmp_path), NEW)
    assert files(tmp_path) == {**NEW, "README.md": b"theirs"}


def test_the_folder_itself_stays_for_those_who_are_in_it(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target / "d")
    target.chmod(0o750)
    before = target.stat().st_ino
    writing.replace_tree("..", NEW)
    assert files(target) == NEW
    assert target.stat().st_ino == before
    assert mode(target) == 0o750


def test_a_link_to_the_folder_is_followed(target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to("target")
    writing.replace_tree(str(link), NEW)
    assert files(target) == NEW
    assert link.is_symlink()


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(Errors, match="it is not a folder"):
        writing.replace_tree(str(tmp_path / "x"), NEW)


def test_private_files_are_for_the_owner_alone_also_where_they_were_not(target: Path) -> None:
    writing.replace_tree(str(target), NEW, private=["d/b.yaml"])
    assert (mode(target / "d/b.yaml"), mode(target / "a.yaml")) == (0o600, 0o644)
    (target / "d/b.yaml").chmod(0o644)
    assert writing.replace_tree(str(target), NEW, private=["d/b.yaml"])
    assert mode(target / "d/b.yaml") == 0o600


def test_another_run_is_waited_for(target: Path) -> None:
    with locked(target, seconds=0.4):
        assert writing.replace_tree(str(target), NEW)
    assert files(target) == NEW


def test_another_run_is_not_waited_for_without_end(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SECONDS", 0.05)
    with locked(target, seconds=30), pytest.raises(Errors, match="another run is writing to"):
        writing.replace_tree(str(target), NEW)
    assert files(target) == OLD


class locked:  # noqa: N801 - reads as a function
    """Another process that keeps a folder locked for a while."""

    def __init__(self, folder: Path, seconds: float) -> None:
        code = f"import time; from krm_fn.files import writing\nwith writing._locked({str(folder)!r}):\n print(flush=True); time.sleep({seconds})"
        self.child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)

    def __enter__(self) -> None:
        assert self.child.stdout is not None
        self.child.stdout.readline()

    def __exit__(self, *_: object) -> None:
        self.child.kill()
        self.child.communicate()


# --- what can go wrong -----------------------------------------------------------------------------------------------


def fail_after(patch: pytest.MonkeyPatch, name: str, calls: int, code: int) -> None:
    """Let a function of `os` fail once after so many calls that work."""
    real: Callable[..., object] = getattr(os, name)
    left = [calls]

    def failing(*arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] == -1:
            raise OSError(code, os.strerror(code))
        return real(*arguments, **options)

    patch.setattr(os, name, failing)


@pytest.mark.parametrize("calls", range(4))
@pytest.mark.parametrize("place", ["target", "shared"])
def test_no_space_while_staging_leaves_the_old_tree(
    place: str, calls: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder: Path = request.getfixturevalue(place)
    before = files(folder), folders(folder), (folder / MARKER).read_bytes()
    fail_after(monkeypatch, "fsync", calls, errno.ENOSPC)
    with pytest.raises(Errors, match=rf"can't write {folder}: no space left on the device; nothing was changed"):
        writing.replace_tree(str(folder), NEW)
    assert (files(folder), folders(folder), (folder / MARKER).read_bytes()) == before
    assert listed(folder.parent) == ["target"]


def test_no_space_for_a_new_folder_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after(monkeypatch, "fsync", 2, errno.ENOSPC)
    with pytest.raises(Errors, match="nothing was changed"):
        writing.replace_tree(str(tmp_path / "x" / "y"), NEW)
    assert listed(tmp_path) == []


def test_a_read_only_file_system_is_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after(monkeypatch, "mkdir", 1, errno.EROFS)
    with pytest.raises(Errors, match="the file system is read-only; nothing was changed"):
        writing.replace_tree(str(target), NEW)
    assert files(target) == OLD


CHILD = """
import os, sys, signal
from krm_fn.files import writing
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
name, calls = sys.argv[2], int(sys.argv[3])
real = getattr(os, name)
def waiting(*arguments, **options):
    global calls
    calls -= 1
    if calls == -1:
        print("now", flush=True)
        sys.stdin.readline()
    return real(*arguments, **options)
setattr(os, name, waiting)
contents = {"a.yaml": b"new a\\n", "d/b.yaml": b"new b\\n", "f/c.yaml": b"new c\\n"}
if os.path.isdir(sys.argv[1]):
    writing.replace_tree(sys.argv[1], contents, private=["a.yaml"])
else:
    writing.replace_file(sys.argv[1], [b"new"], private=True)
"""


def interrupted(place: Path, name: str, calls: int, sent: signal.Signals) -> int:
    """Write in a process that gets a signal at the n-th call of a function of `os`."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(place), name, str(calls)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        assert child.stdout.readline() == "now\n"
        child.send_signal(sent)
        child.stdin.close()
        return child.wait()


@pytest.mark.parametrize("calls", [0, 2, 3])
def test_a_process_that_is_terminated_while_staging_leaves_everything_as_it_was(shared: Path, calls: int) -> None:
    before = files(shared), folders(shared), (shared / MARKER).read_bytes()
    assert interrupted(shared, "fsync", calls, signal.SIGTERM) == 143
    assert (files(shared), folders(shared), (shared / MARKER).read_bytes()) == before


@pytest.mark.parametrize("calls", [1, 3])
def test_a_process_that_is_terminated_while_renaming_finishes_that_first(shared: Path, calls: int) -> None:
    assert interrupted(shared, "replace", calls, signal.SIGTERM) == 143
    assert files(shared) == {**NEW, "README": b"theirs"}


KILLS = [("fsync", calls) for calls in range(6)] + [("replace", calls) for calls in range(5)] + [("unlink", 0)]


@pytest.mark.parametrize(("name", "calls"), KILLS)
@pytest.mark.parametrize("then", [NEW, OLD, {"z.yaml": b"z\n"}], ids=["the same", "the old", "another"])
def test_what_a_killed_process_leaves_is_put_in_order_by_the_next_run(
    shared: Path, name: str, calls: int, then: dict[str, bytes]
) -> None:
    assert interrupted(shared, name, calls, signal.SIGKILL) == -signal.SIGKILL
    assert listed(shared.parent) == ["target"]  # nothing beside the folder
    writing.replace_tree(str(shared), then)
    assert files(shared) == {**then, "README": b"theirs"}
    assert sorted(path.name for path in shared.rglob(f"{MARKER}*")) == [MARKER]


def test_a_limit_of_the_system_while_writing_leaves_the_old_tree(target: Path) -> None:
    code = (
        "import resource, sys; from krm_fn.files import writing; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "writing.replace_tree(sys.argv[1], {'a.yaml': b'x' * 5000})"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=False)
    assert "can't write" in ran.stderr
    assert "File too large; nothing was changed" in ran.stderr
    assert files(target) == OLD


# --- single files ----------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    writing.replace_file(str(path), [b"n", b"ew"])
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o640
    assert listed(tmp_path) == ["out.yaml"]


def test_a_private_file_is_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.yaml"
    path.write_bytes(b"old")
    writing.replace_file(str(path), [b"new"], private=True)
    assert mode(path) == 0o600


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        writing.replace_file(str(tmp_path / "out.yaml"), [b"new"])
    finally:
        os.umask(before)
    assert mode(tmp_path / "out.yaml") == 0o640


@pytest.mark.parametrize("exists", [True, False])
def test_a_link_is_not_written_through(tmp_path: Path, *, exists: bool) -> None:
    if exists:
        (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link.yaml").symlink_to("real")
    with pytest.raises(Errors, match=r"link\.yaml: it is a link, not a regular file"):
        writing.replace_file(str(tmp_path / "link.yaml"), [b"new"])
    assert files(tmp_path) == ({"real": b"old", "link.yaml": b"old"} if exists else {})


def test_a_file_that_can_not_be_written_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.yaml").write_bytes(b"old")
    fail_after(monkeypatch, "fsync", 0, errno.ENOSPC)
    with pytest.raises(Errors, match=r"out\.yaml: no space left on the device; nothing was changed"):
        writing.replace_file(str(tmp_path / "out.yaml"), [b"new"])
    assert (tmp_path / "out.yaml").read_bytes() == b"old"
    assert listed(tmp_path) == ["out.yaml"]


def test_what_a_killed_process_leaves_beside_a_file_is_removed_by_the_next_run(tmp_path: Path) -> None:
    place = tmp_path / "out.yaml"
    assert interrupted(place, "fsync", 0, signal.SIGKILL) == -signal.SIGKILL
    writing.replace_file(str(place), [b"new"])
    assert listed(tmp_path) == ["out.yaml"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/dev/full", "it is a device", id="a device"),
        pytest.param("/does/not/exist/out.yaml", "No such file or directory", id="no such folder"),
    ],
)
def test_a_place_that_takes_nothing_is_an_error(path: str, reason: str) -> None:
    with pytest.raises(Errors, match=reason):
        writing.replace_file(path, [b"x"])
