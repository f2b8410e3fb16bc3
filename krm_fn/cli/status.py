"""`status`: which Clusters are registered, and why the others are not, from kubectl or its dumps (as `migrate` reads them)."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click

from krm_fn import status
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.files import reading
from krm_fn.krm import runner
from krm_fn.krm.results import WARNING, Errors, Result
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.status import dump
from krm_fn.status.commands import Commands
from krm_fn.status.scene import DEAD_AFTER
from krm_fn.surface import CAPI_MANAGER, GENERATED_LABEL, HUB_AGENT_MAP, HUB_RBAC_MAP
from krm_fn.tokens.redaction import Cleared, Redactor
from krm_fn.views import status_text
from krm_fn.views.data import status_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.dump import Dump, Kind
    from krm_fn.status.report import Report

HELP = f"""Show which Clusters are registered, and why the others are not.

Asks both clusters through kubectl (--context, --parent-context: reads only), or reads what kubectl printed, as YAML or
JSON, from files and stdin. Of the Secrets it needs only our own, and shows no value of them. With NAMESPACE/NAME it prints
the whole story of these Clusters, and what to do now.

\b
Example:
  clusternet-capi-fn status --context management --parent-context parent
  clusternet-capi-fn status --context management --parent-context parent team-a/web-1

\b
From dumps (JSON is read ten times faster than YAML, which matters for thousands of Clusters):
  kubectl get {dump.CLUSTER_KINDS},namespaces -A -o yaml > management.yaml
  kubectl get secrets,configmaps -A -l {GENERATED_LABEL}=true -o yaml > ours.yaml
  kubectl --context parent get {dump.in_short(dump.MANAGED, dump.REQUESTS)} -A -o yaml |
    clusternet-capi-fn status -f management.yaml -f ours.yaml -f -

With a Deployment capi-controller-manager among the dumps, its flags are looked at too. The dump of
clusterregistrationrequests holds a credential of each cluster (status.token): better piped than kept in a file.

