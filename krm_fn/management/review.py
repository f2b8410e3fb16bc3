"""Looks once over the input for what the management and the parent cluster run, and hands it to the rooms beside."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.krm.results import ERROR, INFO, Result, tagged
from krm_fn.kube.shapes import CLUSTERCTL_LINE, GATE_RULE, is_local

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, KubeconfigRef

ENSURE = "Ensure"
IGNORE = "Ignore"
_CHECK_MODE = "Check"

_PARENT_NAMESPACE = "clusternet-system"
_HOMES = frozenset({_PARENT_NAMESPACE})
_FIELD = "spec.hub.kubeconfigSecretRef"
_TAGS = tagged(rule="hub-kubeconfig-secret")


class Review(Record):
    """What the feature gate and the hub's set-up ask for.

    Attributes:
        revised: New whole values by position in the input; the SDK edits only what differs.
        results: What is to be said.
    """

    revised: Mapping[int, Mapping[str, Any]] = {}
    results: tuple[Result, ...] = ()


def review(items: Sequence[Item], config: Config) -> Review:
    """Check and mend feature gates and the hub's set-up, as one config asks.

    Args:
        items: The whole input.
        config: The configuration; with `mode: Check` nothing is revised.

    Returns:
        The review; nothing in it where `managementCluster.featureGate` is Ignore and `hub` is not set.
    """
    results = _discovery_remarks(config) if config.hub.discovery_secret else []
    gate = config.feature_gate != IGNORE
    reference = config.hub.kubeconfig
    revised: dict[int, Mapping[str, Any]] = {}
    if gate or reference:
        found = _find(items, reference)
        if gate:
            _review_gates(found, items, config, revised, results)
        if reference:
            _review_hub(found, config, reference, revised, results)
    return Review(revised=revised, results=tuple(results))


def _discovery_remarks(config: Config) -> list[Result]:
    from krm_fn.hub.discovery import remarks  # noqa: PLC0415 - for those who keep hub discovery

    return remarks(config)


class _Found(Record):
    deployments: list[Item]
    providers: list[Item]
    secrets: list[Item]


def _find(items: Sequence[Item], reference: KubeconfigRef | None) -> _Found:
    """Sort out what is of interest, by kind first and then by bytes, so that other items stay unparsed."""
    found = _Found(deployments=[], providers=[], secrets=[])
    needle = reference.name.encode() if reference else b""
    for item in items:
        kind = item.kind
        if kind == "Deployment":
            # every Deployment of interest but the hub has "controller" in its name or its image
            if item.contains(b"controller") or (reference and item.contains(b"clusternet-hub")):
                found.deployments.append(item)
        elif kind == "CoreProvider":
            if item.group == "operator.cluster.x-k8s.io":
                found.providers.append(item)
        elif (
            kind == "Secret" and reference and item.contains(needle) and item.name == reference.name and not item.group
        ):
            found.secrets.append(item)
    for one in found:
        one.sort(key=lambda item: (item.namespace, item.name))  # what is said must not depend on the order of the input
    return found


def _review_gates(
    found: _Found,
    items: Sequence[Item],
    config: Config,
    revised: dict[int, Mapping[str, Any]],
    results: list[Result],
) -> None:
    if not found.deployments and not found.providers:
        results.append(_nothing_to_check())
        return
    from krm_fn.featuregate import core_provider, manager  # noqa: PLC0415 - most inputs hold neither

    managers = [item for item in found.deployments if manager.is_manager(item)]
    for item in [*managers, *found.providers]:
        ensure = config.feature_gate == ENSURE and config.mode != _CHECK_MODE and not is_local(item)
        if item.kind == "Deployment":
            value, said = manager.review(item, ensure=ensure)
        else:
            value, said = core_provider.review(item, items, ensure=ensure)
        results.extend(said)
        if value is not None:
            revised[item.position] = value
    if not managers and not found.providers:
        results.append(_nothing_to_check())


def _nothing_to_check() -> Result:
    message = (
        "feature gate ClusterResourceSet was not checked: the input has no capi-controller-manager Deployment and no"
        f" CoreProvider (up to Cluster API v1.6 it must be on: {CLUSTERCTL_LINE} in clusterctl.yaml; from v1.12 it must"
        " not be passed)"
    )
    return Result(
        message=message, severity=INFO, field="spec.managementCluster.featureGate", tags=tagged(rule=GATE_RULE)
    )


def _review_hub(
    found: _Found,
    config: Config,
    reference: KubeconfigRef,
    revised: dict[int, Mapping[str, Any]],
    results: list[Result],
) -> None:
    from krm_fn.hub import deployments as hub  # noqa: PLC0415 - a parent cluster's package only
    from krm_fn.hub import kubeconfig  # noqa: PLC0415 - a parent cluster's package only

    components = [one for one in map(hub.component, found.deployments) if one is not None]
    changed, said = hub.review(components, reference, change=config.mode != _CHECK_MODE)
    revised.update(changed)
    results.extend(said)
    homes = {one.item.namespace for one in components if not hub.takes_flag(one)}
    anywhere = "" in homes
    secrets = [one for one in found.secrets if anywhere or not one.namespace or one.namespace in (homes or _HOMES)]
    for item in secrets:
        results.extend(kubeconfig.review(item, reference))
    if homes and not secrets:
        results.append(_no_secret(sorted(homes), found.secrets, reference))


def _no_secret(homes: list[str], elsewhere: list[Item], reference: KubeconfigRef) -> Result:
    """Say where the Secret has to be; an error where the input has it in another namespace."""
    home = homes[0] or _PARENT_NAMESPACE
    if not elsewhere:
        message = f"Secret {home}/{reference.name} is not in the input, so its kubeconfig was not checked"
        return Result(message=message, severity=INFO, field=_FIELD, tags=_TAGS)
    places = ", ".join(sorted({item.namespace for item in elsewhere}))
    message = f"Secret {reference.name} is in namespace {places}, and a pod in {home} can't mount it: put it into namespace {home}"
    return Result(message=message, severity=ERROR, field=_FIELD, tags=_TAGS)
