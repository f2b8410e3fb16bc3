"""Finding the files below a folder that the caller names: what is taken, what is left out, and what is reported.

Nothing that is found leads out of the folder: a link to a file of the same folder is taken by name, as a mounted ConfigMap
needs it, and opened by its target; any other link is passed over.
"""

# Links are the subject here, and os names them; pathlib's resolve fails on circles before Python 3.13.
# ruff: noqa: PTH100, PTH112, PTH113, PTH116, PTH118, PTH119, PTH120

from __future__ import annotations

import os
import re
import stat

from krm_fn.base import Record, some
from krm_fn.files.reading import (
    KUSTOMIZATIONS,
    MARKER,
    SUFFIXES,
    inside,
    kind,
    read,
    read_below,
    show,
    unreadable,
)
from krm_fn.krm.results import ERROR, INFO, WARNING, Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_CHART = "Chart.yaml"
_IGNORE = ".krmignore"
_LARGEST_SETTINGS = 1024 * 1024
_MOST_FILES = 200_000
_KPTFILE = "Kptfile"
_KPT_FUNCTION = re.compile(rb"(?m)^[ \t-]*(?:image|exec):[ \t]*['\"]?([^\s'\"#]+)")
_NAMED = 5  # charts that the warning about them names


class Found(Record):
    """A file to read."""

    path: str  # where it is, beginning as the user gave it
    relative: str  # below the folder that the user gave; its name if the user gave the file itself
    below: str = ""  # below the folder that it was found in; "" if the user gave the file itself
    root: str = ""  # the resolved folder that it must not lead out of; "" if the user gave the file itself
    real: str = ""  # where it is, resolved

    @property
    def pattern(self) -> str:
        """What --exclude takes to leave out this file alone; "" if the user gave the file itself."""
        return _pattern(self.below) if self.below else ""


class Rules(Record):
    """What is left out of folders."""

    skip: frozenset[str] = frozenset()  # resolved paths of folders and files
    exclude: tuple[str, ...] = ()  # patterns in the syntax of .gitignore, relative to each folder that the user gave
    rendered: bool = False  # whether the folders are rendered output, where a kustomization is not a layout to be built


def read_found(found: Found) -> bytes:
    """Return the bytes of a file that `find` found.

    Raises:
        Errors: It can't be read, leads out of its folder by now, is not a regular file, or is too large.
    """
    return read_below(found.root, found.path, real=found.real) if found.root else read(found.path)


def find(paths: Sequence[str], rules: Rules | None = None) -> tuple[list[Found], list[Result]]:
    """Find the files below paths: `*.yaml`, `*.yml`, `*.json`, sorted by path; a file given itself may have any name.

    Returns:
        The files, each once, and what to report: errors for what can't be read, warnings for what is passed over.
    """
    walk = _Walk(rules or Rules(), many=len(paths) > 1)
    for path in paths:
        walk.given(path)
    return walk.found, walk.results


