"""The function over a stream (`fn`), and without kustomize or kpt from folders and files to a stream, file or folder (`render`)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import click

from krm_fn import function
from krm_fn.base import count
from krm_fn.cli import argocd_plugin, diagnostics, inputs, shared
from krm_fn.cli.shared import STDOUT
from krm_fn.config import is_config
from krm_fn.earlier import compare
from krm_fn.files import documents, reading, writing
from krm_fn.files.finding import Rules
from krm_fn.files.originals import original
from krm_fn.krm import runner
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import INFO, WARNING, Errors, Result, has_errors
from krm_fn.kube.raw import is_local
from krm_fn.surface import CLUSTER_GROUP, OWNER_ANNOTATION, RENDER, output_path
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.cli.inputs import Input
    from krm_fn.function import Outcome
    from krm_fn.krm.items import Item
    from krm_fn.krm.resource_list import ResourceList

FN_HELP = """The KRM function: ResourceList on stdin, ResourceList on stdout.

The same as no command at all; this form takes options.

\b
Example:
  kpt fn source clusters/ | clusternet-capi-fn fn --verbose | kpt fn sink rendered/
"""

HELP = """Do what the function does, without kustomize or kpt: read manifests, print them with what is generated.

PATH is a folder or file with the Clusters and their ClusternetCAPIConfig, or - for stdin. Everything that is not
changed is printed as it was read, comments included. The config itself and objects annotated
config.kubernetes.io/local-config are left out, as kustomize does. Of a folder, every .yaml, .yml and .json file counts,
but hidden ones, what --exclude and .krmignore name, Helm charts and the output of an earlier run.

With -o DIR each generated object gets a file <namespace>/<kind>_<name>.yaml, and your own files keep their paths. What
an earlier run wrote there (DIR/.clusternet-capi-fn lists it) and this one does not is removed; other files stay. DIR may
be below a PATH: it is not read as input, but as the baseline if --baseline is not given. The output is written
completely or not at all, and only the owner can read files with a Secret.

\b
Examples:
  clusternet-capi-fn render clusters/ | kubectl apply --dry-run=server -f -
  clusternet-capi-fn render clusters/ -c fleet.yaml -o rendered/
  kustomize build base/ | clusternet-capi-fn render - -c fleet.yaml --only generated

