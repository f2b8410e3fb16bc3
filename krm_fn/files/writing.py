"""The one writer of files: a whole output or none, whatever happens meanwhile.

Every file is written beside its place and renamed over it. In a folder, all new files are staged first, so that what
usually fails (space, permissions) fails before anything is changed; then they are renamed one by one, and the list of
our files (`reading.MARKER`) comes last. Before the first rename that list holds the old files and the new ones, so a run
that is killed in the middle is finished by the next one, and its leftovers are known by name. One run at a time writes
to a folder. Nothing below it is reached through a link.
"""

# Descriptors, links and renames are the subject here, and os names them.
# ruff: noqa: PTH100, PTH102, PTH106, PTH112, PTH118, PTH120

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import stat
import time

from krm_fn.files import reading, staging
from krm_fn.files.reading import MARKER, show
from krm_fn.krm.results import ERROR, Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

SECONDS = 60.0  # to wait for another run

_NOTE = "Written by clusternet-capi-fn render. These files are its own: the next run replaces or removes them."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def replace_file(path: str, pieces: Iterable[bytes], *, private: bool = False) -> None:
    """Replace a file, or make it.

    Args:
        path: Must not be a link, or anything but a regular file.
        pieces: The new contents.
        private: Whether only the owner may read it.

    Raises:
        Errors: It can't be written; then it is as it was.
    """
    folder, name = os.path.split(os.path.abspath(path))
    try:
        with _locked(os.path.realpath(folder)) as here:
            problem = staging.misfit(here, name, path)
            if problem:
                raise Errors.of(problem, file_path=show(path))
            staging.stage(here, name, pieces, private=private)
            staging.unstage(here, name)
            os.fsync(here)
    except OSError as error:
        raise staging.unwritable(path, error) from None


def replace_tree(folder: str, contents: Mapping[str, bytes], private: Collection[str] = ()) -> bool:
    """Make a folder hold these files, and remove those that an earlier call wrote and this one does not.

    Args:
        folder: Made if missing, with its parents.
        contents: Paths below the folder, with `/`, and what the files are to hold.
        private: The paths that only the owner may read.

    Returns:
        Whether anything had to be written.

    Raises:
        Errors: A file of somebody else is where one of ours belongs, a component of a path is a link, or something can't
            be written; then the folder is as it was.
    """
    errors = [
        Result(message=f"can't write {show(path)!r}: it is not a path below the folder", file_path=show(folder))
        for path in sorted(contents)
        if not _is_below(path)
    ]
    if errors:
        raise Errors(errors)
    made: list[str] = []
    try:
        if os.path.lexists(folder) and not os.path.isdir(folder):
            message = f"can't write {show(folder)}: it is not a folder"
            raise Errors.of(message, file_path=show(folder))
        made = _make_folders(folder)
        with _locked(os.path.realpath(folder)) as here:
            return _Folder(folder, here).replace(contents, private)
    except OSError as error:
        raise staging.unwritable(folder, error) from None
    finally:
        for path in reversed(made):
            with contextlib.suppress(OSError):  # it holds the output
                os.rmdir(path)


