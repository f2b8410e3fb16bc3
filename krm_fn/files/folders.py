"""Finding and reading manifest files below folders, without leaving them."""

# Pathlib's resolve fails on links in a circle before Python 3.13; os.path's realpath does not.
# ruff: noqa: PTH100, PTH110, PTH112, PTH113, PTH116, PTH118, PTH119, PTH123

from __future__ import annotations

import os
import stat

from krm_fn.base.records import Record
from krm_fn.krm.results import ERROR, WARNING, Result, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

SUFFIXES = (".yaml", ".yml", ".json")


class Found(Record):
    """A file to read.

    Attributes:
        path: Where it is, beginning as the user gave it.
        relative: Below the folder that the user gave; its name if the user gave the file itself.
        explicit: Whether the user gave the file itself.
    """

    path: str
    relative: str
    explicit: bool


def find(paths: Sequence[str], skip: Collection[str] = ()) -> tuple[list[Found], list[Result]]:
    """Find the files below paths: `*.yaml`, `*.yml`, `*.json`, sorted by path; a file given itself may have any name.

    Args:
        paths: Folders and files.
        skip: Real paths that are passed over silently.

    Returns:
        The files, each once, and what to say: errors for paths that can't be read, warnings for links passed over.
    """
    found: list[Found] = []
    results: list[Result] = []
    seen: set[str] = set()
    many = len(paths) > 1
    for path in paths:
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as error:
            results.append(_unreadable(path, error))
            continue
        if stat.S_ISDIR(mode):
            before = len(found)
            walk = _Walk(path, os.path.basename(os.path.abspath(path)) if many else "", skip, seen)
            walk.folder(path, "")
            found += walk.found
            results += walk.results
            if len(found) == before and not walk.results:
                message = f"{path} holds no file that ends in {', '.join(SUFFIXES)}"
                results.append(Result(message=message, severity=WARNING, file_path=path))
        elif (real := os.path.realpath(path)) not in seen:
            seen.add(real)
            found.append(Found(path=path, relative=os.path.basename(path), explicit=True))
    return found, results


class _Walk:
    """One walk through a folder."""

    def __init__(self, root: str, prefix: str, skip: Collection[str], seen: set[str]) -> None:
        self.root = os.path.realpath(root)
        self.prefix = prefix
        self.skip = skip
        self.seen = seen
        self.found: list[Found] = []
        self.results: list[Result] = []

    def folder(self, path: str, relative: str) -> None:
        """Take the files of a folder, then those below it."""
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.results.append(_unreadable(path, error))
            return
        for entry in entries:
            if entry.name.startswith("."):
                continue
            below = f"{relative}/{entry.name}" if relative else entry.name
            where = entry.name if path == os.curdir else os.path.join(path, entry.name)
            if entry.is_symlink():
                self.link(where, below)
            elif entry.is_dir(follow_symlinks=False):
                if os.path.realpath(where) not in self.skip:
                    self.folder(where, below)
            elif entry.is_file(follow_symlinks=False) and entry.name.endswith(SUFFIXES):
                self.take(where, below, os.path.realpath(where))

    def link(self, path: str, relative: str) -> None:
        """Take a link to a file of this folder, as a mounted ConfigMap has them; pass over any other."""
        real = os.path.realpath(path)
        inside = real.startswith(self.root.rstrip(os.sep) + os.sep)
        if os.path.isdir(path) or real == self.root:
            self.pass_over(
                path, "a link to a folder" if inside or real == self.root else "a link that leads out of the folder"
            )
        elif not relative.endswith(SUFFIXES):
            return
        elif not os.path.exists(path):
            self.pass_over(path, "a link to nothing, or in a circle")
        elif not inside:
            self.pass_over(path, "a link that leads out of the folder")
        elif os.path.isfile(path):
            self.take(path, relative, real)

    def pass_over(self, path: str, reason: str) -> None:
        """Say that a link is not followed."""
        message = f"{path} is {reason}: it is not read; name it on the command line if it belongs here"
        self.results.append(Result(message=message, severity=WARNING, file_path=path))

    def take(self, path: str, relative: str, real: str) -> None:
        """Take a file, once."""
        if real not in self.seen and real not in self.skip:
            self.seen.add(real)
            below = f"{self.prefix}/{relative}" if self.prefix else relative
            self.found.append(Found(path=path, relative=below, explicit=False))


def read(path: str) -> bytes:
    """Return a file's bytes.

    Raises:
        Faults: It can't be read, or is gone.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        reason = _reason(error)
        message = f"can't read {path}: {reason}"
        raise fault(message, file_path=path) from None


def _unreadable(path: str, error: OSError | ValueError) -> Result:
    return Result(message=f"can't read {path}: {_reason(error)}", severity=ERROR, file_path=path)


def _reason(error: OSError | ValueError) -> str:
    return error.strerror or "unknown reason" if isinstance(error, OSError) else "not a path"
