from __future__ import annotations

import io
import os
import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import yaml

from krm_fn.krm import outline, resource_list, runner, spans
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import Faults, Result
from krm_fn.yaml import complete
from krm_fn.yaml.events import BadYaml
from tests.properties.test_resource_list_spans import shape

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
ENTRY = "- apiVersion: v1\n  kind: A\n"
WHOLE = (HEAD + ENTRY * 9).encode()
BROKEN = (HEAD + ENTRY * 9 + "- apiVersion: v1\n  kind: A\n  a: 'x\n").encode()
# each piece is complete but one, which a quoted scalar joins with the next: valid YAML, other objects
JOINED = (HEAD + ENTRY * 9 + "- apiVersion: v1\n  kind: A\n  a: 'x\n- apiVersion: v1\n  kind: B'\n").encode()


@pytest.fixture
def two_processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Makes every input large enough for two processes; returns the ids of those that were started."""
    started: list[int] = []
    fork = os.fork

    def counted() -> int:
        child = fork()
        if child:
            started.append(child)
        return child

    monkeypatch.setattr(complete, "_LARGE", 0)
    monkeypatch.delitem(sys.modules, "threading")
    monkeypatch.setattr(os, "fork", counted)
    return started


def entries(*pieces: bytes) -> complete.Verdict:
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    return complete.check_entries(starts, b"".join(pieces))


def documents(*pieces: bytes) -> None:
    starts = [0]
    for piece in pieces:
        starts.append(starts[-1] + len(piece))
    complete.require(list(pairwise(starts)), b"".join(pieces))


@pytest.mark.parametrize("pieces", [(b"- a\n", b"- b: 'c'\n"), (b"- a",), (), (b"- {a: [b]}\n# c\n",)])
def test_complete_pieces_are_good(pieces: tuple[bytes, ...]) -> None:
    assert entries(*pieces).good()
    documents(*pieces)


@pytest.mark.parametrize("piece", [b"- 'a\n", b"- [a\n", b"- {a: \n", b"- a: b\n c\n d: e\n", b'- "a\n# b\n'])
@pytest.mark.parametrize("check", [entries, documents])
def test_an_incomplete_piece_is_refused_whatever_stands_behind_it(piece: bytes, check: Callable[..., object]) -> None:
    with pytest.raises(yaml.YAMLError):
        check(b"- a\n", piece, b"- b'\n", b"- b]\n", b'- b"\n', b"- b}\n")


@pytest.mark.parametrize("many", [1, 500, 20_000])
@pytest.mark.parametrize("check", [entries, documents])
def test_brackets_beyond_the_bound_are_walked_one_piece_at_a_time(many: int, check: Callable[..., object]) -> None:
    check(*[b"- [[a]]\n"] * many)
    with pytest.raises(BadYaml):
        check(*[b"- [[a]]\n"] * many, b"- " + b"[" * 300 + b"]" * 300 + b"\n")


def test_a_document_may_hold_a_list_in_column_0() -> None:
    documents(b"a:\n- 'b\n- c'\n")


def test_a_large_input_is_checked_by_two_processes(two_processes: list[int]) -> None:
    short, full = spans.read(WHOLE), outline.read(WHOLE)
    assert len(two_processes) == 1
    assert short is not None
    assert full is not None
    assert shape(short) == shape(full)


@pytest.mark.parametrize("data", [BROKEN, JOINED], ids=["broken", "joined"])
def test_what_the_other_process_finds_sends_the_input_to_the_full_parse(data: bytes, two_processes: list[int]) -> None:
    assert spans.read(data) is None
    assert len(two_processes) == 1


def test_where_there_can_be_no_other_process_this_one_does_all(
    monkeypatch: pytest.MonkeyPatch, two_processes: list[int]
) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refuse)
    assert spans.read(WHOLE) is not None
    assert spans.read(BROKEN) is None
    assert not two_processes


@pytest.mark.usefixtures("two_processes")
def test_a_process_that_dies_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = complete.check_entries([0, 4, 8], b"- a\n- b\n")
    monkeypatch.setattr(os, "waitpid", lambda child, options: (child, 9 + options))
    assert not verdict.good()


def test_a_verdict_that_no_longer_matters_leaves_no_process(two_processes: list[int]) -> None:
    complete.check_entries([0, 4, 8], b"- a\n- b\n").forget()
    with pytest.raises(ChildProcessError):
        os.waitpid(two_processes[0], 0)


def test_a_fault_in_this_half_leaves_no_process(two_processes: list[int]) -> None:
    with pytest.raises(yaml.YAMLError):
        complete.check_entries([0, 5, 9], b"- 'a\n- b\n")
    with pytest.raises(ChildProcessError):
        os.waitpid(two_processes[0], 0)


def run(data: bytes) -> tuple[int, bytes, str, list[int]]:
    """Run a function that names every object; tell how many objects it saw each time it was called."""
    calls: list[int] = []

    def process(found: resource_list.ResourceList) -> tuple[Changes, Sequence[Result]]:
        calls.append(len(found.items))
        return Changes(), [Result(message=f"{len(found.items)} objects", severity="info")]

    stdout, stderr = io.BytesIO(), io.StringIO()
    code = runner.run(process, io.BytesIO(data), stdout, stderr)
    return code, stdout.getvalue(), stderr.getvalue(), calls


def test_the_runner_works_while_the_check_runs(two_processes: list[int]) -> None:
    code, out, _, calls = run(WHOLE)
    assert (code, calls, len(two_processes)) == (0, [9], 1)
    assert out.startswith(WHOLE)


def test_the_runner_begins_again_where_the_check_says_no(two_processes: list[int]) -> None:
    code, out, _, calls = run(JOINED)
    assert (code, calls, len(two_processes)) == (0, [11, 10], 1)
    assert out.startswith(JOINED)
    assert b"10 objects" in out


@pytest.mark.usefixtures("two_processes")
def test_the_runner_says_what_the_full_parse_says_where_the_check_says_no() -> None:
    code, out, err, _ = run(BROKEN)
    assert (code, out) == (1, b"")
    assert "found unexpected end of stream" in err


@pytest.mark.usefixtures("two_processes")
def test_a_fault_found_while_the_check_runs_is_told_by_the_full_parse() -> None:
    with pytest.raises(Faults, match="found unexpected end of stream"):
        resource_list.read(BROKEN + b"functionConfig: x\n", later=True)
