"""The feature gate: what it does in each release of Cluster API, and how a list `A=true,B=false` sets it.

Releases: cluster-api `feature/feature.go` and `config/manager/manager.yaml`, read per release (docs/guide-walkthrough.md
has the table). Up to v1.6 the shipped manifest switches the gate off, from v1.7 on it is on, and v1.12 removed it:
a manager that is still given it exits with "unrecognized feature gate".

Lists: component-base `featuregate` (`Set`, `SetFromMap`): parts are split at commas and trimmed, values are Go's
`strconv.ParseBool`, several flags add up and the last one wins. Release manifests hold clusterctl's placeholders
(`${EXP_CLUSTER_RESOURCE_SET:=false}`), which are substituted before the manager sees them.
"""

from __future__ import annotations

from krm_fn.base import Record, late
from krm_fn.krm.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.kube.containers import Release

GATE = "ClusterResourceSet"
FLAG = "feature-gates"

ON = "on"
OFF = "off"
ON_UNLESS_SET = "on unless its variable says otherwise"
OFF_UNLESS_SET = "off unless its variable says otherwise"
INVALID = "invalid"  # named with a value that is no boolean: the manager exits
OPAQUE = "opaque"  # the list, or a part of it, comes from elsewhere
ABSENT = "absent"

# What a release makes of the gate
NEEDED = "needed"
DEFAULT = "default"
REMOVED = "removed"
UNKNOWN = "unknown"

SWITCH_ON = "switch on"
TAKE_OUT = "take out"

_CODE_DEFAULT_ON = (0, 4)
_SHIPPED_ON = (1, 7)
_GENERAL = (1, 10)
_GONE = (1, 12)

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
# a placeholder ends before the next one begins, so that a text full of beginnings takes linear time
_PART = late(r"(?:\$\{[^}$]*\}|\$\([^)$]*\)|[^,])+")
_PLACEHOLDER = late(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=](?P<default>[^}]*))?\}\Z")
_EXPANSION = late(r"\$[({]")
_QUOTES = ('"', "'")


def quoted(value: str) -> bool:
    """Return whether quotes are part of the value; no shell takes them off, so the manager sees them."""
    return len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]


def state(values: Iterable[str], *, beta: bool) -> str:
    """Return what the values of all `--feature-gates` flags, in order, do to the gate: one of ON to ABSENT.

    Where the gate is of stage beta, `AllBeta=false` switches it off.
    """
    found = ABSENT
    opaque = beta_off = False
    for part in (part for value in values for part in _parts(value)):
        _, equals, setting = part.partition("=")
        name = _name(part)
        if name == GATE:
            found = of_setting(setting)
        elif name == "AllBeta":
            beta_off = of_setting(setting) == OFF
        elif _EXPANSION.match(name) or (not equals and _EXPANSION.search(part)):
            opaque = True
    if found != ABSENT:
        return found
    if opaque:
        return OPAQUE
    return OFF if beta and beta_off else ABSENT


def of_setting(setting: str) -> str:
    """Return what one gate's value means: ON, OFF, ON_UNLESS_SET, OFF_UNLESS_SET or INVALID."""
    text = setting.strip()
    if text in _TRUE:
        return ON
    if text in _FALSE:
        return OFF
    placeholder = _PLACEHOLDER.match(text)
    if placeholder:
        return ON_UNLESS_SET if (placeholder["default"] or "").strip() in _TRUE else OFF_UNLESS_SET
    return OPAQUE if _EXPANSION.match(text) else INVALID


def names(value: str) -> bool:
    """Return whether a flag value names the gate."""
    return any(_name(part) == GATE for part in _parts(value))


def switched_on(value: str) -> str:
    """Return a flag value with the gate on: its value changed where it is named, added at the end where not."""
    parts = [f"{part.partition('=')[0]}=true" if _name(part) == GATE else part for part in _parts(value)]
    return _joined(value, parts if names(value) else [*parts, f"{GATE}=true"])


def without(value: str) -> str:
    """Return a flag value without the gate; empty where nothing else is left."""
    kept = [part for part in _parts(value) if _name(part) != GATE]
    return _joined(value, kept) if kept else ""


def _parts(value: str) -> list[str]:
    text = value[1:-1] if quoted(value) else value
    return [part for part in _PART.findall(text) if part.strip()]


def _name(part: str) -> str:
    return part.partition("=")[0].strip()


