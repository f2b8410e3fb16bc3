"""What several commands need: the time, the operator's offers, and paths completed by the shell."""

from __future__ import annotations

import datetime as dt
import os
import time

import click

from krm_fn.kube.secrets import quoted
from krm_fn.tokens.operator import Offers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

_LONGEST_SECONDS = 11  # digits: beyond the year 5000


class Moment(click.ParamType[int]):
    """`--now`: RFC 3339, or seconds since the epoch."""

    name = "time"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        if value.isascii() and value.isdigit() and len(value) <= _LONGEST_SECONDS:
            return int(value)
        try:
            found = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            self.fail(
                f"{quoted(value)!r} is neither RFC 3339 (2026-11-23T10:00:00Z) nor seconds since the epoch", param, ctx
            )
        if found.tzinfo is None:
            found = found.replace(tzinfo=dt.timezone.utc)
        return int(found.timestamp())


now_option = click.option(
    "--now",
    type=Moment(),
    help="Judge the token's life as of this time (RFC 3339 or epoch seconds; default: SOURCE_DATE_EPOCH, else the clock).",
)


def moment(given: int | None, offers: Offers) -> int:
    """Return the time that counts: `--now`, else SOURCE_DATE_EPOCH, else the clock."""
    if given is not None:
        return given
    epoch = offers.epoch()
    return int(time.time()) if epoch is None else epoch


def environment_offers() -> Offers:
    """Return what the operator of this machine offers."""
    return Offers(os.environ)


def complete_path(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Have the shell complete a path, where an option or argument is one without a type that says so."""
    from click.shell_completion import CompletionItem  # noqa: PLC0415 - for a completion alone

    return [CompletionItem(incomplete, type="file")]
