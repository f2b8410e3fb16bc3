"""Exit codes in every way of calling: 0, 1 for bad input, 2 for wrong usage; and the items never get lost on the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from krm_fn.krm.resource_list import read
from tests.support import hostile
from tests.support.lists import cluster, config, document
from tests.support.traces import seen

PROGRAM = Path(sys.executable).with_name("clusternet-capi-fn")
ITEMS = [cluster("a"), cluster("b", labels={"env": "test"})]
GOOD = document(ITEMS, config())
BAD_CONFIG = document(ITEMS, config(parentURL="http://parent.example.com"))
NO_CLUSTER = document([cluster("a", labels={"env": "test"})], config())
UNREADABLE = b"apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems: ["
EMPTY = b""

ENTRIES = {
    "no arguments": (),
    "fn": ("fn",),
    "--debug": ("--debug",),
    "--debug fn": ("--debug", "fn"),
    "fn --debug": ("fn", "--debug"),
    "fn with options": ("fn", "--verbose", "--now", "1795428000"),
    "--debug fn with options": ("--debug", "fn", "--now", "1795428000", "--verbose"),
}
ERRORS = {
    "a bad config": (BAD_CONFIG, True),
    "no matching Cluster": (NO_CLUSTER, True),
    "an alias to another item": (hostile.BAD["an alias to another object"].data, True),
    "not readable": (UNREADABLE, False),
    "empty": (EMPTY, False),
    "manifests": (b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n", False),
}


def call(
    arguments: tuple[str, ...], given: bytes, *, module: bool = False, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    program = [sys.executable, "-m", "krm_fn"] if module else [str(PROGRAM)]
    return subprocess.run(
        [*program, *arguments],
        input=given,
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **(environment or {})},
    )


@pytest.mark.parametrize("module", [False, True], ids=["the command", "python -m"])
@pytest.mark.parametrize("arguments", ENTRIES.values(), ids=ENTRIES)
def test_good_input_is_exit_0_with_all_items(arguments: tuple[str, ...], module: bool) -> None:  # noqa: FBT001 - a case
    done = call(arguments, GOOD, module=module)
    assert done.returncode == 0
    assert len(read(done.stdout).items) > len(ITEMS)


@pytest.mark.parametrize("arguments", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize(("given", "readable"), ERRORS.values(), ids=ERRORS)
def test_bad_input_is_exit_1_with_one_line_and_the_items_as_they_came(
    arguments: tuple[str, ...],
    given: bytes,
    readable: bool,  # noqa: FBT001 - a table
) -> None:
    done = call(arguments, given)
    assert done.returncode == 1
    assert b"error: " in done.stderr.splitlines()[0]
    if readable:
        assert [one.text.strip() for one in read(done.stdout).items] == [one.text.strip() for one in read(given).items]
        assert b"results:\n" in done.stdout
    else:
        assert done.stdout == b""


# A bug of ours, planted where every run comes through, with a token in its message
BUG = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "krm_fn.outputs":
            raise ZeroDivisionError("plantd.0123456789abcdef")
sys.meta_path.insert(0, Broken())
"""


