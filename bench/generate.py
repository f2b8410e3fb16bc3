"""Makes ResourceLists and package folders of any size, in the styles in which kustomize and kpt hand them over.

Six objects to a cluster, one of them the `Cluster` (every other one of a ClusterClass), about 1.5 kB an object; a fleet
has fifty clusters a namespace. No randomness: the same count gives the same bytes.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from typing import Any

PER_CLUSTER = 6
PER_NAMESPACE = 50

_KUSTOMIZE = """\
    annotations:
      config.k8s.io/id: '{index}'
      config.kubernetes.io/index: '{index}'
      internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'
      internal.config.kubernetes.io/id: '{index}'
      internal.config.kubernetes.io/index: '{index}'
      kustomize.config.k8s.io/id: |
        group: {group}
        kind: {kind}
        name: {name}
        namespace: {namespace}
        version: {version}
"""
_KPT = """\
    annotations:
      internal.config.kubernetes.io/annotations-migration-resource-id: '{index}'
      internal.config.kubernetes.io/id: '{index}'
      internal.config.kubernetes.io/index: '{file_index}'
      internal.config.kubernetes.io/package-path: 'fleet'
      internal.config.kubernetes.io/path: '{namespace}/{cluster}.yaml'
      internal.config.kubernetes.io/seqindent: 'compact'
      config.k8s.io/id: '{index}'
      config.kubernetes.io/index: '{file_index}'
      config.kubernetes.io/path: '{namespace}/{cluster}.yaml'
"""
_PLAIN = """\
    annotations:
      example.com/owner: platform-team
      example.com/ticket: 'OPS-{index}'
"""

_CLUSTER = """\
- apiVersion: cluster.x-k8s.io/{cluster_version}
  kind: Cluster
  metadata:
{annotations}    labels:
      clusternet.io/register: "{register}"
      env: {env}
      region: {region}
      team: team-{number}
    name: {cluster}
    namespace: {namespace}
  spec:
    clusterNetwork:
      pods:
        cidrBlocks:
        - 10.{octet}.0.0/16
      serviceDomain: cluster.local
      services:
        cidrBlocks:
        - 10.{octet}.128.0/20
{body}"""
_CLASSIC = """\
    controlPlaneRef:
      apiGroup: controlplane.cluster.x-k8s.io
      kind: KubeadmControlPlane
      name: {cluster}-control-plane
    infrastructureRef:
      apiGroup: infrastructure.cluster.x-k8s.io
      kind: AWSCluster
      name: {cluster}
"""
_TOPOLOGY = """\
    topology:
      classRef:
        name: standard-v1
      controlPlane:
        replicas: 3
      variables:
      - name: instanceType
        value: m5.xlarge
      - name: podSecurity
        value: "restricted"
      version: v1.33.1
      workers:
        machineDeployments:
        - class: default-worker
          name: md-0
          replicas: 5
"""
_CONTROL_PLANE = """\
- apiVersion: controlplane.cluster.x-k8s.io/v1beta1
  kind: KubeadmControlPlane
  metadata:
{annotations}    name: {name}
    namespace: {namespace}
  spec:
    kubeadmConfigSpec:
      clusterConfiguration:
        apiServer:
          certSANs: ["{cluster}.example.com", "10.{octet}.0.1"]
          extraArgs:
            audit-log-maxage: "30"
            audit-log-path: /var/log/kubernetes/audit.log
            enable-admission-plugins: NodeRestriction,PodSecurity
            tls-cipher-suites: TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256
        controllerManager:
          extraArgs:
            cloud-provider: external
      files:
      - content: |
          apiVersion: audit.k8s.io/v1
          kind: Policy
          rules:
          - level: Metadata
            omitStages: ["RequestReceived"]
          - level: None
            users: ["system:kube-proxy"]
            verbs: ["watch"]
        owner: root:root
        path: /etc/kubernetes/audit-policy.yaml
        permissions: "0600"
      initConfiguration:
        nodeRegistration:
          kubeletExtraArgs:
            cloud-provider: external
          name: '{{{{ ds.meta_data.local_hostname }}}}'
      postKubeadmCommands:
      - systemctl restart containerd   # picks up the new registry
    machineTemplate:
      infrastructureRef:
        apiVersion: infrastructure.cluster.x-k8s.io/v1beta2
        kind: AWSMachineTemplate
        name: {name}
    replicas: 3
    version: v1.33.1
