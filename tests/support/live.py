"""Builders of live objects, full as a server returns them, in both API versions; `python -m tests.support.live` writes
the dumps under tests/fixtures/live.

What our function renders comes from the package itself, so that hashes and names are those of the product.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any

import yaml

from krm_fn import outputs
from krm_fn.agent import AgentPayload, identity_values, registration_values
from krm_fn.agent.manifests import Registration
from krm_fn.clusters.naming import shared_labels
from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.status.objects import Payload
from krm_fn.surface import API_VERSION, KIND, NAMESPACE_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Config

ROOT = Path(__file__).parents[1] / "fixtures" / "live"
# planted: nothing that we print may hold it
TOKEN = "q7x2mp.k3v9c1z8w5t4r6n0"
PARENT_URL = "https://parent.example.com:6443"
NOW = "2026-11-23T10:00:00Z"
V1BETA1 = "v1beta1"
V1BETA2 = "v1beta2"
Object = dict[str, Any]


# --- what we render ----------------------------------------------------------------------------------------------


def config(
    name: str = "clusternet",
    *,
    mode: str = "PerCluster",
    strategy: str = "Reconcile",
    prefix: str = "",
    owner: str = "fleet",
) -> Config:
    spec: Object = {
        "parentURL": PARENT_URL,
        "registrationToken": {"value": TOKEN},
        "clusterSelector": {"matchLabels": {"clusternet.io/register": "true"}},
        "identity": {"mode": mode, **({"namePrefix": prefix} if prefix else {})},
        "clusterResourceSet": {"name": name, "strategy": strategy},
    }
    value = {"apiVersion": API_VERSION, "kind": KIND, "metadata": {"name": owner}, "spec": spec}
    return decode(Item.from_value(value, 0))


def rendered(  # noqa: PLR0913 - each test says what matters to it
    found: Config, namespace: str, clusters: list[str], version: str, token: str = TOKEN, *, checksum: bool = False
) -> list[Object]:
    """Everything of one namespace as applied and then touched by the controller."""
    values = registration_values(found.agent, PARENT_URL, token)
    mark = hashlib.sha256("".join(values.values()).encode()).hexdigest()[:32] if checksum else ""
    api = f"addons.cluster.x-k8s.io/{version}"
    made = [
        outputs.identity_map(found, namespace, identity_values(found.agent)),
        outputs.registration(found, namespace, values),
        outputs.identity_set(found, namespace, api),
    ]
    payload = AgentPayload(found.agent)
    if found.per_cluster:
        for name in clusters:
            values = payload.values(Registration(name=name), mark)
            made.append(outputs.agent_map(found, namespace, values, cluster=name, registration_name=name))
            made.append(outputs.main_set(found, namespace, api, cluster=name, registration_name=name))
    else:
        labels = shared_labels(found, namespace)
        values = payload.values(Registration(name_prefix=found.identity.name_prefix, labels=labels), mark)
        made.append(outputs.agent_map(found, namespace, values))
        made.append(outputs.main_set(found, namespace, api))
    return [_live(json.loads(json.dumps(one.value))) for one in made if one is not None]


def _live(value: Object) -> Object:
    if value["kind"] == "ClusterResourceSet":
        return live_set(value)
    return stored(value)


# --- server-side fields ------------------------------------------------------------------------------------------


def stored(value: Object, **more: Any) -> Object:
    """Add what the API server adds to every object."""
    found = copy.deepcopy(value)
    metadata = found["metadata"]
    seed = f"{found['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"
    identifier = uuid.uuid5(uuid.NAMESPACE_URL, seed)
    metadata.setdefault("creationTimestamp", "2026-11-20T08:15:30Z")
    metadata.setdefault("uid", str(identifier))
    metadata.setdefault("resourceVersion", str(100000 + identifier.int % 900000))
    metadata.update(more)
    return found


def owner(kind: str, name: str, version: str, namespace: str = "") -> Object:
    group = "cluster.x-k8s.io" if kind == "Cluster" else "addons.cluster.x-k8s.io"
    uid = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{kind}/{namespace}/{name}"))
    return {"apiVersion": f"{group}/{version}", "kind": kind, "name": name, "uid": uid}


def live_set(value: Object, *, reason: str = "", message: str = "", seen: bool = True) -> Object:
    """A ClusterResourceSet with its finalizer and, if the controller has seen it, its condition."""
    found = stored(value, generation=1)
    if not seen:
        return found
    found["metadata"]["finalizers"] = ["addons.cluster.x-k8s.io"]
    version = found["apiVersion"].rpartition("/")[2]
    status = "False" if reason else "True"
    time = "2026-11-20T08:16:02Z"
    old: Object = {"lastTransitionTime": time, "status": status, "type": "ResourcesApplied"}
    if reason:
        old.update(reason=reason, severity="Warning", message=message or "failed")
    new = {
        "lastTransitionTime": time,
        "message": message,
        "observedGeneration": 1,
        "reason": reason or "ResourcesApplied",
        "status": status,
        "type": "ResourcesApplied",
    }
    paused = {"lastTransitionTime": time, "message": "", "reason": "NotPaused", "status": "False", "type": "Paused"}
    if version == V1BETA1:
        found["status"] = {"conditions": [old], "observedGeneration": 1, "v1beta2": {"conditions": [new, paused]}}
    else:
        found["status"] = {
            "conditions": [new, paused],
            "deprecated": {"v1beta1": {"conditions": [old]}},
            "observedGeneration": 1,
        }
    return found


def cluster(  # noqa: PLR0913 - each test says what matters to it
    namespace: str,
    name: str,
    version: str = V1BETA2,
    *,
    labels: dict[str, str] | None = None,
    ready: bool = True,
    topology: bool = False,
) -> Object:
    """A Cluster of the Docker provider, as the quick start makes it."""
    found_labels = (
        {"clusternet.io/register": "true", "cluster.x-k8s.io/cluster-name": name} if labels is None else labels
    )
    spec: Object = {
        "clusterNetwork": {"pods": {"cidrBlocks": ["192.168.0.0/16"]}, "services": {"cidrBlocks": ["10.128.0.0/12"]}},
        "controlPlaneEndpoint": {"host": f"{name}.{namespace}.example.com", "port": 6443},
    }
    if version == V1BETA1:
        spec["controlPlaneRef"] = {
            "apiVersion": "controlplane.cluster.x-k8s.io/v1beta1",
            "kind": "KubeadmControlPlane",
            "name": f"{name}-control-plane",
            "namespace": namespace,
        }
        spec["infrastructureRef"] = {
            "apiVersion": "infrastructure.cluster.x-k8s.io/v1beta1",
            "kind": "DockerCluster",
            "name": name,
            "namespace": namespace,
        }
    else:
        spec["controlPlaneRef"] = {
            "apiGroup": "controlplane.cluster.x-k8s.io",
            "kind": "KubeadmControlPlane",
            "name": f"{name}-control-plane",
        }
        spec["infrastructureRef"] = {
            "apiGroup": "infrastructure.cluster.x-k8s.io",
            "kind": "DockerCluster",
            "name": name,
        }
    if topology:
        spec["topology"] = {"classRef": {"name": "quick-start"}, "version": "v1.34.1"}
        found_labels = {**found_labels, "topology.cluster.x-k8s.io/owned": ""}
    value = stored(
        {
            "apiVersion": f"cluster.x-k8s.io/{version}",
            "kind": "Cluster",
            "metadata": {"name": name, "namespace": namespace, "labels": found_labels},
            "spec": spec,
        },
        finalizers=["cluster.cluster.x-k8s.io"],
        generation=2,
    )
    value["status"] = _cluster_status(version, ready=ready)
    return value


def _cluster_status(version: str, *, ready: bool) -> Object:
    time = "2026-11-20T08:15:55Z"
    phase = "Provisioned" if ready else "Provisioning"
    status = "True" if ready else "False"
    new = []
    for kind in ("Available", "InfrastructureReady", "ControlPlaneInitialized", "RemoteConnectionProbe"):
        positive = {"InfrastructureReady": "Ready", "ControlPlaneInitialized": "Initialized"}.get(kind, kind)
        one = {
            "lastTransitionTime": time,
            "message": "" if ready else "* DockerMachine w: Waiting for the load balancer",
            "observedGeneration": 2,
            "reason": positive if ready else f"Not{positive}",
            "status": status,
            "type": kind,
        }
        new.append(one)
    old = [
        {"lastTransitionTime": time, "status": status, "type": "Ready"},
        {"lastTransitionTime": time, "status": status, "type": "InfrastructureReady"},
    ]
    if not ready:
        for one in old:
            one.update(reason="LoadBalancerProvisioningFailed", severity="Warning", message="0 of 1 completed")
    if version == V1BETA1:
        return {
            "conditions": old,
            "controlPlaneReady": ready,
            "infrastructureReady": ready,
            "observedGeneration": 2,
            "phase": phase,
            "v1beta2": {"conditions": new},
        }
    return {
        "conditions": new,
        "controlPlane": {
            "availableReplicas": int(ready),
            "desiredReplicas": 1,
            "readyReplicas": int(ready),
            "replicas": 1,
        },
        "deprecated": {"v1beta1": {"conditions": old}},
        "initialization": {"controlPlaneInitialized": ready, "infrastructureProvisioned": ready},
        "observedGeneration": 2,
        "phase": phase,
    }


def binding(namespace: str, name: str, sets: list[Object], payloads: list[Object], version: str = V1BETA2) -> Object:
    """A ClusterResourceSetBinding that says that everything of these sets was applied as it is."""
    by_ref = {(one["kind"], one["metadata"]["namespace"], one["metadata"]["name"]): one for one in payloads}
    bindings = []
    for one in sets:
        resources = []
        for entry in one["spec"]["resources"]:
            payload = by_ref.get((entry["kind"], namespace, entry["name"]))
            if payload is not None:
                resources.append(
                    {
                        "applied": True,
                        "hash": Payload(payload).digest,
                        "kind": entry["kind"],
                        "lastAppliedTime": "2026-11-20T08:16:01Z",
                        "name": entry["name"],
                    }
                )
        bindings.append({"clusterResourceSetName": one["metadata"]["name"], "resources": resources})
    value = {
        "apiVersion": f"addons.cluster.x-k8s.io/{version}",
        "kind": "ClusterResourceSetBinding",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "ownerReferences": [
                owner("ClusterResourceSet", one["metadata"]["name"], version, namespace) for one in sets
            ],
        },
        "spec": {"bindings": bindings, "clusterName": name},
    }
    return stored(value, generation=3)


def cluster_id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"lease/{name}"))


def probe(found: Object, message: str) -> None:
    """Let Cluster API say that it can't reach the API server of a Cluster."""
    status = found["status"].get("v1beta2") or found["status"]
    (one,) = (each for each in status["conditions"] if each["type"] == "RemoteConnectionProbe")
    one.update(status="False", reason="ProbeFailed", message=message, lastTransitionTime="2026-11-23T09:00:50Z")


