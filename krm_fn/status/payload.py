"""Secrets and ConfigMaps that ClusterResourceSets deliver: their hash, and what in them the controller would refuse.

Follows kubernetes-sigs/cluster-api v1.14.0 `internal/controllers/clusterresourceset/clusterresourceset_helpers.go`
(`normalizeData`, `computeHash`, `objsFromYamlData`).
"""

from __future__ import annotations

import hashlib
import re
from functools import cached_property, lru_cache

from krm_fn import surface
from krm_fn.base import titled
from krm_fn.krm.results import Errors
from krm_fn.kube import raw
from krm_fn.kube import secrets as encoding
from krm_fn.kube.secrets import Secret
from krm_fn.model import AgentVersion
from krm_fn.status.dump import BOOTSTRAP_PREFIX, documents, generated
from krm_fn.tokens import BOOTSTRAP, check_form
from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

_FLAG = re.compile(rb"--cluster-reg-name=([^\s\"',]+)")
# such a name changes nothing about how the text around it is read
_PLAIN_NAME = re.compile(rb"(?<=--cluster-reg-name=)[a-z0-9][-a-z0-9]*(?=[\s\"',])")
_PREFIX_FLAG = re.compile(rb"--cluster-reg-name-prefix=([^\s\"',]+)")
_CHECKSUM = re.compile(surface.CHECKSUM_ANNOTATION.encode() + rb"\"?: *\"?([0-9a-f]+)")
# any release that takes both kinds of token: here only the form is of interest
_ANY_AGENT = AgentVersion(major=0, minor=18, patch=1)


class Payload:
    """One such object. What it holds shows in no repr."""

    def __init__(self, value: Mapping[str, Any]) -> None:
        """Decode the object's values; one that is no base64 (of a Secret) counts as empty, as with the controller."""
        self.kind, self.name = raw.text(value, "kind"), raw.text(value, "metadata", "name")
        self.namespace = raw.text(value, "metadata", "namespace")
        self.ours = generated(value)
        self.type = raw.text(value, "type")
        self.agent_namespace = raw.text(value, "metadata", "annotations", surface.AGENT_NAMESPACE_ANNOTATION)
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
        return self.kind == "Secret" and self.type != surface.RESOURCE_SET_TYPE

    @property
    def of_hub(self) -> bool:
        """Whether discovery of clusternet-hub made it: by its name, and by what it delivers."""
        named = (
            self.kind == "ConfigMap" and self.name in {surface.HUB_AGENT_MAP, surface.HUB_RBAC_MAP} and not self.ours
        )
        return named and any(b"clusternet" in content for content in self.values.values())

    @cached_property
    def digest(self) -> str:
        """The hash that a Binding records: SHA-256 over the decoded values in the order of their keys."""
        found = hashlib.sha256()
        for content in self.values.values():
            found.update(content)
        return f"sha256:{found.hexdigest()}"

    @property
    def too_short(self) -> tuple[str, ...]:
        """The keys whose value is shorter than the controller can read."""
        return tuple(key for key, content in self.values.items() if len(content) < surface.MIN_VALUE_BYTES)

    @cached_property
    def broken(self) -> str:
        """Which value can't be read as manifests, and where in it; empty if all can. Never shows the text."""
        # those of a fleet differ by the name that each agent registers under
        reasons = ((key, _error(_PLAIN_NAME.sub(b"", content))) for key, content in self.values.items())
        return next((f"{key}: {reason}" for key, reason in reasons if reason), "")

    @cached_property
    def registration_checksum(self) -> str:
        """The start of the digest of the registration Secret that an agent was rendered with; "" without one."""
        return self._flag(_CHECKSUM)

    @property
    def registration_name(self) -> str:
        """The name that the agent is told to register under; empty if it is told none."""
        return self._flag(_FLAG)

    @property
    def name_prefix(self) -> str:
        """The prefix of the name that the agent will choose; empty if it is told none."""
        return self._flag(_PREFIX_FLAG)

    @cached_property
    def token(self) -> Secret | None:
        """The registration token in it; None if there is none that can be read.

        It is in the registration manifest, or bare under `regToken` in the Secret of the hub's discovery.
        """
        bare = self.values.get(surface.TOKEN_KEY, b"").decode("utf-8", "replace").strip()
        if bare:
            return Secret(bare)
        for content in self.values.values():
            if surface.REGISTRATION_SECRET.encode() not in content:
                continue
            for document in _objects(content):
                if raw.text(document, "metadata", "name") == surface.REGISTRATION_SECRET:
                    encoded = raw.text(document, "data", surface.TOKEN_KEY)
                    found = raw.text(document, "stringData", surface.TOKEN_KEY) or _decode(encoded).decode(
                        "utf-8", "replace"
                    )
                    return Secret(found) if found else None
        return None

    def documents(self) -> Iterator[Any]:
        """Yield what it delivers, as far as it can be read."""
        for content in self.values.values():
            for value in _objects(content):
                yield from value if isinstance(value, list) else [value]

    def titles(self) -> tuple[str, ...]:
        """Return what it delivers as `Kind namespace/name`, in the order of application within the object."""
        return tuple(
            titled(raw.text(one, "kind"), raw.text(one, "metadata", "namespace"), raw.text(one, "metadata", "name"))
            for one in self.documents()
            if raw.text(one, "kind") and raw.text(one, "metadata", "name")
        )

    def _flag(self, pattern: re.Pattern[bytes]) -> str:
        found = next(filter(None, map(pattern.search, self.values.values())), None)
        return found[1].decode("utf-8", "replace") if found else ""


def _decode(text: str) -> bytes:
    return encoding.decode(text) or b""


def _objects(content: bytes) -> Iterator[Any]:
    """Yield the documents of a value as far as they can be read."""
    try:
        yield from documents(content.decode("utf-8", "replace"))
    except BadYaml:
        return


@lru_cache(maxsize=1024)
def _error(content: bytes) -> str:
    """Say what the controller's parser will not take, without quoting the text."""
    found = 0
    try:
        for number, document in enumerate(documents(content.decode("utf-8")), 1):
            for one in document if isinstance(document, list) else [document]:
                if one is None:
                    continue
                if not raw.text(one, "kind") or not raw.text(one, "apiVersion"):
                    return f"document {number} is not an object with apiVersion and kind"
                found += 1
    except BadYaml as failure:
        place = "" if failure.line is None else f" at line {failure.line + 1}"
        return f"invalid YAML{place}: {failure.problem}"
    except UnicodeDecodeError:
        return "no UTF-8 text"
    return "" if found else "no object in it"


def expires(token: Secret, secrets: Iterable[Mapping[str, Any]]) -> int | None:
    """Return when a token expires, in seconds since the epoch; None when it does not, or nobody here knows.

    Of a bootstrap token the Secret `bootstrap-token-<id>` of the parent tells, if it is among `secrets`.
    """
    try:
        checked = check_form(token, _ANY_AGENT)
    except Errors:
        return None
    if checked.form != BOOTSTRAP or checked.secret is None:
        return checked.expires
    name = BOOTSTRAP_PREFIX + checked.secret.reveal().partition(".")[0]
    for secret in secrets:
        if raw.text(secret, "metadata", "name") == name:
            return raw.parse_time(_decode(raw.text(secret, "data", "expiration")).decode("utf-8", "replace"))
    return None
