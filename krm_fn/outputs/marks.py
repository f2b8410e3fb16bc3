"""The marks on everything generated: who made it, for which config, and what hosts have to know of it."""

from __future__ import annotations

from krm_fn.surface import LABELS, OWNER_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.model import Config


# A ClusterResourceSet is Degraded while one workload cluster is unreachable; see docs/hosts/argocd.md.
ARGOCD_IGNORE_HEALTH = ("argocd.argoproj.io/ignore-healthcheck", "true")
# postBuild substitution would expand ${…} inside embedded manifests; see docs/hosts/flux.md.
FLUX_NO_SUBSTITUTION = ("kustomize.toolkit.fluxcd.io/substitute", "disabled")


def metadata(
    config: Config,
    namespace: str,
    name: str,
    *,
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the metadata of a generated object; the namespace is left out where the Clusters have none."""
    found: dict[str, Any] = {"name": name}
    if namespace:
        found["namespace"] = namespace
    found["labels"] = dict(sorted({**(labels or {}), **LABELS}.items()))
    found["annotations"] = dict(sorted({**(annotations or {}), OWNER_ANNOTATION: config.owner}.items()))
    return found


def for_embedded_text(config: Config) -> dict[str, str]:
    """Annotations for an object whose text could hold `${`."""
    return dict([FLUX_NO_SUBSTITUTION]) if config.gitops.flux else {}


def for_resource_set(config: Config) -> dict[str, str]:
    """Annotations for a ClusterResourceSet."""
    return dict([ARGOCD_IGNORE_HEALTH]) if config.gitops.argocd else {}
