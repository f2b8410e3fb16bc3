"""`config.export`: the JSON Schema says what the decoder does, but for the rules that it lists as beyond it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from krm_fn.config import export
from krm_fn.config.fields import UNSET, Field, Object, walk
from krm_fn.config.kinds import Kind
from krm_fn.config.rules import Constraint
from krm_fn.config.tree import CONFIG
from tests.support.configs import BAD, GOOD, changed, results_of
from tests.support.json_schema import accepts, validator

EDITOR_SCHEMA = export.json_schema(editor=True)
FIELDS = dict(walk(CONFIG))
EXAMPLES = {path: field for path, field in FIELDS.items() if field.example is not UNSET}
DEFAULTS = {path: field for path, field in FIELDS.items() if field.default is not UNSET}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_the_schema_accepts_what_the_decoder_accepts(changes: dict[str, Any]) -> None:
    assert accepts(changed(changes))


@pytest.mark.parametrize(("changes", "field", "part"), BAD.values(), ids=BAD)
def test_the_schema_refuses_what_the_decoder_refuses_unless_the_rule_is_listed(
    changes: dict[str, Any], field: str, part: str
) -> None:
    del field, part
    document = changed(changes)
    beyond = {result.rule for result in results_of(document)} <= set(export.BEYOND_RULES)
    assert accepts(document) is beyond


def test_every_rule_beyond_the_schema_has_a_sentence() -> None:
    assert all(sentence.endswith((".", "(a warning).")) and "\n" not in sentence for sentence in export.BEYOND)
    assert len(export.BEYOND) >= len(export.BEYOND_RULES)


@pytest.mark.parametrize("field", EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_fits_its_field(field: Field) -> None:
    assert accepts(field.example, export.of_kind(field.kind))


@pytest.mark.parametrize("field", DEFAULTS.values(), ids=DEFAULTS)
def test_a_default_fits_its_field(field: Field) -> None:
    assert accepts(field.default, export.of_kind(field.kind))


@pytest.mark.parametrize("field", FIELDS.values(), ids=FIELDS)
def test_a_field_has_a_sentence_for_the_reference(field: Field) -> None:
    assert field.doc.endswith(".")
    assert "\n" not in field.doc


def test_the_schema_is_one_of_draft_7() -> None:
    validator(export.json_schema()).check_schema(export.json_schema())


def test_the_schema_marks_the_secret_and_shows_defaults_and_examples() -> None:
    spec = export.json_schema()["properties"]["spec"]["properties"]
    assert spec["registrationToken"]["properties"]["value"]["writeOnly"] is True
    assert spec["agent"]["properties"]["replicas"]["default"] == 3
    assert spec["namespaces"]["examples"] == [["fleet-eu", "fleet-us"]]
    assert spec["clusterSelector"]["allOf"] == [{"$ref": "#/definitions/NonEmptyLabelSelector"}]
    assert spec["clusterSelector"]["description"] == "Clusters to register, by their labels; not empty."


def test_objects_are_closed_but_for_metadata() -> None:
    schema = export.json_schema()
    assert schema["additionalProperties"] is False
    assert schema["properties"]["spec"]["additionalProperties"] is False
    assert "additionalProperties" not in schema["properties"]["metadata"]


def _keywords(schema: Any) -> set[str]:
    """Every keyword of a schema, names of properties left out."""
    if isinstance(schema, list):
        return set().union(*map(_keywords, schema))
    if not isinstance(schema, dict):
        return set()
    found = set(schema)
    for key, value in schema.items():
        if key == "properties":
            found |= set().union(*map(_keywords, value.values()))
        elif key not in {"default", "example", "enum"}:
            found |= _keywords(value)
    return found


def test_the_function_definition_keeps_to_openapi_3_0() -> None:
    definition = export.krm_function_definition()
    (version,) = definition["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    assert definition["spec"]["names"]["kind"] == "ClusternetCAPIConfig"
    assert version["name"] == "v1alpha1"
    assert _keywords(schema).isdisjoint({"$ref", "$schema", "const", "examples", "if", "propertyNames", "definitions"})
    patch = schema["properties"]["spec"]["properties"]["agent"]["properties"]["patches"]["items"]["properties"]["patch"]
    assert patch["x-kubernetes-preserve-unknown-fields"] is True


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_the_function_definition_accepts_what_the_decoder_accepts(changes: dict[str, Any]) -> None:
    schema = export.krm_function_definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert accepts(changed(changes), schema)


def test_a_kind_without_a_schema_is_a_bug_of_ours() -> None:
    with pytest.raises(NotImplementedError):
        export.of_kind(Kind())
    with pytest.raises(NotImplementedError):
        export.of_kind(Object(constraints=(Constraint(),)))


EXAMPLE_FILES = sorted(
    path
    for path in (Path(__file__).parents[3] / "examples").rglob("*.yaml")
    if "\nkind: ClusternetCAPIConfig\n" in path.read_text()
)


@pytest.mark.parametrize("path", EXAMPLE_FILES, ids=lambda path: "-".join(path.parts[-3:]))
def test_a_configuration_of_the_examples_fits_the_schema(path: Path) -> None:
    documents = [one for one in yaml.safe_load_all(path.read_text()) if one["kind"] == "ClusternetCAPIConfig"]
    assert documents
    assert all(accepts(document) for document in documents)


def test_every_message_of_ours_is_beside_a_keyword_for_which_editors_show_it() -> None:
    # yaml-language-server 2.0.0 and vscode-json-languageservice 5.7.2: not for oneOf, anyOf and not
    shown = {"errorMessage": {"enum", "properties"}, "patternErrorMessage": {"pattern"}}
    pending: list[Any] = [export.json_schema(editor=True)]
    seen = 0
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            for word, keywords in shown.items():
                assert word not in one or one.keys() & keywords
                seen += word in one
            assert not one.keys() & {"errorMessage"} or not one.keys() & {"oneOf", "anyOf", "not"}
        pending += one.values() if isinstance(one, dict) else one if isinstance(one, list) else []
    assert seen > 50


@pytest.mark.parametrize("changes", [*GOOD.values(), *(one[0] for one in BAD.values())], ids=[*GOOD, *BAD])
def test_the_schema_for_editors_accepts_what_the_other_accepts(changes: dict[str, Any]) -> None:
    document = changed(changes)
    assert accepts(document, EDITOR_SCHEMA) is accepts(document)
