"""Secrets and ConfigMaps that ClusterResourceSets deliver: their hash, and what in them the controller would refuse.

Follows kubernetes-sigs/cluster-api v1.14.0 `internal/controllers/clusterresourceset/clusterresourceset_helpers.go`
(`normalizeData`, `computeHash`, `objsFromYamlData`).
"""

from __future__ import annotations

import hashlib
import re

from krm_fn.base import titled
from krm_fn.krm.results import Errors
from krm_fn.kube import raw
from krm_fn.kube import secrets as encoding
from krm_fn.kube.secrets import Secret
from krm_fn.model import AgentVersion
from krm_fn.status.dump import BOOTSTRAP_PREFIX, documents, generated
from krm_fn.status.objects import ref
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    CHECKSUM_ANNOTATION,
    HUB_AGENT_MAP,
    HUB_RBAC_MAP,
    MIN_VALUE_BYTES,
    REGISTRATION_SECRET,
    RESOURCE_SET_TYPE,
    TOKEN_KEY,
)
from krm_fn.tokens import formats
from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_NAMESPACE = ("metadata", "namespace")
_FLAG = re.compile(rb"--cluster-reg-name=([^\s\"',]+)")
# such a name changes nothing about how the text around it is read
_PLAIN_NAME = re.compile(rb"(?<=--cluster-reg-name=)[a-z0-9][-a-z0-9]*(?=[\s\"',])")
_PREFIX_FLAG = re.compile(rb"--cluster-reg-name-prefix=([^\s\"',]+)")
_CHECKSUM = re.compile(CHECKSUM_ANNOTATION.encode() + rb"\"?: *\"?([0-9a-f]+)")
# any release that takes both kinds of token: here only the form is of interest
_ANY_AGENT = AgentVersion(major=0, minor=18, patch=1)


class Payload:
    """One such object. What it holds shows in no repr."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """Decode the object's values; one that is no base64 (of a Secret) counts as empty, as with the controller."""
        self.kind, self.name = ref(value)
        self.namespace = raw.text(value, "metadata", "namespace")
        self.ours = generated(value)
        self.type = raw.text(value, "type")
        self.agent_namespace = raw.text(value, "metadata", "annotations", AGENT_NAMESPACE_ANNOTATION)
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

    @property
    def of_hub(self) -> bool:
        """Whether discovery of clusternet-hub made it: by its name, and by what it delivers."""
        named = self.kind == "ConfigMap" and self.name in {HUB_AGENT_MAP, HUB_RBAC_MAP} and not self.ours
        return named and any(b"clusternet" in content for content in self.values.values())

    def digest(self) -> str:
        """Return the hash that a Binding records: SHA-256 over the decoded values in the order of their keys."""
        found = hashlib.sha256()
        for content in self.values.values():
            found.update(content)
        return f"sha256:{found.hexdigest()}"

    def too_short(self) -> tuple[str, ...]:
        """Return the keys whose value is shorter than the controller can read."""
        return tuple(key for key, content in self.values.items() if len(content) < MIN_VALUE_BYTES)

    def broken(self, known: dict[bytes, str]) -> str:
        """Say which value can't be read as manifests, and where in it; empty if all can. Never shows the text.

        Args:
            known: What was found out about contents. Those of a fleet differ by the name that each agent registers under.
        """
        for key, content in self.values.items():
            alike = _PLAIN_NAME.sub(b"", content)
            reason = known.get(alike)
            if reason is None:
                reason = known[alike] = _error(content)
            if reason:
                return f"{key}: {reason}"
        return ""

    def registration_checksum(self) -> str:
        """Return the start of the digest of the registration Secret that an agent was rendered with; "" without one."""
        return self._flag(_CHECKSUM)

    def registration_name(self) -> str:
        """Return the name that the agent is told to register under; empty if it is told none."""
        return self._flag(_FLAG)

    def name_prefix(self) -> str:
        """Return the prefix of the name that the agent will choose; empty if it is told none."""
        return self._flag(_PREFIX_FLAG)

    def token(self) -> Secret | None:
        """Return the registration token in it; None if there is none that can be read.

        It is in the registration manifest, or bare under `regToken` in the Secret of the hub's discovery.
        """
        if self.values.get(TOKEN_KEY):
            return Secret(self.values[TOKEN_KEY].decode("utf-8", "replace"))
        for content in self.values.values():
            if REGISTRATION_SECRET.encode() not in content:
                continue
            for document in _objects(content):
                if raw.text(document, "metadata", "name") == REGISTRATION_SECRET:
                    plain, encoded = (
                        raw.text(document, "stringData", TOKEN_KEY),
                        raw.text(document, "data", TOKEN_KEY),
                    )
                    found = plain or _decode(encoded).decode("utf-8", "replace")
                    return Secret(found) if found else None
        return None

    def documents(self) -> Iterator[Any]:
        """Yield what it delivers, as far as it can be read."""
        for content in self.values.values():
            for value in _objects(content):
                yield from value if isinstance(value, list) else [value]

    def titles(self) -> tuple[str, ...]:
        """Return what it delivers as `Kind namespace/name`, in the order of application within the object."""
        found = []
        for one in self.documents():
            kind, name, namespace = (raw.text(one, *path) for path in (("kind",), ("metadata", "name"), _NAMESPACE))
            if kind and name:
                found.append(titled(kind, namespace, name))
        return tuple(found)

    def _flag(self, pattern: re.Pattern[bytes]) -> str:
        for content in self.values.values():
            found = pattern.search(content)
            if found:
                return found.group(1).decode("utf-8", "replace")
        return ""


def _decode(text: str) -> bytes:
    return encoding.decode(text) or b""


def _objects(content: bytes) -> Iterator[Any]:
    """Yield the documents of a value as far as they can be read."""
    try:
        yield from documents(content.decode("utf-8", "replace"))
    except BadYaml:
        return


def _error(content: bytes) -> str:
    """Say what the controller's parser will not take, without quoting the text."""
    found = 0
    try:
        for number, document in enumerate(documents(content.decode("utf-8")), 1):
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


def expires(token: Secret, secrets: Iterable[Mapping[str, Any]]) -> int | None:
    """Return when a token expires, in seconds since the epoch; None when the token does not expire, or nobody here knows.

    Args:
        token: The token.
        secrets: Raw Secrets, among which the `bootstrap-token-<id>` of the parent may be, if someone dumped it.
    """
    try:
        checked = formats.check(token, _ANY_AGENT)
    except Errors:
        return None
    if checked.form != formats.BOOTSTRAP or checked.secret is None:
        return checked.expires
    name = BOOTSTRAP_PREFIX + checked.secret.reveal().partition(".")[0]
    for secret in secrets:
        if raw.text(secret, "metadata", "name") == name:
            decoded = encoding.decode(raw.text(secret, "data", "expiration")) or b""
            return raw.parse_time(decoded.decode("utf-8", "replace"))
    return None
