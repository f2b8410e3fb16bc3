"""Builders for the token tests: items as the reader makes them, and a configuration with one source."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.model import Config
from tests.support.decoded import decoded
from tests.support.items import item_of


def _config(**changes: Any) -> Config:
    token = changes.pop("source")
    made = decoded(token=token, file_path="fleet.yaml")
    if "version" in changes:
        changes["agent"] = made.agent.replace(version=changes.pop("version"))
    return made.replace(**changes)


@pytest.fixture
def make_config() -> Callable[..., Config]:
    """Return a function that builds a Config; `source` is its TokenSource."""
    return _config


def _items(*objects: dict[str, Any] | str) -> list[Item]:
    """Make items of objects: dicts, or the YAML text of a whole object."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in objects]
    return [item_of(text.encode(), position) for position, text in enumerate(texts)]


@pytest.fixture
def make_items() -> Callable[..., list[Item]]:
    """Return a function that makes items of objects, numbered from 0."""
    return _items
