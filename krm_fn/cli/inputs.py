"""What a PATH holds, and what it is compared with, for every command that runs without kustomize or kpt."""

from __future__ import annotations

import functools
import os
import sys
import tempfile

import click

from krm_fn import function
from krm_fn.base import Record, nearest, some
from krm_fn.cli import shared
from krm_fn.cli.builds import Builds
from krm_fn.earlier import Baseline
from krm_fn.files import documents, reading, revision
from krm_fn.files.copying import FUNCTION_ANNOTATIONS
from krm_fn.files.finding import Rules
from krm_fn.krm import places
from krm_fn.krm.results import ERROR, FUNCTION_CONFIG, WARNING, Errors, Result, about
from krm_fn.krm.streams import read_stream
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CLUSTER_GROUP, GROUP, KIND, OWNER_ANNOTATION
from krm_fn.tokens.redaction import Cleared, knowing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from typing import Any

    from krm_fn.files.documents import Tree
    from krm_fn.function import Options, Outcome
    from krm_fn.krm.items import Item
    from krm_fn.tokens.offers import Offers

_SETTINGS_GROUPS = ("kustomize.config.k8s.io", "kpt.dev")
_MANY = 5000  # objects, from which on people may wonder whether anything happens


class Source(Record):
    """What a command is to read."""

    paths: tuple[str, ...]  # folders, files, or `-` for stdin
    config: str = ""  # file with the one config (or its ConfigMap form); "" to take those among the objects
    exclude: tuple[str, ...] = ()  # patterns of files and folders below the paths that are not read
    skip: tuple[str, ...] = ()  # folders and files that are not read either: the output, the baseline
    enable_exec: bool = False  # programs and images that the input names may be run


class Input(Record):
    """What a command was given, and what the function makes of it.

    Where kustomize called the function in its build, what it made is in the tree already, and there are no changes to make.
    """

    tree: Tree  # its items are the function's input
    results: tuple[Result, ...]  # warnings of the reading
    outcome: Outcome
    made: frozenset[int] | None = (
        None  # positions of what the function made in a build; None where it did not run there
    )
    local: tuple[Item, ...] = ()  # local-config Clusters that it saw in a build, and that are not in the tree


def options(command: Callable[..., int]) -> Callable[..., int]:
    """Add PATH and the options for what is read; the command gets them as `source`."""

    @click.argument("paths", nargs=-1, required=True, metavar="PATH...", type=shared.PATH)
    @click.option(
        *("-c", "--config"),
        metavar="FILE",
        type=shared.PATH,
        callback=_given,
        help="The ClusternetCAPIConfig, if it is not among the files.",
    )
    @click.option(
        "--exclude",
        multiple=True,
        metavar="GLOB",
        help="Leave out files and folders below PATH, in the syntax of .gitignore; can be given several times.",
    )
    @click.option(
        "--enable-exec",
        is_flag=True,
        help="Let kustomize run the programs, images and Helm charts that PATH names. Without it, only this function runs.",
    )
    @functools.wraps(command)
    def reading(
        *, paths: Sequence[str], config: str | None, exclude: tuple[str, ...], enable_exec: bool, **others: Any
    ) -> int:
        source = Source(paths=tuple(paths), config=config or "", exclude=exclude, enable_exec=enable_exec)
        return command(source=source, **others)

    return reading


