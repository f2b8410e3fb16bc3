"""`schema`: the configuration's schema, for editors, registries and people, from the model that validates."""

from __future__ import annotations

import click

_FORMATS = ("json-schema", "editor-schema", "krm-function-definition", "markdown")


@click.command(
    "schema",
    help="""Print the schema of ClusternetCAPIConfig, made from the model that validates it.

\b
Examples:
  clusternet-capi-fn schema > clusternetcapiconfig.schema.json
  clusternet-capi-fn schema --format krm-function-definition
  clusternet-capi-fn schema --format markdown
""",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(_FORMATS),
    default=_FORMATS[0],
    show_default=True,
    help="JSON Schema for validators, the same with messages for editors, KRMFunctionDefinition for catalogs, or a reference to read.",
)
def command(form: str) -> int:
    click.echo(rendered(form), nl=False)
    return 0


def rendered(form: str) -> str:
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
