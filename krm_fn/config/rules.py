"""Rules between fields, of two sorts: constraints that a JSON Schema can express as well, and functions for everything else.

A constraint is data of the object that carries it, checked here and exported by `export`. It looks at what the user wrote, before
defaults, since that is what a schema sees; its paths are dotted and relative to that object.

A function computes with several fields, or looks inside a string. It is in `RULES` with the fields that it reads, and runs only
if none of them has an error already. Its name is the rule's in results, and its docstring's first line the sentence in the reference.
"""

from __future__ import annotations

from krm_fn.agent import releases
from krm_fn.base import listed
from krm_fn.config import formats
from krm_fn.kube.labels import image_tag
from krm_fn.kube.secrets import hide
from krm_fn.model import AgentVersion
from krm_fn.surface import agent_of, identity_maps_of, registrations_of
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from krm_fn.config.kinds import Kind
    from krm_fn.config.report import Place

_ABSENT = object()


class Constraint:
    """A rule between fields."""

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        """Report at `at` where the object breaks it."""
        raise NotImplementedError


class Given:
    """A question about one field: is it given and not empty, or does it have one of some values?

    Attributes:
        path: Of the field.
        values: Values to look for; () asks whether it is given.
        absent: Whether the answer is yes, too, where the field is not there (its default is one of `values`).
        empty: Whether an empty value counts as given.
    """

    def __init__(self, path: str, *values: str, on: bool = False, absent: bool = False, empty: bool = False) -> None:
        """Ask for some values, or with `on` for a field that is true."""
        self.path = path
        self.values: tuple[str | bool, ...] = (True,) if on else values
        self.absent = absent
        self.empty = empty

    def holds(self, raw: Mapping[str, Any]) -> bool:
        """Answer it for what the user wrote."""
        value = lookup(raw, self.path)
        if value is _ABSENT:
            return self.absent
        if self.values:
            return any(type(value) is type(one) and value == one for one in self.values)
        return self.empty or value not in ("", [], {}, None)


class ExactlyOne(Constraint):
    """Exactly one of some fields must be there; `text` says what is wrong where there is none, to go on after the path."""

    def __init__(self, *names: str, text: str = "must have a source") -> None:
        self.names = names
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        given = [name for name in self.names if name in raw]
        if not given:
            if at.log.broken(at.path):
                return  # a misspelt name is said already
            at.error(f"{self.text}: give exactly one of {listed(self.names)}", "exactly-one")
        elif len(given) > 1:
            at.error(f"has {' and '.join(given)}: give exactly one of {listed(self.names)}", "exactly-one")


class Some(Constraint):
    """At least one of some fields must be there and not be empty."""

    def __init__(self, *names: str, text: str) -> None:
        self.names = names
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        if not any(Given(name).holds(raw) for name in self.names) and not at.log.broken(at.path):
            at.error(self.text, "not-empty")


class Refuse(Constraint):
    """If `when` holds, `what` must not; reported at the field of `what`."""

    def __init__(self, when: Given, what: Given, text: str) -> None:
        self.when = when
        self.what = what
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        if self.when.holds(raw) and self.what.holds(raw):
            there = lookup(raw, self.when.path) is not _ABSENT
            if not there and at.log.broken(at.field(self.when.path).path):
                return  # a misspelt field is reported already
            at.field(self.what.path).error(self.text, "conflict", other=at.field(self.when.path) if there else None)


class Require(Constraint):
    """If `when` holds, the field at `path` must be there, and not be empty unless `empty`; reported there."""

    def __init__(self, when: Given, path: str, text: str, *, empty: bool = False) -> None:
        self.when = when
        self.what = Given(path, empty=empty)
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        place = at.field(self.what.path)
        if self.when.holds(raw) and not self.what.holds(raw) and not at.log.broken(place.path):
            place.error(self.text, "required")


class Fit(Constraint):
    """If `when` holds, the field at `path` must be of a narrower kind, which words the errors; `text` says it to editors."""

    def __init__(self, when: Given, path: str, kind: Kind, text: str) -> None:
        self.when = when
        self.path = path
        self.kind = kind
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        value, place = lookup(raw, self.path), at.field(self.path)
        if value is not _ABSENT and self.when.holds(raw) and not at.log.broken(place.path):
            self.kind.read(value, place)


def lookup(raw: object, path: str) -> Any:
    """Return the value at a dotted path; a mark of absence where there is none."""
    for name in path.split("."):
        if not isinstance(raw, dict) or name not in raw:
            return _ABSENT
        raw = raw[name]
    return raw


