"""What the Secrets and ConfigMaps of a tree hold: the payloads that its ClusterResourceSets refer to."""

from __future__ import annotations

from krm_fn.kube import secrets
from krm_fn.surface import EXTERNAL_SECRET_KIND, EXTERNAL_SECRETS_GROUP

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import ObjectKey

    Values = Callable[[], Mapping[str, Any]]

_KINDS = {
    ("", "Secret"): "Secret",
    ("", "ConfigMap"): "ConfigMap",
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): "Secret",
}


class Carriers:
    """The payloads of one tree, looked up by namespace, kind and name."""

    def __init__(self, ours: Iterable[tuple[ObjectKey, Values]], items: Sequence[Item]) -> None:
        """Take what may be asked for.

        Args:
            ours: Generated objects.
            items: The user's, looked through only where a set refers to one of them.
        """
        self._values: dict[tuple[str, str, str], Values] = {}
        for key, value in ours:
            kind = _KINDS.get((key.group, key.kind))
            if kind:
                self._values[key.namespace, kind, key.name] = value
        self._items: Sequence[Item] = items
        self._known: dict[tuple[str, str, str], tuple[str, ...] | None] = {}

    def texts(self, namespace: str, kind: str, name: str) -> tuple[str, ...] | None:
        """Return the values of a Secret or ConfigMap in the order of their keys.

        None where it is not in the tree, or can't be read there (a SealedSecret, values that SOPS has encrypted).
        """
        key = (namespace, kind, name)
        if key not in self._known:
            value = self._values.get(key) or self._look_up(key)
            self._known[key] = None if value is None else texts_of(value())
        return self._known[key]

    def _look_up(self, key: tuple[str, str, str]) -> Values | None:
        items, self._items = self._items, ()
        for item in items:
            kind = _KINDS.get((item.group, item.kind))
            if kind:
                self._values.setdefault((item.namespace, kind, item.name), item.value)
        return self._values.get(key)


def texts_of(value: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Return the values of a Secret, a ConfigMap or an ExternalSecret's template; None where they can't be read."""
    kind = value.get("kind")
    if kind == EXTERNAL_SECRET_KIND:
        found: Any = value
        for step in ("spec", "target", "template", "data"):
            found = found.get(step) if isinstance(found, dict) else None
        data = dict(found) if isinstance(found, dict) else {}
    else:
        data = dict(value["data"]) if isinstance(value.get("data"), dict) else {}
    if kind == "Secret":
        for key, text in data.items():
            raw = secrets.decode(text) if isinstance(text, str) else None
            data[key] = None if raw is None else raw.decode("utf-8", "replace")
        data |= value["stringData"] if isinstance(value.get("stringData"), dict) else {}
    if not all(isinstance(key, str) and isinstance(text, str) for key, text in data.items()):
        return None
    if any(secrets.encrypted(text) for text in data.values()):
        return None
    return tuple(data[key] for key in sorted(data))
