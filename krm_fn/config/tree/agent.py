"""The tree of `spec.agent`: how clusternet-agent is installed. Types that are Kubernetes' own are in `kubernetes.py`."""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Json, Text, Whole
from krm_fn.config.tree import kubernetes, selectors
from krm_fn.surface import AGENT as AGENT_NAME
from krm_fn.surface import SYSTEM_NAMESPACE

SYNC_MODES = ("Push", "Pull", "Dual")
CLUSTER_TYPES = ("StandardCluster", "EdgeCluster")

_SOFT_ANTI_AFFINITY = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {
                "weight": 100,
                "podAffinityTerm": {
                    "labelSelector": {"matchLabels": {"app": AGENT_NAME}},
                    "topologyKey": "kubernetes.io/hostname",
                },
            }
        ]
    }
}

_KINDS = (
    "ClusterRole", "ClusterRoleBinding", "Deployment", "Namespace", "Role", "RoleBinding", "Secret", "ServiceAccount",
)  # fmt: skip
_TARGET = Object(
    Field("kind", Choice(*_KINDS), "Kind of the object.", required=True, example="Deployment"),
    Field("name", Text(formats.PATCH_TARGET), "Name of the object.", required=True, example=AGENT_NAME),
)
_HOST_NETWORK = {"spec": {"template": {"spec": {"hostNetwork": True}}}}
_PATCH = Object(
    Field("target", _TARGET, "The agent object to change.", required=True),
    Field(
        "patch",
        Json(),
        "A JSON merge patch (RFC 7386), as an object: null removes, lists are replaced.",
        required=True,
        private=True,
        example=_HOST_NETWORK,
    ),
)

AGENT = Object(
    Field(
        "image",
        Text(formats.IMAGE),
        "Image of clusternet-agent.",
        default="ghcr.io/clusternet/clusternet-agent:v0.18.1",
        example="registry.example.com/clusternet/clusternet-agent:v0.18.1",
    ),
    Field(
        "version",
        Text(formats.VERSION),
        "Version of the agent; taken from the image's tag, required with a digest or another tag.",
        example="v0.18.1",
    ),
    Field(
        "namespace",
        selectors.NAMESPACE,
        "Namespace of the agent on the workload clusters; can't be changed later.",
        default=SYSTEM_NAMESPACE,
    ),
    Field("replicas", Whole(), "Number of agent pods.", default=3, example=1),
    Field("imagePullPolicy", Choice("Always", "IfNotPresent", "Never"), "As in Kubernetes.", example="IfNotPresent"),
    Field(
        "imagePullSecrets",
        ListOf(Either(selectors.NAME, kubernetes.LOCAL_REFERENCE)),
        "Pull secrets in the agent's namespace, as names or as in Kubernetes.",
        default=[],
        example=[{"name": "registry"}],
    ),
    Field(
        "resources",
        kubernetes.RESOURCES,
        "Requests and limits of the container.",
        default={},
        example={"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    ),
    Field(
        "nodeSelector",
        selectors.LABELS,
        "Labels of the nodes to run on.",
        default={},
        example={"kubernetes.io/os": "linux"},
    ),
    Field(
        "tolerations",
        ListOf(kubernetes.TOLERATION),
        "Taints that the pods tolerate; a list given here replaces the default.",
        default=[
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
        ],
        example=[{"operator": "Exists"}],
    ),
    Field(
        "affinity",
        kubernetes.AFFINITY,
        "As in Kubernetes; what is given here replaces the default, {} removes it.",
        default=_SOFT_ANTI_AFFINITY,
        example={},
    ),
    Field("priorityClassName", selectors.NAME, "As in Kubernetes.", example="system-cluster-critical"),
    Field(
        "podLabels",
        MapOf(formats.POD_LABEL_KEY, selectors.LABEL_VALUE),
        "Further labels of the pods.",
        default={},
        example={"team": "platform"},
    ),
    Field(
        "podAnnotations",
        MapOf(formats.OWN_LABEL_KEY, Text(empty=True)),
        "Further annotations of the pods.",
        default={},
        example={"prometheus.io/scrape": "true"},
    ),
    Field(
        "env",
        ListOf(kubernetes.ENV, unique_by=("name",)),
        "Environment variables; the agent reads CLUSTER_CIDR and SERVICE_CIDR (managed control planes).",
        default=[],
        example=[{"name": "SERVICE_CIDR", "value": "10.96.0.0/12"}],
    ),
    Field(
        "syncMode",
        Choice(*SYNC_MODES),
        "How resources reach the cluster; Push and Dual need the feature gate AppPusher.",
        default="Dual",
    ),
    Field("clusterType", Choice(*CLUSTER_TYPES), "Type under which clusters register.", default="StandardCluster"),
    Field(
        "featureGates",
        MapOf(formats.GATE_NAME, Flag()),
        "Feature gates of the agent, on top of those of its own manifests.",
        default={},
        example={"Predictor": False},
    ),
    Field(
        "extraArgs",
        ListOf(Text(formats.FLAG), unique=True),
        "Further flags; a flag given here replaces ours. Refused: registration token, parent URL, leader "
        "election, and the registration name with PerCluster. A verbosity above our --v=0 makes the agent log its "
        "registration token.",
        default=[],
        private=True,
        example=["--kube-api-qps=80"],
    ),
    Field(
        "patches",
        ListOf(_PATCH),
        "JSON merge patches for whatever has no field of its own, applied in this order.",
        default=[],
        example=[{"target": {"kind": "Deployment", "name": AGENT_NAME}, "patch": _HOST_NETWORK}],
    ),
)
