"""`completion` prints a script that the shell itself accepts, and that leaves path completion on."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from click.shell_completion import get_completion_class
from click.testing import CliRunner

from krm_fn.cli import group


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_asks_this_program(shell: str) -> None:
    result = CliRunner().invoke(group, ["completion", shell], standalone_mode=False)
    assert result.return_value == 0
    assert f"_CLUSTERNET_CAPI_FN_COMPLETE={shell}_complete" in result.output


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash here")
def test_bash_takes_the_script_and_still_completes_paths() -> None:
    script = CliRunner().invoke(group, ["completion", "bash"], standalone_mode=False).output
    done = subprocess.run(
        ["bash", "--norc", "-c", f"{script}\ncomplete -p clusternet-capi-fn"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "-o bashdefault -o default" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        *(["render"], ["plan"], ["manifests"], ["status"], ["migrate"], ["init"]),
        *(["render", "-o"], ["render", "-c"], ["plan", "--baseline"], ["status", "-f"]),
    ],
)
def test_a_shell_that_completes_nothing_by_itself_is_asked_to_complete_paths(arguments: list[str]) -> None:
    maker = get_completion_class("fish")
    assert maker
    found = maker(group, {}, "clusternet-capi-fn", "_CLUSTERNET_CAPI_FN_COMPLETE").get_completions(arguments, "REA")
    assert [(one.type, one.value) for one in found] == [("file", "REA")]
