"""Cluster API on the management control plane: the real manager with its webhooks, and stand-ins for providers."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import yaml

from tests.hosts import programs
from tests.hosts.lab.api import Object, RefusedError, wait
from tests.hosts.lab.kubelet import NODE, report
from tests.hosts.lab.servers import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.lab.pki import Pki
    from tests.hosts.lab.servers import ControlPlane, Ports

INFRASTRUCTURE, CONTROL_PLANE = "infrastructure.cluster.x-k8s.io", "controlplane.cluster.x-k8s.io"
PROVIDER_KINDS = (
    *((INFRASTRUCTURE, kind) for kind in ("LabCluster", "LabClusterTemplate")),
    *((CONTROL_PLANE, kind) for kind in ("LabControlPlane", "LabControlPlaneTemplate")),
)
MANAGER, SYSTEM, CONTAINER = "capi-controller-manager", "capi-system", "manager"
CLASS = "lab"  # the ClusterClass of `classes`


class Release(NamedTuple):
    """A release of Cluster API, and the API versions of its objects that it stores."""

    line: str
    clusters: str
    sets: str

    @property
    def program(self) -> Path:
        """The manager, as `.ci/install-tools` built it."""
        return programs.TOOLS / f"capi-{self.line}"

    @property
    def config(self) -> Path:
        """The release's CRDs and webhooks."""
        return programs.TOOLS / f"capi-{self.line}.yaml"

    @property
    def versions(self) -> dict[str, str]:
        """The API version of each kind, for `Api`."""
        kinds = {"Cluster": self.clusters, "ClusterClass": self.clusters}
        kinds.update(dict.fromkeys(("ClusterResourceSet", "ClusterResourceSetBinding"), self.sets))
        provided = {kind: f"{group}/v1beta1" for group, kind in PROVIDER_KINDS}
        return {**kinds, **provided}


RELEASES = {
    "1.14": Release("1.14", "cluster.x-k8s.io/v1beta2", "addons.cluster.x-k8s.io/v1beta2"),
    "1.10": Release("1.10", "cluster.x-k8s.io/v1beta1", "addons.cluster.x-k8s.io/v1beta1"),
}


def manager(release: Release, folder: Path, ports: Ports, management: ControlPlane, pki: Pki, *flags: str) -> Process:
    """The unchanged manager; its webhooks listen on every address, since it has no flag for that."""
    return Process(
        *("capi-manager", folder, release.program, "--leader-elect=false", "--feature-gates=ClusterTopology=true"),
        *(f"--webhook-port={ports.webhooks}", f"--webhook-cert-dir={pki.server.parent}", "--v=2"),
        *("--diagnostics-address=127.0.0.1:0", "--insecure-diagnostics", f"--health-addr=127.0.0.1:{ports.manager}"),
        *("--kube-api-qps=200", "--kube-api-burst=400", *flags),
        env={"KUBECONFIG": str(management.kubeconfig), "POD_NAMESPACE": SYSTEM},
    )


def deployment(release: Release, *flags: str) -> Object:
    """The Deployment that the manager has elsewhere; here it is a process, for which the stand-in of a kubelet speaks."""
    image = f"registry.k8s.io/cluster-api/cluster-api-controller:v{release.line}.0"
    container = {"name": CONTAINER, "image": image, "args": [*flags]}
    pod = {
        "metadata": {"labels": {"control-plane": "m"}},
        "spec": {"containers": [container], "nodeName": NODE, "terminationGracePeriodSeconds": 0},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": MANAGER, "namespace": SYSTEM},
        "spec": {
            "replicas": 1,
            "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": pod["metadata"]["labels"]},
            "template": pod,
        },
    }