def not_a_file(path: str) -> str:
    """Say what is at a path that is neither a regular file nor a device; "" for those, and where nothing is."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    usual = stat.S_ISREG(mode) or stat.S_ISCHR(mode) or stat.S_ISBLK(mode)
    return "" if usual else reading.kind(mode)


def has_marker(folder: str) -> bool:
    """Return whether a folder holds output of ours."""
    return os.path.lexists(os.path.join(folder, MARKER))


def _make_folders(folder: str) -> list[str]:
    """Make a folder with its parents; return those that were missing, outermost first."""
    missing: list[str] = []
    path = os.path.abspath(folder)
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    missing.reverse()
    for one in missing:
        with contextlib.suppress(FileExistsError):  # another run was quicker
            os.mkdir(one)
    return missing


@contextlib.contextmanager
def _locked(folder: str) -> Iterator[int]:
    """Open a folder and keep other runs out of it.

    Raises:
        Errors: Another run keeps it for too long.
    """
    handle = os.open(folder, _FOLDER)
    try:
        until = time.monotonic() + SECONDS
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except OSError as error:
                if error.errno not in {errno.EWOULDBLOCK, errno.EACCES}:
                    break  # a file system without locks
            if time.monotonic() > until:
                message = f"another run writes to {show(folder)}: wait for it, or end it, and run this again"
                raise Errors.of(message, file_path=show(folder))
            time.sleep(0.02)
        yield handle
    finally:
        os.close(handle)


class _Folder:
    """A folder that is locked, by its descriptor."""

    def __init__(self, path: str, handle: int) -> None:
        self.path = path
        self.handle = handle

    def replace(self, contents: Mapping[str, bytes], private: Collection[str]) -> bool:
        self.remove(MARKER, staged=True)  # of a run that was killed
        before = self.inventory()
        ours = set(before or ())
        self.refuse(ours, contents)
        private = set(private)
        if before is not None and ours == set(contents) and self.holds(contents, private):
            return False
        everything = sorted(ours | set(contents))
        try:
            self.write_inventory(everything)
            for path in sorted(contents):
                with self.parent(path, make=True) as (folder, name):
                    staging.stage(folder, name, [contents[path]], private=path in private)
        except BaseException:  # a signal too
            self.undo(before, everything)
            raise
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
        try:
            self.commit(contents, sorted(ours - set(contents)))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return True

    def commit(self, contents: Mapping[str, bytes], gone: Sequence[str]) -> None:
        """Put what was staged into its place, remove what is gone, and write the list."""
        for path in sorted(contents):
            with self.parent(path) as (folder, name):
                staging.unstage(folder, name)
        for path in gone:
            self.remove(path, staged=False)
            self.remove(path, staged=True)
        self.remove_empty(gone)
        self.write_inventory(sorted(contents))
        os.fsync(self.handle)

    def undo(self, before: Sequence[str] | None, everything: Sequence[str]) -> None:
        """Remove what was staged."""
        for path in everything:
            self.remove(path, staged=True)
        self.remove_empty(everything)
        with contextlib.suppress(OSError):
            if before is None:
                os.unlink(MARKER, dir_fd=self.handle)
            else:
                self.write_inventory(before)

    # --- the list ---

    def inventory(self) -> list[str] | None:
        """Return what an earlier run wrote, as its list says; None where there is no list."""
        if staging.entry(self.handle, MARKER) is None:
            return None
        path = os.path.join(self.path, MARKER)
        try:
            value = json.loads(self.read(MARKER))
        except (ValueError, RecursionError):
            value = None
        found = value.get("files") if isinstance(value, dict) else None
        if not isinstance(found, list):
            message = f"{show(path)} is not a list that `render` wrote: remove it, or give another folder"
            raise Errors.of(message, file_path=show(path))
        # a list that somebody edited must not make us remove anything else
        return [one for one in found if isinstance(one, str) and _is_below(one)]

    def write_inventory(self, paths: Sequence[str]) -> None:
        text = json.dumps({"note": _NOTE, "files": list(paths)}, indent=2, ensure_ascii=False) + "\n"
        staging.stage(self.handle, MARKER, [text.encode()], private=False)
        staging.unstage(self.handle, MARKER)

    # --- files ---

    @contextlib.contextmanager
    def parent(self, path: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        """Open the folder of a file, component by component; yield it and the file's name."""
        *parts, name = path.split("/")
        handle = os.dup(self.handle)
        try:
            for part in parts:
                if make:
                    with contextlib.suppress(FileExistsError):
                        os.mkdir(part, dir_fd=handle)
                below = os.open(part, _FOLDER, dir_fd=handle)
                os.close(handle)
                handle = below
            yield handle, name
        finally:
            os.close(handle)

    def refuse(self, ours: Collection[str], contents: Mapping[str, bytes]) -> None:
        """Refuse to write through links, and over files of somebody else.

        Raises:
            Errors: All of them.
        """
        errors = []
        for path in sorted(contents):
            where = os.path.join(self.path, path)
            problem = self.problem(path, where)
            if not problem and path not in ours and not self.is_free(path, contents[path]):
                problem = (
                    f"{show(where)} exists and was not written by this command: move it away, or give another folder"
                )
            if problem:
                errors.append(Result(message=problem, severity=ERROR, file_path=show(where)))
        if errors:
            raise Errors(errors)

    def problem(self, path: str, where: str) -> str:
        """Say why a file can't be written; "" where it can."""
        parts = path.split("/")
        for count in range(1, len(parts)):
            folder = "/".join(parts[:count])
            try:
                mode = os.lstat(os.path.join(self.path, folder)).st_mode
            except FileNotFoundError:
                return ""
            if not stat.S_ISDIR(mode):
                what = "a link" if stat.S_ISLNK(mode) else "not a folder"
                return f"can't write {show(where)}: {show(os.path.join(self.path, folder))} is {what}"
        with self.parent(path) as (handle, name):
            return staging.misfit(handle, name, where)

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return reading.read_below(os.path.realpath(self.path), os.path.join(self.path, path))

    def is_free(self, path: str, data: bytes) -> bool:
        """Return whether nothing is lost where a file is written: none is there, or one of the same bytes."""
        try:
            return self.read(path) == data
        except Errors:
            return not os.path.lexists(os.path.join(self.path, path))

    def holds(self, contents: Mapping[str, bytes], private: Collection[str]) -> bool:
        """Return whether the files hold what they are to hold, nothing is staged, and nobody may read what is private."""
        try:
            for path, data in contents.items():
                with self.parent(path) as (handle, name):
                    status, staged = staging.entry(handle, name), staging.entry(handle, staging.STAGED + name)
                if status is None or staged is not None:
                    return False
                if path in private and stat.S_IMODE(status.st_mode) != staging.PRIVATE:
                    return False
                if self.read(path) != data:
                    return False
        except (OSError, Errors):
            return False
        return True

    def remove(self, path: str, *, staged: bool) -> None:
        """Remove a file of ours, if it is one."""
        with contextlib.suppress(OSError), self.parent(path) as (handle, name):
            ours = staging.STAGED + name if staged else name
            status = staging.entry(handle, ours)
            if status is not None and not stat.S_ISDIR(status.st_mode):
                os.unlink(ours, dir_fd=handle)

    def remove_empty(self, paths: Iterable[str]) -> None:
        """Remove folders that held nothing but files of ours."""
        for path in paths:
            folder = os.path.dirname(path)
            while folder:
                try:
                    with self.parent(folder) as (handle, name):
                        os.rmdir(name, dir_fd=handle)
                except OSError:
                    break
                folder = os.path.dirname(folder)


def _is_below(path: str) -> bool:
    """Return whether a path names a file below a folder, and not our list of them."""
    return {"", ".", ".."}.isdisjoint(path.split("/")) and "\0" not in path and path != MARKER
