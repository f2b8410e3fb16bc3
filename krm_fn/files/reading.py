"""The one reader of files: everything that the program is given by path is opened here, and guarded.

- A path that the caller names may be a link, but must lead to a regular file (or be a descriptor that the caller has
  open, such as `/dev/stdin`).
- What is found below a folder never leads out of it: each component is opened by itself and without following links.
  A link to a file of the same folder is followed by name, as a mounted ConfigMap needs it, and opened by its target.
- Nothing is opened that could block or never end, and sizes are limited.
"""

# Descriptors and links are the subject here, and os names them; pathlib's resolve fails on circles before Python 3.13.
# ruff: noqa: PTH114, PTH117, PTH118, PTH122

from __future__ import annotations

import errno
import os
import re
import stat

from krm_fn.base import nearest
from krm_fn.krm.results import ERROR, Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

SUFFIXES = (".yaml", ".yml", ".json")
KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
MARKER = ".clusternet-capi-fn"  # the file that `render -o DIR` leaves in DIR

_LARGEST_FILE = 512 * 1024 * 1024
_LARGEST_INPUT = 1024 * 1024 * 1024
_CHUNK = 1024 * 1024
_SMALLEST_CHUNK = 4096  # the kernel's own files have no size
_DESCRIPTOR = re.compile(r"/dev/stdin|/(?:dev|proc/self)/fd/([0-9]{1,6})")
_SAFE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read(path: str, limit: int = _LARGEST_FILE) -> bytes:
    """Return the bytes of a file that the caller named.

    Raises:
        Errors: It can't be read, is not a regular file, or is too large.
    """
    if path.startswith(("/dev/", "/proc/")) and (given := _DESCRIPTOR.fullmatch(path)):
        try:
            with os.fdopen(os.dup(int(given[1] or 0)), "rb") as stream:
                return _bounded(stream.read(limit + 1), path, limit)
        except OSError as error:
            raise Errors([unreadable(path, error)]) from None
    try:
        handle = os.open(path, _SAFE)
    except (OSError, ValueError) as error:
        raise Errors([unreadable(path, error)]) from None
    return _contents(handle, path, limit)


def read_below(root: str, path: str, limit: int = _LARGEST_FILE, real: str = "") -> bytes:
    """Return the bytes of a file, which must be below a folder, links resolved.

    Args:
        root: The folder, resolved.
        path: The file, as messages call it.
        limit: The most bytes that it may have.
        real: Where it is, links resolved, if that is known.

    Raises:
        Errors: It can't be read, leads out of the folder, is not a regular file, or is too large.
    """
    try:
        real = real or os.path.realpath(path)
        if not inside(real, root):
            message = f"{show(path)} leads out of {show(root)}: it is not read"
            raise Errors.of(message, file_path=show(path))
        handle = open_below(root, real.removeprefix(root.rstrip(os.sep) + os.sep).split("/"))
    except (OSError, ValueError) as error:
        raise Errors([unreadable(path, error)]) from None
    return _contents(handle, path, limit)


def kustomization(folder: str) -> str:
    """Return the name of the file that makes a folder one that kustomize builds; "" where there is none."""
    return next((name for name in KUSTOMIZATIONS if os.path.lexists(os.path.join(folder, name))), "")


def inside(path: str, folder: str) -> bool:
    """Return whether a resolved path is below a resolved folder."""
    return path.startswith(folder.rstrip(os.sep) + os.sep)


def open_below(root: str, parts: Sequence[str]) -> int:
    """Open a file component by component, following no link; return its descriptor.

    Raises:
        OSError: A component is missing, or a link.
    """
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
            os.close(folder)
            folder = below
        return os.open(parts[-1], _SAFE | os.O_NOFOLLOW, dir_fd=folder)
    finally:
        os.close(folder)


