"""Annotations that hosts write onto items: theirs to keep, whatever a function makes of the item.

Source: functions-spec v1 and what kustomize 5.x and kpt 1.0.0-beta.56 send (facts on how hosts run functions).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

PREFIXES = (
    "internal.config.kubernetes.io/",
    "config.kubernetes.io/",
    "config.k8s.io/",
    "kustomize.config.k8s.io/",
)
LOCAL_CONFIG = "config.kubernetes.io/local-config"  # the user's, in the same domain
PATH = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
INDEX = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")


def split(value: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split an object into itself without what hosts wrote onto it, and those annotations."""
    metadata = dict(value.get("metadata") or {})
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict):
        return dict(value), {}
    host = {key: one for key, one in annotations.items() if key.startswith(PREFIXES) and key != LOCAL_CONFIG}
    metadata["annotations"] = {key: one for key, one in annotations.items() if key not in host}
    return {**value, "metadata": metadata}, host


def with_annotations(value: Mapping[str, Any], annotations: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with further annotations, all of them sorted by key."""
    metadata = value["metadata"]
    merged = dict(sorted({**metadata.get("annotations", {}), **annotations}.items()))
    return {**value, "metadata": {**metadata, "annotations": merged}}


def at_path(value: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return an object with the annotations that say in which file a host keeps it, first of that file."""
    return with_annotations(value, {**dict.fromkeys(PATH, path), **dict.fromkeys(INDEX, "0")})
