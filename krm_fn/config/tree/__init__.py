"""The tree of a `ClusternetCAPIConfig`: every field with its kind, default, sentence and example.

This is the one place that says what a configuration may hold. Decoder, flat keys, JSON Schema, KRMFunctionDefinition
and the Markdown reference all walk it; what spans several fields and no schema can say is in
`config.rules_in_code`.
"""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Field, ListOf, Object
from krm_fn.config.kinds import Choice, Flag, Text
from krm_fn.config.rules_in_schema import Given, Refuse, Require
from krm_fn.config.tree import agent, output, selectors, token
from krm_fn.surface import API_VERSION, KIND
from krm_fn.tokens import sources

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
            kind=token.REGISTRATION_TOKEN,
            required=True,
            private=True,
            doc="Where the registration token comes from: exactly one source.",
            example={"secretRef": {"name": "clusternet-registration"}},
        ),
        Field(
            name="clusterSelector",
            kind=selectors.NON_EMPTY_SELECTOR,
            required=True,
            doc="Clusters to register, by their labels; not empty.",
            example={"matchLabels": {"clusternet.io/register": "true"}},
        ),
        Field(
            name="namespaceSelector",
            kind=selectors.SELECTOR,
            doc="Namespaces to serve, by the labels of Namespace objects in the input; all unless given.",
            example={"matchLabels": {"team": "edge"}},
        ),
        Field(
            name="namespaces",
            kind=ListOf(item=selectors.NAMESPACE, minimum=1, unique=True),
            doc="Instead of namespaceSelector: exactly these, whether or not the input has Clusters there.",
            example=["fleet-eu", "fleet-us"],
        ),
        Field(
            name="serveEmptyNamespaces",
            kind=Flag(),
            default=False,
            doc="Also serve the Namespaces of the input that namespaceSelector matches and that have no Cluster in the "
            "input: for Clusters that are made through the API, not in Git.",
            example=True,
        ),
        Field(name="agent", kind=agent.AGENT, default={}, doc="How clusternet-agent is installed."),
        Field(
            name="identity",
            kind=output.IDENTITY,
            default={},
            doc="Under which names and labels clusters register.",
        ),
        Field(
            name="clusterResourceSet",
            kind=output.RESOURCE_SET,
            default={},
            doc="The ClusterResourceSets that are generated.",
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
        Field(name="hub", kind=output.HUB, default={}, doc="Set-up of clusternet-hub."),
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
        Field(name="guard", kind=output.GUARD, default={}, doc="Limits that stop a run that would lose Clusters."),
        Field(
            name="mode",
            kind=Choice(values=("Render", "Check")),
            default="Render",
            doc="Check validates everything and changes nothing; run it as the last transformer.",
        ),
    ),
    constraints=(
        Refuse(
            when=Given(path="namespaceSelector", empty=True),
            what=Given(path="namespaces"),
            text="must not be given together with namespaceSelector: choose one",
        ),
        Require(
            when=Given(path="serveEmptyNamespaces", values=(True,)),
            path="namespaceSelector",
            text="is required with serveEmptyNamespaces: it says which Namespaces are meant",
        ),
        Refuse(
            when=Given(path="identity.mode", values=("PerCluster",)),
            what=Given(path="serveEmptyNamespaces", values=(True,)),
            text="is only for identity.mode Shared: with PerCluster each set is made for a Cluster of the input",
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
        *(
            Refuse(
                when=Given(path=f"registrationToken.{source}"),
                what=Given(path="hub.discoverySecret", values=(True,)),
                text=f"needs the token itself, which registrationToken.{source} keeps away: choose another source, or "
                "remove the field",
            )
            for source in sources.OUTSIDE
        ),
    ),
)

METADATA = Object(
    fields=(
        Field(
            name="name",
            kind=selectors.NAME,
            required=True,
            doc="Name of the configuration; what it generates carries it as its owner.",
            example="fleet",
        ),
        Field(name="namespace", kind=selectors.NAMESPACE, doc="Namespace of the configuration object."),
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