def _contents(handle: int, path: str, limit: int) -> bytes:
    """Read an open file to its end, and close it."""
    try:
        status = os.fstat(handle)
        mode = status.st_mode
        if not stat.S_ISREG(mode):
            message = f"can't read {show(path)}: it is {kind(mode)}, not a regular file"
            raise Errors.of(message, file_path=show(path))
        pieces: list[bytes] = []
        size = 0
        chunk = min(_CHUNK, max(_SMALLEST_CHUNK, status.st_size + 1))
        while size <= limit and (piece := os.read(handle, min(chunk, limit + 1 - size))):
            pieces.append(piece)
            size += len(piece)
        return _bounded(b"".join(pieces), path, limit)
    except OSError as error:
        raise Errors([unreadable(path, error)]) from None
    finally:
        os.close(handle)


def _bounded(data: bytes, path: str, limit: int) -> bytes:
    if len(data) > limit:
        size = f"{limit // (1024 * 1024)} MiB" if limit >= 1024 * 1024 else f"{limit} bytes"
        message = f"can't read {show(path)}: it has more than {size}"
        raise Errors.of(message, file_path=show(path))
    return data


def kind(mode: int) -> str:
    """Say what a file is."""
    kinds = {
        stat.S_IFLNK: "a link",
        stat.S_IFDIR: "a folder",
        stat.S_IFREG: "a regular file",
        stat.S_IFIFO: "a named pipe",
        stat.S_IFSOCK: "a socket",
        stat.S_IFCHR: "a device",
        stat.S_IFBLK: "a device",
    }
    return kinds.get(stat.S_IFMT(mode), "something else")


class Budget:
    """What one run may read altogether."""

    def __init__(self, left: int = _LARGEST_INPUT) -> None:
        self.left = left
        self.most = left

    def take(self, data: bytes) -> bytes:
        """Count bytes that were read, and return them.

        Raises:
            Errors: The input is too large.
        """
        self.left -= len(data)
        if self.left < 0:
            message = f"the input has more than {self.most // (1024 * 1024)} MiB in total: give less, or --exclude some"
            raise Errors.of(message)
        return data


# --- names -----------------------------------------------------------------------------------------------------------


def show(path: str) -> str:
    """Return a path for messages: whatever is not printable UTF-8 is escaped."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()


def unreadable(path: str, error: OSError | ValueError) -> Result:
    """Report that a file or folder can't be read, and which one beside it may be meant."""
    if not path:
        return Result(message="the name of a file is empty: give a file or folder (. is this folder)")
    if isinstance(error, OSError):
        reason = error.strerror or "unknown reason"
        if error.errno == errno.ELOOP:
            reason = "it is a link that can't be followed"
        elif error.errno == errno.ENOENT and os.path.islink(path):
            reason = "it is a link to a file that does not exist"
    else:
        reason = "not a path"
    hint = _near(path) if isinstance(error, OSError) and error.errno == errno.ENOENT else ""
    return Result(message=f"can't read {show(path)}: {reason}{hint}", severity=ERROR, file_path=show(path))


def _near(path: str) -> str:
    """Name the file beside a missing one whose name is like it, to go on after a message."""
    folder, name = os.path.split(path.rstrip("/"))
    try:
        beside = os.listdir(folder or ".")  # noqa: PTH208 - undecodable names too
    except (OSError, ValueError):
        return ""
    # by the stem: `.yaml` alone makes no two names similar
    stems = {os.path.splitext(one)[0]: one for one in sorted(beside, reverse=True) if one != name}
    near = nearest(os.path.splitext(name)[0], stems)
    return f": did you mean {show(os.path.join(folder, stems[near]))}?" if near else ""


# --- programs --------------------------------------------------------------------------------------------------------


def find_program(name: str) -> str:
    """Return where a program is, by the absolute entries of PATH alone; "" where it is not."""
    from shutil import which  # noqa: PLC0415 - to run a program alone

    return which(name, path=caller_path()) or ""


def caller_path() -> str:
    """Return the caller's PATH without its relative entries, which would find what a checked-out repository holds."""
    return os.pathsep.join(one for one in os.environ.get("PATH", "").split(os.pathsep) if os.path.isabs(one))
