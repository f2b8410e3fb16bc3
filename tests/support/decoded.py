"""Configs as the decoder makes them of a small document, with what a test changes of the record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.surface import API_VERSION, KIND

if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.model import Config


def decoded(spec: Mapping[str, Any] | None = None, *, file_path: str = "", **changes: Any) -> Config:
    """Return a config with every default but for `spec`; `changes` are fields of the record."""
    small = {
        "parentURL": "https://parent.example.com:6443",
        "registrationToken": {"existingSecret": {"name": "registration"}},
        "clusterSelector": {"matchLabels": {"env": "prod"}},
    }
    value = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": "fleet"}, "spec": {**small, **(spec or {})}}
    return decode(Item.from_value(value, 0, file_path)).replace(**changes)
