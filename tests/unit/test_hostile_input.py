"""Bad input gets exit 1, one clear line with place and remedy, and loses nothing (issue: it does not break)."""

from __future__ import annotations

import copy
import io
import itertools
import json
import re
import resource
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from krm_fn import function
from krm_fn.__main__ import main
from krm_fn.config import fields, kinds, tree
from krm_fn.krm import resource_list, runner
from krm_fn.surface import RENDER
from krm_fn.tokens.offers import Offers
from tests.support import hostile
from tests.support.lists import cluster, named

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.hostile

MIB = 1024 * 1024


class Ran:
    """The function over bytes, in this process; nothing of its output is parsed by a parser that could break."""

    def __init__(self, data: bytes) -> None:
        stdout, stderr = io.BytesIO(), io.StringIO()
        options = function.Options(offers=Offers({}, "/nonexistent"))

        def process(found: resource_list.ResourceList) -> None:
            function.run(found, options)

        self.code = runner.run(process, io.BytesIO(data), stdout, stderr, render=RENDER)
        self.stdout, self.stderr = stdout.getvalue(), stderr.getvalue()

    @property
    def errors(self) -> list[str]:
        return [line for line in self.stderr.splitlines() if re.match(r"(\S+: )?error: ", line)]


def texts(data: bytes) -> list[bytes]:
    return [item.text.strip() for item in resource_list.read(data).items]


# --- the table -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("case", hostile.BAD.values(), ids=hostile.BAD)
def test_bad_input_gets_exit_1_and_one_line_and_loses_nothing(case: hostile.Case) -> None:
    ran = Ran(case.data)
    assert ran.code == 1
    lines = ran.stderr.splitlines()
    assert len([one for one in lines if ": warning: " not in one]) == 1
    # an object that no config can reach is a warning beside the error that nothing is left
    said = re.compile(f"(?:[^ ]+:[0-9]+:[0-9]+: )?(?:error|warning): .*(?:{case.says})")
    assert any(map(said.match, lines)), ran.stderr[:500]
    assert all(len(line) < 500 for line in lines)
    if case.kept:
        assert texts(ran.stdout) == texts(case.data)
    else:
        assert ran.stdout == b""


@pytest.mark.parametrize("case", hostile.BAD.values(), ids=hostile.BAD)
def test_plain_manifests_that_are_as_bad_never_break_render(case: hostile.Case, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(case.data)
    assert main(["render", str(tmp_path)]) == 1


@pytest.mark.parametrize("entry", hostile.FOREIGN.values(), ids=hostile.FOREIGN)
def test_objects_of_others_go_through_byte_for_byte_whatever_they_hold(entry: bytes) -> None:
    data = hostile.listed(hostile.CLUSTER + entry)
    ran = Ran(data)
    assert ran.code == 0, ran.stderr
    assert entry in ran.stdout
    assert texts(ran.stdout)[: len(texts(data))] == texts(data)


def test_a_byte_order_mark_is_no_error() -> None:
    ran = Ran(b"\xef\xbb\xbf" + hostile.GOOD)
    assert ran.code == 0
    assert len(texts(ran.stdout)) > len(texts(hostile.GOOD))


TRUNCATIONS = {
    "block": hostile.GOOD,
    "json": json.dumps(
        {
            "apiVersion": "config.kubernetes.io/v1",
            "kind": "ResourceList",
            "items": [cluster("a")],
            "functionConfig": hostile.CONFIG,
        }
    ).encode(),
}


@pytest.mark.parametrize(
    ("form", "size"),
    [(form, size) for form, data in TRUNCATIONS.items() for size in range(len(data.rstrip()))],
)
def test_an_input_cut_off_anywhere_never_succeeds_with_less(form: str, size: int) -> None:
    data = TRUNCATIONS[form]
    ran = Ran(data[:size])
    assert ran.code in {0, 1}
    assert bool(ran.errors) == bool(ran.code)
    if ran.code == 0:  # cut off behind the items: a shorter label in the config's selector is a config of its own
        assert texts(ran.stdout)[: len(texts(data))] == texts(data)


# --- types -----------------------------------------------------------------------------------------------------------


def places(kind: kinds.Kind, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], kinds.Kind]]:
    """Every field below a kind, entries of lists and values of maps included."""
    if isinstance(kind, fields.Object):
        for field in kind.fields:
            yield (*path, field.name), field.kind
            yield from places(field.kind, (*path, field.name))
    elif isinstance(kind, fields.ListOf):
        yield (*path, 0), kind.item
        yield from places(kind.item, (*path, 0))
    elif isinstance(kind, fields.MapOf):
        yield (*path, "akey"), kind.value


