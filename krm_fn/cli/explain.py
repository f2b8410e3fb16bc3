"""`explain`: what a field of the configuration is, as `kubectl explain` tells it, from the model that validates."""

from __future__ import annotations

import click

from krm_fn.krm import runner

HELP = """Explain a field of ClusternetCAPIConfig: its type, default, meaning, an example, and the fields below it.

FIELD is a dotted path; without one the fields of spec are listed. The word spec may be left out.

\b
Examples:
  clusternet-capi-fn explain
  clusternet-capi-fn explain spec.registrationToken
  clusternet-capi-fn explain agent.tolerations
"""


@click.command("explain", help=HELP)
@click.argument("field", required=False, default="spec", metavar="[FIELD]")
def command(field: str) -> int:
    from krm_fn.config import reference  # noqa: PLC0415 - completions and --help need no model

    text, near = reference.explanation(field)
    if not text:
        hint = f" Did you mean {near}?" if near else " `clusternet-capi-fn explain` lists the fields of spec."
        message = f"there is no field {field!r}.{hint}"
        raise click.UsageError(message, click.get_current_context(silent=True))
    click.echo(text, nl=False)
    return runner.OK