def managed(  # noqa: PLR0913 - each test says what matters to it
    name: str,
    *,
    identifier: str = "",
    namespace: str = "",
    ready: str = "True",
    seen: str = "2026-11-23T09:58:11Z",
    origin: str = "",
) -> Object:
    """A ManagedCluster of the parent; `origin` is the namespace that its agent registered with."""
    identifier = identifier or cluster_id(name)
    reasons = {
        "True": ("ManagedClusterReady", "managed cluster is ready."),
        "False": ("ManagedClusterNotReady", "managed cluster is not ready."),
        "Unknown": ("ClusterStatusUnknown", "Clusternet agent stopped posting cluster status."),
    }
    reason, message = reasons[ready]
    up = ready == "True"
    return stored(
        {
            "apiVersion": "clusters.clusternet.io/v1beta1",
            "kind": "ManagedCluster",
            "metadata": {
                "name": name,
                "namespace": namespace or f"clusternet-{identifier[:5]}",
                "labels": {
                    "clusternet.io/created-by": "clusternet-agent",
                    "clusters.clusternet.io/cluster-id": identifier,
                    "clusters.clusternet.io/cluster-name": name,
                    **({NAMESPACE_LABEL: origin} if origin else {}),
                },
            },
            "spec": {"clusterId": identifier, "clusterType": "StandardCluster", "syncMode": "Dual"},
            "status": {
                "allocatable": {"cpu": "8", "memory": "16014Mi"},
                "apiserverURL": "https://10.128.0.1:443",
                "appPusher": True,
                "capacity": {"cpu": "8", "memory": "16314Mi"},
                "clusterCIDR": "192.168.0.0/16",
                "conditions": [
                    {
                        "lastTransitionTime": seen,
                        "message": message,
                        "reason": reason,
                        "status": ready,
                        "type": "Ready",
                    }
                ],
                "healthz": up,
                "heartbeatFrequencySeconds": 180,
                "k8sVersion": "v1.34.1",
                "kubeBurst": 100,
                "kubeQPS": 50,
                "lastObservedTime": seen,
                "livez": up,
                "nodeStatistics": {"readyNodes": 4},
                "parentAPIServerURL": PARENT_URL,
                "platform": "linux/amd64",
                "predictorEnabled": True,
                "readyz": up,
                "serviceCIDR": "10.128.0.0/12",
                "useSocket": True,
            },
        }
    )