"""
_DEPLOYMENT = """\
- apiVersion: apps/v1
  kind: Deployment
  metadata:
{annotations}    labels:
      app.kubernetes.io/name: {name}
      app.kubernetes.io/part-of: {cluster}
    name: {name}
    namespace: {namespace}
  spec:
    replicas: 2
    selector:
      matchLabels:
        app.kubernetes.io/name: {name}
    template:
      metadata:
        annotations:
          checksum/config: 6f1ed002ab5595859014ebf0951522d9cf1a0c8f0d1e6f7c9b1d1a2b3c4d5e6f
          prometheus.io/port: "8080"
          prometheus.io/scrape: "true"
        labels:
          app.kubernetes.io/name: {name}
      spec:
        containers:
        - args:
          - --leader-elect
          - --metrics-bind-addr=:8080
          - --cluster={cluster}
          command:
          - /manager
          env:
          - name: POD_NAMESPACE
            valueFrom:
              fieldRef:
                fieldPath: metadata.namespace
          image: registry.example.com/platform/{name}:v1.{number}.0
          livenessProbe:
            httpGet:
              path: /healthz
              port: 9440
            initialDelaySeconds: 10
          name: manager
          resources:
            limits:
              cpu: 500m
              memory: 512Mi
            requests:
              cpu: 100m
              memory: 128Mi
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
              - ALL
          volumeMounts:
          - mountPath: /tmp
            name: tmp
        serviceAccountName: {name}
        volumes:
        - emptyDir: {{}}
          name: tmp
"""
_CONFIG_MAP = """\
- apiVersion: v1
  data:
    config.yaml: |
      # rendered for {cluster}
      server:
        listen: 0.0.0.0:8080
        tls:
          cert: /etc/tls/tls.crt
          key: /etc/tls/tls.key
      log:
        level: info
        format: json
      features:
        - name: "a"
          enabled: yes
        - name: 'b'
          enabled: no
      text: "It's {name}"
    dashboard.json: |
      {{
        "title": "{cluster}",
        "panels": [
          {{"type": "graph", "targets": [{{"expr": "sum(rate(http_requests_total[5m]))"}}]}},
          {{"type": "stat", "targets": [{{"expr": "up"}}]}}
        ]
      }}
    run.sh: |-
      #!/bin/sh
      set -eu
      for node in $(kubectl get nodes -o name); do
        echo "checking $node"
        kubectl wait --for=condition=Ready "$node" --timeout=60s
      done
  kind: ConfigMap
  metadata:
{annotations}    name: {name}
    namespace: {namespace}
"""
_CERTIFICATE = """\
- apiVersion: v1
  data:
    ca.crt: {blob}
    tls.crt: {blob}
    tls.key: {blob}
  kind: Secret
  metadata:
{annotations}    name: {name}
    namespace: {namespace}
  type: kubernetes.io/tls
"""
_MACHINES = """\
- apiVersion: cluster.x-k8s.io/v1beta1
  kind: MachineDeployment
  metadata:
{annotations}    labels:
      cluster.x-k8s.io/cluster-name: {cluster}
      nodepool: pool-0
    name: {name}
    namespace: {namespace}
  spec:
    clusterName: {cluster}
    replicas: 5
    selector:
      matchLabels:
        cluster.x-k8s.io/cluster-name: {cluster}
    template:
      metadata:
        labels:
          cluster.x-k8s.io/cluster-name: {cluster}
          nodepool: pool-0
      spec:
        bootstrap:
          configRef:
            apiVersion: bootstrap.cluster.x-k8s.io/v1beta1
            kind: KubeadmConfigTemplate
            name: {cluster}-md-0
        clusterName: {cluster}
        failureDomain: {region}a
        infrastructureRef:
          apiVersion: infrastructure.cluster.x-k8s.io/v1beta2
          kind: AWSMachineTemplate
          name: {cluster}-md-0
        nodeDrainTimeout: 5m
        version: v1.33.1
