"""The tree as a JSON Schema and as a KRMFunctionDefinition, for editors, registries and checks outside.

Everything comes from the tree that the decoder walks. What the decoder refuses beyond the schema is listed in `BEYOND`.
"""

from __future__ import annotations

from krm_fn.base import listed
from krm_fn.config.fields import UNSET, Either, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Json, Kind, Number, Text, Whole
from krm_fn.config.rules import RULES, Constraint, ExactlyOne, Fit, Given, Refuse, Require, Some
from krm_fn.config.tree import CONFIG
from krm_fn.surface import API_VERSION, GROUP, KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from krm_fn.config.fields import Field
    from krm_fn.config.formats import Format

TITLE = f"{KIND} ({API_VERSION})"
SUMMARY = "Which Cluster API clusters register with which Clusternet parent cluster, and how."
IMAGE = "clusternet-capi-fn"

# Names of checks (tag `rule` of a result) that the schema can't say, and what they demand.
BEYOND_RULES = ("duplicate-entry", "not-json", *(rule.__name__.replace("_", "-") for rule in RULES))
BEYOND = (
    *((rule.__doc__ or "").partition("\n")[0] for rule in RULES),
    "Entries of `agent.env` differ in `name`, entries of `clusterResourceSet.extraResources` in kind and name.",
    "Numbers in a patch are finite: YAML has `.nan` and `.inf`, JSON has not.",
    "The prefix of a label key has at most 253 characters.",
    "A value that YAML reads as a boolean or a number (`on`, `1e3`) is in quotes where a string is expected.",
)

# keywords whose value is data, not a schema; `enum` belongs to the type, the others to the field
_DATA = ("default", "examples", "enum")
_GIVEN: dict[str, Any] = {"not": {"enum": ["", [], {}, None]}}
# Words of VS Code and the YAML language server; strict validators refuse a schema with keywords that they don't know.
_FOR_EDITORS = ("patternErrorMessage", "errorMessage")


def json_schema(*, editor: bool = False) -> dict[str, Any]:
    """Return the JSON Schema (draft 7, which editors know best); Kubernetes' types appear once, in `definitions`.

    With `editor` it has messages for editors, in keywords that are not part of JSON Schema.
    """
    definitions: dict[str, Any] = {}
    whole = _changed(of_kind(CONFIG), _for_editors if editor else _plain)
    schema = _changed(whole, lambda one: _hoisted(one, definitions))
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
                    "runtime": {"container": {"image": IMAGE, "requireNetwork": False, "requireStorageMount": False}},
                    "schema": {"openAPIV3Schema": _changed(_changed(of_kind(CONFIG), _plain), _openapi)},
                }
            ],
        },
    }


def of_kind(kind: Kind) -> dict[str, Any]:
    """Return the schema of a kind."""
    return _schema(kind, _KINDS)


def _schema(what: object, table: Mapping[Any, Callable[[Any], dict[str, Any]]]) -> dict[str, Any]:
    """Return the schema of a kind or a constraint, by its class or the one that it derives from."""
    for cls in type(what).__mro__:
        if cls in table:
            return table[cls](what)
    raise NotImplementedError(type(what).__name__)


def _text(kind: Text) -> dict[str, Any]:
    return {"type": "string", **({} if kind.empty else {"minLength": 1}), **_format(kind.format)}


def _list(kind: ListOf) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "array", "items": of_kind(kind.item)}
    if kind.minimum:
        schema["minItems"] = kind.minimum
    if kind.maximum:
        schema["maxItems"] = kind.maximum
    if kind.unique:
        schema["uniqueItems"] = True
    return schema


def _map(kind: MapOf) -> dict[str, Any]:
    return {"type": "object", "propertyNames": _format(kind.key), "additionalProperties": of_kind(kind.value)}


def _object(kind: Object) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object", "properties": {field.name: _field(field) for field in kind.fields}}
    required = [field.name for field in kind.fields if field.required]
    if required:
        schema["required"] = required
    if kind.foreign is None:
        schema["additionalProperties"] = False
    if kind.constraints:
        schema["allOf"] = [_schema(one, _CONSTRAINTS) for one in kind.constraints]
    if kind.upstream:
        schema["title"] = kind.upstream
    return schema