def _given(ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Refuse an empty name, which a script passes if its variable is not set."""
    if value == "":
        message = "-c has no file name: give a file, or leave out -c"
        raise click.UsageError(message, ctx)
    return value


def process(source: Source, options: Options) -> Input:
    """Read an input and run the function over it.

    A folder with a kustomization is built by kustomize. Where the build calls this function, that very call is what
    counts; else the function runs over what was built.

    Raises:
        Errors: What can't be read or built, or a config file that holds not exactly one config.
    """
    warnings: list[Result] = []  # of the reading
    texts: list[bytes] = []
    wanted = functools.partial(_wanted, warnings=warnings)
    plain = [path for path in source.paths if path == documents.STDIN or not reading.kustomization(path)]
    rules = Rules(skip=frozenset(map(os.path.realpath, source.skip)), exclude=source.exclude)
    try:
        config = _config(source.config, texts) if source.config else None
        tree = documents.Tree.read(plain, rules=rules, wanted=wanted, texts=texts)
    except Errors as errors:
        raise Cleared(errors.results, knowing(texts, options.offers.tokens())) from None
    texts.clear()
    builds = Builds(options, enable_exec=source.enable_exec)
    given = len(tree.items)
    try:
        for path in dict.fromkeys(source.paths):
            if path not in plain:
                builds.add(path, tree, wanted)
    except Errors as errors:
        if not builds.failed:
            raise Errors(builds.redacted(errors.results)) from None
    _check(tree, warnings, options.offers, empty=config is None and not builds.calls)
    if len(tree.items) >= _MANY and sys.stderr.isatty():
        click.echo(f"{len(tree.items):,} objects", file=sys.stderr)
    results = (*tree.results, *warnings)
    if builds.failed or (builds.calls and config is None):
        if plain and not builds.failed:
            folder, beside = builds.calls[0].folder, reading.show(plain[0])
            message = (
                f"{folder} calls this function itself, and does not pass it {beside}: give {folder} as the only PATH"
            )
            raise Errors.of(message, file_path=folder, rule="function-in-build")
        return Input(tree=tree, results=results, outcome=builds.outcome(tree), made=builds.made, local=builds.local)
    options = options.replace(original=builds.original)
    outcome = builds.placed(function.process(tree.items, config, options))
    if builds.unused and any(one.rule == "no-config" for one in outcome.results):
        own, warning = _beside(builds.unused, source.paths)
        results = (*results, warning)
        outcome = builds.placed(function.process(tree.items, own, options))
    return Input(tree=tree, results=(*results, *_in_resources(tree.items[given:], tree.items, builds)), outcome=outcome)


def _wanted(path: str, item: Item, warnings: list[Result]) -> bool:
    """Return whether an object is one; what configures a host or another function is not, and that is reported."""
    if item.group in _SETTINGS_GROUPS:
        return False
    may_be = item.group != GROUP and item.contains(*(one.encode() for one in FUNCTION_ANNOTATIONS))
    if not may_be or not any(one in item.annotations for one in FUNCTION_ANNOTATIONS):
        return True
    warnings.append(_function_not_run(path, item))
    return False


def _check(tree: Tree, results: Collection[Result], offers: Offers, *, empty: bool) -> None:
    """Refuse what would be lost, what belongs on stdin, and folders without a file if there is nothing else.

    Raises:
        Errors: Everything that is refused.
    """
    errors = [one for one in results if one.severity == ERROR]
    message = "a ResourceList is input for the function, on stdin: use `clusternet-capi-fn fn < FILE`"
    errors += [about(item, message, rule="resource-list") for item in tree.items if item.kind == "ResourceList"]
    if empty and not tree.items:
        remedy = "give the folder of your configuration and Clusters, or let `clusternet-capi-fn init` write a starter"
        folders = [one for one in tree.results if one.rule == "no-files"]
        errors += [one.replace(severity=ERROR, message=f"{one.message}: {remedy}") for one in folders]
    if errors:
        found = places.located(errors, tree.items, None, stream=False)
        raise Cleared(found, knowing((item.text for item in tree.items), offers.tokens()))


def no_cluster(wanted: Sequence[str], titles: Collection[str]) -> list[Result]:
    """Report Clusters that were asked for by NAMESPACE/NAME and are not there, with the one that was most likely meant."""
    found = []
    for one in wanted:
        if one in titles:
            continue
        same = sorted(title for title in titles if title.rpartition("/")[2] == one)
        meant = same or [near for near in [nearest(one, titles)] if near]
        bare = "/" not in one and any("/" in title for title in titles)
        form = " (give Clusters as NAMESPACE/NAME)" if bare else ""
        hint = f": did you mean {some(meant, 3)}?" if meant else ""
        message = f"there is no Cluster {quoted(one)} in the input{form}{hint}"
        found.append(Result(message=message, rule="no-cluster"))
    return found


def _config(path: str, texts: list[bytes]) -> Item:
    found = documents.Tree.read([path], texts=texts).items
    if len(found) != 1:
        message = f"{path} holds {len(found) or 'no'} object{'s' * bool(found)}; give a file with one {KIND}"
        place = found[1].place() if found else {"file_path": path}
        result = Result(message=message, rule="config-file", **place)
        raise Errors(places.located([result], found, None, stream=False))
    found[0].position = FUNCTION_CONFIG
    return found[0]


def _beside(unused: Sequence[Item], paths: Sequence[str]) -> tuple[Item, Result]:
    """Return the one config that is in a folder that was built, and not part of the build, with a warning.

    Raises:
        Errors: There are several, or it is somewhere below.
    """
    path = unused[0].file_path
    folders = {"", *(reading.show(os.path.normpath(one)) for one in paths)}
    if len(unused) > 1 or os.path.normpath(path).rpartition("/")[0] not in folders:
        message = (
            f"{path} holds a {KIND} that the build does not use: list the file under transformers in the kustomization, or"
            f" give it with -c {path}"
        )
        raise Errors.of(message, file_path=path, rule="no-config")
    unused[0].position = FUNCTION_CONFIG
    message = (
        f"the kustomization does not list {path}, so this config is applied to what kustomize built: list it under"
        " transformers to have kustomize call this function, or give it with -c"
    )
    return unused[0], Result(message=message, severity=WARNING, file_path=path, rule="config-beside")


def _in_resources(built: Sequence[Item], items: Sequence[Item], builds: Builds) -> tuple[Result, ...]:
    """Warn of configs that a kustomization lists as resources: there kustomize prints them and runs nothing."""
    message = f"the kustomization lists this {KIND} under resources, so `kustomize build` prints it and generates nothing: list the file under transformers instead"
    found = [
        about(item, message, rule="config-in-resources", severity=WARNING)
        for item in built
        if item.kind == KIND and item.group == GROUP
    ]
    return places.located(found, items, None, stream=False, original=builds.original)


def _function_not_run(path: str, item: Item) -> Result:
    """Report a config of another function, which is left out; a Cluster never is."""
    if item.kind == "Cluster" and item.group == CLUSTER_GROUP:
        message = (
            f"Cluster {item.namespace}/{item.name} has the annotation {FUNCTION_ANNOTATIONS[0]} (or the older"
            f" {FUNCTION_ANNOTATIONS[1]}), which marks a function's configuration: remove it"
        )
        return Result(message=message, resource_ref=item.ref(), file_path=path, rule="function-annotation")
    message = f"{path}: {item.kind} {item.name} configures another function, which is not run here"
    return Result(message=message, severity=WARNING, file_path=path, rule="function-ignored")


# --- what it is compared with ---------------------------------------------------------------------------------------


baseline_option = click.option(
    "--baseline",
    metavar="DIR",
    type=shared.PATH,
    help="A previously rendered tree to compare with, also for guard.maxRemovedClusters and immutable fields.",
)
against_option = click.option(
    "--against",
    metavar="REV",
    help="A Git revision to compare with, such as origin/main: what it has at PATH is rendered on the fly.",
)


def compared(
    source: Source, options: Options, baseline: str | None, against: str | None, earlier: str = ""
) -> tuple[Options, tuple[Result, ...]]:
    """Read what a run is compared with: a tree or a revision that was given, else what an `earlier` run rendered.

    Returns:
        The options with it, and what there is to report about it.

    Raises:
        Errors: It can't be read; or it is a part of the input, made by others, which would be missing there.
        UsageError: Both were given, or stdin with a revision.
    """
    if baseline is not None and against is not None:
        shared.wrong_usage("give --baseline or --against, not both")
    if against is not None:
        return _revision(against, source, options)
    if baseline is None:
        if not earlier:
            return options, ()
        given, _ = rendered(earlier, options.offers, f"what is in {earlier}", own=True)  # `-o` says what else is there
        return options.replace(baseline=given), ()
    given, results = rendered(baseline, options.offers, f"--baseline {baseline}")
    real = os.path.realpath(baseline)
    held = [path for path in source.paths if path != documents.STDIN and reading.inside(real, os.path.realpath(path))]
    if held and given.items and not any(item.contains(OWNER_ANNOTATION.encode()) for item in given.items):
        message = (
            f"--baseline {reading.show(baseline)} is part of the input {reading.show(held[0])}: give a tree that"
            " `clusternet-capi-fn render -o DIR` wrote, or compare with a Git revision: --against REV"
        )
        raise Errors.of(message, file_path=reading.show(baseline), rule="baseline-is-input")
    return options.replace(baseline=given), results


def rendered(folder: str, offers: Offers, source: str, *, own: bool = False) -> tuple[Baseline, tuple[Result, ...]]:
    """Return a rendered tree, called `source` in messages, and what of it is not read; one of our `own` may hold nothing.

    Raises:
        Errors: What can't be read.
    """
    texts: list[bytes] = []
    try:
        found = documents.Tree.read([folder], rules=Rules(rendered=True), texts=texts)
    except Errors as errors:
        raise Cleared(errors.results, knowing(texts, offers.tokens())) from None
    nothing = (
        f"{source} holds nothing that this function generated, so there is nothing to compare with; give a tree that"
        " `clusternet-capi-fn render -o DIR` wrote, or compare with a Git revision: --against REV"
    )
    return Baseline(items=found.items, source=source, nothing="" if own else nothing), found.results


def _revision(name: str, source: Source, options: Options) -> tuple[Options, tuple[Result, ...]]:
    if documents.STDIN in (*source.paths, source.config):
        shared.wrong_usage("--against needs files in a Git repository, not -")
    label = f"--against {name}"
    with tempfile.TemporaryDirectory(prefix="clusternet-capi-fn-") as folder:
        found = revision.write_out(name, [*source.paths, *filter(None, [source.config])], folder)
        paths = tuple(filter(None, found[: len(source.paths)]))
        config = found[-1] if source.config else ""
        if not paths or (source.config and not config):
            return options.replace(baseline=Baseline(items=(), source=label)), ()
        try:
            past = process(source.replace(paths=paths, config=config, skip=()), options.replace(baseline=None))
            changes = past.outcome.changes
            changes = changes.replace(added=(*changes.added, *(one.value() for one in past.local)))
            items = read_stream(b"".join(past.tree.stream(changes)), label)
            failed, before = past.outcome.results, "no-config"
        except Errors as unread:
            items, failed, before = [], unread.results, "no-files"
        # before there was a configuration, or any manifest, nothing was generated
        errors = [one for one in failed if one.severity == ERROR and one.rule != before]
        if not errors:
            return options.replace(baseline=Baseline(items=items, source=label)), ()
        cause = errors[0].message.replace(f"{folder}/", "")
        nothing = f"{label} can't be rendered, so nothing is compared with it: {cause}"
        return options.replace(baseline=Baseline(items=(), source=label, nothing=nothing)), ()
