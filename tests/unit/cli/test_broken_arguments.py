"""Every command with every kind of wrong file or folder: one error, in one line, with an exit code that says what it is."""

from __future__ import annotations

import io
import os
import re
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from krm_fn.__main__ import main
from tests.golden.test_errors import HERE, TOKEN, Piped

READS = ("render ARG", "plan ARG", "manifests ARG")
CONFIGS = ("render good -c ARG", "plan good -c ARG", "manifests good -c ARG")
BASELINES = ("render good --baseline ARG", "plan good --baseline ARG")
DUMPS = ("status ARG", "status -f ARG", "migrate ARG")
ALL = (*READS, *CONFIGS, *BASELINES, *DUMPS)
KUBECTL = "; give a file that holds what kubectl printed"
ONE = "; give a file with one ClusternetCAPIConfig"


class Broken(NamedTuple):
    """An argument, the commands that it is given to, and what each of them says of it."""

    argument: str
    commands: tuple[str, ...]
    said: str


TABLE = [
    Broken("nope.yaml", ALL, "can't read nope.yaml: No such file or directory"),
    Broken("empt1.yaml", ALL, "can't read empt1.yaml: No such file or directory: did you mean empty.yaml?"),
    Broken("nope/x.yaml", ALL, "can't read nope/x.yaml: No such file or directory"),
    Broken("empty.yaml/x", ALL, "can't read empty.yaml/x: Not a directory"),
    Broken("dangling.yaml", ALL, "can't read dangling.yaml: it is a link to a file that does not exist"),
    Broken("loop.yaml", ALL, "can't read loop.yaml: it is a link that can't be followed"),
    Broken("pipe.yaml", ALL, "can't read pipe.yaml: it is a named pipe, not a regular file"),
    Broken("", (*READS, *BASELINES, *DUMPS), "the name of a file is empty: give a file or folder (. is this folder)"),
    Broken("binary.yaml", (*READS, *CONFIGS, *BASELINES), "binary.yaml:2:118: error: can't be read: not valid UTF-8"),
    Broken("binary.yaml", DUMPS, "binary.yaml is not a kubectl dump: its byte 128 is not valid UTF-8; run kubectl get "),
    Broken("utf-16.yaml", (*READS, *CONFIGS), "utf-16.yaml:1:1: error: can't be read: not valid UTF-8; it is UTF-16: save it as UTF-8"),
    Broken("broken.yaml", ALL, "broken.yaml:2:7: error: invalid YAML: a list in brackets is not closed"),
    Broken("broken.json", (*READS, *CONFIGS, *BASELINES), "broken.json:3:1: error: invalid JSON: a value is missing"),
    Broken("broken.json", DUMPS, "broken.json:3:1: error: invalid JSON: it ends in the middle of an object"),
    Broken("array.json", (*READS, *CONFIGS), "array.json:1:1: error: not a Kubernetes object: it is a list"),
    Broken("array.json", DUMPS, "array.json is not a kubectl dump: it holds a list where an object should be; run kubectl get "),
    Broken("readme.md", (*READS, *CONFIGS), "readme.md:1:1: error: not a Kubernetes object: it has no apiVersion"),
    Broken("readme.md", DUMPS, "readme.md holds nothing of Cluster API or Clusternet, only 1 without a kind; run kubectl get "),
    Broken("empty.yaml", READS, "there is no configuration: "),
    Broken("empty.yaml", CONFIGS, f"empty.yaml holds no object{ONE}"),
    Broken("empty.yaml", DUMPS, "empty.yaml is empty: kubectl printed nothing; look at its error, then run kubectl get "),
    Broken("comment.yaml", CONFIGS, f"comment.yaml holds no object{ONE}"),
    Broken("comment.yaml", DUMPS, "comment.yaml holds no object; run kubectl get "),
    Broken("nothing", READS, "nothing holds no file that ends in "),
    Broken("nothing", CONFIGS, f"nothing holds no object{ONE}"),
    Broken("nothing", DUMPS, f"can't read nothing: it is a folder, not a regular file{KUBECTL}"),
    Broken("chart", (*READS, *CONFIGS), "chart is a Helm chart: render it with `helm template`, and give the output"),
    Broken("chart", BASELINES, "chart is a Helm chart: give a tree that `clusternet-capi-fn render -o DIR` wrote"),
    Broken("chart", DUMPS, f"can't read chart: it is a folder, not a regular file{KUBECTL}"),
    Broken("settings.yaml", READS, "there is no configuration: "),
    Broken("settings.yaml", CONFIGS, "settings.yaml:5:1: error: data has no key of a configuration, such as parentURL, "),
    Broken("settings.yaml", ("status ARG",), "no Cluster is in the dumps; add what `kubectl get "),
    Broken("settings.yaml", ("migrate ARG",), "the dump holds nothing of clusternet-hub's discovery: "),
    Broken("wrong.yaml", CONFIGS, "wrong.yaml:6:14: error: spec.parentURL must begin with https://"),
    Broken("good/clusters.yaml", CONFIGS, "good/clusters.yaml:9:1: error: good/clusters.yaml holds 2 objects"),
    Broken("good/clusters.yaml", BASELINES, "--baseline good/clusters.yaml is part of the input good: give a tree that "),
    Broken("good/fleet.yaml", BASELINES, "--baseline good/fleet.yaml is part of the input good: give a tree that "),
    Broken("web", ("status -f good/clusters.yaml ARG",), "there is no Cluster web in the input (give Clusters as NAMESPACE/NAME): did you mean team-a/web?"),
]  # fmt: skip
RUNS = [(command, one.argument, one.said) for one in TABLE for command in one.commands]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("arguments")
    shutil.copytree(HERE / "base", root / "good")
    for name, data in {
        "empty.yaml": b"",
        "comment.yaml": b"# nothing\n---\n",
        "binary.yaml": bytes(range(256)),
        "utf-16.yaml": "apiVersion: v1\nkind: ConfigMap\n".encode("utf-16"),
        "broken.yaml": b"apiVersion: v1\nkind: [ConfigMap\n",
        "broken.json": b'{"apiVersion": "v1",\n "kind": \n',
        "array.json": b"[1, 2]\n",
        "readme.md": b"# Fleet\n\nSome text: here.\n",
        "settings.yaml": b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: settings\ndata:\n  colour: blue\n",
        "wrong.yaml": (HERE / "url-http/fleet.yaml").read_bytes(),
        "chart/Chart.yaml": b"apiVersion: v2\nname: x\nversion: 0.1.0\n",
    }.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(data)
    (root / "nothing").mkdir()
    (root / "dangling.yaml").symlink_to("gone.yaml")
    (root / "loop.yaml").symlink_to("loop.yaml")
    os.mkfifo(root / "pipe.yaml")
    return root


