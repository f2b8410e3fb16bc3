"""A Git revision as files in a private folder, read from the object database and by nothing that a repository configures.

No working tree is checked out, so no hook, filter (`smudge`, LFS), `textconv` or attribute of the repository is run, and no
reference or index of it changes. Git gets a clean environment; a partial clone fetches nothing.
"""

# Links and modes are the subject here, and os names them.
# ruff: noqa: PTH103, PTH118, PTH120, PTH211

from __future__ import annotations

import os
import subprocess

from krm_fn.base import Record
from krm_fn.files import writing
from krm_fn.files.reading import KUSTOMIZATIONS, caller_path, find_program
from krm_fn.krm.results import Errors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

_KUSTOMIZATIONS = tuple(name.encode() for name in KUSTOMIZATIONS)
_LARGEST = 1024 * 1024 * 1024
_MOST_FILES = 200_000
_LINK = b"120000"
_FILES = (b"100644", b"100755", _LINK)
_SETTINGS = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.quotePath", "false"),
    ("protocol.allow", "never"),
    ("safe.directory", "*"),  # reading objects runs nothing, whoever owns the repository
)


class _Entry(Record):
    mode: bytes
    object: str
    path: bytes


def write_out(name: str, paths: Sequence[str], folder: str) -> tuple[str, ...]:
    """Write what a revision has at some paths of a repository's working tree into an empty private folder.

    Where a path holds a kustomization, all of the revision is written, since a kustomization may refer to any part of it.

    Returns:
        The paths in that folder, in their order; "" for one that the revision does not have.

    Raises:
        Errors: There is no Git, no repository or no such revision, or it is too large.
    """
    if not find_program("git"):
        _refuse("--against needs git, which is not on PATH; give a rendered tree with --baseline instead")
    top = _top(paths)
    commit = _commit(top, name)
    wanted = [os.path.relpath(os.path.realpath(path), top) for path in paths]
    for path, one in zip(paths, wanted, strict=True):
        if one == ".." or one.startswith("../"):
            _refuse(f"{path} is not in the Git repository {top}, so --against can't find it in {name}")
    entries = _entries(top, commit)
    under = [entry for entry in entries if any(_below(entry.path, one) for one in wanted)]
    if any(entry.path.rpartition(b"/")[2] in _KUSTOMIZATIONS for entry in under):
        under = entries
    if len(under) > _MOST_FILES:
        _refuse(f"{name} has more than {_MOST_FILES:,} files at these paths")
    _write(top, under, folder)
    os.makedirs(
        os.path.join(folder, ".git"), exist_ok=True
    )  # so that bases are looked for in all of it, and no further
    there = [os.path.join(folder, one) if one != "." else folder for one in wanted]
    return tuple(one if os.path.lexists(one) else "" for one in there)


def _below(path: bytes, wanted: str) -> bool:
    name = os.fsencode(wanted)
    return name in {b".", path} or path.startswith(name + b"/")


def _top(paths: Sequence[str]) -> str:
    """Return the root of the working tree that all paths are in."""
    start = os.path.realpath(paths[0])  # may be gone in the working tree
    # a folder that looks like a repository, as one without a working tree does, may have been committed: not Git's to find
    while not os.path.lexists(os.path.join(start, ".git")) and start != os.path.dirname(start):
        start = os.path.dirname(start)
    done = _git(start, ["rev-parse", "--show-toplevel"])
    if done.returncode:
        _refuse(f"{paths[0]} is not in the working tree of a Git repository, which --against needs")
    return os.fsdecode(done.stdout.rstrip(b"\n"))


def _commit(top: str, name: str) -> str:
    done = _git(top, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"])
    if done.returncode:
        _refuse(
            f"there is no Git revision {name!r} in {top}; in CI, fetch it first (a shallow clone has only the newest commit)"
        )
    return done.stdout.decode().strip()


def _entries(top: str, commit: str) -> list[_Entry]:
    done = _git(top, ["ls-tree", "-r", "-z", "--full-tree", commit])
    if done.returncode:
        _refuse(f"can't list {commit}: {_last_line(done.stderr)}")
    found = []
    for line in done.stdout.split(b"\0"):
        head, tab, path = line.partition(b"\t")
        mode, _, object_ = head.split(b" ") if tab else (b"", b"", b"")
        if mode in _FILES:
            found.append(_Entry(mode=mode, object=object_.decode(), path=path))
    links = {entry.path for entry in found if entry.mode == _LINK}
    for entry in found:
        parts = entry.path.split(b"/")
        above = {b"/".join(parts[:depth]) for depth in range(1, len(parts))}
        if {b"", b".", b"..", b".git"} & set(parts) or above & links:  # no such tree comes of `git add`
            _refuse(f"{commit} has a path that would lead out of its own folder: {os.fsdecode(entry.path)!r}")
    return found


def _write(top: str, entries: Iterable[_Entry], folder: str) -> None:
    """Write the files of a revision, links as links; what reads them follows none that leads out."""
    total = 0
    command = _command(top, ["cat-file", "--batch"])
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=_environment(), stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL) as process:
        for entry in entries:
            assert process.stdin is not None  # noqa: S101 - asked for above
            assert process.stdout is not None  # noqa: S101
            process.stdin.write(entry.object.encode() + b"\n")
            process.stdin.flush()
            answer = process.stdout.readline().split()
            if len(answer) != 3 or answer[1] != b"blob":  # noqa: PLR2004 - id, type and size
                _refuse(
                    f"Git has no content for {os.fsdecode(entry.path)}: a partial clone is not enough for --against"
                )
            size = int(answer[2])
            total += size
            if total > _LARGEST:
                _refuse(f"the revision is larger than {_LARGEST >> 20} MiB")
            data = process.stdout.read(size)
            process.stdout.read(1)
            path = os.path.join(os.fsencode(folder), entry.path)
            os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
            if entry.mode == _LINK:
                os.symlink(data, path)
            else:
                writing.create(path, data)


def _git(folder: str, arguments: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        _command(folder, arguments), env=_environment(), capture_output=True, check=False, stdin=subprocess.DEVNULL
    )


def _command(folder: str, arguments: list[str]) -> list[str]:
    settings = [part for key, value in _SETTINGS for part in ("-c", f"{key}={value}")]
    return ["git", "-C", folder, *settings, *arguments]


def _environment() -> dict[str, str]:
    """Return the environment for Git: nothing of the caller's but the absolute folders in which it finds programs."""
    return {
        "PATH": caller_path(),
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
    }


def _last_line(text: bytes) -> str:
    lines = text.decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "no reason given"


def _refuse(message: str) -> NoReturn:
    raise Errors.of(message, rule="revision")
