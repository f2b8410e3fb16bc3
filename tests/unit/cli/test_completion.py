"""Shell completion, as docs/hosts/plain.md sets it up."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def complete(shell: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "krm_fn"],
        env={**os.environ, "_CLUSTERNET_CAPI_FN_COMPLETE": shell, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_each_shell_gets_its_script(shell: str) -> None:
    assert "_CLUSTERNET_CAPI_FN_COMPLETE" in complete(f"{shell}_source").stdout


def test_commands_are_completed() -> None:
    found = complete("bash_complete", COMP_WORDS="clusternet-capi-fn pl", COMP_CWORD="1")
    assert found.stdout.split(",")[-1].strip() == "plan"
