"""The feature gate of one manager, checked or fixed: of a `capi-controller-manager` Deployment, or of a `CoreProvider`.

Releases: cluster-api `feature/feature.go` and `config/manager/manager.yaml`, read per release (docs/guide-walkthrough.md
has the table). Up to v1.6 the shipped manifest switches the gate off, from v1.7 on it is on, and v1.12 removed it:
a manager that is still given it exits with "unrecognized feature gate".

A Deployment passes gates as a flag. For a CoreProvider, cluster-api-operator installs the release's own manifest, so a gate
that no field names has that manifest's default. The operator reads gates from `spec.manager.featureGates`, and flags from
`spec.manager.additionalArgs` and `spec.deployment.containers[].args`; a variable can come from the Secret in
`spec.configSecret` (`spec.secretName` in v1alpha1), and patches of the manifest may do anything.
"""

from __future__ import annotations

from krm_fn.base import clone
from krm_fn.featuregate.lists import (
    ABSENT,
    FLAG,
    GATE,
    INVALID,
    OFF,
    OFF_UNLESS_SET,
    ON,
    OPAQUE,
    QUOTED,
    SHIPPED_ON,
    gone,
    lacking,
    needs_revision,
    of_setting,
    revised,
    state,
)
from krm_fn.krm.results import ERROR, INFO, WARNING, about
from krm_fn.kube import raw, secrets
from krm_fn.kube.raw import mapping, text
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CAPI_MANAGER, CLUSTERCTL, GATE_RULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.kube.raw import Release
    from krm_fn.model import Config

    # severity, message, and what to report instead once it is fixed ("" where there is nothing to fix, or no way to)
    Finding = tuple[str, str, str]
    # the new value, None where nothing changes, and what to report
    Reviewed = tuple[dict[str, Any] | None, list[Result]]

_IMAGES = frozenset({"cluster-api-controller", "cluster-api-controller-amd64", "cluster-api-controller-arm64"})
_VARIABLE = "EXP_CLUSTER_RESOURCE_SET"
# Later versions of the operator's API may do without `spec.manager`, and a server drops a field that it does not know.
_WITH_MANAGER = ("operator.cluster.x-k8s.io/v1alpha1", "operator.cluster.x-k8s.io/v1alpha2")
_GATES = "spec.manager.featureGates"


# --- the verdict ------------------------------------------------------------------------------------------------------


def _judge(release: Release | None, state: str, *, seen: str, hint: str) -> Finding:
    """Judge the state of the gate in a release.

    `seen` says where the release was looked for, `hint` where this kind of manager sets its gates.
    """
    if release is None:
        message = (
            f"the Cluster API release is unknown ({seen}), so feature gate {GATE} was left alone: it must be on up to v1.6"
            " and must not be passed from v1.12 on"
        )
        return WARNING, message, ""
    if state == QUOTED:
        message = (
            f"the quotes in --{FLAG} are part of its value, since no shell takes them off, and the manager exits: remove"
            " them, or set managementCluster.featureGate: Ensure"
        )
        return (
            WARNING,
            message,
            f"--{FLAG} no longer has quotes, and feature gate {GATE} is as Cluster API {release} needs it",
        )
    if gone(release):
        return _judge_gone(release, state)
    by_default, unnamed = release.line >= SHIPPED_ON, state in {ABSENT, OPAQUE}
    right = f"feature gate {GATE} is on, as Cluster API {release} needs it"
    remedy = f"set {GATE}=true or managementCluster.featureGate: Ensure; {hint}"
    if by_default:
        right = f"feature gate {GATE} is on, by default in Cluster API {release}"
        if state == OPAQUE:
            right = f"feature gate {GATE} is on by default in Cluster API {release}, unless gates that can't be read here switch it off"
        elif not unnamed:
            right += "; it is named here and has to go before an upgrade to v1.12"
        remedy = f"remove it from the gates, or set managementCluster.featureGate: Ensure; {hint}"
    if state == ON or (unnamed and by_default):
        return INFO, right, ""
    denied = f"and Cluster API {release} then denies every ClusterResourceSet"
    severity, wrong = {
        ABSENT: (
            WARNING,
            f"is not named, and the manifest of Cluster API {release} switches it off where this Deployment does not replace it",
        ),
        OPAQUE: (WARNING, f"can't be read here, and Cluster API {release} needs it on"),
        INVALID: (ERROR, "has a value that is neither true nor false, and the manager exits"),
        OFF: (ERROR, f"is off, {denied}"),
        OFF_UNLESS_SET: (WARNING, f"is off unless its variable is set where the manifest is substituted, {denied}"),
    }[state]
    return severity, f"feature gate {GATE} {wrong}: {remedy}", right