Exit code: 0 if every Cluster is registered as far as can be seen, 1 if any is not (with --strict also if that can't be
known), 2 if a dump can't be read, no Cluster is in the dumps or none by the given name, or kubectl fails.
"""

_SPAN = re.compile(r"(\d+)([dhm])\Z")
_UNITS = {"d": 86400, "h": 3600, "m": 60}
_CLUSTER = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?\Z")
_FILE = re.compile(r".*\.(ya?ml|json)\Z")
_STDIN = "-"
_SLOW = 10 * 1024 * 1024  # YAML of that size takes some ten seconds
_SECONDS = 300  # for one command of kubectl; thousands of objects come in pages
_REQUEST = "60s"  # for one request of it

# What kubectl is asked for. The first of a cluster is needed; the others may be forbidden to the caller.
# The kind is given where an answer without an object means that there is none.
_MANAGEMENT: tuple[tuple[str, Kind | None], ...] = (
    (f"{dump.CLUSTERS},{dump.SETS},{dump.BINDINGS} -A", None),
    (f"secrets -A -l {GENERATED_LABEL}=true", dump.SECRET),
    (f"configmaps -A -l {GENERATED_LABEL}=true", dump.CONFIG_MAP),
    (f"configmaps -A --field-selector metadata.name={HUB_AGENT_MAP}", None),
    (f"configmaps -A --field-selector metadata.name={HUB_RBAC_MAP}", None),
    ("namespaces", None),
    (f"deployments.apps -A --field-selector metadata.name={CAPI_MANAGER}", None),
)
_PARENT = ((f"{dump.MANAGED},{dump.REQUESTS} -A", None),)


class Span(click.ParamType[int]):
    """A span of time as kubectl prints ages: 7d, 36h, 90m."""

    name = "span"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SPAN.match(value)
        if not found or not value.isascii():
            self.fail(f"{value!r} is not a duration such as 7d, 36h or 90m", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command("status", help=HELP)
@click.argument("arguments", nargs=-1, metavar="[NAMESPACE/NAME|FILE...]", type=shared.PATH)
@click.option(
    "-f",
    "--file",
    "files",
    multiple=True,
    metavar="FILE",
    type=click.Path(allow_dash=True),
    help="A dump, - for stdin; may be repeated. A file may also be given without -f.",
)
@click.option("--context", default="", metavar="NAME", help="Ask the management cluster of this kubectl context.")
@click.option("--parent-context", default="", metavar="NAME", help="Ask the parent cluster too. Needs --context.")
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Form."
)
@click.option("--failing", is_flag=True, help="List only Clusters with a problem in the table.")
@click.option("--ignore-unselected", is_flag=True, help="Leave out Clusters that no ClusterResourceSet selects.")
@click.option("--strict", is_flag=True, help="Exit with 1 also if it can't be known whether a Cluster is registered.")
@click.option("--parent", is_flag=True, help="The parent cluster was dumped too, even if its list is empty.")
@click.option(
    "--dead-after",
    type=Span(),
    default=DEAD_AFTER,
    show_default="7d",
    help="Time without a report after which a registration without a Cluster counts as left over for good.",
)
@click.option(
    "--now",
    type=shared.Moment(),
    help="Count ages and judge the token's expiry as of this time (RFC 3339 or epoch seconds; default: SOURCE_DATE_EPOCH, else"
    " the clock, and for the ages in dumps their own newest time).",
)
@shared.debug_option
def command(  # noqa: PLR0913 - one parameter per option
    *,
    arguments: tuple[str, ...],
    files: tuple[str, ...],
    context: str,
    parent_context: str,
    output: str,
    failing: bool,
    ignore_unselected: bool,
    strict: bool,
    parent: bool,
    dead_after: int,
    now: int | None,
) -> int:
    more, titles = _sorted_out(arguments, asked=bool(files or context or _STDIN in arguments))
    wrong = "give --context or dumps, not both" if context and (files or more) else ""
    wrong = wrong or ("--parent-context needs --context" if parent_context and not context else "")
    if wrong:
        shared.wrong_usage(wrong)
    found = ask(context, parent_context) if context else read([*files, *more], "--context, or ")
    moment = shared.moment(now, shared.environment_offers())
    given = now is not None or bool(context) or shared.environment_offers().epoch() is not None
    reported = None if given else status.newest_report(found, moment)
    parent = parent or bool(parent_context)
    commands = Commands(context=context, parent_context=parent_context)
    report = status.evaluate(
        found, moment, parent=parent, reported=reported, dead_after=dead_after, stories=titles, commands=commands
    )
    if not report.clusters and not found.empty_lists:
        # all of none are registered: a check that looked at nothing must not be green
        message = f"no Cluster is in the dumps; add what `{commands.dump_clusters()}` prints on the management cluster"
        raise Errors.of(message)
    if titles:
        there = {one.title for one in report.clusters}
        unknown = inputs.no_cluster(sorted(titles), there)
        if unknown:
            raise Cleared(unknown, Redactor(report.secrets))
        report = report.only(titles)
    if ignore_unselected:
        report = report.without_unselected()
    report = Redactor(report.secrets).value(report)
    code = shared.write(_rendered(report, output, failing=failing, trees=bool(titles)))
    return code or (runner.OK if report.ok and (report.certain or not strict) else runner.FAILED)


def _sorted_out(arguments: Sequence[str], *, asked: bool) -> tuple[list[str], frozenset[str]]:
    """Tell files from Clusters among the arguments: what exists, or does not look like a Cluster, is a file.

    If `asked` by -f, - or --context, a name alone is a Cluster whose namespace was forgotten, and `namespace/name` is one even
    where there is a folder of that name, as repositories of Clusters have.
    """
    named = [one for one in arguments if _CLUSTER.match(one) and ("/" in one or asked) and not _FILE.match(one)]
    titles = frozenset(
        one
        for one in named
        if not os.path.exists(one)  # noqa: PTH110 - asks for any length of name
        or (asked and "/" in one and os.path.isdir(one))  # noqa: PTH112
    )
    return [one for one in arguments if one not in titles], titles


def _rendered(report: Report, output: str, *, failing: bool, trees: bool) -> str:
    if output != "table":
        return shared.data_text(status_data(report), output)
    terminal = shared.terminal(sys.stdout)
    if trees:
        return status_text.tree(report, terminal)
    return status_text.table(report, terminal, only_failing=failing)


# --- dumps -----------------------------------------------------------------------------------------------------------


def read(files: Sequence[str], other: str = "") -> Dump:
    """Read dumps from files and, for `-` or without any name, from stdin; `other` is what else can be given.

    Raises:
        Errors: For every file that can't be read or is no dump.
        click.UsageError: When there is nothing to read: no file, and stdin is a terminal.
    """
    if not files and sys.stdin.isatty():
        shared.wrong_usage(
            f"give {other}the files that kubectl wrote, or pipe its output in; --help shows the commands"
        )
    results: list[Result] = []
    readable = 0

    def texts() -> Iterator[tuple[str, bytes]]:
        """Read one after the other, so that never more than one is in memory as text."""
        nonlocal readable
        for name in dict.fromkeys(files or (_STDIN,)):
            try:
                data = sys.stdin.buffer.read() if name == _STDIN else reading.read(name)
            except Errors as errors:
                results.extend(_with_remedy(one) for one in errors.results)
                continue
            readable += 1
            shown = "stdin" if name == _STDIN else name
            progress(shown, data)
            yield shown, data
            del data

    try:
        found = dump.read(texts())
    except Errors as errors:
        raise Errors([*results, *(errors.results if readable else ())]) from None
    if results:
        raise Errors(results)
    return found


def _with_remedy(result: Result) -> Result:
    if result.message.endswith(("?", ")")):  # it says what to do
        return result
    return result.replace(message=f"{result.message}; give a file that holds what kubectl printed")


def progress(name: str, data: bytes) -> None:
    """Say on a terminal that reading takes a while."""
    if len(data) >= _SLOW and sys.stderr.isatty():
        slow = "" if data.lstrip()[:1] == b"{" else "; JSON (-o json) is read ten times faster"
        click.echo(f"reading {len(data) // 1024 // 1024} MiB of {name}{slow}", file=sys.stderr)


def ask(context: str, parent_context: str) -> Dump:
    """Ask the management cluster and, if its context is given, the parent cluster, through kubectl.

    It finds the user's contexts, credentials and proxies, and only reads (`get`): of Secrets those with our label
    alone, of ConfigMaps these and, by their names, those of the hub's discovery. What it prints holds
    the registration token and each cluster's credential, and stays in memory. It is found in the absolute folders of
    PATH alone, so never in a checked-out repository. What the caller may not read is reported.

    Raises:
        Errors: When kubectl is not there, or a read that `status` can't do without fails.
    """
    program = reading.find_program("kubectl")
    if not program:
        message = (
            "kubectl is in no absolute folder of PATH; install it there, or give dumps (--help shows the commands)"
        )
        raise Errors.of(message, rule="kubectl")
    found, warnings, errors, unread, refused = [], [], [], [], set()
    for name, wanted in ((context, _MANAGEMENT), *([(parent_context, _PARENT)] if parent_context else [])):
        for what, kind in wanted:
            resource = what.split()[0]
            if resource in refused:
                continue
            shown = f"kubectl --context {name} get {what}"
            asked = [program, "--context", name, "get", *what.split(), "-o", "json", f"--request-timeout={_REQUEST}"]
            data, reason = _run(asked)
            if not reason:
                found.append((shown, data))
                continue
            failure = Result(message=f"`{shown}` failed: {reason}", rule="kubectl")
            if (what, kind) == wanted[0]:
                errors.append(failure)
                break  # the others of this cluster would most likely fail alike
            warnings.append(failure.replace(severity=WARNING))
            refused.add(resource)
            unread += [kind] if kind else []
    if errors:
        raise Errors(errors)
    diagnostics.report(warnings)
    return dump.read(found).replace(unread=frozenset(unread))


def _run(command: Sequence[str]) -> tuple[bytes, str]:
    """Run kubectl; return what it printed, or why there is nothing."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return b"", f"no answer within {_SECONDS} seconds"
    except OSError as error:
        return b"", error.strerror or "it can't be run"
    if done.returncode == 0:
        return done.stdout, ""
    reason = quoted(done.stderr.decode("utf-8", "replace").strip(), MOST_QUOTED, ends=True)
    return b"", reason or f"exit code {done.returncode} without a message"