"""
# template, kind, group, version, suffix of the name
_OBJECTS = (
    (_CLUSTER, "Cluster", "cluster.x-k8s.io", "v1beta1", ""),
    (_CONTROL_PLANE, "KubeadmControlPlane", "controlplane.cluster.x-k8s.io", "v1beta1", "-control-plane"),
    (_MACHINES, "MachineDeployment", "cluster.x-k8s.io", "v1beta1", "-md-0"),
    (_DEPLOYMENT, "Deployment", "apps", "v1", "-autoscaler"),
    (_CONFIG_MAP, "ConfigMap", "", "v1", "-settings"),
    (_CERTIFICATE, "Secret", "", "v1", "-tls"),
)
_BLOB = "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCk1JSUJlRENDQVI2Z0F3SUJBZ0lCQURBS0JnZ3Foa2pPUFFRREFqQWpNU0V3" * 4

CONFIG = """\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
  annotations:
    config.kubernetes.io/local-config: "true"
spec:
  parentURL: https://parent.example.com:6443
  registrationToken:
    existingSecret:
      name: clusternet-registration
  clusterSelector:
    matchLabels:
      clusternet.io/register: "true"
"""


def entries(count: int, style: str) -> list[str]:
    """Return list entries: `kustomize`, `kpt` or `plain` annotations."""
    block = {"kustomize": _KUSTOMIZE, "kpt": _KPT, "plain": _PLAIN}[style]
    made = []
    for index in range(count):
        number, place = divmod(index, PER_CLUSTER)
        template, kind, group, version, suffix = _OBJECTS[place]
        values = {
            "index": index,
            "file_index": place,
            "number": number % 97,
            "cluster": f"cluster-{number:05d}",
            "name": f"cluster-{number:05d}{suffix}",
            "namespace": f"fleet-{number // PER_NAMESPACE:03d}",
            "group": group or '""',
            "kind": kind,
            "version": version,
            "cluster_version": "v1beta2" if number % 3 else "v1beta1",
            "register": "false" if number % 5 == 0 else "true",
            "env": ("dev", "staging", "prod")[number % 3],
            "region": ("eu-west-1", "us-east-1")[number % 2],
            "octet": number % 200,
            "blob": _BLOB,
        }
        values["annotations"] = block.format(**values)
        values["body"] = (_TOPOLOGY if number % 2 else _CLASSIC).format(**values)
        made.append(template.format(**values))
    return made


def resource_list(count: int, style: str) -> bytes:
    """Return a whole ResourceList with the function's configuration."""
    config = "".join(f"  {line}\n" for line in CONFIG.splitlines())
    head = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
    return (head + "".join(entries(count, style)) + "functionConfig:\n" + config).encode()


def documents(count: int) -> dict[str, str]:
    """Return files of plain manifests, one a cluster: name -> text."""
    files: dict[str, list[str]] = {}
    for index, entry in enumerate(entries(count, "plain")):
        number = index // PER_CLUSTER
        text = "\n".join(line[2:] for line in entry.split("\n"))
        files.setdefault(f"fleet-{number // PER_NAMESPACE:03d}/cluster-{number:05d}.yaml", []).append(text)
    return {name: "---\n".join(texts) for name, texts in files.items()}


def write_folder(folder: Path, count: int) -> list[str]:
    """Write the files of `documents` into a folder; return their names, sorted."""
    found = documents(count)
    for name, text in found.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return sorted(found)


