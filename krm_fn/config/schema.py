"""The tree of a `ClusternetCAPIConfig`: every field with its kind, default, sentence and example.

This is the one place that says what a configuration may hold. Decoder, flat keys, JSON Schema, KRMFunctionDefinition
and the Markdown reference all walk it; what spans several fields and no schema can say is in `rules`.
"""

from __future__ import annotations

from krm_fn.config import formats, kubernetes
from krm_fn.config.constraints import ExactlyOne, Given, Refuse
from krm_fn.config.fields import Choice, Either, Field, Flag, Json, ListOf, MapOf, Object, Text, Whole
from krm_fn.model import API_VERSION, KIND

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN_SOURCES = ("value", "secretRef", "env", "file", "existingSecret", "externalSecret")

_REGISTRATION_TOKEN = Object(
    fields=(
        Field(
            name="value",
            kind=Text(),
            secret=True,
            doc="The token itself, to try things out; it is readable in Git.",
            example="abcdef.0123456789abcdef",
        ),
        Field(
            name="secretRef",
            kind=Object(
                fields=(
                    Field(
                        name="name",
                        kind=kubernetes.NAME,
                        required=True,
                        doc="Name of the Secret.",
                        example="clusternet-registration",
                    ),
                    Field(
                        name="namespace",
                        kind=kubernetes.NAMESPACE,
                        doc="Its namespace; without it, the only Secret of that name.",
                        example="clusternet-system",
                    ),
                    Field(
                        name="key",
                        kind=Text(format=formats.DATA_KEY),
                        default="regToken",
                        doc="Key that holds the token.",
                    ),
                )
            ),
            doc="A Secret among the items (SOPS, ksops, secretGenerator).",
            example={"name": "clusternet-registration"},
        ),
        Field(
            name="env",
            kind=Text(format=formats.TOKEN_VARIABLE),
            doc="An environment variable of the function, for CI and sidecars; only names that begin with CLUSTERNET_.",
            example="CLUSTERNET_TOKEN",
        ),
        Field(
            name="file",
            kind=Text(format=formats.LINE),
            doc="A file that the operator mounts, under the folder in CLUSTERNET_TOKEN_DIR (/run/secrets/clusternet).",
            example="/run/secrets/clusternet/token",
        ),
        Field(
            name="existingSecret",
            kind=Object(
                fields=(
                    Field(
                        name="name",
                        kind=kubernetes.NAME,
                        required=True,
                        doc="Name of the Secret, in every namespace that has matching Clusters.",
                        example="clusternet-registration",
                    ),
                )
            ),
            doc="A Secret of type resource-set that you keep in each namespace (SealedSecret, SOPS, …); its value is "
            "the whole registration manifest.",
            example={"name": "clusternet-registration"},
        ),
        Field(
            name="externalSecret",
            kind=Object(
                fields=(
                    Field(
                        name="secretStoreRef",
                        kind=Object(
                            fields=(
                                Field(
                                    name="name",
                                    kind=kubernetes.NAME,
                                    required=True,
                                    doc="Name of the store.",
                                    example="vault",
                                ),
                                Field(
                                    name="kind",
                                    kind=Choice(values=("SecretStore", "ClusterSecretStore")),
                                    default="SecretStore",
                                    doc="Its kind.",
                                ),
                            )
                        ),
                        required=True,
                        doc="The store of the External Secrets Operator.",
                        example={"name": "vault", "kind": "ClusterSecretStore"},
                    ),
                    Field(
                        name="remoteRef",
                        kind=Object(
                            fields=(
                                Field(
                                    name="key",
                                    kind=Text(format=formats.LINE),
                                    required=True,
                                    doc="Key in the store.",
                                    example="clusternet/registration",
                                ),
                                Field(
                                    name="property",
                                    kind=Text(format=formats.LINE),
                                    doc="Property of it.",
                                    example="token",
                                ),
                                Field(
                                    name="version",
                                    kind=Text(format=formats.LINE),
                                    doc="Version of it.",
                                    example="1",
                                ),
                                Field(
                                    name="conversionStrategy",
                                    kind=Choice(values=("Default", "Unicode")),
                                    doc="As in External Secrets.",
                                ),
                                Field(
                                    name="decodingStrategy",
                                    kind=Choice(values=("Auto", "Base64", "Base64URL", "None")),
                                    doc="As in External Secrets.",
                                ),
                                Field(
                                    name="metadataPolicy",
                                    kind=Choice(values=("None", "Fetch")),
                                    doc="As in External Secrets.",
                                ),
                            )
                        ),
                        required=True,
                        doc="Where the token is in that store.",
                        example={"key": "clusternet/registration", "property": "token"},
                    ),
                    Field(
                        name="refreshInterval",
                        kind=Text(format=formats.DURATION),
                        default="1h",
                        doc="How often it is fetched again.",
                    ),
                )
            ),
            doc="An ExternalSecret a namespace is made instead of a Secret; no secret is in Git at all.",
            example={"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet/registration"}},
        ),
        Field(
            name="onExpired",
            kind=Choice(values=("Warn", "Fail")),
            default="Warn",
            doc="What an expired token, or one that is about to expire, means.",
        ),
    ),
    constraints=(ExactlyOne(names=TOKEN_SOURCES, text="has no source"),),
)

