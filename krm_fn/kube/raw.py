"""Reading raw objects of unknown quality: every getter answers with an empty value rather than an error.

A dump comes from a server, but also from an editor, a ticket or a fuzzer, so no field is trusted to have its type.
"""

from __future__ import annotations

from krm_fn.base import titled
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.surface import LOCAL_CONFIG_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from krm_fn.krm.items import Item


def dig(value: Any, *path: str) -> Any:
    """Return the value at a path of mapping keys; None where the path leaves the mappings."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """Return the string at a path; empty for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path; empty for anything else. Keys are strings: both readers see to that."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


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
    """Read an RFC 3339 time; None when it is none, or not within the years 1 to 9999. One without a zone counts as UTC."""
    import re  # noqa: PLC0415 - for dumps alone
    from datetime import datetime, timezone  # noqa: PLC0415

    try:
        when = datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", re.sub(r"\.\d+", "", written)))
        return int((when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).timestamp())
    except (ValueError, OverflowError):
        return None


def condition(value: Any, kind: str, *path: str) -> Mapping[str, Any]:
    """Return the condition of a type from the list at a path; empty if there is none."""
    return next((one for one in entries(value, *path) if one.get("type") == kind), {})


def quote(message: str) -> str:
    """Return foreign text fit to be shown: one short line without tokens or control characters."""
    return quoted(message, MOST_QUOTED) if message else ""


def clone(value: Any) -> Any:
    """Return a deep copy of JSON-like data; `copy.deepcopy` is slow and not needed on plain trees."""
    if isinstance(value, dict):
        return {key: clone(one) for key, one in value.items()}
    if isinstance(value, list):
        return [clone(one) for one in value]
    return value


def pod_spec(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return `spec.template.spec` of a Deployment; empty where there is none."""
    return mapping(deployment, "spec", "template", "spec")


def unlisted(value: dict[str, Any], *keys: str) -> str:
    """Return the first of some keys that holds neither a list nor nothing; empty if all can be worked on."""
    for key in keys:
        if value.get(key) is not None and not isinstance(value[key], list):
            return key
    return ""


def is_local(item: Item) -> bool:
    """Return whether the host drops the object at the end, so that an edit would change nothing."""
    return item.contains(b"local-config") and item.annotations.get(LOCAL_CONFIG_ANNOTATION) == "true"


def title(item: Item) -> str:
    """Name an object in a message: kind, namespace and name."""
    return titled(item.kind, item.namespace, item.name)
