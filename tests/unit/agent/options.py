"""Agent options for tests: the defaults of the configuration, with what a test changes."""

from __future__ import annotations

from typing import Any

from krm_fn.model import AgentOptions, AgentVersion, Patch
from tests.support.decoded import decoded

NEWEST = "v0.18.1"
RELEASES = (
    "v0.12.0",
    "v0.13.0",
    "v0.14.0",
    "v0.15.0",
    "v0.15.1",
    "v0.15.2",
    "v0.16.0",
    "v0.17.0",
    "v0.18.0",
    NEWEST,
    "v0.19.0",
)

# The objects of the agent, in the order in which they are applied
ELEVEN = [
    ("Namespace", "clusternet-system"),
    ("ServiceAccount", "clusternet-agent"),
    ("ServiceAccount", "clusternet-app-deployer"),
    ("Secret", "clusternet-app-deployer"),
    ("Secret", "clusternet-agent-cluster-registration"),
    ("Role", "clusternet:agent:admin"),
    ("RoleBinding", "clusternet:agent:admin"),
    ("ClusterRole", "clusternet:agent:admin"),
    ("ClusterRoleBinding", "clusternet:agent:admin"),
    ("ClusterRoleBinding", "clusternet:app:deployer"),
    ("Deployment", "clusternet-agent"),
]


def version(text: str) -> AgentVersion:
    major, minor, patch = (int(part) for part in text.removeprefix("v").split("."))
    return AgentVersion(major=major, minor=minor, patch=patch)


def agent(release: str = NEWEST, patches: tuple[Patch, ...] = (), **changes: Any) -> AgentOptions:
    options = decoded().agent
    fields = {**options.fields, "image": f"ghcr.io/clusternet/clusternet-agent:{release}", **changes}
    return options.replace(fields=fields, version=version(release), patches=patches)


# every option of `spec.agent` but `version`, which goes with the release, and `patches`
WRITTEN: dict[str, Any] = {
    "image": "registry.example.com:5000/mirror/clusternet-agent@sha256:" + "0e1" * 21 + "2",
    "namespace": "1e3",
    "replicas": 1,
    "imagePullPolicy": "IfNotPresent",
    "imagePullSecrets": [{"name": "pull"}, "0x10"],
    "resources": {"requests": {"cpu": 0.5, "memory": 1}, "limits": {"cpu": "1e3", "memory": "128Mi"}},
    "nodeSelector": {"node": "on", "0o17": "null"},
    "tolerations": [{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}],
    "affinity": {
        "nodeAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [{"matchExpressions": [{"key": "y", "operator": "In", "values": ["n", "1_000"]}]}]
            }
        }
    },
    "priorityClassName": "system-cluster-critical",
    "podLabels": {"team": "no", "685e230": "true"},
    "podAnnotations": {"note": 'a "quoted" \\ text\nof two lines: # and ${more}\u2028\u0007', "empty": ""},
    "env": [
        {"name": "CLUSTER_CIDR", "value": "10.0.0.0/8"},
        {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
    ],
    "syncMode": "Pull",
    "clusterType": "EdgeCluster",
    "featureGates": {"AppPusher": False, "Extra": True},
    "extraArgs": ["--predictor-port=9090", "--v=4", "--use_metrics_server"],
}

EVERY_OPTION: dict[str, Any] = {
    name: decoded({"agent": {**WRITTEN, "version": NEWEST}}).agent[name] for name in WRITTEN
}
