"""Reading raw objects of unknown quality: every getter answers with an empty value rather than an error.

A dump comes from a server, but also from an editor, a ticket or a fuzzer, so no field is trusted to have its type.
"""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What must never be shown, in whatever foreign text it turns up: JWTs and bootstrap tokens
# (Kubernetes `k8s.io/cluster-bootstrap/token/api.BootstrapTokenPattern`), plain or as base64 of either.
_TOKENS = re.compile(r"eyJ[\w-]{5,}\.[\w-]+\.[\w-]*|\b[a-z0-9]{6}\.[a-z0-9]{16}\b|\b[A-Za-z0-9+/]{40,}={0,2}")
_LONGEST_MESSAGE = 300


def dig(value: Any, *path: str) -> Any:
    """Return what stands at a path of mapping keys; None where the path leaves the mappings."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """Return the string at a path; empty for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def mapping(value: Any, *path: str) -> Mapping[str, Any]:
    """Return the mapping at a path; empty for anything else. Keys are strings: both readers see to that."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}


def entries(value: Any, *path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in the list at a path; nothing for anything else."""
    found = dig(value, *path)
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))


def strings(value: Any, *path: str) -> dict[str, str]:
    """Return the string pairs of the mapping at a path, as labels and annotations are."""
    return {key: found for key, found in mapping(value, *path).items() if isinstance(found, str)}


def flag(value: Any, *path: str) -> bool | None:
    """Return the boolean at a path; None for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, bool) else None


def number(value: Any, *path: str) -> int | None:
    """Return the whole number at a path; None for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def seconds(value: Any, *path: str) -> int | None:
    """Return the RFC 3339 time at a path as seconds since the epoch; None for anything else."""
    return parse_time(text(value, *path))


def parse_time(written: str) -> int | None:
    """Read an RFC 3339 time; None when it is none. A time without a zone counts as UTC."""
    try:
        when = datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", re.sub(r"\.\d+", "", written)))
        return int((when if when.tzinfo else when.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, OverflowError):
        return None


def condition(value: Any, kind: str, *path: str) -> Mapping[str, Any]:
    """Return the condition of a type from the list at a path; empty if there is none."""
    return next((one for one in entries(value, *path) if one.get("type") == kind), {})


def quote(message: str) -> str:
    """Return foreign text fit to be shown: one line, nothing that looks like a token, no control characters."""
    if not message:
        return ""
    line = " ".join(message.split())
    line = _TOKENS.sub("(hidden)", line)
    line = "".join(character if character.isprintable() else "?" for character in line)
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
