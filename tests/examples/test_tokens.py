"""The examples of token sources render what they say, twice, and refuse what they say they refuse."""

from __future__ import annotations

import base64
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn import function
from krm_fn.cli import main
from krm_fn.files.documents import Tree
from krm_fn.yaml.write import dump
from krm_fn.tokens.offers import Offers
from tests.support.examples import plain_files

FOLDER = Path(__file__).parents[2] / "examples/tokens"
TOKEN = "7fq2kd.m4v9x0c8b1n6z3pw"
ENCRYPTED = "registration-token.enc.yaml"
DECRYPTED = ".expected/decrypted.yaml"
UPDATE = os.environ.get("UPDATE_EXPECTED") == "1"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return what the operator of each example offers."""
    (tmp_path / "regToken").write_text(f"{TOKEN}\n")
    return {
        "CLUSTERNET_REGISTRATION_TOKEN": TOKEN,
        "CLUSTERNET_TOKEN_DIR": str(tmp_path),
        "CLUSTERNET_PARENT_URLS": "https://parent.example.com:6443",
    }


def process(paths: list[Path], environment: dict[str, str]) -> function.Outcome:
    items = Tree.read([str(path) for path in paths]).items
    return function.process(items, None, function.Options(offers=Offers(environment), now=1_790_000_000))


def inputs(name: str) -> list[Path]:
    """Return the files of an example as the function gets them: the Secret decrypted, no host's own files."""
    files = [path for path in sorted((FOLDER / name).glob("[!.]*.yaml")) if path.name not in {ENCRYPTED, "ksops.yaml"}]
    decrypted = FOLDER / name / DECRYPTED
    return [*files, decrypted] if decrypted.exists() else files


def expected(name: str) -> Path:
    """Return the file that holds what an example generates."""
    return FOLDER / name / ".expected/generated.yaml"


def test_every_guide_has_an_example() -> None:
    assert NAMES == ["ci-variable", "external-secrets", "mounted-file", "sealed-secrets", "sops"]


@pytest.mark.parametrize("name", NAMES)
def test_an_example_renders_what_it_says(name: str, environment: dict[str, str]) -> None:
    outcome = process(inputs(name), environment)
    assert [result.message for result in outcome.results if result.severity == "error"] == []
    text = "---\n".join(dump(one) for one in outcome.changes.added)
    if UPDATE:
        expected(name).parent.mkdir(exist_ok=True)
        expected(name).write_text(text)
    assert text == expected(name).read_text()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "sops"])
def test_the_command_of_the_page_renders_it(
    name: str, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    for key, value in environment.items():
        monkeypatch.setenv(key, value)
    code = main(["render", "--only", "generated", *plain_files(FOLDER / name)])
    done = capfdbinary.readouterr()
    assert (code, done.err) == (0, b"")
    assert list(yaml.safe_load_all(done.out)) == list(yaml.safe_load_all(expected(name).read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_an_example_rendered_twice_is_the_same(name: str, environment: dict[str, str], tmp_path: Path) -> None:
    first = process(inputs(name), environment)
    rendered = tmp_path / "rendered.yaml"
    rendered.write_text("".join(f"---\n{dump(one)}" for one in first.changes.added))
    second = process([*inputs(name), rendered], environment)
    changes = second.changes
    assert (changes.added, changes.replaced, changes.removed) == ((), {}, frozenset())


@pytest.mark.parametrize("name", ["ci-variable", "mounted-file"])
def test_an_example_refuses_a_parent_that_the_operator_did_not_list(name: str, environment: dict[str, str]) -> None:
    environment["CLUSTERNET_PARENT_URLS"] = "https://another.example.com"
    outcome = process(inputs(name), environment)
    assert [result.field for result in outcome.results if result.severity == "error"] == ["spec.parentURL"]


def test_the_encrypted_secret_itself_is_refused_with_the_remedy(environment: dict[str, str]) -> None:
    folder = FOLDER / "sops"
    outcome = process([folder / "clusters.yaml", folder / "fleet.yaml", folder / ENCRYPTED], environment)
    (error,) = [result for result in outcome.results if result.severity == "error"]
    assert "is still encrypted by SOPS: decrypt it before this function runs (ksops" in error.message
    assert error.field == "stringData.regToken"
    assert error.file_path.endswith(ENCRYPTED)
    assert "bWFkZSB1c" not in str(error.as_data())


def test_the_decrypted_secret_differs_from_the_encrypted_one_in_its_values_only() -> None:
    whole = [yaml.safe_load((FOLDER / "sops" / name).read_text()) for name in (ENCRYPTED, DECRYPTED)]
    assert whole[0].pop("sops")["version"]
    kept = [{key: value for key, value in one.items() if key != "stringData"} for one in whole]
    assert kept[0] == kept[1]
    assert whole[0]["stringData"].keys() == whole[1]["stringData"].keys()


@pytest.mark.parametrize("name", ["sealed-secrets", "external-secrets"])
def test_what_is_committed_holds_no_token_at_all(name: str, environment: dict[str, str]) -> None:
    outcome = process(inputs(name), environment)
    text = "".join(dump(one) for one in outcome.changes.added)
    assert not [one for one in outcome.changes.added if one["kind"] == "Secret"]
    assert TOKEN not in text
    assert base64.b64encode(TOKEN.encode()).decode() not in text


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.y*ml")), ids=lambda path: str(path.relative_to(FOLDER)))
def test_every_file_of_an_example_is_yaml_without_a_token(path: Path) -> None:
    text = path.read_text()
    documents: list[Any] = list(yaml.safe_load_all(text))
    assert documents
    assert TOKEN not in text or path.parent.name == ".expected"
