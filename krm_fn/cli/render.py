"""`render`: the function without kustomize or kpt, from folders and files to a stream, a file or a folder."""

from __future__ import annotations

import os
import re
import signal
import sys
from pathlib import Path

import click

from krm_fn import config, function
from krm_fn.cli import baseline as baselines
from krm_fn.cli import diagnostics, dumps, inputs, shared
from krm_fn.earlier import compare
from krm_fn.files import documents, targets
from krm_fn.krm import runner
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import INFO, WARNING, Faults, Result, fault, has_errors, tagged
from krm_fn.surface import LOCAL_CONFIG_ANNOTATION, output_path
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from types import FrameType
    from typing import Any

    from krm_fn.files.documents import Tree
    from krm_fn.function import Outcome
    from krm_fn.krm.items import Item

HELP = """Do what the function does, without kustomize or kpt: read manifests, print them with what is generated.

PATH is a folder or file with the Clusters and their ClusternetCAPIConfig, or - for stdin. Everything that is not
changed is printed as it was read, comments included. The config itself and objects annotated
config.kubernetes.io/local-config are left out, as kustomize does.

With -o DIR each generated object gets a file <namespace>/<kind>_<name>.yaml, and your own files keep their paths. What
an earlier run wrote there (DIR/.clusternet-capi-fn lists it) and this one does not is removed; other files stay. DIR may
lie in a PATH: it is not read as input, but as the baseline if --baseline is not given. All of it is written or nothing.

\b
Examples:
  clusternet-capi-fn render clusters/ | kubectl apply --dry-run=server -f -
  clusternet-capi-fn render clusters/ -c fleet.yaml -o rendered/
  kustomize build base/ | clusternet-capi-fn render - -c fleet.yaml --only generated

On a terminal the values of Secrets are hidden; in a pipe or file they are not, unless --redact asks for it.
Exit code: 0; 1 if anything is wrong (then nothing is written); 2 for wrong usage.
"""

_STDOUT = "-"
_FILE_SUFFIXES = (".yaml", ".yml")
# of objects, from which on a person would wonder whether anything happens
_MANY = 5000
# kubectl apply keeps the whole object in this annotation
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_NOTHING = b"# clusternet-capi-fn render: no objects\n"
_COLOURED = re.compile(r"(?m)^(---.*|[ \t]*#.*)$|^((?:[ ]|- )*)([^\s#:\"'-][^\s:#]*)(?=:(?:\s|$))")


@click.command("render", help=HELP)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "-c", "--config", "config_file", metavar="FILE", help="The ClusternetCAPIConfig, if it is not among the files."
)
@click.option(
    "-o",
    "--output",
    "target",
    metavar="DIR|FILE|-",
    default=_STDOUT,
    help="A folder, or a file ending in .yaml or .yml; - is stdout.  [default: -]",
)
@click.option(
    "--only",
    type=click.Choice(("generated", "all")),
    default="all",
    show_default=True,
    help="What is generated alone, or your own objects too.",
)
@baselines.options
@click.option("--redact", is_flag=True, help="Hide the values of Secrets wherever the output goes.")
@shared.now_option
@click.option("--verbose", is_flag=True, help="Say on stderr what was decided about each Cluster.")
@click.option("--debug", is_flag=True, help="Show where a fault of this program happened.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    paths: Sequence[str],
    config_file: str | None,
    target: str,
    only: str,
    baseline: str | None,
    against: str | None,
    redact: bool,
    now: int | None,
    verbose: bool,
    debug: bool,
) -> int:
    """Read, process, write."""
    del debug  # read by krm_fn.cli.main before click parses anything
    folder = target != _STDOUT and _is_folder(target)
    if folder:
        _check_folder(target, paths)
    offers = shared.environment_offers()
    try:
        given = inputs.read(paths, config_file, skip=() if target == _STDOUT else {os.path.realpath(target)})
        _refuse_resource_lists(given.tree)
        _progress(len(given.tree.items))
        options = function.Options(
            offers=offers,
            now=shared.moment(now, offers),
            verbose=verbose,
            writes_files=target != _STDOUT,
        )
        asked = baselines.Asked(baseline, against, paths, config_file or "", _earlier(target, folder=folder))
        before = baselines.read(asked, options)
        if before is not None:
            options = before.given_to(options)
        outcome = function.process(given.tree.items, given.function_config, options)
        hidden = redact or (target == _STDOUT and sys.stdout.isatty())
        made = _Output(given.tree, outcome, only=only, redact=hidden)
        compared = before.results if before is not None else ()
        results = [*given.results, *compared, *outcome.results, *made.results, *_nothing_but_checks(outcome, only)]
        _say(results, outcome, verbose=verbose)
        if has_errors(results):
            return runner.FAILED
        return _write(made, target, folder=folder)
    except Faults as faults:
        diagnostics.report(faults.results)
        return runner.FAILED