On a terminal the values of Secrets are hidden; in a pipe or file they are not, unless --redact asks for it.
Exit code: 0; 1 if anything is wrong (then nothing is written); 2 for wrong usage.
"""

_FORMS = ("yaml", "json", "table", "markdown", "mermaid", "name", "wide")  # what people may expect -o to choose
_NOTHING = b"# clusternet-capi-fn render: no objects\n"
_COLOURED = re.compile(r"(?m)^(---.*|[ \t]*#.*)$|^((?:[ ]|- )*)([^\s#:\"'-][^\s:#]*)(?=:(?:\s|$))")


@click.command("fn", help=FN_HELP)
@click.option(
    "--baseline",
    type=click.Path(exists=True, path_type=Path),
    help="The last rendered tree (a checkout of the main branch, say), for guard.maxRemovedClusters and immutable fields.",
)
@shared.now_option
@click.option("--verbose", is_flag=True, help="Put every Cluster's verdict into the results.")
@shared.debug_option
def fn(baseline: Path | None, now: int | None, verbose: bool) -> int:  # noqa: FBT001 - click

    def process(found: ResourceList) -> None:
        offers = shared.environment_offers()
        options = function.Options(offers=offers, now=shared.moment(now, offers), verbose=verbose, original=original)
        if baseline is not None:
            tree, results = inputs.rendered(str(baseline), offers, "--baseline")
            options = options.replace(baseline=tree)
            found.results += results
        function.run(found, options)

    streams = runner.standard_streams()
    return runner.run(process, *streams, say=lambda results, _stderr: diagnostics.report(results), render=RENDER)


@click.command("render", help=HELP)
@inputs.options
@click.option(
    "-o",
    "--output",
    "target",
    metavar="DIR|FILE|-",
    default=STDOUT,
    type=shared.PATH,
    help="A folder, or a file ending in .yaml or .yml; - is stdout.  [default: -]",
)
@click.option(
    "--only",
    type=click.Choice(("generated", "all")),
    default="all",
    show_default=True,
    help="Only what is generated, or your own objects too.",
)
@inputs.baseline_option
@inputs.against_option
@click.option(
    "--argocd",
    type=click.Choice(("parameters", "announce")),
    help="In an Argo CD plugin: take config and baseline from the Application's parameters, or announce these parameters.",
)
@click.option("--redact", is_flag=True, help="Hide the values of Secrets wherever the output goes.")
@shared.now_option
@click.option("--verbose", is_flag=True, help="Print on stderr what was decided about each Cluster.")
@shared.debug_option
def command(  # noqa: PLR0913 - one parameter per option
    *,
    source: inputs.Source,
    target: str,
    only: str,
    baseline: str | None,
    against: str | None,
    argocd: str | None,
    redact: bool,
    now: int | None,
    verbose: bool,
) -> int:
    folder = target != STDOUT and _is_folder(target)
    _check_target(target, source, folder=folder)
    offers = shared.environment_offers()
    if argocd == "announce":
        click.echo(argocd_plugin.announced(source.paths), nl=False)
        return runner.OK
    if argocd:
        chosen = argocd_plugin.chosen(os.environ, {"config": source.config, "baseline": baseline})
        source, baseline = source.replace(config=chosen["config"] or ""), chosen["baseline"]
    options = function.Options(
        offers=offers, now=shared.moment(now, offers), verbose=verbose, writes_files=target != STDOUT
    )
    source = source.replace(skip=tuple(one for one in (target, baseline) if one and one != STDOUT))
    earlier = target if folder and os.path.lexists(f"{target}/{reading.MARKER}") else ""
    options, found = inputs.compared(source, options, baseline, against, earlier)
    given = inputs.process(source, options)
    outcome = given.outcome
    made = _Output(given, only=only, redact=redact or (target == STDOUT and sys.stdout.isatty()))
    results = [*given.results, *found, *outcome.results, *made.results, *_nothing_but_checks(outcome, only)]
    diagnostics.report(results, outcome.redactor)
    for one in results:
        if verbose and one.severity == INFO:
            diagnostics.note(one.text(), outcome.redactor)
    return runner.FAILED if has_errors(results) else _write(made, target, folder=folder)


class _Output:
    """What is to be written, in either form."""

    def __init__(self, given: Input, *, only: str, redact: bool) -> None:
        tree, outcome = given.tree, given.outcome
        self.tree = tree
        self.redact = redact
        self.redactor = outcome.redactor
        self.generated = list(outcome.changes.added)
        self.results: list[Result] = []
        if given.made is not None:  # kustomize has done all of it
            others = frozenset(range(len(tree.items))) - given.made
            self.changes = Changes(removed=others if only == "generated" else frozenset())
        elif only == "generated":
            checked = {one.owner for one in outcome.configs if not one.renders}
            plan = outcome.plan
            made = () if plan is None or has_errors(outcome.results) else plan.generated
            self.generated = [dict(new.value) for new in made if new.owner not in checked]
            self.changes = Changes(removed=frozenset(range(len(tree.items))))
            edits = len(outcome.changes.labelled) + len(outcome.changes.revised)
            if edits:
                message = (
                    f"{edits} of your own objects need an edit, which --only generated leaves out; render without it, or"
                    " with -o to see the edits in your files"
                )
                self.results = [Result(message=message, severity=WARNING, rule="edits-left-out")]
        else:
            own = frozenset(item.position for item in tree.items if is_config(item) or is_local(item))
            self.changes = outcome.changes.replace(added=(), removed=outcome.changes.removed | own)
        secrets = [item for item in tree.items if _is_secret(item) and item.position not in self.changes.removed]
        self.secrets = len(secrets) + sum(value["kind"] == "Secret" for value in self.generated)
        if redact:
            revised, replaced = dict(self.changes.revised), dict(self.changes.replaced)
            for item in secrets:
                position = item.position
                if position in replaced:
                    replaced[position] = compare.redacted(replaced[position])
                else:
                    revised[position] = compare.redacted(revised.get(position, item.value()))
            self.changes = self.changes.replace(revised=revised, replaced=replaced)
            self.generated = [compare.redacted(value) for value in self.generated]

    def stream(self) -> list[bytes]:
        """Return everything as one stream."""
        return self.tree.stream(self.changes.replace(added=tuple(self.generated))) or [_NOTHING]

    def contents(self) -> tuple[dict[str, bytes], set[str]]:
        """Return the files of a folder, and which of them hold a Secret.

        Raises:
            Errors: A file of the user is where a generated one belongs.
        """
        contents = self.tree.contents(self.changes)
        private = {file.relative for file in self.tree.files if any(map(_is_secret, file.items))} & set(contents)
        for value in self.generated:
            metadata = value["metadata"]
            path = output_path(value["kind"], metadata.get("namespace", ""), metadata["name"])
            if path in contents:
                message = f"the input holds a file {path}, where a generated object belongs: rename it"
                raise Errors.of(message, file_path=path)
            contents[path] = dump(value).encode()
            if value["kind"] == "Secret":
                private.add(path)
        return contents, private


def _nothing_but_checks(outcome: Outcome, only: str) -> list[Result]:
    """Refuse to print nothing because no config renders: whoever applies that would remove what exists."""
    if only != "generated" or not outcome.configs or any(one.renders for one in outcome.configs):
        return []
    owners = ", ".join(one.owner for one in outcome.configs)
    message = f"nothing is generated, since {owners} has spec.mode: Check, which changes nothing; set Render, or leave out --only generated"
    return [Result(message=message, field="spec.mode", rule="check-mode")]


def _is_secret(item: Item) -> bool:
    return item.kind == "Secret" and not item.group


# --- reporting and writing ----------------------------------------------------------------------------------------------


def _is_folder(target: str) -> bool:
    """Return whether a target is meant as a folder: it is one, or it does not exist and has no name of a YAML file."""
    path = Path(target)
    return path.is_dir() if path.exists() else not target.endswith((".yaml", ".yml"))


def _check_target(target: str, source: inputs.Source, *, folder: bool) -> None:
    """Refuse a target that can't take the output.

    Raises:
        click.UsageError: A slip (`-o yaml`), a place that holds the input or a part of it, or nothing that a file can replace.
    """
    if target == STDOUT:
        return
    shown = reading.show(target)
    real = os.path.realpath(target)
    message = ""
    if target in _FORMS:
        message = f"-o {target}: -o takes a folder or file, and the output is always YAML; did you mean ./{target}?"
    elif target.endswith(".json"):
        message = f"-o {shown}: render writes YAML; give a name that ends in .yaml, or a folder"
    elif real == os.sep:
        message = f"-o {shown}: give a folder of its own"
    elif not folder and (problem := writing.misfit(target)) and not Path(target).is_char_device():
        message = f"-o: {problem}; for a pipe, print to stdout (-o -)"
    else:
        given = {path: os.path.realpath(path) for path in source.paths if path != documents.STDIN}
        held = [path for path, place in given.items() if place == real or reading.inside(place, real)]
        held += [source.config] if source.config and os.path.realpath(source.config) == real else []
        parts = [path for path, place in given.items() if reading.inside(real, place)]
        if held:
            message = f"-o {shown} would overwrite the input {reading.show(held[0])}: give another folder; it may be below the input"
        elif parts and _is_input(target, folder=folder):
            message = f"-o {shown} is a part of the input {reading.show(parts[0])}: give a new file or folder; it may be below the input"
    if message:
        shared.wrong_usage(message)


def _is_input(target: str, *, folder: bool) -> bool:
    """Return whether a place below the input, which is then not read, holds Clusters or a file that nobody rendered."""
    if not Path(target).exists() or os.path.lexists(f"{target}/{reading.MARKER}"):
        return False
    try:
        items = documents.Tree.read([target], rules=Rules(rendered=True)).items
    except Errors:
        return not folder
    if any(item.contains(OWNER_ANNOTATION.encode()) for item in items):
        return False
    return any(not folder or (item.kind == "Cluster" and item.group == CLUSTER_GROUP) for item in items)


def _write(made: _Output, target: str, *, folder: bool) -> int:
    """Write all of it, or nothing.

    Raises:
        Errors: Nothing was written.
    """
    if target == STDOUT:
        pieces = made.stream()
        if made.redact:  # of tokens wherever they are, in a name or a comment too
            pieces = [made.redactor.text(piece.decode()).encode() for piece in pieces]
        if shared.terminal(sys.stdout).colour:
            pieces = [_COLOURED.sub(_colour, piece.decode()).encode() for piece in pieces]
        reason = runner.emit(pieces, sys.stdout.buffer)
        if reason:
            return shared.fail(reason)
        if made.redact and made.secrets:
            how = "; in a pipe or with -o FILE they are not" if sys.stdout.isatty() else ""
            diagnostics.note(f"note: the values of {count(made.secrets, 'Secret')} are hidden{how}")
    elif folder:
        contents, private = made.contents()
        written = writing.replace_tree(target, contents, private)
        diagnostics.note(
            f"{target}: {count(len(contents), 'file')}{'' if written else ', nothing changed'}", made.redactor
        )
    else:
        writing.replace_file(target, made.stream(), private=bool(made.secrets) and not made.redact)
        diagnostics.note(f"{target}: written", made.redactor)
    return runner.OK


def _colour(match: re.Match[str]) -> str:
    if match[1] is not None:
        return f"\x1b[2m{match[1]}\x1b[0m"
    return f"{match[2]}\x1b[36m{match[3]}\x1b[0m"