def request(name: str, *, result: str = "Approved", identifier: str = "", error: str = "", origin: str = "") -> Object:
    """A ClusterRegistrationRequest of the parent; an approved one carries a credential."""
    identifier = identifier or cluster_id(name)
    value = stored(
        {
            "apiVersion": "clusters.clusternet.io/v1beta1",
            "kind": "ClusterRegistrationRequest",
            "metadata": {
                "name": f"clusternet-{identifier}",
                "labels": {
                    "clusters.clusternet.io/cluster-id": identifier,
                    "clusters.clusternet.io/cluster-name": name,
                    "clusters.clusternet.io/registered-by": "clusternet-agent",
                },
            },
            "spec": {
                "clusterId": identifier,
                "clusterName": name,
                "clusterType": "StandardCluster",
                "syncMode": "Dual",
                **({"clusterLabels": {NAMESPACE_LABEL: origin}} if origin else {}),
            },
        }
    )
    if result == "Approved":
        value["status"] = {
            "caCertificate": base64.b64encode(b"-----BEGIN CERTIFICATE-----").decode(),
            "dedicatedNamespace": f"clusternet-{identifier[:5]}",
            "managedClusterName": name,
            "result": result,
            "token": base64.b64encode(TOKEN.encode()).decode(),
        }
    elif result:
        value["status"] = {"errorMessage": error, "result": result}
    return value


