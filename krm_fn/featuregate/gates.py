"""The value of a `--feature-gates` flag: a list `A=true,B=false`, read and changed one gate at a time.

Rules: component-base `featuregate` (`Set`, `SetFromMap`): parts are split at commas and trimmed, values are Go's
`strconv.ParseBool`, several flags add up and the last one wins. Release manifests hold clusterctl's placeholders
(`${EXP_CLUSTER_RESOURCE_SET:=false}`), which are substituted before the manager sees them.
"""

from __future__ import annotations

from krm_fn.base import late

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

GATE = "ClusterResourceSet"

ON = "on"
OFF = "off"
ON_UNLESS_SET = "on unless its variable says otherwise"
OFF_UNLESS_SET = "off unless its variable says otherwise"
INVALID = "invalid"  # named with a value that is no boolean: the manager exits
OPAQUE = "opaque"  # the list, or a part of it, comes from elsewhere
ABSENT = "absent"

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
    """Return what several flag values together do to the gate.

    Args:
        values: Values of all `--feature-gates` flags, in order.
        beta: Whether the gate is of stage beta in this release, where `AllBeta=false` switches it off.

    Returns:
        One of ON, OFF, ON_UNLESS_SET, OFF_UNLESS_SET, INVALID, OPAQUE, ABSENT.
    """
    found = ABSENT
    opaque = beta_off = False
    for part in (part for value in values for part in _parts(value)):
        name, equals, setting = part.partition("=")
        name = name.strip()
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
    return any(part.partition("=")[0].strip() == GATE for part in _parts(value))


def switched_on(value: str) -> str:
    """Return a flag value with the gate on: its value changed where it is named, added at the end where not."""
    parts = _parts(value)
    if not names(value):
        return _joined(value, [*parts, f"{GATE}=true"])
    return _joined(
        value,
        [f"{part.partition('=')[0]}=true" if part.partition("=")[0].strip() == GATE else part for part in parts],
    )


def without(value: str) -> str:
    """Return a flag value without the gate; empty where nothing else is left."""
    kept = [part for part in _parts(value) if part.partition("=")[0].strip() != GATE]
    return _joined(value, kept) if kept else ""


def _parts(value: str) -> list[str]:
    text = value[1:-1] if quoted(value) else value
    return [part for part in _PART.findall(text) if part.strip()]


def _joined(value: str, parts: list[str]) -> str:
    quote = value[0] if quoted(value) else ""
    return f"{quote}{','.join(parts).lstrip()}{quote}"