# --- rules that no schema can say ------------------------------------------------------------------------------------

_TRUE = frozenset({"1", "t", "true"})  # strconv.ParseBool, less its spelling in capitals


def parse_version(text: str) -> AgentVersion | None:
    """Read `vX.Y.Z` or `X.Y.Z`; None for anything else."""
    found = formats.numbers(text)
    return AgentVersion(major=int(found[0]), minor=int(found[1]), patch=int(found[2])) if found else None


def release_of(agent: Mapping[str, Any]) -> AgentVersion | None:
    """Return the version that counts: the field, else the image's tag; None if neither says it."""
    return parse_version(agent["version"] if "version" in agent else image_tag(agent["image"]))


def agent_version(spec: Mapping[str, Any], at: Place) -> None:
    """The agent's version is known, from `agent.version` or the image's tag vX.Y.Z, and is v0.12.0 or newer."""
    agent = spec["agent"]
    place = at.field("agent.version")
    found = release_of(agent)
    tag = image_tag(agent["image"])
    if found is None:
        has = f'the image\'s tag "{tag}" is not a version' if tag else "the image has no tag"
        text = f"is required, since {has}: give the agent's version, such as v0.18.1"
        place.error(text, "agent-version", fix="version: v0.18.1")
    elif reason := formats.VERSION.error(str(found)):
        at.field("agent.image").error(f"names agent {found}, which {reason}", "agent-version")
    elif (tagged := parse_version(tag)) is not None and tagged != found:
        place.warn(
            f"is {found} while the image's tag says {tagged}: make sure that the field is right", "agent-version"
        )


# Flags whose one value can serve one cluster only (facts: clusternet v0.18.1, agent flags and approval).
_ONE_FOR_ALL = {
    "cluster-reg-name": "gives every cluster the same name, and only the first can register: use identity.mode PerCluster",
    "cluster-reg-namespace": "gives every cluster the same namespace on the parent, and only the first is ever approved",
}


def extra_args(spec: Mapping[str, Any], at: Place) -> None:
    """`agent.extraArgs` holds each flag once, no registration name with PerCluster, and legal values for our own."""
    seen: dict[str, int] = {}
    place = at.field("agent.extraArgs")
    per_cluster = spec["identity"]["mode"] == "PerCluster"
    for index, (name, value) in enumerate(_flags(spec)):
        from krm_fn.config.flags import flag_error  # noqa: PLC0415 - most configurations give none

        here = place.entry(index)
        if name in seen:
            here.error(f"gives --{name} again, as {place.path}[{seen[name]}] does: keep one", "extra-args")
        seen.setdefault(name, index)
        if reason := flag_error(name, value, per_cluster=per_cluster):
            here.error(reason, "extra-args")
        elif name in _ONE_FOR_ALL:
            here.warn(_ONE_FOR_ALL[name], "extra-args")


def app_pusher(spec: Mapping[str, Any], at: Place) -> None:
    """Push and Dual need the feature gate AppPusher, whether set by fields or by `agent.extraArgs`."""
    agent = spec["agent"]
    given = dict(_flags(spec))
    mode = given.get("cluster-sync-mode", agent["syncMode"])
    if mode not in {"Push", "Dual"}:
        return
    text = "must leave AppPusher on for sync mode {}: the agent can't push without it; choose Pull, or turn it on"
    if "feature-gates" in given:
        # the flag replaces ours, and AppPusher is off in the agent unless named
        gates = [gate.strip().partition("=") for gate in given["feature-gates"].split(",")]
        if not any(name in {"AppPusher", "AllAlpha"} and on.lower() in _TRUE for name, _, on in gates):
            index = list(given).index("feature-gates")  # no flag is given twice: `extra_args` reports that
            at.field("agent.extraArgs").entry(index).error(text.format(mode), "app-pusher")
    elif agent["featureGates"].get("AppPusher") is False:
        at.field("agent.featureGates").key("AppPusher").error(text.format(mode), "app-pusher")