def fleet(count: int) -> str:
    """Return Clusters alone, a hundred per namespace, all of which register."""
    return "---\n".join(
        "apiVersion: cluster.x-k8s.io/v1beta2\nkind: Cluster\nmetadata:\n"
        f"  name: cluster-{number:05d}\n  namespace: fleet-{number // PER_NAMESPACE:03d}\n  labels:\n"
        f'    clusternet.io/register: "true"\n    cluster.x-k8s.io/cluster-name: cluster-{number:05d}\n'
        f"    env: {('dev', 'staging', 'prod')[number % 3]}\n"
        "spec:\n  clusterNetwork:\n    pods:\n      cidrBlocks: [10.0.0.0/16]\n"
        for number in range(count)
    )


def per_cluster(image: str = "") -> str:
    """Return the configuration with a registration name for each Cluster, and perhaps another agent image."""
    agent = f"  agent:\n    image: {image}\n" if image else ""
    return f"{CONFIG}  identity:\n    mode: PerCluster\n{agent}"


def many_configs(count: int) -> str:
    """Return configurations that reach disjoint Clusters: one per label value."""
    return "---\n".join(
        CONFIG.replace("name: fleet", f"name: fleet-{number:03d}").replace(
            'clusternet.io/register: "true"', f'wave: "{number}"'
        )
        + f"  clusterResourceSet:\n    name: wave-{number:03d}\n  guard:\n    allowNoClusters: true\n"
        for number in range(count)
    )


def dump(rendered: Iterable[dict[str, Any]]) -> str:
    """Return what kubectl prints of a fleet that has been delivered, from the Clusters and what was rendered for them."""
    items = list(rendered)
    sets: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for one in items:
        if one["kind"] == "ClusterResourceSet":
            name = one["spec"]["clusterSelector"]["matchLabels"].get("cluster.x-k8s.io/cluster-name", "")
            sets.setdefault((one["metadata"]["namespace"], name), []).append(one)
    found = []
    for one in items:
        where = one["metadata"]
        if one["kind"] == "Cluster":
            conditions = [
                {"type": kind, "status": "True", "reason": "Ready", "lastTransitionTime": "2026-11-23T09:00:00Z"}
                for kind in ("InfrastructureReady", "ControlPlaneInitialized", "RemoteConnectionProbe", "Available")
            ]
            one = {**one, "status": {"phase": "Provisioned", "conditions": conditions}}  # noqa: PLW2901
            bindings = [
                {
                    "clusterResourceSetName": resource_set["metadata"]["name"],
                    "resources": [
                        {
                            **ref,
                            "applied": True,
                            "hash": f"sha256:{'0' * 64}",
                            "lastAppliedTime": "2026-11-23T09:01:00Z",
                        }
                        for ref in resource_set["spec"]["resources"]
                    ],
                }
                for name in ("", where["name"])
                for resource_set in sets.get((where["namespace"], name), ())
            ]
            found.append(
                {
                    "apiVersion": "addons.cluster.x-k8s.io/v1beta2",
                    "kind": "ClusterResourceSetBinding",
                    "metadata": {"name": where["name"], "namespace": where["namespace"]},
                    "spec": {"clusterName": where["name"], "bindings": bindings},
                }
            )
        found.append(one)
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=4)


def hub_dump(example: Iterable[dict[str, Any]], count: int) -> str:
    """Return what kubectl prints of a fleet that the hub's discovery set up, from the objects of one namespace."""
    objects = list(example)
    cluster = next(one for one in objects if one["kind"] == "Cluster")
    found = []
    for number in range(count):
        namespace, name = f"fleet-{number // PER_NAMESPACE:03d}", f"cluster-{number:05d}"
        if number % PER_NAMESPACE == 0:
            found += [
                {**one, "metadata": {**one["metadata"], "namespace": namespace}}
                for one in objects
                if one is not cluster
            ]
        labels = {**cluster["metadata"]["labels"], "cluster.x-k8s.io/cluster-name": name}
        where = {**cluster["metadata"], "namespace": namespace, "name": name, "labels": labels}
        found.append({**cluster, "metadata": where})
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": found}, indent=4)