def describe(release: Release, management: ControlPlane, *flags: str, ready: bool) -> None:
    """Have the Deployment of the manager there, with its flags, and its pod ready or not."""
    api = management.api
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SYSTEM}}
    management.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([namespace, deployment(release, *flags)]))

    def settled() -> bool:
        for pod in api.list("Pod", SYSTEM):
            report(api, pod, ready=ready)
        found = api.get("Deployment", MANAGER, SYSTEM) or {}
        status = found.get("status", {})
        seen = status.get("observedGeneration") == found["metadata"]["generation"] and status.get("replicas") == 1
        return seen and status.get("updatedReplicas") == 1 and status.get("readyReplicas", 0) == int(ready)

    wait(settled, lambda: f"the manager's Deployment: {api.get('Deployment', MANAGER, SYSTEM)}")


def admits(release: Release, management: ControlPlane) -> bool:
    """Whether the webhooks answer."""
    [_, value] = cluster(release, "default", "try", {}, topology=False)
    try:
        management.api.create(value, dry_run=True)
    except RefusedError as refused:
        return refused.code != 500  # failed calling webhook
    return True


def install(release: Release, ports: Ports, management: ControlPlane, pki: Pki) -> None:
    """Create the CRDs, then the webhooks of a release."""
    management.api.versions.update(release.versions)
    authority = base64.b64encode(pki.ca.read_bytes()).decode()

    def config(client: Any) -> Any:
        path = client["service"].get("path", "/")
        return {"url": f"https://127.0.0.1:{ports.webhooks}{path}", "caBundle": authority}

    crds = [provider_crd(group, kind) for group, kind in PROVIDER_KINDS]
    webhooks = []
    for value in yaml.load_all(release.config.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader):
        value["metadata"].pop("annotations", None)  # cert-manager's
        if value["kind"] == "CustomResourceDefinition":
            conversion = value["spec"].get("conversion", {}).get("webhook")
            if conversion:
                conversion["clientConfig"] = config(conversion["clientConfig"])
            crds.append(value)
        elif value["kind"].endswith("WebhookConfiguration"):
            for webhook in value["webhooks"]:
                webhook["clientConfig"] = config(webhook["clientConfig"])
            webhooks.append(value)
    create_crds(management, crds)
    for webhook in webhooks:
        management.api.create(webhook)


def create_crds(plane: ControlPlane, crds: list[Object]) -> None:
    """Create CustomResourceDefinitions, and wait until they are served."""
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(plane.api.create, crds))
    for crd in crds:
        name = crd["metadata"]["name"]
        wait(lambda name=name: _established(plane, name), f"CRD {name}")


def classes(namespace: str, release: Release) -> list[Object]:
    """A ClusterClass and its templates, for Clusters with `spec.topology`."""
    kinds = {
        "infrastructure": (INFRASTRUCTURE, "LabClusterTemplate"),
        "controlPlane": (CONTROL_PLANE, "LabControlPlaneTemplate"),
    }
    templates = [
        {
            "apiVersion": f"{group}/v1beta1",
            "kind": kind,
            "metadata": {"name": CLASS, "namespace": namespace},
            "spec": {"template": {"spec": {"lab": "x"}}},
        }
        for group, kind in kinds.values()
    ]
    reference = "templateRef" if release.clusters.endswith("v1beta2") else "ref"
    spec = {
        part: {reference: {"apiVersion": f"{group}/v1beta1", "kind": kind, "name": CLASS}}
        for part, (group, kind) in kinds.items()
    }
    metadata = {"name": CLASS, "namespace": namespace}
    return [*templates, {"apiVersion": release.clusters, "kind": "ClusterClass", "metadata": metadata, "spec": spec}]


