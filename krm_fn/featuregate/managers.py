"""The feature gate of one manager, checked or fixed: of a `capi-controller-manager` Deployment, or of a `CoreProvider`.

A Deployment passes gates as a flag. For a CoreProvider, cluster-api-operator installs the release's own manifest, so a gate
that no field names has that manifest's default. The operator reads gates from `spec.manager.featureGates`, and flags from
`spec.manager.additionalArgs` and `spec.deployment.containers[].args`; a variable can come from the Secret in
`spec.configSecret` (`spec.secretName` in v1alpha1), and patches of the manifest may do anything.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.featuregate import gates
from krm_fn.krm.results import INFO, WARNING, about
from krm_fn.kube import containers, raw, secrets
from krm_fn.kube.containers import image_name, of_image
from krm_fn.kube.raw import clone, mapping, sequence, text
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CAPI_MANAGER, CLUSTERCTL, GATE_RULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.kube.containers import Flag, Release

IMAGES = ("cluster-api-controller", "cluster-api-controller-amd64", "cluster-api-controller-arm64")
OPERATOR_GROUP = "operator.cluster.x-k8s.io"
VARIABLE = "EXP_CLUSTER_RESOURCE_SET"
# Later versions of the operator's API may do without `spec.manager`, and a server drops a field that it does not know.
_WITH_MANAGER = (f"{OPERATOR_GROUP}/v1alpha1", f"{OPERATOR_GROUP}/v1alpha2")
_GATES = "spec.manager.featureGates"


def _report(item: Item, message: str, severity: str, field: str = "") -> Result:
    return about(item, message, rule=GATE_RULE, severity=severity, field=field)


# --- a Deployment ----------------------------------------------------------------------------------------------------


def is_manager(item: Item) -> bool:
    """Return whether a Deployment runs Cluster API's core manager.

    By its name, which a kustomize namePrefix may have lengthened, or by the image of a container.
    """
    if item.group != "apps":
        return False
    if item.name == CAPI_MANAGER or item.name.endswith(f"-{CAPI_MANAGER}"):
        return True
    return item.contains(b"cluster-api-controller") and any(
        image_name(text(one, "image")) in IMAGES for one in containers.of(item.value())
    )


def review_deployment(item: Item, *, ensure: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Check the gate of one manager (`is_manager`), and fix it if `ensure` is set.

    Returns:
        The new value of the object, None where nothing changes, and what to report.
    """
    value: dict[str, Any] = clone(item.value())
    index = _position(value)
    if index is None or raw.unlisted(containers.of(value)[index], *containers.FIELDS):
        message = (
            f"feature gate {gates.GATE} was not checked: no container of the manager with lists as command and args"
        )
        return None, [_report(item, message, WARNING)]
    container = containers.of(value)[index]
    image = text(container, "image")
    release = of_image(image)
    found = containers.find(container, gates.FLAG)
    hidden = containers.hidden(container, gates.FLAG)
    state = gates.state([one.value for one in found], beta=gates.is_beta(release))
    if state == gates.ABSENT and hidden:
        state = gates.OPAQUE
    elif state == gates.ABSENT and not gates.on_in_code(release):
        state = gates.OFF
    seen = f"image {quoted(image)!r} has no tag that is a version" if image else "no image"
    finding = gates.find(release, state, seen=seen, hint=CLUSTERCTL)
    base = f"spec.template.spec.containers[{index}]"
    message = (
        "the quotes are part of the flag's value, since no shell takes them off: the manager does not know such a gate"
    )
    remarks = [_report(item, message, WARNING, f"{base}.{one.path}") for one in found if gates.quoted(one.value)]
    if not ensure or not finding.fix or hidden:
        named = next((one for one in found if gates.names(one.value)), found[0] if found else None)
        field = f"{base}.{named.path}" if named and finding.severity != INFO else base
        return None, [_report(item, finding.message, finding.severity, field), *remarks]
    if finding.fix == gates.SWITCH_ON:
        _switch_on(container, found)
    else:
        _take_out(container, found)
    return value, [_report(item, finding.fixed, INFO, base), *remarks]


def _position(value: dict[str, Any]) -> int | None:
    """Return the position of the manager's container: by its image, else by its name, else the only one."""
    there = containers.of(value)
    by_image = [index for index, one in enumerate(there) if image_name(text(one, "image")) in IMAGES]
    by_name = [index for index, one in enumerate(there) if one.get("name") == "manager"]
    only = [0] if len(there) == 1 else []
    return next(iter((*by_image, *by_name, *only)), None)


def _switch_on(container: dict[str, Any], found: list[Flag]) -> None:
    naming = [one for one in found if gates.names(one.value)] or found[-1:]
    for one in naming:
        containers.assign(container, one, gates.switched_on(one.value))
    if not naming:
        containers.append(container, f"--{gates.FLAG}={gates.GATE}=true", bare="args")


def _take_out(container: dict[str, Any], found: list[Flag]) -> None:
    emptied = []
    for one in found:
        if gates.names(one.value):
            value = gates.without(one.value)
            if value:
                containers.assign(container, one, value)
            else:
                emptied.append(one)
    containers.remove(container, emptied)


# --- a CoreProvider --------------------------------------------------------------------------------------------------


class _Argument(Record):
    """A `feature-gates` entry: the map of flags that holds it, its key there, and its path for results."""

    entries: dict[str, Any]
    key: str
    field: str

    @property
    def value(self) -> str:
        """The list of gates."""
        return text(self.entries[self.key])


