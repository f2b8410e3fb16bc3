"""Rules that no JSON Schema can say: those that compute with several fields, or look inside a string.

Each is a function in `RULES` with the fields that it reads; it runs only if none of them has a fault already. Its
docstring's first line is its sentence in the reference.
"""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.config import agent_rules
from krm_fn.config.tree import token
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from krm_fn.config.report import Place

# objects that ClusterResourceSet `N-identity` applies once; a later change to them never arrives
_IDENTITY_KINDS = frozenset({"Namespace", "ServiceAccount", "Secret"})
_OWN_SUFFIXES = ("-identity", ".identity", "-registration", ".registration", "-agent")


def parent_host(spec: Mapping[str, Any], at: Place) -> None:
    """An IP address in `parentURL` is a valid one."""
    authority = spec["parentURL"].removeprefix("https://").partition("/")[0]
    inside, bracket, _ = authority.removeprefix("[").partition("]")
    host = inside if bracket else authority.partition(":")[0]
    if not bracket and not host.replace(".", "").isdigit():
        return
    from ipaddress import ip_address  # noqa: PLC0415 - for addresses only, and slow to import

    try:
        ip_address(host)
    except ValueError:
        at.field("parentURL").fault(
            f"must hold a valid {'IPv6' if bracket else 'IPv4'} address, or a name", "parent-host"
        )


def registration_labels(spec: Mapping[str, Any], at: Place) -> None:
    """A key is in `identity.labels` or in `identity.labelKeys`, not in both."""
    identity = spec["identity"]
    place = at.field("identity").field("labelKeys")
    for index, key in enumerate(identity["labelKeys"]):
        if key in identity["labels"]:
            text = f"{key} stands in identity.labels too: keep one of them"
            place.entry(index).fault(text, "registration-labels")


def extra_resources(spec: Mapping[str, Any], at: Place) -> None:
    """`clusterResourceSet.extraResources` names no object that the ClusterResourceSet holds anyway."""
    options = spec["clusterResourceSet"]
    own = {options["name"] + suffix for suffix in _OWN_SUFFIXES}
    own.add(sources.kept_secret(token.source(spec["registrationToken"])))
    place = at.field("clusterResourceSet").field("extraResources")
    for index, resource in enumerate(options["extraResources"]):
        if resource["name"] in own:
            text = f"{resource['name']} is in the ClusterResourceSet anyway: remove the entry"
            place.entry(index).fault(text, "extra-resources")


def open_token(spec: Mapping[str, Any], at: Place) -> None:
    """`registrationToken.value` is readable by all who can read the repository (a warning)."""
    if "value" in spec["registrationToken"]:
        at.field("registrationToken.value").warn(
            "stands in the open: whoever can read this file can join clusters to the parent; use secretRef, "
            "existingSecret or externalSecret for anything but a trial",
            "open-token",
        )


def identity_patches(spec: Mapping[str, Any], at: Place) -> None:
    """A patch on Namespace, ServiceAccounts or their token Secret never reaches clusters that have them (a warning)."""
    for index, patch in enumerate(spec["agent"]["patches"]):
        target = patch["target"]
        if target["kind"] in _IDENTITY_KINDS:
            at.field("agent.patches").entry(index).warn(
                f"changes the {target['kind']} {target['name']}, which is applied once: clusters that have it already "
                "never get the change",
                "identity-patch",
            )


class Rule(Record):
    """A rule, its name in results, and the fields of `spec` that it reads."""

    name: str
    reads: tuple[str, ...]
    check: Callable[[Mapping[str, Any], Place], None]

    @property
    def sentence(self) -> str:
        """What it demands."""
        return (self.check.__doc__ or "").partition("\n")[0]


RULES = (
    Rule(name="parent-host", reads=("parentURL",), check=parent_host),
    Rule(name="open-token", reads=("registrationToken",), check=open_token),
    Rule(name="agent-version", reads=("agent.image", "agent.version"), check=agent_rules.version),
    Rule(name="extra-args", reads=("agent.extraArgs", "identity.mode"), check=agent_rules.extra_args),
    Rule(
        name="app-pusher",
        reads=("agent.extraArgs", "agent.syncMode", "agent.featureGates"),
        check=agent_rules.app_pusher,
    ),
    Rule(name="identity-patch", reads=("agent.patches",), check=identity_patches),
    Rule(name="registration-labels", reads=("identity.labels", "identity.labelKeys"), check=registration_labels),
    Rule(
        name="extra-resources",
        reads=("clusterResourceSet.name", "clusterResourceSet.extraResources", "registrationToken"),
        check=extra_resources,
    ),
)


def apply(spec: Mapping[str, Any], at: Place) -> None:
    """Run every rule whose fields are sound; `spec` is as the tree reads it, with defaults."""
    for rule in RULES:
        if not any(at.log.broken(at.field(path).path) for path in rule.reads):
            rule.check(spec, at)
