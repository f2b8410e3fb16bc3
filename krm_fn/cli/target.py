"""`-o`: what is a place for output, and what is a slip."""

from __future__ import annotations

import os
from pathlib import Path

import click

from krm_fn.files import documents, reading, writing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STDOUT = "-"
_FILE_SUFFIXES = (".yaml", ".yml")
_FORMS = ("yaml", "json", "table", "markdown", "mermaid", "name", "wide")  # that a person may take -o for


def is_folder(target: str) -> bool:
    """Return whether a target is meant as a folder: it is one, or it does not exist and has no name of a YAML file."""
    path = Path(target)
    if path.exists():
        return path.is_dir()
    return target.endswith("/") or not target.endswith(_FILE_SUFFIXES)


def check(target: str, paths: Sequence[str], *, folder: bool) -> None:
    """Refuse what is no place for output.

    Raises:
        click.UsageError: A slip (`-o yaml`), a place that holds the input, or nothing that a file can replace.
    """
    if target == STDOUT:
        return
    shown = reading.show(target)
    real = os.path.realpath(target)
    message = ""
    if target in _FORMS:
        message = f"-o {target}: render prints YAML, and -o says where to; for a folder of that name write ./{target}"
    elif target.endswith(".json"):
        message = f"-o {shown}: render writes YAML; give a name that ends in .yaml, or a folder"
    elif real == os.sep:
        message = f"-o {shown}: give a folder of its own"
    elif not folder and (kind := writing.not_a_file(target)):
        message = f"-o {shown} is {kind}, not a regular file; for a pipe, print to stdout (-o -)"
    else:
        held = [path for path in paths if path != documents.STDIN and _holds(real, os.path.realpath(path))]
        if held:
            message = f"-o {shown} holds the input {reading.show(held[0])}: give another place, which may be below it"
    if message:
        raise click.UsageError(message, click.get_current_context(silent=True))


def _holds(target: str, path: str) -> bool:
    return path == target or reading.inside(path, target)


def earlier(target: str, *, folder: bool) -> str | None:
    """Return the target as a baseline where an earlier run wrote it."""
    return target if folder and writing.has_marker(target) else None
