"""Names of everything generated, all from N, the `clusterResourceSet.name`; they are public surface (VERSIONING.md).

Names are stable and carry no content hash: a ClusterResourceSetBinding never drops an old entry and holds at most 100
(Cluster API v1.14.0 `api/addons/v1beta2`), and a renamed Secret would race the garbage collection of the old one.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Cluster, Config


def identity(n: str) -> str:
    """Name of the identity ConfigMap and of the ApplyOnce ClusterResourceSet that applies it."""
    return f"{n}-identity"


def registration(n: str) -> str:
    """Name of the Secret (or ExternalSecret) that holds the registration manifest."""
    return f"{n}-registration"


def agent(n: str, cluster: str = "") -> str:
    """Name of the agent ConfigMap: one a namespace, or one a Cluster with PerCluster."""
    return f"{n}-agent.{cluster}" if cluster else f"{n}-agent"


def resource_set(n: str, cluster: str = "") -> str:
    """Name of the main ClusterResourceSet: one a namespace, or one a Cluster with PerCluster."""
    return f"{n}.{cluster}" if cluster else n


def main_set_of(config: Config, cluster: Cluster) -> str:
    """Name of the ClusterResourceSet that delivers a config's agent to a Cluster."""
    return resource_set(config.resource_set.name, cluster.name if config.per_cluster else "")
