"""ClusterResourceSets: which Clusters get which carriers, and under which strategy.

Two of them by default. `Reconcile` replaces whole objects when their hash changes (Cluster API v1.14.0
`exp/addons/internal/controllers/clusterresourcesetscope`): applied to ServiceAccounts and their token Secret it would
wipe what the workload cluster's controllers wrote there. So identity goes under `ApplyOnce`, the rest under the config's
strategy; with `ApplyOnce` for all, one ClusterResourceSet refers to everything.
"""

from __future__ import annotations

from krm_fn.clusters import capi
from krm_fn.kube.labels import LabelSelector
from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import carriers
from krm_fn.surface import (
    ADDONS_GROUP,
    CLUSTER_NAME_LABEL,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
    agent_of,
    identity_of,
    set_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.model import Cluster, Config

APPLY_ONCE = "ApplyOnce"


def api_version(config: Config, clusters: Iterable[Cluster]) -> str:
    """Decide the version for one namespace."""
    return config.resource_set.api_version or capi.api_version(clusters)


def identity_set(config: Config, namespace: str, version: str) -> Generated | None:
    """Return the ApplyOnce set of the identity ConfigMap; None where the main set carries it."""
    if config.resource_set.strategy == APPLY_ONCE:
        return None
    n = config.resource_set.name
    resources = [{"kind": "ConfigMap", "name": config.identity_map}]
    return _make(config, namespace, identity_of(n), version, config.cluster_selector, APPLY_ONCE, resources, "")


def main_set(  # noqa: PLR0913 - the parts of one object, each by name
    config: Config,
    namespace: str,
    version: str,
    *,
    registration: str,
    cluster: str = "",
    registration_name: str = "",
) -> Generated:
    """Return the set that delivers registration and agent.

    Args:
        config: The config.
        namespace: Namespace of the Clusters; "" where they have none.
        version: `apiVersion` of the object.
        registration: Name of the registration Secret.
        cluster: The one Cluster it is for; "" for all that the config's selector matches.
        registration_name: With `cluster`, the name under which that one registers.
    """
    n = config.resource_set.name
    resources = [{"kind": "Secret", "name": registration}]
    resources += [{"kind": extra.kind, "name": extra.name} for extra in config.resource_set.extra_resources]
    resources.append({"kind": "ConfigMap", "name": agent_of(n, cluster)})
    if config.resource_set.strategy == APPLY_ONCE:
        resources.insert(0, {"kind": "ConfigMap", "name": config.identity_map})
    selector = config.cluster_selector
    if cluster:
        selector = LabelSelector.of({CLUSTER_NAME_LABEL: cluster}, ())
    name = set_of(n, cluster)
    strategy = config.resource_set.strategy
    return _make(config, namespace, name, version, selector, strategy, resources, registration_name)


def _make(  # noqa: PLR0913, PLR0917 - the parts of one object, each named where it is called
    config: Config,
    namespace: str,
    name: str,
    version: str,
    selector: LabelSelector,
    strategy: str,
    resources: list[dict[str, str]],
    registration_name: str,
) -> Generated:
    annotations = {**config.resource_set.annotations, **carriers.for_resource_set(config)}
    if registration_name:
        annotations[REGISTRATION_NAME_ANNOTATION] = registration_name
    value = {
        "apiVersion": version,
        "kind": RESOURCE_SET_KIND,
        "metadata": carriers.metadata(
            config, namespace, name, labels=config.resource_set.labels, annotations=annotations
        ),
        "spec": {"clusterSelector": selector.as_data(), "strategy": strategy, "resources": resources},
    }
    return Generated(
        key=ObjectKey(group=ADDONS_GROUP, kind=RESOURCE_SET_KIND, namespace=namespace, name=name),
        value=value,
        owner=config.owner,
    )
