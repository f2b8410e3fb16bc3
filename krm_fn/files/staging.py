"""One file: created anew, or in an open folder written beside its place, to be renamed over it."""

from __future__ import annotations

import contextlib
import errno
import os
import stat

from krm_fn.files import reading
from krm_fn.files.reading import MARKER, show
from krm_fn.krm.results import Errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

STAGED = MARKER + ".new."  # begins the name under which a file is written
PRIVATE = 0o600
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create(path: str | bytes, data: bytes, mode: int = PRIVATE) -> None:
    """Write a new file; no link is followed and nothing is overwritten.

    Raises:
        OSError: It exists, or can't be written.
    """
    with os.fdopen(os.open(path, _NEW, mode), "wb") as file:
        file.write(data)


def entry(folder: int, name: str) -> os.stat_result | None:
    """Return what is known of an entry, which may be a link to nothing; None where there is none."""
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def misfit(folder: int, name: str, shown: str) -> str:
    """Say why a name can't be replaced by a file; "" where it is one, or free."""
    status = entry(folder, name)
    if status is None or stat.S_ISREG(status.st_mode):
        return ""
    return f"can't write {show(shown)}: it is {reading.kind(status.st_mode)}, not a regular file"


def stage(folder: int, name: str, pieces: Iterable[bytes], *, private: bool) -> None:
    """Write a file beside its place, to disk, with the permissions that it is to have: those that it has, or of a new one."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(STAGED + name, dir_fd=folder)
    handle = os.open(STAGED + name, _NEW, PRIVATE, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            if not private:
                status = entry(folder, name)
                os.fchmod(handle, _mode_of_new_files() if status is None else stat.S_IMODE(status.st_mode))
            os.fsync(handle)
    except BaseException:
        os.unlink(STAGED + name, dir_fd=folder)
        raise


def unstage(folder: int, name: str) -> None:
    """Put a staged file into its place."""
    os.replace(STAGED + name, name, src_dir_fd=folder, dst_dir_fd=folder)


def _mode_of_new_files() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def unwritable(path: str, error: OSError) -> Errors:
    """Return the error for a file or folder that the system would not have written."""
    reasons = {
        errno.ENOSPC: "no space left on the device",
        errno.EROFS: "the file system is read-only",
        errno.ELOOP: "a part of it is a link",
    }
    reason = reasons.get(error.errno or 0, error.strerror or "unknown reason")
    return Errors.of(f"can't write {show(path)}: {reason}; nothing was changed", file_path=show(path))