def put(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    """A copy with another value at a path; what lacks on the way is made."""
    found = copy.deepcopy(value)
    node = found
    for step, following in itertools.pairwise(path):
        fresh: Any = [None] if following == 0 else {}
        if isinstance(step, int):
            node[step] = node[step] if isinstance(node[step], (dict, list)) else fresh
        elif not isinstance(node.get(step), (dict, list)) or (following == 0 and node[step] == []):
            node[step] = fresh
        node = node[step]
    node[path[-1]] = new
    return found


def written(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)[1:]


PLACES = dict(places(tree.CONFIG, ()))


@pytest.mark.parametrize("wrong", hostile.WRONG.values(), ids=hostile.WRONG)
@pytest.mark.parametrize("path", PLACES, ids=written)
def test_any_type_in_any_field_of_the_configuration_is_fine_or_an_error_that_names_it(
    path: tuple[str | int, ...], wrong: Any
) -> None:
    items = [cluster("a"), named("ConfigMap", "keep", data={"k": "v"})]
    sent = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}
    sent["functionConfig"] = put(hostile.CONFIG, path, wrong)
    ran = Ran(json.dumps(sent).encode())
    assert ran.code in {0, 1}
    if wrong is None or not PLACES[path].accepts(wrong):
        assert ran.code == 1
        steps = (
            [written(path[:end]) for end in (len(path), len(path) - 1) if end]
            if path[-1] == "akey"
            else [written(path)]
        )
        assert any(step in line for line in ran.errors for step in steps), ran.stderr
    if ran.code == 1:
        assert ran.errors
        assert json.loads(ran.stdout)["items"] == items


CLUSTER_FIELDS: dict[str, tuple[str, ...]] = {
    "metadata": (),
    "metadata.name": ("text",),
    "metadata.namespace": ("text", "no text"),
    "metadata.labels": ("null", "a map"),
    "metadata.labels.env": ("text", "no text", "capitals"),
    "metadata.annotations": ("null", "a map"),
    "metadata.annotations.akey": ("text", "no text"),
    "spec": ("null", "a map", "a map of numbers"),
    "spec.topology": ("null", "a map", "a map of numbers"),
}
CLUSTER_CASES = [
    (field, name, wrong)
    for field in CLUSTER_FIELDS
    for name, wrong in (
        *hostile.WRONG.items(),
        *(() if field.startswith("metadata.annotations") else hostile.ILLEGAL.items()),
    )
]


@pytest.mark.parametrize("mode", ["Shared", "PerCluster"])
@pytest.mark.parametrize(
    ("field", "name", "wrong"), CLUSTER_CASES, ids=[f"{field}: {name}" for field, name, _ in CLUSTER_CASES]
)
def test_any_type_in_any_field_of_a_cluster_is_fine_or_an_error_that_names_it(
    field: str, name: str, wrong: Any, mode: str
) -> None:
    base = cluster("a", annotations={"akey": "x"}, topology=field == "spec.topology")
    items = [cluster("good"), put(base, tuple(field.split(".")), wrong)]
    sent = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": items}
    sent["functionConfig"] = put(hostile.CONFIG, ("spec", "identity"), {"mode": mode})
    ran = Ran(json.dumps(sent).encode())
    fine = name in CLUSTER_FIELDS[field]
    # without labels that a selector could match, no config can reach the Cluster: then it is a warning
    unreachable = "a warning only: no config of this run can reach this Cluster" in ran.stderr
    assert ran.code == (0 if fine or unreachable else 1), ran.stderr
    assert not (fine and unreachable)
    if unreachable:
        assert field in {"metadata", "metadata.labels"}
    if ran.code == 1:
        (line,) = ran.errors
        assert ("metadata.name" if field == "metadata" else field) in line
        assert "\x1b" not in line
        assert len(line) < 500
        assert json.loads(ran.stdout)["items"] == items


