"""The feature gate over an input: which Deployments and CoreProviders there are, and what each of them needs."""

from __future__ import annotations

from krm_fn.krm.changes import Review
from krm_fn.krm.results import INFO, Result, tagged
from krm_fn.surface import CLUSTERCTL_LINE, GATE_RULE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config


def review(items: Sequence[Item], config: Config) -> Review:
    """Check the feature gate, or set it, as one config asks; nothing with `managementCluster.featureGate: Ignore`.

    Args:
        items: The whole input.
        config: The configuration; with `mode: Check` nothing is revised.
    """
    if config.feature_gate == "Ignore":
        return Review()
    deployments, providers = _find(items)
    if not deployments and not providers:
        return Review(results=(_nothing_to_check(),))
    from krm_fn.featuregate.managers import is_manager, review_deployment, review_provider  # noqa: PLC0415 - most have none
    from krm_fn.kube.raw import is_local  # noqa: PLC0415 - as above

    managers = [item for item in deployments if is_manager(item)]
    revised: dict[int, Mapping[str, Any]] = {}
    results: list[Result] = []
    for item in [*managers, *providers]:
        ensure = config.feature_gate == "Ensure" and config.mode != "Check" and not is_local(item)
        if item.kind == "Deployment":
            value, found = review_deployment(item, ensure=ensure)
        else:
            value, found = review_provider(item, items, ensure=ensure)
        results += found
        if value is not None:
            revised[item.position] = value
    if not managers and not providers:
        results.append(_nothing_to_check())
    return Review(revised=revised, results=tuple(results))


def _find(items: Sequence[Item]) -> tuple[list[Item], list[Item]]:
    """Return the Deployments that may be a manager, and the CoreProviders; by bytes, so that others stay unparsed."""
    deployments = [item for item in items if item.kind == "Deployment" and item.contains(b"controller")]
    providers = [item for item in items if item.kind == "CoreProvider" and item.group == "operator.cluster.x-k8s.io"]
    for found in (deployments, providers):
        found.sort(key=lambda item: (item.namespace, item.name))  # results must not depend on the order of the input
    return deployments, providers


def _nothing_to_check() -> Result:
    message = (
        "feature gate ClusterResourceSet was not checked: the input has no capi-controller-manager Deployment and no"
        f" CoreProvider (up to Cluster API v1.6 it must be on: {CLUSTERCTL_LINE} in clusterctl.yaml; from v1.12 it must"
        " not be passed)"
    )
    return Result(
        message=message, severity=INFO, field="spec.managementCluster.featureGate", tags=tagged(rule=GATE_RULE)
    )
