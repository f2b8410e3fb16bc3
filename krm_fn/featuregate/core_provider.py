"""The feature gate of a `CoreProvider` (cluster-api-operator): checked or fixed.

The operator installs the release's own manifest, so a gate that no field names has that manifest's default. It reads
gates from `spec.manager.featureGates`, and flags from `spec.manager.additionalArgs` and
`spec.deployment.containers[].args`; a variable can come from the Secret in `spec.configSecret` (`spec.secretName` in
v1alpha1), and patches of the manifest may do anything.
"""

from __future__ import annotations

from krm_fn import surface
from krm_fn.base import Record
from krm_fn.featuregate import gates
from krm_fn.krm.results import INFO, WARNING
from krm_fn.kube import raw, secrets
from krm_fn.kube.containers import parse
from krm_fn.kube.raw import about, clone, mapping, sequence
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.kube.containers import Release

GROUP = "operator.cluster.x-k8s.io"
VARIABLE = "EXP_CLUSTER_RESOURCE_SET"
# Later versions of the API may do without `spec.manager`, and a server drops a field that it does not know.
_WITH_MANAGER = (f"{GROUP}/v1alpha1", f"{GROUP}/v1alpha2")
_GATES = "spec.manager.featureGates"
_REPLACES = f"operators before v0.26.0 pass the gates of {_GATES} alone: name every other gate that you use there too"
_HINT = f"the field is {_GATES}.{gates.GATE}: true"
_REMINDER = f"{gates.GATE} must be on up to v1.6 and must not be passed from v1.12 on"


class _Argument(Record):
    """A `feature-gates` entry in one of the maps of flags: path of the map below the object, its key, its value."""

    path: tuple[str | int, ...]
    key: str
    value: str

    @property
    def field(self) -> str:
        """Path of the entry as a result names it."""
        return "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in (*self.path, self.key))[1:]