def _judge_gone(release: Release, state: str) -> Finding:
    right = f"feature gate {GATE} is not passed, as Cluster API {release} no longer knows it"
    if state == ABSENT:
        return INFO, right, ""
    if state == OPAQUE:
        message = (
            f"the feature gates can't be read here; {GATE} must not be among them, or the manager of Cluster API {release}"
            " exits with 'unrecognized feature gate'"
        )
        return WARNING, message, ""
    message = (
        f"feature gate {GATE} is passed, and Cluster API {release} no longer knows it: the manager exits with"
        " 'unrecognized feature gate'; remove it, or set managementCluster.featureGate: Ensure"
    )
    return ERROR, message, right


# --- the managers -----------------------------------------------------------------------------------------------------


def review(item: Item, items: Sequence[Item], config: Config) -> Reviewed:
    """Check the gate of a Deployment or CoreProvider as a config asks, or set it; nothing for any other Deployment."""
    ensure = config.feature_gate == "Ensure" and config.renders and not raw.is_local(item)
    if item.kind == "CoreProvider":
        return _review_provider(item, items, ensure=ensure)
    return _review_deployment(item, ensure=ensure) if _is_manager(item) else (None, [])


def _report(item: Item, message: str, severity: str, field: str = "") -> Result:
    return about(item, message, rule=GATE_RULE, severity=severity, field=field)


def _is_manager(item: Item) -> bool:
    """Return whether a Deployment runs Cluster API's core manager, by its name, maybe with a prefix, or by an image."""
    if item.group != "apps":
        return False
    return f"-{item.name}".endswith(f"-{CAPI_MANAGER}") or (
        item.contains(b"cluster-api-controller") and any(map(_runs_manager, raw.containers(item.value())))
    )


def _runs_manager(container: Mapping[str, Any]) -> bool:
    return raw.image_name(text(container, "image")) in _IMAGES


def _position(value: dict[str, Any]) -> int | None:
    """Return the position of the manager's container: by its image, else by its name, else the only one."""
    there = raw.containers(value)
    by_image = [index for index, one in enumerate(there) if _runs_manager(one)]
    by_name = [index for index, one in enumerate(there) if one.get("name") == "manager"]
    only = [0] if len(there) == 1 else []
    return next(iter(by_image or by_name or only), None)


def _review_deployment(item: Item, *, ensure: bool) -> Reviewed:
    value: dict[str, Any] = clone(item.value())
    index = _position(value)
    if index is None or raw.unlisted(raw.containers(value)[index], *raw.FLAG_FIELDS):
        message = f"feature gate {GATE} was not checked: the manager has no container with lists as command and args"
        return None, [_report(item, message, WARNING)]
    container = raw.containers(value)[index]
    image = text(container, "image")
    release = raw.image_release(image)
    flags, hidden = raw.flags(container, FLAG), raw.hides_flag(container, FLAG)
    lists = [one.value for one in flags]
    seen = f"image {quoted(image)!r} has no tag that is a version" if image else "no image"
    severity, message, fixed = _judge(release, state(lists, release, unseen=hidden), seen=seen, hint=CLUSTERCTL)
    base = f"spec.template.spec.containers[{index}]"
    naming = [one for one in flags if needs_revision(one.value)]
    if not ensure or not fixed or hidden or raw.in_shell(container):
        if ensure and fixed:
            message += " (left alone here: its flags are inside a longer argument; give each an argument of its own)"
        field = f"{base}.{(naming or flags)[0].path}" if flags and severity != INFO else base
        return None, [_report(item, message, severity, field)]
    if not flags:
        raw.add_flag(container, f"--{FLAG}={GATE}=true", bare="args")
    add, emptied = lacking(lists, release), []
    for one in naming or flags[-1:]:
        left = revised(one.value, release, add=add)
        raw.set_flag(container, one, left)
        emptied += [] if left else [one]
    raw.remove_flags(container, emptied)
    return value, [_report(item, fixed, INFO, base)]


