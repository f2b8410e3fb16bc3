"""docs/plan.md describes every field of the Plan document and shows the picture that the program draws."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.examples import plain_files

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/plan.md").read_text(encoding="utf-8")


def run(*arguments: str | Path, code: int = 0) -> str:
    command = [sys.executable, "-m", "krm_fn", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stdout


def fields(value: Any, path: str = "") -> set[str]:
    """Every field of a document, as the page writes it: `clusters[].name`."""
    if isinstance(value, list):
        return set().union(*(fields(one, f"{path}[]") for one in value)) if value else {f"{path}[]"}
    if isinstance(value, dict) and path not in {"clusters[].registrationLabels", "results[].tags"}:
        return set().union(*(fields(one, f"{path}.{key}" if path else key) for key, one in value.items()))
    return {path}


def documented() -> set[str]:
    """Every field of the table; `.b` after `a.x` in one row is `a.b`."""
    found = set()
    for row in re.findall(r"^\| (`.+?) \|", PAGE, re.MULTILINE):
        base = ""
        for name in re.findall(r"`([^`]+)`", row):
            full = f"{base}{name}" if name.startswith(".") else name
            base = base or full.rpartition(".")[0]
            found.add(full)
    return found


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("plan")
    without = shutil.ignore_patterns("kustomization.yaml")  # these tests need no kustomize
    shutil.copytree(ROOT / "examples/waves", folder / "new", ignore=without)
    run("render", folder / "new", "-o", folder / "old")
    wave = folder / "new/wave-2.yaml"
    wave.write_text(wave.read_text(encoding="utf-8").replace("agent:v0.18.0", "agent:v0.18.1"), encoding="utf-8")
    loaded: dict[str, Any] = json.loads(run("plan", folder / "new", "--baseline", folder / "old", "-o", "json"))
    return loaded


def test_every_field_of_the_document_is_described(document: dict[str, Any]) -> None:
    known = documented() | {"results[].message", "results[].severity", "results[].field.path", "results[].file.path"}
    known |= {"results[].tags", "results[].resourceRef"}
    whole = {name for name in known if name.endswith("[]")}  # described as a list of keys told elsewhere
    lost = {name for name in fields(document) - known if not any(name.startswith(f"{one}.") for one in whole)}
    assert lost == set()


def test_every_field_of_a_comparison_is_described(document: dict[str, Any]) -> None:
    names = {name.split(".")[1].removesuffix("[]") for name in documented() if name.startswith("comparison.")}
    assert set(document["comparison"]) == names


def test_the_picture_is_what_the_program_draws() -> None:
    shown = re.search(r"^```mermaid\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert shown
    assert shown[1] == run("plan", *plain_files(ROOT / "examples/kustomization"), "-o", "mermaid")
