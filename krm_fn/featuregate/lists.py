"""Lists of feature gates, `A=true,B=false`: what they do to the gate, and how they read with it or without it.

Source: component-base `featuregate` (`Set`, `SetFromMap`). Parts are split at commas and trimmed, values are Go's
`strconv.ParseBool`, several flags add up and the last one wins. Release manifests hold clusterctl's placeholders
(`${EXP_CLUSTER_RESOURCE_SET:=false}`), which are substituted before the manager sees them.
"""

from __future__ import annotations

from krm_fn.base import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.kube.raw import Release

GATE = "ClusterResourceSet"
FLAG = "feature-gates"

ON = "on"
OFF = "off"
OFF_UNLESS_SET = "off unless its variable says otherwise"
QUOTED = "quoted"  # a list has quotes, which no shell takes off: the manager exits
INVALID = "invalid"  # named with a value that is no boolean: the manager exits
OPAQUE = "opaque"  # the list, or a part of it, comes from elsewhere
ABSENT = "absent"

_CODE_DEFAULT_ON = (0, 4)
SHIPPED_ON = (1, 7)
_GENERAL = (1, 10)
_GONE = (1, 12)

_WITHOUT_QUOTES = str.maketrans("", "", "\"'")
_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})
# a placeholder ends before the next one begins, so that a text full of beginnings takes linear time
_PART = late(r"(?:\$\{[^}$]*\}|\$\([^)$]*\)|[^,])+")
_PLACEHOLDER = late(r"\$\{[A-Za-z_][A-Za-z0-9_]*(?::?[-=](?P<default>[^}]*))?\}\Z")
_EXPANSION = late(r"\$[({]")


def state(values: Sequence[str], release: Release | None, *, unseen: bool = False) -> str:
    """Return what the values of all `--feature-gates` flags, in order, do to the gate: one of ON to ABSENT.

    In v0.3 the gate is off in the code; while it is of stage beta, `AllBeta=false` switches it off. `unseen` is whether
    further gates are set where they can't be read.
    """
    if any(map(_has_quotes, values)):
        return QUOTED
    found, opaque = ABSENT, unseen
    off = release is not None and release.line < _CODE_DEFAULT_ON
    for part in (part for value in values for part in _parts(value)):
        name, equals, setting = part.partition("=")
        name = name.strip()
        if name == GATE:
            found = of_setting(setting)
        elif name == "AllBeta" and release is not None and _CODE_DEFAULT_ON <= release.line < _GENERAL:
            off = of_setting(setting) == OFF
        elif _EXPANSION.match(name) or (not equals and _EXPANSION.search(part)):
            opaque = True
    if found != ABSENT:
        return found
    return OPAQUE if opaque else OFF if off else ABSENT


def of_setting(setting: str) -> str:
    """Return what one gate's value means: ON, OFF, OFF_UNLESS_SET, OPAQUE or INVALID."""
    value = setting.strip()
    if value in _TRUE:
        return ON
    if value in _FALSE:
        return OFF
    placeholder = _PLACEHOLDER.match(value)
    if placeholder:
        return ON if (placeholder["default"] or "").strip() in _TRUE else OFF_UNLESS_SET
    return OPAQUE if _EXPANSION.match(value) else INVALID


def lacking(values: Sequence[str], release: Release | None) -> bool:
    """Return whether a release needs the gate named, by what all lists do without their quotes."""
    found = state([",".join(_parts(value)) for value in values], release)
    shipped_off = release is not None and release.line < SHIPPED_ON
    return found == OFF or (found in {ABSENT, OPAQUE} and shipped_off)


def revised(value: str, release: Release | None, *, add: bool) -> str:
    """Return a list as a release needs it: without the gate ("" where nothing else is left), or with the gate on.

    There it is changed where it is named, and with `add` put at the end where it is not. Quotes in a list go.
    """
    parts = _parts(value)
    if gone(release):
        return ",".join(part for part in parts if not _names(part)).lstrip()
    if add and not any(map(_names, parts)):
        parts.append(f"{GATE}=true")
    return ",".join(f"{part.partition('=')[0]}=true" if _names(part) else part for part in parts)


def gone(release: Release | None) -> bool:
    """Return whether a release no longer knows the gate."""
    return release is not None and release.line >= _GONE


def _parts(value: str) -> list[str]:
    return [part for part in _PART.findall(value.translate(_WITHOUT_QUOTES)) if part.strip()]


def _has_quotes(value: str) -> bool:
    return value.translate(_WITHOUT_QUOTES) != value


def _names(value: str) -> bool:
    """Return whether a list names the gate."""
    return any(part.partition("=")[0].strip() == GATE for part in _parts(value))


def needs_revision(value: str) -> bool:
    """Return whether a list names the gate, or has quotes."""
    return _names(value) or _has_quotes(value)
