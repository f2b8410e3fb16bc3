"""Checks: is there a ClusterResourceSet that selects the Cluster, and only one, and does Cluster API look at it?"""

from __future__ import annotations

from shlex import quote

from krm_fn.krm.results import ERROR, WARNING
from krm_fn.status import report
from krm_fn.status.case import some
from krm_fn.status.objects import PAUSED_ANNOTATION
from krm_fn.status.report import Reason
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.case import Case
    from krm_fn.status.objects import LiveCluster, LiveSet


def gate_off(case: Case) -> Iterator[Reason]:
    """The ClusterResourceSet is missing or was never looked at: the feature gate, or a watch filter."""
    if case.scene.gate:
        if case.delivered != report.YES:
            yield Reason(
                code="gate",
                message=f"feature gate ClusterResourceSet {case.scene.gate}",
                remedy=(
                    "mend its --feature-gates, or let managementCluster.featureGate: Ensure do it; see docs/troubleshooting.md",
                ),
            )
    elif not case.scene.sets and case.cluster.namespace in case.scene.served:
        yield Reason(
            code="gate",
            message="the ConfigMaps and Secrets of clusternet-capi-fn are there, but no ClusterResourceSet is: with feature "
            "gate ClusterResourceSet off, the default up to Cluster API v1.6, the server refuses them",
            remedy=(
                "look at what kubectl, Argo CD or Flux said when it applied them",
                "kubectl -n capi-system get deployment capi-controller-manager -o yaml | grep feature-gates",
            ),
        )
    elif case.agents and case.binding is None and not any(one.seen for one in case.agents):
        yield Reason(
            code="not-reconciled",
            message="Cluster API has not looked at its ClusterResourceSet yet: that has neither finalizer nor status. "
            "Either it is new, or feature gate ClusterResourceSet is off, or the manager watches "
            "objects with a label only (--watch-filter)",
            remedy=(
                "kubectl -n capi-system get deployment capi-controller-manager -o yaml | grep -e feature-gates -e watch-filter",
            ),
        )


def paused(case: Case) -> Iterator[Reason]:
    """Cluster API was told to leave the ClusterResourceSet alone."""
    names = [one.name for one in case.sets if one.paused]
    if names and case.delivered != report.YES:
        yield Reason(
            code="paused",
            message=f"ClusterResourceSet {', '.join(names)} is annotated {PAUSED_ANNOTATION}: nothing of it is applied",
            remedy=("remove the annotation",),
        )


def no_match(case: Case) -> Iterator[Reason]:
    """Nothing delivers an agent to it: name the nearest selector and what is missing."""
    cluster = case.cluster
    if case.agents or (case.scene.gate and not case.scene.sets):
        return
    prepared = next((one for one in case.sets if one.role == "identity"), None)
    candidates = [one for one in case.scene.near(cluster) if one not in case.sets]
    if prepared is not None:
        yield Reason(
            code="no-resource-set",
            message=f"{prepared.name} selects it, but no ClusterResourceSet delivers the agent to it",
            remedy=(
                "render and apply again: with identity.mode PerCluster each Cluster has a ClusterResourceSet of its own",
            ),
        )
    elif candidates:
        nearest = min(candidates, key=lambda one: (_misses(one, cluster), one.name))
        yield _nearest(nearest, cluster)
    else:
        elsewhere = sorted({one.namespace for one in case.scene.sets})
        hint = f"; those in {some(elsewhere)} select in their own namespace only" if elsewhere else ""
        yield Reason(
            code="no-resource-set",
            message=f"namespace {cluster.namespace} has no ClusterResourceSet that delivers the agent{hint}",
            remedy=(
                "render with this Cluster in the input; why it is left out, this says",
                "clusternet-capi-fn plan PATH",
            ),
        )


def _nearest(one: LiveSet, cluster: LiveCluster) -> Reason:
    """Say which requirement of the nearest set a Cluster misses."""
    if one.selector is None or one.selector.empty:
        missed, lacking = "its selector is empty or can't be read, so it selects nothing", {}
    else:
        missed = one.selector.first_failure(cluster.labels)
        lacking = {key: value for key, value in one.selector.match_labels if cluster.labels.get(key) != value}
    remedy: tuple[str, ...] = ("change the Cluster's labels in Git so that the selector holds",)
    if lacking:
        pairs = " ".join(quote(f"{key}={value}") for key, value in sorted(lacking.items()))
        place = f"-n {quote(cluster.namespace)} label --overwrite clusters.cluster.x-k8s.io {quote(cluster.name)}"
        remedy = ("set it in Git, or for a try", f"kubectl {place} {pairs}")
    return Reason(
        code="no-match",
        message=f"no ClusterResourceSet selects it; the nearest is {one.name}: {missed}",
        remedy=remedy,
    )


def _misses(one: LiveSet, cluster: LiveCluster) -> tuple[bool, int]:
    """Rank a selector by how far it is from a Cluster; a set made for another Cluster comes last."""
    if one.selector is None:
        return (True, 0)
    foreign = any(key == CLUSTER_NAME_LABEL and value != cluster.name for key, value in one.selector.match_labels)
    missed = sum(cluster.labels.get(key) != value for key, value in one.selector.match_labels)
    return (foreign, missed + sum(not each.matches(cluster.labels) for each in one.selector.match_expressions))


def two_agents(case: Case) -> Iterator[Reason]:
    """Two sets deliver an agent to it, and each undoes the other."""
    if len(case.agents) < 2:  # noqa: PLR2004 - two is what the word means
        return
    listed = ", ".join(
        f"{one.name} ({'made by clusternet-hub' if one.hub else f'of config {one.owner}'})" for one in case.agents
    )
    hub = any(one.hub for one in case.agents)
    yield Reason(
        code="two-agents",
        message=f"{len(case.agents)} ClusterResourceSets deliver an agent to it: {listed}",
        remedy=(
            "finish the migration from the hub; its last steps delete the hub's (docs/migration.md)"
            if hub
            else "make the configs' clusterSelectors disjoint",
        ),
        # the hub's is ApplyOnce: while a migration is under way it does no harm
        severity=WARNING if hub else ERROR,
    )
