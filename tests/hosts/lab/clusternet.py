"""What Clusternet would do, as far as dumps show it: stand-ins, since no registry serves its programs to build from.

Sources, all at tag v0.18.1 of clusternet/clusternet: the agent takes the UID of its Lease for the cluster's id
(`pkg/agent/agent.go`) and asks for its registration (`pkg/agent/clusterlifecycle`); the hub approves it and creates
namespace and ManagedCluster (`pkg/hub/registration`).
"""

from __future__ import annotations

import uuid
from datetime import datetime, timezone

from tests.hosts.lab import kubelet
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.cluster_api import crd, create_crds
from tests.hosts.lab.servers import ControlPlane

GROUP = "clusters.clusternet.io"
VERSION = f"{GROUP}/v1beta1"
REGISTRATIONS = "ClusterRegistrationRequest"


class Parent(ControlPlane):
    """The parent cluster, with stand-ins of Clusternet's CRDs and of its hub."""

    def install(self) -> None:
        """Create the CRDs."""
        anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
        short = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 30}}}
        schema = {"type": "object", "properties": {"metadata": short, "spec": anything, "status": anything}}
        clusters = crd(VERSION, "ManagedCluster", schema)
        schema = {"type": "object", "properties": {"spec": anything, "status": anything}}
        create_crds(self, [clusters, crd(VERSION, REGISTRATIONS, schema, scope="Cluster")])

    def register(
        self, name: str, cluster_id: str = "", *, ready: bool = True, labels: dict[str, str] | None = None
    ) -> str:
        """Register a cluster as the hub does; its id.

        Args:
            name: The ManagedCluster's name.
            cluster_id: The UID of the agent's Lease; a random one where there is none.
            ready: Whether its agent reports.
            labels: The labels that the agent registers with.
        """
        cluster_id = cluster_id or str(uuid.uuid4())
        self.request(name, cluster_id, labels)
        self.approve(name, cluster_id, labels, ready=ready)
        return cluster_id

    def approve(self, name: str, cluster_id: str, labels: dict[str, str] | None = None, *, ready: bool = True) -> None:
        """Approve a request as the hub does: create namespace and ManagedCluster; then its agent reports."""
        namespace = f"clusternet-{cluster_id[:5]}"
        ids = {f"{GROUP}/cluster-id": cluster_id, f"{GROUP}/cluster-name": name}
        spec = {"clusterId": cluster_id, "clusterType": "StandardCluster", "syncMode": "Dual"}
        status = {"dedicatedNamespace": namespace, "managedClusterName": name, "result": "Approved"}
        self.api.patch(REGISTRATIONS, f"clusternet-{cluster_id}", "", {"status": status}, "status")
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
        metadata = {"name": name, "namespace": namespace, "labels": {**(labels or {}), **ids}}
        self.api.create({"apiVersion": VERSION, "kind": "ManagedCluster", "metadata": metadata, "spec": spec})
        self.report(name, namespace, ready=ready)

    def request(self, name: str, cluster_id: str, cluster_labels: dict[str, str] | None = None) -> None:
        """Ask for a registration as the agent does."""
        labels = {f"{GROUP}/cluster-id": cluster_id, f"{GROUP}/cluster-name": name}
        request = {
            "apiVersion": VERSION,
            "kind": REGISTRATIONS,
            "metadata": {"name": f"clusternet-{cluster_id}", "labels": labels},
            "spec": {
                "clusterId": cluster_id,
                "clusterName": name,
                "clusterType": "StandardCluster",
                "syncMode": "Dual",
                "clusterLabels": cluster_labels or {},
            },
        }
        self.api.create(request)

    def report(self, name: str, namespace: str, *, ready: bool = True, at: datetime | None = None) -> None:
        """Report a cluster's health as its agent does, and as the hub does where the agent stopped."""
        at = at or datetime.now(timezone.utc)
        time = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        condition = {
            "type": "Ready",
            "status": "True" if ready else "Unknown",
            "reason": "ManagedClusterReady" if ready else "ClusterStatusUnknown",
            "message": "managed cluster is ready." if ready else "Clusternet agent stopped posting cluster status.",
            "lastTransitionTime": time,
        }
        healthy = {"healthz": ready, "livez": ready, "readyz": ready, "heartbeatFrequencySeconds": 180}
        status = {"conditions": [condition], "lastObservedTime": time, **healthy}
        self.api.patch("ManagedCluster", name, namespace, {"status": status}, "status")

    def wipe(self) -> None:
        """Forget all registrations."""
        for cluster in self.api.list("ManagedCluster"):
            namespace = cluster["metadata"]["namespace"]
            self.api.delete_all("ManagedCluster", namespace)
            self.api.end_namespace(namespace, ("ConfigMap", "ServiceAccount"))
        for request in self.api.list(REGISTRATIONS):
            self.api.delete(REGISTRATIONS, request["metadata"]["name"])


