"""The feature gate over an input: which Deployments and CoreProviders there are, and what each of them needs."""

from __future__ import annotations

from krm_fn.krm.changes import Review
from krm_fn.krm.results import INFO, Result
from krm_fn.surface import CLUSTERCTL_LINE, GATE_RULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config


def review(items: Sequence[Item], config: Config) -> Review:
    """Check the feature gate over an input, or set it, as one config asks; with `mode: Check` nothing is revised."""
    if config.feature_gate == "Ignore":
        return Review()
    revised: dict[int, Mapping[str, Any]] = {}
    results: list[Result] = []
    # by bytes, so that other objects stay unparsed
    candidates = [
        item
        for item in items
        if (item.kind == "Deployment" and item.contains(b"controller"))
        or (item.kind == "CoreProvider" and item.group == "operator.cluster.x-k8s.io")
    ]
    if candidates:
        from krm_fn.featuregate import gates  # noqa: PLC0415 - most inputs have none

        candidates.sort(key=lambda item: (item.kind == "CoreProvider", item.namespace, item.name))
        for item in candidates:
            value, found = gates.review(item, items, config)
            results += found
            if value is not None:
                revised[item.position] = value
    if not results:
        message = (
            "feature gate ClusterResourceSet was not checked: the input has no capi-controller-manager Deployment and no"
            f" CoreProvider (up to Cluster API v1.6 it must be on: {CLUSTERCTL_LINE} in clusterctl.yaml; from v1.12 it must"
            " not be passed)"
        )
        field = "spec.managementCluster.featureGate"
        results.append(Result(message=message, severity=INFO, field=field, rule=GATE_RULE))
    return Review(revised=revised, results=tuple(results))
