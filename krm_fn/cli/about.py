"""What the program documents of itself: `explain` and `schema` from the model that validates, `completion`, `version`."""

from __future__ import annotations

import click

from krm_fn import __version__
from krm_fn.cli import shared
from krm_fn.krm import runner
from krm_fn.surface import API_VERSION

_FORMATS = ("json-schema", "editor-schema", "krm-function-definition", "markdown")

EXPLAIN = """Explain a field of ClusternetCAPIConfig: its type, default, meaning, an example, and the fields below it.

FIELD is a dotted path, with or without the leading spec. Without FIELD, the fields of spec are listed.

\b
Examples:
  clusternet-capi-fn explain
  clusternet-capi-fn explain spec.registrationToken
  clusternet-capi-fn explain agent.tolerations
"""

SCHEMA = """Print the schema of ClusternetCAPIConfig, generated from the model that validates it.

\b
Examples:
  clusternet-capi-fn schema > clusternetcapiconfig.schema.json
  clusternet-capi-fn schema --format krm-function-definition
  clusternet-capi-fn schema --format markdown
"""

COMPLETION = """Print a completion script for bash, zsh or fish.

\b
Examples:
  source <(clusternet-capi-fn completion bash)      # in ~/.bashrc
  source <(clusternet-capi-fn completion zsh)       # in ~/.zshrc, after compinit
  clusternet-capi-fn completion fish > ~/.config/fish/completions/clusternet-capi-fn.fish
"""


@click.command("explain", help=EXPLAIN)
@click.argument("field", required=False, default="spec", metavar="[FIELD]")
def explain(field: str) -> int:
    from krm_fn.config import reference  # noqa: PLC0415 - completions and --help need no model

    text, near = reference.explanation(field)
    if not text:
        hint = f"did you mean {near}?" if near else "`clusternet-capi-fn explain` lists the fields of spec"
        shared.wrong_usage(f"there is no field {field!r}: {hint}")
    click.echo(text, nl=False)
    return runner.OK


@click.command("schema", help=SCHEMA)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    show_default=True,
    help="JSON Schema for validators, the same with messages for editors, KRMFunctionDefinition for catalogs, or a reference to read.",
)
def schema(form: str) -> int:
    click.echo(schema_as(form), nl=False)
    return runner.OK


def schema_as(form: str) -> str:
    """Return the schema in one of the formats, ending in a newline."""
    if form == "markdown":
        from krm_fn.config.reference import markdown_reference  # noqa: PLC0415 - one of three is needed

        return markdown_reference()
    from krm_fn.config import export  # noqa: PLC0415 - one of three is needed

    if form == "krm-function-definition":
        from krm_fn.yaml import write  # noqa: PLC0415 - one of three is needed

        return write.dump(export.krm_function_definition())
    import json  # noqa: PLC0415 - one of three is needed

    return json.dumps(export.json_schema(editor=form == "editor-schema"), indent=2, ensure_ascii=False) + "\n"


@click.command("completion", help=COMPLETION)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - for this command alone

    maker = get_completion_class(shell)
    if maker is None:  # click knows all three
        raise click.UsageError(shell)
    found = maker(ctx.find_root().command, {}, "clusternet-capi-fn", "_CLUSTERNET_CAPI_FN_COMPLETE")
    script = found.source_template % found.source_vars()
    # Where the program has nothing to offer, bash itself goes on to complete paths.
    click.echo(script.replace("complete -o nosort -F", "complete -o nosort -o bashdefault -o default -F").strip())
    return runner.OK


@click.command("version", help="Print the version and the API version of the configuration.")
def version() -> int:
    click.echo(f"clusternet-capi-fn {__version__}")
    click.echo(f"config {API_VERSION}")
    return runner.OK
