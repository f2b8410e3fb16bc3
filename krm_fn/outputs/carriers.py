"""What a ClusterResourceSet refers to: two ConfigMaps and the registration, with the marks on everything generated.

The ConfigMaps hold all that a reviewer may read; the registration holds the secret. The values come ready from
`agent.payload`, under keys that the controller walks in order.
"""

from __future__ import annotations

from krm_fn.krm.results import Errors, tagged
from krm_fn.model import Generated, ObjectKey
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    LABELS,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    agent_of,
)
from krm_fn.tokens import sources

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


# etcd and the API server refuse more (core/v1 `MaxSecretSize`, the same for ConfigMaps).
MAX_BYTES = 1024 * 1024


def identity_map(config: Config, namespace: str, values: Mapping[str, str]) -> Generated:
    """Return the identity ConfigMap: Namespace and ServiceAccounts first, then the Secret that needs them."""
    annotations = {**for_embedded_text(config), AGENT_NAMESPACE_ANNOTATION: config.agent.namespace}
    return _config_map(config, namespace, config.identity_map, values, annotations)


def agent_map(
    config: Config, namespace: str, values: Mapping[str, str], *, cluster: str = "", registration_name: str = ""
) -> Generated:
    """Return ConfigMap `N-agent`, or `N-agent.<cluster>` with PerCluster."""
    annotations = for_embedded_text(config)
    if registration_name:
        annotations[REGISTRATION_NAME_ANNOTATION] = registration_name
    return _config_map(config, namespace, agent_of(config.resource_set.name, cluster), values, annotations)


def _config_map(
    config: Config, namespace: str, name: str, data: Mapping[str, str], annotations: Mapping[str, str]
) -> Generated:
    size = sum(len(text.encode()) for text in data.values())
    if size >= MAX_BYTES:
        message = (
            f"ConfigMap {name} would hold {size} bytes of manifests; Kubernetes takes less than {MAX_BYTES}."
            " Make spec.agent.patches, env or annotations smaller"
        )
        raise Errors.of(message, field="spec.agent", tags=tagged(rule="too-large"))
    value: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(config, namespace, name, annotations=annotations),
        "data": dict(data),
    }
    return Generated(
        key=ObjectKey(group="", kind="ConfigMap", namespace=namespace, name=name), value=value, owner=config.owner
    )


def registration(config: Config, namespace: str, values: Mapping[str, str]) -> Generated | None:
    """Return the object that brings the registration manifest to a namespace; None where the user keeps it there.

    Args:
        config: The config; its token source decides.
        namespace: Namespace of the Clusters.
        values: The registration manifest under its key; empty where the token is kept outside.
    """
    value = sources.carrier(config, namespace, values)
    if value is None:
        return None
    kind, name = value["kind"], value["metadata"]["name"]
    # in a Secret the text is base64, where no host finds anything to substitute
    annotations = {} if kind == "Secret" else for_embedded_text(config)
    key = ObjectKey(group=value["apiVersion"].rpartition("/")[0], kind=kind, namespace=namespace, name=name)
    marked = {**value, "metadata": metadata(config, namespace, name, annotations=annotations)}
    return Generated(key=key, value=marked, owner=config.owner)
