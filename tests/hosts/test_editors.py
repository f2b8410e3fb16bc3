"""Our JSON Schemas and SARIF logs in the validators of others: ajv, which editors and CI use, and the schema of SARIF."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.golden import test_errors as gallery
from tests.hosts import programs
from tests.support.lists import config

if TYPE_CHECKING:
    from pathlib import Path

CHECK = programs.REPOSITORY / "tests/hosts/editors/check.cjs"
SCHEMA = programs.REPOSITORY / "schema/clusternetcapiconfig.schema.json"
EDITOR_SCHEMA = programs.REPOSITORY / "schema/clusternetcapiconfig.editor.schema.json"
# wrong usage is told in plain text, since it may be the option itself that is wrong
USAGE = {"choice-misspelt", "command-misspelt", "output-form", "output-holds-input"}
LOGS = [name for name in gallery.CASES if name not in USAGE]
MODULES = programs.TOOLS / "editors/node_modules"


@pytest.fixture(autouse=True)
def _node() -> None:
    if not shutil.which("node") or not MODULES.exists():
        pytest.skip("no Node.js here, or .ci/install-tools has not brought the packages of tests/hosts/editors")


def check(*arguments: str | Path, cwd: Path, code: int = 0) -> list[str]:
    done = programs.run("node", CHECK, *arguments, cwd=cwd, env={"NODE_PATH": str(MODULES)}, code=code)
    return done.out.splitlines()


def test_the_schema_loads_in_strict_ajv_without_a_warning(tmp_path: Path) -> None:
    assert check("schema", SCHEMA, cwd=tmp_path) == []


def test_the_schema_for_editors_adds_their_keywords_alone(tmp_path: Path) -> None:
    assert check("schema", EDITOR_SCHEMA, "patternErrorMessage", "errorMessage", cwd=tmp_path) == []


@pytest.mark.parametrize("schema", [SCHEMA, EDITOR_SCHEMA], ids=["schema", "editor schema"])
def test_a_right_config_passes_in_ajv(schema: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(config(registrationToken={"secretRef": {"name": "a"}})))
    assert check("document", schema, "config.json", cwd=tmp_path) == []


def test_two_sources_of_the_token_are_one_message_in_editors(tmp_path: Path) -> None:
    both = config(registrationToken={"env": "CLUSTERNET_TOKEN", "existingSecret": {"name": "a"}})
    (tmp_path / "config.json").write_text(json.dumps(both))
    assert len(check("document", EDITOR_SCHEMA, "config.json", cwd=tmp_path, code=1)) == 1


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What breaks the schema of SARIF in the log of each broken input of docs/errors.md that a command reads."""
    folder = tmp_path_factory.mktemp("logs")
    for name in LOGS:
        case = gallery.read(name)
        program, _, rest = case.command.partition(" < ")
        command = f"{program} --error-format sarif" + (f" < {rest}" if rest else "")
        (folder / f"{name}.json").write_text(gallery.run(case._replace(command=command), terminal=False).text)
    files = [f"{name}.json" for name in LOGS]
    done = programs.run("node", CHECK, "sarif", *files, cwd=folder, env={"NODE_PATH": str(MODULES)}, code={0, 1})
    lines = done.out.splitlines()
    return {name: [line for line in lines if line.startswith(f"{name}.json")] for name in LOGS}


@pytest.mark.parametrize("name", LOGS)
def test_what_is_reported_about_a_broken_input_is_sarif(name: str, broken: dict[str, list[str]]) -> None:
    assert broken[name] == []


def test_a_log_that_is_not_sarif_is_seen(tmp_path: Path) -> None:
    (tmp_path / "log.json").write_text('{"version": "2.1.0", "runs": [{"results": []}]}')
    assert check("sarif", "log.json", cwd=tmp_path, code=1) == ["log.json/runs/0: must have required property 'tool'"]
