"""The commands that `status` prints with its reasons: never run here, and names are quoted, since a dump can hold anything.

Each is run on real control planes, in the situation that it is printed for; `tests/hosts/lab/faults/printed.py` lists where.
"""

from __future__ import annotations

from shlex import quote

from krm_fn.base import Record
from krm_fn.status.dump import CLUSTERS, GET_CLUSTERS, MANAGED, REQUESTS, SETS
from krm_fn.status.objects import PAUSED_ANNOTATION
from krm_fn.surface import CAPI_MANAGER, GENERATED_LABEL, RETRY_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from krm_fn.status.objects import LiveCluster, Managed, Manager


class Commands(Record):
    """The commands, for the contexts of kubectl that `status` was given; without them the reader has to know where."""

    context: str = ""
    parent_context: str = ""

    # --- the management cluster: what only reads

    def dump_clusters(self) -> str:
        """Print what `status` can't do without."""
        return self._here(GET_CLUSTERS)

    def dump_payloads(self) -> str:
        """Print our Secrets and ConfigMaps."""
        return self._here(f"get secrets,configmaps -A -l {GENERATED_LABEL}=true -o yaml")

    def dump_manager(self) -> str:
        """Print the Deployment of Cluster API's manager, wherever it is."""
        return f"{self.manager()} -o yaml"

    def manager(self) -> str:
        """Show whether Cluster API's manager runs."""
        return self._here(f"get deployments.apps -A --field-selector metadata.name={CAPI_MANAGER}")

    def manager_log(self, manager: Manager, name: str) -> str:
        """Show what Cluster API's manager says of a Cluster."""
        log = self._here(f"-n {quote(manager.namespace)} logs deployment/{quote(manager.name)}")
        return f"{log} | grep {_name(name)}"

    def describe(self, cluster: LiveCluster) -> str:
        """Show a Cluster's conditions and events."""
        return self._here(f"-n {quote(cluster.namespace)} describe {CLUSTERS} {_name(cluster.name)}")

    def describe_namespace(self, name: str) -> str:
        """Show what a namespace that is being deleted waits for."""
        return self._here(f"describe namespace {_name(name)}")

    # --- the management cluster: what changes something

    def label_cluster(self, cluster: LiveCluster, labels: Mapping[str, str]) -> str:
        """Give a Cluster labels."""
        pairs = " ".join(quote(f"{key}={value}") for key, value in sorted(labels.items()))
        place = f"-n {quote(cluster.namespace)} label --overwrite {CLUSTERS} {_name(cluster.name)}"
        return self._here(f"{place} {pairs}")

    def label_sets(self, namespace: str, names: Iterable[str], label: str) -> str:
        """Give ClusterResourceSets a label."""
        return self._here(f"-n {quote(namespace)} label --overwrite {SETS} {_names(names)} {quote(label)}")

    def unpause(self, namespace: str, names: Iterable[str]) -> str:
        """Let Cluster API look at ClusterResourceSets again."""
        return self._here(f"-n {quote(namespace)} annotate {SETS} {_names(names)} {PAUSED_ANNOTATION}-")

    def retry(self, namespace: str, names: Iterable[str]) -> str:
        """Touch ClusterResourceSets: Cluster API looks at them at once, instead of after its growing delay."""
        mark = f'{RETRY_ANNOTATION}="$(date +%s)"'
        return self._here(f"-n {quote(namespace)} annotate --overwrite {SETS} {_names(sorted(names))} {mark}")

    def delete(self, kind: str, namespace: str, name: str) -> str:
        """Delete a Secret or ConfigMap."""
        return self._here(f"-n {quote(namespace)} delete {kind.lower()} {_name(name)}")

    def delete_set(self, namespace: str, name: str) -> str:
        """Delete a ClusterResourceSet."""
        return self._here(f"-n {quote(namespace)} delete {SETS} {_name(name)}")

    # --- the workload cluster, with its kubeconfig from the management cluster, which is kept in no file

    def pods(self, cluster: LiveCluster, namespace: str) -> str:
        """Show the agent's pods."""
        return self._there(cluster, f"-n {quote(namespace)} get pods,events")

    def lease(self, cluster: LiveCluster, namespace: str) -> str:
        """Print the id under which the agent registers."""
        return self._there(cluster, f"-n {quote(namespace)} get lease clusternet-agent -o jsonpath={{.metadata.uid}}")

    # --- the parent cluster

    def dump_parent(self) -> str:
        """Print which clusters are registered, and which have asked."""
        return self._parent(f"get {MANAGED},{REQUESTS} -A -o yaml")

    def delete_request(self, name: str) -> str:
        """Delete a registration request."""
        return self._parent(f"delete {REQUESTS} {_name(name)} --ignore-not-found")

    def remove(self, managed: Managed) -> tuple[str, ...]:
        """Remove a registration: the hub prunes nothing (clusternet#159), so each object goes by hand."""
        objects_name = f"clusternet-{managed.cluster_id}"
        return (
            self.delete_request(objects_name),
            self._parent(f"-n {quote(managed.namespace)} delete {MANAGED} {_name(managed.name)}"),
            self._parent(f"delete clusterrole,clusterrolebinding {_name(objects_name)}"),
            self._parent(f"delete namespace {_name(managed.namespace)}"),
        )

    def _here(self, rest: str) -> str:
        return _kubectl(self.context, rest)

    def _parent(self, rest: str) -> str:
        return _kubectl(self.parent_context, rest)

    def _there(self, cluster: LiveCluster, rest: str) -> str:
        secret = f"{quote(f'{cluster.name}-kubeconfig')} -o jsonpath={{.data.value}}"
        kubeconfig = self._here(f"-n {quote(cluster.namespace)} get secret {secret} | base64 -d")
        return f"kubectl --kubeconfig <({kubeconfig}) {rest}"


def _kubectl(context: str, rest: str) -> str:
    return f"kubectl --context {quote(context)} {rest}" if context else f"kubectl {rest}"


def _names(names: Iterable[str]) -> str:
    return " ".join(map(_name, names))


def _name(name: str) -> str:
    """Quote a name; one that looks like an option is no option, and neither is what follows: such a command does nothing."""
    return f"-- {quote(name)}" if name.startswith("-") else quote(name)
