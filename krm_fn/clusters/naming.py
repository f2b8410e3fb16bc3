"""Under which name and labels a Cluster registers: legal, unique over the fleet, and stable.

The agent accepts 60 characters, the ManagedCluster CRD 30 (clusternet v0.18.1, `pkg/agent/options` and
`manifests/crds`); the stricter one counts. Name and labels reach Clusternet at the first registration only.
"""

from __future__ import annotations

from krm_fn.base.digest import sha256_hex
from krm_fn.base.records import Record
from krm_fn.kube.labels import label_value_fault
from krm_fn.kube.names import dns_label_fault
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.model import Cluster, Config

MAX_NAME = 30
DEFAULT_PREFIX = "clusternet-cluster"  # the agent's own, v0.12 to v0.18
_HASH = 8  # 32 bits: with 10,000 shortened names that also share their first 21 characters, 1 % for any clash


class Naming(Record):
    """How one Cluster registers, or why it can't.

    Attributes:
        cluster: The Cluster.
        name: Its registration name.
        labels: Labels of its future ManagedCluster.
        needs_label: Whether the Cluster object has to be given `cluster.x-k8s.io/cluster-name`.
        faults: Why it can't be served; empty if it can.
    """

    cluster: Cluster
    name: str
    labels: Mapping[str, str]
    needs_label: bool = False
    faults: tuple[str, ...] = ()


def register(config: Config, cluster: Cluster) -> Naming:
    """Give one Cluster its name and labels under a config with `mode: PerCluster`."""
    name = _name(config, cluster)
    faults = []
    reason = dns_label_fault(name, MAX_NAME)
    if reason:
        faults.append(f"its registration name {name!r} (from {config.identity.name_template!r}) {reason}")
    if "{namespace}" in config.identity.name_template and not cluster.namespace:
        faults.append("it has no namespace, which spec.identity.nameTemplate uses; give it metadata.namespace")
    needs_label, name_faults = _cluster_name_label(config, cluster)
    return Naming(
        cluster=cluster,
        name=name,
        labels=_labels(config, cluster),
        needs_label=needs_label,
        faults=(*faults, *name_faults),
    )


def _labels(config: Config, cluster: Cluster) -> dict[str, str]:
    """Return the labels of the future ManagedCluster: static ones, overridden by those of the Cluster.

    Both are legal: the config room and `capi.read` refuse others.
    """
    copied = {key: cluster.live_labels[key] for key in config.identity.label_keys if key in cluster.live_labels}
    return dict(sorted({**config.identity.labels, **copied}.items()))


def _cluster_name_label(config: Config, cluster: Cluster) -> tuple[bool, list[str]]:
    """Tell whether the Cluster has to be given its name as a label, and why that can't be done."""
    found = cluster.live_labels.get(CLUSTER_NAME_LABEL)
    if found == cluster.name:
        return False, []
    if found is not None:
        return False, [
            f"its label {CLUSTER_NAME_LABEL} is {found!r}, but its name is {cluster.name!r}; correct or remove the label"
        ]
    if cluster.local:
        reason = (
            f"it is local-config and lacks the label by which its ClusterResourceSet finds it; add"
            f" '{CLUSTER_NAME_LABEL}: {cluster.name}' to metadata.labels where it is deployed from, and here"
        )
        return False, [reason]
    faults = []
    reason = label_value_fault(cluster.name)
    if reason:
        faults.append(f"its name can't be the value of label {CLUSTER_NAME_LABEL}: it {reason}")
    if not config.cluster_selector.matches({**cluster.live_labels, CLUSTER_NAME_LABEL: cluster.name}):
        faults.append(
            f"PerCluster gives it the label {CLUSTER_NAME_LABEL}, with which spec.clusterSelector no longer matches it;"
            " select by another label"
        )
    return True, faults


def _name(config: Config, cluster: Cluster) -> str:
    """Fill the template; too long a name keeps its beginning and ends in a hash of the Cluster's full name.

    The hash covers namespace and name alone, so the result does not change when other Clusters come or go.
    """
    name = config.identity.name_template.replace("{namespace}", cluster.namespace).replace("{name}", cluster.name)
    if len(name) <= MAX_NAME:
        return name
    digest = sha256_hex(f"{cluster.namespace}/{cluster.name}/{name}".encode())[:_HASH]
    return name[: MAX_NAME - _HASH - 1].rstrip("-.") + "-" + digest


def clashes(namings: Iterable[tuple[str, Naming]]) -> dict[str, list[tuple[str, Naming]]]:
    """Return the names that more than one Cluster would have, over all configs, each with its claimants in order.

    Args:
        namings: Pairs of a config's owner id and a naming.
    """
    claimed: dict[str, list[tuple[str, Naming]]] = {}
    for owner, naming in namings:
        claimed.setdefault(naming.name, []).append((owner, naming))
    return {
        name: sorted(claims, key=lambda claim: (claim[1].cluster.key, claim[0]))
        for name, claims in sorted(claimed.items())
        if len({claim[1].cluster.key for claim in claims}) > 1
    }


def shared_name(config: Config) -> str:
    """Return the shape of the names that agents choose with `mode: Shared`: a prefix and five random characters."""
    return f"{config.identity.name_prefix or DEFAULT_PREFIX}-xxxxx"
