"""Errors while running, each in a real process: streams that close or fill, files that go, signals, full disks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn.__main__ import main
from krm_fn.files import finding
from krm_fn.krm.results import Result
from tests.support import hostile
from tests.support.lists import cluster, config, document, named

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = [sys.executable, "-m", "krm_fn"]
SOURCE = "---\n".join(json.dumps(one) + "\n" for one in (cluster("a"), hostile.CONFIG))
# far more than a pipe holds
LARGE = document(
    [cluster("a"), *(named("ConfigMap", f"c{n}", data={"k": "v" * 2000}) for n in range(500))], hostile.CONFIG
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "all.yaml").write_text(SOURCE)
    return folder


def shell(script: str, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run a line of a shell, where `$0` is this Python and `$1`… are the arguments."""
    command = ["sh", "-c", script, sys.executable, *arguments]
    return subprocess.run(command, input=given, capture_output=True, check=False, timeout=60)


def one_line(text: bytes) -> str:
    (line,) = text.decode().splitlines()
    return line


# --- stdout ----------------------------------------------------------------------------------------------------------

WRITERS = {
    "the function": "",
    "fn": "fn",
    "render": "render {source}",
    "plan": "plan {source}",
    "manifests": "manifests {source} --only identity",
    "schema": "schema",
    "version": "version",
    "help": "--help",
}


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS)
def test_a_full_device_is_an_error_in_one_line(arguments: str, source: Path) -> None:
    done = shell(f'"$0" -m krm_fn {arguments.format(source=source)} >/dev/full', given=hostile.GOOD)
    assert done.returncode == 1
    assert one_line(done.stderr) == "error: can't write the output: No space left on device"


@pytest.mark.parametrize("arguments", WRITERS.values(), ids=WRITERS)
def test_a_closed_stdout_is_an_error_in_one_line(arguments: str, source: Path) -> None:
    done = shell(f'"$0" -m krm_fn {arguments.format(source=source)} >&-', given=hostile.GOOD)
    assert done.returncode == 1
    assert one_line(done.stderr) == "error: can't write the output: stdout is closed"


