"""The ConfigMaps that hold what a ClusterResourceSet applies to workload clusters.

They hold all that a reviewer may read; `registration` has what nobody may. The values come ready from `agent.payload`,
under keys that the controller walks in order.
"""

from __future__ import annotations

from krm_fn.krm.results import fault, tagged
from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import marks
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    agent_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.model import Config

# etcd and the API server refuse more (core/v1 `MaxSecretSize`, the same for ConfigMaps).
MAX_BYTES = 1024 * 1024


def identity_map(config: Config, namespace: str, values: Mapping[str, str]) -> Generated:
    """Return the identity ConfigMap: Namespace and ServiceAccounts first, then the Secret that needs them."""
    annotations = {**marks.for_embedded_text(config), AGENT_NAMESPACE_ANNOTATION: config.agent.namespace}
    return _config_map(config, namespace, config.identity_map, values, annotations)


def agent_map(
    config: Config, namespace: str, values: Mapping[str, str], *, cluster: str = "", registration_name: str = ""
) -> Generated:
    """Return ConfigMap `N-agent`, or `N-agent.<cluster>` with PerCluster."""
    annotations = marks.for_embedded_text(config)
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
        raise fault(message, field="spec.agent", tags=tagged(rule="too-large"))
    value: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": marks.metadata(config, namespace, name, annotations=annotations),
        "data": dict(data),
    }
    return Generated(
        key=ObjectKey(group="", kind="ConfigMap", namespace=namespace, name=name), value=value, owner=config.owner
    )
