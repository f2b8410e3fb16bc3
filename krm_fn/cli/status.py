"""`status`: which Clusters are registered, and why the others are not, from kubectl dumps."""

from __future__ import annotations

import json
import sys

import click

from krm_fn.cli import dumps, shared
from krm_fn.krm import runner
from krm_fn.krm.results import Faults, Result
from krm_fn.status import status
from krm_fn.tokens import redaction
from krm_fn.views import status_data, status_table
from krm_fn.yaml import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.status.report import Report

HELP = """Which Clusters are registered, and why the others are not.

Reads what kubectl printed, as YAML or JSON, from files and stdin; asks no server. Of the Secrets it needs only our own,
and shows no value of them. JSON is read ten times faster than YAML, which matters for thousands of Clusters.

\b
Example:
  kubectl get clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings -A -o yaml > management.yaml
  kubectl get secrets,configmaps -A -l fn.clusternet.io/generated=true -o yaml > ours.yaml
  kubectl --context parent get managedclusters,clusterregistrationrequests -A -o yaml |
    clusternet-capi-fn status management.yaml ours.yaml -

With a Deployment capi-controller-manager among the dumps, its feature gate is looked at too. The dump of
clusterregistrationrequests holds a credential of each cluster (status.token): better piped than kept in a file.

Exit code: 0 if every Cluster is registered as far as can be seen, 1 if any is not, 2 if a dump can't be read.
"""


@click.command("status", help=HELP)
@click.argument("files", nargs=-1, metavar="[FILE...|-]", type=click.Path(allow_dash=True))
@click.option(
    "-o", "--output", type=click.Choice(["table", "json", "yaml"]), default="table", show_default=True, help="Form."
)
@click.option("--failing", is_flag=True, help="Show in the table only Clusters with which something is wrong.")
@click.option("--ignore-unselected", is_flag=True, help="Leave out Clusters that no ClusterResourceSet selects.")
@click.option("--parent", is_flag=True, help="The parent cluster was dumped too, even if it printed an empty list.")
@shared.now_option
@click.option("--debug", is_flag=True, help="Show where a fault of this program happened.")
def command(  # noqa: PLR0913 - one parameter an option
    *,
    files: tuple[str, ...],
    output: str,
    failing: bool,
    ignore_unselected: bool,
    parent: bool,
    now: int | None,
    debug: bool,
) -> int:
    """Read, evaluate, show."""
    del debug  # read by krm_fn.cli.main before click parses anything
    try:
        dump = dumps.read(files)
        moment = shared.moment(now, shared.environment_offers())
    except Faults as faults:
        shared.say(faults.results)
        return runner.USAGE
    report = status.evaluate(dump, moment, parent=parent)
    if not report.clusters and not dump.empty_lists:
        # all of none are registered: a check that looked at nothing must not be green
        message = (
            "no Cluster stands in the dumps; add what `kubectl get clusters.cluster.x-k8s.io -A -o yaml` prints on the"
            " management cluster"
        )
        shared.say([Result(message=message)])
        return runner.USAGE
    report = report.without(unselected=ignore_unselected)
    code = dumps.write(redaction.scrub(_rendered(report, output, failing=failing), report.secrets))
    return code or (runner.OK if report.ok else runner.FAILED)


def _rendered(report: Report, output: str, *, failing: bool) -> str:
    if output == "json":
        return json.dumps(status_data.as_data(report), indent=2, ensure_ascii=False) + "\n"
    if output == "yaml":
        return write.dump(status_data.as_data(report))
    width, colour = dumps.terminal(sys.stdout)
    return status_table.render(report, width=width, colour=colour, only_failing=failing)
