"""Runs programs as a host runs a function, and takes times: input and output through pipes, all variants interleaved."""

from __future__ import annotations

import os
import random
import re
import shutil
import statistics
import subprocess
import tempfile
import threading
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

_CHUNK = 1 << 20


class Variant(NamedTuple):
    """A program to measure, and for how long at most."""

    name: str
    command: Sequence[str]
    cwd: str | None = None
    rounds: int | None = None  # fewer than the others get


class Sample(NamedTuple):
    """One run."""

    wall: float
    cpu: float
    peak: int  # bytes


class Figure(NamedTuple):
    """Medians of all runs of a variant."""

    wall: float
    cpu: float
    peak: int
    rounds: int


def once(variant: Variant, source: Path) -> Sample:
    """Run a program once on the content of a file, written to it and read from it as a host does.

    This process keeps but a small buffer: the kernel counts what a parent holds as its child's peak.
    """
    buffer = bytearray(_CHUNK)
    with tempfile.TemporaryFile() as errors, source.open("rb", buffering=0) as data:
        start = time.perf_counter()
        child = subprocess.Popen(
            variant.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, cwd=variant.cwd, bufsize=0
        )
        assert child.stdin is not None  # noqa: S101 - pipes were asked for
        assert child.stdout is not None  # noqa: S101
        writer = threading.Thread(target=_feed, args=(child.stdin, data))
        writer.start()
        while os.readv(child.stdout.fileno(), [buffer]):
            pass
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        writer.join()
        child.returncode = os.waitstatus_to_exitcode(status)
        child.stdout.close()
        if child.returncode:
            errors.seek(0)
            message = f"{variant.name} failed with {child.returncode}: {errors.read(2000).decode()}"
            raise SystemExit(message)
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024)


def _feed(pipe: IO[bytes], data: IO[bytes]) -> None:
    try:
        while chunk := memoryview(data.read(_CHUNK)):
            while chunk:
                chunk = chunk[pipe.write(chunk) :]
        pipe.close()
    except BrokenPipeError:
        pass


def race(variants: Sequence[Variant], source: Path, rounds: int, seed: int = 1) -> dict[str, Figure]:
    """Run every variant once a round, in random order; return medians."""
    order = random.Random(seed)  # noqa: S311 - an order of runs
    samples: dict[str, list[Sample]] = {variant.name: [] for variant in variants}
    for number in range(rounds):
        for variant in order.sample(list(variants), len(variants)):
            if variant.rounds is None or number < variant.rounds:
                samples[variant.name].append(once(variant, source))
    return {name: _median(taken) for name, taken in samples.items() if taken}


def instructions(variant: Variant, source: Path) -> int | None:
    """Return how many instructions a program executes, which the load of a machine does not change; None without valgrind."""
    valgrind = shutil.which("valgrind")
    if valgrind is None:
        return None
    command = [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", *variant.command]
    with source.open("rb") as data:
        done = subprocess.run(command, stdin=data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    found = re.search(rb"Collected : ([0-9]+)", done.stderr)
    return None if found is None else int(found[1])


def _median(taken: Sequence[Sample]) -> Figure:
    return Figure(
        statistics.median(one.wall for one in taken),
        statistics.median(one.cpu for one in taken),
        int(statistics.median(one.peak for one in taken)),
        len(taken),
    )


def table(figures: Mapping[str, Figure], base: str, size: int) -> str:
    """Return a Markdown table: times as multiples of one of them, memory as a multiple of the input."""
    zero = figures[base]
    lines = [f"| | ms | × {base} | CPU ms | peak MB | × input | rounds |", "|---|--:|--:|--:|--:|--:|--:|"]
    for name, one in figures.items():
        share = f"{one.peak / size:.2f}" if size > 5_000_000 else "–"
        lines.append(
            f"| {name} | {one.wall * 1000:.1f} | {one.wall / zero.wall:.1f} | {one.cpu * 1000:.1f}"
            f" | {one.peak / 1e6:.0f} | {share} | {one.rounds} |"
        )
    return "\n".join(lines)


def python(code: str, executable: str) -> list[str]:
    """Return the command that runs some Python."""
    return [executable, "-c", code]


def script(folder: Path, name: str, text: str) -> str:
    """Write an executable file; return its path."""
    path = folder / name
    path.write_text(text)
    path.chmod(0o755)
    return str(path)
