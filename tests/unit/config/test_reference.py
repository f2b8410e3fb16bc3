"""The reference and the schema file in the repository are what the model says now."""

from __future__ import annotations

from pathlib import Path

import pytest

from krm_fn.cli.about import schema_as
from krm_fn.config.fields import Object, walk
from krm_fn.config.tree import SPEC

ROOT = Path(__file__).parents[3]
FILES = {
    "docs/reference/configuration.md": "markdown",
    "schema/clusternetcapiconfig.schema.json": "json-schema",
    "schema/clusternetcapiconfig.editor.schema.json": "editor-schema",
    "schema/krm-function-definition.yaml": "krm-function-definition",
}
OURS = [path for path, field in walk(SPEC) if isinstance(field.kind, Object) and not field.kind.upstream]
OURS = [path for path in OURS if ".affinity." not in path]


@pytest.mark.parametrize(("path", "form"), FILES.items(), ids=FILES)
def test_a_file_made_from_the_model_is_up_to_date(path: str, form: str) -> None:
    fresh = schema_as(form)
    assert (ROOT / path).read_text() == fresh, f"run: clusternet-capi-fn schema --format {form} > {path}"


@pytest.mark.parametrize("name", [field.name for field in SPEC.fields])
def test_the_reference_has_a_row_for_every_field_of_the_spec(name: str) -> None:
    section = schema_as("markdown").partition("## `spec`\n")[2].partition("\n## ")[0]
    assert f"| `{name}` | " in section


@pytest.mark.parametrize("path", OURS)
def test_the_reference_has_a_section_for_every_object_of_ours(path: str) -> None:
    assert f"\n## `spec.{path}`\n" in schema_as("markdown")


def test_the_reference_escapes_what_would_break_a_table() -> None:
    rows = [line for line in schema_as("markdown").splitlines() if line.startswith("| `")]
    assert rows
    assert all(row.replace("\\|", "").count("|") == 6 for row in rows)


def test_the_reference_marks_the_secret() -> None:
    (row,) = [line for line in schema_as("markdown").splitlines() if line.startswith("| `value` ")]
    assert "A secret: never shown." in row
