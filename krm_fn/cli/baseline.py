"""`--baseline` and `--against`: what `render` and `plan` compare with, read in one way."""

from __future__ import annotations

import functools
import os
import tempfile
from typing import NamedTuple

import click

from krm_fn.base import Record
from krm_fn.cli import inputs, shared
from krm_fn.files import documents, reading, revision
from krm_fn.krm.results import WARNING, Errors, Result, has_errors, tagged
from krm_fn.krm.streams import read_documents
from krm_fn.surface import OWNER_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from krm_fn.cli.inputs import Source
    from krm_fn.function import Options
    from krm_fn.krm.items import Item


class Baseline(Record):
    """An earlier tree."""

    items: Sequence[Item] | None = None  # None where there is none
    source: str = ""  # what messages call it
    rendered: bool = False  # it is known to be rendered, so that it may hold nothing of ours
    results: tuple[Result, ...] = ()  # what there is to report about it

    def given_to(self, options: Options) -> Options:
        """Return the options of a run that is compared with this."""
        return options.replace(baseline=self.items, baseline_source=self.source, baseline_rendered=self.rendered)


def options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options `--baseline` and `--against`; the command gets them as `asked`."""

    @click.option(
        "--baseline",
        metavar="DIR",
        shell_complete=shared.complete_path,
        help="An earlier rendered tree to compare with: for guard.maxRemovedClusters and immutable fields too.",
    )
    @click.option(
        "--against",
        metavar="REV",
        help="A Git revision to compare with, such as origin/main: what it has at PATH is rendered on the fly.",
    )
    @functools.wraps(command)
    def comparing(*, baseline: str | None, against: str | None, **others: Any) -> int:
        return command(asked=Asked(baseline, against), **others)

    return comparing


class Asked(NamedTuple):
    """What a command is asked to compare with."""

    folder: str | None  # the value of `--baseline`
    against: str | None  # the value of `--against`
    earlier: str | None = None  # a tree that an earlier run rendered, to compare with where nothing was given

    @property
    def anything(self) -> bool:
        """Whether a tree or a revision was given."""
        return self.folder is not None or self.against is not None


def read(asked: Asked, source: Source, options: Options) -> Baseline:
    """Read what a run is compared with.

    Raises:
        Errors: It can't be read.
        UsageError: Both were given, or stdin with a revision.
    """
    if asked.folder is not None and asked.against is not None:
        shared.wrong_usage("give --baseline or --against, not both")
    if asked.against is not None:
        return _revision(asked.against, source, options)
    if asked.folder is not None:
        items = inputs.baseline(asked.folder)
        _not_the_input(asked.folder, source, items)
        return Baseline(items=items, source=f"--baseline {asked.folder}")
    if asked.earlier is not None:
        return Baseline(items=inputs.baseline(asked.earlier), source=f"what is in {asked.earlier}", rendered=True)
    return Baseline()


def _revision(name: str, source: Source, options: Options) -> Baseline:
    if documents.STDIN in (*source.paths, source.config):
        shared.wrong_usage("--against needs files of a Git repository, not -")
    label = f"--against {name}"
    with tempfile.TemporaryDirectory(prefix="clusternet-capi-fn-") as folder:
        given = [*source.paths, *([source.config] if source.config else [])]
        found = revision.write_out(name, given, folder)
        paths = tuple(path for path in found[: len(source.paths)] if path)
        config = found[-1] if source.config else ""
        if not paths or (source.config and not config):
            return Baseline(items=(), source=label, rendered=True)
        try:
            past = inputs.process(source.replace(paths=paths, config=config, skip=()), options.replace(baseline=None))
        except Errors as errors:
            return _broken(label, errors.results, folder)
        if has_errors(past.outcome.results):
            if any(one.rule == "no-config" for one in past.outcome.results):
                return Baseline(items=past.tree.items, source=label, rendered=True)
            return _broken(label, past.outcome.results, folder)
        rendered = documents.Tree([], ())
        data = b"".join(past.tree.stream(past.outcome.changes))
        rendered.add(label, label, data, read_documents(data, label))
        return Baseline(items=rendered.items, source=label, rendered=True)


def _not_the_input(folder: str, source: Source, items: Sequence[Item]) -> None:
    """Refuse a part of the input as baseline: it would be missing from the input.

    Raises:
        Errors: The baseline is below a PATH, and what it holds was made by others.
    """
    real = os.path.realpath(folder)
    held = [path for path in source.paths if path != documents.STDIN and reading.inside(real, os.path.realpath(path))]
    if held and items and not any(item.contains(OWNER_ANNOTATION.encode()) for item in items):
        message = (
            f"--baseline {reading.show(folder)} is part of the input {reading.show(held[0])}: give a tree that"
            " `clusternet-capi-fn render -o DIR` wrote, or compare with a Git revision by --against REV"
        )
        raise Errors.of(message, file_path=reading.show(folder), tags=tagged(rule="baseline-is-input"))


def _broken(label: str, results: Sequence[Result], folder: str) -> Baseline:
    """Return nothing to compare with, and why: the revision itself can't be rendered."""
    first = next(one for one in results if one.severity == "error")
    reason = first.message.replace(f"{folder}/", "")
    message = f"{label} can't be rendered, so nothing is compared with it: {reason}"
    result = Result(message=message, severity=WARNING, tags=tagged(rule="revision"))
    return Baseline(items=(), source=label, results=(result,))
