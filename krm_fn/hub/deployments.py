"""Gives clusternet's discovery its kubeconfig for the management cluster: volume, mount and flag.

Source: clusternet `cmd/clusternet-hub` and `cmd/clusternet-controller-manager` with their manifests and Helm charts:
`--cluster-api-kubeconfig` belongs to clusternet-hub from v0.12 to v0.14 and to clusternet-controller-manager from
v0.15 on. Containers carry the component's name in both forms; a Helm release puts its own before the Deployment's.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import INFO, WARNING, about
from krm_fn.kube import containers
from krm_fn.kube.containers import image_name, of_image
from krm_fn.kube.raw import clone, is_local, mapping, pod_spec, sequence, text, title, unlisted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.kube.containers import Release
    from krm_fn.model import KubeconfigRef

HUB = "clusternet-hub"
CONTROLLER_MANAGER = "clusternet-controller-manager"
FLAG = "cluster-api-kubeconfig"
MOVED = (0, 15)  # the flag, from the hub to the controller manager
RULE = "hub-kubeconfig"

_VOLUME = "cluster-api-kubeconfig"
_MOUNT = "/etc/cluster-api-kubeconfig"
_FILE = "kubeconfig"
_FIRST = (0, 12)


class Component(Record):
    """A Deployment of the input that runs clusternet's hub or controller manager."""

    item: Item
    name: str  # HUB or CONTROLLER_MANAGER
    container: int  # position of the container that runs it
    release: Release | None  # from the image's tag; None when unknown

    @property
    def title(self) -> str:
        """For messages: the Deployment and the release of its image."""
        return f"{title(self.item)} ({self.name} {self.release or 'of unknown release'})"


def component(item: Item) -> Component | None:
    """Recognise a Deployment by the image, else the name, of one of its containers; None for any other."""
    if item.group != "apps":
        return None
    for index, one in enumerate(containers.of(item.value())):
        image = text(one, "image")
        for name in (image_name(image), text(one, "name")):
            if name in (HUB, CONTROLLER_MANAGER):
                return Component(item=item, name=name, container=index, release=of_image(image))
    return None


def takes_flag(found: Component) -> str:
    """Return why a component does not take the flag; empty if it does.

    The controller manager exists only in releases that have the flag, so there an unknown release does not matter.
    """
    release, why = found.release, ""
    if found.name == CONTROLLER_MANAGER:
        if release is not None and release.line < MOVED:
            why = f"before v0.15 {HUB} takes --{FLAG}"
    elif release is None:
        why = f"its image has no tag that shows whether it takes --{FLAG} (v0.12 to v0.14)"
    elif release.line >= MOVED:
        why = f"since v0.15 {CONTROLLER_MANAGER} takes --{FLAG}"
    elif release.line < _FIRST:
        why = f"--{FLAG} exists since v0.12"
    return f"{found.title} is left alone: {why}" if why else ""


def review(one: Component, reference: KubeconfigRef, *, change: bool) -> tuple[dict[str, Any] | None, list[Result]]:
    """Set up one Deployment, if it takes the kubeconfig; without `change`, only report what is missing.

    Returns:
        The new value, None where nothing changes, and what to report.
    """
    item = one.item
    base = f"spec.template.spec.containers[{one.container}]"
    value: dict[str, Any] = clone(item.value())
    pod, container = pod_spec(value), containers.of(value)[one.container]
    before = containers.find(container, FLAG)
    reason = takes_flag(one)
    if reason:
        results = [_report(one, reason)]
        message = f"{one.title} is given --{FLAG}, which it does not know, and exits: remove the flag there"
        if one.release is not None:
            results += [_report(one, message, WARNING, f"{base}.{flag.path}") for flag in before]
        return None, results
    wrong = unlisted(pod, "volumes") or unlisted(container, "volumeMounts", *containers.FIELDS)
    if wrong:
        return None, [_report(one, f"{one.title} is left alone: {wrong} is not a list", WARNING, base)]
    if containers.hidden(container, FLAG):
        message = (
            f"{one.title} is left alone: --{FLAG} appears inside a longer argument; give it an argument of its own"
        )
        return None, [_report(one, message, WARNING, base)]
    old = [flag.value for flag in before]
    path = _set_up(one, pod, container, reference)
    results = [
        _report(
            one,
            f"{one.title} reads the management cluster's kubeconfig from Secret {reference.name} at {path}",
            field=base,
        )
    ]
    if value == item.value():
        return None, results
    if not change or is_local(item):
        message = (
            f"{one.title} lacks volume, mount or --{FLAG} for Secret {reference.name}, and is not changed here (mode:"
            " Check, or a local-config object)"
        )
        return None, [_report(one, message, WARNING, base)]
    if any(found != path for found in old):
        message = f"--{FLAG} pointed elsewhere and now names the file from Secret {reference.name}"
        results.append(_report(one, message, field=base))
    return value, results


