"""`version`: which release this is, and what it makes."""

from __future__ import annotations

import click

from krm_fn import __version__
from krm_fn.surface import API_VERSION


@click.command("version", help="Print the version and the API version of the configuration.")
def command() -> int:
    """Print two lines that scripts can read."""
    click.echo(f"clusternet-capi-fn {__version__}")
    click.echo(f"config {API_VERSION}")
    return 0
