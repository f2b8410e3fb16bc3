"""A private copy of a folder for kustomize to build, with the bases that it leads to.

The guarded reader makes it: regular files, no link that leads out of the repository. The copy differs from the folder in
one thing: a function that is configured as a program (`exec`) is configured there as a container, whose number says what
the file named. Kustomize asks `docker` for a container: whether it is run is decided only then (`files.kustomize`), so
what is not part of the build does not count.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH103, PTH107, PTH112, PTH113, PTH118, PTH119, PTH120, PTH208

from __future__ import annotations

import contextlib
import os
import re
from json import dumps

from krm_fn.base import Record
from krm_fn.files import reading, writing
from krm_fn.files.bases import upwards
from krm_fn.files.reading import show
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_documents
from krm_fn.yaml import BadYaml
from krm_fn.yaml.edit import revise
from krm_fn.yaml.read import TOO_MANY_ALIASES, load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OURS = "clusternet-capi-fn"  # the name of the program and of the image
NUMBERED = "function.invalid/"  # begins the name of an image that stands for a program of the copy
FUNCTION_ANNOTATIONS = ("config.kubernetes.io/function", "config.k8s.io/function")

_LARGEST_FILE = 64 * 1024 * 1024
_LARGEST_COPY = 512 * 1024 * 1024
_LARGEST_TEXTS = 16 * 1024 * 1024
_MOST_FILES = 50_000
_DEEPEST = 64
_NOTES = 3
_GROUPS = (b"fn.clusternet.io", b"cluster.x-k8s.io")
_ALIAS = re.compile(rb"[\s\[{,:-]\*[A-Za-z0-9_-]")
_LEGACY_FIELD = "configFn"  # of metadata, before the annotation
# A word or a way to write it in pieces: by escapes, on two lines, in base64.
_MAY_CONFIGURE = re.compile(rb"exec|starlark|\\[xuU\r\n]|binary")
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")  # its marks of order, by which kustomize knows it
_BEYOND = re.compile(f"{TOO_MANY_ALIASES}.*?values|nested (too deep|deeper than .*?levels)")
_FUNCTION_FIELDS = ("generators", "transformers", "validators")
_REMOTE_FILE = re.compile(r"https?://[^\s?]+\.(?:ya?ml|json)(?:\?\S*)?")


class Program(Record):
    """A program that a file of the copy configures as a function."""

    path: str  # as the file names it
    arguments: tuple[str, ...]
    file: str  # for messages

    @property
    def ours(self) -> bool:
        """Whether it is this function."""
        return os.path.basename(self.path) == OURS


class Copy:
    """A private copy of a folder, and of the folders with a kustomization that it leads to."""

    def __init__(self, given: str, target: str, *, keep_programs: bool) -> None:
        self.given = given  # the folder, as the caller gave it
        self.root = os.path.realpath(given)  # the same, resolved
        self.bound = _bound(self.root)  # what may be copied: the repository that holds it, resolved
        self.target = target
        self.keep_programs = keep_programs  # whether any but this one stays as it is, since programs may run
        self.sources: list[
            tuple[str, bytes]
        ] = []  # files that may hold our configuration or Clusters, with their bytes
        self.programs: list[Program] = []  # the numbers of images are positions here
        self.notes: dict[str, str] = {}  # what is not copied -> the name that a build would miss it by
        self.budget = reading.Budget(_LARGEST_COPY)
        self.done: set[str] = set()
        self.waiting = [self.root]
        self.files = 0  # and folders

    def place(self, path: str) -> str:
        """Return where a path of the repository is in the copy."""
        return os.path.normpath(os.path.join(self.target, os.path.relpath(path, self.bound)))

    def make(self) -> None:
        """Copy.

        Raises:
            Errors: The kustomization can't be read, or there is too much to copy.
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
        self.count()  # folders whose links lead to one another have more ways through them than anybody can walk
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
        self.count()
        try:
            data = self.budget.take(reading.read_below(self.bound, path, _LARGEST_FILE))
        except Errors as errors:
            if self.budget.left < 0:
                raise
            self.notes.update({one.message: os.path.basename(path) for one in errors.results})
            return
        new = self.rewritten(data, path, self.shown(path))
        if new is None:
            return
        if os.path.basename(path) in reading.KUSTOMIZATIONS and not self.follow(path, place, data):
            return
        if any(group in data for group in _GROUPS) and path.endswith(reading.SUFFIXES):
            self.sources.append((self.shown(path), data))
        mode = 0o700 if self.keep_programs and os.access(path, os.X_OK) else 0o600
        with contextlib.suppress(FileExistsError):
            writing.create(place, new, mode)

    def count(self) -> None:
        """Count a file or folder.

        Raises:
            Errors: There are too many.
        """
        self.files += 1
        if self.files > _MOST_FILES:
            message = f"{show(self.given)} reaches more than {_MOST_FILES} files and folders: give a smaller folder"
            raise Errors.of(message, file_path=show(self.given))

    def follow(self, path: str, place: str, data: bytes) -> bool:
        """Copy the folders that words of a kustomization lead up to, if they have a kustomization too.

        Only kustomize knows what the words mean: one that means no folder copies one too many, one that is missed fails the build.

        Returns:
            Whether kustomize may have the kustomization: from the copy, no word leads to a folder outside of it.
        """
        name = os.path.basename(path)
        try:
            words = upwards(data)
        except BadYaml as error:
            from krm_fn.yaml.explain import explained  # noqa: PLC0415 - for errors only

            said, line, column = explained(error, data)
            at = "" if line is None else f":{line + 1}:{(column or 0) + 1}"
            self.notes[f"{self.shown(path)}{at} is not read: invalid YAML: {said}"] = name
            return False
        for word in words:
            there = os.path.normpath(os.path.join(os.path.dirname(place), word))
            if not reading.inside(f"{there}/", self.target) and os.path.isdir(there):
                self.notes[f"{self.shown(path)} is not read: {show(word)} leads out of {show(self.bound)}"] = name
                return False
            target = os.path.realpath(os.path.join(os.path.dirname(os.path.realpath(path)), word))
            if reading.inside(path, target) or not os.path.isdir(target) or not reading.kustomization(target):
                continue
            if reading.inside(target, self.bound):
                self.waiting.append(target)
            else:
                self.notes[
                    f"{show(word)} leads out of {show(self.bound)}: run this in a Git repository or folder that holds both"
                ] = word
        return True

    def shown(self, path: str) -> str:
        """Return a path for messages, beginning as the caller gave it where it can."""
        if reading.inside(path, self.root):
            return show(os.path.normpath(os.path.join(self.given, os.path.relpath(path, self.root))))
        return show(path)

    def unread(self, errors: str) -> list[str]:
        """Return what was not copied and may be why the build failed, first what kustomize's errors name."""
        notes = sorted(self.notes, key=lambda note: self.notes[note] not in errors)
        more = len(notes) - _NOTES
        return notes[:_NOTES] + ([f"and {more} more are not read"] if more > 0 else [])

    def texts(self) -> list[bytes]:
        """Return what the copied files hold, so that messages can be cleared of it."""
        found: list[bytes] = []
        left = _LARGEST_TEXTS
        for folder, _, names in os.walk(self.target):
            for name in sorted(names):
                data = reading.read(os.path.join(folder, name))
                left -= len(data)
                if left >= 0:
                    found.append(data)
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
                    new = self.rewritten(data, path, show(os.path.relpath(path, folder)))
                    if new != data:
                        os.remove(path)
                    if new not in {None, data}:
                        writing.create(path, new)

    # --- programs ---

    def program(self, image: str | None) -> Program | None:
        """Return the program that an image stands for; None for a real image."""
        number = (image or "").removeprefix(NUMBERED)
        known = number != image and number.isdecimal() and int(number) < len(self.programs)
        return self.programs[int(number)] if known else None

    def rewritten(self, data: bytes, path: str, shown: str) -> bytes | None:
        """Return a file with its programs as containers; None, with a note, for one that kustomize must not get.

        That is a file beyond what is read here: its aliases would be written out, a program in it left out without a word.
        The name in `path` tells a kustomization, whose texts may configure functions too; `shown` is for messages.
        """
        name = os.path.basename(path)
        nested = name in reading.KUSTOMIZATIONS
        plain = data.decode("utf-16", "replace").encode() if data.startswith(_UTF_16) else data
        try:
            if b"&" in plain and _ALIAS.search(plain):
                for document in read_documents(plain):
                    load(plain[document.body : document.body_end])
            if _MAY_CONFIGURE.search(plain) or (nested and b"://" in plain):
                new = self.text(plain, shown, nested=nested)
                return data if new == plain else new
        except (BadYaml, Errors) as error:
            beyond = _BEYOND.search(str(error))
            if beyond:
                self.notes[f"{shown} is not read: {beyond[0]}"] = name
                return None
        return data  # where it is no YAML, kustomize reports it, or does not read it either

    def text(self, data: bytes, shown: str, *, nested: bool) -> bytes:
        """Return a stream with its programs as containers."""
        pieces: list[bytes] = []
        end = 0
        for document in read_documents(data):
            body = data[document.body : document.body_end]
            value = load(body) if nested or _MAY_CONFIGURE.search(body) else None
            new = self.value(value, shown, nested=nested)
            if new != value:
                text = revise(body, new) if isinstance(value, dict) else dumps(new).encode()  # a patch may be a list
                pieces += [data[end : document.body], text if text.endswith(b"\n") else text + b"\n"]
                end = document.body_end
        return b"".join([*pieces, data[end:]]) if pieces else data

    def value(self, value: Any, shown: str, *, nested: bool, key: str = "", parent: Any = None) -> Any:
        """Return a value with its programs as containers; `nested` tells that strings are texts of a kustomization."""
        if isinstance(value, dict):
            if key == _LEGACY_FIELD:
                return self.container(value, shown) or value
            return {k: self.value(v, shown, nested=nested, key=str(k), parent=value) for k, v in value.items()}
        if isinstance(value, list):
            functions = nested and key in _FUNCTION_FIELDS
            entries = [self.fetched_function(one, shown) for one in value] if functions else value
            return [self.value(one, shown, nested=nested) for one in entries]
        if isinstance(value, str) and _MAY_CONFIGURE.search(value.encode("utf-8", "replace")):
            is_function = key in FUNCTION_ANNOTATIONS or _patches(key, parent)
            return self.string(value, shown, nested=nested, is_function=is_function)
        return value

    def string(self, value: str, shown: str, *, nested: bool, is_function: bool) -> str:
        """Return a string with its programs as containers: an annotation, or a text of a kustomization."""
        try:
            if is_function:
                data = value.partition("\n...")[0].encode()
                for document in read_documents(data):  # kustomize reads the first one that is not empty
                    spec = self.container(load(data[document.body : document.body_end]), shown)
                    if spec:
                        return dumps(spec)
                return value
            return self.text(value.encode(), shown, nested=False).decode() if nested else value
        except (BadYaml, Errors, UnicodeError) as error:
            if _BEYOND.search(str(error)):
                raise
            return value  # a path, say; of an annotation, kustomize reports it

    def fetched_function(self, entry: Any, shown: str) -> Any:
        """Return an entry of `transformers` and the like; a file that kustomize would fetch may configure a program, and counts as one."""
        if self.keep_programs or not isinstance(entry, str) or not _REMOTE_FILE.fullmatch(entry):
            return entry
        annotation = dumps(self.container({"exec": {"path": entry}}, shown))
        metadata = {"name": f"fetched-{len(self.programs)}", "annotations": {FUNCTION_ANNOTATIONS[0]: annotation}}
        return dumps({"apiVersion": "v1", "kind": "Function", "metadata": metadata})

    def container(self, spec: Any, shown: str) -> dict[str, Any]:
        """Return a function's specification as that of a container with a number; {} where it is no program."""
        if not isinstance(spec, dict):
            return {}
        image = spec.get("container")
        program = spec.get("exec") or spec.get("starlark")
        if (isinstance(image, dict) and image.get("image")) or not isinstance(program, dict):
            return {}
        path = program.get("path") or program.get("url") or program.get("name") or "?"
        given = program.get("args")
        arguments = tuple(map(str, given)) if isinstance(given, list) else ()
        found = Program(path=str(path), arguments=arguments, file=shown)
        if self.keep_programs and not found.ours:
            return {}
        self.programs.append(found)
        return {"container": {"image": f"{NUMBERED}{len(self.programs) - 1}"}}


def _patches(key: str, parent: Any) -> bool:
    """Return whether a string is what a JSON patch sets as a function's annotation."""
    path = parent.get("path") if isinstance(parent, dict) and key == "value" else None
    return isinstance(path, str) and path.replace("~1", "/").endswith(FUNCTION_ANNOTATIONS)


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
