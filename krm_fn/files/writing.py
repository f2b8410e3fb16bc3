"""The one writer of files: a whole output or none, whatever happens meanwhile.

Every file is written beside its place and renamed over it. In a folder, all new files are staged first, so that what
usually fails (space, permissions) fails before anything is changed; then they are renamed one by one, and the list of
our files (`reading.MARKER`) comes last. Before the first rename that list holds the old files and the new ones, so a run
that is killed in the middle is finished by the next one, and its leftovers are known by name. One run at a time writes
to a folder. Nothing below it is reached through a link.
"""

# Descriptors, links and renames are the subject here, and os names them.
# ruff: noqa: PTH100, PTH103, PTH106, PTH112, PTH118, PTH120

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import signal
import stat
import time

from krm_fn.files import reading
from krm_fn.files.reading import MARKER, show
from krm_fn.krm.results import Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

PRIVATE = 0o600
SECONDS = 60.0  # to wait for another run

_STAGED = MARKER + ".new."  # begins the name under which a file is written
_NOTE = "Written by clusternet-capi-fn render. These files are its own: the next run replaces or removes them."
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_REASONS = {
    errno.ENOSPC: "no space left on the device",
    errno.EROFS: "the file system is read-only",
    errno.ELOOP: "part of its path is a link",
}


def create(path: str | bytes, data: bytes, mode: int = PRIVATE) -> None:
    """Write a new file; no link is followed and nothing is overwritten.

    Raises:
        OSError: It exists, or can't be written.
    """
    with os.fdopen(os.open(path, _NEW, mode), "wb") as file:
        file.write(data)


def replace_file(path: str, pieces: Iterable[bytes], *, private: bool = False) -> None:
    """Replace a regular file, or make it; with `private`, only the owner may read it.

    Raises:
        Errors: It can't be written; then it is as it was.
    """
    folder, name = os.path.split(os.path.abspath(path))
    with _explained(path), _locked(os.path.realpath(folder)) as here:
        problem = misfit(path)
        if problem:
            raise Errors.of(problem, file_path=show(path))
        _stage(here, name, pieces, private=private)
        _unstage(here, name)
        os.fsync(here)


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
    if os.path.lexists(folder) and not os.path.isdir(folder):
        errors.append(Result(message=f"can't write {show(folder)}: it is not a folder", file_path=show(folder)))
    if errors:
        raise Errors(errors)
    missing: list[str] = []
    path = os.path.abspath(folder)
    while not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    try:
        with _explained(folder):
            os.makedirs(folder, exist_ok=True)
            with _locked(os.path.realpath(folder)) as here:
                return _Folder(folder, here).replace(contents, frozenset(private))
    finally:
        for path in missing:
            with contextlib.suppress(OSError):  # it holds the output
                os.rmdir(path)


def misfit(path: str, *, folder: bool = False) -> str:
    """Say what is in the place of a regular file, or of a folder; "" where it is one, or free."""
    try:
        mode = os.lstat(path).st_mode
    except OSError:
        return ""
    if stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode):
        return ""
    return f"can't write {show(path)}: it is {reading.kind(mode)}, not a {'folder' if folder else 'regular file'}"