def review_provider(item: Item, items: Sequence[Item], *, ensure: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Check the gate of one CoreProvider, and fix it if `ensure` is set; its configuration Secret may be among the items.

    Returns:
        The new value of the object, None where nothing changes, and what to report.
    """
    value: dict[str, Any] = clone(item.value())
    spec = mapping(value, "spec")
    gated = mapping(spec, "manager", "featureGates")
    version = text(spec, "version")
    release = containers.parse(version)
    arguments = _arguments(spec)
    patched = _patched(spec)
    state = _state(gated, arguments, release)
    if state == gates.ABSENT and gates.stage(release) == gates.NEEDED:
        state = gates.OPAQUE if patched else _by_variable(item, items, spec)
    seen = f"spec.version {quoted(version)!r} is not a version" if version else "no spec.version"
    finding = gates.find(release, state, seen=seen, hint=f"the field is {_GATES}.{gates.GATE}: true")
    named = _GATES if gates.GATE in gated else next((one.field for one in arguments if gates.names(one.value)), "")
    fix = finding.fix if ensure and (named or item.api_version in _WITH_MANAGER) else ""
    if fix:
        results = [_report(item, finding.fixed, INFO, "spec")]
        (_switch_on_in if fix == gates.SWITCH_ON else _take_out_of)(spec, arguments)
    else:
        message = finding.message
        if ensure and finding.fix:
            message += f" ({item.api_version} has no {_GATES}: pass --{gates.FLAG} to the container 'manager')"
        field = "spec" if finding.severity == INFO else named or "spec.version"
        results = [_report(item, message, finding.severity, field)]
    if patched:
        message = (
            f"{patched} may set the manager's feature gates; the patch was not looked into: {gates.GATE} must be on up to"
            " v1.6 and must not be passed from v1.12 on"
        )
        results.append(_report(item, message, WARNING, patched))
    if gates.stage(release) == gates.NEEDED and gates.GATE in mapping(value, "spec", "manager", "featureGates"):
        message = (
            f"operators before v0.26.0 pass the gates of {_GATES} alone: name every other gate that you use there too"
        )
        results.append(_report(item, message, INFO, _GATES))
    return value if fix else None, results


def _state(gated: dict[str, Any], arguments: list[_Argument], release: Release | None) -> str:
    if gates.GATE in gated:
        setting = gated[gates.GATE]
        return gates.of_setting(str(setting).lower() if isinstance(setting, bool) else text(setting))
    beta = gates.is_beta(release)
    by_flags = gates.state([one.value for one in arguments], beta=beta)
    return gates.OFF if by_flags == gates.ABSENT and beta and gated.get("AllBeta") is False else by_flags


def _arguments(spec: dict[str, Any]) -> list[_Argument]:
    """Return every entry for the flag; the operator takes keys with their dashes, people also write them without."""
    places = [
        (f"spec.deployment.containers[{index}].args", mapping(one, "args"))
        for index, one in enumerate(sequence(mapping(spec, "deployment").get("containers")))
        if mapping(one).get("name") == "manager"
    ]
    places.append(("spec.manager.additionalArgs", mapping(spec, "manager", "additionalArgs")))
    return [
        _Argument(entries=entries, key=key, field=f"{path}.{key}")
        for path, entries in places
        for key in entries
        if key.lstrip("-") == gates.FLAG
    ]


def _patched(spec: dict[str, Any]) -> str:
    """Return the path of the first patch that mentions feature gates; empty if none does."""
    for field in ("manifestPatches", "patches"):
        for index, one in enumerate(sequence(spec.get(field))):
            patch = one if isinstance(one, str) else text(one, "patch")
            if gates.GATE in patch or gates.FLAG in patch:
                return f"spec.{field}[{index}]"
    return ""


def _by_variable(item: Item, items: Sequence[Item], spec: dict[str, Any]) -> str:
    """Return what the variable of the configuration Secret does; without one the manifest's default holds: off."""
    name = text(spec, "configSecret", "name") or text(spec, "secretName")
    namespace = text(spec, "configSecret", "namespace") or text(spec, "secretNamespace") or item.namespace
    if not name:
        return gates.OFF
    for one in items:
        if one.kind == "Secret" and one.name == name and one.namespace == namespace and not one.group:
            state = gates.of_setting(secrets.texts(one.value()).get(VARIABLE, "false") or "")
            return state if state in (gates.ON, gates.OFF) else gates.OPAQUE  # an encrypted value is no boolean
    return gates.OPAQUE


def _switch_on_in(spec: dict[str, Any], arguments: list[_Argument]) -> None:
    naming = [one for one in arguments if gates.names(one.value)]
    for one in naming:
        one.entries[one.key] = gates.switched_on(one.value)
    if not naming or gates.GATE in mapping(spec, "manager", "featureGates"):
        manager = spec["manager"] = mapping(spec, "manager")
        manager["featureGates"] = {**mapping(manager, "featureGates"), gates.GATE: True}


def _take_out_of(spec: dict[str, Any], arguments: list[_Argument]) -> None:
    for one in arguments:
        if gates.names(one.value):
            one.entries[one.key] = gates.without(one.value)
            if not one.value:
                del one.entries[one.key]
    gated = mapping(spec, "manager", "featureGates")
    if gates.GATE in gated:
        del gated[gates.GATE]
        if not gated:
            del spec["manager"]["featureGates"]
    if not spec.get("manager", True):
        del spec["manager"]