class Workload(ControlPlane):
    """A workload cluster's control plane. Real controllers create pods there, and nothing runs them."""

    AGENT = "clusternet-agent"
    NAMESPACE = "clusternet-system"

    def get(self, kind: str, name: str, namespace: str = NAMESPACE) -> Object | None:
        """An object of the agent's namespace, or a cluster-wide one."""
        return self.api.get(kind, name, "" if kind.startswith("Cluster") or kind == "Namespace" else namespace)

    def agent(self, namespace: str = NAMESPACE) -> Object:
        """The agent's Deployment."""
        found = self.get("Deployment", self.AGENT, namespace)
        assert found, f"no agent on {self.name}"
        return found

    def container(self, namespace: str = NAMESPACE) -> Object:
        """The agent's container."""
        return self.agent(namespace)["spec"]["template"]["spec"]["containers"][0]

    def pods(self) -> list[Object]:
        """The agent's pods."""
        return [pod for pod in self.api.list("Pod", self.NAMESPACE) if not pod["metadata"].get("deletionTimestamp")]

    def run_pods(self) -> None:
        """Do once what kubelets would: run each pod, and report it ready if the agent would pass its probes.

        The agent answers on `/healthz` alone (v0.15.0 to v0.18.1: `pkg/utils/metrics.go`); any other path is a 404.
        """
        for pod in self.pods():
            if not pod.get("status", {}).get("containerStatuses"):
                probes = [pod["spec"]["containers"][0].get(probe) for probe in ("readinessProbe", "livenessProbe")]
                ready = all(not probe or probe["httpGet"]["path"] == "/healthz" for probe in probes)
                kubelet.report(self.api, pod, ready=ready)

    def wait_rolled_out(self) -> Object:
        """Run pods until the Deployment's rollout is complete, as `kubectl rollout status` sees it."""

        def complete() -> Object | None:
            self.run_pods()
            agent = self.agent()
            wanted, status = agent["spec"]["replicas"], agent.get("status", {})
            counts = [status.get(count, 0) for count in ("replicas", "updatedReplicas", "availableReplicas")]
            seen = status.get("observedGeneration", 0) >= agent["metadata"]["generation"]
            return agent if seen and counts == [wanted] * 3 else None

        return wait(complete, lambda: f"the agent's rollout on {self.name}: {self.agent().get('status')}")

    def register(self, parent: Parent, *, name: str = "", ready: bool = True, namespace: str = NAMESPACE) -> str:
        """Register this cluster as the agent that arrived here would: by its flags and its Lease; the name.

        Args:
            parent: Where it registers.
            name: The name instead of a random one, where the flags give a prefix only.
            ready: Whether the agent reports afterwards.
            namespace: Where the agent runs.
        """
        container = self.container(namespace)
        flags = dict(
            part.removeprefix("--").split("=", 1)
            for part in [*container.get("command", []), *container.get("args", [])]
            if "=" in part
        )
        prefix = flags.get("cluster-reg-name-prefix", "clusternet-cluster")
        name = flags.get("cluster-reg-name") or name or f"{prefix}-{uuid.uuid4().hex[:5]}"
        lease = self.get("Lease", self.AGENT, namespace) or self.api.create(
            {
                "apiVersion": "coordination.k8s.io/v1",
                "kind": "Lease",
                "metadata": {"name": self.AGENT, "namespace": namespace},
            }
        )
        pairs = [pair.split("=", 1) for pair in flags.get("cluster-labels", "").split(",") if pair]
        parent.register(name, lease["metadata"]["uid"], ready=ready, labels=dict(pairs))
        return name

    def wipe(self) -> None:
        """Make the cluster as new: without what a ClusterResourceSet brought."""
        for namespace in self.api.list("Namespace"):
            name = namespace["metadata"]["name"]
            if name != "default" and not name.startswith("kube-"):
                self.api.end_namespace(name, NAMESPACED)
        for kind in ("ClusterRoleBinding", "ClusterRole"):
            for one in self.api.list(kind, selector="!kubernetes.io/bootstrapping"):
                self.api.delete(kind, one["metadata"]["name"])


NAMESPACED = (
    *("Deployment", "ReplicaSet", "Pod", "Lease", "RoleBinding", "Role"),
    *("Secret", "ConfigMap", "ServiceAccount", "Event"),
)  # fmt: skip
