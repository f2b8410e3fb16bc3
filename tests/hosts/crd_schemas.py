"""Schemas of custom resources as their own projects publish them, read from the CRDs in a Go module's folder.

An API server prunes what a CRD does not know; here an unknown field is an error, since we never mean to write one.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import yaml

Kind = tuple[str, str]  # apiVersion, kind

# What metadata may hold in a manifest; the rest is for servers to write.
_METADATA = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "minLength": 1, "maxLength": 253},
        "namespace": {"type": "string", "minLength": 1, "maxLength": 63},
        "labels": {"type": "object", "additionalProperties": {"type": "string", "maxLength": 63}},
        "annotations": {"type": "object", "additionalProperties": {"type": "string"}},
        "finalizers": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["name"],
    "additionalProperties": False,
}


def module(name: str, within: Path) -> Path | None:
    """The folder of a Go module that the module in `within` depends on; None where it can't be had."""
    go = shutil.which("go")
    if not go:
        return None
    subprocess.run([go, "mod", "download", name], cwd=within, capture_output=True, check=False)
    done = subprocess.run(
        [go, "list", "-m", "-f", "{{.Dir}}", name], cwd=within, capture_output=True, text=True, check=False
    )
    return Path(done.stdout.strip()) if done.returncode == 0 and done.stdout.strip() else None


def read(folder: Path) -> dict[Kind, dict[str, Any]]:
    """The strict JSON Schema of every version of every CRD below a folder that is served."""
    found: dict[Kind, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        for crd in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
            if not isinstance(crd, dict) or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    schema = _strict(version["schema"]["openAPIV3Schema"])
                    schema["properties"]["metadata"] = _METADATA
                    found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def errors(schemas: dict[Kind, dict[str, Any]], value: dict[str, Any]) -> list[str]:
    """What a schema says against an object; a kind without a schema is an error, too."""
    schema = schemas.get((value["apiVersion"], value["kind"]))
    if schema is None:
        return [f"no CRD serves {value['kind']} of {value['apiVersion']}"]
    errors = jsonschema.Draft7Validator(schema).iter_errors(value)
    return sorted(f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors)


def _strict(schema: Any) -> Any:
    """The schema as JSON Schema, closed against unknown fields where the CRD is."""
    if isinstance(schema, list):
        return [_strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    out = {key: _strict(value) for key, value in schema.items() if not key.startswith("x-kubernetes-")}
    properties = schema.get("properties")
    if isinstance(properties, dict):
        out["properties"] = {name: _strict(value) for name, value in properties.items()}  # a field may be named x-…
        if "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            out["additionalProperties"] = False
    if schema.get("x-kubernetes-int-or-string"):
        out["type"] = ["integer", "string"]
    if schema.get("nullable") and isinstance(out.get("type"), str):
        out["type"] = [out["type"], "null"]
    return out
