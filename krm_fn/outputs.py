"""All objects of one config: what each namespace and, with PerCluster, each Cluster gets, and what each object holds.

Carriers are two ConfigMaps, which hold all that a reviewer may read, and the registration, which holds the secret. Their
values come ready from `agent`, under keys that the controller walks in order.

Two ClusterResourceSets refer to them by default. `Reconcile` replaces whole objects when their hash changes (Cluster API
v1.14.0 `exp/addons/internal/controllers/clusterresourcesetscope`): applied to ServiceAccounts and their token Secret it
would wipe what the workload cluster's controllers wrote there. So identity goes under `ApplyOnce`, the rest under the
config's strategy; with `ApplyOnce` for all, one ClusterResourceSet refers to everything.
"""

from __future__ import annotations

from krm_fn.agent import AgentPayload, check, identity_values, registration_values
from krm_fn.agent.manifests import Registration
from krm_fn.base import sha256_hex
from krm_fn.clusters import capi
from krm_fn.clusters.naming import shared_labels
from krm_fn.krm.results import Errors
from krm_fn.kube.labels import LabelSelector
from krm_fn.model import Generated, ObjectKey
from krm_fn.surface import (
    AGENT_NAMESPACE_ANNOTATION,
    APPLY_ONCE,
    CLUSTER_NAME_LABEL,
    HUB_NAMESPACE,
    LABELS,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
    agent_of,
    checksum,
    identity_of,
    set_of,
)
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from krm_fn.clusters import Part
    from krm_fn.model import Cluster, Config

# etcd and the API server refuse more (core/v1 `MaxSecretSize`, the same for ConfigMaps).
MAX_BYTES = 1024 * 1024


def build(part: Part) -> Iterator[Generated]:
    """Yield the objects of one config.

    Raises:
        Errors: The agent's options don't fit one another, or an object would be too large.
    """
    config, token = part.config, part.token
    by_namespace: dict[str, list[Cluster]] = {namespace: [] for namespace in part.namespaces}
    for cluster in part.served:
        by_namespace.setdefault(cluster.namespace, []).append(cluster)
    if config.hub.discovery_secret and token.secret is not None:
        from krm_fn.hub import discovery_secret  # noqa: PLC0415 - for those who keep hub discovery

        yield _marked(config, HUB_NAMESPACE, discovery_secret(config, token.secret))
    if not by_namespace:
        return
    check(config.agent)
    manifest: dict[str, str] = {}
    if token.secret is not None:
        manifest = registration_values(config.agent, config.parent_url, token.secret.reveal())
    digest = _checksum(config, manifest)
    identity = identity_values(config.agent)
    agent = AgentPayload(config.agent)
    for namespace, clusters in sorted(by_namespace.items()):
        version = api_version(config, clusters)
        yield identity_map(config, namespace, identity)
        for one in (registration(config, namespace, manifest), identity_set(config, namespace, version)):
            if one is not None:
                yield one
        if not config.per_cluster:
            labels = shared_labels(config, namespace)
            shared = Registration(name_prefix=config.identity.name_prefix, labels=labels)
            yield agent_map(config, namespace, agent.values(shared, digest))
            yield main_set(config, namespace, version)
            continue
        for cluster in clusters:
            found = part.namings[cluster.key]
            values = agent.values(Registration(name=found.name, labels=found.labels), digest)
            own = {"cluster": cluster.name, "registration_name": found.name}
            yield agent_map(config, namespace, values, **own)
            yield main_set(config, namespace, version, **own)


def _checksum(config: Config, manifest: Mapping[str, str]) -> str:
    """Return what makes pods roll when the registration changes.

    The agent reads URL and token from environment variables, which a running pod never sees change. A token that is kept
    outside is not known here, so a change of it does not roll the pods (docs/tokens.md).
    """
    text = "".join(manifest.values()) or f"{config.token.kind} {config.parent_url}"
    return checksum(sha256_hex(text.encode()))


def _marked(
    config: Config,
    namespace: str,
    value: Mapping[str, Any],
    annotations: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
) -> Generated:
    """Return a named object as one of ours; its namespace is left out where the Clusters have none."""
    kind, name = value["kind"], value["metadata"]["name"]
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = dict(sorted({**(labels or {}), **LABELS}.items()))
    metadata["annotations"] = dict(sorted({**(annotations or {}), OWNER_ANNOTATION: config.owner}.items()))
    key = ObjectKey(group=value["apiVersion"].rpartition("/")[0], kind=kind, namespace=namespace, name=name)
    return Generated(key=key, value={**value, "metadata": metadata}, owner=config.owner)