class _Walk:
    def __init__(self, rules: Rules, *, many: bool) -> None:
        self.rules = rules
        self.many = many  # whether several paths were given
        self.root = ""  # the folder that is walked through, resolved
        self.shown = ""  # the same as the user gave it, for messages
        self.prefix = ""  # before the relative paths of its files
        self.found: list[Found] = []
        self.results: list[Result] = []
        self.seen: set[str] = set()
        self.charts: list[str] = []

    def given(self, path: str) -> None:
        """Take a file or folder that the user gave."""
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except (OSError, ValueError) as error:
            self.results.append(unreadable(path, error))
            return
        real = os.path.realpath(path)
        if is_folder:
            before = len(self.found), len(self.results)
            self.root, self.shown = real, show(path)
            self.prefix = os.path.basename(os.path.abspath(path)) + "/" if self.many else ""
            self.folder(path, "", [(line, "") for line in self.rules.exclude])
            self.report_charts()
            if (len(self.found), len(self.results)) == before and not any(inside(one, real) for one in self.seen):
                message = f"{self.shown} holds no file that ends in {', '.join(SUFFIXES)}"
                self.report(message, path, WARNING, rule="no-files")
        elif not self.many and os.path.basename(path) in KUSTOMIZATIONS:
            folder = show(os.path.dirname(path) or ".")
            self.report(
                f"{show(path)} is read by kustomize: give its folder, {folder}, as PATH", path, rule="kustomize-root"
            )
        elif real not in self.seen and self.good_name(path, path):
            self.seen.add(real)
            self.found.append(Found(path=path, relative=os.path.basename(path)))

    def report(self, message: str, path: str, severity: str = ERROR, *, rule: str = "") -> None:
        self.results.append(Result(message=message, severity=severity, file_path=show(path), rule=rule))

    def report_charts(self) -> None:
        if self.charts:
            what = "is a Helm chart" if len(self.charts) == 1 else "are Helm charts"
            message = f"{some([show(one) for one in self.charts], _NAMED)} {what}: not read; render with `helm template` and give the output as -"
            self.report(message, self.charts[0], WARNING, rule="helm-chart")
            self.charts = []

    def folder(self, path: str, relative: str, ignored: Sequence[tuple[str, str]]) -> None:
        """Take the files of a folder, then those below it."""
        try:
            with os.scandir(path) as listing:
                entries = sorted(listing, key=lambda entry: entry.name)
        except OSError as error:
            self.results.append(unreadable(path, error))
            return
        names = {entry.name for entry in entries}
        if self.refused(path, relative, names):
            return
        if _KPTFILE in names:
            self.package(os.path.join(path, _KPTFILE))
        if _IGNORE in names:
            ignored = [*ignored, *self.ignore_file(os.path.join(path, _IGNORE), relative)]
        for entry in entries:
            if not entry.name.startswith(".") and entry.name not in KUSTOMIZATIONS:
                below = f"{relative}/{entry.name}" if relative else entry.name
                where = entry.name if path == os.curdir else os.path.join(path, entry.name)
                self.entry(entry, where, below, ignored)

    def entry(self, entry: os.DirEntry[str], path: str, relative: str, ignored: Sequence[tuple[str, str]]) -> None:
        """Take a file, or a link to one as a mounted ConfigMap has them; walk through a folder."""
        is_folder = entry.is_dir(follow_symlinks=False)
        if _is_ignored(relative, ignored, is_folder=is_folder):
            return
        real = os.path.realpath(path) if entry.is_symlink() else os.path.join(self.root, relative)
        if is_folder:
            if real not in self.rules.skip and self.good_name(path, entry.name):
                self.folder(path, relative, ignored)
        elif entry.is_symlink() and not (inside(real, self.root) and os.path.isfile(path)):
            if entry.name.endswith(SUFFIXES) or os.path.isdir(path):
                self.pass_over(path, "a link that leads to no file in this folder")
        elif entry.name.endswith(SUFFIXES):
            if os.path.isfile(path):
                self.take(path, relative, real)
            else:
                self.pass_over(path, f"{kind(entry.stat(follow_symlinks=False).st_mode)}, not a regular file")

    def refused(self, path: str, relative: str, names: Collection[str]) -> bool:
        """Return whether a folder is not one of plain manifests; report it, unless it is our own output."""
        if relative and MARKER in names:
            message = f"{show(path)} holds output of `render` ({MARKER}): it is not read"
            self.report(message, path, INFO)
            return True
        if _CHART in names and relative:
            self.charts.append(path)
            return True
        if _CHART in names:
            remedy = "render it with `helm template`, and give the output (- for a pipe)"
            if self.rules.rendered:
                remedy = "give a tree that `clusternet-capi-fn render -o DIR` wrote"
            message = f"{show(path)} is a Helm chart: {remedy}"
            self.report(message, path, rule="helm-chart")
            return True
        found = [name for name in KUSTOMIZATIONS if name in names]
        if relative and found and not self.rules.rendered:
            message = (
                f"{show(path)} is built by kustomize ({found[0]}), and {self.shown} is read as plain files: give"
                f" {show(path)} as PATH instead, or leave it out with --exclude {_pattern(show(relative))}"
            )
            self.report(message, os.path.join(path, found[0]), rule="nested-root")
            return True
        return False

    def package(self, path: str) -> None:
        """Warn about a kpt package that runs other functions."""
        if any(b"clusternet-capi-fn" not in name for name in _KPT_FUNCTION.findall(self.settings(path))):
            message = f"{show(path)} runs other functions, which are not run here: use `kpt fn render`"
            self.report(message, path, WARNING, rule="function-ignored")

    def ignore_file(self, path: str, relative: str) -> list[tuple[str, str]]:
        """Return the lines of a `.krmignore`, with the folder that they count from."""
        lines = self.settings(path).decode("utf-8", "replace").splitlines()
        return [(line, relative) for line in lines if line.strip() and not line.startswith("#")]

    def settings(self, path: str) -> bytes:
        """Return what a small file holds; report it where it can't be read."""
        try:
            return read_below(self.root, path, _LARGEST_SETTINGS)
        except Errors as errors:
            self.results += errors.results
            return b""

    def pass_over(self, path: str, reason: str) -> None:
        """Report that something is not read."""
        message = f"{show(path)} is {reason}: it is not read; name it on the command line if it belongs here"
        self.report(message, path, WARNING)

    def good_name(self, path: str, name: str) -> bool:
        """Return whether a name can be shown, and written into a list of names; report it where not."""
        if name.isprintable() and (name.isascii() or show(name) == name):
            return True
        reason = "is not printable UTF-8 text: rename the file"
        if os.fsencode(name) == show(name).encode():
            reason = "can't be read in this locale: set LC_ALL=C.UTF-8"
        message = f"the file name {show(path)} {reason}, or leave it out with --exclude"
        self.report(message, path, rule="file-name")
        return False

    def take(self, path: str, relative: str, real: str) -> None:
        """Take a file, once."""
        if real in self.seen or real in self.rules.skip or not self.good_name(path, os.path.basename(path)):
            return
        self.seen.add(real)
        if len(self.seen) > _MOST_FILES:
            message = f"{self.shown} holds more than {_MOST_FILES} files: give a smaller folder, or --exclude some"
            raise Errors.of(message, file_path=self.shown)
        self.found.append(Found(path=path, relative=self.prefix + relative, below=relative, root=self.root, real=real))


