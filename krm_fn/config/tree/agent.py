"""The tree of `spec.agent`: how clusternet-agent is installed, with the types of Kubernetes that its options are made of.

Source of these types: k8s.io/api core/v1, validation in pkg/apis/core/validation, v1.36.
"""

from __future__ import annotations

from krm_fn.agent import releases
from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Json, Number, Text, Whole
from krm_fn.config.rules import ExactlyOne, Fit, Given, Refuse, Require
from krm_fn.config.tree.selectors import LABEL_VALUE, LABELS, NAME, NAMESPACE, SELECTOR, requirement
from krm_fn.kube.labels import IN, NOT_IN, OPERATORS
from krm_fn.surface import AGENT as AGENT_NAME
from krm_fn.surface import SYSTEM_NAMESPACE

# --- affinity --------------------------------------------------------------------------------------------------------

_LABEL_KEY = Text(formats.LABEL_KEY)

_NODE_REQUIREMENT = requirement(
    (*OPERATORS, "Gt", "Lt"),
    "NodeSelectorRequirement",
    "What it is compared with: for In and NotIn any number of values, for Gt and Lt one whole number.",
    Fit(
        Given("operator", "Gt", "Lt"),
        "values",
        ListOf(Text(formats.WHOLE), maximum=1),
        "must be one whole number with Gt and Lt",
    ),
)
_NODE_FIELD = Object(
    Field("key", Choice("metadata.name"), "The only field that Kubernetes selects by.", required=True),
    Field("operator", Choice(IN, NOT_IN), "How it is compared.", required=True, example=IN),
    Field("values", ListOf(NAME, minimum=1, maximum=1), "The name of one node.", required=True, example=["worker-1"]),
)
_NODE_TERM = Object(
    Field("matchExpressions", ListOf(_NODE_REQUIREMENT), "Requirements on labels of nodes."),
    Field("matchFields", ListOf(_NODE_FIELD), "Requirements on fields of nodes."),
    upstream="NodeSelectorTerm",
)
_WEIGHT = Field("weight", Whole(minimum=1, maximum=100), "Weight of the preference.", required=True, example=100)
_POD_TERM = Object(
    Field("labelSelector", SELECTOR, "Pods that the term selects."),
    Field("namespaceSelector", SELECTOR, "Namespaces of these pods."),
    Field("namespaces", ListOf(NAMESPACE), "Namespaces of these pods, by name."),
    Field(
        "topologyKey",
        _LABEL_KEY,
        "Node label whose values tell places apart.",
        required=True,
        example="kubernetes.io/hostname",
    ),
    Field("matchLabelKeys", ListOf(_LABEL_KEY, unique=True), "Keys whose values must agree with the pod's own."),
    Field("mismatchLabelKeys", ListOf(_LABEL_KEY, unique=True), "Keys whose values must differ from the pod's own."),
    upstream="PodAffinityTerm",
    constraints=tuple(
        Require(Given(name), "labelSelector", f"is required with {name}, which narrow it", empty=True)
        for name in ("matchLabelKeys", "mismatchLabelKeys")
    ),
)
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_POD_AFFINITY = Object(
    Field(_REQUIRED, ListOf(_POD_TERM), "Terms that must hold."),
    Field(
        _PREFERRED,
        ListOf(Object(_WEIGHT, Field("podAffinityTerm", _POD_TERM, "The term.", required=True))),
        "Terms that should hold.",
    ),
    upstream="PodAffinity",
)
_NODE_TERMS = Object(
    Field("nodeSelectorTerms", ListOf(_NODE_TERM, minimum=1), "Terms of which one must hold.", required=True)
)
_NODE_AFFINITY = Object(
    Field(_REQUIRED, _NODE_TERMS, "What must hold."),
    Field(
        _PREFERRED,
        ListOf(Object(_WEIGHT, Field("preference", _NODE_TERM, "The term.", required=True))),
        "What should hold.",
    ),
)
_AFFINITY = Object(
    Field("nodeAffinity", _NODE_AFFINITY, "Nodes to run on."),
    Field("podAffinity", _POD_AFFINITY, "Pods to run close to."),
    Field("podAntiAffinity", _POD_AFFINITY, "Pods to run apart from."),
    upstream="Affinity",
)

