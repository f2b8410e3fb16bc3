"""`plan`: what would be rendered and why, for a pull request or a terminal."""

from __future__ import annotations

import os
import shutil
import sys

import click

from krm_fn import function
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.clusters import inventory
from krm_fn.earlier import compare, read
from krm_fn.krm import runner
from krm_fn.krm.results import Faults, has_errors
from krm_fn.views import plan_data, plan_markdown, plan_mermaid, plan_table
from krm_fn.views.shown import Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.earlier.compare import Comparison
    from krm_fn.function import Outcome
    from krm_fn.krm.items import Item

HELP = """Show what would be rendered and why: every Cluster, the rule that decided, its name and ClusterResourceSet.

PATH is a folder or file with the Clusters and their ClusternetCAPIConfig, or - for stdin. With --baseline it also
shows what changes against an earlier rendered tree, and where agent pods restart. Secret values are never shown.

\b
Examples:
  clusternet-capi-fn plan examples/kustomization
  clusternet-capi-fn plan clusters/ --baseline rendered/ -o markdown > comment.md
  clusternet-capi-fn plan clusters/ -o json | jq '.clusters[] | select(.registers | not)'

Exit code 1 if rendering would fail; the reasons are on stderr, and in the output of every form but the picture.
"""


@click.command("plan", help=HELP)
@inputs.options
@click.option(
    "-o",
    "--output",
    "form",
    type=click.Choice(("table", "markdown", "mermaid", "json", "yaml")),
    default="table",
    show_default=True,
    help="Markdown and Mermaid are for pull requests, JSON and YAML for programs.",
)
@click.option("--baseline", metavar="DIR", help="An earlier rendered tree to compare with (the main branch, say).")
@shared.now_option
def command(  # noqa: PLR0913 - one parameter an option
    *,
    paths: Sequence[str],
    config: str | None,
    exclude: tuple[str, ...],
    enable_exec: bool,
    form: str,
    baseline: str | None,
    now: int | None,
) -> int:
    """Plan and print."""
    offers = shared.environment_offers()
    try:
        earlier = inputs.baseline(baseline)
        options = function.Options(offers=offers, now=shared.moment(now, offers), baseline=earlier)
        source = inputs.Source(
            paths=tuple(paths),
            config=config or "",
            exclude=exclude,
            skip=(baseline,) if baseline else (),
            enable_exec=enable_exec,
        )
        given = inputs.process(source, options)
    except Faults as faults:
        diagnostics.report(faults.results)
        return runner.FAILED
    outcome = given.outcome
    results = (*given.results, *outcome.results)
    diagnostics.report(results, outcome.redactor)
    if outcome.plan is None:
        return runner.FAILED
    view = Shown(plan=outcome.plan, configs=outcome.configs, results=results, comparison=_comparison(outcome, earlier))
    click.echo(outcome.redactor.text(_shown(view, form)), nl=False)
    return runner.FAILED if has_errors(results) else runner.OK


def _shown(view: Shown, form: str) -> str:
    if form == "table":
        terminal = sys.stdout.isatty()
        return plan_table.render(
            view,
            width=shutil.get_terminal_size().columns if terminal else None,
            colour=terminal and not os.environ.get("NO_COLOR"),
        )
    forms = {
        "markdown": plan_markdown.render,
        "mermaid": plan_mermaid.render,
        "json": plan_data.as_json,
        "yaml": plan_data.as_yaml,
    }
    return forms[form](view)


def _comparison(outcome: Outcome, earlier: Sequence[Item] | None) -> Comparison | None:
    """Compare with the baseline; nothing if there is none or nothing would be rendered."""
    if earlier is None or outcome.plan is None or has_errors(outcome.results):
        return None
    taken = inventory.take(earlier, ())
    owners = {config.owner for config in outcome.configs}
    covered = None
    if taken.clusters:
        sets = read.read(taken.owned).main_sets
        coverage = read.Coverage(one for one in sets if one.owner in owners)
        covered = [cluster.title for cluster in taken.clusters if coverage.of(cluster)]
    return compare.compare(outcome.configs, outcome.plan.generated, outcome.plan.verdicts, taken.owned, covered)
