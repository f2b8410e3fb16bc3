"""Several YAML documents in one text, typed and bounded as everywhere else (`krm_fn.yaml.read`)."""

from __future__ import annotations

from typing import Any

import yaml

from krm_fn.yaml import errors, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def documents(written: str) -> Iterator[Any]:
    """Yield the values of the documents of a text; None for an empty one.

    Raises:
        errors.BadYaml: When a document can't be read; those before it have been yielded.
    """
    try:
        parser = read.parser(written)
        parser.get_event()  # stream start
        while not isinstance(parser.get_event(), yaml.StreamEndEvent):
            # anchors belong to one document, so each has its own builder
            value = read.Builder(parser).build(parser.get_event())
            parser.get_event()  # document end
            yield value
    except (yaml.YAMLError, UnicodeError) as error:
        raise errors.bad_yaml(error) from None