def test_a_reader_that_leaves_is_an_error_in_one_line() -> None:
    with subprocess.Popen(PROGRAM, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            child.stdin.write(LARGE)
            child.stdin.close()
        said = child.stderr.read()
        assert child.wait() == 1
    assert one_line(said) == "error: can't write the output: the reader closed the pipe early"


# --- stderr and stdin ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"], ids=["closed", "full"])
@pytest.mark.parametrize(("given", "code"), [(hostile.GOOD, 0), (b"nonsense", 1)], ids=["good input", "bad input"])
def test_without_a_stderr_the_exit_code_still_tells(given: bytes, code: int, where: str) -> None:
    done = shell(f'"$0" -m krm_fn {where}', given=given)
    assert done.returncode == code
    assert bool(done.stdout) == (code == 0)


@pytest.mark.parametrize("where", ["2>&-", "2>/dev/full"], ids=["closed", "full"])
@pytest.mark.parametrize("command", ["render", "plan", "status"])
def test_a_command_without_a_stderr_exits_as_it_would(command: str, where: str, tmp_path: Path) -> None:
    done = shell(f'"$0" -m krm_fn {command} "$1" {where}', str(tmp_path / "missing"))
    assert done.returncode in {1, 2}
    assert (b"error: can't read" in done.stdout) == (command == "plan")  # which reports in every form of output


@pytest.mark.parametrize("arguments", ["", "fn", "render -", "status -"], ids=["none", "fn", "render", "status"])
def test_a_closed_stdin_is_an_empty_input(arguments: str) -> None:
    done = shell(f'"$0" -m krm_fn {arguments} <&-')
    assert done.returncode in {1, 2}
    assert done.stdout == b""
    assert done.stderr.startswith(b"error: ")


def test_a_stdin_that_can_not_be_read_is_an_error_in_one_line() -> None:
    done = shell('"$0" -m krm_fn </proc/self/mem')
    assert done.returncode == 1
    assert one_line(done.stderr) == "error: can't read the input: Input/output error"


# --- signals ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def waiting(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits for the rest of its input."""
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([*PROGRAM, *arguments], **pipes) as child:
        assert child.stdin is not None
        child.stdin.write(b"apiVersion: config.kubernetes.io/v1\n")
        child.stdin.flush()
        until = time.monotonic() + 30
        while _syscall_of(child.pid) != "read":
            assert time.monotonic() < until, "it never came to read"
            time.sleep(0.02)
        yield child


def _syscall_of(pid: int) -> str:
    """Return whether a process sleeps in a read of its stdin."""
    try:
        waits = Path(f"/proc/{pid}/wchan").read_text()
        number, first = Path(f"/proc/{pid}/syscall").read_text().split()[:2]
    except (OSError, ValueError):
        return ""
    return "read" if "pipe" in waits or (number == "0" and first == "0x0") else ""


@pytest.fixture
def _interruptible() -> Iterator[None]:
    """Undo what a background job of a shell hands down: children of a process that ignores SIGINT ignore it too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_interruptible")
@pytest.mark.parametrize("arguments", [(), ("fn",), ("render", "-")], ids=["none", "fn", "render"])
def test_an_interrupt_is_exit_130_and_one_line(arguments: tuple[str, ...]) -> None:
    with waiting(*arguments) as child:
        child.send_signal(signal.SIGINT)
        out, said = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == b""
    assert (
        one_line(said.lstrip(b"\n")) == "error: interrupted; nothing was written"
    )  # click leaves the line of ^C first


@pytest.mark.parametrize(
    ("arguments", "code", "error"),
    [((), -signal.SIGTERM, b""), (("render", "-"), 128 + signal.SIGTERM, b"error: terminated\n")],
    ids=["none", "render"],
)
def test_a_terminated_process_wrote_nothing(arguments: tuple[str, ...], code: int, error: bytes) -> None:
    with waiting(*arguments) as child:
        child.terminate()
        out, said = child.communicate(timeout=30)
    assert (child.returncode, out, said) == (code, b"", error)


def test_an_interrupt_while_modules_are_loaded_is_exit_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(name: str) -> None:
        raise KeyboardInterrupt(name)

    monkeypatch.setattr("krm_fn.cli.main", interrupted)
    assert main(["version"]) == 130
    assert capsys.readouterr().err == "error: interrupted; nothing was written\n"


def test_a_host_that_ignores_the_ends_of_its_children_gets_the_same_output() -> None:
    data = hostile.listed(hostile.CLUSTER + hostile.MAP.replace(b"keep", b"k" * 200) * 25_000)
    ignoring = subprocess.run(
        PROGRAM,
        input=data,
        capture_output=True,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN) and None,
    )
    assert ignoring.returncode == 0, ignoring.stderr
    assert ignoring.stdout == subprocess.run(PROGRAM, input=data, capture_output=True, check=True).stdout


# --- files -----------------------------------------------------------------------------------------------------------


def test_a_file_that_vanishes_between_listing_and_reading_is_named(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real = finding.find

    def listing(*arguments: Any) -> Any:
        found = real(*arguments)
        (source / "all.yaml").unlink()
        return found

    monkeypatch.setattr(finding, "find", listing)
    assert main(["render", str(source)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == f"error: can't read {source}/all.yaml: No such file or directory\n"


def test_a_folder_that_vanishes_while_it_is_walked_is_named(
    source: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def gone(path: str) -> None:
        raise FileNotFoundError(2, "No such file or directory", path)

    monkeypatch.setattr(os, "scandir", gone)
    assert main(["render", str(source)]) == 1
    assert f"can't read {source}: No such file or directory" in capsys.readouterr().err


TARGETS = {
    "below a file": "/dev/null/out",
    "in a file system of the kernel": "/proc/clusternet-out",
    "a file in no folder": "/nowhere/at/all/out.yaml",
    "a full device": "/dev/full",
}


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_a_target_that_can_not_be_written_is_named(target: str, source: Path) -> None:
    done = subprocess.run([*PROGRAM, "render", str(source), "-o", target], capture_output=True, check=False)
    assert done.returncode == 1
    assert one_line(done.stderr).startswith(f"error: can't write {target}")


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A file system of 64 KiB, and how to mount it anew; skipped where that is not allowed."""
    place = tmp_path / "small"
    place.mkdir()
    options = "size=64k"
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.decode().strip()}")
    yield place, options
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("target", ["", "out"], ids=["the mount itself", "a folder in it"])
def test_no_space_left_leaves_the_old_tree(target: str, mounted: tuple[Path, str], source: Path) -> None:
    place = mounted[0] / target
    command = [*PROGRAM, "render", str(source), "-o", str(place)]
    subprocess.run(command, check=True, capture_output=True)
    before = below(mounted[0])
    (source / "large.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{k: {'v' * 90_000}}}\n"
    )
    (source / "all.yaml").write_text(SOURCE + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: y}\n")
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert "no space left on the device; nothing was changed" in one_line(done.stderr)
    assert below(mounted[0]) == before