_AGENT = Object(
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
            kind=kubernetes.NAMESPACE,
            default="clusternet-system",
            doc="Namespace of the agent on the workload clusters; can't be changed later.",
        ),
        Field(name="replicas", kind=Whole(), default=3, doc="Number of agent pods.", example=1),
        Field(
            name="imagePullPolicy",
            kind=Choice(values=("Always", "IfNotPresent", "Never")),
            doc="As in Kubernetes.",
            example="IfNotPresent",
        ),
        Field(
            name="imagePullSecrets",
            kind=ListOf(item=Either(kinds=(kubernetes.NAME, kubernetes.LOCAL_REFERENCE))),
            default=[],
            doc="Pull secrets in the agent's namespace, as names or as in Kubernetes.",
            example=[{"name": "registry"}],
        ),
        Field(
            name="resources",
            kind=kubernetes.RESOURCES,
            default={},
            doc="Requests and limits of the container.",
            example={"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        ),
        Field(
            name="nodeSelector",
            kind=kubernetes.LABELS,
            default={},
            doc="Labels of the nodes to run on.",
            example={"kubernetes.io/os": "linux"},
        ),
        Field(
            name="tolerations",
            kind=ListOf(item=kubernetes.TOLERATION),
            default=[
                {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists", "effect": "NoSchedule"},
                {"key": "node-role.kubernetes.io/master", "operator": "Exists", "effect": "NoSchedule"},
            ],
            doc="Taints that the pods tolerate; a list given here replaces the default.",
            example=[{"operator": "Exists"}],
        ),
        Field(
            name="affinity",
            kind=kubernetes.AFFINITY,
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
            name="priorityClassName", kind=kubernetes.NAME, doc="As in Kubernetes.", example="system-cluster-critical"
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
        Field(
            name="env",
            kind=ListOf(item=kubernetes.ENV, unique_by=("name",)),
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
            "election, and the registration name with PerCluster.",
            example=["--v=4"],
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

_IDENTITY = Object(
    fields=(
        Field(
            name="mode",
            kind=Choice(values=("Shared", "PerCluster")),
            default="Shared",
            doc="Shared: one ClusterResourceSet a namespace, agents choose a random name. PerCluster: one a Cluster, "
            "registered under a name made from nameTemplate.",
        ),
        Field(
            name="namePrefix",
            kind=Text(format=formats.DNS_LABEL.replace(max_length=24, explain=formats.name_prefix_fault)),
            doc="Shared only: clusters register as this prefix, '-' and five random characters.",
            example="edge",
        ),
        Field(
            name="nameTemplate",
            kind=Text(format=formats.NAME_TEMPLATE),
            doc="PerCluster only: the registration name, from {namespace} and {name}; {name} unless given. Names over "
            "30 characters are shortened with a stable hash.",
            example="{namespace}-{name}",
        ),
        Field(
            name="labels",
            kind=MapOf(key=formats.REGISTRATION_LABEL_KEY, value=Text(format=formats.LABEL_VALUE, empty=True)),
            default={},
            doc="Labels of the ManagedCluster; they apply at the first registration only.",
            example={"provider": "capi"},
        ),
        Field(
            name="labelKeys",
            kind=ListOf(item=Text(format=formats.REGISTRATION_LABEL_KEY), unique=True),
            default=[],
            doc="PerCluster only: labels that are copied from the Cluster to the ManagedCluster.",
            example=["env", "region"],
        ),
    )
)

_RESOURCE_SET = Object(
    fields=(
        Field(
            name="name",
            kind=Text(format=formats.DNS_SUBDOMAIN.replace(max_length=100, explain=formats.set_name_fault)),
            default="clusternet-cluster-api",
            doc="Name of the ClusterResourceSet, and the beginning of the names of all that is generated.",
        ),
        Field(
            name="strategy",
            kind=Choice(values=("Reconcile", "ApplyOnce")),
            default="Reconcile",
            doc="Whether later changes reach the workload clusters (Reconcile) or not (ApplyOnce); immutable.",
        ),
        Field(
            name="apiVersion",
            kind=Choice(
                values=(
                    "auto",
                    "addons.cluster.x-k8s.io/v1beta1",
                    "addons.cluster.x-k8s.io/v1beta2",
                    "v1beta1",
                    "v1beta2",
                )
            ),
            default="auto",
            doc="API version of the ClusterResourceSets; auto decides per namespace: v1beta1 where all matching "
            "Clusters are, else v1beta2.",
        ),
        Field(
            name="labels",
            kind=MapOf(key=formats.OWN_LABEL_KEY, value=Text(format=formats.LABEL_VALUE, empty=True)),
            default={},
            doc="Further labels of everything that is generated.",
            example={"team": "platform"},
        ),
        Field(
            name="annotations",
            kind=MapOf(key=formats.OWN_LABEL_KEY, value=Text(empty=True)),
            default={},
            doc="Further annotations of everything that is generated.",
            example={"contact": "platform@example.com"},
        ),
        Field(
            name="extraResources",
            kind=ListOf(
                item=Object(
                    fields=(
                        Field(
                            name="kind",
                            kind=Choice(values=("Secret", "ConfigMap")),
                            required=True,
                            doc="Kind of the object.",
                            example="Secret",
                        ),
                        Field(
                            name="name",
                            kind=kubernetes.NAME,
                            required=True,
                            doc="Its name.",
                            example="registry-credentials",
                        ),
                    )
                ),
                maximum=97,  # a ClusterResourceSet holds at most 100 resources, three of them ours
                unique_by=("kind", "name"),
            ),
            default=[],
            doc="Secrets and ConfigMaps that you keep in those namespaces and that are delivered too.",
            example=[{"kind": "Secret", "name": "registry-credentials"}],
        ),
    )
)

_GUARD = Object(
    fields=(
        Field(name="allowNoClusters", kind=Flag(), default=False, doc="Whether no matching Cluster is fine."),
        Field(name="minClusters", kind=Whole(), doc="Fail if fewer Clusters match.", example=10),
        Field(
            name="maxRemovedClusters",
            kind=Either(kinds=(Whole(), Text(format=formats.PERCENTAGE))),
            doc="Fail if more Clusters than this would be lost against the baseline: a number or a percentage.",
            example="10%",
        ),
        Field(
            name="onInvalidCluster",
            kind=Choice(values=("Fail", "Skip")),
            default="Fail",
            doc="What happens to a Cluster that can't be served; Skip only with PerCluster.",
        ),
    )
)

_HUB = Object(
    fields=(
        Field(
            name="discoverySecret",
            kind=Flag(),
            default=False,
            doc="Make the Secret capi-system/clusternet-cluster-api for the hub's own discovery.",
        ),
        Field(
            name="kubeconfigSecretRef",
            kind=Object(
                fields=(
                    Field(
                        name="name",
                        kind=kubernetes.NAME,
                        required=True,
                        doc="Name of the Secret, beside the hub.",
                        example="cluster-api-kubeconfig",
                    ),
                    Field(
                        name="key",
                        kind=Text(format=formats.DATA_KEY),
                        default="kubeconfig",
                        doc="Key that holds the kubeconfig.",
                    ),
                )
            ),
            doc="Kubeconfig of the management cluster, mounted into a clusternet-hub or clusternet-controller-manager "
            "Deployment among the items.",
            example={"name": "cluster-api-kubeconfig"},
        ),
    )
)

SPEC = Object(
    fields=(
        Field(
            name="parentURL",
            kind=Text(format=formats.PARENT_URL),
            required=True,
            private=True,
            doc="https URL of the parent API server.",
            example="https://parent.example.com:6443",
        ),
        Field(
            name="registrationToken",
            kind=_REGISTRATION_TOKEN,
            required=True,
            private=True,
            doc="Where the registration token comes from: exactly one source.",
            example={"secretRef": {"name": "clusternet-registration"}},
        ),
        Field(
            name="clusterSelector",
            kind=kubernetes.NON_EMPTY_SELECTOR,
            required=True,
            doc="Clusters to register, by their labels; not empty.",
            example={"matchLabels": {"clusternet.io/register": "true"}},
        ),
        Field(
            name="namespaceSelector",
            kind=kubernetes.SELECTOR,
            doc="Namespaces to serve, by the labels of Namespace objects in the input; all unless given.",
            example={"matchLabels": {"team": "edge"}},
        ),
        Field(
            name="namespaces",
            kind=ListOf(item=kubernetes.NAMESPACE, minimum=1, unique=True),
            doc="Instead of namespaceSelector: exactly these, whether or not the input has Clusters there.",
            example=["fleet-eu", "fleet-us"],
        ),
        Field(name="agent", kind=_AGENT, default={}, doc="How clusternet-agent is installed."),
        Field(name="identity", kind=_IDENTITY, default={}, doc="Under which names and labels clusters register."),
        Field(
            name="clusterResourceSet", kind=_RESOURCE_SET, default={}, doc="The ClusterResourceSets that are generated."
        ),
        Field(
            name="managementCluster",
            kind=Object(
                fields=(
                    Field(
                        name="featureGate",
                        kind=Choice(values=("Check", "Ensure", "Ignore")),
                        default="Check",
                        doc="What to do about the feature gate ClusterResourceSet of Cluster API in the input.",
                    ),
                )
            ),
            default={},
            doc="The management cluster's own set-up.",
        ),
        Field(name="hub", kind=_HUB, default={}, doc="Set-up of clusternet-hub."),
        Field(
            name="gitops",
            kind=Object(
                fields=(
                    Field(
                        name="argocd", kind=Flag(), default=False, doc="Annotations that the output needs in Argo CD."
                    ),
                    Field(name="flux", kind=Flag(), default=False, doc="Annotations that the output needs in Flux."),
                )
            ),
            default={},
            doc="Annotations that make the output safe in GitOps tools.",
        ),
        Field(name="guard", kind=_GUARD, default={}, doc="Limits that stop a run that would lose Clusters."),
        Field(
            name="mode",
            kind=Choice(values=("Render", "Check")),
            default="Render",
            doc="Check validates everything and changes nothing (kustomize validators).",
        ),
    ),
    constraints=(
        Refuse(
            when=Given(path="namespaceSelector", empty=True),
            what=Given(path="namespaces"),
            text="must not be given together with namespaceSelector: choose one",
        ),
        Refuse(
            when=Given(path="identity.mode", values=("Shared",), absent=True),
            what=Given(path="identity.nameTemplate"),
            text="is only for identity.mode PerCluster: set the mode, or remove the field",
        ),
        Refuse(
            when=Given(path="identity.mode", values=("Shared",), absent=True),
            what=Given(path="identity.labelKeys"),
            text="is only for identity.mode PerCluster: set the mode, or remove the field",
        ),
        Refuse(
            when=Given(path="identity.mode", values=("PerCluster",)),
            what=Given(path="identity.namePrefix"),
            text="is only for identity.mode Shared: use nameTemplate with PerCluster",
        ),
        Refuse(
            when=Given(path="identity.mode", values=("Shared",), absent=True),
            what=Given(path="guard.onInvalidCluster", values=("Skip",)),
            text="can be Skip only with identity.mode PerCluster: set the mode, or use Fail",
        ),
        Refuse(
            when=Given(path="registrationToken.existingSecret"),
            what=Given(path="hub.discoverySecret", values=(True,)),
            text="needs the token itself, which registrationToken.existingSecret keeps away: choose another source, or "
            "remove the field",
        ),
        Refuse(
            when=Given(path="registrationToken.externalSecret"),
            what=Given(path="hub.discoverySecret", values=(True,)),
            text="needs the token itself, which registrationToken.externalSecret keeps away: choose another source, or "
            "remove the field",
        ),
    ),
)

METADATA = Object(
    fields=(
        Field(
            name="name",
            kind=kubernetes.NAME,
            required=True,
            doc="Name of the configuration; what it generates carries it as its owner.",
            example="fleet",
        ),
        Field(name="namespace", kind=kubernetes.NAMESPACE, doc="Namespace of the configuration object."),
    ),
    open=True,
)

CONFIG = Object(
    fields=(
        Field(name="apiVersion", kind=Choice(values=(API_VERSION,)), required=True, doc="Version of this API."),
        Field(name="kind", kind=Choice(values=(KIND,)), required=True, doc="Kind of the object."),
        Field(name="metadata", kind=METADATA, required=True, doc="As of every object.", example={"name": "fleet"}),
        Field(name="spec", kind=SPEC, required=True, doc="What is wanted."),
    )
)


def walk(kind: Object, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field below an object with its dotted path, lists left out, in the order of the tree."""
    for field in kind.fields:
        path = f"{prefix}.{field.name}" if prefix else field.name
        yield path, field
        if isinstance(field.kind, Object):
            yield from walk(field.kind, path)


def paths_of(name: str) -> list[str]:
    """Return the paths of all fields of a name."""
    return [path for path, field in walk(CONFIG) if field.name == name]
