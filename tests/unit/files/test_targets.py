from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from krm_fn.files import targets
from krm_fn.krm.results import Faults

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

OLD = {"a.yaml": b"old a\n", "d/b.yaml": b"old b\n", "d/gone.yaml": b"old\n", "e/gone.yaml": b"old\n"}
NEW = {"a.yaml": b"new a\n", "d/b.yaml": b"new b\n", "f/c.yaml": b"new c\n"}


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != targets.INVENTORY
    }


def listed(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def folders(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_dir())


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "target"
    targets.replace_tree(str(folder), OLD)
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
    targets.replace_tree(str(tmp_path / "x" / "y"), NEW)
    assert files(tmp_path / "x" / "y") == NEW
    assert listed(tmp_path / "x") == ["y"]


def test_a_folder_of_ours_is_replaced_and_stale_files_go(target: Path) -> None:
    targets.replace_tree(str(target), NEW)
    assert files(target) == NEW
    assert folders(target) == ["d", "f"]
    assert listed(target.parent) == ["target"]


def test_files_of_others_stay(shared: Path) -> None:
    targets.replace_tree(str(shared), NEW)
    assert files(shared) == {**NEW, "README": b"theirs"}
    assert (shared / "d" / "theirs").is_symlink()
    assert folders(shared) == ["d", "empty", "f"]


def test_the_same_again_touches_nothing(target: Path) -> None:
    before = (target / "a.yaml").stat()
    targets.replace_tree(str(target), OLD)
    assert (target / "a.yaml").stat() == before


def test_a_stale_file_alone_is_a_reason_to_write(target: Path) -> None:
    targets.replace_tree(str(target), {"a.yaml": OLD["a.yaml"]})
    assert files(target) == {"a.yaml": OLD["a.yaml"]}


def test_a_file_of_somebody_else_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"theirs")
    with pytest.raises(Faults, match=r"a\.yaml exists and was not written by this command"):
        targets.replace_tree(str(tmp_path), NEW)
    assert files(tmp_path) == {"a.yaml": b"theirs"}


