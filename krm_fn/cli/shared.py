"""What several commands need: options, the time, the operator's offers, the terminal, and writing text."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time

import click

from krm_fn.files import writing
from krm_fn.krm import runner
from krm_fn.krm.results import Errors
from krm_fn.kube.raw import parse_time
from krm_fn.kube.secrets import quoted
from krm_fn.tokens.offers import Offers
from krm_fn.views import PIPE, Terminal
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, NoReturn, TextIO

STDOUT = "-"
PATH = click.Path(readable=False)  # shells complete it; what can't be read is reported where it is read
_LONGEST_SECONDS = 11  # digits: beyond the year 5000


class Moment(click.ParamType[int]):
    """`--now`: RFC 3339, or seconds since the epoch."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value.isascii() and value.isdigit() and len(value) <= _LONGEST_SECONDS:
            return int(value)
        found = parse_time(value)
        if found is None:
            self.fail(
                f"{quoted(value)!r} is neither RFC 3339 (2026-11-23T10:00:00Z) nor seconds since the epoch", param, ctx
            )
        return found


now_option = click.option(
    "--now",
    type=Moment(),
    help="Judge the token's expiry as of this time (RFC 3339 or epoch seconds; default: SOURCE_DATE_EPOCH, else the clock).",
)
debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an internal error."
)  # read before click parses anything


def moment(given: int | None, offers: Offers) -> int:
    """Return the time that counts: `--now`, else SOURCE_DATE_EPOCH, else the clock."""
    if given is not None:
        return given
    epoch = offers.epoch()
    return int(time.time()) if epoch is None else epoch


def environment_offers() -> Offers:
    """Return what the operator of this machine offers."""
    return Offers(os.environ)


def terminal(stream: TextIO) -> Terminal:
    """Return a stream's terminal, or a pipe; with colours unless they are not wanted (https://no-color.org)."""
    if not stream.isatty():
        return PIPE
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Terminal(width=shutil.get_terminal_size().columns, colour=colour)


def write(text: str, target: str = STDOUT) -> int:
    """Write text as UTF-8, whatever the locale, to stdout (`-`) or a file; return the exit code."""
    data = text.encode("utf-8", "replace")
    if target == STDOUT:
        reason = runner.emit([data], sys.stdout.buffer)
    else:
        try:
            writing.replace_file(target, [data])
            reason = ""
        except Errors as errors:
            reason = errors.results[0].message
    return fail(reason) if reason else runner.OK


def data_text(found: Mapping[str, Any], form: str) -> str:
    """Return JSON-like data as indented JSON or as YAML."""
    if form == "yaml":
        return dump(found)
    return json.dumps(found, indent=2) + "\n"


def wrong_usage(message: str) -> NoReturn:
    """Refuse how a command was called.

    Raises:
        UsageError: Always.
    """
    raise click.UsageError(message, click.get_current_context(silent=True)) from None


def fail(reason: str) -> int:
    """Report why a command failed, and return its exit code."""
    click.echo(f"error: {reason}", file=sys.stderr)
    return runner.FAILED
