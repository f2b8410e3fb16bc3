"""The runner in this process; as a real process it is tried in tests/unit/test_faults.py."""

from __future__ import annotations

import errno
import io
import sys
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn.krm import runner
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import ERROR, INFO, WARNING, Errors, Result

if TYPE_CHECKING:
    from krm_fn.krm.resource_list import ResourceList

LIST = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n- apiVersion: v1\n  kind: A\n"


class Broken(io.BytesIO):
    """A stream that fails."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code

    def _fail(self) -> Any:
        raise OSError(self.code, "it broke")

    def read(self, *_: Any) -> Any:
        return self._fail()

    def writelines(self, *_: Any) -> None:
        self._fail()


class Deaf(io.StringIO):
    """A stderr that takes nothing."""

    def write(self, _: str) -> int:
        raise OSError(errno.ENOSPC, "it broke")


def nothing(_: Any) -> None:
    """A function that does nothing."""


def run(process: Any = nothing, stdin: Any = None, stdout: Any = None, stderr: Any = None) -> tuple[int, bytes, str]:
    out, said = stdout or io.BytesIO(), stderr or io.StringIO()
    code = runner.run(process, stdin or io.BytesIO(LIST), out, said)
    return code, out.getvalue(), said.getvalue()


def test_what_comes_in_goes_out() -> None:
    assert run() == (0, LIST, "")


def test_an_input_that_can_not_be_read_is_said() -> None:
    assert run(stdin=Broken(errno.EIO)) == (1, b"", "error: can't read the input: it broke\n")


@pytest.mark.parametrize(
    ("code", "reason"),
    [(errno.EPIPE, "the reader closed the pipe early"), (errno.ENOSPC, "it broke")],
    ids=["a reader that leaves", "no space"],
)
def test_an_output_that_can_not_be_written_is_said(code: int, reason: str) -> None:
    assert run(stdout=Broken(code)) == (1, b"", f"error: can't write the output: {reason}\n")


def test_errors_that_are_raised_are_results() -> None:
    def process(_: Any) -> Any:
        message = "bad"
        raise Errors.of(message)

    code, out, said = run(process)
    assert (code, said) == (1, "error: bad\n")
    assert out.startswith(LIST)
    assert b"message: bad" in out


def test_with_an_error_nothing_is_changed() -> None:
    def process(found: ResourceList) -> None:
        found.remove(found.items[0])
        found.results.error("bad")

    code, out, _ = run(process)
    assert code == 1
    assert out.startswith(LIST)


def test_an_edit_that_can_not_be_made_is_an_error_and_changes_nothing() -> None:
    bad = LIST + b"  metadata:\n    a: 1\n    a: 2\n"
    revised = Changes(revised={0: {"apiVersion": "v1", "kind": "B"}})
    code, out, said = run(lambda found: found.apply(revised), stdin=io.BytesIO(bad))
    assert code == 1
    assert "can't be read" in said
    assert out.startswith(bad)


def test_an_alias_to_another_item_is_an_error_with_its_line_and_all_items_leave_as_they_came() -> None:
    data = LIST + b"  metadata: {labels: &x {a: b}}\n- kind: B # kept\n  metadata: {labels: *x}\n"
    code, out, said = run(stdin=io.BytesIO(data))
    assert code == 1
    assert said == (
        "stdin:8:1: error: items[1] has an alias to an anchor outside of it; write out what the alias stands for\n"
    )
    assert out.startswith(data)
    assert b"results:\n- message: " in out


def test_errors_come_first_and_each_is_said_once() -> None:
    said = io.StringIO()
    results = [
        Result(message="w", severity=WARNING),
        Result(message="i", severity=INFO),
        Result(message="a longer one", severity=ERROR),
        Result(message="short", severity=ERROR),
        Result(message="short", severity=ERROR),
    ]
    runner.say_lines(results, said)
    assert said.getvalue() == "error: short\nerror: a longer one\nwarning: w\n"


def test_a_place_is_said_unless_the_message_names_it() -> None:
    assert Result(message="bad", field="spec.x", file_path="a.yaml").text() == "a.yaml: error: bad [spec.x]"
    assert Result(message="spec.x is bad", field="spec.x").text() == "error: spec.x is bad"
    assert Result(message="can't read a.yaml", file_path="a.yaml").text() == "error: can't read a.yaml"
    assert Result(message="bad", file_path="a.yaml", line=3, column=5).text() == "a.yaml:3:5: error: bad"
    assert Result(message="two\nlines").text() == "error: two lines"


def test_a_stderr_that_takes_nothing_changes_no_exit_code() -> None:
    assert run(stdin=io.BytesIO(b"nonsense"), stderr=Deaf())[0] == 1


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (Errors.of("bad"), 1, "error: bad\n"),
        (KeyboardInterrupt(), 130, "error: interrupted; nothing was written\n"),
        (
            MemoryError(),
            1,
            "error: out of memory; nothing was written. Give the process more memory, or split the input\n",
        ),
        (OSError(errno.ENOSPC, "full"), 1, "error: can't write the output: full\n"),
        (OSError(errno.ENOENT, "gone", "a.yaml"), 1, "error: can't use a.yaml: gone\n"),
    ],
    ids=["errors", "interrupt", "memory", "output", "file"],
)
def test_what_ends_the_program_is_one_line(raised: BaseException, code: int, said: str) -> None:
    def work() -> int:
        raise raised

    stderr = io.StringIO()
    before, sys.stdout = sys.stdout, io.StringIO()
    try:
        assert runner.guarded(work, stderr) == code
    finally:
        sys.stdout = before
    assert stderr.getvalue() == said


@pytest.mark.parametrize("debug", [False, True], ids=["plain", "debug"])
def test_a_bug_of_ours_never_shows_the_message_of_the_exception(debug: bool) -> None:  # noqa: FBT001 - a case
    def work() -> int:
        message = "plantd.0123456789abcdef"
        raise ValueError(message)

    stderr = io.StringIO()
    assert runner.guarded(work, stderr, debug=debug) == 3
    assert "plantd" not in stderr.getvalue()
    assert ("in work" in stderr.getvalue()) == debug


def test_streams_that_came_closed_are_replaced(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    assert runner.open_streams()
    assert sys.stdin.read() == ""
    monkeypatch.setattr(sys, "stdout", None)
    assert not runner.open_streams()
    monkeypatch.undo()
    assert capsys.readouterr().err == "error: can't write the output: stdout is closed\n"


def test_without_a_stderr_there_is_somewhere_to_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert runner.open_streams()
    assert sys.stderr.write("x") == 1


def test_the_standard_streams_are_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", stream)
    monkeypatch.setattr(sys, "stdout", stream)
    assert runner.standard_streams() == (stream.buffer, stream.buffer, sys.stderr)
