"""The Secret from which clusternet-hub discovers clusters, for those who keep hub discovery beside us."""

from __future__ import annotations

from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import marks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.model import Config


def discovery_secret(config: Config, value: Mapping[str, Any]) -> Generated:
    """Put our marks onto the Secret that `management.discovery_secret` made."""
    namespace, name = value["metadata"]["namespace"], value["metadata"]["name"]
    key = ObjectKey(group="", kind="Secret", namespace=namespace, name=name)
    return Generated(key=key, value={**value, "metadata": marks.metadata(config, namespace, name)}, owner=config.owner)
