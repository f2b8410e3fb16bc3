"""The tree of a `ClusternetCAPIConfig`: every field with its kind, default, sentence and example.

This is the one place that says what a configuration may hold. Decoder, flat keys, JSON Schema, KRMFunctionDefinition
and the Markdown reference all walk it; what spans several fields and no schema can say is in `config.rules`.
"""

from __future__ import annotations

from krm_fn.clusters import capi
from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Text, Whole
from krm_fn.config.rules import Given, Refuse, Require
from krm_fn.config.tree import agent, selectors, token
from krm_fn.hosts import ANNOTATED
from krm_fn.surface import ADDONS_GROUP, API_VERSION, APPLY_ONCE, KIND, RECONCILE
from krm_fn.tokens import sources

IDENTITY = Object(
    Field(
        "mode",
        Choice("Shared", "PerCluster"),
        "Shared: one ClusterResourceSet per namespace; agents choose a random name. PerCluster: one per Cluster, "
        "registered under a name made from nameTemplate.",
        default="Shared",
    ),
    Field(
        "namePrefix",
        Text(formats.NAME_PREFIX),
        "Shared only: clusters register as this prefix, '-' and five random characters.",
        example="edge",
    ),
    Field(
        "nameTemplate",
        Text(formats.NAME_TEMPLATE),
        "PerCluster only: the registration name, from {namespace} and {name}. Names over 30 characters are "
        "shortened with a stable hash.",
        default="{name}",
        example="{namespace}-{name}",
    ),
    Field(
        "labels",
        MapOf(formats.REGISTRATION_LABEL_KEY, selectors.LABEL_VALUE),
        "Labels of the ManagedCluster; they apply at the first registration only.",
        default={},
        example={"provider": "capi"},
    ),
    Field(
        "labelKeys",
        ListOf(Text(formats.REGISTRATION_LABEL_KEY), unique=True),
        "PerCluster only: labels that are copied from the Cluster to the ManagedCluster.",
        default=[],
        example=["env", "region"],
    ),
)

RESOURCE_SET = Object(
    Field(
        "name",
        Text(formats.SET_NAME),
        "Name of the ClusterResourceSet, and the prefix of all generated names.",
        default="clusternet-cluster-api",
    ),
    Field(
        "strategy",
        Choice(RECONCILE, APPLY_ONCE),
        "Whether later changes reach the workload clusters (Reconcile) or not (ApplyOnce); immutable.",
        default=RECONCILE,
    ),
    Field(
        "apiVersion",
        Choice("auto", *(f"{ADDONS_GROUP}/{name}" for name in capi.served()), *capi.served()),
        "API version of the ClusterResourceSets; auto decides per namespace: the newest version of its matching "
        f"Clusters, or {capi.WITHOUT_CLUSTERS} where it has none.",
        default="auto",
    ),
    Field(
        "labels",
        MapOf(formats.OWN_LABEL_KEY, selectors.LABEL_VALUE),
        "Additional labels of the ClusterResourceSets (not of Secrets and ConfigMaps).",
        default={},
        example={"team": "platform"},
    ),
    Field(
        "annotations",
        MapOf(formats.OWN_LABEL_KEY, Text(empty=True)),
        "Additional annotations of the ClusterResourceSets (not of Secrets and ConfigMaps).",
        default={},
        example={"contact": "platform@example.com"},
    ),
    Field(
        "extraResources",
        ListOf(
            Object(
                Field("kind", Choice("Secret", "ConfigMap"), "Kind of the object.", required=True, example="Secret"),
                Field("name", selectors.NAME, "Its name.", required=True, example="registry-credentials"),
            ),
            maximum=97,  # a ClusterResourceSet holds at most 100 resources, three of them ours
            unique_by=("kind", "name"),
        ),
        "Secrets and ConfigMaps that you keep in those namespaces and that are delivered too.",
        default=[],
        example=[{"kind": "Secret", "name": "registry-credentials"}],
    ),
)

GUARD = Object(
    Field("allowNoClusters", Flag(), "Allow a run that matches no Clusters.", default=False),
    Field("minClusters", Whole(), "Fail if fewer Clusters than this match.", example=10),
    Field(
        "maxRemovedClusters",
        Either(Whole(), Text(formats.PERCENTAGE)),
        "Fail if more Clusters than this would be lost compared with the baseline: a number or a percentage.",
        example="10%",
    ),
    Field(
        "onInvalidCluster",
        Choice("Fail", "Skip"),
        "What happens to a Cluster that can't be served: Fail the run, or Skip it with a warning. With Shared it is "
        "only not counted, since a shared selector can't leave it out.",
        default="Fail",
    ),
)

