"""The tree of `spec.agent`: how clusternet-agent is installed.

What Kubernetes knows as parts of a pod is in `pod`, which is loaded for the configurations that give one.
"""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, LateField, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Json, Text, Whole
from krm_fn.config.tree import selectors
from krm_fn.surface import SYSTEM_NAMESPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.config.kinds import Kind


def _pod(name: str) -> Kind:
    from krm_fn.config.tree import pod  # noqa: PLC0415 - few configurations need it

    kind: Kind = getattr(pod, name)
    return kind


AGENT = Object(
    fields=(
        Field(
            name="image",
            kind=Text(format=formats.IMAGE),
            default="ghcr.io/clusternet/clusternet-agent:v0.18.1",
            doc="Image of clusternet-agent.",
            example="registry.example.com/clusternet/clusternet-agent:v0.18.1",
        ),
        Field(
            name="version",
            kind=Text(format=formats.VERSION),
            doc="Version of the agent; taken from the image's tag, required with a digest or another tag.",
            example="v0.18.1",
        ),
        Field(
            name="namespace",
            kind=selectors.NAMESPACE,
            default=SYSTEM_NAMESPACE,
            doc="Namespace of the agent on the workload clusters; can't be changed later.",
        ),
        Field(name="replicas", kind=Whole(), default=3, doc="Number of agent pods.", example=1),
        Field(
            name="imagePullPolicy",
            kind=Choice(values=("Always", "IfNotPresent", "Never")),
            doc="As in Kubernetes.",
            example="IfNotPresent",
        ),
        LateField(
            name="imagePullSecrets",
            kind=lambda: ListOf(item=Either(kinds=(selectors.NAME, _pod("LOCAL_REFERENCE")))),
            default=[],
            doc="Pull secrets in the agent's namespace, as names or as in Kubernetes.",
            example=[{"name": "registry"}],
        ),
        LateField(
            name="resources",
            kind=lambda: _pod("RESOURCES"),
            default={},
            doc="Requests and limits of the container.",
            example={"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        ),
        Field(
            name="nodeSelector",
            kind=selectors.LABELS,
            default={},
            doc="Labels of the nodes to run on.",
            example={"kubernetes.io/os": "linux"},
        ),
        LateField(
            name="tolerations",
            kind=lambda: ListOf(item=_pod("TOLERATION")),
            default=[
                {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
                {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
            ],
            doc="Taints that the pods tolerate; a list given here replaces the default.",
            example=[{"operator": "Exists"}],
        ),
        LateField(
            name="affinity",
            kind=lambda: _pod("AFFINITY"),
            default={
                "podAntiAffinity": {
                    "preferredDuringSchedulingIgnoredDuringExecution": [
                        {
                            "weight": 100,
                            "podAffinityTerm": {
                                "labelSelector": {"matchLabels": {"app": "clusternet-agent"}},
                                "topologyKey": "kubernetes.io/hostname",
                            },
                        }
                    ]
                }
            },
            doc="As in Kubernetes; what is given here replaces the default, {} removes it.",
            example={},
        ),
        Field(
            name="priorityClassName", kind=selectors.NAME, doc="As in Kubernetes.", example="system-cluster-critical"
        ),
        Field(
            name="podLabels",
            kind=MapOf(key=formats.POD_LABEL_KEY, value=Text(format=formats.LABEL_VALUE, empty=True)),
            default={},
            doc="Further labels of the pods.",
            example={"team": "platform"},
        ),
        Field(
            name="podAnnotations",
            kind=MapOf(key=formats.OWN_LABEL_KEY, value=Text(empty=True)),
            default={},
            doc="Further annotations of the pods.",
            example={"prometheus.io/scrape": "true"},
        ),
        LateField(
            name="env",
            kind=lambda: ListOf(item=_pod("ENV"), unique_by=("name",)),
            default=[],
            doc="Environment variables; the agent reads CLUSTER_CIDR and SERVICE_CIDR (managed control planes).",
            example=[{"name": "SERVICE_CIDR", "value": "10.96.0.0/12"}],
        ),
        Field(
            name="syncMode",
            kind=Choice(values=("Push", "Pull", "Dual")),
            default="Dual",
            doc="How resources reach the cluster; Push and Dual need the feature gate AppPusher.",
        ),
        Field(
            name="clusterType",
            kind=Choice(values=("StandardCluster", "EdgeCluster")),
            default="StandardCluster",
            doc="Type under which clusters register.",
        ),
        Field(
            name="featureGates",
            kind=MapOf(key=formats.GATE_NAME, value=Flag()),
            default={},
            doc="Feature gates of the agent, on top of those of its own manifests.",
            example={"Predictor": False},
        ),
        Field(
            name="extraArgs",
            kind=ListOf(item=Text(format=formats.FLAG), unique=True),
            default=[],
            private=True,
            doc="Further flags; a flag given here replaces ours. Refused: registration token, parent URL, leader "
            "election, and the registration name with PerCluster. A verbosity above our --v=0 makes the agent log its "
            "registration token.",
            example=["--kube-api-qps=80"],
        ),
        Field(
            name="patches",
            kind=ListOf(
                item=Object(
                    fields=(
                        Field(
                            name="target",
                            kind=Object(
                                fields=(
                                    Field(
                                        name="kind",
                                        kind=Choice(
                                            values=(
                                                "ClusterRole",
                                                "ClusterRoleBinding",
                                                "Deployment",
                                                "Namespace",
                                                "Role",
                                                "RoleBinding",
                                                "Secret",
                                                "ServiceAccount",
                                            )
                                        ),
                                        required=True,
                                        doc="Kind of the object.",
                                        example="Deployment",
                                    ),
                                    Field(
                                        name="name",
                                        kind=Text(format=formats.PATCH_TARGET),
                                        required=True,
                                        doc="Name of the object.",
                                        example="clusternet-agent",
                                    ),
                                )
                            ),
                            required=True,
                            doc="The agent object to change.",
                        ),
                        Field(
                            name="patch",
                            kind=Json(),
                            required=True,
                            private=True,
                            doc="A JSON merge patch (RFC 7386), as an object: null removes, lists are replaced.",
                            example={"spec": {"template": {"spec": {"hostNetwork": True}}}},
                        ),
                    )
                )
            ),
            default=[],
            doc="JSON merge patches for whatever has no field of its own, applied in this order.",
            example=[
                {
                    "target": {"kind": "Deployment", "name": "clusternet-agent"},
                    "patch": {"spec": {"template": {"spec": {"hostNetwork": True}}}},
                }
            ],
        ),
    )
)