# --- clusternet-hub's own ----------------------------------------------------------------------------------------


HUB_IMAGE = "ghcr.io/clusternet/clusternet-agent:v0.17.0"


def hub_objects(namespace: str, version: str = V1BETA1, *, image: str = HUB_IMAGE, token: str = TOKEN) -> list[Object]:
    """What discovery leaves in a namespace: two ConfigMaps, the token in one of them, and a ClusterResourceSet."""
    deploy = "\n---\n".join(
        yaml.safe_dump(one, sort_keys=False)
        for one in (
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "clusternet-system"}},
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "clusternet-agent", "namespace": "clusternet-system"},
            },
            {
                "apiVersion": "v1",
                "kind": "ServiceAccount",
                "metadata": {"name": "clusternet-app-deployer", "namespace": "clusternet-system"},
            },
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "clusternet-agent-cluster-registration", "namespace": "clusternet-system"},
                "type": "Opaque",
                "stringData": {"parentURL": PARENT_URL, "regToken": token},
            },
            _hub_deployment(image),
        )
    )
    rbac = "\n---\n".join(
        yaml.safe_dump(one, sort_keys=False)
        for one in (
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "Role",
                "metadata": {"name": "clusternet:agent:admin", "namespace": "clusternet-system"},
                "rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}],
            },
            {
                "apiVersion": "rbac.authorization.k8s.io/v1",
                "kind": "ClusterRoleBinding",
                "metadata": {"name": "clusternet:app:deployer"},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [
                    {"kind": "ServiceAccount", "name": "clusternet-app-deployer", "namespace": "clusternet-system"}
                ],
            },
        )
    )
    held = owner("ClusterResourceSet", "clusternet-cluster-api", version, namespace)
    maps = [
        stored(
            {
                "apiVersion": "v1",
                "data": {name: f"\n---\n{text}"},
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace, "ownerReferences": [held]},
            }
        )
        for name, text in (("clusternet-agent-deploy", deploy), ("clusternet-agent-rbac", rbac))
    ]
    group = "addons.cluster.x-k8s.io"
    found = live_set(
        {
            "apiVersion": f"{group}/{version}",
            "kind": "ClusterResourceSet",
            "metadata": {
                "name": "clusternet-cluster-api",
                "namespace": namespace,
                "labels": {"clusternet.io/created-by": "clusternet-hub"},
            },
            "spec": {
                "clusterSelector": {
                    "matchExpressions": [{"key": "cluster.x-k8s.io/cluster-name", "operator": "Exists"}]
                },
                "resources": [
                    {"kind": "ConfigMap", "name": "clusternet-agent-deploy"},
                    {"kind": "ConfigMap", "name": "clusternet-agent-rbac"},
                ],
                "strategy": "ApplyOnce",
            },
        }
    )
    return [*maps, found]


