"""`schema`: prints what the model says, in four formats."""

from __future__ import annotations

import json

import pytest
import yaml
from click.testing import CliRunner

from krm_fn.cli.about import schema


def run(*arguments: str) -> str:
    result = CliRunner().invoke(schema, arguments, standalone_mode=False)
    assert result.exception is None
    assert result.return_value == 0
    return result.output


@pytest.mark.parametrize("arguments", [(), ("--format", "json-schema")], ids=["default", "asked for"])
def test_a_json_schema_is_printed_as_json(arguments: tuple[str, ...]) -> None:
    found = json.loads(run(*arguments))
    assert found["properties"]["kind"]["enum"] == ["ClusternetCAPIConfig"]


def test_a_function_definition_is_printed_as_yaml() -> None:
    definition = yaml.safe_load(run("--format", "krm-function-definition"))
    assert (definition["apiVersion"], definition["kind"]) == ("config.kubernetes.io/v1alpha1", "KRMFunctionDefinition")


def test_a_reference_is_printed_as_markdown() -> None:
    assert run("--format", "markdown").startswith("# ClusternetCAPIConfig")


def test_help_shows_an_example() -> None:
    assert "clusternet-capi-fn schema > " in run("--help")
