"""Builds by kustomize, with what this function saw and made in them.

Each call of the function in a build is answered by this process, with the caller's options. The objects that it makes
carry a mark through the rest of the build, so that each is known under the name that it has in the end (`joined_plan`).
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import re
import secrets

from krm_fn import function, surface
from krm_fn.clusters import key_of
from krm_fn.files import kustomize
from krm_fn.files.originals import same
from krm_fn.files.reading import show
from krm_fn.joined_plan import Call, counted, joined
from krm_fn.krm import resource_list, runner
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import FUNCTION_CONFIG, Errors, Result, has_errors
from krm_fn.krm.streams import read_documents
from krm_fn.kube.raw import is_local
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.model import ObjectKey
from krm_fn.tokens.redaction import Redactor, knowing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.files.documents import Tree
    from krm_fn.function import Options, Outcome
    from krm_fn.krm.items import Item

_SEPARATOR = re.compile(rb"(?m)^---\n")


class Builds:
    """The builds of one run, with the calls of the function in them."""

    def __init__(self, options: Options, *, enable_exec: bool) -> None:
        self.options = options
        self.enable_exec = enable_exec
        self.calls: list[Call] = []
        self.unused: list[Item] = []  # configs that no build called the function with
        self.mark = f"fn.clusternet.io/made-{secrets.token_hex(8)}"
        self.marked = re.compile(rb"(?m)^ +" + re.escape(self.mark.encode()) + rb": *['\"]?((\d+):[^'\"\n]*)['\"]?\n")
        self.places: dict[str, int] = {}  # mark -> position in the tree
        self.sources: dict[str, list[Item]] = {}  # objects of the files of each folder that was built
        self.indexed: dict[str, dict[tuple[str, str], list[Item]]] = {}  # the same by kind and name, once needed

    @property
    def failed(self) -> bool:
        """Whether the function failed in a build, which ended the build."""
        return any(has_errors(call.outcome.results) for call in self.calls)

    def redacted(self, results: Sequence[Result]) -> tuple[Result, ...]:
        """Return results without the tokens of any call."""
        found = tuple(results)
        for call in self.calls:
            found = call.outcome.redactor.results(found)
        return found

    def add(self, folder: str, tree: Tree, wanted: Callable[[str, Item], bool]) -> None:
        """Build a folder and add the objects to a tree, a file for each.

        Raises:
            Errors: It can't be built; or the function failed in the build (`failed`).
        """
        shown = show(folder)
        try:
            built = kustomize.build(
                folder, lambda data, files: self.answer(shown, data, files), enable_exec=self.enable_exec
            )
        except kustomize.Unbuilt as error:
            raise Errors(_unbuilt(error, knowing(error.texts, self.options.offers.tokens()))) from None
        sources = self.objects_of(shown, built.sources)
        if not any(call.folder == shown for call in self.calls):
            self.unused += [item for item in sources if item.kind == surface.KIND]
        paths: set[str] = set()
        for piece in _SEPARATOR.split(built.output):
            found = self.marked.search(piece)
            data = self.marked.sub(b"", piece)
            documents = read_documents(data, shown)
            before = len(tree.items)
            item = next((item for document in documents for item in document.items), None)
            if item is None:
                continue
            path = surface.output_path(item.kind, item.namespace, item.name)
            if path in paths:  # of another group
                path = surface.output_path(f"{item.kind}.{item.group}", item.namespace, item.name)
            paths.add(path)
            tree.add(shown, path, data, documents, wanted)
            if found and len(tree.items) > before:
                self.places[found[1].decode()] = before

    def answer(self, folder: str, data: bytes, files: Sequence[tuple[str, bytes]]) -> tuple[int, bytes, str]:
        """Do the work of the function in a build."""
        config = None
        try:
            self.objects_of(folder, files)
            given = resource_list.read(data)
            config = self.own(given.function_config, folder)
            outcome = self.processed(folder, given.items, config)
        except Errors as errors:
            given = resource_list.read(b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n")
            outcome = function.Outcome(changes=Changes(), results=errors.results, redactor=Redactor())
        marks = {key_of(item): item.annotations[self.mark] for item in given.items if self.mark in item.annotations}
        changes = outcome.changes.replace(
            added=tuple(self.with_mark(value, marks) for value in outcome.changes.added),
            replaced={at: self.with_mark(value, marks) for at, value in outcome.changes.replaced.items()},
        )
        follows = frozenset(int(found[2]) for found in self.marked.finditer(data))
        self.calls.append(
            Call(folder=folder, given=given, config=config, outcome=outcome, marks=marks, follows=follows)
        )
        stderr = io.StringIO()
        runner.say_lines(outcome.results, stderr)
        if has_errors(outcome.results):
            return runner.FAILED, b"", stderr.getvalue()
        chunks = resource_list.write(given, changes, outcome.results)
        return runner.OK, b"".join(chunks), stderr.getvalue()

    def objects_of(self, folder: str, files: Sequence[tuple[str, bytes]]) -> list[Item]:
        """Return the objects of a folder's files, which are read once, however often the build calls the function."""
        if folder not in self.sources:
            self.sources[folder] = _items(files)
        return self.sources[folder]

    def own(self, config: Item | None, folder: str) -> Item | None:
        """Return a functionConfig as the user's file holds it, so that notes about it, which are not looked up, name that."""
        found = None if config is None else self.original(config, folder)
        if config is None or found is None or found.namespace != config.namespace or not same(found, config):
            return config
        found = copy.copy(found)
        found.position = FUNCTION_CONFIG
        return found

    def processed(self, folder: str, items: Sequence[Item], config: Item | None) -> Outcome:
        """Run the function over what a build of a folder gave it; the results name files, or at least the folder.

        It is compared with the baseline once all is built: this may be one layer of several.
        """
        original = functools.partial(self.original, folder=folder)
        options = self.options.replace(several=True, original=original)
        return self.placed(function.process(items, config, options), folder)

    def placed(self, outcome: Outcome, folder: str = "") -> Outcome:
        """Return an outcome without lines in what was built: users never see that text."""
        places = {"", *self.sources}
        results = [
            one.replace(file_path=one.file_path or folder, line=None, column=None)
            if one.file_path in places and (one.file_path or one.line is not None)
            else one
            for one in outcome.results
        ]
        return outcome.replace(results=tuple(results))

    def original(self, built: Item, folder: str = "") -> Item | None:
        """Return the one object of a folder's files that an object of its build was made from, as far as that is clear."""
        folder = folder or built.file_path
        if folder not in self.sources:
            return built  # of no build
        if folder not in self.indexed:
            index = self.indexed[folder] = {}
            for one in self.sources[folder]:
                index.setdefault((one.kind, one.name), []).append(one)
        named = self.indexed[folder].get((built.kind, built.name), [])
        found = [one for one in named if one.namespace in {"", built.namespace}]
        if len(found) > 1:  # of several variants, or an object and its patches
            found = [one for one in found if same(one, built)]
        return found[0] if len(found) == 1 else None

    def with_mark(self, value: Mapping[str, Any], marks: dict[ObjectKey, str]) -> Mapping[str, Any]:
        """Return an object with a mark, which tells the call and the name that the function gave it, and note the mark."""
        metadata = value["metadata"]
        namespace, name = metadata.get("namespace") or "", metadata["name"]
        group = value["apiVersion"].rpartition("/")[0]
        mark = f"{len(self.calls)}:{value['kind']}/{namespace}/{name}"
        marks[ObjectKey(group=group, kind=value["kind"], namespace=namespace, name=name)] = mark
        annotations = {**metadata.get("annotations", {}), self.mark: mark}
        return {**value, "metadata": {**metadata, "annotations": annotations}}

    @property
    def made(self) -> frozenset[int]:
        """Positions in the tree of the objects that the function made."""
        return frozenset(self.places.values())

    @property
    def local(self) -> tuple[Item, ...]:
        """Clusters that the function saw, and that kustomize drops at the end: only these calls tell what served them."""
        items = (
            item
            for call in counted(self.calls)
            for item in call.given.items
            if item.kind == "Cluster" and is_local(item)
        )
        return tuple({key_of(item): item for item in items}.values())

    def outcome(self, tree: Tree) -> Outcome:
        """Return what the function made in all its calls, as it is in the end; with an error, that of the call which failed."""
        failed = [call.outcome for call in self.calls if has_errors(call.outcome.results)]
        options = self.options.replace(original=self.original)
        return failed[0] if failed else self.placed(joined(self.calls, tree, self.places, options))


def _unbuilt(error: kustomize.Unbuilt, redactor: Redactor) -> tuple[Result, ...]:
    """Return why a folder can't be built, without any token; only then is it made short."""
    results = redactor.results(error.results)
    output = redactor.text(error.output)
    if not output:
        return results
    output = quoted(output, MOST_QUOTED, ends=True)
    return tuple(one.replace(message=f"{one.message}: {output}") for one in results)


def _items(files: Sequence[tuple[str, bytes]]) -> list[Item]:
    """Return the objects of the files that can be read, and that are not hidden: those are copies more often than not."""
    found: list[Item] = []
    for path, data in files:
        if not any(part.strip(".") and part.startswith(".") for part in path.split("/")):
            with contextlib.suppress(Errors):
                found += [item for one in read_documents(data, path) for item in one.items]
    return found
