"""Rules about the agent: its version, and flags that are given as text. Facts: flags of clusternet-agent v0.18.1."""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.model import AgentVersion

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from krm_fn.config.formats import Format
    from krm_fn.config.report import Place

_SYNC_MODES = ("Push", "Pull", "Dual")
_ONE_OF = {
    "cluster-sync-mode": _SYNC_MODES,
    "cluster-reg-type": ("StandardCluster", "EdgeCluster"),
}
_TEXTS: dict[str, Format] = {
    "cluster-reg-name": formats.REGISTRATION_NAME,
    "cluster-reg-name-prefix": formats.NAME_PREFIX,
}
_TRUE = frozenset({"1", "t", "true"})  # strconv.ParseBool, less its spelling in capitals


def parse_version(text: str) -> AgentVersion | None:
    """Read `vX.Y.Z` or `X.Y.Z`; None for anything else."""
    found = formats.numbers(text)
    return AgentVersion(major=int(found[0]), minor=int(found[1]), patch=int(found[2])) if found else None


def tag_of(image: str) -> str:
    """Return the tag of an image reference, digest or not; "" if it has none."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def agent_version(agent: Mapping[str, Any]) -> AgentVersion | None:
    """Return the version that counts: the field, else the image's tag; None if neither says it."""
    return parse_version(agent["version"] if "version" in agent else tag_of(agent["image"]))


def version(spec: Mapping[str, Any], at: Place) -> None:
    """The agent's version is known, from `agent.version` or the image's tag vX.Y.Z, and is v0.12.0 or newer."""
    agent = spec["agent"]
    place = at.field("agent.version")
    found = agent_version(agent)
    tag = tag_of(agent["image"])
    if found is None:
        has = f'the image\'s tag "{tag}" does not say it' if tag else "the image has no tag that says it"
        place.fault(f"is required, since {has}: give the agent's version, such as v0.18.1", "agent-version")
    elif reason := formats.VERSION.fault(str(found)):
        at.field("agent.image").fault(f"names agent {found}, which {reason}", "agent-version")
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
        here = place.entry(index)
        if name in seen:
            here.fault(f"gives --{name} again, as {place.path}[{seen[name]}] does: keep one", "extra-args")
        seen.setdefault(name, index)
        if reason := _flag_fault(name, value, per_cluster=per_cluster):
            here.fault(reason, "extra-args")
        elif name in _ONE_FOR_ALL:
            here.warn(_ONE_FOR_ALL[name], "extra-args")


def _flag_fault(name: str, value: str, *, per_cluster: bool) -> str:
    """Say what is wrong with one flag, to go on after its path."""
    if per_cluster and name.startswith("cluster-reg-name"):
        return f"must not set --{name} with identity.mode PerCluster: use identity.nameTemplate"
    if name in _ONE_OF and value not in _ONE_OF[name]:
        return f"must give --{name} one of {', '.join(_ONE_OF[name])}"
    if name in _TEXTS and (not value or _TEXTS[name].fault(value)):
        return f"must give --{name} {_TEXTS[name].expected} of at most {_TEXTS[name].max_length} characters"
    if name == "cluster-labels":
        return next(_label_faults(value.split(",")), "")
    return ""


def _label_faults(pairs: Iterable[str]) -> Iterator[str]:
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            yield "must give --cluster-labels pairs of the form key=value"
        elif reason := formats.REGISTRATION_LABEL_KEY.fault(key):
            yield f"gives --cluster-labels a bad key: it {reason}"
        elif reason := formats.LABEL_VALUE.fault(value):
            yield f"gives --cluster-labels a bad value: it {reason}"


def app_pusher(spec: Mapping[str, Any], at: Place) -> None:
    """Push and Dual need the feature gate AppPusher, whether set by fields or by `agent.extraArgs`."""
    agent = spec["agent"]
    flags = dict(_flags(spec))
    mode = flags.get("cluster-sync-mode", agent["syncMode"])
    if mode not in {"Push", "Dual"}:
        return
    text = "must leave AppPusher on for sync mode {}: the agent can't push without it; choose Pull, or turn it on"
    if "feature-gates" in flags:
        # the flag replaces ours, and AppPusher is off in the agent unless named
        gates = [gate.strip().partition("=") for gate in flags["feature-gates"].split(",")]
        if not any(name in {"AppPusher", "AllAlpha"} and on.lower() in _TRUE for name, _, on in gates):
            index = [name for name, _ in _flags(spec)].index("feature-gates")
            at.field("agent.extraArgs").entry(index).fault(text.format(mode), "app-pusher")
    elif agent["featureGates"].get("AppPusher") is False:
        at.field("agent.featureGates").key("AppPusher").fault(text.format(mode), "app-pusher")


def _flags(spec: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Split every extra flag into name and value; names as the agent reads them, `_` being `-`."""
    pairs = (arg.removeprefix("--").partition("=") for arg in spec["agent"]["extraArgs"])
    return [(name.replace("_", "-"), value) for name, _, value in pairs]
