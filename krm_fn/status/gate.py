"""The feature gate of a live `capi-controller-manager`, where its Deployment was dumped too."""

from __future__ import annotations

from krm_fn.featuregate import gates, stages
from krm_fn.kube import flags, raw, versions
from krm_fn.status import dump as dumps
from krm_fn.surface import CAPI_MANAGER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.status.dump import Dump

_FLAG = "feature-gates"


def problem(dump: Dump) -> str:
    """Say why this manager applies no ClusterResourceSet; empty if the gate is fine, or nothing is known of it."""
    for deployment in dump.of(dumps.DEPLOYMENT):
        if raw.text(deployment, "metadata", "name").endswith(CAPI_MANAGER):
            return _problem(deployment)
    return ""


def _problem(deployment: Mapping[str, Any]) -> str:
    release, values = None, []
    for container in raw.entries(deployment, "spec", "template", "spec", "containers"):
        release = release or versions.of_image(raw.text(container, "image"))
        values += [flag.value for flag in flags.find(dict(container), _FLAG)]
    state = gates.state(values, beta=stages.is_beta(release))
    title = f"{CAPI_MANAGER} {release}" if release else CAPI_MANAGER
    if stages.stage(release) == stages.REMOVED:
        passed = state not in {gates.ABSENT, gates.OPAQUE}
        return f"is passed to {title}, which no longer knows it and exits" if passed else ""
    off = state == gates.OFF or (state == gates.ABSENT and not stages.on_in_code(release))
    return f"is off in {title}" if off else ""
