"""YAML as kubectl writes it, typed as JSON is: no dates, no sexagesimal numbers, no tags."""

from __future__ import annotations

from typing import Any

import yaml

from krm_fn.sdk.scalars import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

# libyaml's parser is ten times faster; PyYAML is built without it here and there
_Base: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)


class _Loader(_Base):  # type: ignore[misc] # one of two base classes
    """A loader whose plain scalars are typed by `krm_fn.sdk.scalars`, as the API server's own reader would."""


def _scalar(loader: Any, node: Any) -> Any:
    del loader
    return node.value if node.style else resolve(node.value)


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    pairs = {}
    for key_node, value_node in node.value:
        # keys are strings in every dump; what is not (a list as key) can only come from somewhere else
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else str(key_node.tag)
        pairs[key] = loader.construct_object(value_node, deep=True)
    return pairs


def _sequence(loader: Any, node: Any) -> list[Any]:
    return [loader.construct_object(child, deep=True) for child in node.value]


_Loader.add_constructor("tag:yaml.org,2002:str", _scalar)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:seq", _sequence)


def documents(written: str) -> Iterator[Any]:
    """Yield the documents of a stream.

    Raises:
        yaml.YAMLError: When the stream is not YAML, uses tags, or refers to itself.
        RecursionError: When it is nested too deep.
    """
    yield from yaml.load_all(written, Loader=_Loader)
