"""A JSON Schema validator that reads `$` as ECMA 262 does: Python's own also matches before a last line break."""

from __future__ import annotations

import functools
import re
from typing import Any

from jsonschema import Draft7Validator, ValidationError, validators

from krm_fn.config import export


def _pattern(_validator: Any, pattern: str, instance: Any, _schema: Any) -> Any:
    if isinstance(instance, str) and not re.search(re.sub(r"\$(?=\)*(?:\||$))", r"\\Z", pattern), instance):
        yield ValidationError(f"does not match {pattern}")


validator = validators.extend(Draft7Validator, {"pattern": _pattern})


@functools.cache
def _ours() -> Any:
    return validator(export.json_schema())


def accepts(document: Any, schema: Any = None) -> bool:
    """Whether a document fits a schema; ours unless given."""
    return (_ours() if schema is None else validator(schema)).is_valid(document)