# --- carriers --------------------------------------------------------------------------------------------------------


def identity_map(config: Config, namespace: str, values: Mapping[str, str]) -> Generated:
    """Return the identity ConfigMap: Namespace and ServiceAccounts first, then the Secret that needs them."""
    annotations = {**_for_embedded_text(config), AGENT_NAMESPACE_ANNOTATION: config.agent["namespace"]}
    return _config_map(config, namespace, config.identity_map, values, annotations)


def agent_map(
    config: Config, namespace: str, values: Mapping[str, str], *, cluster: str = "", registration_name: str = ""
) -> Generated:
    """Return ConfigMap `N-agent`, or `N-agent.<cluster>` with PerCluster."""
    annotations = {**_for_embedded_text(config), **_registered_as(registration_name)}
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
        raise Errors.of(message, field="spec.agent", rule="too-large")
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": dict(data)}
    return _marked(config, namespace, value, annotations)


def registration(config: Config, namespace: str, values: Mapping[str, str]) -> Generated | None:
    """Return the object that brings the registration manifest to a namespace; None where the user keeps it there.

    `values` holds the manifest under its key, and is empty where the token is kept outside.
    """
    value = sources.carrier(config, namespace, values)
    if value is None:
        return None
    # in a Secret the text is base64, where no host finds anything to substitute
    return _marked(config, namespace, value, {} if value["kind"] == "Secret" else _for_embedded_text(config))


def _registered_as(name: str) -> dict[str, str]:
    return {REGISTRATION_NAME_ANNOTATION: name} if name else {}


def _for_embedded_text(config: Config) -> dict[str, str]:
    """Return the annotations of an object that holds manifests as text."""
    return {key: one for host in config.hosts for key, one in host.on_text.items()}


# --- ClusterResourceSets ---------------------------------------------------------------------------------------------


def api_version(config: Config, clusters: Iterable[Cluster]) -> str:
    """Decide the version for one namespace."""
    return config.resource_set.api_version or capi.api_version(clusters)


def identity_set(config: Config, namespace: str, version: str) -> Generated | None:
    """Return the ApplyOnce set of the identity ConfigMap; None where the main set carries it."""
    options = config.resource_set
    if options.strategy == APPLY_ONCE:
        return None
    spec = {
        "clusterSelector": config.cluster_selector.as_data(),
        "strategy": APPLY_ONCE,
        "resources": [{"kind": "ConfigMap", "name": config.identity_map}],
    }
    metadata = {"name": identity_of(options.name)}
    value = {"apiVersion": version, "kind": RESOURCE_SET_KIND, "metadata": metadata, "spec": spec}
    return _marked(config, namespace, value, _set_annotations(config), options.labels)


def main_set(
    config: Config, namespace: str, version: str, *, cluster: str = "", registration_name: str = ""
) -> Generated:
    """Return the set that delivers registration and agent; with `cluster` for that one, under its `registration_name`."""
    options = config.resource_set
    resources = [{"kind": "ConfigMap", "name": config.identity_map}] if options.strategy == APPLY_ONCE else []
    resources.append({"kind": "Secret", "name": config.registration})
    resources += map(dict, options.extra_resources)
    resources.append({"kind": "ConfigMap", "name": agent_of(options.name, cluster)})
    selector = LabelSelector.of({CLUSTER_NAME_LABEL: cluster}, ()) if cluster else config.cluster_selector
    spec = {"clusterSelector": selector.as_data(), "strategy": options.strategy, "resources": resources}
    metadata = {"name": set_of(options.name, cluster)}
    value = {"apiVersion": version, "kind": RESOURCE_SET_KIND, "metadata": metadata, "spec": spec}
    annotations = {**_set_annotations(config), **_registered_as(registration_name)}
    return _marked(config, namespace, value, annotations, options.labels)


def _set_annotations(config: Config) -> dict[str, str]:
    ours = {key: one for host in config.hosts for key, one in host.on_sets.items()}
    return {**config.resource_set.annotations, **ours}