def _hub_deployment(image: str) -> Object:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "clusternet-agent",
            "namespace": "clusternet-system",
            "labels": {"app": "clusternet-agent"},
        },
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"app": "clusternet-agent"}},
            "template": {
                "metadata": {"labels": {"app": "clusternet-agent"}},
                "spec": {
                    "serviceAccountName": "clusternet-agent",
                    "tolerations": [{"key": "node-role.kubernetes.io/master", "operator": "Exists"}],
                    "containers": [
                        {
                            "name": "clusternet-agent",
                            "image": image,
                            "imagePullPolicy": "IfNotPresent",
                            "env": [
                                {
                                    "name": "PARENT_URL",
                                    "valueFrom": {
                                        "secretKeyRef": {
                                            "name": "clusternet-agent-cluster-registration",
                                            "key": "parentURL",
                                        }
                                    },
                                },
                                {
                                    "name": "REG_TOKEN",
                                    "valueFrom": {
                                        "secretKeyRef": {
                                            "name": "clusternet-agent-cluster-registration",
                                            "key": "regToken",
                                        }
                                    },
                                },
                                {
                                    "name": "AGENT_NAMESPACE",
                                    "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}},
                                },
                            ],
                            "command": [
                                "/usr/local/bin/clusternet-agent",
                                "--cluster-reg-token=$(REG_TOKEN)",
                                "--cluster-reg-parent-url=$(PARENT_URL)",
                                "--cluster-sync-mode=Dual",
                                "--use-metrics-server=false",
                                "--feature-gates=SocketConnection=true,AppPusher=true,Recovery=true,Predictor=true",
                                "--leader-elect-resource-namespace=$(AGENT_NAMESPACE)",
                                "--predictor-direct-access=false",
                                "--predictor-port=8080",
                            ],
                        }
                    ],
                },
            },
        },
    }


def hub_secret(*, image: str = HUB_IMAGE, token: str = TOKEN) -> Object:
    """Step 2 of the guide."""
    data = {"image": image, "parentURL": PARENT_URL, "regToken": token}
    return stored(
        {
            "apiVersion": "v1",
            "data": {key: base64.b64encode(value.encode()).decode() for key, value in data.items()},
            "kind": "Secret",
            "metadata": {"name": "clusternet-cluster-api", "namespace": "capi-system"},
            "type": "Opaque",
        }
    )


