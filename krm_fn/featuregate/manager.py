"""The feature gate of a `capi-controller-manager` Deployment: checked or fixed."""

from __future__ import annotations

from krm_fn import surface
from krm_fn.featuregate import gates
from krm_fn.krm.results import INFO, WARNING
from krm_fn.kube import containers
from krm_fn.kube.containers import image_name, of_image
from krm_fn.kube.raw import about, clone, mapping, pod_spec, sequence, text, unlisted
from krm_fn.kube.secrets import quoted
from krm_fn.surface import CAPI_MANAGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result

IMAGES = ("cluster-api-controller", "cluster-api-controller-amd64", "cluster-api-controller-arm64")


def is_manager(item: Item) -> bool:
    """Return whether a Deployment runs Cluster API's core manager.

    By its name, which a kustomize namePrefix may have lengthened, or by the image of a container.
    """
    if item.group != "apps":
        return False
    if item.name == CAPI_MANAGER or item.name.endswith(f"-{CAPI_MANAGER}"):
        return True
    return item.contains(b"cluster-api-controller") and any(
        image_name(text(mapping(one).get("image"))) in IMAGES
        for one in sequence(pod_spec(item.value()).get("containers"))
    )


def review(item: Item, *, ensure: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Check the gate of one manager (`is_manager`), and fix it if `ensure` is set.

    Returns:
        The new value of the object, None where nothing changes, and what to report.
    """
    value = item.value()
    index = _container(value)
    container = mapping(sequence(pod_spec(value).get("containers"))[index]) if index is not None else {}
    if index is None or unlisted(container, *containers.FIELDS):
        message = (
            f"feature gate {gates.GATE} was not checked: no container of the manager with lists as command and args"
        )
        return None, [about(item, message, rule=surface.GATE_RULE, severity=WARNING)]
    image = text(container.get("image"))
    release = of_image(image)
    found = containers.find(container, gates.FLAG)
    state = _state(container, found, release_is_beta=gates.is_beta(release))
    if state == gates.ABSENT and not gates.on_in_code(release):
        state = gates.OFF
    seen = f"image {quoted(image)!r} has no tag that is a version" if image else "no image"
    finding = gates.find(release, state, seen=seen, hint=surface.CLUSTERCTL)
    base = f"spec.template.spec.containers[{index}]"
    named = next((one for one in found if gates.names(one.value)), found[0] if found else None)
    field = f"{base}.{named.path}" if named and finding.severity != INFO else base
    results = _remarks(item, found, base)
    if not ensure or not finding.fix or containers.hidden(container, gates.FLAG):
        return None, [
            about(item, finding.message, rule=surface.GATE_RULE, severity=finding.severity, field=field),
            *results,
        ]
    changed: dict[str, Any] = clone(value)
    container = pod_spec(changed)["containers"][index]
    if finding.fix == gates.SWITCH_ON:
        _switch_on(container, found)
    else:
        _take_out(container, found)
    return changed, [about(item, finding.fixed, rule=surface.GATE_RULE, severity=INFO, field=base), *results]


def _container(value: dict[str, Any]) -> int | None:
    """Return the position of the manager's container: by its image, else by its name, else the only one."""
    containers = [mapping(one) for one in sequence(pod_spec(value).get("containers"))]
    for index, one in enumerate(containers):
        if image_name(text(one.get("image"))) in IMAGES:
            return index
    for index, one in enumerate(containers):
        if one.get("name") == "manager":
            return index
    return 0 if len(containers) == 1 else None


def _state(container: dict[str, Any], found: list[containers.Flag], *, release_is_beta: bool) -> str:
    state = gates.state([one.value for one in found], beta=release_is_beta)
    return gates.OPAQUE if state == gates.ABSENT and containers.hidden(container, gates.FLAG) else state


def _remarks(item: Item, found: list[containers.Flag], base: str) -> list[Result]:
    return [
        about(
            item,
            "the quotes are part of the flag's value, since no shell takes them off: the manager does not know such a gate",
            rule=surface.GATE_RULE,
            severity=WARNING,
            field=f"{base}.{one.path}",
        )
        for one in found
        if gates.quoted(one.value)
    ]


def _switch_on(container: dict[str, Any], found: list[containers.Flag]) -> None:
    naming = [one for one in found if gates.names(one.value)] or found[-1:]
    for one in naming:
        containers.assign(container, one, gates.switched_on(one.value))
    if not naming:
        containers.append(container, f"--{gates.FLAG}={gates.GATE}=true", bare="args")


def _take_out(container: dict[str, Any], found: list[containers.Flag]) -> None:
    emptied = []
    for one in found:
        if gates.names(one.value):
            value = gates.without(one.value)
            if value:
                containers.assign(container, one, value)
            else:
                emptied.append(one)
    containers.remove(container, emptied)
