"""metadata.yaml, by which a function registry lists this function, says what the program says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
METADATA: dict[str, Any] = yaml.safe_load((ROOT / "metadata.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    command = [sys.executable, "-m", "krm_fn", "schema", "--format", "krm-function-definition"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = yaml.safe_load(done.stdout)["spec"]
    return found


def test_it_has_the_fields_of_the_catalog() -> None:
    assert list(METADATA) == ["image", "description", "tags", "sourceURL", "examplePackageURLs", "license"]


def test_it_agrees_with_the_function_definition(spec: dict[str, Any]) -> None:
    version = spec["versions"][0]
    assert METADATA["image"] == version["runtime"]["container"]["image"]
    assert METADATA["license"] == version["license"]
    assert METADATA["description"] == spec["description"]
    assert METADATA["tags"] == spec["tags"]


def test_its_image_is_the_one_that_make_builds() -> None:
    assert f"IMAGE ?= {METADATA['image']}:v" in (ROOT / "Makefile").read_text(encoding="utf-8")


@pytest.mark.parametrize("url", METADATA["examplePackageURLs"])
def test_its_examples_exist(url: str) -> None:
    prefix = f"{METADATA['sourceURL']}/tree/main/"
    assert url.startswith(prefix)
    assert (ROOT / url.removeprefix(prefix)).is_dir()
