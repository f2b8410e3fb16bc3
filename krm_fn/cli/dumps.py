"""Where `status` and `migrate` get objects: dumps from files and stdin, or two clusters that kubectl is asked about."""

from __future__ import annotations

import subprocess
import sys

import click

from krm_fn.base import Record
from krm_fn.cli import diagnostics, shared
from krm_fn.files import reading
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.status import dump
from krm_fn.status.dump import CONFIG_MAP, SECRET
from krm_fn.surface import CAPI_MANAGER, GENERATED_LABEL, HUB_AGENT_MAP, HUB_RBAC_MAP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.dump import Dump

_STDIN = "-"
# YAML of that size takes some ten seconds
_SLOW = 10 * 1024 * 1024
_SECONDS = 300  # for one command; thousands of objects come in pages
_REQUEST = "60s"  # for one request of it


def read(files: Sequence[str]) -> Dump:
    """Read dumps from files and, for `-` or without any name, from stdin.

    Raises:
        Errors: For every file that can't be read or is no dump.
        click.UsageError: When there is nothing to read: no file, and stdin is a terminal.
    """
    if not files and sys.stdin.isatty():
        shared.wrong_usage("give the files that kubectl wrote, or pipe its output in; --help shows the commands")
    results: list[Result] = []
    readable = 0

    def inputs() -> Iterator[tuple[str, bytes]]:
        """Read one after the other, so that never more than one is in memory as text."""
        nonlocal readable
        for name in dict.fromkeys(files or (_STDIN,)):
            try:
                data = sys.stdin.buffer.read() if name == _STDIN else reading.read(name)
            except Errors as errors:
                results.extend(_with_remedy(one) for one in errors.results)
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


def _with_remedy(result: Result) -> Result:
    if result.message.endswith(("?", ")")):  # it says what to do
        return result
    return result.replace(message=f"{result.message}; give a file that holds what kubectl printed")


def progress(name: str, data: bytes) -> None:
    """Say on a terminal that reading takes its time."""
    if len(data) >= _SLOW and sys.stderr.isatty():
        slow = "" if data.lstrip()[:1] == b"{" else "; JSON (-o json) is read ten times faster"
        click.echo(f"reading {len(data) // 1024 // 1024} MiB of {name}{slow}", err=True)


# --- kubectl ---------------------------------------------------------------------------------------------------------


class _Read(Record):
    """One `kubectl get`."""

    what: tuple[str, ...]
    optional: bool = False  # it may be forbidden to the caller
    kind: tuple[str, str] | None = None  # where an answer without an object means that there is none


MANAGEMENT = (
    _Read(
        what=(
            "clusters.cluster.x-k8s.io,clusterresourcesets.addons.cluster.x-k8s.io,clusterresourcesetbindings.addons.cluster.x-k8s.io",
            "-A",
        )
    ),
    _Read(what=("secrets", "-A", "-l", f"{GENERATED_LABEL}=true"), optional=True, kind=SECRET),
    _Read(what=("configmaps", "-A", "-l", f"{GENERATED_LABEL}=true"), optional=True, kind=CONFIG_MAP),
    *(
        _Read(what=("configmaps", "-A", "--field-selector", f"metadata.name={name}"), optional=True)
        for name in (HUB_AGENT_MAP, HUB_RBAC_MAP)
    ),
    _Read(what=("namespaces",), optional=True),
    _Read(what=("deployments.apps", "-A", "--field-selector", f"metadata.name={CAPI_MANAGER}"), optional=True),
)
PARENT = (
    _Read(what=("managedclusters.clusters.clusternet.io,clusterregistrationrequests.clusters.clusternet.io", "-A")),
)


def ask(context: str, parent_context: str) -> Dump:
    """Ask the management cluster and, if its context is given, the parent cluster, through kubectl.

    It finds the user's contexts, credentials and proxies, and only reads (`get`): of Secrets those with our label
    alone, of ConfigMaps these and, by their names, those of the hub's discovery. What it prints holds
    the registration token and each cluster's credential, and stays in memory. It is found in the absolute folders of
    PATH alone, so never in a checked-out repository. What the caller may not read is reported.

    Raises:
        Errors: When kubectl is not there, or a read that `status` can't do without fails.
    """
    program = reading.find_program("kubectl")
    if not program:
        message = (
            "kubectl is not in an absolute folder of PATH; install it there, or give dumps (--help shows the commands)"
        )
        raise Errors.of(message, tags=tagged(rule="kubectl"))
    found, results, errors, unread = [], [], [], []
    refused = set()
    for name, reads in ((context, MANAGEMENT), *(((parent_context, PARENT),) if parent_context else ())):
        for one in reads:
            if one.what[0] in refused:
                continue
            command = [program, "--context", name, "get", *one.what, "-o", "json", f"--request-timeout={_REQUEST}"]
            shown = f"kubectl --context {name} get {' '.join(one.what)}"
            data, reason = _run(command)
            if not reason:
                found.append((shown, data))
                continue
            message = f"`{shown}` failed: {reason}"
            if one.optional:
                refused.add(one.what[0])
                results.append(Result(message=message, severity=WARNING, tags=tagged(rule="kubectl")))
                unread += [one.kind] if one.kind else []
                continue
            errors.append(Result(message=message, tags=tagged(rule="kubectl")))
            break  # the others of this cluster would most likely fail alike
    if errors:
        raise Errors(errors)
    diagnostics.report(results)
    return dump.read(found).replace(unread=frozenset(unread))


def _run(command: Sequence[str]) -> tuple[bytes, str]:
    """Run kubectl; return what it printed, or why there is nothing."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return b"", f"no answer within {_SECONDS} seconds"
    except OSError as error:
        return b"", error.strerror or "it can't be run"
    if done.returncode == 0:
        return done.stdout, ""
    reason = quoted(done.stderr.decode("utf-8", "replace").strip(), MOST_QUOTED, ends=True)
    return b"", reason or f"exit code {done.returncode} without a message"