def _flags(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Split every extra flag into name and value; names as the agent reads them, `_` being `-`."""
    return [(releases.flag_name(arg), arg.partition("=")[2]) for arg in spec["agent"]["extraArgs"]]


# objects that ClusterResourceSet `N-identity` applies once; a later change to them never arrives
_IDENTITY_KINDS = frozenset({"Namespace", "ServiceAccount", "Secret"})


def resources(spec: Mapping[str, Any], at: Place) -> None:
    """`agent.resources` requests no more than its limits, nothing without a limit that pods can't share; memory is in whole bytes (a warning)."""
    given, place = spec["agent"]["resources"], at.field("agent.resources")
    if any(given.values()):
        from krm_fn.kube.resources import faults, fractions  # noqa: PLC0415 - many configurations give none

        for part, name, reason in faults(given.get("requests", {}), given.get("limits", {})):
            place.field(part).key(name).error(reason, "resources")
        text = "is a fraction of a byte: m means thousandths, megabytes are written as Mi or M"
        for part, amounts in given.items():
            for name in fractions(amounts):
                place.field(part).key(name).warn(text, "resources")


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
        at.field("parentURL").error(
            f"must hold a valid {'IPv6' if bracket else 'IPv4'} address, or a name", "parent-host"
        )


def registration_labels(spec: Mapping[str, Any], at: Place) -> None:
    """A key is in `identity.labels` or in `identity.labelKeys`, not in both."""
    identity = spec["identity"]
    place = at.field("identity").field("labelKeys")
    for index, key in enumerate(identity["labelKeys"]):
        if key in identity["labels"]:
            text = f"{key} is in identity.labels too: keep one of them"
            place.entry(index).error(text, "registration-labels")


def extra_resources(spec: Mapping[str, Any], at: Place) -> None:
    """`clusterResourceSet.extraResources` names no object that the ClusterResourceSet holds anyway."""
    options = spec["clusterResourceSet"]
    kept = sources.read(spec["registrationToken"]).kept_secret
    name = options["name"]
    own = {*identity_maps_of(name), *registrations_of(name), agent_of(name), kept}
    place = at.field("clusterResourceSet").field("extraResources")
    for index, resource in enumerate(options["extraResources"]):
        if resource["name"] in own:
            text = f"{resource['name']} is in the ClusterResourceSet anyway: remove the entry"
            place.entry(index).error(text, "extra-resources")


def open_token(spec: Mapping[str, Any], at: Place) -> None:
    """`registrationToken.value` is readable by all who can read the repository (a warning)."""
    if "value" in spec["registrationToken"]:
        at.field("registrationToken.value").warn(
            "is stored in plain text: anyone who can read this file can join clusters to the parent; use secretRef, "
            "existingSecret or externalSecret for anything but a trial",
            "open-token",
        )


def misplaced_token(spec: Mapping[str, Any], at: Place) -> None:
    """The token itself is given under `registrationToken.value` alone: the names and paths of all other sources are printed."""
    others = {name: source for name, source in spec["registrationToken"].items() if name != "value"}
    for text, place in _texts(others, at.field("registrationToken")):
        if hide(text) != text:
            place.error(
                "contains what looks like a token, where a name or path belongs: give the place where the token is kept instead",
                "misplaced-token",
            )


def _texts(value: object, at: Place) -> Iterator[tuple[str, Place]]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _texts(one, at.field(name))
    elif isinstance(value, str):
        yield value, at


def identity_patch(spec: Mapping[str, Any], at: Place) -> None:
    """A patch on Namespace, ServiceAccounts or their token Secret never reaches clusters that have them (a warning)."""
    for index, patch in enumerate(spec["agent"]["patches"]):
        target = patch["target"]
        if target["kind"] in _IDENTITY_KINDS:
            at.field("agent.patches").entry(index).warn(
                f"changes the {target['kind']} {target['name']}, which is applied once: clusters that already have it never get the change",
                "identity-patch",
            )


# Each rule with the fields of `spec` that it reads, in the order of the reference.
RULES: Mapping[Callable[[Mapping[str, Any], Place], None], tuple[str, ...]] = {
    parent_host: ("parentURL",),
    open_token: ("registrationToken",),
    misplaced_token: ("registrationToken",),
    agent_version: ("agent.image", "agent.version"),
    resources: ("agent.resources",),
    extra_args: ("agent.extraArgs", "identity.mode"),
    app_pusher: ("agent.extraArgs", "agent.syncMode", "agent.featureGates"),
    identity_patch: ("agent.patches",),
    registration_labels: ("identity.labels", "identity.labelKeys"),
    extra_resources: ("clusterResourceSet.name", "clusterResourceSet.extraResources", "registrationToken"),
}


def apply(spec: Mapping[str, Any], at: Place) -> None:
    """Run every rule whose fields are sound; `spec` is as the tree reads it, with defaults."""
    for rule, reads in RULES.items():
        if not any(at.log.broken(at.field(path).path) for path in reads):
            rule(spec, at)
