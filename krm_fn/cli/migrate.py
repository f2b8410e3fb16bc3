"""`migrate`: from clusternet-hub's discovery to a config of ours, from kubectl dumps."""

from __future__ import annotations

import sys

import click

from krm_fn import migration
from krm_fn.cli import diagnostics, shared, status
from krm_fn.krm import runner
from krm_fn.tokens.redaction import Redactor
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.migration import Migration
    from krm_fn.views import Terminal

HELP = """From clusternet-hub's discovery to a config in Git.

Reads the hub's own objects as kubectl printed them and prints the equivalent ClusternetCAPIConfig (stdout, or -o FILE),
and on stderr what changes for running clusters and the steps, in order. Changes nothing; prints no token.

\b
Example:
  kubectl get clusters.cluster.x-k8s.io,clusterresourcesets -A -o yaml > management.yaml
  kubectl get configmaps -A --field-selector metadata.name=clusternet-agent-deploy -o yaml > deploy.yaml
  kubectl get configmaps -A --field-selector metadata.name=clusternet-agent-rbac -o yaml > rbac.yaml
  kubectl -n capi-system get secret clusternet-cluster-api -o yaml |
    clusternet-capi-fn migrate management.yaml deploy.yaml rbac.yaml - -o config.yaml

These dumps hold the registration token: delete them afterwards.

Exit code: 0, 1 if the config can't be written, 2 if a dump can't be read or holds nothing of the hub.
"""

_HEAD = """\
# The equivalent of what clusternet-hub's discovery set up, made by: clusternet-capi-fn migrate
# The registration token is left out on purpose: it was readable in ConfigMaps, so create a new one.
"""


@click.command("migrate", help=HELP)
@click.argument("files", nargs=-1, metavar="[FILE...|-]", type=click.Path(allow_dash=True))
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(allow_dash=True),
    default="-",
    show_default=True,
    help="Where the config goes.",
)
@click.option("--name", default="fleet", show_default=True, help="metadata.name of the config.")
@click.option(
    "--resource-set", default="clusternet", show_default=True, help="clusterResourceSet.name; must be free everywhere."
)
@shared.debug_option
def command(*, files: tuple[str, ...], output: str, name: str, resource_set: str) -> int:
    found = migration.plan(status.read(files), name=name, resource_set=resource_set)
    redactor = Redactor(found.tokens)
    code = shared.write(config_text(redactor.value(found.config)), output)
    if code != runner.OK:
        return code
    terminal = shared.terminal(sys.stderr)
    click.echo(redactor.text(guide(found, terminal)), file=sys.stderr, nl=False, color=terminal.colour)
    diagnostics.report(redactor.results(found.warnings))
    return runner.OK


def config_text(found: Mapping[str, Any]) -> str:
    """Return the config of a migration as YAML."""
    return _HEAD + dump(found)


def guide(found: Migration, terminal: Terminal) -> str:
    """Return what changes, and the steps in order."""
    lines = ["", terminal.paint("WHAT CHANGES", "head")]
    for change in found.changes:
        lines += terminal.wrap(change, "- ", "  ")
    lines += ["", terminal.paint("STEPS", "head")]
    for number, step in enumerate(found.steps, 1):
        lines += [terminal.paint(f"{number}. {step.title}", "head")]
        lines += terminal.wrap(step.text, "   ", "   ")
        lines += [f"     {command}" for command in step.commands]
    return "".join(f"{line}\n" for line in lines)