def _report(one: Component, message: str, severity: str = INFO, field: str = "") -> Result:
    return about(one.item, message, rule=RULE, severity=severity, field=field)


def _set_up(one: Component, pod: dict[str, Any], container: dict[str, Any], reference: KubeconfigRef) -> str:
    """Bring volume, mount and flag into place, and return the path of the kubeconfig in the container."""
    volumes = pod["volumes"] = sequence(pod.get("volumes"))
    mounts = container["volumeMounts"] = sequence(container.get("volumeMounts"))
    path = _present(volumes, mounts, reference) or _retargeted(volumes, mounts, reference)
    if not path:
        name = _free(_VOLUME, {text(volume, "name") for volume in volumes}.__contains__)
        volumes.append({"name": name, "secret": _source(reference)})
        mounts.append(_mount(name, mounts))
        path = f"{mounts[-1]['mountPath']}/{_FILE}"
    present = containers.find(container, FLAG)
    if present:
        containers.assign(container, present[0], path)
        containers.remove(container, present[1:])
    else:
        bare = "command" if one.name == HUB else "args"
        containers.append(container, f"--{FLAG}={path}", bare=bare)
    return path


def _source(reference: KubeconfigRef) -> dict[str, Any]:
    return {"secretName": reference.name, "items": [{"key": reference.key, "path": _FILE}]}


def _present(volumes: list[Any], mounts: list[Any], reference: KubeconfigRef) -> str:
    """Use a volume that already holds the key: its mount is made read-only, or one is added; empty if there is none."""
    unmounted = ("", "")
    for volume in volumes:
        secret = mapping(volume, "secret")
        name = text(volume, "name")
        chosen = secret.get("items")
        files = [text(one, "path") for one in sequence(chosen) if mapping(one).get("key") == reference.key]
        file = files[0] if files else "" if chosen else reference.key
        if secret.get("secretName") != reference.name or not file:
            continue
        unmounted = (name, file)
        for mount in mounts:
            folder = text(mount, "mountPath").rstrip("/")
            if folder and mount.get("name") == name and mount.get("subPath") in (None, "", file):
                mount["readOnly"] = True
                return folder if mount.get("subPath") else f"{folder}/{file}"
    name, file = unmounted
    if not name:
        return ""
    mounts.append(_mount(name, mounts))
    return f"{mounts[-1]['mountPath']}/{file}"


def _retargeted(volumes: list[Any], mounts: list[Any], reference: KubeconfigRef) -> str:
    """Point the volume of an earlier run at another Secret or key; empty if there is no such volume.

    Ours is recognised by its name, its kind and the place where it is mounted; no other one is ever changed.
    """
    for volume in volumes:
        name = text(volume, "name")
        if name.startswith(_VOLUME) and mapping(volume, "secret"):
            for mount in mounts:
                folder = text(mount, "mountPath")
                if mapping(mount).get("name") == name and folder.startswith(_MOUNT) and not mount.get("subPath"):
                    volume["secret"].update(_source(reference))
                    return f"{folder}/{_FILE}"
    return ""


def _free(name: str, taken: Callable[[str], bool]) -> str:
    """Return a name, with the first number behind it that makes it a free one where it is taken."""
    number = 1
    free = name
    while taken(free):
        number += 1
        free = f"{name}-{number}"
    return free


def _mount(name: str, mounts: list[Any]) -> dict[str, Any]:
    """Return a mount in a folder that is not mounted yet, is inside no mounted folder, and contains none."""
    folders = [folder for mount in mounts if (folder := text(mount, "mountPath").rstrip("/"))]

    def taken(free: str) -> bool:
        return any(f"{free}/".startswith(f"{one}/") or one.startswith(f"{free}/") for one in folders)

    return {"name": name, "mountPath": _free(_MOUNT, taken), "readOnly": True}
