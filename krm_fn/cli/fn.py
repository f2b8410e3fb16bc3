"""`fn`: the KRM function with options, for hosts that can pass arguments and for people in a pipe."""

from __future__ import annotations

import pathlib

import click

from krm_fn import function
from krm_fn.cli import diagnostics, inputs, shared
from krm_fn.files.originals import original
from krm_fn.krm import runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.krm.resource_list import ResourceList

HELP = """The KRM function: ResourceList on stdin, ResourceList on stdout.

The same as no command at all; this form takes options.

\b
Example:
  kpt fn source clusters/ | clusternet-capi-fn fn --verbose | kpt fn sink rendered/
"""


@click.command("fn", help=HELP)
@click.option(
    "--baseline",
    type=click.Path(exists=True, path_type=pathlib.Path),
    help="The last rendered tree (a checkout of the main branch, say), for guard.maxRemovedClusters and immutable fields.",
)
@shared.now_option
@click.option("--verbose", is_flag=True, help="Put every Cluster's verdict into the results.")
@shared.debug_option
def command(baseline: pathlib.Path | None, now: int | None, verbose: bool) -> int:  # noqa: FBT001 - click

    def process(found: ResourceList) -> None:
        offers = shared.environment_offers()
        items = None if baseline is None else inputs.baseline(str(baseline))
        options = function.Options(
            offers=offers, now=shared.moment(now, offers), baseline=items, verbose=verbose, original=original
        )
        function.run(found, options)

    return runner.run(process, *runner.standard_streams(), say=lambda results, _stderr: diagnostics.report(results))