class _Output:
    """What is to be written, in either form."""

    def __init__(self, tree: Tree, outcome: Outcome, *, only: str, redact: bool) -> None:
        self.tree = tree
        self.redact = redact
        self.generated = list(outcome.changes.added)
        self.results: list[Result] = []
        self.hidden = 0
        if only == "generated":
            checked = {one.owner for one in outcome.configs if one.mode == "Check"}
            plan = outcome.plan
            made = () if plan is None or has_errors(outcome.results) else plan.generated
            self.generated = [dict(new.value) for new in made if new.owner not in checked]
            self.changes = Changes(removed=frozenset(range(len(tree.items))))
            self.left_out = frozenset[int]()
            edits = len(outcome.changes.labelled) + len(outcome.changes.revised)
            if edits:
                message = (
                    f"{edits} of your own objects need an edit, which --only generated leaves out; render without it, or"
                    " with -o to see the edits in your files"
                )
                self.results = [Result(message=message, severity=WARNING, tags=tagged(rule="edits-left-out"))]
        else:
            self.changes = outcome.changes.replace(added=())
            self.left_out = frozenset(item.position for item in tree.items if _is_local(item))
        if redact:
            self._hide()

    def _hide(self) -> None:
        """Hide the values of all Secrets."""
        gone = self.changes.removed | self.left_out
        revised, replaced = dict(self.changes.revised), dict(self.changes.replaced)
        for item in self.tree.items:
            if item.kind == "Secret" and not item.group and item.position not in gone:
                self.hidden += 1
                if item.position in replaced:
                    replaced[item.position] = _redacted(replaced[item.position])
                else:
                    revised[item.position] = _redacted(revised.get(item.position, item.value()))
        self.changes = self.changes.replace(revised=revised, replaced=replaced)
        self.hidden += sum(value.get("kind") == "Secret" for value in self.generated)
        self.generated = [_redacted(value) for value in self.generated]

    def stream(self) -> list[bytes]:
        """Return everything as one stream."""
        return self.tree.stream(self.changes.replace(added=tuple(self.generated)), self.left_out) or [_NOTHING]

    def contents(self) -> dict[str, bytes]:
        """Return the files of a folder.

        Raises:
            Faults: A file of the user stands where a generated one belongs.
        """
        contents = self.tree.contents(self.changes, self.left_out)
        for value in self.generated:
            metadata = value["metadata"]
            path = output_path(value["kind"], metadata.get("namespace", ""), metadata["name"])
            if path in contents:
                message = f"the input holds a file {path}, where a generated object belongs: rename it"
                raise fault(message, file_path=path)
            contents[path] = dump(value).encode()
        return contents


def _nothing_but_checks(outcome: Outcome, only: str) -> list[Result]:
    """Refuse to print nothing since no config renders: whatever applies it would remove what is there."""
    if only != "generated" or not outcome.configs or any(one.mode != "Check" for one in outcome.configs):
        return []
    owners = ", ".join(one.owner for one in outcome.configs)
    message = (
        f"nothing is generated, since {owners} has spec.mode: Check, which changes nothing; set Render, or leave"
        " --only generated out"
    )
    return [Result(message=message, field="spec.mode", tags=tagged(rule="check-mode"))]


def _is_local(item: Item) -> bool:
    """Tell whether an object is for tools alone: our config, or annotated as local."""
    if config.is_config(item):
        return True
    annotations = item.metadata().get("annotations") if item.contains(b"local-config") else None
    return isinstance(annotations, dict) and annotations.get(LOCAL_CONFIG_ANNOTATION) == "true"