@pytest.mark.parametrize(
    "arguments",
    [(), ("fn",), ("--debug",), ("--debug", "fn"), ("render", "-"), ("plan", "-", "-o", "json")],
    ids=" ".join,
)
def test_a_bug_is_exit_3_with_where_to_report_it_and_nothing_on_stdout(
    arguments: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(BUG)
    done = call(arguments, GOOD, environment={"PYTHONPATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (3, b"")
    said = done.stderr.decode()
    assert "ZeroDivisionError" in said
    assert "/issues" in said
    assert seen("plantd.0123456789abcdef", said) == []
    assert ("krm_fn/" in said) is ("--debug" in arguments)


@pytest.mark.parametrize(
    "arguments",
    [("--nope",), ("fn", "--nope"), ("rendr",), ("fn", "extra"), ("--debug", "fn", "--now"), ("--verbose", "fn")],
    ids=" ".join,
)
def test_wrong_usage_is_exit_2_whatever_comes_in(arguments: tuple[str, ...]) -> None:
    done = call(arguments, GOOD)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr


@pytest.mark.parametrize("arguments", [("fn", "--baseline", "."), ("--debug", "fn", "--baseline", ".")], ids=" ".join)
def test_an_error_beside_the_input_leaves_the_items_as_they_came(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bad.yaml").write_text("a: [\n")
    monkeypatch.chdir(tmp_path)
    done = call(arguments, GOOD)
    assert done.returncode == 1
    assert len(read(done.stdout).items) == len(ITEMS)


@pytest.mark.parametrize("arguments", [(), ("fn",), ("--debug",)], ids=["no arguments", "fn", "--debug"])
@pytest.mark.parametrize("value", ["", "nonsense", "bash_source", "bash_complete", "zsh_complete"])
def test_a_completion_variable_that_was_left_over_changes_nothing(arguments: tuple[str, ...], value: str) -> None:
    environment = {"_CLUSTERNET_CAPI_FN_COMPLETE": value}
    for given, code in ((GOOD, 0), (BAD_CONFIG, 1), (UNREADABLE, 1)):
        plain, done = call(arguments, given), call(arguments, given, environment=environment)
        assert (done.returncode, done.stdout) == (code, plain.stdout)


def test_a_shell_that_asks_for_completions_gets_them() -> None:
    environment = {
        "_CLUSTERNET_CAPI_FN_COMPLETE": "bash_complete",
        "COMP_WORDS": "clusternet-capi-fn rend",
        "COMP_CWORD": "1",
    }
    done = call((), b"", environment=environment)
    assert (done.returncode, done.stdout) == (0, b"plain,render\n")


STREAMS = {
    "stdin closed": ("<&-", 1),
    "stdout closed": (">&-", 1),
    "stdout full": (">/dev/full", 1),
    "stderr closed": ("2>&-", 0),
    "stderr full": ("2>/dev/full", 0),
    "stdin a folder": ("</", 1),
}


@pytest.mark.parametrize("arguments", ["", "fn", "--debug", "--debug fn", "fn --debug --verbose"])
@pytest.mark.parametrize(("streams", "code"), STREAMS.values(), ids=STREAMS)
def test_streams_that_are_closed_or_full(arguments: str, streams: str, code: int) -> None:
    line = f'"$0" {arguments} {streams}'
    done = subprocess.run(["sh", "-c", line, str(PROGRAM)], input=GOOD, capture_output=True, check=False, timeout=60)
    assert done.returncode == code
    assert bool(done.stdout) is (code == 0)


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full"])
@pytest.mark.parametrize("arguments", ["", "fn", "--debug"])
def test_without_a_stderr_the_exit_code_still_tells(arguments: str, streams: str) -> None:
    line = f'"$0" {arguments} {streams}'
    for given in (BAD_CONFIG, UNREADABLE, EMPTY):
        done = subprocess.run(
            ["sh", "-c", line, str(PROGRAM)], input=given, capture_output=True, check=False, timeout=60
        )
        assert done.returncode == 1


@pytest.mark.skipif(sys.platform != "linux", reason="a folder in use can't be removed everywhere")
@pytest.mark.parametrize("arguments", [("plan", "."), ("render", "/dev/null", "-o", "rendered")], ids=" ".join)
def test_a_current_folder_that_was_removed_is_named(arguments: tuple[str, ...], tmp_path: Path) -> None:
    line = 'rmdir "$PWD"; exec "$0" "$@"'
    gone = tmp_path / "gone"
    gone.mkdir()
    done = subprocess.run(
        ["sh", "-c", line, str(PROGRAM), *arguments], cwd=gone, capture_output=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: can't use the current folder, which was removed")


@pytest.mark.parametrize("encoding", ["latin-1", "gbk", "ascii"])
@pytest.mark.parametrize("arguments", [("plan", "-"), ("schema", "--format", "editor-schema")], ids=" ".join)
def test_the_locale_changes_no_byte_of_the_output(arguments: tuple[str, ...], encoding: str) -> None:
    given = json.dumps(
        {"apiVersion": "v1", "kind": "List", "items": [cluster("a", labels={"env": "\u751f\u4ea7\u2026"}), config()]}
    )
    there, here = (
        call(arguments, given.encode(), environment={"PYTHONIOENCODING": name}) for name in (encoding, "utf-8")
    )
    assert not here.stdout.isascii()
    assert (there.returncode, there.stdout) == (here.returncode, here.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are always UTF-8")
def test_a_file_name_that_only_the_locale_can_not_show_is_not_to_be_renamed(tmp_path: Path) -> None:
    (tmp_path / "Gr\u00f6\u00dfe.yaml").write_text("")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = call(("render", str(tmp_path)), b"", environment=locale)
    assert done.returncode == 1
    assert b"can't be read in this locale: set LC_ALL=C.UTF-8" in done.stderr
    assert b"rename" not in done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is enforced on Linux")
def test_a_process_with_little_memory_fails_with_one_line() -> None:
    codes = []
    large = document([*ITEMS, *({"apiVersion": "v1", "kind": "X", "d": "y" * 50_000} for _ in range(200))], config())
    # coverage would need memory of its own there
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("COV_", "COVERAGE_"))}
    for limit in (16_000, 20_000, 30_000, 60_000, 400_000):
        line = f'ulimit -v {limit}; exec "$0" -m krm_fn'
        done = subprocess.run(
            ["sh", "-c", line, sys.executable], input=large, capture_output=True, check=False, timeout=60, env=plain
        )
        if b"krm_fn" in done.stderr or b"Python" in done.stderr or b"Traceback" in done.stderr:
            continue  # too little for an interpreter
        codes.append(done.returncode)
        assert done.returncode == 0 or (done.returncode, done.stdout, done.stderr[:21]) == (
            1,
            b"",
            b"error: out of memory;",
        )
    assert codes[-1] == 0
    assert all(before >= after for before, after in pairwise(codes))
