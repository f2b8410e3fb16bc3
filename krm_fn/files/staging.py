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


def create(path: str | bytes, data: bytes, mode: int = PRIVATE) -> None:
    """Write a new file; no link is followed and nothing is overwritten.

    Raises:
        OSError: It exists, or can't be written.
    """
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)


def exists(folder: int, name: str) -> bool:
    """Return whether an open folder has an entry of a name, a link to nothing included."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def misfit(folder: int, name: str, shown: str) -> str:
    """Say why a name can't be replaced by a file; "" where it is one, or free."""
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return ""
    if stat.S_ISREG(mode):
        return ""
    return f"can't write {show(shown)}: it is {reading.kind(mode)}, not a regular file"


def stage(folder: int, name: str, pieces: Iterable[bytes], *, private: bool) -> None:
    """Write a file beside its place, to disk, with the permissions that it is to have."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(STAGED + name, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(STAGED + name, flags, PRIVATE, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
            file.flush()
            if not private:
                os.fchmod(handle, _mode_of(folder, name))
            os.fsync(handle)
    except BaseException:
        os.unlink(STAGED + name, dir_fd=folder)
        raise


def _mode_of(folder: int, name: str) -> int:
    """Return the permissions that a file has, or that a new one gets."""
    try:
        return stat.S_IMODE(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except OSError:
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
