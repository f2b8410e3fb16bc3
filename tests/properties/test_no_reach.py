"""A run opens nothing but the token file that was offered, whatever the configuration says. Seen by an audit hook."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from krm_fn import function

# Everything is imported and warm before the hook comes, so that what it sees is the input's doing.
PROGRAM = """
import json, sys
given = json.load(sys.stdin)
from krm_fn import function
from krm_fn.krm import resource_list
from krm_fn.tokens.offers import Offers

def run(objects):
    raw = json.dumps({"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", "items": objects}, indent=1)
    found = resource_list.read(("# YAML\\n" + raw).encode())
    outcome = function.run(found, function.Options(offers=Offers(given["environment"]), now=0, verbose=True))
    chunks = resource_list.write(found, outcome.changes, outcome.results)
    return outcome, chunks

for one in given["runs"]:
    run(one)
seen = []
import os
finders = {*sys.path, os.getcwd()}  # the import system lists these anew when another process has written there
reaching = ("open", "socket.", "subprocess.", "os.", "shutil.", "tempfile.", "ctypes.", "urllib.", "http.", "glob.")
on = True
def hook(event, args):
    if on and event.startswith(reaching) and not (args and isinstance(args[0], int)):
        if event == "os.listdir" and args[0] in finders:
            return
        seen.append([event, str(args[0]) if args else ""])
sys.addaudithook(hook)
errors = [one.message for objects in given["runs"] for one in run(objects)[0].results if one.severity == "error"]
on = False
print(json.dumps({"seen": seen, "errors": errors}))
"""

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
HOSTILE = ["/etc/passwd", "../../../../etc/passwd", "file:///etc/passwd", "http://127.0.0.1:9/x", "$(id)", "`id`"]


# Everything that opens a file: the reader, the writer, and what has nothing to do with the input.
OPENING = {
    "files/finding.py": "the one reader of the input: what a folder holds",
    "files/reading.py": "the one reader of the input",
    "files/originals.py": "lists the files beside a kustomization, for the lines of errors; reads through the reader",
    "files/writing.py": "the one writer of output",
    "files/copying.py": "lists what the private copy that kustomize builds is made of; reads through the reader",
    "tokens/offers.py": "reads the token file that the operator offered",
    "krm/runner.py": "opens the null device in the place of closed streams",
    "cli/init.py": "reads the starters of the package",
}
PACKAGE = Path(function.__file__).parent


def opens(path: Path) -> bool:
    """Whether a module opens files: by itself, or by pathlib."""
    methods = {"read_bytes", "read_text", "write_bytes", "write_text", "fdopen", "scandir", "listdir", "mkfifo"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id == "open":
            return True
        if isinstance(called, ast.Attribute) and (
            called.attr in methods
            or (called.attr in {"open", "dup"} and isinstance(called.value, ast.Name) and called.value.id == "os")
        ):
            return True
    return False


def test_only_these_modules_open_files() -> None:
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if opens(path)}
    assert found == set(OPENING)


RENDER = """
import json, os, sys
from krm_fn.__main__ import main
folder = sys.argv[1]
main(["plan", folder])
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[0], (str, bytes)):
        seen.append(os.fsdecode(args[0]))
