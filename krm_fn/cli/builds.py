"""Builds by kustomize, with what this function saw and made in them.

Each call of the function in a build is answered by this process, with the caller's options. The objects that it makes
carry a mark through the rest of the build, so that each is known under the name that it has in the end.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import io
import re
import secrets

from krm_fn import function, surface
from krm_fn.base import Record, some
from krm_fn.config import identity_of, is_config
from krm_fn.files import kustomize
from krm_fn.files.originals import same
from krm_fn.files.reading import show
from krm_fn.krm import resource_list, runner
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import FUNCTION_CONFIG, WARNING, Errors, Result, has_errors
from krm_fn.krm.streams import read_documents
from krm_fn.kube.raw import is_local
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.tokens.redaction import Redactor, knowing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.files.documents import Tree
    from krm_fn.function import Options, Outcome
    from krm_fn.krm.items import Item
    from krm_fn.krm.resource_list import ResourceList
    from krm_fn.model import Generated

_SEPARATOR = re.compile(rb"(?m)^---\n")


class Call(Record):
    """One call of the function in a build."""

    folder: str  # that was built, as messages call it
    given: ResourceList
    outcome: Outcome


class Builds:
    """The builds of one run, with the calls of the function in them."""

    def __init__(self, options: Options, *, enable_exec: bool) -> None:
        self.options = options
        self.enable_exec = enable_exec
        self.calls: list[Call] = []
        self.unused: list[Item] = []  # configs that no build called the function with
        self.mark = f"fn.clusternet.io/made-{secrets.token_hex(8)}"
        self.marked = re.compile(rb"(?m)^ +" + re.escape(self.mark.encode()) + rb": *['\"]?([^'\"\n]*)['\"]?\n")
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
        try:
            self.objects_of(folder, files)
            given = resource_list.read(data)
            config = given.function_config
            outcome = self.processed(folder, given.items, config, baseline=self.baseline_of(config))
        except Errors as errors:
            given = resource_list.read(b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: []\n")
            outcome = function.Outcome(changes=Changes(), results=errors.results, redactor=Redactor())
        self.calls.append(Call(folder=folder, given=given, outcome=outcome))
        stderr = io.StringIO()
        runner.say_lines(outcome.results, stderr)
        if has_errors(outcome.results):
            return runner.FAILED, b"", stderr.getvalue()
        changes = outcome.changes.replace(
            added=tuple(map(self.with_mark, outcome.changes.added)),
            replaced={at: self.with_mark(value) for at, value in outcome.changes.replaced.items()},
        )
        chunks = resource_list.write(given, changes, outcome.results)
        return runner.OK, b"".join(chunks), stderr.getvalue()

    def objects_of(self, folder: str, files: Sequence[tuple[str, bytes]]) -> list[Item]:
        """Return the objects of a folder's files, which are read once, however often the build calls the function."""
        if folder not in self.sources:
            self.sources[folder] = _items(files)
        return self.sources[folder]

    def processed(
        self, folder: str, items: Sequence[Item], config: Item | None, *, baseline: Sequence[Item] | None
    ) -> Outcome:
        """Run the function over what a build of a folder gave it; the results name files, or at least the folder."""
        own = None if config is None else self.original(config, folder)
        if config is not None and own is not None and own.namespace == config.namespace and same(own, config):
            config = copy.copy(own)  # so that notes about it, which are not looked up, name its file
            config.position = FUNCTION_CONFIG
        options = self.options.replace(baseline=baseline, original=functools.partial(self.original, folder=folder))
        return self.placed(function.process(items, config, options), folder)

    def placed(self, outcome: Outcome, folder: str = "") -> Outcome:
        """Return an outcome without lines of what was built: nobody sees that."""
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

    def with_mark(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return an object with the mark, which names it as the function does."""
        metadata = value["metadata"]
        annotations = {**metadata.get("annotations", {}), self.mark: _mark_of(value["kind"], metadata)}
        return {**value, "metadata": {**metadata, "annotations": annotations}}

    @property
    def made(self) -> frozenset[int]:
        """Positions in the tree of the objects that the function made."""
        return frozenset(self.places.values())

    def outcome(self, tree: Tree) -> Outcome:
        """Return what the function made in all its calls, under the names that it has in the end.

        With an error, that of the call which failed. Of several calls of one config the last counts.
        """
        failed = [call.outcome for call in self.calls if has_errors(call.outcome.results)]
        if failed:
            return failed[0]
        last = self.calls[-1]
        configs = {identity_of(one): one for call in self.calls if (one := call.given.function_config) is not None}
        outcome = last.outcome
        if len(configs) > 1 or self.options.baseline is not None:
            items = list(last.given.items)
            for one in configs.values():
                item = copy.copy(one)
                item.position = len(items)
                items.append(item)
            alone = len(configs) == 1 or not all(map(is_config, configs.values()))
            config = last.given.function_config if alone else None
            outcome = self.processed(last.folder, items, config, baseline=self.options.baseline)
        return self.as_built(outcome, tree)

    def baseline_of(self, config: Item | None) -> Sequence[Item] | None:
        """Return the baseline without the objects of configs that are not in the same call, which would count as removed."""
        if self.options.baseline is None or config is None:
            return self.options.baseline
        owner = "/".join(part for part in identity_of(config) if part)
        return [
            item for item in self.options.baseline if item.annotations.get(surface.OWNER_ANNOTATION, owner) == owner
        ]

    def as_built(self, outcome: Outcome, tree: Tree) -> Outcome:
        """Return an outcome with its objects as kustomize built them."""
        if outcome.plan is None or has_errors(outcome.results):
            return outcome
        checked = {config.owner for config in outcome.configs if config.mode == "Check"}
        generated: list[Generated] = []
        renamed: dict[tuple[str, str], str] = {}
        results: list[Result] = []
        for new in outcome.plan.generated:
            if new.owner in checked:
                generated.append(new)
                continue
            mark = _mark_of(new.key.kind, {"namespace": new.key.namespace, "name": new.key.name})
            if mark not in self.places:
                message = f"{new.key.title} is generated, but a later part of the build removes it: look for a patch that deletes it"
                results.append(Result(message=message, severity=WARNING, rule="built-later"))
                continue
            item = tree.items[self.places[mark]]
            generated.append(
                new.replace(key=new.key.replace(namespace=item.namespace, name=item.name), value=item.value())
            )
            if new.key.kind == surface.RESOURCE_SET_KIND and new.key.name != item.name:
                renamed[new.key.namespace, new.key.name] = item.name
        results += self.lost_clusters(outcome, tree)
        return outcome.replace(
            changes=Changes(),
            plan=outcome.plan.replace(generated=tuple(generated), renamed=renamed),
            results=(*outcome.results, *results),
        )

    def lost_clusters(self, outcome: Outcome, tree: Tree) -> list[Result]:
        """Warn about Clusters that a later part of the build renames, moves or removes: what refers to them is not."""
        call = self.calls[-1]
        built = [item for item in tree.items if item.kind == "Cluster" and item.group == surface.CLUSTER_GROUP]
        local = [item for item in call.given.items if item.kind == "Cluster" and is_local(item)]
        kept = {(item.namespace, item.name) for item in (*built, *local)}
        verdicts = () if outcome.plan is None else outcome.plan.verdicts
        gone = sorted({one.cluster.title for one in verdicts if one.matched and one.cluster.key not in kept})
        if not gone:
            return []
        message = f"after this function has run, the build renames, moves or removes {some(gone, 5)}: run it in the outermost layer, so that its output matches the Clusters"
        return [Result(message=message, severity=WARNING, file_path=call.folder, rule="built-later")]


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


def _mark_of(kind: str, metadata: Mapping[str, Any]) -> str:
    return f"{kind}/{metadata.get('namespace') or ''}/{metadata['name']}"
