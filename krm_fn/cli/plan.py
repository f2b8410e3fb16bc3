"""`plan`: what would be rendered and why, for a pull request or a terminal."""

from __future__ import annotations

import sys

import click

from krm_fn import function
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.krm import runner
from krm_fn.krm.results import Errors, has_errors
from krm_fn.kube.labels import MATCHES_NOTHING, LabelSelector, SelectorError, parse_selector
from krm_fn.tokens.redaction import Cleared, Redactor
from krm_fn.views import plan_markdown, plan_shown, plan_text
from krm_fn.views.data import plan_data
from krm_fn.views.plan_shown import Filters, Shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.krm.results import Result

HELP = """Show what would be rendered and why: every Cluster, the rule that decided, its name and ClusterResourceSet.

PATH is a folder or file with the Clusters and their ClusternetCAPIConfig, or - for stdin. With --baseline (a rendered
tree) or --against (a Git revision, rendered on the fly) it also shows what a change does: which Clusters register, on which
the agent's pods restart, what it costs, and a diff. Secret values are never shown.

\b
Examples:
  clusternet-capi-fn plan examples/kustomization
  clusternet-capi-fn plan clusters/ --against origin/main -o markdown > comment.md
  clusternet-capi-fn plan clusters/ --against HEAD~1 --only-changed
  clusternet-capi-fn plan clusters/ -o json | jq '.clusters[] | select(.registers | not)'

Exit code 1 if rendering would fail, or, with --exit-code, if anything changes; the errors are on stderr, and in the output of
every form.
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
@inputs.baseline_option
@inputs.against_option
@click.option("--exit-code", is_flag=True, help="Exit with 1 if anything changes, as `kubectl diff` does.")
@click.option("-n", "--namespace", "namespaces", multiple=True, metavar="NAMESPACE", help="Show these namespaces only.")
@click.option("-l", "--selector", metavar="SELECTOR", help="Show Clusters with these labels only, such as env=prod.")
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    metavar="NAMESPACE/NAME",
    help="Show these Clusters only, and what every config decided about them.",
)
@click.option("--only-changed", is_flag=True, help="Show only Clusters that a change affects.")
@shared.now_option
def command(  # noqa: PLR0913 - one parameter per option
    *,
    source: inputs.Source,
    form: str,
    baseline: str | None,
    against: str | None,
    exit_code: bool,
    namespaces: tuple[str, ...],
    selector: str | None,
    clusters: tuple[str, ...],
    only_changed: bool,
    now: int | None,
) -> int:
    if (exit_code or only_changed) and baseline is None and against is None:
        option = "--exit-code" if exit_code else "--only-changed"
        shared.wrong_usage(f"{option} needs --baseline or --against to compare with")
    filters = Filters(namespaces=namespaces, selector=_selector(selector), clusters=clusters, only_changed=only_changed)
    offers = shared.environment_offers()
    try:
        options = function.Options(offers=offers, now=shared.moment(now, offers), needs_token=False)
        source = source.replace(skip=(baseline,) if baseline else ())
        options, found = inputs.compared(source, options, baseline, against)
        view, redactor = _view(source, options, filters, found)
    except Errors as errors:
        redactor = getattr(errors, "redactor", Redactor())
        view = Shown(configs=(), results=redactor.results(errors.results))
    diagnostics.report(view.results, redactor)
    click.echo(_shown(view, form, redactor), nl=False)
    changed = view.elsewhere or (view.comparison is not None and not view.comparison.empty)
    return runner.FAILED if view.errors or (exit_code and changed) else runner.OK


def _view(
    source: inputs.Source, options: function.Options, filters: Filters, found: Sequence[Result]
) -> tuple[Shown, Redactor]:
    """Read, plan and compare; `found` is what there is to report about the baseline.

    Raises:
        Errors: What can't be read.
    """
    given = inputs.process(source, options)
    outcome = given.outcome
    # hidden before a view shortens them: a token that was cut can no longer be recognized
    results = outcome.redactor.results((*given.results, *found, *outcome.results))
    comparison = function.compare(outcome, given.tree.items)
    if outcome.plan is not None and not has_errors(results):
        titles = {one.title for one in outcome.plan.inventory.clusters}
        titles.update(() if comparison is None else (title for one in comparison.effects for title in one.clusters))
        unknown = inputs.no_cluster(filters.clusters, titles)
        if unknown:
            raise Cleared(unknown, outcome.redactor)
    return plan_shown.of(outcome, results, comparison, filters), outcome.redactor


def _selector(text: str | None) -> LabelSelector | None:
    if text is None:
        return None
    try:
        return LabelSelector.read(parse_selector(text)) or MATCHES_NOTHING
    except SelectorError as error:
        shared.wrong_usage(f"-l {text}: {error}")


def _shown(view: Shown, form: str, redactor: Redactor) -> str:
    if form in {"json", "yaml"}:  # value by value, so that what is left is still JSON or YAML
        return shared.data_text(redactor.value(plan_data(view)), form)
    if form == "table":
        text = plan_text.table(
            view, shared.terminal(sys.stdout), errors=not (sys.stdout.isatty() and sys.stderr.isatty())
        )
    else:
        text = plan_markdown.render(view) if form == "markdown" else plan_text.mermaid(view)
    return redactor.text(text)