def _review_provider(item: Item, items: Sequence[Item], *, ensure: bool) -> Reviewed:
    value: dict[str, Any] = clone(item.value())
    spec = mapping(value, "spec")
    gated = mapping(spec, "manager", "featureGates")
    version = text(spec, "version")
    release = raw.release(version)
    needed = release is not None and release.line < SHIPPED_ON
    arguments, patched = _arguments(spec), _patched(spec)
    # what `spec.manager.featureGates` says comes last, so it wins
    lists = [text(entries[key]) for entries, key, _ in arguments]
    values = {name: str(one).lower() if isinstance(one, bool) else text(one) for name, one in gated.items()}
    lists += [
        f"{name}={one}" for name, one in values.items() if not {"'", '"'} & {*name, *one}
    ]  # a server refuses those
    what = state(lists, release)
    if what == ABSENT and needed:
        what = OPAQUE if patched else _by_variable(item, items, spec)
    seen = f"spec.version {quoted(version)!r} is not a version" if version else "no spec.version"
    severity, message, fixed = _judge(release, what, seen=seen, hint=f"the field is {_GATES}.{GATE}: true")
    naming = [one for one in arguments if needs_revision(text(one[0][one[1]]))]
    named = _GATES if GATE in gated else naming[0][2] if naming else ""
    fixing = ensure and fixed and (named or item.api_version in _WITH_MANAGER)
    if fixing:
        _fix(spec, naming, release, add=lacking(lists, release))
        results = [_report(item, fixed, INFO, "spec")]
    else:
        if ensure and fixed:
            message += f" ({item.api_version} has no {_GATES}: pass --{FLAG} to the container 'manager')"
        field = "spec" if severity == INFO else named or "spec.version"
        results = [_report(item, message, severity, field)]
    if patched:
        message = (
            f"{patched} may set the manager's feature gates; the patch was not inspected: {GATE} must be on up to"
            " v1.6 and must not be passed from v1.12 on"
        )
        results.append(_report(item, message, WARNING, patched))
    if needed and GATE in mapping(spec, "manager", "featureGates"):
        message = (
            f"operators before v0.26.0 pass the gates of {_GATES} alone: name every other gate that you use there too"
        )
        results.append(_report(item, message, INFO, _GATES))
    return value if fixing else None, results


def _arguments(spec: dict[str, Any]) -> list[tuple[dict[str, Any], str, str]]:
    """Return every entry for the flag, with the map that holds it, its key there and its path.

    The operator takes keys with their dashes, people also write them without.
    """
    places = [
        (f"spec.deployment.containers[{index}].args", mapping(one, "args"))
        for index, one in enumerate(raw.sequence(raw.dig(spec, "deployment", "containers")))
        if mapping(one).get("name") == "manager"
    ]
    places.append(("spec.manager.additionalArgs", mapping(spec, "manager", "additionalArgs")))
    return [(entries, key, f"{path}.{key}") for path, entries in places for key in entries if key.lstrip("-") == FLAG]


def _patched(spec: dict[str, Any]) -> str:
    """Return the path of the first patch that mentions feature gates; empty if none does."""
    for field in ("manifestPatches", "patches"):
        for index, one in enumerate(raw.sequence(spec.get(field))):
            patch = one if isinstance(one, str) else text(one, "patch")
            if GATE in patch or FLAG in patch:
                return f"spec.{field}[{index}]"
    return ""


def _by_variable(item: Item, items: Sequence[Item], spec: dict[str, Any]) -> str:
    """Return what the variable of the configuration Secret does; without one the manifest's default holds: off."""
    name = text(spec, "configSecret", "name") or text(spec, "secretName")
    namespace = text(spec, "configSecret", "namespace") or text(spec, "secretNamespace") or item.namespace
    if not name:
        return OFF
    for one in items:
        if one.kind == "Secret" and one.name == name and one.namespace == namespace and not one.group:
            found = of_setting(secrets.texts(one.value()).get(_VARIABLE, "false") or "")
            return found if found in {ON, OFF} else OPAQUE  # an encrypted value is no boolean
    return OPAQUE


def _fix(
    spec: dict[str, Any], naming: Sequence[tuple[dict[str, Any], str, str]], release: Release | None, *, add: bool
) -> None:
    """Set the gate as a release needs it where it is named, or in `spec.manager.featureGates`."""
    for entries, key, _ in naming:
        entries[key] = revised(text(entries[key]), release, add=add)
        if not entries[key]:
            del entries[key]
    gated = mapping(spec, "manager", "featureGates")
    if not gone(release):
        if not naming or GATE in gated:
            spec["manager"] = {**mapping(spec, "manager"), "featureGates": {**gated, GATE: True}}
        return
    if GATE in gated:
        del gated[GATE]
        if not gated:
            del spec["manager"]["featureGates"]
    if not spec.get("manager", True):
        del spec["manager"]