HUB = Object(
    Field(
        "discoverySecret",
        Flag(),
        "Make the Secret capi-system/clusternet-cluster-api for the hub's own discovery.",
        default=False,
    ),
    Field(
        "kubeconfigSecretRef",
        Object(
            Field(
                "name",
                selectors.NAME,
                "Name of the Secret, in the hub's namespace.",
                required=True,
                example="cluster-api-kubeconfig",
            ),
            Field("key", Text(formats.DATA_KEY), "Key that holds the kubeconfig.", default="kubeconfig"),
        ),
        "Kubeconfig of the management cluster, mounted into a clusternet-hub or clusternet-controller-manager "
        "Deployment among the items.",
        example={"name": "cluster-api-kubeconfig"},
    ),
)

SPEC = Object(
    Field(
        "parentURL",
        Text(formats.PARENT_URL),
        "https URL of the parent API server.",
        required=True,
        private=True,
        example="https://parent.example.com:6443",
    ),
    Field(
        "registrationToken",
        token.REGISTRATION_TOKEN,
        "Where the registration token comes from: exactly one source.",
        required=True,
        private=True,
        example={"secretRef": {"name": "clusternet-registration"}},
    ),
    Field(
        "clusterSelector",
        selectors.NON_EMPTY_SELECTOR,
        "Clusters to register, by their labels; not empty.",
        required=True,
        example={"matchLabels": {"clusternet.io/register": "true"}},
    ),
    Field(
        "namespaceSelector",
        selectors.SELECTOR,
        "Namespaces to serve, by the labels of Namespace objects in the input; all unless given.",
        example={"matchLabels": {"team": "edge"}},
    ),
    Field(
        "namespaces",
        ListOf(selectors.NAMESPACE, minimum=1, unique=True),
        "Instead of namespaceSelector: exactly these, whether or not the input has Clusters there.",
        example=["fleet-eu", "fleet-us"],
    ),
    Field(
        "serveEmptyNamespaces",
        Flag(),
        "Also serve the Namespaces of the input that namespaceSelector matches and that have no Cluster in the "
        "input: for Clusters that are made through the API, not in Git.",
        default=False,
        example=True,
    ),
    Field("agent", agent.AGENT, "How clusternet-agent is installed.", default={}),
    Field("identity", IDENTITY, "Under which names and labels clusters register.", default={}),
    Field("clusterResourceSet", RESOURCE_SET, "The ClusterResourceSets that are generated.", default={}),
    Field(
        "managementCluster",
        Object(
            Field(
                "featureGate",
                Choice("Check", "Ensure", "Ignore"),
                "What to do about the feature gate ClusterResourceSet of Cluster API in the input.",
                default="Check",
            )
        ),
        "The management cluster's own set-up.",
        default={},
    ),
    Field("hub", HUB, "Set-up of clusternet-hub.", default={}),
    Field(
        "gitops",
        Object(
            *(
                Field(host.name, Flag(), f"Annotations that the output needs in {host.title}.", default=False)
                for host in ANNOTATED
            )
        ),
        "Annotations that make the output safe in GitOps tools.",
        default={},
    ),
    Field("guard", GUARD, "Limits that stop a run that would lose Clusters.", default={}),
    Field(
        "mode",
        Choice("Render", "Check"),
        "Check validates everything and changes nothing; run it as the last transformer.",
        default="Render",
    ),
    constraints=(
        Refuse(
            Given("namespaceSelector", empty=True),
            Given("namespaces"),
            "must not be given together with namespaceSelector: choose one",
        ),
        Require(
            Given("serveEmptyNamespaces", on=True),
            "namespaceSelector",
            "is required with serveEmptyNamespaces: it says which Namespaces are meant",
        ),
        Refuse(
            Given("identity.mode", "PerCluster"),
            Given("serveEmptyNamespaces", on=True),
            "is only for identity.mode Shared: with PerCluster each set is made for a Cluster of the input",
        ),
        *(
            Refuse(
                Given("identity.mode", "Shared", absent=True),
                Given(f"identity.{name}"),
                "is only for identity.mode PerCluster: set the mode, or remove the field",
            )
            for name in ("nameTemplate", "labelKeys")
        ),
        Refuse(
            Given("identity.mode", "PerCluster"),
            Given("identity.namePrefix"),
            "is only for identity.mode Shared: use nameTemplate with PerCluster",
        ),
        *(
            Refuse(
                Given(f"registrationToken.{source}"),
                Given("hub.discoverySecret", on=True),
                f"needs the token itself, which registrationToken.{source} keeps away: choose another source, or "
                "remove the field",
            )
            for source in sources.OUTSIDE
        ),
    ),
)

METADATA = Object(
    Field(
        "name",
        selectors.NAME,
        "Name of the configuration; what it generates carries it as its owner.",
        required=True,
        example="fleet",
    ),
    Field("namespace", selectors.NAMESPACE, "Namespace of the configuration object."),
    foreign=SPEC.names,
)

CONFIG = Object(
    Field("apiVersion", Choice(API_VERSION), "Version of this API.", required=True),
    Field("kind", Choice(KIND), "Kind of the object.", required=True),
    Field("metadata", METADATA, "Standard metadata of an object.", required=True, example={"name": "fleet"}),
    Field("spec", SPEC, "The desired configuration.", required=True),
)
