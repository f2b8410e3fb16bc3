"""The words of a kustomization that lead upwards: bases may be anywhere in its repository, and must not be anywhere else."""

from __future__ import annotations

import binascii
import contextlib
import re

import yaml

from krm_fn.yaml import bad_yaml
from krm_fn.yaml.read import parser

_BINARY = "tag:yaml.org,2002:binary"
_MAY_LEAD = re.compile(rb"\.\.|[\\\0]|binary")  # or be written so: by escapes, in UTF-16, in base64
_LONGEST = 4096  # characters; the system takes no path that is longer


def upwards(data: bytes) -> list[str]:
    """Return the scalars of a kustomization that may lead upwards, each once, whatever field they are in.

    Raises:
        BadYaml: They can't be known: it is not valid YAML, which kustomize might read in another way, and may have some.
    """
    found: dict[str, None] = {}
    events = parser(data)
    try:
        while events.check_event():
            event = events.get_event()
            if isinstance(event, yaml.ScalarEvent):
                found[_text(event)] = None
    except (yaml.YAMLError, UnicodeError) as error:
        if _MAY_LEAD.search(data):
            raise bad_yaml(error) from None
    return [one for one in found if ".." in one and "\0" not in one and len(one) <= _LONGEST]


def _text(scalar: yaml.ScalarEvent) -> str:
    text: str = scalar.value
    if scalar.tag == _BINARY:
        with contextlib.suppress(ValueError):
            return binascii.a2b_base64(text).decode("utf-8", "replace")
    return text
