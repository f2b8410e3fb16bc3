"""`completion`: the script that makes a shell complete commands, options and paths."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from krm_fn.krm import runner

PROGRAM = "clusternet-capi-fn"
VARIABLE = "_CLUSTERNET_CAPI_FN_COMPLETE"

HELP = """Print a completion script for bash, zsh or fish.

\b
Examples:
  source <(clusternet-capi-fn completion bash)      # in ~/.bashrc
  source <(clusternet-capi-fn completion zsh)       # in ~/.zshrc, after compinit
  clusternet-capi-fn completion fish > ~/.config/fish/completions/clusternet-capi-fn.fish
"""


@click.command("completion", help=HELP)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
@click.pass_context
def command(ctx: click.Context, shell: str) -> int:
    maker = get_completion_class(shell)
    if maker is None:  # click knows all three
        raise click.UsageError(shell)
    found = maker(ctx.find_root().command, {}, PROGRAM, VARIABLE)
    script = found.source_template % found.source_vars()
    # Where the program has nothing to offer, bash itself goes on to complete paths.
    click.echo(script.replace("complete -o nosort -F", "complete -o nosort -o bashdefault -o default -F").strip())
    return runner.OK
