"""`init`: the configuration, and in an empty folder what its host needs as well."""

from __future__ import annotations

import os
import pathlib
import shlex

import click

from krm_fn.cli import shared
from krm_fn.files import staging
from krm_fn.krm import runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

HOSTS = ("kustomize", "kpt", "argocd", "flux")
STARTERS = pathlib.Path(__file__).parents[1] / "starters"

_CONFIGS = {
    "kustomize": "clusternet.yaml",
    "kpt": "clusternet/config.yaml",
    "argocd": "fleet/clusternet.yaml",
    "flux": "fleet/clusternet.yaml",
}
# The lines that an existing package needs; where they go is the first entry.
_LINES = {
    "kustomize": ("the outermost kustomization.yaml", "transformers:\n- clusternet.yaml"),
    "kpt": (
        "Kptfile, last in the pipeline",
        "pipeline:\n  mutators:\n  - exec: clusternet-capi-fn\n    configPath: clusternet/config.yaml",
    ),
    "argocd": ("the Application's spec.source", "plugin:\n  name: clusternet-capi-fn-v0.1"),
    "flux": ("the CI job that pushes the artifact", "clusternet-capi-fn render . -o ../rendered.yaml"),
}
_NEXT = {
    "kustomize": "kustomize build --enable-alpha-plugins --enable-exec .",
    "kpt": "kpt fn render --allow-exec",
    "argocd": "clusternet-capi-fn plan {folder}",
    "flux": "clusternet-capi-fn plan {folder}",
}

HELP = """Write a configuration that renders at once.

In an empty folder, init also writes what the host needs. In a folder with manifests it writes the configuration alone and
prints the lines to add. It overwrites nothing and writes no Cluster.

\b
Examples:
  clusternet-capi-fn init fleet/
  clusternet-capi-fn init --for flux .
"""


@click.command("init", help=HELP)
@click.argument("folder", default=".", metavar="[DIR]", type=click.Path())
@click.option("--for", "host", type=click.Choice(HOSTS), help="[default: what DIR holds, else kustomize]")
def command(folder: str, host: str | None) -> int:
    root = pathlib.Path(folder)
    try:
        names = {path.name for path in root.iterdir()} if root.exists() else set()
        host = host or ("kpt" if "Kptfile" in names else "kustomize")
        empty = not any(not name.startswith(".") for name in names)
        files = _files(host) if empty else _config_alone(host)
        taken = [name for name in files if os.path.lexists(root / name)]
        if taken:
            return shared.fail(f"{', '.join(str(root / name) for name in taken)}: already exists; nothing was written")
        _write(root, files)
    except OSError as error:
        return shared.fail(f"can't write {error.filename}: {error.strerror}")
    for name in files:
        click.echo(f"wrote {root / name}")
    if not empty and not _named(root, names, _CONFIGS[host]):
        where, lines = _LINES[host]
        click.echo(f"\nAdd to {where}:\n")
        click.echo("".join(f"  {line}\n" for line in lines.splitlines()))
    change = "" if folder == "." else f"cd {shlex.quote(folder)} && "
    below = str(pathlib.PurePosixPath(_CONFIGS[host]).parent) if empty else "."
    click.echo(f"next: {change}{_NEXT[host].format(folder=below)}")
    return runner.OK


def _files(host: str) -> dict[str, bytes]:
    """Return all files of a host's starter, by path."""
    root = STARTERS / host
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


def _named(root: pathlib.Path, names: set[str], config: str) -> bool:
    """Return whether the package's own file names the configuration already."""
    own = names & {"kustomization.yaml", "kustomization.yml", "Kustomization", "Kptfile"}
    return any(config in (root / name).read_text(encoding="utf-8", errors="replace") for name in own)


def _config_alone(host: str) -> dict[str, bytes]:
    """Return the configuration for a folder that has its manifests already."""
    source = _CONFIGS[host]
    name = source.rpartition("/")[2] if host in {"argocd", "flux"} else source
    text = (STARTERS / host / source).read_bytes()
    return {name: text.replace(b"manifests fleet/", b"manifests ")}


def _write(root: pathlib.Path, files: Mapping[str, bytes]) -> None:
    """Write new files; no link is followed and nothing is overwritten.

    Raises:
        OSError: A file exists, or can't be written.
    """
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        staging.create(str(path), text, 0o777 if text.startswith(b"#!") else 0o666)
