"""Cluster API's manager as its Deployment describes it: the feature gate, and which objects it looks at."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.featuregate import gates, stages
from krm_fn.kube import containers, raw
from krm_fn.status import dump as dumps
from krm_fn.surface import CAPI_MANAGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.status.dump import Dump

WATCH_LABEL = "cluster.x-k8s.io/watch-filter"
_USUAL = "capi-system"


class Manager(Record):
    """What a dump tells about the manager; all of it empty where its Deployment was not dumped.

    Attributes:
        title: Its name and release.
        name, namespace: Of its Deployment, by default those of a usual installation.
        gate: Why it applies no ClusterResourceSet; "" if the gate is fine.
        watch_filter: The value of `WATCH_LABEL` that an object needs, or the manager never looks at it.
    """

    title: str = ""
    name: str = CAPI_MANAGER
    namespace: str = _USUAL
    gate: str = ""
    watch_filter: str = ""


def read(dump: Dump) -> Manager:
    """Read the manager's Deployment."""
    for deployment in dump.of(dumps.DEPLOYMENT):
        if raw.text(deployment, "metadata", "name").endswith(CAPI_MANAGER):
            return _read(deployment)
    return Manager()


def _read(deployment: Mapping[str, Any]) -> Manager:
    release, values, filters = None, [], []
    for container in raw.entries(deployment, "spec", "template", "spec", "containers"):
        release = release or containers.of_image(raw.text(container, "image"))
        values += [flag.value for flag in containers.find(dict(container), "feature-gates")]
        filters += [flag.value for flag in containers.find(dict(container), "watch-filter")]
    title = f"{CAPI_MANAGER} {release}" if release else CAPI_MANAGER
    return Manager(
        title=title,
        name=raw.text(deployment, "metadata", "name"),
        namespace=raw.text(deployment, "metadata", "namespace") or _USUAL,
        gate=_gate(title, release, values),
        watch_filter=filters[-1] if filters else "",
    )


def _gate(title: str, release: containers.Release | None, values: list[str]) -> str:
    state = gates.state(values, beta=stages.is_beta(release))
    if stages.stage(release) == stages.REMOVED:
        passed = state not in {gates.ABSENT, gates.OPAQUE}
        return f"is passed to {title}, which no longer knows it and exits" if passed else ""
    off = state == gates.OFF or (state == gates.ABSENT and not stages.on_in_code(release))
    return f"is off in {title}" if off else ""
