"""Secrets and ConfigMaps that ClusterResourceSets deliver: their hash, and what in them the controller would refuse.

Follows kubernetes-sigs/cluster-api v1.14.0 `internal/controllers/clusterresourceset/clusterresourceset_helpers.go`
(`normalizeData`, `computeHash`, `objsFromYamlData`).
"""

from __future__ import annotations

import binascii
import hashlib
import re

from krm_fn.kube import raw
from krm_fn.model import Secret
from krm_fn.status import yaml_read
from krm_fn.status.objects import managed, ref
from krm_fn.surface import MIN_VALUE_BYTES, RESOURCE_SET_TYPE
from krm_fn.yaml.errors import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

# The controller peeks that many bytes into each value, and fails with EOF on a shorter one.
_FLAG = re.compile(rb"--cluster-reg-name=([^\s\"',]+)")
_PREFIX_FLAG = re.compile(rb"--cluster-reg-name-prefix=([^\s\"',]+)")
_TOKEN_KEY = "regToken"  # noqa: S105 - the name of a key
_REGISTRATION = "clusternet-agent-cluster-registration"


class Payload:
    """One such object. What it holds shows in no repr."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """Decode the object's values; one that is no base64 (of a Secret) counts as empty, as with the controller."""
        self.kind, self.name = ref(value)
        self.namespace = raw.text(value, "metadata", "namespace")
        self.ours = managed(value)
        self.type = raw.text(value, "type")
        secret = self.kind == "Secret"
        self.values = {
            key: _decode(text) if secret else text.encode("utf-8", "surrogatepass")
            for key, text in sorted(raw.strings(value, "data").items())
        }

    def __repr__(self) -> str:
        """Name the object, not what it holds."""
        return f"Payload({self.kind} {self.namespace}/{self.name})"

    @property
    def wrong_type(self) -> bool:
        """Whether the controller refuses it for its type; a Secret's type can't be changed."""
        return self.kind == "Secret" and self.type != RESOURCE_SET_TYPE

    def digest(self) -> str:
        """Return the hash that a Binding records: SHA-256 over the decoded values in the order of their keys."""
        found = hashlib.sha256()
        for content in self.values.values():
            found.update(content)
        return f"sha256:{found.hexdigest()}"

    def too_short(self) -> tuple[str, ...]:
        """Return the keys whose value is shorter than the controller can read."""
        return tuple(key for key, content in self.values.items() if len(content) < MIN_VALUE_BYTES)

    def broken(self) -> str:
        """Say which value can't be read as manifests, and where in it; empty if all can. Never shows the text."""
        for key, content in self.values.items():
            reason = _fault(content)
            if reason:
                return f"{key}: {reason}"
        return ""

    def registration_name(self) -> str:
        """Return the name that the agent is told to register under; empty if it is told none."""
        return self._flag(_FLAG)

    def name_prefix(self) -> str:
        """Return the prefix of the name that the agent will choose; empty if it is told none."""
        return self._flag(_PREFIX_FLAG)

    def token(self) -> Secret | None:
        """Return the registration token in it; None if there is none that can be read.

        It stands in the registration manifest, or bare under `regToken` in the Secret of the hub's discovery.
        """
        if self.values.get(_TOKEN_KEY):
            return Secret(self.values[_TOKEN_KEY].decode("utf-8", "replace"))
        for content in self.values.values():
            if _REGISTRATION.encode() not in content:
                continue
            for document in _objects(content):
                if raw.text(document, "metadata", "name") == _REGISTRATION:
                    plain, encoded = (
                        raw.text(document, "stringData", "regToken"),
                        raw.text(document, "data", "regToken"),
                    )
                    found = plain or _decode(encoded).decode("utf-8", "replace")
                    return Secret(found) if found else None
        return None

    def documents(self) -> Iterator[Any]:
        """Yield what it delivers, as far as it can be read."""
        for content in self.values.values():
            yield from _objects(content)

    def _flag(self, pattern: re.Pattern[bytes]) -> str:
        for content in self.values.values():
            found = pattern.search(content)
            if found:
                return found.group(1).decode("utf-8", "replace")
        return ""


def _decode(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.encode("ascii"))
    except (binascii.Error, ValueError):
        return b""


def _objects(content: bytes) -> Iterator[Any]:
    """Yield the documents of a value as far as they can be read."""
    try:
        yield from yaml_read.documents(content.decode("utf-8", "replace"))
    except BadYaml:
        return


def _fault(content: bytes) -> str:
    """Say what the controller's parser will not take, without quoting the text."""
    found = 0
    try:
        for number, document in enumerate(yaml_read.documents(content.decode("utf-8")), 1):
            for one in document if isinstance(document, list) else [document]:
                if one is None:
                    continue
                if not raw.text(one, "kind") or not raw.text(one, "apiVersion"):
                    return f"document {number} is no object with apiVersion and kind"
                found += 1
    except BadYaml as failure:
        place = "" if failure.line is None else f" at line {failure.line + 1}"
        return f"invalid YAML{place}: {failure.problem}"
    except UnicodeDecodeError:
        return "no UTF-8 text"
    return "" if found else "no object in it"