@pytest.mark.parametrize("name", hostile.ILLEGAL.values(), ids=hostile.ILLEGAL)
def test_a_namespace_that_is_none_never_becomes_a_path(name: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    text = "---\n".join(json.dumps(one) + "\n" for one in (cluster("a", name), hostile.CONFIG))
    (tmp_path / "in" / "all.yaml").write_text(text)
    assert main(["render", str(tmp_path / "in"), "-o", str(tmp_path / "deep" / "out")]) == 1
    assert [path.name for path in tmp_path.rglob("*")] == ["in", "all.yaml"]


def test_a_path_that_an_object_claims_never_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    claims = {"internal.config.kubernetes.io/path": "../../evil.yaml", "config.kubernetes.io/path": "/evil.yaml"}
    text = "---\n".join(json.dumps(one) + "\n" for one in (cluster("a", annotations=claims), hostile.CONFIG))
    (tmp_path / "in" / "all.yaml").write_text(text)
    assert main(["render", str(tmp_path / "in"), "-o", str(tmp_path / "deep" / "out")]) == 0
    assert {path.parts[-2] for path in tmp_path.rglob("*.yaml")} == {"in", "out", "team-a"}


# --- size, in a process with limits ----------------------------------------------------------------------------------


def limited(stdin: Path | bytes, memory: int, cpu: int = 20) -> subprocess.CompletedProcess[bytes]:
    """Run the function as a host does, with limits of the system on memory and time."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))

    command = [sys.executable, "-m", "krm_fn"]
    options: dict[str, Any] = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "preexec_fn": limit,
    }
    if isinstance(stdin, bytes):
        return subprocess.run(command, check=False, input=stdin, **options)
    with stdin.open("rb") as file:
        return subprocess.run(command, check=False, stdin=file, **options)


HEAVY = [name for name in hostile.BAD if "bomb" in name or "deep" in name]


@pytest.mark.parametrize("name", HEAVY)
def test_bombs_and_depth_cost_little_memory_and_time(name: str) -> None:
    done = limited(hostile.BAD[name].data, memory=200 * MIB, cpu=5)
    assert done.returncode == 1
    assert re.match(f"(?:[^ ]+:[0-9]+:[0-9]+: )?error: .*(?:{hostile.BAD[name].says})", done.stderr.decode())


def test_a_hundred_megabytes_go_through(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    entry = hostile.MAP + b"  data:\n    text: |\n" + b"      some text that is there to be long\n" * 250
    with path.open("wb") as file:
        file.write(hostile.listed(hostile.CLUSTER))
        file.writelines([entry] * (100 * MIB // len(entry)))
    done = limited(path, memory=700 * MIB, cpu=60)
    assert done.returncode == 0, done.stderr[:500]
    assert done.stdout.count(entry) == 100 * MIB // len(entry)


@pytest.mark.parametrize(
    ("piece", "says"),
    [
        pytest.param(b"a" * MIB, "the document is not a mapping", id="one word"),
        pytest.param(b"\0" * MIB, "control characters are not allowed", id="zeros"),
        pytest.param(b"\xff" * MIB, "not valid UTF-8", id="no text"),
        pytest.param(b"{a: " * (MIB // 4), "nested too deep", id="brackets"),
        pytest.param(b"# comment\n" * (MIB // 10), "the input is empty", id="comments"),
    ],
)
def test_a_hundred_megabytes_of_nonsense_get_one_line(piece: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    with path.open("wb") as file:
        file.writelines([piece] * 100)
    done = limited(path, memory=900 * MIB, cpu=60)
    assert done.returncode == 1
    assert done.stdout == b""
    (line,) = done.stderr.decode().splitlines()
    assert says in line


def test_too_little_memory_is_said_in_one_line() -> None:
    done = limited(
        hostile.listed(hostile.CLUSTER + hostile.MAP + b"  x: " + b"a" * (60 * MIB) + b"\n"), memory=100 * MIB
    )
    assert done.returncode == 1
    assert done.stdout == b""
    assert done.stderr.decode().startswith("error: out of memory; nothing was written")


# --- files for the commands ------------------------------------------------------------------------------------------

# of `status` and `migrate` 1 says that something was found, so a file that can't be read is 2 there
BAD_FILE = {"render": 1, "plan": 1, "manifests": 1, "status": 2, "migrate": 2}
COMMANDS = tuple(BAD_FILE)
FILES: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "Latin-1": b"apiVersion: v1\nkind: A\nx: \xe4\n",
    "a zero": b"apiVersion: v1\nkind: A\nx: a\0b\n",
    "cut off": b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a\n",
    "a scalar": b"hello\n",
    "a bomb": b"apiVersion: v1\nkind: ConfigMap\n" + hostile.bomb(b""),
    "deep": b"apiVersion: v1\nkind: ConfigMap\nx: " + b"[" * hostile.LEVELS + b"]" * hostile.LEVELS + b"\n",
    "deep JSON": b'{"a":' * hostile.LEVELS,
    "a key twice": b"apiVersion: v1\nkind: A\nkind: B\n",
}


@pytest.mark.parametrize("data", FILES.values(), ids=FILES)
@pytest.mark.parametrize("command", COMMANDS)
def test_a_bad_file_gets_exit_1_and_its_name(
    command: str, data: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_bytes(data)
    assert main([command, str(path)]) == BAD_FILE[command]
    said = capsys.readouterr()
    assert (said.out == "") == (command != "plan")  # which reports in every form of output
    assert re.match(rf"(?:{re.escape(str(path))}(?::[0-9]+)*: )?error: ", said.err)
    assert "Traceback" not in said.err
    assert all(len(line) < 600 for line in said.err.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_a_file_that_is_missing_gets_exit_1_and_its_name(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "missing.yaml"
    assert main([command, str(path)]) == BAD_FILE[command]
    (line,) = capsys.readouterr().err.splitlines()
    assert str(path) in line
    assert "No such file" in line


@pytest.mark.parametrize("command", ["status", "migrate"])
def test_a_folder_where_a_file_is_due_is_named(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(tmp_path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "directory" in line or "folder" in line


@pytest.mark.parametrize("name", ["a" * 5000, "a/" * 3000], ids=["too long", "too deep"])
@pytest.mark.parametrize("command", COMMANDS)
def test_a_name_that_no_file_can_have_is_an_error(command: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, name]) == BAD_FILE[command]
    assert "error: " in capsys.readouterr().err