def manager(version: str, gates: str) -> Object:
    """The Deployment of Cluster API's core manager."""
    args = ["--leader-elect", "--diagnostics-address=:8443", "--insecure-diagnostics=false"]
    if gates:
        args.append(f"--feature-gates={gates}")
    return stored(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {
                "name": "capi-controller-manager",
                "namespace": "capi-system",
                "labels": {"cluster.x-k8s.io/provider": "cluster-api", "control-plane": "controller-manager"},
            },
            "spec": {
                "replicas": 1,
                "selector": {"matchLabels": {"control-plane": "controller-manager"}},
                "template": {
                    "metadata": {"labels": {"control-plane": "controller-manager"}},
                    "spec": {
                        "containers": [
                            {
                                "args": args,
                                "command": ["/manager"],
                                "image": f"registry.k8s.io/cluster-api/cluster-api-controller:{version}",
                                "name": "manager",
                            }
                        ]
                    },
                },
            },
        }
    )


# --- dumps -------------------------------------------------------------------------------------------------------


def listed(*objects: Object) -> Object:
    """What `kubectl get -o` prints for several objects."""
    return {"apiVersion": "v1", "items": list(objects), "kind": "List", "metadata": {"resourceVersion": ""}}


def as_yaml(*objects: Object) -> bytes:
    """The same as YAML; kubectl sorts keys."""
    return yaml.safe_dump(listed(*objects), sort_keys=True, width=1_000_000).encode()


def as_json(*objects: Object) -> bytes:
    """The same as JSON."""
    return (json.dumps(listed(*objects), indent=4) + "\n").encode()


class Fleet:
    """One namespace of Clusters that all register, to be spoilt in one respect."""

    def __init__(
        self,
        namespace: str = "team-a",
        names: tuple[str, ...] = ("web-1", "web-2"),
        version: str = V1BETA2,
        *,
        found: Config | None = None,
        checksum: bool = False,
    ) -> None:
        self.namespace = namespace
        self.version = version
        self.config = found or config()
        self.clusters = [cluster(namespace, name, version) for name in names]
        objects = rendered(self.config, namespace, list(names), version, checksum=checksum)
        self.sets = [one for one in objects if one["kind"] == "ClusterResourceSet"]
        self.payloads = [one for one in objects if one["kind"] != "ClusterResourceSet"]
        self.bindings = [self.binding(name) for name in names]
        self.managed = [managed(name) for name in names] if self.config.per_cluster else []
        self.requests = [request(name) for name in names] if self.config.per_cluster else []

    def binding(self, name: str) -> Object:
        """The Binding of a Cluster with everything that selects it applied."""
        own = [
            one
            for one in self.sets
            if one["metadata"]["name"].endswith((f".{name}", "-identity")) or not self.config.per_cluster
        ]
        return binding(self.namespace, name, own, self.payloads, self.version)

    def of(self, kind: str, name: str) -> Object:
        """One of its objects, to be changed in place."""
        pool = [*self.clusters, *self.sets, *self.payloads, *self.bindings, *self.managed, *self.requests]
        return next(one for one in pool if one["kind"] == kind and one["metadata"]["name"] == name)

    def drop(self, kind: str, name: str) -> None:
        """Take one of its objects away."""
        for pool in (self.clusters, self.sets, self.payloads, self.bindings, self.managed, self.requests):
            pool[:] = [one for one in pool if (one["kind"], one["metadata"]["name"]) != (kind, name)]

    @property
    def management(self) -> list[Object]:
        return [*self.clusters, *self.sets, *self.bindings]

    @property
    def parent(self) -> list[Object]:
        return [*self.managed, *self.requests]

    @property
    def everything(self) -> list[Object]:
        return [*self.management, *self.payloads, *self.parent]


