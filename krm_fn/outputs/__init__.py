"""All objects of one config: what each namespace and, with PerCluster, each Cluster gets, and what each object holds.

Carriers are two ConfigMaps, which hold all that a reviewer may read, and the registration, which holds the secret. Their
values come ready from `agent.payload`, under keys that the controller walks in order.

Two ClusterResourceSets refer to them by default. `Reconcile` replaces whole objects when their hash changes (Cluster API
v1.14.0 `exp/addons/internal/controllers/clusterresourcesetscope`): applied to ServiceAccounts and their token Secret it
would wipe what the workload cluster's controllers wrote there. So identity goes under `ApplyOnce`, the rest under the
config's strategy; with `ApplyOnce` for all, one ClusterResourceSet refers to everything.
"""

from __future__ import annotations

from krm_fn.agent import payload
from krm_fn.agent.flags import Registration
from krm_fn.base import sha256_hex
from krm_fn.clusters import capi
from krm_fn.clusters.selection import shared_labels
from krm_fn.krm.results import Errors, tagged
from krm_fn.kube.labels import LabelSelector
from krm_fn.model import Generated, ObjectKey
from krm_fn.surface import (
    ADDONS_GROUP,
    AGENT_NAMESPACE_ANNOTATION,
    CLUSTER_NAME_LABEL,
    HUB_NAME,
    HUB_NAMESPACE,
    LABELS,
    OWNER_ANNOTATION,
    REGISTRATION_NAME_ANNOTATION,
    RESOURCE_SET_KIND,
    agent_of,
    identity_of,
    set_of,
)
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from krm_fn.clusters.selection import Part
    from krm_fn.model import AgentOptions, Cluster, Config

# A ClusterResourceSet is Degraded while one workload cluster is unreachable; see docs/hosts/argocd.md.
ARGOCD_IGNORE_HEALTH = ("argocd.argoproj.io/ignore-healthcheck", "true")
# postBuild substitution would expand ${…} inside embedded manifests; see docs/hosts/flux.md.
FLUX_NO_SUBSTITUTION = ("kustomize.toolkit.fluxcd.io/substitute", "disabled")
# etcd and the API server refuse more (core/v1 `MaxSecretSize`, the same for ConfigMaps).
MAX_BYTES = 1024 * 1024
APPLY_ONCE = "ApplyOnce"


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
        yield _discovery_secret(part)
    if not by_namespace:
        return
    _check(config.agent)
    identity_values = payload.identity_values(config.agent)
    registration_values: dict[str, str] = {}
    if token.secret is not None:
        registration_values = payload.registration_values(config.agent, config.parent_url, token.secret.reveal())
    checksum = _checksum(config, registration_values)
    agent = payload.AgentPayload(config.agent)
    secret = sources.secret_name(config)
    for namespace, clusters in sorted(by_namespace.items()):
        version = api_version(config, clusters)
        yield identity_map(config, namespace, identity_values)
        for one in (
            registration(config, namespace, registration_values),
            identity_set(config, namespace, version),
        ):
            if one is not None:
                yield one
        if not config.per_cluster:
            labels = shared_labels(config, namespace)
            shared = Registration(name_prefix=config.identity.name_prefix, labels=labels)
            yield agent_map(config, namespace, agent.values(shared, checksum))
            yield main_set(config, namespace, version, registration=secret)
            continue
        for cluster in clusters:
            found = part.namings[cluster.key]
            values = agent.values(Registration(name=found.name, labels=found.labels), checksum)
            own = {"cluster": cluster.name, "registration_name": found.name}
            yield agent_map(config, namespace, values, **own)
            yield main_set(config, namespace, version, registration=secret, **own)


def _check(options: AgentOptions) -> None:
    if options["extraArgs"] or options["featureGates"] or options.patches:
        from krm_fn.agent import checks  # noqa: PLC0415 - most configs keep the agent's defaults

        checks.review(options)


def _discovery_secret(part: Part) -> Generated:
    from krm_fn.hub.discovery import discovery_secret  # noqa: PLC0415 - for those who keep hub discovery

    config = part.config
    value = discovery_secret(config, part.token)
    key = ObjectKey(group="", kind="Secret", namespace=HUB_NAMESPACE, name=HUB_NAME)
    marked = {**value, "metadata": metadata(config, HUB_NAMESPACE, HUB_NAME)}
    return Generated(key=key, value=marked, owner=config.owner)


def _checksum(config: Config, registration_values: Mapping[str, str]) -> str:
    """Return what makes pods roll when the registration changes.

    The agent reads URL and token from environment variables, which a running pod never sees change. A token that is kept
    outside is not known here, so a change of it does not roll the pods (docs/tokens.md).
    """
    text = "".join(registration_values.values()) or f"{config.token.kind} {config.parent_url}"
    return sha256_hex(text.encode())[:32]


# --- carriers --------------------------------------------------------------------------------------------------------


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
    return dict([FLUX_NO_SUBSTITUTION]) if config.flux else {}


def for_resource_set(config: Config) -> dict[str, str]:
    """Annotations for a ClusterResourceSet."""
    return dict([ARGOCD_IGNORE_HEALTH]) if config.argocd else {}


def identity_map(config: Config, namespace: str, values: Mapping[str, str]) -> Generated:
    """Return the identity ConfigMap: Namespace and ServiceAccounts first, then the Secret that needs them."""
    annotations = {**for_embedded_text(config), AGENT_NAMESPACE_ANNOTATION: config.agent["namespace"]}
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


# --- ClusterResourceSets ---------------------------------------------------------------------------------------------


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
    annotations = {**config.resource_set.annotations, **for_resource_set(config)}
    if registration_name:
        annotations[REGISTRATION_NAME_ANNOTATION] = registration_name
    value = {
        "apiVersion": version,
        "kind": RESOURCE_SET_KIND,
        "metadata": metadata(config, namespace, name, labels=config.resource_set.labels, annotations=annotations),
        "spec": {"clusterSelector": selector.as_data(), "strategy": strategy, "resources": resources},
    }
    return Generated(
        key=ObjectKey(group=ADDONS_GROUP, kind=RESOURCE_SET_KIND, namespace=namespace, name=name),
        value=value,
        owner=config.owner,
    )
