"""What hosts read of the objects that we generate: one row per host, from which its field of `spec.gitops` derives."""

from __future__ import annotations

from krm_fn.base import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


class Host(Record):
    """A host with annotations of its own."""

    name: str  # in `spec.gitops`
    description: str
    on_sets: Mapping[str, str] = {}  # annotations of ClusterResourceSets
    on_text: Mapping[str, str] = {}  # annotations of objects that hold manifests as text


HOSTS = (
    Host(
        name="argocd",
        description="Annotations that the output needs in Argo CD.",
        # a set is Degraded while one workload cluster is unreachable; see docs/hosts/argocd.md
        on_sets={"argocd.argoproj.io/ignore-healthcheck": "true"},
    ),
    Host(
        name="flux",
        description="Annotations that the output needs in Flux.",
        # Flux would expand a `${` in the text; see docs/hosts/flux.md
        on_text={"kustomize.toolkit.fluxcd.io/substitute": "disabled"},
    ),
)
