"""The trees of what is generated and under which limits: identity, clusterResourceSet, guard, hub."""

from __future__ import annotations

from krm_fn.clusters import capi
from krm_fn.config import formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.kinds import Choice, Flag, Text, Whole
from krm_fn.config.tree import selectors
from krm_fn.surface import ADDONS_GROUP

IDENTITY = Object(
    fields=(
        Field(
            name="mode",
            kind=Choice(values=("Shared", "PerCluster")),
            default="Shared",
            doc="Shared: one ClusterResourceSet per namespace; agents choose a random name. PerCluster: one per Cluster, "
            "registered under a name made from nameTemplate.",
        ),
        Field(
            name="namePrefix",
            kind=Text(format=formats.NAME_PREFIX),
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

RESOURCE_SET = Object(
    fields=(
        Field(
            name="name",
            kind=Text(format=formats.SET_NAME),
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
            kind=Choice(values=("auto", *(f"{ADDONS_GROUP}/{name}" for name in capi.served()), *capi.served())),
            default="auto",
            doc="API version of the ClusterResourceSets; auto decides per namespace: the newest version of its matching "
            f"Clusters, or {capi.served()[-1]} where it has none.",
        ),
        Field(
            name="labels",
            kind=MapOf(key=formats.OWN_LABEL_KEY, value=Text(format=formats.LABEL_VALUE, empty=True)),
            default={},
            doc="Further labels of the ClusterResourceSets (not of Secrets and ConfigMaps).",
            example={"team": "platform"},
        ),
        Field(
            name="annotations",
            kind=MapOf(key=formats.OWN_LABEL_KEY, value=Text(empty=True)),
            default={},
            doc="Further annotations of the ClusterResourceSets (not of Secrets and ConfigMaps).",
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
                            kind=selectors.NAME,
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

GUARD = Object(
    fields=(
        Field(name="allowNoClusters", kind=Flag(), default=False, doc="Allow a run that matches no Clusters."),
        Field(name="minClusters", kind=Whole(), doc="Fail if fewer Clusters match.", example=10),
        Field(
            name="maxRemovedClusters",
            kind=Either(kinds=(Whole(), Text(format=formats.PERCENTAGE))),
            doc="Fail if more Clusters than this would be lost compared with the baseline: a number or a percentage.",
            example="10%",
        ),
        Field(
            name="onInvalidCluster",
            kind=Choice(values=("Fail", "Skip")),
            default="Fail",
            doc="What happens to a Cluster that can't be served: Fail the run, or Skip it with a warning. With Shared it is "
            "only not counted, since a shared selector can't leave it out.",
        ),
    )
)

HUB = Object(
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
                        kind=selectors.NAME,
                        required=True,
                        doc="Name of the Secret, in the hub's namespace.",
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
