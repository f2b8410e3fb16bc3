"""What `status` and `migrate` share: dumps from files and stdin, progress, and text for a terminal or a pipe."""

from __future__ import annotations

import os
import shutil
import sys

import click

from krm_fn.files import reading, writing
from krm_fn.krm import runner
from krm_fn.krm.results import Errors
from krm_fn.status import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from krm_fn.krm.results import Result
    from krm_fn.status.dump import Dump

_STDIN = "-"
# YAML of that size takes some ten seconds
_SLOW = 10 * 1024 * 1024


def read(files: Sequence[str]) -> Dump:
    """Read dumps from files and, for `-` or without any name, from stdin.

    Raises:
        Errors: For every file that can't be read or is no dump.
        click.UsageError: When there is nothing to read: no file, and stdin is a terminal.
    """
    if not files and sys.stdin.isatty():
        message = "give the files that kubectl wrote, or pipe its output in; --help shows the commands"
        raise click.UsageError(message, click.get_current_context(silent=True))
    results: list[Result] = []
    readable = 0

    def inputs() -> Iterator[tuple[str, bytes]]:
        """Read one after the other, so that never more than one is in memory as text."""
        nonlocal readable
        for name in dict.fromkeys(files or (_STDIN,)):
            try:
                data = sys.stdin.buffer.read() if name == _STDIN else reading.read(name)
            except Errors as errors:
                results.extend(
                    one.replace(message=f"{one.message}; write kubectl's output there first") for one in errors.results
                )
                continue
            readable += 1
            shown = "stdin" if name == _STDIN else name
            progress(shown, data)
            yield shown, data
            del data

    try:
        found = dump.read(inputs())
    except Errors as errors:
        raise Errors([*results, *(errors.results if readable else ())]) from None
    if results:
        raise Errors(results)
    return found


def progress(name: str, data: bytes) -> None:
    """Say on a terminal that reading takes its time."""
    if len(data) >= _SLOW and sys.stderr.isatty():
        slow = "" if data.lstrip()[:1] == b"{" else "; JSON (-o json) is read ten times faster"
        click.echo(f"reading {len(data) // 1024 // 1024} MiB of {name}{slow}", err=True)


def terminal(stream: TextIO) -> tuple[int | None, bool]:
    """Return the width of a stream's terminal, None for a pipe, and whether to use colours (https://no-color.org)."""
    if not stream.isatty():
        return None, False
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return shutil.get_terminal_size().columns, colour


def write(text: str, target: str = _STDIN) -> int:
    """Write text as UTF-8, whatever the locale, to stdout (`-`) or a file; return the exit code."""
    data = text.encode("utf-8", "replace")
    if target == _STDIN:
        reason = runner.emit([data], sys.stdout.buffer)
    else:
        try:
            writing.replace_file(target, [data])
            reason = ""
        except Errors as errors:
            reason = errors.results[0].message.removesuffix("; nothing was changed")
    if reason:
        click.echo(f"error: {reason}", err=True)
        return runner.FAILED
    return runner.OK