def _redacted(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the values of a Secret hidden, in kubectl's record of it too."""
    found = compare.redacted(value)
    metadata = found.get("metadata")
    annotations = metadata.get("annotations") if isinstance(metadata, dict) else None
    if found.get("kind") == "Secret" and isinstance(annotations, dict) and _LAST_APPLIED in annotations:
        found["metadata"] = {**found["metadata"], "annotations": {**annotations, _LAST_APPLIED: compare.HIDDEN}}
    return found


# --- usage -----------------------------------------------------------------------------------------------------------


def _is_folder(target: str) -> bool:
    """Tell whether a target is meant as a folder: it is one, or it does not exist and has no name of a YAML file."""
    path = Path(target)
    if path.exists():
        return path.is_dir()
    return target.endswith("/") or not target.endswith(_FILE_SUFFIXES)


def _check_folder(target: str, paths: Sequence[str]) -> None:
    """Refuse a folder that holds the input itself: sources and output would be one."""
    real = os.path.realpath(target)
    for path in paths:
        if path != documents.STDIN and (os.path.realpath(path) + os.sep).startswith(real + os.sep):
            message = f"-o {target} holds the input {path}: give another folder, which may lie below it"
            raise click.UsageError(message, click.get_current_context(silent=True))


def _refuse_resource_lists(tree: Tree) -> None:
    for item in tree.items:
        if item.kind == "ResourceList":
            message = (
                f"{item.where()} is a ResourceList, which the function takes on stdin: use `clusternet-capi-fn fn`"
            )
            raise fault(message, file_path=item.file_path, tags=tagged(rule="resource-list"))


def _earlier(target: str, *, folder: bool) -> str | None:
    """Return the target as a baseline where an earlier run wrote it."""
    return target if folder and Path(target, targets.INVENTORY).is_file() else None


# --- saying and writing ----------------------------------------------------------------------------------------------


def _progress(objects: int) -> None:
    if objects >= _MANY and sys.stderr.isatty():
        diagnostics.note(f"rendering {objects:,} objects")


def _say(results: Sequence[Result], outcome: Outcome, *, verbose: bool) -> None:
    diagnostics.report(results, outcome.redactor)
    for one in results:
        if verbose and one.severity == INFO:
            diagnostics.note(one.text())


def _write(made: _Output, target: str, *, folder: bool) -> int:
    """Write all of it, or nothing.

    Raises:
        Faults: Nothing was written.
    """
    if target == _STDOUT:
        reason = runner.emit(_for_stdout(made), sys.stdout.buffer)
        if reason:
            click.echo(f"error: {reason}", err=True)
            return runner.FAILED
        _say_hidden(made)
        return runner.OK
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        if folder:
            contents = made.contents()
            written = targets.replace_tree(target, contents)
            files = "1 file" if len(contents) == 1 else f"{len(contents)} files"
            diagnostics.note(f"{target}: {files}{'' if written else ', nothing changed'}")
        else:
            targets.replace_file(target, made.stream())
            diagnostics.note(f"{target}: written")
    finally:
        signal.signal(signal.SIGTERM, before)
    return runner.OK


def _terminated(number: int, frame: FrameType | None) -> None:
    """End as a signal asks, but by an exception, so that what was begun is undone."""
    del frame
    click.echo("error: terminated; nothing was changed", err=True)
    sys.exit(128 + number)


def _for_stdout(made: _Output) -> Iterator[bytes]:
    pieces = made.stream()
    if not dumps.terminal(sys.stdout)[1]:
        yield from pieces
        return
    for piece in pieces:
        yield _COLOURED.sub(_colour, piece.decode()).encode()


def _colour(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"\x1b[2m{match[1]}\x1b[0m"
    return f"{match[2]}\x1b[36m{match[3]}\x1b[0m"


def _say_hidden(made: _Output) -> None:
    if made.hidden:
        secrets = "1 Secret" if made.hidden == 1 else f"{made.hidden} Secrets"
        how = "; in a pipe or with -o FILE they are not" if sys.stdout.isatty() else ""
        diagnostics.note(f"note: the values of {secrets} are hidden{how}")
