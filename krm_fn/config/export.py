"""The tree as a JSON Schema and as a KRMFunctionDefinition, for editors, registries and checks outside.

Everything comes from the tree that the decoder walks. What the decoder refuses beyond the schema is listed in `BEYOND`.
"""

from __future__ import annotations

from functools import singledispatch
from itertools import combinations

from krm_fn.config.fields import UNSET, Either, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Json, Kind, Number, Text, Whole
from krm_fn.config.rules_in_code import RULES
from krm_fn.config.rules_in_schema import Constraint, ExactlyOne, Given, Refuse, Require, Some
from krm_fn.config.tree import CONFIG
from krm_fn.surface import API_VERSION, GROUP, KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.config.fields import Field
    from krm_fn.config.formats import Format

TITLE = f"{KIND} ({API_VERSION})"
SUMMARY = "Which Cluster API clusters register with which Clusternet parent cluster, and how."
IMAGE = "clusternet-capi-fn"

# Names of checks (tag `rule` of a result) that the schema can't say.
BEYOND_RULES = ("duplicate-entry", "not-json", *(rule.name for rule in RULES))
BEYOND = (
    *(rule.sentence for rule in RULES),
    "Entries of `agent.env` differ in `name`, entries of `clusterResourceSet.extraResources` in kind and name.",
    "Numbers in a patch are finite: YAML has `.nan` and `.inf`, JSON has not.",
    "The prefix of a label key has at most 253 characters.",
    "A value that YAML reads as a boolean or a number (`on`, `1e3`) is in quotes where a string is due.",
)

# keywords whose value is data, not a schema; `enum` belongs to the type, the others to the field
_DATA = ("default", "examples", "enum")
_GIVEN: dict[str, Any] = {"not": {"enum": ["", [], {}, None]}}
# Words of VS Code and the YAML language server; strict validators refuse a schema with keywords that they don't know.
_FOR_EDITORS = ("patternErrorMessage", "errorMessage")


def json_schema(*, editor: bool = False) -> dict[str, Any]:
    """Return the JSON Schema (draft 7, which editors know best); Kubernetes' types appear once, in `definitions`.

    Args:
        editor: Whether to add messages for editors, in keywords that are not part of JSON Schema.
    """
    definitions: dict[str, Any] = {}
    whole = of_kind(CONFIG)
    schema = _hoisted(_for_editors(whole) if editor else _plain(whole), definitions)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": TITLE,
        "description": SUMMARY,
        **schema,
        "definitions": dict(sorted(definitions.items())),
    }


def krm_function_definition() -> dict[str, Any]:
    """Return the `KRMFunctionDefinition` (config.kubernetes.io/v1alpha1; KEP 2906 of kubernetes/enhancements)."""
    return {
        "apiVersion": "config.kubernetes.io/v1alpha1",
        "kind": "KRMFunctionDefinition",
        "metadata": {"name": f"{KIND.lower()}s.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {"kind": KIND},
            "description": "Registers Cluster API clusters with Clusternet: adds the Secrets, ConfigMaps and "
            "ClusterResourceSets that install clusternet-agent on matching clusters.",
            "publisher": "clusternet",
            "tags": ["cluster-api", "clusternet", "generator", "transformer", "validator"],
            "versions": [
                {
                    "name": API_VERSION.partition("/")[2],
                    "idempotent": True,
                    "license": "Apache-2.0",
                    "runtime": {
                        "container": {"image": IMAGE, "requireNetwork": False, "requireStorageMount": False},
                    },
                    "schema": {"openAPIV3Schema": _openapi(_plain(of_kind(CONFIG)))},
                }
            ],
        },
    }


@singledispatch
def of_kind(kind: Kind) -> dict[str, Any]:
    """Return the schema of a kind."""
    raise NotImplementedError(type(kind).__name__)


@of_kind.register(Text)
def _(kind: Text) -> dict[str, Any]:
    return {"type": "string", **({} if kind.empty else {"minLength": 1}), **_format(kind.format)}


@of_kind.register(Choice)
def _(kind: Choice) -> dict[str, Any]:
    return {"type": "string", "enum": list(kind.values)}


@of_kind.register(Flag)
def _(kind: Flag) -> dict[str, Any]:
    del kind
    return {"type": "boolean"}


@of_kind.register(Whole)
def _(kind: Whole) -> dict[str, Any]:
    return {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum}


@of_kind.register(Number)
def _(kind: Number) -> dict[str, Any]:
    del kind
    return {"type": "number", "minimum": 0}


@of_kind.register(Json)
def _(kind: Json) -> dict[str, Any]:
    del kind
    return {"type": "object"}


@of_kind.register(Either)
def _(kind: Either) -> dict[str, Any]:
    return {"anyOf": [of_kind(one) for one in kind.kinds]}


@of_kind.register(ListOf)
def _(kind: ListOf) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": of_kind(kind.item)}
    if kind.minimum:
        schema["minItems"] = kind.minimum
    if kind.maximum:
        schema["maxItems"] = kind.maximum
    if kind.unique:
        schema["uniqueItems"] = True
    return schema


@of_kind.register(MapOf)
def _(kind: MapOf) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _format(kind.key), "additionalProperties": of_kind(kind.value)}


