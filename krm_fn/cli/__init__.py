"""The command line: argv, files, terminal, exit codes; no domain logic.

Commands are found by name in `COMMANDS` and loaded when asked for, so that `status` does not pay for what `render`
imports.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import itertools
import os
import re
import signal
import sys

import click

from krm_fn import __version__
from krm_fn.base import nearest
from krm_fn.krm import runner
from krm_fn.krm.results import Errors
from krm_fn.surface import REPORT_AT
from krm_fn.tokens.redaction import redacted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType
    from typing import Any, NoReturn

# Where each command lives, in the order of the help.
COMMANDS = {
    "fn": "krm_fn.cli.render:fn",
    "render": "krm_fn.cli.render:command",
    "plan": "krm_fn.cli.plan:command",
    "manifests": "krm_fn.cli.manifests:command",
    "status": "krm_fn.cli.status:command",
    "migrate": "krm_fn.cli.migrate:command",
    "explain": "krm_fn.cli.about:explain",
    "schema": "krm_fn.cli.about:schema",
    "init": "krm_fn.cli.init:command",
    "completion": "krm_fn.cli.about:completion",
    "version": "krm_fn.cli.about:version",
}

# Commands whose errors and warnings are about places in files, and the exit code for what can't be read.
REPORTING = {
    **dict.fromkeys(("fn", "render", "plan", "manifests"), runner.FAILED),
    **dict.fromkeys(("status", "migrate"), runner.USAGE),
}

HELP = """Register Cluster API clusters with Clusternet through Git.

A KRM function: without a command it reads a ResourceList on stdin and writes it to stdout with, for each namespace
whose Clusters match, the Secret and the ClusterResourceSets that install clusternet-agent. kustomize, kpt and Argo CD
call it that way. The commands do the same, and more, without such a host.

\b
Examples:
  kustomize build --enable-alpha-plugins --enable-exec examples/kustomization
  clusternet-capi-fn render clusters/ | kubectl apply --dry-run=server -f -
  clusternet-capi-fn plan clusters/ --baseline main/ -o markdown
  clusternet-capi-fn status --context management --parent-context parent

\b
Smallest configuration (functionConfig, or a file beside the Clusters):
  apiVersion: fn.clusternet.io/v1alpha1
  kind: ClusternetCAPIConfig
  metadata: {name: fleet}
  spec:
    parentURL: https://parent.example.com:6443
    registrationToken: {secretRef: {name: clusternet-registration}}
    clusterSelector: {matchLabels: {clusternet.io/register: "true"}}
"""


class _Commands(click.Group):
    """A group whose commands are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of `COMMANDS`."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        if cmd_name in REPORTING and not any(one.name == "error_format" for one in command.params):
            from krm_fn.cli import diagnostics  # noqa: PLC0415 - most commands report nothing

            command.params.append(diagnostics.option())
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Report what a command can't read, in the form that was asked for."""
        unread: Errors | None = None
        code = None
        try:
            code = super().invoke(ctx)
        except Errors as errors:
            unread = errors
        if unread or ctx.invoked_subcommand in REPORTING:
            from krm_fn.cli import diagnostics  # noqa: PLC0415 - others report nothing

            if unread:
                diagnostics.report(unread.results, getattr(unread, "redactor", None))
            diagnostics.finish()
        return REPORTING.get(ctx.invoked_subcommand or "", runner.FAILED) if unread else code

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command where the one asked for does not exist."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            near = nearest(args[0], COMMANDS)
            hint = f"did you mean {near}?" if near else f"the commands are {', '.join(COMMANDS)}"
            ctx.fail(f"no such command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Commands,
    help=HELP,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    invoke_without_command=True,
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    help="Show the traceback of an internal error (never any input).",
)
@click.version_option(__version__, "--version", prog_name="clusternet-capi-fn")
@click.pass_context
def group(ctx: click.Context) -> Any:
    """Hand over to a command; without one, be the function."""
    if ctx.invoked_subcommand is not None:
        return None
    return ctx.invoke(_Commands.get_command(group, ctx, "fn"))  # type: ignore[arg-type]


def main(arguments: Sequence[str]) -> int:
    """Run the command line and return the exit code.

    That is 0, 1 for findings, bad input and output that can't be written, 2 for wrong usage (of `status` and `migrate` for bad
    input too, see `REPORTING`), 3 for an internal error, 130 for an interrupt.

    Raises:
        SystemExit: A signal ended it (`_terminated`): 128 and its number.
    """
    plain = sys.stderr
    sys.stderr = redacted(plain)  # usage errors quote arguments
    if isinstance(sys.stdout, io.TextIOWrapper):
        # the same bytes in every locale: Latin-1 lacks even the marks of our own tables
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    # what was ignored stays ignored: nohup asks for that
    asked = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) is not signal.SIG_IGN]
    before = {one: signal.signal(one, _terminated) for one in asked}
    try:
        return runner.guarded(lambda: _run(arguments), sys.stderr, debug="--debug" in arguments, report_at=REPORT_AT)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        sys.stderr = plain


def _terminated(number: int, _frame: FrameType | None) -> NoReturn:
    """End as SIGTERM and SIGHUP (a closed terminal) ask, but by an exception, so that what was begun is undone: files, folders, programs."""
    with contextlib.suppress(OSError):
        os.write(2, b"error: terminated\n")  # not through sys.stderr, to which a write may be under way
    sys.exit(128 + number)


def _show(error: click.ClickException) -> None:
    """Print an error of usage, cause first: hosts and logs may show nothing but the first line."""
    message = re.sub(r"\.? Did you mean '?(.+?)'?\?", r": did you mean \1?", error.format_message()).removesuffix(".")
    wrong = re.search(r"'([^']*)' is not one of (.+)", message)
    near = nearest(wrong[1], re.findall("'([^']+)'", wrong[2])) if wrong else ""
    message += f": did you mean {near}?" if near else ""
    click.echo(f"error: {message[:1].lower()}{message[1:]}", file=sys.stderr)
    ctx = error.ctx if isinstance(error, click.UsageError) else None
    if ctx is not None:
        click.echo(ctx.get_usage(), file=sys.stderr)
        click.echo(f"`{ctx.command_path} {ctx.help_option_names[-1]}` shows the options", file=sys.stderr)


def _split(arguments: Sequence[str]) -> list[str]:
    """Take `-o=x` as `-o x`, as kubectl and kustomize do: to click the sign is part of the value, a folder named `=x`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    parts = [[one[:2], one[3:]] if re.match("-[a-zA-Z]=", one) else [one] for one in arguments[:end]]
    return [*itertools.chain.from_iterable(parts), *arguments[end:]]


def _run(arguments: Sequence[str]) -> int:
    try:
        code = group.main(_split(arguments), prog_name="clusternet-capi-fn", standalone_mode=False)
    except click.Abort:
        raise KeyboardInterrupt from None
    except click.ClickException as error:
        _show(error)
        return error.exit_code
    return code if isinstance(code, int) else runner.OK
