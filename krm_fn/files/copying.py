"""A private copy of a folder for kustomize to build, with the bases that it leads to.

The guarded reader makes it: regular files, no link that leads out of the repository. The copy differs from the folder in
one thing: a function that is configured as a program (`exec`) is configured there as a container (`files.functions`), which
makes no difference to anything but who is asked to run it.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH103, PTH107, PTH112, PTH113, PTH118, PTH119, PTH120, PTH208

from __future__ import annotations

import contextlib
import os
import re

from krm_fn.files import reading, writing
from krm_fn.files.functions import Functions
from krm_fn.files.reading import show
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.krm.streams import read_documents
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import TOO_MANY_ALIASES, load

_LARGEST_FILE = 64 * 1024 * 1024
_LARGEST_COPY = 512 * 1024 * 1024
_LARGEST_TEXTS = 16 * 1024 * 1024
_MOST_FILES = 50_000
_DEEPEST = 64
_NOTES = 3
# A word of a kustomization that leads upwards: bases may be anywhere in the repository.
_UPWARDS = re.compile(r"\"([^\"\n]*\.\.[^\"\n]*)\"|'([^'\n]*\.\.[^'\n]*)'|([^\s\"',\[\]{}=]*\.\.[^\s\"',\[\]{}]*)")
_WHOLE_LINE = re.compile(r"(?m)^[ \t]*-[ \t]+(\S.*\.\..*?)[ \t]*$")
_FUNCTION_FIELDS = ("generators", "transformers", "validators")
_URL = re.compile(r"https?://\S+")
_GROUPS = (b"fn.clusternet.io", b"cluster.x-k8s.io")
_ALIAS = re.compile(rb"[\s\[{,:-]\*[A-Za-z0-9_-]")


class Copy:
    """A private copy of a folder, and of the folders with a kustomization that it leads to."""

    def __init__(self, given: str, target: str, *, keep_programs: bool) -> None:
        self.given = given  # the folder, as the caller gave it
        self.root = os.path.realpath(given)  # the same, resolved
        self.bound = _bound(self.root)  # what may be copied: the repository that holds it, resolved
        self.target = target
        self.keep_programs = keep_programs
        # files that hold configurations of ours or Clusters, with their bytes
        self.sources: list[tuple[str, bytes]] = []
        self.warnings: list[Result] = []  # what the build may not know
        self.functions = Functions(self.warnings, keep=keep_programs)
        self.notes: dict[str, str] = {}  # what is not copied -> the name that a build would miss it by
        self.budget = reading.Budget(_LARGEST_COPY)
        self.done: set[str] = set()
        self.waiting = [self.root]
        self.files = 0

    @property
    def limit(self) -> str:
        """What bounds the copy, for messages."""
        if os.path.lexists(os.path.join(self.bound, ".git")):
            return "the Git repository"
        return "and there is no Git repository: run this in a folder that holds both"

    def place(self, path: str) -> str:
        """Return where a path of the repository is in the copy."""
        return os.path.normpath(os.path.join(self.target, os.path.relpath(path, self.bound)))

    def make(self) -> None:
        """Copy.

        Raises:
            Errors: The kustomization can't be read, or it is all too much.
        """
        name = reading.kustomization(self.root)
        reading.read_below(self.bound, os.path.join(self.given, name), _LARGEST_FILE)
        while self.waiting:
            folder = self.waiting.pop()
            if not any(folder == one or reading.inside(folder, one) for one in self.done):
                self.folder(folder, self.place(folder), (folder,))
                self.done.add(folder)

    def folder(self, path: str, place: str, above: tuple[str, ...]) -> None:
        """Copy a folder with all that is below it."""
        os.makedirs(place, 0o700, exist_ok=True)
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            self.notes[f"{show(path)} can't be read ({error.strerror})"] = os.path.basename(path)
            return
        for name in names:
            if name == ".git":
                continue
            where, there = os.path.join(path, name), os.path.join(place, name)
            real = os.path.realpath(where)
            if not reading.inside(real, self.bound):
                self.notes[f"{self.shown(where)} is a link that leads out of {show(self.bound)}"] = name
            elif os.path.isdir(real):
                if real not in above and len(above) < _DEEPEST:
                    self.folder(real, there, (*above, real))
            elif os.path.isfile(real):
                self.file(where, there)

    def file(self, path: str, place: str) -> None:
        """Copy a file; functions that it configures as programs become containers with a number."""
        self.files += 1
        if self.files > _MOST_FILES:
            message = f"{show(self.given)} holds or reaches more than {_MOST_FILES} files: give a smaller folder"
            raise Errors.of(message, file_path=show(self.given))
        try:
            data = self.budget.take(reading.read_below(self.bound, path, _LARGEST_FILE))
        except Errors as errors:
            if self.budget.left < 0:
                raise
            self.notes.update({one.message: os.path.basename(path) for one in errors.results})
            return
        problem = _multiplies(data)
        if problem:
            self.notes[f"{self.shown(path)} is not read: {problem}"] = os.path.basename(path)
            return
        if os.path.basename(path) in reading.KUSTOMIZATIONS:
            self.follow(path, data)
            self.warn_of_remote(data, self.shown(path))
        if any(group in data for group in _GROUPS) and path.endswith(reading.SUFFIXES):
            self.sources.append((self.shown(path), data))
        data = self.functions.rewritten(data, path, self.shown(path))
        mode = 0o700 if self.keep_programs and os.access(path, os.X_OK) else 0o600
        with contextlib.suppress(FileExistsError):
            writing.create(place, data, mode)

    def follow(self, path: str, data: bytes) -> None:
        """Have the folders copied that words of a kustomization lead up to, if they have one too.

        The words' meaning is kustomize's: a word too many is a folder too many, and one that is missed fails the build.
        """
        text = data.decode("utf-8", "replace")
        words = ["".join(match) for match in _UPWARDS.findall(text)] + _WHOLE_LINE.findall(text)
        for word in dict.fromkeys(words):
            if "\0" in word or "://" in word:
                continue
            target = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(path)), word))
            if reading.inside(path, target) or not os.path.isdir(target) or not reading.kustomization(target):
                continue
            if reading.inside(target, self.bound):
                self.waiting.append(target)
            else:
                self.notes[f"{show(word)} leads out of {show(self.bound)}, {self.limit}"] = word

    def warn_of_remote(self, data: bytes, shown: str) -> None:
        """Warn about a function that is fetched by itself: kustomize reads it without this process."""
        try:
            value = load(data)
        except BadYaml:
            return  # kustomize reports it
        for field in _FUNCTION_FIELDS if isinstance(value, dict) else ():
            entries = value.get(field)
            for one in entries if isinstance(entries, list) else ():
                if isinstance(one, str) and _URL.fullmatch(one):
                    message = (
                        f"{shown} takes a function from {one}: if that is configured as a program, kustomize leaves it out"
                        " without a word; keep the file in the repository"
                    )
                    self.warnings.append(
                        Result(message=message, severity=WARNING, file_path=shown, tags=tagged(rule="remote-function"))
                    )

    def shown(self, path: str) -> str:
        """Return a path for messages, beginning as the caller gave it where it can."""
        if reading.inside(path, self.root):
            return show(os.path.normpath(os.path.join(self.given, os.path.relpath(path, self.root))))
        return show(path)

    def unread(self, errors: str) -> tuple[list[str], list[str]]:
        """Return what was not copied: what kustomize's errors name, and what else may explain why the build failed."""
        causes = [note for note, name in self.notes.items() if name in errors]
        others = [note for note in self.notes if note not in causes]
        more = len(others) - _NOTES
        return causes[:_NOTES], others[:_NOTES] + ([f"and {more} more are not read"] if more > 0 else [])

    def texts(self) -> list[str]:
        """Return what the copied files hold, so that messages can be cleared of it."""
        found: list[str] = []
        left = _LARGEST_TEXTS
        for folder, _, names in os.walk(self.target):
            for name in sorted(names):
                data = reading.read(os.path.join(folder, name))
                left -= len(data)
                if left >= 0:
                    found.append(data.decode("utf-8", "replace"))
        return found

    def fetched(self, folder: str) -> None:
        """Rewrite the functions of a folder that was fetched into the temporary files of this build."""
        folder = os.path.realpath(folder)
        if not reading.inside(folder, os.path.dirname(self.target)):
            return
        for place, _, names in os.walk(folder):
            for name in sorted(names):
                path = os.path.join(place, name)
                with contextlib.suppress(Errors):  # kustomize reads no more than this
                    data = reading.read_below(folder, path, _LARGEST_FILE)
                    shown = show(os.path.relpath(path, folder))
                    if name in reading.KUSTOMIZATIONS:
                        self.warn_of_remote(data, shown)
                    new = self.functions.rewritten(data, path, shown)
                    if new != data:
                        os.remove(path)
                        writing.create(path, new)


def _multiplies(data: bytes) -> str:
    """Say that the aliases of a text stand for too much, which kustomize would write out; "" where they don't."""
    if b"&" not in data or not _ALIAS.search(data):
        return ""
    try:
        for document in read_documents(data):
            load(data[document.body : document.body_end])
    except BadYaml as error:
        return error.problem if error.problem.startswith(TOO_MANY_ALIASES) else ""
    except Errors as errors:
        found = [one.message.partition(TOO_MANY_ALIASES) for one in errors.results]
        return next((f"{what}{rest}" for _, what, rest in found if what), "")
    return ""


def _bound(root: str) -> str:
    """Return the folder that a build must not lead out of: the repository, else the working folder, else its own."""
    folder = root
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return folder
        if os.path.dirname(folder) == folder:
            break
        folder = os.path.dirname(folder)
    here = os.path.realpath(os.curdir)
    return here if reading.inside(root, here) and here != os.sep else root