def test_a_file_of_somebody_else_with_the_same_bytes_becomes_ours(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(NEW["a.yaml"])
    targets.replace_tree(str(tmp_path), NEW)
    targets.replace_tree(str(tmp_path), {})
    assert files(tmp_path) == {}


@pytest.mark.parametrize("path", ["../x.yaml", "/x.yaml", "a/../../x.yaml", "./x.yaml", "a//x.yaml", ""])
def test_a_path_that_leads_out_of_the_folder_is_refused(target: Path, path: str) -> None:
    with pytest.raises(Faults, match="it is no path below the folder"):
        targets.replace_tree(str(target), {**NEW, path: b"x"})
    assert files(target) == OLD


def test_a_folder_of_somebody_else_in_the_place_of_a_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    with pytest.raises(Faults, match=r"a\.yaml exists and was not written by this command"):
        targets.replace_tree(str(tmp_path), NEW)


def test_a_list_that_leads_outside_removes_nothing_there(target: Path) -> None:
    (target.parent / "outside").write_bytes(b"x")
    with (target / targets.INVENTORY).open("a") as file:
        file.write(f"../outside\n{target.parent}/outside\n")
    targets.replace_tree(str(target), NEW)
    assert (target.parent / "outside").exists()


def test_a_list_that_is_no_text_counts_for_nothing(target: Path) -> None:
    (target / targets.INVENTORY).write_bytes(b"\xff")
    with pytest.raises(Faults, match="was not written by this command"):
        targets.replace_tree(str(target), NEW)


def test_where_somebody_stands_the_folder_itself_stays(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(target / "d")
    before = target.stat().st_ino
    targets.replace_tree(str(target), NEW)
    assert files(target) == NEW
    assert target.stat().st_ino == before


def test_a_link_to_a_folder_is_followed(target: Path) -> None:
    link = target.parent / "link"
    link.symlink_to("target")
    targets.replace_tree(str(link), NEW)
    assert files(target) == NEW
    assert link.is_symlink()


def test_a_file_in_the_place_of_the_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    with pytest.raises(Faults, match="it is a file, not a folder"):
        targets.replace_tree(str(tmp_path / "x"), NEW)


def test_permissions_of_the_folder_stay(target: Path) -> None:
    target.chmod(0o750)
    targets.replace_tree(str(target), NEW)
    assert target.stat().st_mode & 0o777 == 0o750


def test_without_an_exchange_in_one_step_two_renames_do(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_RENAME_EXCHANGE", 1 << 30)  # a flag that no kernel knows
    targets.replace_tree(str(target), NEW)
    assert files(target) == NEW
    assert listed(target.parent) == ["target"]


def test_a_second_rename_that_fails_undoes_the_first(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_RENAME_EXCHANGE", 1 << 30)
    fail_after(monkeypatch, "rename", 1, errno.EIO)
    with pytest.raises(Faults):
        targets.replace_tree(str(target), NEW)
    assert files(target) == OLD


def test_an_exchange_that_the_system_refuses_is_an_error(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "_AT_FDCWD", -7)  # no such directory handle
    monkeypatch.setattr(targets.os, "fsencode", lambda path: os.path.relpath(path).encode())
    with pytest.raises(Faults, match="nothing was changed"):
        targets.replace_tree(str(target), NEW)
    assert files(target) == OLD


# --- what can go wrong -----------------------------------------------------------------------------------------------


def fail_after(patch: pytest.MonkeyPatch, name: str, calls: int, code: int) -> None:
    """Let a function of `os` fail after so many calls that work."""
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
    before = files(folder)
    fail_after(monkeypatch, "fsync", calls, errno.ENOSPC)
    with pytest.raises(Faults, match=rf"can't write {folder}: no space left on the device; nothing was changed"):
        targets.replace_tree(str(folder), NEW)
    assert files(folder) == before
    assert not (folder / targets.UNFINISHED).exists()
    assert listed(folder.parent) == ["target"]


@pytest.mark.parametrize("calls", range(8))
def test_a_fault_while_moving_files_in_moves_them_back(
    shared: Path, calls: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = files(shared)
    fail_after(monkeypatch, "rename", calls, errno.EIO)
    with pytest.raises(Faults, match="nothing was changed"):
        targets.replace_tree(str(shared), NEW)
    assert files(shared) == before
    assert not (shared / targets.UNFINISHED).exists()


def test_a_read_only_file_system_is_named(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fail_after(monkeypatch, "mkdir", 1, errno.EROFS)
    with pytest.raises(Faults, match="the file system is read-only; nothing was changed"):
        targets.replace_tree(str(target), NEW)
    assert files(target) == OLD


CHILD = """
import os, sys, signal
from krm_fn.files import targets
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
name, calls = sys.argv[2], int(sys.argv[3])
real = getattr(os, name)
def waiting(*arguments):
    global calls
    calls -= 1
    if calls == -1:
        print("now", flush=True)
        signal.pause()
    return real(*arguments)
setattr(os, name, waiting)
targets.replace_tree(sys.argv[1], {"a.yaml": b"new a\\n", "d/b.yaml": b"new b\\n", "f/c.yaml": b"new c\\n"})
"""


def interrupted(folder: Path, name: str, calls: int, sent: signal.Signals) -> int:
    """Replace a tree in a process that gets a signal at the n-th call of a function."""
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(folder), name, str(calls)], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "now\n"
        child.send_signal(sent)
        return child.wait()


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL], ids=lambda sent: sent.name)
@pytest.mark.parametrize("calls", [0, 3])
def test_a_killed_process_leaves_a_folder_of_ours_as_it_was(target: Path, calls: int, sent: signal.Signals) -> None:
    assert interrupted(target, "fsync", calls, sent) in {143, -signal.SIGKILL}
    assert files(target) == OLD


@pytest.mark.parametrize("calls", [0, 3, 6])
def test_a_terminated_process_moves_files_back_beside_those_of_others(shared: Path, calls: int) -> None:
    before = files(shared)
    assert interrupted(shared, "rename", calls, signal.SIGTERM) == 143
    assert files(shared) == before
    assert not (shared / targets.UNFINISHED).exists()


@pytest.mark.parametrize("calls", [3, 6])
def test_a_kill_beside_files_of_others_is_shown_and_mended_by_the_next_run(shared: Path, calls: int) -> None:
    assert interrupted(shared, "rename", calls, signal.SIGKILL) == -signal.SIGKILL
    assert (shared / targets.UNFINISHED).is_dir()
    targets.replace_tree(str(shared), {**NEW, "f/c.yaml": b"newer\n"})
    assert files(shared) == {**NEW, "f/c.yaml": b"newer\n", "README": b"theirs"}


def test_a_limit_of_the_system_while_writing_leaves_the_old_tree(target: Path) -> None:
    code = (
        "import resource, sys; from krm_fn.files import targets; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "targets.replace_tree(sys.argv[1], {'a.yaml': b'x' * 5000})"
    )
    ran = subprocess.run([sys.executable, "-c", code, str(target)], capture_output=True, text=True, check=False)
    assert "Faults: can't write" in ran.stderr
    assert "File too large; nothing was changed" in ran.stderr
    assert files(target) == OLD


# --- single files ----------------------------------------------------------------------------------------------------


def test_a_file_is_replaced_with_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "out.yaml"
    path.write_bytes(b"old")
    path.chmod(0o640)
    targets.replace_file(str(path), [b"n", b"ew"])
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert listed(tmp_path) == ["out.yaml"]


def test_a_new_file_has_the_usual_permissions(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        targets.replace_file(str(tmp_path / "out.yaml"), [b"new"])
    finally:
        os.umask(before)
    assert (tmp_path / "out.yaml").stat().st_mode & 0o777 == 0o640


def test_a_link_to_a_file_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to("real")
    targets.replace_file(str(tmp_path / "link"), [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == b"new"


def test_a_file_that_can_not_be_written_is_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.yaml").write_bytes(b"old")
    fail_after(monkeypatch, "fsync", 0, errno.ENOSPC)
    with pytest.raises(Faults, match=r"out\.yaml: no space left on the device; nothing was changed"):
        targets.replace_file(str(tmp_path / "out.yaml"), [b"new"])
    assert (tmp_path / "out.yaml").read_bytes() == b"old"
    assert listed(tmp_path) == ["out.yaml"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        pytest.param("/dev/full", "no space left on the device", id="a full device"),
        pytest.param("/does/not/exist/out.yaml", "No such file or directory", id="no such folder"),
    ],
)
def test_a_place_that_takes_nothing_is_an_error(path: str, reason: str) -> None:
    with pytest.raises(Faults, match=reason):
        targets.replace_file(path, [b"x"])


def test_a_device_is_written_to() -> None:
    targets.replace_file(os.devnull, [b"x"])
    assert not os.path.isfile(os.devnull)  # noqa: PTH113 - os.devnull is a string
