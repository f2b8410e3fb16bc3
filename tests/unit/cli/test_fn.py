"""The function as a command, and what every command shares."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from krm_fn import __main__, __version__
from krm_fn.cli import shared
from krm_fn.tokens.offers import Offers
from tests.support.lists import TOKEN, cluster, config, document, run

if TYPE_CHECKING:
    from collections.abc import Callable

GOOD = document([cluster("a"), cluster("b", labels={"env": "dev"})], config())


@pytest.fixture
def call(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    def called(*arguments: str, given: bytes = GOOD) -> tuple[int, bytes, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        code = __main__.main(list(arguments))
        sys.stdout.flush()
        out, said = capfdbinary.readouterr()
        return code, out, said.decode()

    return called


def test_the_command_does_what_no_command_does(call: Callable[..., Any]) -> None:
    assert call("fn") == call()
    assert call("fn", "--debug")[:2] == call()[:2]
    assert call("--debug")[:2] == call()[:2]


def test_verdicts_come_with_verbose(call: Callable[..., Any]) -> None:
    assert b"Cluster team-a/b is left out" in call("fn", "--verbose")[1]
    assert b"Cluster team-a/b is left out" not in call("fn")[1]


def test_a_baseline_is_compared_with(call: Callable[..., Any], tmp_path: Path) -> None:
    guarded = document([cluster("a")], config(guard={"maxRemovedClusters": 0}))
    before = run([cluster("a"), cluster("gone"), cluster("gone-too")])
    (tmp_path / "old.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in before.items))
    code, _, said = call("fn", "--baseline", str(tmp_path), given=guarded)
    assert code == 1
    assert "maxRemovedClusters" in said.splitlines()[0]


def test_what_of_a_baseline_is_not_read_is_a_result(call: Callable[..., Any], tmp_path: Path) -> None:
    before = run([cluster("a")])
    (tmp_path / "old.yaml").write_text("---\n".join(json.dumps(one) + "\n" for one in before.items))
    (tmp_path / "notes.yaml").write_text("just: notes\n")
    code, out, said = call("fn", "--baseline", str(tmp_path))
    assert code == 0
    assert b"it is not read" in out
    assert "notes.yaml:1" in said


def test_a_baseline_that_is_missing_is_wrong_usage(call: Callable[..., Any]) -> None:
    code, out, said = call("fn", "--baseline", "/nowhere")
    assert (code, out) == (2, b"")
    assert "/nowhere" in said


def test_a_baseline_that_can_not_be_read_is_an_error(call: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes(b"a: [\n")
    code, out, said = call("fn", "--baseline", str(tmp_path))
    assert code == 1
    assert b"results:" in out
    assert "error: " in said


def test_the_time_that_counts_can_be_given(call: Callable[..., Any]) -> None:
    late = document([cluster("a")], config())
    assert (
        call("fn", "--now", "2026-11-23T10:00:00Z", given=late)[1] == call("fn", "--now", "1795428000", given=late)[1]
    )


@pytest.mark.parametrize(
    ("given", "seconds"),
    [
        (1795428000, 1795428000),
        ("1795428000", 1795428000),
        ("2026-11-23T10:00:00Z", 1795428000),
        ("2026-11-23T10:00:00", 1795428000),
        ("2026-11-23T11:00:00+01:00", 1795428000),
    ],
    ids=str,
)
def test_a_time_is_rfc_3339_or_seconds(given: Any, seconds: int) -> None:
    assert shared.Moment().convert(given, None, None) == seconds


@pytest.mark.parametrize("given", ["soon", "", "-1", "١", "2026-13-01", "9" * 5000])
def test_what_is_no_time_is_wrong_usage(given: str) -> None:
    with pytest.raises(click.UsageError, match="neither RFC 3339"):
        shared.Moment().convert(given, None, None)


def test_the_time_given_comes_before_the_epoch_and_that_before_the_clock() -> None:
    assert shared.moment(5, Offers({"SOURCE_DATE_EPOCH": "7"})) == 5
    assert shared.moment(None, Offers({"SOURCE_DATE_EPOCH": "7"})) == 7
    assert shared.moment(None, Offers({})) > 1_700_000_000


def test_the_version_and_the_api_are_two_lines(call: Callable[..., Any]) -> None:
    expected = f"clusternet-capi-fn {__version__}\nconfig fn.clusternet.io/v1alpha1\n".encode()
    assert call("version") == (0, expected, "")
    assert call("--version")[1].endswith(f"{__version__}\n".encode())


def test_on_a_terminal_without_a_command_there_is_help(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdin", Terminal())
    assert __main__.main([]) == 0
    assert call


@pytest.mark.parametrize(
    ("given", "hint"),
    [("rendr", "did you mean render?"), ("xyzzy", "the commands are fn, render, plan"), ("--nope", "no such option")],
)
def test_a_wrong_command_is_exit_2_with_a_hint(given: str, hint: str, call: Callable[..., Any]) -> None:
    code, out, said = call(given)
    assert (code, out) == (2, b"")
    assert hint in said


def test_an_abort_is_an_interrupt(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def abort(*_: Any, **__: Any) -> None:
        raise click.Abort

    monkeypatch.setattr("krm_fn.cli.group.main", abort)
    assert call("version") == (130, b"", "error: interrupted; nothing was written\n")


def test_the_process_ends_with_the_code_of_the_function(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr(sys, "argv", ["clusternet-capi-fn"])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"nonsense")))
    __main__.main()
    assert ended == [1]
    assert call("version")[0] == 0


def test_a_stream_that_breaks_at_the_end_changes_no_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    class Closed(io.StringIO):
        def flush(self) -> None:
            raise ValueError

    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", Closed())
    __main__._leave(1)  # type: ignore[func-returns-value]
    assert ended == [1]


def test_no_token_is_said_whatever_it_was_found_in(call: Callable[..., Any]) -> None:
    code, _, said = call("render", f"/nowhere/{TOKEN}")
    assert code == 1
    assert TOKEN not in said
