"""The hub's set-up over an input: its Deployments, and the Secret with the management cluster's kubeconfig."""

from __future__ import annotations

from krm_fn.krm.changes import Review
from krm_fn.krm.results import ERROR, INFO, Result, tagged
from krm_fn.surface import SYSTEM_NAMESPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, KubeconfigRef

_HOMES = frozenset({SYSTEM_NAMESPACE})
_FIELD = "spec.hub.kubeconfigSecretRef"
_TAGS = tagged(rule="hub-kubeconfig-secret")


def review(items: Sequence[Item], config: Config) -> Review:
    """Check the hub's set-up, or complete it, as one config asks; nothing where `hub` is not set.

    Args:
        items: The whole input.
        config: The configuration; with `mode: Check` nothing is revised.
    """
    results: list[Result] = []
    if config.hub.discovery_secret:
        from krm_fn.hub.discovery import remarks  # noqa: PLC0415 - for those who keep hub discovery

        results += remarks(config)
    reference = config.hub.kubeconfig
    if reference is None:
        return Review(results=tuple(results))
    from krm_fn.hub import deployments, kubeconfig  # noqa: PLC0415 - a parent cluster's package only

    secrets, others = _find(items, reference)
    components = [one for one in map(deployments.component, others) if one is not None]
    revised, found = deployments.review(components, reference, change=config.mode != "Check")
    results += found
    homes = {one.item.namespace for one in components if not deployments.takes_flag(one)}
    anywhere = "" in homes
    near = [one for one in secrets if anywhere or not one.namespace or one.namespace in (homes or _HOMES)]
    for item in near:
        results += kubeconfig.review(item, reference)
    if homes and not near:
        results.append(_no_secret(sorted(homes), secrets, reference))
    return Review(revised=revised, results=tuple(results))


def _find(items: Sequence[Item], reference: KubeconfigRef) -> tuple[list[Item], list[Item]]:
    """Return the Secrets of the wanted name, and the Deployments that may be the hub's."""
    needle = reference.name.encode()
    secrets = [
        item
        for item in items
        if item.kind == "Secret" and item.contains(needle) and item.name == reference.name and not item.group
    ]
    deployments = [
        item
        for item in items
        if item.kind == "Deployment" and (item.contains(b"controller") or item.contains(b"clusternet-hub"))
    ]
    for found in (secrets, deployments):
        found.sort(key=lambda item: (item.namespace, item.name))  # results must not depend on the order of the input
    return secrets, deployments


def _no_secret(homes: list[str], elsewhere: list[Item], reference: KubeconfigRef) -> Result:
    """Report where the Secret has to be; an error where the input has it in another namespace."""
    home = homes[0] or SYSTEM_NAMESPACE
    if not elsewhere:
        message = f"Secret {home}/{reference.name} is not in the input, so its kubeconfig was not checked"
        return Result(message=message, severity=INFO, field=_FIELD, tags=_TAGS)
    places = ", ".join(sorted({item.namespace for item in elsewhere}))
    message = f"Secret {reference.name} is in namespace {places}, and a pod in {home} can't mount it: move it to namespace {home}"
    return Result(message=message, severity=ERROR, field=_FIELD, tags=_TAGS)
