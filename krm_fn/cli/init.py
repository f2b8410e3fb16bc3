"""`init`: the configuration, and in an empty folder what its host needs as well."""

from __future__ import annotations

import os
import pathlib
import shlex

import click

from krm_fn.cli import shared
from krm_fn.files import writing
from krm_fn.hosts import HOSTS
from krm_fn.krm import runner

STARTERS = pathlib.Path(__file__).parents[1] / "starters"


_HOSTS = {host.name: host for host in HOSTS}

HELP = """Write a starter configuration that renders as it is.

In an empty folder, init also writes what the host needs. In a folder with manifests it writes the configuration alone and
prints the lines to add. It overwrites nothing and never writes a Cluster.

\b
Examples:
  clusternet-capi-fn init fleet/
  clusternet-capi-fn init --for flux .
"""


@click.command("init", help=HELP)
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path())
@click.option(
    "--for", "host", type=click.Choice(tuple(_HOSTS)), help="[default: what DIR is set up for, else kustomize]"
)
def command(folder: str, host: str | None) -> int:
    root = pathlib.Path(folder)
    try:
        names = {path.name for path in root.iterdir()} if root.exists() else set()
        host = host or ("kpt" if "Kptfile" in names else "kustomize")
        known = _HOSTS[host]
        empty = all(name.startswith(".") for name in names)
        files = _files(host, whole=empty)
        taken = [name for name in files if os.path.lexists(root / name)]
        if taken:
            return shared.fail(f"{', '.join(str(root / name) for name in taken)}: already exists; nothing was written")
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            writing.create(str(path), text, 0o777 if text.startswith(b"#!") else 0o666)
    except OSError as error:
        return shared.fail(f"can't write {error.filename}: {error.strerror}")
    for name in files:
        click.echo(f"wrote {root / name}")
    if not empty and not _named(root, names, known.config):
        click.echo(f"\nAdd to {known.where}:\n")
        click.echo("".join(f"  {line}\n" for line in known.lines.splitlines()))
    change = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    below = str(pathlib.PurePosixPath(known.config).parent) if empty else "."
    click.echo(f"next: {change}{known.next.format(folder=below)}")
    return runner.OK


def _files(host: str, *, whole: bool) -> dict[str, bytes]:
    """Return the files of a host's starter by path, or the configuration alone for a folder that has its manifests already."""
    root = STARTERS / host
    if whole:
        return {one.relative_to(root).as_posix(): one.read_bytes() for one in sorted(root.rglob("*")) if one.is_file()}
    source = _HOSTS[host].config
    return {source.removeprefix("fleet/"): (root / source).read_bytes().replace(b"manifests fleet/", b"manifests ")}


def _named(root: pathlib.Path, names: set[str], config: str) -> bool:
    """Return whether the package's own file names the configuration already."""
    own = names & {"kustomization.yaml", "kustomization.yml", "Kustomization", "Kptfile"}
    return any(config in (root / name).read_text(encoding="utf-8", errors="replace") for name in own)
