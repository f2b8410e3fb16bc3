"""Finds the host programs and runs them; knows nothing of what they print."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

REPOSITORY = Path(__file__).resolve().parents[2]
TOOLS = REPOSITORY / ".cache/tools"
IMAGE = "localhost/clusternet-capi-fn:v0.1.0"
BARE_IMAGE = "clusternet-capi-fn:v0.1.0"
SECONDS = 120


class Done(NamedTuple):
    """What a program left behind."""

    code: int
    out: str
    err: str


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """A host's environment: ours first on PATH, nothing of pytest, no variables that the function reads."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("CLUSTERNET_", "PYTEST_", "COV"))}
    return {**kept, "PATH": f"{Path(sys.executable).parent}:{kept['PATH']}", **(extra or {})}


def run(
    *command: str | Path,
    cwd: Path,
    stdin: str = "",
    env: Mapping[str, str] | None = None,
    code: int | set[int] | None = 0,
) -> Done:
    """Run a program and hold it to an exit code.

    Args:
        command: The program and its arguments.
        cwd: Where it runs.
        stdin: What it reads.
        env: Variables beyond those of `environment`.
        code: The exit code it must have, or those it may have; None for any but 0.
    """
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        input=stdin,
        env=environment(env),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    allowed = {code} if isinstance(code, int) else code
    expected = done.returncode != 0 if allowed is None else done.returncode in allowed
    shown = f"{' '.join(map(str, command))}\n{done.stderr[-4000:]}\n{done.stdout[-1000:]}"
    assert expected, f"exit code {done.returncode} of {shown}"
    return Done(done.returncode, done.stdout, done.stderr)


def kustomize(age: str) -> Path | None:
    """The newest or the oldest kustomize; for the newest, the machine's own where none was installed."""
    installed = TOOLS / f"kustomize-{age}"
    if installed.exists():
        return installed
    found = shutil.which("kustomize") if age == "newest" else None
    return Path(found) if found else None


def kubectls() -> dict[str, Path]:
    """Every kubectl to be had: the one built from packages, the machine's, and its versioned neighbours."""
    found = {"newest": TOOLS / "kubectl-newest"} if (TOOLS / "kubectl-newest").exists() else {}
    own = shutil.which("kubectl")
    if own:
        folder = Path(own).resolve().parent
        neighbours = {path.name.removeprefix("kubectl."): path for path in sorted(folder.glob("kubectl.1.[0-9]*"))}
        found.update(neighbours or {"own": Path(own)})
    return found


def kpts() -> dict[str, Path]:
    """Every kpt to be had: the newest where the module proxy serves it, and the machine's."""
    found = {"newest": TOOLS / "kpt-newest"} if (TOOLS / "kpt-newest").exists() else {}
    own = shutil.which("kpt")
    if own:
        found["own"] = Path(own)
    return found


def has_docker() -> bool:
    """Whether a real Docker engine answers."""
    if not shutil.which("docker"):
        return False
    return subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=SECONDS).returncode == 0


def has_rig() -> bool:
    """Whether .ci/container-rig has what it needs: root, and podman installed by `make tools`."""
    return os.geteuid() == 0 and shutil.which("podman") is not None


def versions() -> list[tuple[str, str]]:
    """Every host program with the version that it says it is."""
    asked = [
        *((f"kustomize {age}", (kustomize(age), "version")) for age in ("newest", "oldest")),
        *((f"kubectl {name}", (path, "version", "--client")) for name, path in kubectls().items()),
        *((f"kpt {name}", (path, "version")) for name, path in kpts().items()),
        *([("docker", ("docker", "--version"))] if has_docker() else []),
        *([("podman (rig)", ("podman", "--version"))] if has_rig() and not has_docker() else []),
    ]
    return [(name, _said(*command) if command[0] else "not here") for name, command in asked]


def _said(*command: str | Path | None) -> str:
    """The versions in a program's answer; where it knows none, that of the module it was built from."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=SECONDS)
    if "(devel)" in done.stdout and shutil.which("go"):
        done = subprocess.run(
            ["go", "version", "-m", str(command[0])], capture_output=True, text=True, check=False, timeout=SECONDS
        )
        return "".join(line.split()[2] for line in done.stdout.splitlines() if line.split()[0] == "mod")
    return ", kustomize ".join(
        dict.fromkeys(re.findall(r"\bv?[0-9]+\.[0-9]+\.[0-9]+(?:-beta\.[0-9]+)?\b", done.stdout)[:2])
    )
