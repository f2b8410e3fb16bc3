"""Configurations for tests: the smallest one with changes at dotted paths, and tables of good and bad ones."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.krm.results import Errors, Result

if TYPE_CHECKING:
    from krm_fn.model import Config

DROP = object()
DIGEST = "@sha256:" + "0123456789abcdef" * 4
TOKEN = "plantd.0123456789abcdef"
SMALLEST: dict[str, Any] = {
    "apiVersion": "fn.clusternet.io/v1alpha1",
    "kind": "ClusternetCAPIConfig",
    "metadata": {"name": "fleet"},
    "spec": {
        "parentURL": "https://parent.example.com:6443",
        "registrationToken": {"secretRef": {"name": "clusternet-registration"}},
        "clusterSelector": {"matchLabels": {"clusternet.io/register": "true"}},
    },
}


def changed(changes: dict[str, Any], prefix: str = "spec.") -> dict[str, Any]:
    """The smallest configuration with values set at dotted paths below `spec`; DROP removes one."""
    document = copy.deepcopy(SMALLEST)
    for path, value in changes.items():
        *parents, last = f"{prefix}{path}".split(".")
        node = document
        for step in parents:
            node = node.setdefault(step, {})
        if value is DROP:
            del node[last]
        else:
            node[last] = copy.deepcopy(value)
    return document


def item(document: dict[str, Any]) -> Item:
    return Item.from_value(document, 0, "fleet.yaml", 0)


def decoded(changes: dict[str, Any], prefix: str = "spec.") -> Config:
    return decode(item(changed(changes, prefix)))


def results_of(document: dict[str, Any]) -> tuple[Result, ...]:
    """The errors of a document; none if it is fine."""
    try:
        decode(item(document))
    except Errors as errors:
        return errors.results
    return ()


def errors_of(changes: dict[str, Any], prefix: str = "spec.") -> list[str]:
    """The messages for a changed configuration."""
    return [result.message for result in results_of(changed(changes, prefix))]


_VALUE = {"registrationToken": {"value": TOKEN}}
_DEPLOYMENT = {"kind": "Deployment", "name": "clusternet-agent"}
_EXTERNAL = {"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet"}}


def _on_nodes(**term: Any) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}
    return {"agent.affinity": {"nodeAffinity": required}}


def _beside_pods(**term: Any) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone", **term}]}
    return {"agent.affinity": {"podAffinity": required}}


def _variable(**source: Any) -> dict[str, Any]:
    return {"agent.env": [{"name": "A", "valueFrom": source}]}


_ON_NODES = "spec.agent.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]"
_BESIDE_PODS = "spec.agent.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]"

# What must be fine: a sentence, and the changes to the smallest configuration.
GOOD: dict[str, dict[str, Any]] = {
    "the smallest": {},
    "a URL without a port": {"parentURL": "https://parent"},
    "a URL with a path": {"parentURL": "https://rancher.example.com/k8s/clusters/c-m-1"},
    "a URL with an IPv4 address": {"parentURL": "https://10.0.0.1:6443"},
    "a URL with an IPv6 address": {"parentURL": "https://[2001:db8::1]:6443/"},
    "a token in the open": _VALUE,
    "a token in a Secret of a namespace": {
        "registrationToken.secretRef": {"name": "reg", "namespace": "x", "key": "token.txt"}
    },
    "a token in a variable": {"registrationToken": {"env": "CLUSTERNET_TOKEN", "onExpired": "Fail"}},
    "a token in a file": {"registrationToken": {"file": "token"}},
    "a token in a Secret of the user": {"registrationToken": {"existingSecret": {"name": "reg"}}},
    "a token in an external store": {"registrationToken": {"externalSecret": _EXTERNAL}},
    "a token in a cluster-wide store": {
        "registrationToken": {
            "externalSecret": {
                "secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"},
                "remoteRef": {"key": "a/b", "property": "c", "version": "2", "decodingStrategy": "Base64"},
                "refreshInterval": "1h30m",
            }
        }
    },
    "all four operators": {
        "clusterSelector": {
            "matchExpressions": [
                {"key": "a", "operator": "In", "values": ["x", ""]},
                {"key": "b.example.com/c", "operator": "NotIn", "values": ["y"]},
                {"key": "d", "operator": "Exists"},
                {"key": "e", "operator": "DoesNotExist", "values": []},
            ]
        }
    },
    "a namespace selector": {"namespaceSelector": {"matchLabels": {"team": "edge"}}},
    "a namespace selector that takes all": {"namespaceSelector": {}},
    "namespaces by name": {"namespaces": ["fleet-eu", "fleet-us"]},
    "an image with registry port": {"agent.image": "registry:5000/a/agent:v0.17.0"},
    "an image with tag and digest": {"agent.image": "registry:5000/agent:v0.17.0" + DIGEST},
    "an image by digest with a version": {"agent": {"image": "agent" + DIGEST, "version": "v0.16.0"}},
    "a foreign tag with a version": {"agent": {"image": "agent:stable", "version": "0.16.0"}},
    "no replicas": {"agent.replicas": 0},
    "pull secrets by name and as in Kubernetes": {"agent.imagePullSecrets": ["a", {"name": "b"}]},
    "resources as strings and numbers": {
        "agent.resources": {"requests": {"cpu": 0.5, "memory": "128Mi"}, "limits": {"cpu": "1", "example.com/x": 1}}
    },
    "tolerations of all kinds": {
        "agent.tolerations": [
            {"operator": "Exists"},
            {"key": "a", "operator": "Exists", "effect": "NoSchedule"},
            {"key": "a", "value": "b"},
            {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute", "tolerationSeconds": 30},
        ]
    },
    "no tolerations": {"agent.tolerations": []},
    "no affinity": {"agent.affinity": {}},
    "node affinity": _on_nodes(
        matchExpressions=[
            {"key": "a", "operator": "Gt", "values": ["1"]},
            {"key": "a", "operator": "In", "values": ["x", "y"]},
            {"key": "b", "operator": "Exists"},
        ],
        matchFields=[{"key": "metadata.name", "operator": "NotIn", "values": ["worker-1.example.com"]}],
    ),
    "pod affinity by the pods' own labels": _beside_pods(
        labelSelector={}, matchLabelKeys=["pod-template-hash"], mismatchLabelKeys=["team"]
    ),
    "requests within limits": {
        "agent.resources": {
            "requests": {"cpu": "100m", "memory": 134217728, "ephemeral-storage": "1G", "example.com/x": "1000m"},
            "limits": {"cpu": 0.1, "memory": "128Mi", "hugepages-2Mi": "4Mi", "example.com/x": 1},
        }
    },
    "variables from the pod": {
        "agent.env": [
            {"name": f"A{index}", "valueFrom": source}
            for index, source in enumerate(
                (
                    {"fieldRef": {"fieldPath": "status.podIP", "apiVersion": "v1"}},
                    {"fieldRef": {"fieldPath": "metadata.labels['app.kubernetes.io/name']"}},
                    {"fieldRef": {"fieldPath": "metadata.annotations['note']"}},
                    {"resourceFieldRef": {"resource": "limits.memory"}},
                    {"resourceFieldRef": {"resource": "limits.memory", "divisor": "1Mi"}},
                    {"resourceFieldRef": {"resource": "requests.cpu", "divisor": "1m"}},
                    {"resourceFieldRef": {"resource": "limits.hugepages-2Mi", "divisor": 1}},
                )
            )
        ]
    },
    "labels and annotations of pods": {
        "agent": {"podLabels": {"team": "x"}, "podAnnotations": {"a.example.com/b": "any text at all\n"}}
    },
    "variables of the agent": {
        "agent.env": [
            {"name": "CLUSTER_CIDR", "value": ""},
            {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "SERVICE_CIDR", "valueFrom": {"configMapKeyRef": {"name": "net", "key": "cidr"}}},
        ]
    },
    "Pull without AppPusher": {"agent": {"syncMode": "Pull", "featureGates": {"AppPusher": False}}},
    "Dual by field, Pull by flag": {
        "agent": {"featureGates": {"AppPusher": False}, "extraArgs": ["--cluster-sync-mode=Pull"]}
    },
    "gates by flag with AppPusher": {"agent.extraArgs": ["--feature-gates=Recovery=true,AppPusher=true"]},
    "an edge cluster": {"agent.clusterType": "EdgeCluster"},
    "flags": {"agent.extraArgs": ["--v=4", "--use-metrics-server", "--cluster-reg-type=EdgeCluster", "--a=b=c, d"]},
    "labels by flag": {"agent.extraArgs": ["--cluster-labels=a=b,c=d"]},
    "a patch": {
        "agent.patches": [{"target": {"kind": "Deployment", "name": "clusternet-agent"}, "patch": {"spec": None}}]
    },
    "a patch of RBAC": {
        "agent.patches": [{"target": {"kind": "ClusterRole", "name": "clusternet:agent:admin"}, "patch": {"rules": []}}]
    },
    "a name prefix": {"identity.namePrefix": "edge-eu"},
    "names from a template": {"identity": {"mode": "PerCluster", "nameTemplate": "eu-{namespace}-{name}"}},
    "names from the namespace alone": {"identity": {"mode": "PerCluster", "nameTemplate": "{namespace}"}},
    "labels of ManagedClusters": {
        "identity": {"mode": "PerCluster", "labels": {"provider": "capi"}, "labelKeys": ["env", "a.b/c"]}
    },
    "an empty list of label keys where it means nothing": {"identity.labelKeys": []},
    "another ClusterResourceSet": {
        "clusterResourceSet": {"name": "wave-1", "strategy": "ApplyOnce", "apiVersion": "v1beta1"}
    },
    "an API version in full": {"clusterResourceSet.apiVersion": "addons.cluster.x-k8s.io/v1beta2"},
    "extra resources": {
        "clusterResourceSet.extraResources": [{"kind": "Secret", "name": "a"}, {"kind": "ConfigMap", "name": "a"}]
    },
    "labels and annotations of the output": {
        "clusterResourceSet": {"labels": {"team": "x"}, "annotations": {"contact": "x@example.com"}}
    },
    "a guard by number": {"guard": {"maxRemovedClusters": 0, "minClusters": 1, "allowNoClusters": True}},
    "a guard by percentage": {"guard.maxRemovedClusters": "100%"},
    "skipping with PerCluster": {"guard.onInvalidCluster": "Skip", "identity.mode": "PerCluster"},
    "hub discovery with the token at hand": {**_VALUE, "hub.discoverySecret": True},
    "the hub's kubeconfig": {"hub.kubeconfigSecretRef": {"name": "a"}},
    "no hub discovery where the token is away": {
        "registrationToken": {"existingSecret": {"name": "reg"}},
        "hub.discoverySecret": False,
    },
    "GitOps annotations": {"gitops": {"argocd": True, "flux": True}},
    "an ensured gate": {"managementCluster.featureGate": "Ensure"},
    "a check": {"mode": "Check"},
    "empty sections": {"agent": {}, "identity": {}, "clusterResourceSet": {}, "hub": {}, "gitops": {}, "guard": {}},
}

# What must be refused: a sentence, the changes, the field of the error, and a part of its message.
BAD: dict[str, tuple[dict[str, Any], str, str]] = {
    "no parent": ({"parentURL": DROP}, "spec.parentURL", "is required"),
    "plain http": ({"parentURL": "http://parent"}, "spec.parentURL", "must begin with https://"),
    "no scheme": ({"parentURL": "parent.example.com:6443"}, "spec.parentURL", "must begin with https://"),
    "an empty URL": ({"parentURL": ""}, "spec.parentURL", "is empty"),
    "a URL with user info": ({"parentURL": "https://u:pw@parent"}, "spec.parentURL", "user name or password"),
    "a URL with a query": ({"parentURL": "https://parent?x=1"}, "spec.parentURL", "query or fragment"),
    "a URL with a fragment": ({"parentURL": "https://parent/#x"}, "spec.parentURL", "query or fragment"),
    "a URL with a space": ({"parentURL": "https://pa rent"}, "spec.parentURL", "without spaces"),
    "a URL with a line break": ({"parentURL": "https://parent\n"}, "spec.parentURL", "without spaces"),
    "the guide's placeholder": ({"parentURL": "https://<CHANGEME>:6443"}, "spec.parentURL", "placeholder"),
    "a placeholder without brackets": ({"parentURL": "https://changeme:6443"}, "spec.parentURL", "placeholder"),
    "a shell variable": ({"parentURL": "https://${PARENT}"}, "spec.parentURL", "placeholder"),
    "a template": ({"parentURL": "https://{{ parent }}"}, "spec.parentURL", "placeholder"),
    "no host": ({"parentURL": "https://"}, "spec.parentURL", "must name a host"),
    "a port alone": ({"parentURL": "https://:6443"}, "spec.parentURL", "must name a host"),
    "port 0": ({"parentURL": "https://parent:0"}, "spec.parentURL", "port from 1 to 65535"),
    "port 65536": ({"parentURL": "https://parent:65536/x"}, "spec.parentURL", "port from 1 to 65535"),
    "an empty port": ({"parentURL": "https://parent:"}, "spec.parentURL", "port from 1 to 65535"),
    "a port after IPv6": ({"parentURL": "https://[::1]:http"}, "spec.parentURL", "port from 1 to 65535"),
    "IPv6 without brackets": ({"parentURL": "https://2001:db8::1"}, "spec.parentURL", "in brackets"),
    "a broken IPv6 address": ({"parentURL": "https://[::1::2]"}, "spec.parentURL", "valid IPv6"),
    "a broken IPv4 address": ({"parentURL": "https://10.0.0.256"}, "spec.parentURL", "valid IPv4"),
    "an underscore in the host": ({"parentURL": "https://a_b"}, "spec.parentURL", "must be an https URL"),
    "a URL that is a number": ({"parentURL": 6443}, "spec.parentURL", "put it in quotes"),
    "no token": ({"registrationToken": DROP}, "spec.registrationToken", "is required"),
    "no source": ({"registrationToken": {}}, "spec.registrationToken", "has no source: give exactly one of value"),
    "only a wish about expiry": ({"registrationToken": {"onExpired": "Fail"}}, "spec.registrationToken", "no source"),
    "two sources": (
        {"registrationToken": {"env": "CLUSTERNET_A", "file": "x"}},
        "spec.registrationToken",
        "has env and file",
    ),
    "a token as a string": ({"registrationToken": TOKEN}, "spec.registrationToken", "must be an object, not a string"),
    "a variable that is not offered": (
        {"registrationToken": {"env": "AWS_SECRET_ACCESS_KEY"}},
        "spec.registrationToken.env",
        "begins with CLUSTERNET_",
    ),
    "a variable that is a setting": (
        {"registrationToken": {"env": "CLUSTERNET_PARENT_URLS"}},
        "spec.registrationToken.env",
        "setting of the operator",
    ),
    "a store of an unknown kind": (
        {"registrationToken": {"externalSecret": {**_EXTERNAL, "secretStoreRef": {"name": "a", "kind": "Vault"}}}},
        "spec.registrationToken.externalSecret.secretStoreRef.kind",
        "must be one of SecretStore, ClusterSecretStore",
    ),
    "a store without a key": (
        {"registrationToken": {"externalSecret": {"secretStoreRef": {"name": "a"}}}},
        "spec.registrationToken.externalSecret.remoteRef",
        "is required",
    ),
    "a bad interval": (
        {"registrationToken": {"externalSecret": {**_EXTERNAL, "refreshInterval": "hourly"}}},
        "spec.registrationToken.externalSecret.refreshInterval",
        "a duration such as",
    ),
    "no selector": ({"clusterSelector": DROP}, "spec.clusterSelector", "is required"),
    "an empty selector": ({"clusterSelector": {}}, "spec.clusterSelector", "would match every Cluster"),
    "a selector of empty parts": (
        {"clusterSelector": {"matchLabels": {}, "matchExpressions": []}},
        "spec.clusterSelector",
        "would match every Cluster",
    ),
    "a selector in flat form": (
        {"clusterSelector": {"env": "prod"}},
        "spec.clusterSelector.env",
        "put labels under matchLabels",
    ),
    "a selector in kubectl's syntax": (
        {"clusterSelector": "env=prod"},
        "spec.clusterSelector",
        "write it with matchLabels and matchExpressions",
    ),
    "a label value that is a boolean": (
        {"clusterSelector": {"matchLabels": {"a": True}}},
        "spec.clusterSelector.matchLabels[a]",
        "not the boolean true: put it in quotes",
    ),
    "a label value that is illegal": (
        {"clusterSelector": {"matchLabels": {"a": "-x"}}},
        "spec.clusterSelector.matchLabels[a]",
        "begin and end with a letter or digit",
    ),
    "a label key that is illegal": (
        {"clusterSelector": {"matchLabels": {"a/b/c": "x"}}},
        "spec.clusterSelector.matchLabels[a/b/c]",
        "has a bad key",
    ),
    "In without values": (
        {"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "In"}]}},
        "spec.clusterSelector.matchExpressions[0].values",
        "at least one entry",
    ),
    "Exists with values": (
        {"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["x"]}]}},
        "spec.clusterSelector.matchExpressions[0].values",
        "must not be given",
    ),
    "an operator in lower case": (
        {"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "exists"}]}},
        "spec.clusterSelector.matchExpressions[0].operator",
        "did you mean Exists?",
    ),
    "namespaces and a selector": (
        {"namespaces": ["a"], "namespaceSelector": {}},
        "spec.namespaces",
        "must not be given together with",
    ),
    "no namespaces at all": ({"namespaces": []}, "spec.namespaces", "is an empty list"),
    "namespaces that are null": ({"namespaces": None}, "spec.namespaces", "is empty: give a list"),
    "a namespace twice": ({"namespaces": ["a", "b", "a"]}, "spec.namespaces[2]", "repeats spec.namespaces[0]"),
    "a namespace in capitals": ({"namespaces": ["Edge"]}, "spec.namespaces[0]", 'not "Edge"'),
    "one namespace without a dash": ({"namespaces": "a"}, "spec.namespaces", "begin the entry with a dash"),
    "an image in capitals": ({"agent.image": "Registry/Agent:v0.18.1"}, "spec.agent.image", "an image reference"),
    "an image with a placeholder": ({"agent.image": "<CHANGEME>"}, "spec.agent.image", "an image reference"),
    "an image by digest": ({"agent.image": "agent" + DIGEST}, "spec.agent.version", "has no tag"),
    "an image without a tag": ({"agent.image": "registry:5000/agent"}, "spec.agent.version", "has no tag"),
    "an image with a foreign tag": ({"agent.image": "agent:latest"}, "spec.agent.version", '"latest" is not a version'),
    "an old agent by tag": ({"agent.image": "agent:v0.11.9"}, "spec.agent.image", "older than v0.12.0"),
    "an old agent by version": ({"agent.version": "v0.9.0"}, "spec.agent.version", "older than v0.12.0"),
    "half a version": ({"agent.version": "v0.18"}, "spec.agent.version", "a version such as"),
    "a version that is a number": ({"agent.version": 0.18}, "spec.agent.version", "put it in quotes"),
    "negative replicas": ({"agent.replicas": -1}, "spec.agent.replicas", "must be at least 0"),
    "replicas in quotes": ({"agent.replicas": "3"}, "spec.agent.replicas", "remove the quotes"),
    "half a replica": ({"agent.replicas": 1.5}, "spec.agent.replicas", "must be a whole number"),
    "a boolean for replicas": ({"agent.replicas": True}, "spec.agent.replicas", "not the boolean true"),
    "a huge number of replicas": ({"agent.replicas": 2**31}, "spec.agent.replicas", "must be at most"),
    "an unknown pull policy": ({"agent.imagePullPolicy": "always"}, "spec.agent.imagePullPolicy", "mean Always?"),
    "a pull secret of the wrong type": ({"agent.imagePullSecrets": [1]}, "spec.agent.imagePullSecrets[0]", "must be"),
    "a bad quantity": (
        {"agent.resources": {"limits": {"memory": "1GiB"}}},
        "spec.agent.resources.limits[memory]",
        "must be a quantity",
    ),
    "a quantity that is a boolean": (
        {"agent.resources": {"limits": {"cpu": True}}},
        "spec.agent.resources.limits[cpu]",
        "or a number, not the boolean true",
    ),
    "labels as a list": ({"agent.podLabels": ["a=b"]}, "spec.agent.podLabels", "must be an object, not a list"),
    "a long key": (
        {"registrationToken.secretRef.key": "x" * 254},
        "spec.registrationToken.secretRef.key",
        "is 254 characters long, at most 253",
    ),
    "a negative quantity": (
        {"agent.resources": {"limits": {"cpu": -1}}},
        "spec.agent.resources.limits[cpu]",
        "must be 0 or more",
    ),
    "a toleration without a key": ({"agent.tolerations": [{}]}, "spec.agent.tolerations[0].key", "is required"),
    "a toleration of a value that exists": (
        {"agent.tolerations": [{"key": "a", "operator": "Exists", "value": "b"}]},
        "spec.agent.tolerations[0].value",
        "must not be given",
    ),
    "an unknown effect": (
        {"agent.tolerations": [{"key": "a", "effect": "NoShedule"}]},
        "spec.agent.tolerations[0].effect",
        "did you mean NoSchedule?",
    ),
    "seconds without NoExecute": (
        {"agent.tolerations": [{"key": "a", "tolerationSeconds": 1}]},
        "spec.agent.tolerations[0].tolerationSeconds",
        "unless the effect is NoExecute",
    ),
    "a weight out of range": (
        {
            "agent.affinity": {
                "podAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {"weight": 0, "podAffinityTerm": {"topologyKey": "a"}}
                    ]
                }
            }
        },
        "spec.agent.affinity.podAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight",
        "must be at least 1",
    ),
    "two numbers to compare nodes with": (
        _on_nodes(matchExpressions=[{"key": "a", "operator": "Gt", "values": ["1", "2"]}]),
        f"{_ON_NODES}.matchExpressions[0].values",
        "has 2 entries, at most 1 are allowed",
    ),
    "a word to compare nodes with by size": (
        _on_nodes(matchExpressions=[{"key": "a", "operator": "Lt", "values": ["a"]}]),
        f"{_ON_NODES}.matchExpressions[0].values[0]",
        "must be a whole number",
    ),
    "a field of nodes that nobody can select by": (
        _on_nodes(matchFields=[{"key": "foo", "operator": "In", "values": ["a"]}]),
        f"{_ON_NODES}.matchFields[0].key",
        "must be metadata.name",
    ),
    "a field of nodes that exists": (
        _on_nodes(matchFields=[{"key": "metadata.name", "operator": "Exists", "values": ["a"]}]),
        f"{_ON_NODES}.matchFields[0].operator",
        "must be one of In, NotIn",
    ),
    "two nodes by name": (
        _on_nodes(matchFields=[{"key": "metadata.name", "operator": "In", "values": ["a", "b"]}]),
        f"{_ON_NODES}.matchFields[0].values",
        "at most 1",
    ),
    "no node by name": (
        _on_nodes(matchFields=[{"key": "metadata.name", "operator": "In"}]),
        f"{_ON_NODES}.matchFields[0].values",
        "is required",
    ),
    "label keys that narrow nothing": (
        _beside_pods(matchLabelKeys=["pod-template-hash"]),
        f"{_BESIDE_PODS}.labelSelector",
        "is required with matchLabelKeys",
    ),
    "other label keys that narrow nothing": (
        _beside_pods(mismatchLabelKeys=["team"]),
        f"{_BESIDE_PODS}.labelSelector",
        "is required with mismatchLabelKeys",
    ),
    "a label key twice": (
        _beside_pods(labelSelector={}, matchLabelKeys=["team", "team"]),
        f"{_BESIDE_PODS}.matchLabelKeys[1]",
        "repeats",
    ),
    "a request over its limit": (
        {"agent.resources": {"requests": {"memory": "1Gi"}, "limits": {"memory": "512Mi"}}},
        "spec.agent.resources.requests[memory]",
        "is more than the limit of 512Mi",
    ),
    "a device without a limit": (
        {"agent.resources": {"requests": {"example.com/gpu": 1}}},
        "spec.agent.resources.requests[example.com/gpu]",
        "needs the same amount under limits",
    ),
    "half a device": (
        {"agent.resources": {"limits": {"example.com/gpu": "500m"}}},
        "spec.agent.resources.limits[example.com/gpu]",
        "must be a whole number",
    ),
    "huge pages of no size": (
        {"agent.resources": {"limits": {"cpu": 1, "hugepages-big": "2Mi"}}},
        "spec.agent.resources.limits[hugepages-big]",
        "hugepages-SIZE",
    ),
    "half a huge page": (
        {"agent.resources": {"limits": {"cpu": 1, "hugepages-2Mi": "1Mi"}}},
        "spec.agent.resources.limits[hugepages-2Mi]",
        "must be a multiple of the size of a page",
    ),
    "a resource of quotas": (
        {"agent.resources": {"limits": {"requests.example.com/gpu": 1}}},
        "spec.agent.resources.limits[requests.example.com/gpu]",
        "is a name for quotas",
    ),
    "a variable from a field that no server gives": (
        _variable(fieldRef={"fieldPath": "status.phase"}),
        "spec.agent.env[0].valueFrom.fieldRef.fieldPath",
        "must be the path of a field such as spec.nodeName",
    ),
    "a variable from a field of another version": (
        _variable(fieldRef={"fieldPath": "spec.nodeName", "apiVersion": "v2"}),
        "spec.agent.env[0].valueFrom.fieldRef.apiVersion",
        "must be v1",
    ),
    "a variable from half a path of a resource": (
        _variable(resourceFieldRef={"resource": "memory"}),
        "spec.agent.env[0].valueFrom.resourceFieldRef.resource",
        "such as limits.memory",
    ),
    "a unit that no server knows": (
        _variable(resourceFieldRef={"resource": "limits.memory", "divisor": "10Mi"}),
        "spec.agent.env[0].valueFrom.resourceFieldRef.divisor",
        "or a multiple such as 1k or 1Mi",
    ),
    "cpu in bytes": (
        _variable(resourceFieldRef={"resource": "limits.cpu", "divisor": "1Mi"}),
        "spec.agent.env[0].valueFrom.resourceFieldRef.divisor",
        "must be 1 or 1m",
    ),
    "a thousandth of a byte": (
        _variable(resourceFieldRef={"resource": "limits.memory", "divisor": "1m"}),
        "spec.agent.env[0].valueFrom.resourceFieldRef.divisor",
        "there is no thousandth of a byte",
    ),
    "a pod label that selects": ({"agent.podLabels": {"app": "x"}}, "spec.agent.podLabels[app]", "selects its pods"),
    "a pod annotation of ours": (
        {"agent.podAnnotations": {"fn.clusternet.io/x": "y"}},
        "spec.agent.podAnnotations[fn.clusternet.io/x]",
        "sets: choose another one",
    ),
    "a variable of ours": ({"agent.env": [{"name": "REG_TOKEN"}]}, "spec.agent.env[0].name", "set by this function"),
    "a variable twice": ({"agent.env": [{"name": "A"}, {"name": "A"}]}, "spec.agent.env[1]", "repeats"),
    "a variable with two values": (
        {"agent.env": [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}]},
        "spec.agent.env[0].valueFrom",
        "together with value",
    ),
    "a variable from nowhere": (
        {"agent.env": [{"name": "A", "valueFrom": {}}]},
        "spec.agent.env[0].valueFrom",
        "exactly one of configMapKeyRef",
    ),
    "an unknown sync mode": ({"agent.syncMode": "Pul"}, "spec.agent.syncMode", "did you mean Pull?"),
    "Dual without AppPusher": (
        {"agent.featureGates": {"AppPusher": False}},
        "spec.agent.featureGates[AppPusher]",
        "must leave AppPusher on for sync mode Dual",
    ),
    "Push by flag without AppPusher": (
        {
            "agent": {
                "syncMode": "Pull",
                "featureGates": {"AppPusher": False},
                "extraArgs": ["--cluster_sync_mode=Push"],
            }
        },
        "spec.agent.featureGates[AppPusher]",
        "sync mode Push",
    ),
    "gates by flag without AppPusher": (
        {"agent.extraArgs": ["--v=1", "--feature-gates=Recovery=true,AppPusher=false"]},
        "spec.agent.extraArgs[1]",
        "must leave AppPusher on",
    ),
    "a gate in quotes": ({"agent.featureGates": {"A": "true"}}, "spec.agent.featureGates[A]", "remove the quotes"),
    "a gate with a bad name": ({"agent.featureGates": {"a-b": True}}, "spec.agent.featureGates[a-b]", "has a bad key"),
    "a flag without dashes": ({"agent.extraArgs": ["v=4"]}, "spec.agent.extraArgs[0]", "a flag of the form"),
    "a flag with one dash": ({"agent.extraArgs": ["-v=4"]}, "spec.agent.extraArgs[0]", "a flag of the form"),
    "a flag and its value in one string": ({"agent.extraArgs": ["--v 4"]}, "spec.agent.extraArgs[0]", "a flag of"),
    "the token by flag": ({"agent.extraArgs": ["--cluster-reg-token=x"]}, "spec.agent.extraArgs[0]", "token"),
    "the token by flag with underscores": (
        {"agent.extraArgs": ["--cluster_reg_token=x"]},
        "spec.agent.extraArgs[0]",
        "must not set the registration token",
    ),
    "the parent by flag": ({"agent.extraArgs": ["--cluster-reg-parent-url=x"]}, "spec.agent.extraArgs[0]", "parentURL"),
    "leader election by flag": ({"agent.extraArgs": ["--leader-elect=false"]}, "spec.agent.extraArgs[0]", "Lease"),
    "the Lease by flag": (
        {"agent.extraArgs": ["--leader-elect-resource-name=x"]},
        "spec.agent.extraArgs[0]",
        "must not change leader election",
    ),
    "a flag that the agent lacks": (
        {"agent.extraArgs": ["--cluster-type=EdgeCluster"]},
        "spec.agent.extraArgs[0]",
        "use spec.agent.clusterType",
    ),
    "the name by flag with PerCluster": (
        {"identity.mode": "PerCluster", "agent.extraArgs": ["--cluster-reg-name=x"]},
        "spec.agent.extraArgs[0]",
        "use identity.nameTemplate",
    ),
    "a name by flag that is too long": (
        {"agent.extraArgs": ["--cluster-reg-name=" + "x" * 31]},
        "spec.agent.extraArgs[0]",
        "at most 30 characters",
    ),
    "a prefix by flag that is too long": (
        {"agent.extraArgs": ["--cluster-reg-name-prefix=" + "x" * 25]},
        "spec.agent.extraArgs[0]",
        "at most 24 characters",
    ),
    "an unknown mode by flag": (
        {"agent.extraArgs": ["--cluster-sync-mode=dual"]},
        "spec.agent.extraArgs[0]",
        "one of Push, Pull, Dual",
    ),
    "a reserved label by flag": (
        {"agent.extraArgs": ["--cluster-labels=a=b,clusternet.io/created-by=x"]},
        "spec.agent.extraArgs[0]",
        "Clusternet itself sets",
    ),
    "half a label by flag": ({"agent.extraArgs": ["--cluster-labels=a"]}, "spec.agent.extraArgs[0]", "key=value"),
    "a bad label value by flag": (
        {"agent.extraArgs": ["--cluster-labels=a=-"]},
        "spec.agent.extraArgs[0]",
        "bad value",
    ),
    "a flag twice": ({"agent.extraArgs": ["--v=4", "--v=5"]}, "spec.agent.extraArgs[1]", "gives --v again"),
    "the same entry twice": ({"agent.extraArgs": ["--v=4", "--v=4"]}, "spec.agent.extraArgs[1]", "repeats"),
    "a patch as text": (
        {"agent.patches": [{"target": {"kind": "Deployment", "name": "a"}, "patch": "spec: {}"}]},
        "spec.agent.patches[0].patch",
        "must be an object",
    ),
    "a patch of a foreign kind": (
        {"agent.patches": [{"target": {"kind": "DaemonSet", "name": "a"}, "patch": {}}]},
        "spec.agent.patches[0].target.kind",
        "must be one of ClusterRole",
    ),
    "a patch of the registration Secret": (
        {
            "agent.patches": [
                {"target": {"kind": "Secret", "name": "clusternet-agent-cluster-registration"}, "patch": {}},
            ]
        },
        "spec.agent.patches[0].target.name",
        "made from registrationToken alone",
    ),
    "a prefix with PerCluster": (
        {"identity": {"mode": "PerCluster", "namePrefix": "a"}},
        "spec.identity.namePrefix",
        "only for identity.mode Shared",
    ),
    "a prefix of 25 characters": ({"identity.namePrefix": "x" * 25}, "spec.identity.namePrefix", "at most 24"),
    "a template with Shared": (
        {"identity.nameTemplate": "{name}"},
        "spec.identity.nameTemplate",
        "only for identity.mode PerCluster",
    ),
    "label keys with Shared": ({"identity.labelKeys": ["a"]}, "spec.identity.labelKeys", "only for identity.mode"),
    "a template without holes": (
        {"identity": {"mode": "PerCluster", "nameTemplate": "edge"}},
        "spec.identity.nameTemplate",
        "contains {name} or {namespace}",
    ),
    "a template with an unknown hole": (
        {"identity": {"mode": "PerCluster", "nameTemplate": "{cluster}-{name}"}},
        "spec.identity.nameTemplate",
        "must be a template",
    ),
    "a template in capitals": (
        {"identity": {"mode": "PerCluster", "nameTemplate": "EU-{name}"}},
        "spec.identity.nameTemplate",
        "must be a template",
    ),
    "a reserved label": (
        {"identity.labels": {"clusters.clusternet.io/cluster-id": "x"}},
        "spec.identity.labels[clusters.clusternet.io/cluster-id]",
        "Clusternet itself sets",
    ),
    "a label of nodes": (
        {"identity": {"mode": "PerCluster", "labelKeys": ["node.clusternet.io/x"]}},
        "spec.identity.labelKeys[0]",
        "reserves for node labels",
    ),
    "a label both fixed and copied": (
        {"identity": {"mode": "PerCluster", "labels": {"a": "b"}, "labelKeys": ["a"]}},
        "spec.identity.labelKeys[0]",
        "is in identity.labels too",
    ),
    "a variable that looks like a path": (
        {"agent.env": [{"name": "..x", "value": "1"}]},
        "spec.agent.env[0].name",
        "must not be '.' or begin with '..'",
    ),
    "a variable called dot": ({"agent.env": [{"name": "."}]}, "spec.agent.env[0].name", "must not be '.'"),
    "a key that looks like a path": (
        {"registrationToken": {"secretRef": {"name": "a", "key": "..token"}}},
        "spec.registrationToken.secretRef.key",
        "must not be '.' or begin with '..'",
    ),
    "a resource that no server knows": (
        {"agent.resources": {"limits": {"gpu": 1}}},
        "spec.agent.resources.limits[gpu]",
        "must be cpu, memory",
    ),
    "a patch with a number that is none": (
        {"agent.patches": [{"target": _DEPLOYMENT, "patch": {"spec": {"a": [1, float("nan")]}}}]},
        "spec.agent.patches[0].patch.spec.a[1]",
        "must not be .nan or .inf",
    ),
    "a patch with an infinite number": (
        {"agent.patches": [{"target": _DEPLOYMENT, "patch": {"spec": {"replicas": float("-inf")}}}]},
        "spec.agent.patches[0].patch.spec.replicas",
        "must not be .nan or .inf",
    ),
    "empty namespaces without a selector": (
        {"serveEmptyNamespaces": True},
        "spec.namespaceSelector",
        "is required with serveEmptyNamespaces",
    ),
    "empty namespaces with PerCluster": (
        {
            "namespaceSelector": {"matchLabels": {"a": "b"}},
            "serveEmptyNamespaces": True,
            "identity.mode": "PerCluster",
        },
        "spec.serveEmptyNamespaces",
        "is only for identity.mode Shared",
    ),
    "an unknown identity": ({"identity.mode": "percluster"}, "spec.identity.mode", "did you mean PerCluster?"),
    "a long set name": ({"clusterResourceSet.name": "x" * 101}, "spec.clusterResourceSet.name", "at most 100"),
    "a foreign API version": (
        {"clusterResourceSet.apiVersion": "addons.cluster.x-k8s.io/v1alpha4"},
        "spec.clusterResourceSet.apiVersion",
        "must be one of auto",
    ),
    "a label of ours": (
        {"clusterResourceSet.labels": {"app.kubernetes.io/managed-by": "me"}},
        "spec.clusterResourceSet.labels[app.kubernetes.io/managed-by]",
        "sets: choose another one",
    ),
    "an extra resource of a foreign kind": (
        {"clusterResourceSet.extraResources": [{"kind": "Deployment", "name": "a"}]},
        "spec.clusterResourceSet.extraResources[0].kind",
        "must be one of Secret, ConfigMap",
    ),
    "an extra resource twice": (
        {"clusterResourceSet.extraResources": [{"kind": "Secret", "name": "a"}, {"kind": "Secret", "name": "a"}]},
        "spec.clusterResourceSet.extraResources[1]",
        "repeats",
    ),
    "an extra resource of ours": (
        {"clusterResourceSet.extraResources": [{"kind": "ConfigMap", "name": "clusternet-cluster-api-agent"}]},
        "spec.clusterResourceSet.extraResources[0]",
        "is in the ClusterResourceSet anyway",
    ),
    "too many extra resources": (
        {"clusterResourceSet.extraResources": [{"kind": "Secret", "name": f"a{n}"} for n in range(98)]},
        "spec.clusterResourceSet.extraResources",
        "at most 97",
    ),
    "a percentage over 100": ({"guard.maxRemovedClusters": "101%"}, "spec.guard.maxRemovedClusters", "percentage"),
    "a number in quotes": ({"guard.maxRemovedClusters": "5"}, "spec.guard.maxRemovedClusters", "a percentage such as"),
    "a negative guard": ({"guard.minClusters": -1}, "spec.guard.minClusters", "must be at least 0"),
    "hub discovery without the token": (
        {"registrationToken": {"existingSecret": {"name": "a"}}, "hub.discoverySecret": True},
        "spec.hub.discoverySecret",
        "needs the token itself",
    ),
    "hub discovery with an external store": (
        {"registrationToken": {"externalSecret": _EXTERNAL}, "hub.discoverySecret": True},
        "spec.hub.discoverySecret",
        "needs the token itself",
    ),
    "a kubeconfig without a name": (
        {"hub.kubeconfigSecretRef": {}},
        "spec.hub.kubeconfigSecretRef.name",
        "is required",
    ),
    "yes for a boolean": ({"gitops.argocd": "yes"}, "spec.gitops.argocd", "must be true or false"),
    "a boolean in quotes": ({"gitops.flux": "true"}, "spec.gitops.flux", "remove the quotes"),
    "an unknown mode": ({"mode": "Dry"}, "spec.mode", "must be one of Render, Check"),
    "an unknown gate policy": (
        {"managementCluster.featureGate": "Chek"},
        "spec.managementCluster.featureGate",
        "Check?",
    ),
    "a field in other capitals": ({"parentUrl": "x"}, "spec.parentUrl", "did you mean parentURL?"),
    "a field with a typo": ({"agent.replica": 1}, "spec.agent.replica", "did you mean replicas?"),
    "a field of another section": ({"image": "x"}, "spec.image", "did you mean spec.agent.image?"),
    "a field like no other": ({"zzz": 1}, "spec.zzz", "is not a known field"),
    "a section that is a list": ({"agent": []}, "spec.agent", "must be an object, not a list"),
    "a section that is null": ({"agent": None}, "spec.agent", "is empty"),
}
