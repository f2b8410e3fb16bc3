"""Runs a function as hosts expect it: ResourceList on stdin, ResourceList on stdout, results mirrored on stderr.

Functions-spec v1: nothing but the ResourceList on stdout, exit 0 only on success. Beyond the specification, because of
what hosts do with it (facts: kustomize 5.0-5.7 and kpt drop every resource on an empty stdout at exit 0): everything is
read before anything is written, and stdout is never empty at exit 0.
"""

from __future__ import annotations

import gc
import os
import sys

from krm_fn.krm import resource_list
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import ERROR, INFO, Errors, has_errors
from krm_fn.yaml.read import new_budget

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import BinaryIO, NoReturn, TextIO

    from krm_fn.krm.resource_list import ResourceList
    from krm_fn.krm.results import Result

    Process = Callable[[ResourceList], None]
    Say = Callable[[Iterable[Result], TextIO], None]

OK = 0
FAILED = 1
USAGE = 2
INTERNAL = 3
INTERRUPTED = 130


def run(  # noqa: PLR0913 - three of them are the streams
    process: Process, stdin: BinaryIO, stdout: BinaryIO, stderr: TextIO, *, say: Say | None = None, render: str = ""
) -> int:
    """Run a function once.

    Args:
        process: Changes the ResourceList and adds to its results. An error among them fails the run; raising `Errors`
            is the same.
        stdin: The ResourceList.
        stdout: Takes the ResourceList back, with its items unchanged if the run failed.
        stderr: Takes errors and warnings, one a line.
        say: Writes results on stderr in another form.
        render: The program's command for plain manifests, if it has one, for who gives them to this function.

    Returns:
        The exit code: 0, or 1 if the input or the configuration is bad, or output can't be written.
    """
    say = say or say_lines
    gc.disable()  # the process runs once and frees everything by ending
    new_budget()
    try:
        found = resource_list.read(stdin.read(), render)
    except Errors as errors:
        say(errors.results, stderr)
        return FAILED
    except OSError as error:
        print_error(f"error: can't read the input: {error.strerror}\n", stderr)
        return FAILED
    results = found.results
    if not has_errors(results):
        try:
            process(found)
        except Errors as errors:
            results += errors.results
    failed = has_errors(results)
    try:
        chunks = resource_list.write(found, Changes() if failed else found.changes, results)
    except Errors as errors:
        # an edit that can't be made safely: nothing is changed, and that is said
        failed = True
        results += errors.results
        chunks = resource_list.write(found, Changes(), results)
    say(results, stderr)
    reason = emit(chunks, stdout)
    if reason:
        print_error(f"error: {reason}\n", stderr)
        return FAILED
    return FAILED if failed else OK


def emit(chunks: Iterable[bytes | memoryview], stdout: BinaryIO) -> str:
    """Write everything and flush; return why that failed, or an empty string."""
    try:
        stdout.writelines(chunks)
        stdout.flush()
    except BrokenPipeError:
        silence(stdout)
        return "can't write the output: the reader closed the pipe early"
    except OSError as error:
        silence(stdout)
        return f"can't write the output: {error.strerror}"
    return ""


def silence(stream: BinaryIO | TextIO) -> None:
    """Point a broken stream at nothing, so that the interpreter's own flush at exit does not fail again."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, stream.fileno())
        os.close(null)
    except (OSError, ValueError):
        pass


def say_lines(results: Iterable[Result], stderr: TextIO) -> None:
    """Write errors and warnings, one a line, errors first; kustomize shows nothing else, kpt the first four lines."""
    reported = [one for one in results if one.severity != INFO]
    lines = [f"{one.text()}\n" for one in sorted(reported, key=lambda one: (one.severity != ERROR, len(one.message)))]
    print_error("".join(dict.fromkeys(lines)), stderr)


def print_error(text: str, stderr: TextIO) -> None:
    """Write to stderr; where nobody reads it, the exit code still shows the failure."""
    try:
        stderr.write(text)
        stderr.flush()
    except (OSError, ValueError):
        silence(stderr)


def as_main(process: Process) -> NoReturn:
    """Be a KRM function: run `process` over standard input and end with its exit code."""
    code = FAILED
    if open_streams():
        code = guarded(lambda: run(process, *standard_streams()), sys.stderr, debug="--debug" in sys.argv[1:])
    sys.exit(code)


def guarded(work: Callable[[], int], stderr: TextIO, *, debug: bool = False, report_at: str = "") -> int:
    """Call the whole program so that a bug is one line and exit 3, with where to report it; the traceback only with `debug`.

    A traceback shows code, never values: the message of an exception may hold what the user gave us.
    """
    try:
        return work()
    except Errors as errors:
        say_lines(errors.results, stderr)  # of what is given beside the input: SOURCE_DATE_EPOCH, say
        return FAILED
    except KeyboardInterrupt:
        print_error("error: interrupted; nothing was written\n", stderr)
        return INTERRUPTED
    except (MemoryError, SystemError):  # the second is what the interpreter's own code raises when it has none left
        print_error(
            "error: out of memory; nothing was written. Give the process more memory, or split the input\n", stderr
        )
        return FAILED
    except OSError as error:  # of the machine: what a command prints on a full device, say
        if sys.stdout is not None:
            silence(sys.stdout)
        what = f"can't use {error.filename}" if error.filename else "can't write the output"
        if isinstance(error, FileNotFoundError) and not error.filename:  # of os.getcwd alone
            what = "can't use the current folder, which was removed (cd to it again if there is a new one)"
        print_error(f"error: {what}: {error.strerror}\n", stderr)
        return FAILED
    except Exception as error:  # noqa: BLE001 - the outermost guard
        name = type(error).__name__
        report = f"please report it: {report_at}" if report_at else "please report it"
        print_error(f"error: internal error ({name}), not caused by your input; {report}\n", stderr)
        if debug:
            import traceback  # noqa: PLC0415 - only to debug

            print_error("".join(traceback.format_tb(error.__traceback__)), stderr)
            print_error(f"{name} (its message is left out, since it may contain your input)\n", stderr)
        else:
            print_error("run it again with --debug to see where\n", stderr)
        return INTERNAL


def open_streams() -> bool:
    """Replace standard streams that were closed; return False without stdout, where no work is of use."""
    sys.stdin = sys.stdin or open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - open as long as the process
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as above
    if sys.stdout is None:
        print_error("error: can't write the output: stdout is closed\n", sys.stderr)
        return False
    return True


def standard_streams() -> tuple[BinaryIO, BinaryIO, TextIO]:
    """Return stdin and stdout as bytes, and stderr."""
    return sys.stdin.buffer, sys.stdout.buffer, sys.stderr
