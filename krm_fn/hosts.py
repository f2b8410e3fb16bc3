"""The hosts: one row for each, from which `init --for` and the fields of `spec.gitops` derive.

Annotations that a host adds to the objects which it hands over are the protocol's: `krm.changes` and `krm.unreadable`.
"""

from __future__ import annotations

from krm_fn.base import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Host(Record):
    """A host that runs the function or applies its output, beside its files in `starters/`."""

    name: str  # in `init --for` and `spec.gitops`
    title: str
    config: str  # where the configuration is in its starter
    where: str  # goes what an existing package needs
    lines: str
    next: str  # the command to try; {folder} is that of the configuration
    on_sets: Mapping[str, str] = {}  # annotations of ClusterResourceSets that it needs
    on_text: Mapping[str, str] = {}  # annotations of objects that hold manifests as text


HOSTS = (
    Host(
        name="kustomize",
        title="kustomize",
        config="clusternet.yaml",
        where="the outermost kustomization.yaml",
        lines="transformers:\n- clusternet.yaml",
        next="kustomize build --enable-alpha-plugins --enable-exec .",
    ),
    Host(
        name="kpt",
        title="kpt",
        config="clusternet/config.yaml",
        where="Kptfile, last in the pipeline",
        lines="pipeline:\n  mutators:\n  - exec: clusternet-capi-fn\n    configPath: clusternet/config.yaml",
        next="kpt fn render --allow-exec",
    ),
    Host(
        name="argocd",
        title="Argo CD",
        config="fleet/clusternet.yaml",
        where="the Application's spec.source",
        lines="plugin:\n  name: clusternet-capi-fn-v0.1",
        next="clusternet-capi-fn plan {folder}",
        # a set is Degraded while one workload cluster is unreachable; see docs/hosts/argocd.md
        on_sets={"argocd.argoproj.io/ignore-healthcheck": "true"},
    ),
    Host(
        name="flux",
        title="Flux",
        config="fleet/clusternet.yaml",
        where="the CI job that pushes the artifact",
        lines="clusternet-capi-fn render . -o ../rendered.yaml",
        next="clusternet-capi-fn plan {folder}",
        # Flux would expand a `${` in the text; see docs/hosts/flux.md
        on_text={"kustomize.toolkit.fluxcd.io/substitute": "disabled"},
    ),
)
ANNOTATED = tuple(host for host in HOSTS if host.on_sets or host.on_text)  # those that `spec.gitops` knows