@pytest.mark.parametrize(("command", "argument", "said"), RUNS)
def test_a_broken_argument_is_one_error_in_one_line(
    command: str, argument: str, said: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    stderr = io.StringIO()
    for name, stream in {"stdin": Piped(), "stdout": Piped(), "stderr": stderr}.items():
        monkeypatch.setattr(sys, name, stream)
    code = main([argument if part == "ARG" else part for part in command.split()])
    (line,) = [one for one in stderr.getvalue().splitlines() if not one.startswith("warning: ")]
    assert line.startswith((said, f"error: {said}"))
    assert len(re.findall(r"\b(?:give|run|did you mean)\b", line.replace("give a configuration", ""))) <= 2
    assert code == (2 if command in {*DUMPS, "status -f good/clusters.yaml ARG"} else 1)
    assert TOKEN[:6] not in line


@pytest.mark.parametrize("command", ["render", "plan", "manifests"])
def test_an_empty_config_is_wrong_usage(command: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, str(folder / "good"), "-c", ""]) == 2
    assert capsys.readouterr().err.startswith("error: -c has no file name: give a file, or leave out -c\n")


def test_a_short_option_takes_its_value_behind_a_sign_as_kubectl_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(folder)
    assert main(["render", "good", "-o=out/a=b"]) == 0
    assert (folder / "out" / "a=b").is_dir()
    assert not (folder / "=out").exists()
    outputs = []
    for options in (["-o=json", "-n=team-a"], ["-ojson", "-nteam-a"], ["--output=json", "--namespace=team-a"]):
        capsys.readouterr()
        assert main(["plan", "good", *options]) == 0
        outputs.append(capsys.readouterr().out)
    assert outputs == [outputs[0]] * 3
    assert main(["plan", "good", "-o="]) == 2
    assert main(["plan", "--", "-o=json"]) == 1
    assert "can't read -o=json: No such file or directory" in capsys.readouterr().err
