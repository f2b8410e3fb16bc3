"""`status`: which Clusters are registered, and why the others are not, from kubectl or its dumps."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click

from krm_fn import status
from krm_fn.cli import dumps, inputs, shared
from krm_fn.krm import runner
from krm_fn.krm.results import Errors
from krm_fn.status.commands import Commands
from krm_fn.status.scene import DEAD_AFTER
from krm_fn.surface import GENERATED_LABEL
from krm_fn.tokens.redaction import Redactor
from krm_fn.views import status_text
from krm_fn.views.data import status_data

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.status.report import Report

HELP = f"""Which Clusters are registered, and why the others are not.

Asks both clusters through kubectl (--context, --parent-context: reads only), or reads what kubectl printed, as YAML or
JSON, from files and stdin. Of the Secrets it needs only our own, and shows no value of them. With NAMESPACE/NAME it prints
the whole story of these Clusters, and what to do now.

\b
Example:
  clusternet-capi-fn status --context management --parent-context parent
  clusternet-capi-fn status --context management --parent-context parent team-a/web-1

\b
From dumps (JSON is read ten times faster than YAML, which matters for thousands of Clusters):
  kubectl get clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings,namespaces -A -o yaml > management.yaml
  kubectl get secrets,configmaps -A -l {GENERATED_LABEL}=true -o yaml > ours.yaml
  kubectl --context parent get managedclusters,clusterregistrationrequests -A -o yaml |
    clusternet-capi-fn status -f management.yaml -f ours.yaml -f -

With a Deployment capi-controller-manager among the dumps, its flags are looked at too. The dump of
clusterregistrationrequests holds a credential of each cluster (status.token): better piped than kept in a file.

Exit code: 0 if every Cluster is registered as far as can be seen, 1 if any is not (with --strict also if that can't be
known), 2 if a dump can't be read or kubectl fails.
"""

_SPAN = re.compile(r"(\d+)([dhm])\Z")
_UNITS = {"d": 86400, "h": 3600, "m": 60}
_CLUSTER = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?/[a-z0-9]([-.a-z0-9]*[a-z0-9])?\Z")
_CLUSTER_OR_NAME = re.compile(r"([a-z0-9]([-a-z0-9]*[a-z0-9])?/)?[a-z0-9]([-.a-z0-9]*[a-z0-9])?\Z")
_FILE = re.compile(r".*\.(ya?ml|json)\Z")


class Span(click.ParamType[int]):
    """A span of time as kubectl prints ages: 7d, 36h, 90m."""

    name = "span"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = _SPAN.match(value)
        if not found or not value.isascii():
            self.fail(f"{value!r} is not a span of time such as 7d, 36h or 90m", param, ctx)
        return int(found[1]) * _UNITS[found[2]]


@click.command("status", help=HELP)
@click.argument("arguments", nargs=-1, metavar="[NAMESPACE/NAME|FILE...]", shell_complete=shared.complete_path)
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
@click.option("--failing", is_flag=True, help="Show in the table only Clusters with which something is wrong.")
@click.option("--ignore-unselected", is_flag=True, help="Leave out Clusters that no ClusterResourceSet selects.")
@click.option("--strict", is_flag=True, help="Exit 1 also where it can't be known whether a Cluster is registered.")
@click.option("--parent", is_flag=True, help="The parent cluster was dumped too, even if it printed an empty list.")
@click.option(
    "--dead-after",
    type=Span(),
    default=DEAD_AFTER,
    show_default="7d",
    help="Silence after which a registration without a Cluster counts as left over for good.",
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
    more, titles = _sorted_out(arguments, asked=bool(files or context))
    wrong = "give --context or dumps, not both" if context and (files or more) else ""
    wrong = wrong or ("--parent-context needs --context" if parent_context and not context else "")
    if wrong:
        shared.wrong_usage(wrong)
    found = dumps.ask(context, parent_context) if context else dumps.read([*files, *more])
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
            raise Errors(unknown)
        report = report.only(titles)
    if ignore_unselected:
        report = report.without_unselected()
    report = Redactor(report.secrets).value(report)
    code = shared.write(_rendered(report, output, failing=failing, trees=bool(titles)))
    return code or (runner.OK if report.ok and (report.certain or not strict) else runner.FAILED)


def _sorted_out(arguments: Sequence[str], *, asked: bool) -> tuple[list[str], frozenset[str]]:
    """Tell files from Clusters among the arguments: what exists, or does not look like a Cluster, is a file.

    Where something else is `asked`, a name alone is a Cluster whose namespace was forgotten.
    """
    cluster = _CLUSTER_OR_NAME if asked else _CLUSTER
    files = [one for one in arguments if not cluster.match(one) or _FILE.match(one) or _exists(one)]
    return files, frozenset(one for one in arguments if one not in files)


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _rendered(report: Report, output: str, *, failing: bool, trees: bool) -> str:
    if output != "table":
        return shared.data_text(status_data(report), output)
    terminal = shared.terminal(sys.stdout)
    if trees:
        return status_text.tree(report, terminal)
    return status_text.table(report, terminal, only_failing=failing)
