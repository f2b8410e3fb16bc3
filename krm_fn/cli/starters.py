"""The files that `init` writes: for each host a package that renders at once, with what has to be changed marked."""

from __future__ import annotations

from krm_fn import __version__

SCHEMA_LINE = "# yaml-language-server: $schema=.schemas/clusternetcapiconfig.schema.json\n"

_CONFIG = """apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata:
  name: fleet
{annotations}spec:
  # Change: the Clusternet parent cluster, as the workload clusters reach it.
  parentURL: https://parent.example.com:6443
  registrationToken:
    # A Secret that you keep in each namespace (SealedSecret, SOPS, …); no token lies in Git.
    # `clusternet-capi-fn manifests {config} --only registration` prints what it has to hold.
    existingSecret:
      name: clusternet-registration
  # Every Cluster with this label registers.
  clusterSelector:
    matchLabels:
      clusternet.io/register: "true"
{more}"""

_CLUSTERS = """# Replace by your own Clusters.
apiVersion: cluster.x-k8s.io/v1beta2
kind: Cluster
metadata:
  name: example
  namespace: default
  labels:
    clusternet.io/register: "true"
spec:
  topology:
    classRef:
      name: quick-start
    version: v1.34.1
"""

_KUSTOMIZATION = """apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
- clusters.yaml
# Keep the function in the outermost layer: a namePrefix after it renames Clusters, but not what refers to them.
transformers:
- {config}
"""

_FUNCTION = """  annotations:
    config.kubernetes.io/function: |
      # or, with a container engine: container: {image: "clusternet-capi-fn:v%s"}
      exec:
        path: clusternet-capi-fn
"""

_LOCAL = """  annotations:
    config.kubernetes.io/local-config: "true"
"""

_KPTFILE = """apiVersion: kpt.dev/v1
kind: Kptfile
metadata:
  name: fleet
  annotations:
    config.kubernetes.io/local-config: "true"
info:
  description: Cluster API clusters that register with Clusternet
pipeline:
  mutators:
  # or, with a container engine: image: clusternet-capi-fn:v%s
  - exec: clusternet-capi-fn
    configPath: clusternet/config.yaml
"""

_APPLICATION = """# The repo-server needs the plugin: see examples/argocd in the repository of clusternet-capi-fn.
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: fleet
  namespace: argocd
spec:
  project: default
  source:
    # Change: this repository and this folder.
    repoURL: https://git.example.com/platform/fleet.git
    targetRevision: main
    path: fleet
    plugin:
      name: clusternet-capi-fn-v0.1
  destination:
    server: https://kubernetes.default.svc
  syncPolicy:
    syncOptions:
    - ServerSideApply=true
"""

_FLUX_SOURCE = """# On the management cluster. CI pushes what `clusternet-capi-fn render .` prints; see render.sh.
apiVersion: source.toolkit.fluxcd.io/v1
kind: OCIRepository
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 5m
  # Change: where CI pushes to.
  url: oci://ghcr.io/example/fleet
  ref:
    tag: main
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: fleet
  namespace: flux-system
spec:
  interval: 10m
  sourceRef:
    kind: OCIRepository
    name: fleet
  path: ./
  prune: true
"""

_FLUX_RENDER = """#!/bin/sh
# For CI: render, and push what was rendered. A failed render pushes nothing.
set -eu
clusternet-capi-fn render fleet -o rendered.yaml
flux push artifact oci://ghcr.io/example/fleet:main -f rendered.yaml \\
  --source="$(git config --get remote.origin.url)" --revision="main@sha1:$(git rev-parse HEAD)"
"""


def files(host: str) -> dict[str, str]:
    """Return the files for a host (`kustomize`, `kpt`, `argocd`, `flux`), by path."""
    return STARTERS[host]()


def _kustomize() -> dict[str, str]:
    config = "clusternet.yaml"
    function = _FUNCTION % __version__
    return {
        "kustomization.yaml": _KUSTOMIZATION.format(config=config),
        "clusters.yaml": _CLUSTERS,
        config: SCHEMA_LINE + _CONFIG.format(annotations=function, config=config, more=""),
    }


def _kpt() -> dict[str, str]:
    config = "clusternet/config.yaml"
    return {
        "Kptfile": _KPTFILE % __version__,
        "clusters.yaml": _CLUSTERS,
        config: SCHEMA_LINE.replace("=.sch", "=../.sch") + _CONFIG.format(annotations=_LOCAL, config=config, more=""),
    }


def _argocd() -> dict[str, str]:
    config = "fleet/clusternet.yaml"
    more = "  gitops:\n    argocd: true\n"
    return {
        "application.yaml": _APPLICATION,
        "fleet/clusters.yaml": _CLUSTERS,
        config: SCHEMA_LINE.replace("=.sch", "=../.sch") + _CONFIG.format(annotations="", config=config, more=more),
    }


def _flux() -> dict[str, str]:
    config = "fleet/clusternet.yaml"
    more = "  gitops:\n    flux: true\n"
    return {
        "flux.yaml": _FLUX_SOURCE,
        "render.sh": _FLUX_RENDER,
        "fleet/clusters.yaml": _CLUSTERS,
        config: SCHEMA_LINE.replace("=.sch", "=../.sch") + _CONFIG.format(annotations="", config=config, more=more),
    }


STARTERS = {"kustomize": _kustomize, "kpt": _kpt, "argocd": _argocd, "flux": _flux}

# What to run next, in the folder that was written.
NEXT = {
    "kustomize": "kustomize build --enable-alpha-plugins --enable-exec .",
    "kpt": "kpt fn render --allow-exec",
    "argocd": "clusternet-capi-fn render fleet",
    "flux": "clusternet-capi-fn render fleet",
}