def _joined(value: str, parts: list[str]) -> str:
    quote = value[0] if quoted(value) else ""
    return f"{quote}{','.join(parts).lstrip()}{quote}"


# --- releases --------------------------------------------------------------------------------------------------------


def stage(release: Release | None) -> str:
    """Return NEEDED, DEFAULT, REMOVED, or UNKNOWN where there is no release to go by."""
    if release is None:
        return UNKNOWN
    if release.line >= _GONE:
        return REMOVED
    return DEFAULT if release.line >= _SHIPPED_ON else NEEDED


def is_beta(release: Release | None) -> bool:
    """Return whether `AllBeta=false` reaches the gate in this release."""
    return release is not None and _CODE_DEFAULT_ON <= release.line < _GENERAL


def on_in_code(release: Release | None) -> bool:
    """Return whether the gate is on in a manager whose flags do not set it (off in v0.3)."""
    return release is None or release.line >= _CODE_DEFAULT_ON


class Finding(Record):
    """The state of one manager, and what would fix it."""

    severity: str
    message: str  # what to report when it is not fixed
    fix: str = ""  # SWITCH_ON, TAKE_OUT, or empty where there is nothing to fix or no way to
    fixed: str = ""  # what to report when it is, or when it was right from the start


def find(release: Release | None, state: str, *, seen: str, hint: str) -> Finding:
    """Judge the state of the gate in a release.

    Args:
        release: The manager's release; None when unknown.
        state: As `state` returns it.
        seen: Where the release was looked for, for the message about an unknown one.
        hint: Where this kind of manager sets its gates, for the messages about a gate that is off.
    """
    where = stage(release)
    if where == UNKNOWN:
        message = (
            f"the Cluster API release is unknown ({seen}), so feature gate {GATE} was left alone: it must be on up to v1.6"
            " and must not be passed from v1.12 on"
        )
        return Finding(severity=WARNING, message=message)
    return _removed(release, state) if where == REMOVED else _on(release, state, hint, needed=where == NEEDED)


def _on(release: Release | None, state: str, hint: str, *, needed: bool) -> Finding:
    """Judge the gate in a release that knows it: up to v1.6 it must be named, later it is on by default."""
    right = f"feature gate {GATE} is on, by default in Cluster API {release}"
    remedy = f"remove it from the gates, or set managementCluster.featureGate: Ensure; {hint}"
    if needed:
        right = f"feature gate {GATE} is on, as Cluster API {release} needs it"
        remedy = f"set {GATE}=true or managementCluster.featureGate: Ensure; {hint}"
    elif state not in (ABSENT, OPAQUE):
        right += "; it is named here and has to go before an upgrade to v1.12"
    if state in (ON, ON_UNLESS_SET) or (state in (ABSENT, OPAQUE) and not needed):
        return Finding(severity=INFO, message=right, fixed=right)
    shipped_off = f"and the manifest of Cluster API {release} switches it off where this Deployment does not replace it"
    denied = f"and Cluster API {release} then denies every ClusterResourceSet"
    severity, wrong = {
        ABSENT: (WARNING, f"is not named, {shipped_off}"),
        OPAQUE: (WARNING, f"can't be read here, and Cluster API {release} needs it on"),
        INVALID: (ERROR, "has a value that is neither true nor false, and the manager exits"),
        OFF: (ERROR, f"is off, {denied}"),
        OFF_UNLESS_SET: (WARNING, f"is off unless its variable is set where the manifest is substituted, {denied}"),
    }[state]
    return Finding(severity=severity, message=f"feature gate {GATE} {wrong}: {remedy}", fix=SWITCH_ON, fixed=right)


def _removed(release: Release | None, state: str) -> Finding:
    right = f"feature gate {GATE} is not passed, as Cluster API {release} no longer knows it"
    if state == ABSENT:
        return Finding(severity=INFO, message=right, fixed=right)
    if state == OPAQUE:
        message = (
            f"the feature gates can't be read here; {GATE} must not be among them, or the manager of Cluster API {release}"
            " exits with 'unrecognized feature gate'"
        )
        return Finding(severity=WARNING, message=message)
    message = (
        f"feature gate {GATE} is passed, and Cluster API {release} no longer knows it: the manager exits with"
        " 'unrecognized feature gate'; remove it, or set managementCluster.featureGate: Ensure"
    )
    return Finding(severity=ERROR, message=message, fix=TAKE_OUT, fixed=right)