def resource(found: Object, name: str, kind: str = "Secret") -> Object:
    """An entry of a Binding, by the name of the resource."""
    return next(
        entry
        for one in found["spec"]["bindings"]
        for entry in one["resources"]
        if (entry["kind"], entry["name"]) == (kind, name)
    )


def _write(path: str, data: bytes) -> None:
    target = ROOT / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def write_fixtures() -> None:
    """Write the dumps that the pages under docs/ show."""
    healthy = Fleet("team-a", ("web-1", "web-2"))
    _write("healthy/management.yaml", as_yaml(*healthy.management))
    _write("healthy/ours.yaml", as_yaml(*healthy.payloads))
    _write("healthy/parent.yaml", as_yaml(*healthy.parent))

    a = Fleet("team-a", ("web-1", "web-2", "web-3", "web-4"))
    a.drop("ManagedCluster", "web-2")
    a.of("ClusterRegistrationRequest", f"clusternet-{cluster_id('web-2')}").pop("status")
    a.managed[1] = managed("web-3", ready="Unknown", seen="2026-11-21T22:10:40Z")
    a.clusters.append(cluster("team-a", "db-1", labels={"cluster.x-k8s.io/cluster-name": "db-1", "env": "prod"}))
    a.clusters[3] = cluster("team-a", "web-4", ready=False)
    a.bindings = [one for one in a.bindings if one["metadata"]["name"] != "web-4"]
    a.managed = [one for one in a.managed if one["metadata"]["name"] != "web-4"]
    a.requests = [one for one in a.requests if one["spec"]["clusterName"] != "web-4"]
    a.managed.append(managed("old-1", ready="Unknown", seen="2026-06-02T03:04:05Z"))

    b = Fleet("team-b", ("api-1",), V1BETA1)
    b.of("Secret", "clusternet.registration")["type"] = "Opaque"
    b.bindings, b.managed, b.requests = [], [], []
    for one in list(b.sets):
        if one["metadata"]["name"] == "clusternet.api-1":
            b.sets.remove(one)
            spoilt = {key: value for key, value in one.items() if key != "status"}
            b.sets.append(live_set(spoilt, reason="WrongSecretType", message="unsupported secret type"))
    _write("fleet/management.yaml", as_yaml(*a.management, *b.management))
    _write("fleet/ours.yaml", as_yaml(*a.payloads, *b.payloads))
    _write("fleet/parent.yaml", as_yaml(*a.parent, *b.parent))
    _write("fleet/management.json", as_json(*a.management, *b.management))

    shared = Fleet("team-c", ("app-1", "app-2", "app-3"), found=config(mode="Shared", prefix="team-c"))
    names = ("team-c-x7k2p", "team-c-b4d9z")
    shared.managed = [managed(name, origin="team-c") for name in names]
    shared.requests = [request(name, origin="team-c") for name in names]
    _write("shared/management.yaml", as_yaml(*shared.management))
    _write("shared/ours.yaml", as_yaml(*shared.payloads))
    _write("shared/parent.yaml", as_yaml(*shared.parent))

    default, team = hub_objects("default"), hub_objects("team-a")
    clusters = [
        cluster(
            "default",
            "capi-quickstart",
            V1BETA1,
            labels={"cluster.x-k8s.io/cluster-name": "capi-quickstart"},
            topology=True,
        ),
        cluster("team-a", "web-1", V1BETA1, labels={"cluster.x-k8s.io/cluster-name": "web-1"}, topology=True),
        cluster("team-a", "legacy", V1BETA1, labels={}),
    ]
    bindings = [
        binding("default", "capi-quickstart", default[2:], default[:2], V1BETA1),
        binding("team-a", "web-1", team[2:], team[:2], V1BETA1),
    ]
    _write("hub/management.yaml", as_yaml(*clusters, default[2], team[2], *bindings))
    _write("hub/hub.yaml", as_yaml(*default[:2], *team[:2], hub_secret()))


if __name__ == "__main__":
    write_fixtures()
    sys.stdout.write(f"written below {ROOT}\n")
