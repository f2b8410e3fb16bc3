"""Reading raw objects whose fields may hold anything, and saying things about them."""

from __future__ import annotations

from krm_fn.base.text import full_name
from krm_fn.krm.results import ERROR, Result, tagged
from krm_fn.surface import LOCAL_CONFIG_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.krm.items import Item

GATE_RULE = "feature-gate"
CLUSTERCTL_LINE = 'EXP_CLUSTER_RESOURCE_SET: "true"'
CLUSTERCTL = f'clusterctl users put {CLUSTERCTL_LINE} into clusterctl.yaml before "clusterctl init" or "upgrade apply"'


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path below a value; empty where anything on the way is not a mapping."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def string(value: Any) -> str:
    """Return a string as it is, and the empty one for anything else."""
    return value if isinstance(value, str) else ""


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
    """Tell whether the host drops the object at the end, so that an edit would change nothing."""
    return mapping(item.metadata().get("annotations")).get(LOCAL_CONFIG_ANNOTATION) == "true"


def title(item: Item) -> str:
    """Name an object in a message: kind, namespace and name."""
    return f"{item.kind} {full_name(item.namespace, item.name)}"


def told(item: Item, message: str, *, rule: str, severity: str = ERROR, field: str = "") -> Result:
    """Return a result about one object of the input."""
    return Result(message=message, severity=severity, tags=tagged(rule=rule), **item.place(field))