# --- other parts of a pod --------------------------------------------------------------------------------------------

_TOLERATION = Object(
    Field(
        "key",
        _LABEL_KEY,
        "Key of the taint; all with operator Exists and no key.",
        example="node-role.kubernetes.io/control-plane",
    ),
    Field("operator", Choice("Equal", "Exists"), "Equal unless given.", example="Exists"),
    Field("value", LABEL_VALUE, "Value of the taint, with Equal."),
    Field(
        "effect",
        Choice("NoSchedule", "PreferNoSchedule", "NoExecute"),
        "Effect of the taint; all unless given.",
        example="NoSchedule",
    ),
    Field("tolerationSeconds", Whole(minimum=-(2**31)), "How long the pod stays, with effect NoExecute."),
    upstream="Toleration",
    constraints=(
        Require(Given("operator", "Equal", absent=True), "key", "is required, unless the operator is Exists"),
        Refuse(Given("operator", "Exists"), Given("value"), "must not be given with operator Exists"),
        Refuse(
            Given("effect", "NoSchedule", "PreferNoSchedule", absent=True),
            Given("tolerationSeconds"),
            "must not be given, unless the effect is NoExecute",
        ),
    ),
)

_QUANTITY = Either(Text(formats.QUANTITY), Number())
_AMOUNTS = MapOf(formats.RESOURCE_NAME, _QUANTITY)
_RESOURCES = Object(
    Field("requests", _AMOUNTS, "What is reserved for the container.", example={"cpu": "100m", "memory": "128Mi"}),
    Field("limits", _AMOUNTS, "The most that the container may use.", example={"memory": "512Mi"}),
    upstream="ResourceRequirements",
)


def _key_ref(what: str) -> Object:
    return Object(
        Field("name", NAME, f"Name of the {what} on the workload cluster.", required=True),
        Field("key", Text(formats.DATA_KEY), "Key in it.", required=True),
        Field("optional", Flag(), "Whether it may be missing."),
    )


_FIELD_REF = Object(
    Field("fieldPath", Text(formats.FIELD_PATH), "Path of the field.", required=True, example="spec.nodeName"),
    Field("apiVersion", Choice("v1"), "Version of the path."),
)
_UNIT = Whole(maximum=1)  # 0 = not given
_DISK = "ephemeral-storage"
_RESOURCE_FIELD_REF = Object(
    Field(
        "resource", Text(formats.RESOURCE_PATH), "Resource of the container.", required=True, example="limits.memory"
    ),
    Field("containerName", NAMESPACE, "Name of the container."),
    Field("divisor", Either(Text(formats.DIVISOR), _UNIT), "Unit of the result."),
    constraints=(
        Fit(
            Given("resource", "limits.cpu", "requests.cpu"),
            "divisor",
            Either(Text(formats.CPU_DIVISOR), _UNIT),
            "must be 1 or 1m for cpu",
        ),
        Refuse(
            Given("resource", *(f"{part}.{name}" for part in ("limits", "requests") for name in ("memory", _DISK))),
            Given("divisor", "1m"),
            "must be 1, or a multiple such as 1Mi: there is no thousandth of a byte",
        ),
    ),
)
_VALUE_FROM = Object(
    Field("configMapKeyRef", _key_ref("ConfigMap"), "A key of a ConfigMap."),
    Field("secretKeyRef", _key_ref("Secret"), "A key of a Secret."),
    Field("fieldRef", _FIELD_REF, "A field of the pod."),
    Field("resourceFieldRef", _RESOURCE_FIELD_REF, "A resource of the container."),
    constraints=(ExactlyOne("configMapKeyRef", "secretKeyRef", "fieldRef", "resourceFieldRef"),),
)
_ENV = Object(
    Field("name", Text(formats.AGENT_ENV_NAME), "Name of the variable.", required=True, example="SERVICE_CIDR"),
    Field("value", Text(empty=True), "Its value.", private=True, example="10.96.0.0/12"),
    Field("valueFrom", _VALUE_FROM, "Where its value comes from."),
    upstream="EnvVar",
    constraints=(Refuse(Given("value"), Given("valueFrom"), "must not be given together with value"),),
)
_LOCAL_REFERENCE = Object(
    Field("name", NAME, "Name of the Secret.", required=True, example="registry"), upstream="LocalObjectReference"
)