def review(item: Item, items: Sequence[Item], *, ensure: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Check the gate of one CoreProvider, and fix it if `ensure` is set; its configuration Secret may be among the items.

    Returns:
        The new value of the object, None where nothing changes, and what to report.
    """
    value = item.value()
    spec = mapping(value, "spec")
    version = raw.text(spec.get("version"))
    release = parse(version)
    arguments = _arguments(value)
    state = _state(spec, arguments, release)
    patched = _patched(spec)
    if state == gates.ABSENT and gates.stage(release) == gates.NEEDED:
        state = gates.OPAQUE if patched else _by_variable(item, items, spec)
    seen = f"spec.version {quoted(version)!r} is no version" if version else "no spec.version"
    finding = gates.find(release, state, seen=seen, hint=_HINT)
    results: list[Result] = []
    if patched:
        message = f"{patched} may set the manager's feature gates; the patch was not looked into: {_REMINDER}"
        results.append(about(item, message, rule=surface.GATE_RULE, severity=WARNING, field=patched))
    named = _GATES if gates.GATE in mapping(spec, "manager", "featureGates") else ""
    named = named or next((one.field for one in arguments if gates.names(one.value)), "")
    fix = finding.fix if ensure and (named or item.api_version in _WITH_MANAGER) else ""
    if not fix:
        message = finding.message
        if ensure and finding.fix:
            message += f" ({item.api_version} has no {_GATES}: pass --{gates.FLAG} to the container 'manager')"
        field = "spec" if finding.severity == INFO else named or "spec.version"
        results.insert(0, about(item, message, rule=surface.GATE_RULE, severity=finding.severity, field=field))
    else:
        results.insert(0, about(item, finding.fixed, rule=surface.GATE_RULE, severity=INFO, field="spec"))
        value = clone(value)
        (_switch_on if fix == gates.SWITCH_ON else _take_out)(value, arguments)
    if gates.stage(release) == gates.NEEDED and gates.GATE in mapping(value, "spec", "manager", "featureGates"):
        results.append(about(item, _REPLACES, rule=surface.GATE_RULE, severity=INFO, field=_GATES))
    return value if fix else None, results


def _state(spec: dict[str, Any], arguments: list[_Argument], release: Release | None) -> str:
    named = mapping(spec, "manager", "featureGates")
    beta = gates.is_beta(release)
    by_flags = gates.state([one.value for one in arguments], beta=beta)
    if gates.GATE in named:
        setting = named[gates.GATE]
        return gates.of_setting(str(setting).lower() if isinstance(setting, bool) else raw.text(setting))
    if by_flags == gates.ABSENT and beta and named.get("AllBeta") is False:
        return gates.OFF
    return by_flags


def _arguments(value: dict[str, Any]) -> list[_Argument]:
    """Return every entry for the flag; the operator takes keys with their dashes, people also write them without."""
    places: list[tuple[tuple[str | int, ...], dict[Any, Any]]] = [
        (
            ("spec", "deployment", "containers", index, "args"),
            mapping(one, "args"),
        )
        for index, one in enumerate(sequence(mapping(value, "spec", "deployment").get("containers")))
        if mapping(one).get("name") == "manager"
    ]
    places.append((("spec", "manager", "additionalArgs"), mapping(value, "spec", "manager", "additionalArgs")))
    return [
        _Argument(path=path, key=key, value=raw.text(setting))
        for path, entries in places
        for key, setting in entries.items()
        if isinstance(key, str) and key.lstrip("-") == gates.FLAG
    ]


def _patched(spec: dict[str, Any]) -> str:
    """Return the path of the first patch that mentions feature gates; empty if none does."""
    for field in ("manifestPatches", "patches"):
        for index, one in enumerate(sequence(spec.get(field))):
            text = one if isinstance(one, str) else raw.text(mapping(one).get("patch"))
            if gates.GATE in text or gates.FLAG in text:
                return f"spec.{field}[{index}]"
    return ""


def _by_variable(item: Item, items: Sequence[Item], spec: dict[str, Any]) -> str:
    """Return what the variable of the configuration Secret does; without one the manifest's default holds: off."""
    reference = mapping(spec, "configSecret")
    name = raw.text(reference.get("name")) or raw.text(spec.get("secretName"))
    namespace = raw.text(reference.get("namespace")) or raw.text(spec.get("secretNamespace")) or item.namespace
    if not name:
        return gates.OFF
    for one in items:
        if one.kind == "Secret" and one.name == name and one.namespace == namespace and not one.group:
            return _of_variable(one.value())
    return gates.OPAQUE


def _of_variable(secret: dict[str, Any]) -> str:
    found = secrets.texts(secret)
    state = gates.of_setting(found.get(VARIABLE, "false") or "")
    return state if state in (gates.ON, gates.OFF) else gates.OPAQUE  # an encrypted value is no boolean


def _switch_on(changed: dict[str, Any], arguments: list[_Argument]) -> None:
    naming = [one for one in arguments if gates.names(one.value)]
    for one in naming:
        _entries(changed, one)[one.key] = gates.switched_on(one.value)
    spec = changed["spec"]
    if not naming or gates.GATE in mapping(spec, "manager", "featureGates"):
        manager = spec["manager"] = mapping(spec, "manager")
        manager["featureGates"] = {**mapping(manager, "featureGates"), gates.GATE: True}


def _take_out(changed: dict[str, Any], arguments: list[_Argument]) -> None:
    for one in arguments:
        if gates.names(one.value):
            value = gates.without(one.value)
            entries = _entries(changed, one)
            if value:
                entries[one.key] = value
            else:
                del entries[one.key]
    spec = changed["spec"]
    named = mapping(spec, "manager", "featureGates")
    if gates.GATE in named:
        del named[gates.GATE]
        if not named:
            del spec["manager"]["featureGates"]
    if not spec.get("manager", True):
        del spec["manager"]


def _entries(changed: dict[str, Any], argument: _Argument) -> dict[str, Any]:
    found: Any = changed
    for one in argument.path:
        found = found[one]
    entries: dict[str, Any] = found
    return entries
