"""What the feature gate does in each release of Cluster API, and so what has to be done about it.

Source: cluster-api `feature/feature.go` and `config/manager/manager.yaml`, read per release (docs/guide-walkthrough.md
has the table). Up to v1.6 the shipped manifest switches the gate off, from v1.7 on it is on, and v1.12 removed it:
a manager that is still given it exits with "unrecognized feature gate".
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.featuregate import gates
from krm_fn.krm.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.kube.containers import Release

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
    """The state of one manager, and what would fix it.

    Attributes:
        fix: SWITCH_ON, TAKE_OUT, or empty where there is nothing to fix or no way to.
        message: What to report when it is not fixed.
        fixed: What to report when it is, or when it was right from the start.
    """

    severity: str
    message: str
    fix: str = ""
    fixed: str = ""


def find(release: Release | None, state: str, *, seen: str, hint: str) -> Finding:
    """Judge the state of the gate in a release.

    Args:
        release: The manager's release; None when unknown.
        state: One of the states of `gates`.
        seen: Where the release was looked for, for the message about an unknown one.
        hint: Where this kind of manager sets its gates, for the messages about a gate that is off.
    """
    where = stage(release)
    if where == UNKNOWN:
        return Finding(
            severity=WARNING,
            message=f"the Cluster API release is unknown ({seen}), so feature gate {gates.GATE} was left alone: it must "
            f"be on up to v1.6 and must not be passed from v1.12 on",
        )
    if where == REMOVED:
        return _removed(release, state)
    return _needed(release, state, hint) if where == NEEDED else _default(release, state, hint)


def _needed(release: Release | None, state: str, hint: str) -> Finding:
    right = f"feature gate {gates.GATE} is on, as Cluster API {release} needs it"
    if state in (gates.ON, gates.ON_UNLESS_SET):
        return Finding(severity=INFO, message=right, fixed=right)
    remedy = f"set {gates.GATE}=true or managementCluster.featureGate: Ensure; {hint}"
    if state == gates.ABSENT:
        return Finding(
            severity=WARNING,
            message=f"feature gate {gates.GATE} is not named, and the manifest of Cluster API {release} switches it off "
            f"where this Deployment does not replace it: {remedy}",
            fix=SWITCH_ON,
            fixed=right,
        )
    if state == gates.OPAQUE:
        message = f"feature gate {gates.GATE} can't be read here, and Cluster API {release} needs it on: {remedy}"
        return Finding(severity=WARNING, message=message, fix=SWITCH_ON, fixed=right)
    return _off(release, state, remedy, right)


def _default(release: Release | None, state: str, hint: str) -> Finding:
    named = state not in (gates.ABSENT, gates.OPAQUE)
    right = f"feature gate {gates.GATE} is on, by default in Cluster API {release}"
    if state not in (gates.OFF, gates.INVALID, gates.OFF_UNLESS_SET):
        later = "; it is named here and has to go before an upgrade to v1.12" if named else ""
        return Finding(severity=INFO, message=right + later, fixed=right + later)
    right += "; it is named here and has to go before an upgrade to v1.12"
    remedy = f"remove it from the gates, or set managementCluster.featureGate: Ensure; {hint}"
    return _off(release, state, remedy, right)


def _off(release: Release | None, state: str, remedy: str, right: str) -> Finding:
    if state == gates.INVALID:
        message = (
            f"feature gate {gates.GATE} has a value that is neither true nor false, and the manager exits: {remedy}"
        )
        return Finding(severity=ERROR, message=message, fix=SWITCH_ON, fixed=right)
    if state == gates.OFF_UNLESS_SET:
        message = (
            f"feature gate {gates.GATE} is off unless its variable is set where the manifest is substituted, and Cluster "
            f"API {release} then denies every ClusterResourceSet: {remedy}"
        )
        return Finding(severity=WARNING, message=message, fix=SWITCH_ON, fixed=right)
    message = (
        f"feature gate {gates.GATE} is off, and Cluster API {release} then denies every ClusterResourceSet: {remedy}"
    )
    return Finding(severity=ERROR, message=message, fix=SWITCH_ON, fixed=right)


def _removed(release: Release | None, state: str) -> Finding:
    right = f"feature gate {gates.GATE} is not passed, as Cluster API {release} no longer knows it"
    if state == gates.ABSENT:
        return Finding(severity=INFO, message=right, fixed=right)
    if state == gates.OPAQUE:
        return Finding(
            severity=WARNING,
            message=f"the feature gates can't be read here; {gates.GATE} must not be among them, or the manager of Cluster "
            f"API {release} exits with 'unrecognized feature gate'",
        )
    return Finding(
        severity=ERROR,
        message=f"feature gate {gates.GATE} is passed, and Cluster API {release} no longer knows it: the manager exits with "
        f"'unrecognized feature gate'; remove it, or set managementCluster.featureGate: Ensure",
        fix=TAKE_OUT,
        fixed=right,
    )