# --- the options -----------------------------------------------------------------------------------------------------

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
        NAMESPACE,
        "Namespace of the agent on the workload clusters; can't be changed later.",
        default=SYSTEM_NAMESPACE,
    ),
    Field("replicas", Whole(), "Number of agent pods.", default=3, example=1),
    Field("imagePullPolicy", Choice("Always", "IfNotPresent", "Never"), "As in Kubernetes.", example="IfNotPresent"),
    Field(
        "imagePullSecrets",
        ListOf(Either(NAME, _LOCAL_REFERENCE)),
        "Pull secrets in the agent's namespace, as names or as in Kubernetes.",
        default=[],
        example=[{"name": "registry"}],
    ),
    Field(
        "resources",
        _RESOURCES,
        "Requests and limits of the container.",
        default={},
        example={"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    ),
    Field(
        "nodeSelector",
        LABELS,
        "Labels of the nodes to run on.",
        default={},
        example={"kubernetes.io/os": "linux"},
    ),
    Field(
        "tolerations",
        ListOf(_TOLERATION),
        "Taints that the pods tolerate; a list given here replaces the default.",
        default=[
            {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
        ],
        example=[{"operator": "Exists"}],
    ),
    Field(
        "affinity",
        _AFFINITY,
        "As in Kubernetes; what is given here replaces the default, {} removes it.",
        default=_SOFT_ANTI_AFFINITY,
        example={},
    ),
    Field("priorityClassName", NAME, "As in Kubernetes.", example="system-cluster-critical"),
    Field(
        "podLabels",
        MapOf(formats.POD_LABEL_KEY, LABEL_VALUE),
        "Additional labels of the pods.",
        default={},
        example={"team": "platform"},
    ),
    Field(
        "podAnnotations",
        MapOf(formats.OWN_LABEL_KEY, Text(empty=True)),
        "Additional annotations of the pods.",
        default={},
        example={"prometheus.io/scrape": "true"},
    ),
    Field(
        "env",
        ListOf(_ENV, unique_by=("name",)),
        "Environment variables; the agent reads CLUSTER_CIDR and SERVICE_CIDR (managed control planes).",
        default=[],
        example=[{"name": "SERVICE_CIDR", "value": "10.96.0.0/12"}],
    ),
    Field(
        "syncMode",
        Choice(*releases.SYNC_MODES),
        "How resources reach the cluster; Push and Dual need the feature gate AppPusher.",
        default="Dual",
    ),
    Field(
        "clusterType", Choice(*releases.CLUSTER_TYPES), "Type under which clusters register.", default="StandardCluster"
    ),
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
        "Additional flags; a flag given here replaces ours. Refused: registration token, parent URL, leader "
        "election, and the registration name with PerCluster. A verbosity above our --v=0 makes the agent log its "
        "registration token.",
        default=[],
        private=True,
        example=["--kube-api-qps=80"],
    ),
    Field(
        "patches",
        ListOf(_PATCH),
        "JSON merge patches for anything without a field of its own, applied in this order.",
        default=[],
        example=[{"target": {"kind": "Deployment", "name": AGENT_NAME}, "patch": _HOST_NETWORK}],
    ),
)