@of_kind.register(Object)
def _(kind: Object) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {field.name: _field(field) for field in kind.fields},
    }
    required = [field.name for field in kind.fields if field.required]
    if required:
        schema["required"] = required
    if kind.closed:
        schema["additionalProperties"] = False
    if kind.constraints:
        schema["allOf"] = [of_constraint(one) for one in kind.constraints]
    if kind.upstream:
        schema["title"] = kind.upstream
    return schema


def _field(field: Field) -> dict[str, Any]:
    schema = of_kind(field.kind)
    schema["description"] = field.doc
    if field.default is not UNSET and field.default not in ({}, []):
        schema["default"] = field.default
    if field.example is not UNSET:
        schema["examples"] = [field.example]
    if field.secret:
        schema["writeOnly"] = True
    return schema


def _format(form: Format) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if form.max_length:
        schema["maxLength"] = form.max_length
    if form.pattern:
        schema["pattern"] = f"^(?:{form.pattern})$"
        schema["patternErrorMessage"] = f"must be {form.expected}"
    if form.refused:
        schema["allOf"] = [{"not": {"pattern": one.pattern}, "errorMessage": one.reason} for one in form.refused]
    return schema


@singledispatch
def of_constraint(constraint: Constraint) -> dict[str, Any]:
    """Return the schema of a constraint; it speaks of objects, whose type is checked beside it."""
    raise NotImplementedError(type(constraint).__name__)


@of_constraint.register(ExactlyOne)
def _(constraint: ExactlyOne) -> dict[str, Any]:
    text = f"give exactly one of {', '.join(constraint.names[:-1])} and {constraint.names[-1]}"
    return {"oneOf": [{"required": [name]} for name in constraint.names], "errorMessage": text}


@of_constraint.register(Some)
def _(constraint: Some) -> dict[str, Any]:
    return {"anyOf": [_at(name, _GIVEN) for name in constraint.names]}


@of_constraint.register(Refuse)
def _(constraint: Refuse) -> dict[str, Any]:
    text = f"{constraint.what.path} {constraint.text}"
    return {"not": {"allOf": [_given(constraint.when), _given(constraint.what)]}, "errorMessage": text}


@of_constraint.register(Require)
def _(constraint: Require) -> dict[str, Any]:
    text = f"{constraint.path} {constraint.text}"
    return {"not": {"allOf": [_given(constraint.when), {"not": _at(constraint.path, _GIVEN)}]}, "errorMessage": text}


def _given(question: Given) -> dict[str, Any]:
    leaf: dict[str, Any] = {"enum": list(question.values)} if question.values else {} if question.empty else _GIVEN
    there = _at(question.path, leaf)
    return {"anyOf": [there, {"not": _at(question.path, {})}]} if question.absent else there


def _at(path: str, leaf: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has a value at a dotted path, and there one that fits `leaf`."""
    name, _, rest = path.partition(".")
    return {"type": "object", "required": [name], "properties": {name: _at(rest, leaf) if rest else leaf}}


def _plain(schema: Any) -> Any:
    """Return a schema without the words for editors."""
    if isinstance(schema, list):
        return [_plain(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: value if key in _DATA else _plain(value) for key, value in schema.items() if key not in _FOR_EDITORS}


def _for_editors(schema: Any) -> Any:
    """Return a schema whose every `oneOf` says the same by `not`: editors show no message of their own for it."""
    if isinstance(schema, list):
        return [_for_editors(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _DATA else _for_editors(value) for key, value in schema.items()}
    each = found.get("oneOf")
    if isinstance(each, list) and "errorMessage" in found:
        del found["oneOf"]
        both = [{"required": [*one["required"], *other["required"]]} for one, other in combinations(each, 2)]
        found["not"] = {"anyOf": [{"not": {"anyOf": each}}, *both]}
    return found


def _hoisted(schema: Any, definitions: dict[str, Any]) -> Any:
    """Return a schema in which those with a title are references, and put what they refer to into `definitions`."""
    if isinstance(schema, list):
        return [_hoisted(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: value if key in _DATA else _hoisted(value, definitions) for key, value in schema.items()}
    title = schema.get("title")
    if not isinstance(title, str):  # a field called title would be a schema
        return found
    beside = {key: found.pop(key) for key in ("description", *_DATA) if key in found}
    definitions[title] = found
    # draft 7 ignores what is beside $ref
    return {"allOf": [{"$ref": f"#/definitions/{title}"}], **beside}


def _openapi(schema: Any) -> Any:
    """Return a schema in the words of OpenAPI 3.0, which lacks some of JSON Schema's."""
    if isinstance(schema, list):
        return [_openapi(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {}
    for key, value in schema.items():
        if key == "examples":
            found["example"] = value[0]
        elif key == "properties":
            found[key] = {name: _openapi(one) for name, one in value.items()}
        elif key in {"default", "enum"}:
            found[key] = value
        elif key != "propertyNames":
            found[key] = _openapi(value)
    if found.get("type") == "object" and not {"properties", "additionalProperties"} & found.keys():
        found["x-kubernetes-preserve-unknown-fields"] = True
    return found
