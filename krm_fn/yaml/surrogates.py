"""JSON with surrogate pairs in its escapes, which libyaml refuses."""

from __future__ import annotations

from json import loads

from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def load(text: str | bytes, replaced: str | bytes, read: Callable[[str | bytes], Any]) -> Any:
    """Return the value of such JSON; None for any other text.

    Args:
        text: The text.
        replaced: The same with something else in place of such pairs.
        read: Reads YAML; keeps the bounds, and refuses duplicate keys.
    """
    if replaced == text:
        return None
    try:
        read(replaced)
        return loads(text)
    except (BadYaml, ValueError, RecursionError):
        return None
