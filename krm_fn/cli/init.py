"""`init`: a package for a host that renders at once."""

from __future__ import annotations

import pathlib
import shlex

import click

from krm_fn.cli import starters
from krm_fn.cli.schema import rendered
from krm_fn.krm import runner

SCHEMA_FILE = (
    ".schemas/clusternetcapiconfig.schema.json"  # hidden: it is no manifest, and nothing should read it as one
)

HELP = """Write a package that renders at once: a config, an example Cluster and what the host needs.

Nothing is overwritten. What you have to change is marked in the files.

\b
Examples:
  clusternet-capi-fn init fleet/
  clusternet-capi-fn init --for flux .
"""


@click.command("init", help=HELP)
@click.argument("folder", default=".", metavar="[DIR]")
@click.option("--for", "host", type=click.Choice(tuple(starters.STARTERS)), default="kustomize", show_default=True)
def command(folder: str, host: str) -> int:
    """Write the files."""
    root = pathlib.Path(folder)
    files = {**starters.files(host), SCHEMA_FILE: rendered("json-schema")}
    there = [name for name in files if (root / name).exists()]
    if there:
        click.echo(
            f"error: {', '.join(there)} in {folder} would be overwritten; give another folder, or remove them", err=True
        )
        return runner.FAILED
    try:
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            if text.startswith("#!"):
                path.chmod(0o755)
    except OSError as error:
        click.echo(f"error: can't write {error.filename}: {error.strerror}", err=True)
        return runner.FAILED
    click.echo(f"wrote {', '.join(files)}")
    change = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    click.echo(f"next: {change}{starters.NEXT[host]}")
    return runner.OK
