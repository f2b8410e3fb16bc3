"""From checked values to the records of the model. Nothing can be wrong here any more."""

from __future__ import annotations

from krm_fn.config.agent_rules import agent_version
from krm_fn.config.tree import token
from krm_fn.kube.labels import MATCHES_NOTHING, LabelSelector
from krm_fn.model import (
    AgentOptions,
    AgentVersion,
    Config,
    ExtraResource,
    GitopsOptions,
    GuardOptions,
    HubOptions,
    IdentityOptions,
    KubeconfigRef,
    Patch,
    ResourceSetOptions,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_ADDONS = "addons.cluster.x-k8s.io/"
_DEFAULT_TEMPLATE = "{name}"


def config(name: str, namespace: str, spec: Mapping[str, Any]) -> Config:
    """Make a `Config` of the values of `spec`, as the tree reads them."""
    selector = spec.get("namespaceSelector")
    return Config(
        name=name,
        namespace=namespace,
        parent_url=spec["parentURL"],
        token=token.source(spec["registrationToken"]),
        cluster_selector=LabelSelector.read(spec["clusterSelector"]) or MATCHES_NOTHING,
        namespace_selector=None if selector is None else LabelSelector.read(selector),
        namespaces=tuple(spec.get("namespaces", ())),
        serve_empty_namespaces=spec["serveEmptyNamespaces"],
        agent=_agent(spec["agent"]),
        identity=_identity(spec["identity"]),
        resource_set=_resource_set(spec["clusterResourceSet"]),
        feature_gate=spec["managementCluster"]["featureGate"],
        hub=_hub(spec["hub"]),
        gitops=GitopsOptions(argocd=spec["gitops"]["argocd"], flux=spec["gitops"]["flux"]),
        guard=_guard(spec["guard"]),
        mode=spec["mode"],
    )


def _agent(value: Mapping[str, Any]) -> AgentOptions:
    return AgentOptions(
        image=value["image"],
        version=agent_version(value) or AgentVersion(major=0, minor=0, patch=0),
        namespace=value["namespace"],
        replicas=value["replicas"],
        image_pull_policy=value.get("imagePullPolicy", ""),
        image_pull_secrets=tuple(one if isinstance(one, str) else one["name"] for one in value["imagePullSecrets"]),
        resources=value["resources"],
        node_selector=value["nodeSelector"],
        tolerations=tuple(value["tolerations"]),
        affinity=value["affinity"],
        priority_class_name=value.get("priorityClassName", ""),
        pod_labels=value["podLabels"],
        pod_annotations=value["podAnnotations"],
        env=tuple(value["env"]),
        sync_mode=value["syncMode"],
        cluster_type=value["clusterType"],
        feature_gates=value["featureGates"],
        extra_args=tuple(value["extraArgs"]),
        patches=tuple(
            Patch(kind=one["target"]["kind"], name=one["target"]["name"], patch=one["patch"])
            for one in value["patches"]
        ),
    )


def _identity(value: Mapping[str, Any]) -> IdentityOptions:
    return IdentityOptions(
        mode=value["mode"],
        name_prefix=value.get("namePrefix", ""),
        name_template=value.get("nameTemplate", _DEFAULT_TEMPLATE),
        labels=value["labels"],
        label_keys=tuple(sorted(value["labelKeys"])),
    )


def _resource_set(value: Mapping[str, Any]) -> ResourceSetOptions:
    version = value["apiVersion"]
    return ResourceSetOptions(
        name=value["name"],
        strategy=value["strategy"],
        api_version="" if version == "auto" else _ADDONS + version.removeprefix(_ADDONS),
        labels=value["labels"],
        annotations=value["annotations"],
        extra_resources=tuple(ExtraResource(kind=one["kind"], name=one["name"]) for one in value["extraResources"]),
    )


def _hub(value: Mapping[str, Any]) -> HubOptions:
    ref = value.get("kubeconfigSecretRef")
    return HubOptions(
        discovery_secret=value["discoverySecret"],
        kubeconfig=None if ref is None else KubeconfigRef(name=ref["name"], key=ref["key"]),
    )


def _guard(value: Mapping[str, Any]) -> GuardOptions:
    most = value.get("maxRemovedClusters")
    percentage = isinstance(most, str)
    return GuardOptions(
        allow_no_clusters=value["allowNoClusters"],
        min_clusters=value.get("minClusters"),
        max_removed=None if percentage else most,
        max_removed_percent=int(str(most).removesuffix("%")) if percentage else None,
        on_invalid_cluster=value["onInvalidCluster"],
    )