_KINDS: Mapping[type[Kind], Callable[[Any], dict[str, Any]]] = {
    Text: _text,
    Choice: lambda kind: {"type": "string", "enum": list(kind.values)},
    Flag: lambda _kind: {"type": "boolean"},
    Whole: lambda kind: {"type": "integer", "minimum": kind.minimum, "maximum": kind.maximum},
    Number: lambda _kind: {"type": "number", "minimum": 0},
    Json: lambda _kind: {"type": "object"},
    Either: lambda kind: {"anyOf": [of_kind(one) for one in kind.kinds]},
    ListOf: _list,
    MapOf: _map,
    Object: _object,
}


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


# A constraint speaks of objects, whose type is checked beside it.
_CONSTRAINTS: Mapping[type[Constraint], Callable[[Any], dict[str, Any]]] = {
    ExactlyOne: lambda one: {
        "oneOf": [{"required": [name]} for name in one.names],
        "errorMessage": f"give exactly one of {listed(one.names)}",
    },
    Some: lambda one: {"anyOf": [_at(name, _GIVEN) for name in one.names]},
    Refuse: lambda one: {
        "not": {"allOf": [_given(one.when), _given(one.what)]},
        "errorMessage": f"{one.what.path} {one.text}",
    },
    Require: lambda one: {
        "not": {"allOf": [_given(one.when), {"not": _given(one.what)}]},
        "errorMessage": f"{one.what.path} {one.text}",
    },
    Fit: lambda one: {
        "not": {"allOf": [_given(one.when), _at(one.path, {"not": of_kind(one.kind)})]},
        "errorMessage": f"{one.path} {one.text}",
    },
}


def _given(question: Given) -> dict[str, Any]:
    leaf: dict[str, Any] = {"enum": list(question.values)} if question.values else {} if question.empty else _GIVEN
    there = _at(question.path, leaf)
    return {"anyOf": [there, {"not": _at(question.path, {})}]} if question.absent else there


def _at(path: str, leaf: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object that has a value at a dotted path, and there one that fits `leaf`."""
    name, _, rest = path.partition(".")
    return {"type": "object", "required": [name], "properties": {name: _at(rest, leaf) if rest else leaf}}


def _changed(schema: Any, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Any:
    """Return a schema in which each schema is changed, those inside first."""
    if isinstance(schema, list):
        return [_changed(one, change) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return change({key: value if key in _DATA else _changed(value, change) for key, value in schema.items()})


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out the words for editors."""
    return {key: value for key, value in schema.items() if key not in _FOR_EDITORS}


def _for_editors(schema: dict[str, Any]) -> dict[str, Any]:
    """Say `oneOf` and `not` in a form for which the language servers of YAML and JSON both show a message of our own."""
    said = schema.pop("errorMessage", None)
    if said is None:
        return schema
    if "oneOf" in schema:
        names = [one["required"][0] for one in schema.pop("oneOf")]
        # each forbids those behind it, so that two are one message
        others = [
            {
                "if": {"required": [name]},
                "then": {"type": "object", "properties": dict.fromkeys(names[at + 1 :], False), "errorMessage": said},
            }
            for at, name in enumerate(names[:-1])
        ]
        none = {"not": {"anyOf": [{"required": [name]} for name in names]}}
        return {**schema, "allOf": [*others, {"if": none, "then": {"enum": [None], "errorMessage": said}}]}
    wrong = schema["not"]
    if wrong.keys() == {"pattern"}:
        return {"pattern": f"^(?![\\s\\S]*(?:{wrong['pattern']}))", "patternErrorMessage": said}
    return {"if": wrong, "then": {"enum": [None], "errorMessage": said}}


def _hoisted(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Put a schema with a title into `definitions`, and return a reference to it."""
    title = schema.get("title")
    if not isinstance(title, str):  # a field called title would be a schema
        return schema
    beside = {key: schema.pop(key) for key in ("description", *_DATA) if key in schema}
    definitions[title] = schema
    # draft 7 ignores what is beside $ref
    return {"allOf": [{"$ref": f"#/definitions/{title}"}], **beside}


def _openapi(schema: dict[str, Any]) -> dict[str, Any]:
    """Put a schema in the words of OpenAPI 3.0, which lacks some of JSON Schema's."""
    schema.pop("propertyNames", None)
    found = {"example" if key == "examples" else key: value for key, value in schema.items()}
    if "examples" in schema:
        found["example"] = schema["examples"][0]
    if found.get("type") == "object" and not {"properties", "additionalProperties"} & found.keys():
        found["x-kubernetes-preserve-unknown-fields"] = True
    return found