sys.addaudithook(hook)
main(["plan", folder])
sys.stdout.write("\\n" + json.dumps(seen))
"""


def test_a_folder_full_of_ways_out_opens_nothing_outside(tmp_path: Path) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "folder"
    outside.mkdir()
    (outside / "secret.yaml").write_text("hunter2: hunter2\n")
    folder.mkdir()
    (folder / "all.yaml").write_text("---\n".join(map(json.dumps, objects({"value": TOKEN}))).replace("}---", "}\n---"))
    (folder / "link.yaml").symlink_to(outside / "secret.yaml")
    (folder / "linked").symlink_to(outside)
    (folder / "sub").mkdir()
    (folder / "sub" / "relative.yaml").symlink_to("../../outside/secret.yaml")
    (folder / "zero.yaml").symlink_to("/dev/zero")
    (folder / ".krmignore").symlink_to(outside / "secret.yaml")
    os.mkfifo(folder / "pipe.yaml")
    done = subprocess.run(
        [sys.executable, "-c", RENDER, str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    seen = json.loads(done.stdout.rpartition("\n")[2])
    assert not [path for path in seen if "outside" in path or "secret" in path or path in {"/dev/zero", "pipe.yaml"}]
    assert "hunter2" not in done.stdout + done.stderr
    assert "leads out of" in done.stderr


def objects(source: dict[str, Any], **spec: Any) -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "fn.clusternet.io/v1alpha1",
            "kind": "ClusternetCAPIConfig",
            "metadata": {"name": "fleet"},
            "spec": {
                "parentURL": "https://parent.example.com",
                "registrationToken": source,
                "clusterSelector": {"matchLabels": {"env": "prod"}},
                **spec,
            },
        },
        {
            "apiVersion": "cluster.x-k8s.io/v1beta2",
            "kind": "Cluster",
            "metadata": {"name": "c1", "namespace": "a", "labels": {"env": "prod"}},
        },
    ]


def run(folder: Path, *runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Run inputs in one process, each twice: what is imported late for one is there at its second run."""
    (folder / "token").write_text(TOKEN)
    environment = {"CLUSTERNET_TOKEN_DIR": str(folder), "CLUSTERNET_T": TOKEN, "CLUSTERNET_PARENT_URLS": "*"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        input=json.dumps({"environment": environment, "runs": runs}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def agent(text: str) -> dict[str, Any]:
    """Return an `agent` field with a text wherever one goes."""
    annotated = {"metadata": {"annotations": {"a": text}}}
    return {
        "env": [{"name": "A", "value": text}],
        "podAnnotations": {"a": text},
        "extraArgs": [f"--v={text}"],
        "patches": [{"target": {"kind": "Deployment", "name": "clusternet-agent"}, "patch": annotated}],
    }


def test_a_run_opens_no_file_but_the_one_that_was_offered(tmp_path: Path) -> None:
    found = run(tmp_path, objects({"file": "token"}))
    assert found["errors"] == []
    assert found["seen"] == [["open", str(tmp_path)], ["open", "token"]]


def test_a_file_that_was_not_offered_is_not_even_tried(tmp_path: Path) -> None:
    outside = [path for path in HOSTILE if path.startswith(("/", ".."))]
    found = run(tmp_path, *(objects({"file": path}) for path in outside))
    assert len(found["errors"]) == len(outside)
    assert found["seen"] == []


def test_a_name_that_looks_like_something_else_is_looked_for_in_the_folder_only(tmp_path: Path) -> None:
    inside = [path for path in HOSTILE if not path.startswith(("/", "..", "file:", "http:"))]
    found = run(tmp_path, *(objects({"file": path}) for path in inside))
    assert found["seen"] == [event for path in inside for event in (["open", str(tmp_path)], ["open", path])]


@pytest.mark.parametrize(
    "runs",
    [
        pytest.param([objects({"value": TOKEN}), objects({"env": "CLUSTERNET_T"})], id="the token at hand"),
        pytest.param([objects({"existingSecret": {"name": "reg"}})], id="the token outside"),
        pytest.param([objects({"value": TOKEN}, agent=agent(text)) for text in HOSTILE], id="texts of the agent"),
        pytest.param([objects({"value": TOKEN}, parentURL=text) for text in HOSTILE], id="the parent"),
        pytest.param([objects({"env": text}) for text in HOSTILE], id="the variable"),
        pytest.param([objects({"value": TOKEN}, agent={"image": text}) for text in HOSTILE], id="the image"),
    ],
)
def test_no_other_field_opens_anything(tmp_path: Path, runs: list[list[dict[str, Any]]]) -> None:
    assert run(tmp_path, *runs)["seen"] == []