# --- patterns in the syntax of .gitignore ----------------------------------------------------------------------------


def _is_ignored(path: str, lines: Sequence[tuple[str, str]], *, is_folder: bool) -> bool:
    """Return whether a path is left out; the last line that matches decides."""
    ignored = False
    for line, folder in lines:
        pattern = line.rstrip().removesuffix("/")
        negated = pattern.startswith("!")
        pattern = pattern.removeprefix("!").removeprefix("\\")
        if ignored is not negated or not pattern or (line.rstrip().endswith("/") and not is_folder):
            continue
        below = path.removeprefix(f"{folder}/") if folder else path
        if "/" not in pattern:
            below = below.rpartition("/")[2]
        if _matches(pattern.removeprefix("/").split("/"), below.split("/")):
            ignored = not negated
    return ignored


def _pattern(relative: str) -> str:
    """Return the pattern for one file or folder and no other, as a shell takes it."""
    from shlex import quote  # noqa: PLC0415 - for errors only

    literal = re.sub(r"[*?[]", r"[\g<0>]", relative)
    return quote(literal if "/" in literal else f"/{literal}")


def _matches(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Match a path by its components; `**` stands for any number of them."""
    from fnmatch import fnmatchcase  # noqa: PLC0415 - most folders have no patterns

    reached = {0}  # how many components of the path the pattern so far can stand for
    for part in pattern:
        if part == "**":
            reached = set(range(min(reached), len(path) + 1)) if reached else set()
        else:
            reached = {at + 1 for at in reached if at < len(path) and fnmatchcase(path[at], part)}
    return len(path) in reached