@contextlib.contextmanager
def _explained(path: str) -> Iterator[None]:
    """Report what the system would not have written."""
    try:
        yield
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, error.strerror or "unknown reason")
        message = f"can't write {show(path)}: {reason}; nothing was changed"
        raise Errors.of(message, file_path=show(path)) from None


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
                message = f"another run is writing to {show(folder)}: wait for it, or stop it, and run this again"
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
        self.remove(_STAGED + MARKER)  # of a run that was killed
        before = self.inventory()
        ours = set(before or ())
        errors = [
            Result(message=problem, file_path=show(os.path.join(self.path, path)))
            for path in sorted(contents)
            if (problem := self.problem(path, contents[path], ours))
        ]
        if errors:
            raise Errors(errors)
        if before is not None and ours == set(contents) and self.holds(contents, private):
            return False
        everything = sorted(ours | set(contents))
        try:
            self.write_inventory(everything)
            for path in sorted(contents):
                with self.parent(path, make=True) as (folder, name):
                    _stage(folder, name, [contents[path]], private=path in private)
        except BaseException:  # a signal too
            self.undo(before, everything)
            raise
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
        try:
            self.commit(contents, sorted(ours - set(contents)))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        return True

    def commit(self, contents: Mapping[str, bytes], gone: Sequence[str]) -> None:
        """Put what was staged into its place, remove what is gone, and write the list."""
        for path in sorted(contents):
            with self.parent(path) as (folder, name):
                _unstage(folder, name)
        for path in gone:
            self.remove(path)
            self.remove(_staged(path))
        self.remove_empty(gone)
        self.write_inventory(sorted(contents))
        os.fsync(self.handle)

    def undo(self, before: Sequence[str] | None, everything: Sequence[str]) -> None:
        """Remove what was staged."""
        for path in everything:
            self.remove(_staged(path))
        self.remove_empty(everything)
        with contextlib.suppress(OSError):
            if before is None:
                os.unlink(MARKER, dir_fd=self.handle)
            else:
                self.write_inventory(before)

    # --- the list ---

    def inventory(self) -> list[str] | None:
        """Return what an earlier run wrote, as its list says; None where there is no list."""
        path = os.path.join(self.path, MARKER)
        if not os.path.lexists(path):
            return None
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
        _stage(self.handle, MARKER, [text.encode()], private=False)
        _unstage(self.handle, MARKER)

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

    def problem(self, path: str, data: bytes, ours: Collection[str]) -> str:
        """Say why a file is not written: through a link, or over one of somebody else; "" where it can be."""
        *parts, name = path.split("/")
        where = self.path
        for part in parts:
            where = os.path.join(where, part)
            if problem := misfit(where, folder=True):
                return problem
        where = os.path.join(where, name)
        problem = misfit(where)
        if not problem and path not in ours and os.path.lexists(where) and self.read(path) != data:
            problem = f"{show(where)} exists and was not written by this command: move it away, or give another folder"
        return problem

    def read(self, path: str) -> bytes:
        """Return what a file holds."""
        return reading.read_below(os.path.realpath(self.path), os.path.join(self.path, path))

    def holds(self, contents: Mapping[str, bytes], private: Collection[str]) -> bool:
        """Return whether the files hold what they are to hold, nothing is staged, and nobody may read what is private."""
        try:
            for path, data in contents.items():
                if os.path.lexists(os.path.join(self.path, _staged(path))) or self.read(path) != data:
                    return False
                mode = os.lstat(os.path.join(self.path, path)).st_mode
                if path in private and stat.S_IMODE(mode) != PRIVATE:
                    return False
        except (OSError, Errors):
            return False
        return True

    def remove(self, path: str) -> None:
        """Remove a file of ours, if it is there."""
        with contextlib.suppress(OSError), self.parent(path) as (handle, name):
            os.unlink(name, dir_fd=handle)  # fails for a folder

    def remove_empty(self, paths: Iterable[str]) -> None:
        """Remove folders that held nothing but files of ours."""
        for path in paths:
            folder = os.path.dirname(path)
            with contextlib.suppress(OSError):
                while folder:
                    with self.parent(folder) as (handle, name):
                        os.rmdir(name, dir_fd=handle)
                    folder = os.path.dirname(folder)


def _is_below(path: str) -> bool:
    """Return whether a path names a file below a folder, and not our list of them."""
    is_name = path.encode("utf-8", "replace").decode() == path and "\0" not in path
    return is_name and {"", ".", ".."}.isdisjoint(path.split("/")) and path != MARKER


def _staged(path: str) -> str:
    """Return the path under which a file is written before it is renamed."""
    folder, slash, name = path.rpartition("/")
    return folder + slash + _STAGED + name


def _stage(folder: int, name: str, pieces: Iterable[bytes], *, private: bool) -> None:
    """Write a file beside its place, to disk, with the permissions that it is to have: those that it has, or of a new one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_STAGED + name, dir_fd=folder)
    handle = os.open(_STAGED + name, _NEW, PRIVATE, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            if not private:
                os.fchmod(handle, _mode(folder, name))
            os.fsync(handle)
    except BaseException:
        os.unlink(_STAGED + name, dir_fd=folder)
        raise


def _mode(folder: int, name: str) -> int:
    """Return the permissions of a file, or those of a new one."""
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask


def _unstage(folder: int, name: str) -> None:
    """Put a staged file into its place."""
    os.replace(_STAGED + name, name, src_dir_fd=folder, dst_dir_fd=folder)