def cluster(release: Release, namespace: str, name: str, labels: dict[str, str], *, topology: bool) -> list[Object]:
    """A Cluster as a user writes it, after the object of its infrastructure provider where it is not one of a class."""
    newest = release.clusters.endswith("v1beta2")
    spec: Object = {}
    before = []
    if topology:
        spec["topology"] = {"version": "v1.34.2", **({"classRef": {"name": CLASS}} if newest else {"class": CLASS})}
    else:
        version = {"apiGroup": INFRASTRUCTURE} if newest else {"apiVersion": f"{INFRASTRUCTURE}/v1beta1"}
        spec["infrastructureRef"] = {**version, "kind": "LabCluster", "name": name}
        metadata = {"name": name, "namespace": namespace}
        before = [{"apiVersion": f"{INFRASTRUCTURE}/v1beta1", "kind": "LabCluster", "metadata": metadata}]
    metadata = {"name": name, "namespace": namespace, "labels": labels}
    return [*before, {"apiVersion": release.clusters, "kind": "Cluster", "metadata": metadata, "spec": spec}]


def provision(management: ControlPlane, namespace: str, name: str, kubeconfig: str, url: str) -> None:
    """Do for a Cluster what its providers would: write its kubeconfig Secret, and report it provisioned.

    Without a kubeconfig only the infrastructure is there, and the control plane not yet.
    """
    api = management.api
    references = wait(lambda: _references(api.get("Cluster", name, namespace)), f"Cluster {namespace}/{name}")
    if kubeconfig:
        _write_kubeconfig(management, namespace, name, kubeconfig)
    host, port = url.removeprefix("https://").split(":")
    for kind, own in references:
        wait(lambda kind=kind, own=own: api.get(kind, own, namespace), f"{kind} {namespace}/{own}")
        if kind == "LabCluster":
            endpoint = {"spec": {"controlPlaneEndpoint": {"host": host, "port": int(port)}}}
            api.patch(kind, own, namespace, endpoint)
            status: Object = {"ready": True, "initialization": {"provisioned": True}}
        elif kubeconfig:
            status = {"ready": True, "initialized": True, "version": "v1.34.2"}
            status["initialization"] = {"controlPlaneInitialized": True}
        else:
            continue
        api.patch(kind, own, namespace, {"status": status}, "status")


def _write_kubeconfig(management: ControlPlane, namespace: str, name: str, kubeconfig: str) -> None:
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "cluster.x-k8s.io/secret",
        "metadata": {
            "name": f"{name}-kubeconfig",
            "namespace": namespace,
            "labels": {"cluster.x-k8s.io/cluster-name": name},
        },
        "data": {"value": base64.b64encode(kubeconfig.encode()).decode()},
    }
    if management.api.get("Secret", f"{name}-kubeconfig", namespace):
        management.api.patch("Secret", f"{name}-kubeconfig", namespace, {"data": secret["data"]})
    else:
        management.api.create(secret)


def _references(cluster: Object | None) -> list[tuple[str, str]]:
    spec = (cluster or {}).get("spec", {})
    found = [spec.get(field) for field in ("infrastructureRef", "controlPlaneRef")]
    if not found[0] or ("topology" in spec and not found[1]):
        return []  # not there yet: the topology controller writes them
    return [(reference["kind"], reference["name"]) for reference in found if reference]


def _established(plane: ControlPlane, name: str) -> bool:
    crd = plane.api.get("CustomResourceDefinition", name) or {}
    conditions = crd.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


def provider_crd(group: str, kind: str) -> Object:
    """A CRD without a schema, for both contracts that Cluster API knows."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    properties = {"spec": anything, "status": anything}
    contracts = dict.fromkeys(("cluster.x-k8s.io/v1beta1", "cluster.x-k8s.io/v1beta2"), "v1beta1")
    return crd(f"{group}/v1beta1", kind, {"type": "object", "properties": properties}, contracts)


def crd(
    api_version: str, kind: str, schema: Object, labels: dict[str, str] | None = None, scope: str = "Namespaced"
) -> Object:
    """A CustomResourceDefinition with one version."""
    group, version = api_version.split("/")
    plural = f"{kind.lower()}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "labels": labels or {}},
        "spec": {
            "group": group,
            "scope": scope,
            "names": {"kind": kind, "plural": plural, "singular": kind.lower(), "listKind": f"{kind}List"},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }
