"""Every public name of the product, once: what users, other tools and earlier output rely on (VERSIONING.md).

Names are stable and carry no content hash: a ClusterResourceSetBinding never drops an old entry and holds at most 100
(Cluster API v1.14.0 `api/addons/v1beta2`), and a renamed Secret would race the garbage collection of the old one.
"""

from __future__ import annotations

# The configuration.
GROUP = "fn.clusternet.io"
API_VERSION = "fn.clusternet.io/v1alpha1"
KIND = "ClusternetCAPIConfig"

# What messages name.
RENDER = "clusternet-capi-fn render"  # for who gives plain manifests to the function
REPORT_AT = "https://github.com/clusternet/clusternet-capi-fn/issues"

# Labels and annotations of generated objects.
MANAGER = "clusternet-capi-fn"
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
GENERATED_LABEL = "fn.clusternet.io/generated"  # for selecting with kubectl: unlike managed-by, nobody else sets it
LABELS = {MANAGED_BY_LABEL: MANAGER, GENERATED_LABEL: "true"}  # of everything generated
OWNER_ANNOTATION = "fn.clusternet.io/owner"  # the only mark of what is ours
REGISTRATION_NAME_ANNOTATION = "fn.clusternet.io/registration-name"
AGENT_NAMESPACE_ANNOTATION = "fn.clusternet.io/agent-namespace"
RETRY_ANNOTATION = "fn.clusternet.io/retry"  # any change of it has Cluster API look at a ClusterResourceSet at once
CHECKSUM_ANNOTATION = "fn.clusternet.io/registration-checksum"

# A label of ManagedClusters that register in Shared mode: the namespace of their Cluster objects.
NAMESPACE_LABEL = "fn.clusternet.io/namespace"

# Cluster API.
CLUSTER_GROUP = "cluster.x-k8s.io"
ADDONS_GROUP = "addons.cluster.x-k8s.io"
CLUSTER_NAME_LABEL = "cluster.x-k8s.io/cluster-name"
RESOURCE_SET_KIND = "ClusterResourceSet"
RESOURCE_SET_TYPE = "addons.cluster.x-k8s.io/resource-set"
CAPI_MANAGER = "capi-controller-manager"

# Other projects.
LOCAL_CONFIG_ANNOTATION = "config.kubernetes.io/local-config"
EXTERNAL_SECRETS_GROUP = "external-secrets.io"
EXTERNAL_SECRET_KIND = "ExternalSecret"  # noqa: S105 - a kind

# The kinds that we generate, by group and kind, in the order of the output: only these can clash with ours or be ours from
# an earlier run. To each, the kind of the object that a ClusterResourceSet delivers from it; "" for the set itself.
GENERATED = {
    ("", "Secret"): "Secret",
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): "Secret",
    ("", "ConfigMap"): "ConfigMap",
    (ADDONS_GROUP, RESOURCE_SET_KIND): "",
}

# Objects of clusternet-agent on a workload cluster.
AGENT = "clusternet-agent"
SYSTEM_NAMESPACE = "clusternet-system"  # the agent's unless configured, and the hub's on the parent cluster
DEPLOYER = "clusternet-app-deployer"
REGISTRATION_SECRET = "clusternet-agent-cluster-registration"  # noqa: S105 - the name of a Secret
PARENT_URL_KEY = "parentURL"
TOKEN_KEY = "regToken"  # noqa: S105 - the name of a key
ADMIN_ROLE = "clusternet:agent:admin"
DEPLOYER_ROLE = "clusternet:app:deployer"

# What clusternet-hub's own discovery uses on the management cluster.
HUB_NAME = "clusternet-cluster-api"  # its ClusterResourceSet, and its Secret in HUB_NAMESPACE
HUB_NAMESPACE = "capi-system"
HUB_AGENT_MAP = "clusternet-agent-deploy"
HUB_RBAC_MAP = "clusternet-agent-rbac"

# Keys of the carriers, in the order in which Cluster API applies them: one key per stage. The app deployer's token
# Secret has a key after its ServiceAccount's: within one value Cluster API creates Secrets first, and the token
# controller may delete one whose account does not exist yet.
IDENTITY_KEY = "00-identity.yaml"
DEPLOYER_TOKEN_KEY = "10-app-deployer-token.yaml"  # noqa: S105 - the name of a key
REGISTRATION_KEY = "20-registration.yaml"
RBAC_KEY = "30-rbac.yaml"
DEPLOYMENT_KEY = "40-deployment.yaml"
# the strategies of Cluster API's ClusterResourceSets
RECONCILE = "Reconcile"
APPLY_ONCE = "ApplyOnce"
MIN_VALUE_BYTES = 32  # Cluster API fails the whole carrier on a shorter value (`util/yaml`, v1.14.0)


def identity_of(n: str) -> str:
    """Return the name of the identity ConfigMap and of the ApplyOnce ClusterResourceSet that applies it."""
    return f"{n}-identity"


def identity_maps_of(n: str) -> tuple[str, str]:
    """Return the names of the identity ConfigMap: the second one with PerCluster, where no set of its own applies it."""
    return (identity_of(n), f"{n}.identity")


def registrations_of(n: str) -> tuple[str, str]:
    """Return the names of the Secret (or ExternalSecret) with the registration manifest: with Shared, and with PerCluster.

    Cluster API deletes a carrier with the last ClusterResourceSet that owned it, and a change of mode replaces the main
    sets, so a carrier of both modes would go with those of the old one.
    """
    return (f"{n}-registration", f"{n}.registration")


def agent_of(n: str, cluster: str = "") -> str:
    """Return the name of the agent ConfigMap: one per namespace, or one per Cluster with PerCluster."""
    return f"{n}-agent.{cluster}" if cluster else f"{n}-agent"


def parts_of_agent(name: str) -> tuple[str, str]:
    """Return N and the Cluster of the name of an agent ConfigMap with PerCluster; the Cluster is "" for any other name."""
    n, _, cluster = name.partition(f"{agent_of('')}.")
    return n, cluster


def holds_agent(kind: str, name: str) -> bool:
    """Return whether a resource of a set, for whatever N or of the hub, holds an agent."""
    return kind == "ConfigMap" and (
        name.endswith(agent_of("")) or bool(parts_of_agent(name)[1]) or name == HUB_AGENT_MAP
    )


def set_of(n: str, cluster: str = "") -> str:
    """Return the name of the main ClusterResourceSet: one per namespace, or one per Cluster with PerCluster."""
    return f"{n}.{cluster}" if cluster else n


def checksum(digest: str) -> str:
    """Return what an agent carries of the SHA-256 of its registration, in hexadecimal, so that its pods roll with it."""
    return digest[:32]


def output_path(kind: str, namespace: str, name: str, folder: str = "") -> str:
    """Return where a new item is kept: `<folder>/<namespace>/<kind>_<name>.yaml`, as kpt itself names files."""
    return "/".join(part for part in (folder, namespace, f"{kind.lower()}_{name}.yaml") if part)


# What Cluster API's feature gate is called in results, and where clusterctl users set it.
GATE_RULE = "feature-gate"
CLUSTERCTL_LINE = 'EXP_CLUSTER_RESOURCE_SET: "true"'
CLUSTERCTL = f'clusterctl users put {CLUSTERCTL_LINE} into clusterctl.yaml before "clusterctl init" or "upgrade apply"'