def test_a_read_only_file_system_leaves_the_old_tree(mounted: tuple[Path, str], source: Path) -> None:
    place = mounted[0] / "out"
    command = [*PROGRAM, "render", str(source), "-o", str(place)]
    subprocess.run(command, check=True, capture_output=True)
    before = below(place)
    subprocess.run(["mount", "-o", "remount,ro", str(mounted[0])], check=True)
    (source / "more.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    assert "the file system is read-only; nothing was changed" in one_line(done.stderr)
    assert below(place) == before


# --- what is said ----------------------------------------------------------------------------------------------------


def test_what_would_steer_a_terminal_is_not_printed() -> None:
    said = Result(message="bad \x1b[2J\u202e name", file_path="a\x07.yaml").text()
    assert said == "a\ufffd.yaml: error: bad \ufffd[2J\ufffd name"


def test_a_name_of_a_file_that_is_no_text_is_shown(tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/a\xff.yaml"
    done = subprocess.run(
        [sys.executable.encode(), b"-m", b"krm_fn", b"render", path], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert one_line(done.stderr).startswith("error: can't read ")


@pytest.mark.parametrize("arguments", [(), ("fn",), ("fn", "--verbose")], ids=["pipe", "fn", "with options"])
@pytest.mark.parametrize("last", ["PATH", "-"], ids=["one", "several"])
def test_who_gives_manifests_to_the_function_is_told_of_render(arguments: tuple[str, ...], last: str) -> None:
    given = b"apiVersion: v1\nkind: ConfigMap\n---\nkind: Cluster\n" if last == "-" else b"kind: Cluster\n"
    done = subprocess.run([*PROGRAM, *arguments], input=given, capture_output=True, check=False)
    assert one_line(done.stderr).endswith(
        f", as sent by kustomize and kpt; for plain manifests use: clusternet-capi-fn render {last}"
    )


FAULTY = """
import sys
from krm_fn import function, __main__
def process(*arguments, **options):
    raise {error}("plantd.0123456789abcdef")
function.process = process
sys.exit(__main__.main({arguments}))
"""


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
def test_a_bug_of_ours_is_exit_3_and_never_shows_what_was_given(debug: bool) -> None:  # noqa: FBT001 - a case
    code = FAULTY.format(error="ZeroDivisionError", arguments=["fn", "--debug"] if debug else [])
    done = subprocess.run([sys.executable, "-c", code], input=hostile.GOOD, capture_output=True, check=False)
    said = done.stderr.decode()
    assert done.returncode == 3
    assert done.stdout == b""
    assert said.startswith(
        "error: internal error (ZeroDivisionError), not caused by your input;"
        " please report it: https://github.com/clusternet/clusternet-capi-fn/issues\n"
    )
    assert "plantd" not in said
    assert ("in process" in said) == debug
    assert ("run it again with --debug" in said) != debug


def test_out_of_memory_is_exit_1_and_one_line() -> None:
    code = FAULTY.format(error="MemoryError", arguments=[])
    done = subprocess.run([sys.executable, "-c", code], input=hostile.GOOD, capture_output=True, check=False)
    assert done.returncode == 1
    assert done.stdout == b""
    assert one_line(done.stderr).startswith("error: out of memory; nothing was written")


def test_a_wrong_time_in_the_environment_is_exit_1_and_one_line() -> None:
    done = subprocess.run(
        PROGRAM, input=hostile.GOOD, capture_output=True, check=False, env={**os.environ, "SOURCE_DATE_EPOCH": "soon"}
    )
    assert done.returncode == 1
    assert b"results:" in done.stdout
    assert "SOURCE_DATE_EPOCH" in one_line(done.stderr)


def test_nothing_is_imported_from_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "yaml.py").write_text("raise SystemExit('taken over')\n")
    command = Path(sys.executable).with_name("clusternet-capi-fn")
    done = subprocess.run([command], input=hostile.GOOD, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert config()["metadata"]["name"] == "fleet"
