"""Checks: is there a ClusterResourceSet that selects the Cluster, and only one, and does Cluster API look at it?"""

from __future__ import annotations

from shlex import quote

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report
from krm_fn.status.manager import WATCH_LABEL
from krm_fn.status.objects import PAUSED_ANNOTATION
from krm_fn.status.report import Reason
from krm_fn.status.scene import some
from krm_fn.surface import CAPI_MANAGER, CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.objects import LiveCluster, LiveSet
    from krm_fn.status.scene import Case

SETS = "clusterresourcesets.addons.cluster.x-k8s.io"
CLUSTERS = "clusters.cluster.x-k8s.io"
DUMP_MANAGER = f"kubectl get deployments.apps -A --field-selector metadata.name={CAPI_MANAGER} -o yaml"


def namespace_terminating(case: Case) -> Iterator[Reason]:
    """Everything in it is being deleted, and nothing new can be created."""
    namespace = case.cluster.namespace
    if namespace in case.scene.terminating:
        yield Reason(
            code="namespace-terminating",
            message=f"namespace {namespace} is being deleted, and everything in it: nothing can be delivered from it any more",
            remedy=("move the Cluster and its config to another namespace before it is gone, if it is to stay",),
        )


def gate_off(case: Case) -> Iterator[Reason]:
    """The ClusterResourceSet is missing, or was never looked at: the feature gate, or a watch filter."""
    manager = case.scene.manager
    if manager.gate:
        if case.delivered != report.YES:
            yield Reason(
                code="gate",
                message=f"feature gate ClusterResourceSet {manager.gate}",
                remedy=(
                    (
                        "correct its --feature-gates, or let managementCluster.featureGate: Ensure do it; see "
                        "docs/troubleshooting.md"
                    ),
                ),
            )
    elif not case.scene.sets and case.cluster.namespace in case.scene.served:
        yield Reason(
            code="gate",
            message="the ConfigMaps and Secrets of clusternet-capi-fn are there, but no ClusterResourceSet is: with feature "
            "gate ClusterResourceSet off, the default up to Cluster API v1.6, the server refuses them",
            remedy=(
                "read what kubectl, Argo CD or Flux reported when it applied them, and the manager's --feature-gates",
                DUMP_MANAGER,
            ),
        )
    elif case.agents and manager.watch_filter and case.delivered != report.YES:
        yield from _unwatched(case, manager.watch_filter)
    elif case.agents and case.binding is None and not any(one.seen for one in case.agents):
        known = manager.title and not manager.gate
        why = (
            f"Either it is new, or {manager.title} is not running"
            if known
            else "Either it is new, or feature gate ClusterResourceSet is off, or the manager is not running, or it only "
            "watches objects with a certain label (--watch-filter)"
        )
        yield Reason(
            code="not-reconciled",
            message="Cluster API has not looked at its ClusterResourceSet yet: it has neither a finalizer nor a status. "
            + why,
            remedy=("add the manager's Deployment to the dumps, and status reads its flags", DUMP_MANAGER),
        )


def _unwatched(case: Case, value: str) -> Iterator[Reason]:
    """Name the sets that the manager passes over."""
    names = [one.name for one in case.sets if one.labels.get(WATCH_LABEL) != value]
    if names:
        namespace = quote(case.cluster.namespace)
        listed = " ".join(map(quote, names))
        yield Reason(
            code="watch-filter",
            message=f"the manager only watches objects with the label {WATCH_LABEL}={value}, and ClusterResourceSet "
            f"{some(names)} does not have it",
            remedy=(
                "add it to spec.clusterResourceSet.labels of the config, render and sync; or, to try it first",
                f"kubectl -n {namespace} label --overwrite {SETS} {listed} {quote(f'{WATCH_LABEL}={value}')}",
            ),
        )


def paused(case: Case) -> Iterator[Reason]:
    """Cluster API was told to leave the ClusterResourceSet alone."""
    names = [one.name for one in case.sets if one.paused]
    if names and case.delivered != report.YES:
        namespace, listed = quote(case.cluster.namespace), " ".join(map(quote, names))
        yield Reason(
            code="paused",
            message=f"ClusterResourceSet {', '.join(names)} is annotated {PAUSED_ANNOTATION}: nothing of it is applied",
            remedy=(
                "remove the annotation",
                f"kubectl -n {namespace} annotate {SETS} {listed} {PAUSED_ANNOTATION}-",
            ),
        )


def no_match(case: Case) -> Iterator[Reason]:
    """Nothing delivers an agent to it: name the nearest selector and what is missing."""
    cluster = case.cluster
    if case.agents or (case.scene.manager.gate and not case.scene.sets):
        return
    prepared = next((one for one in case.sets if one.identity_only), None)
    near = [one for one in case.scene.near(cluster) if one not in case.sets]
    going = next((one for one in near if one.deleting), None)
    candidates = [one for one in near if not one.deleting]
    if going is not None and (prepared is not None or not candidates):
        yield Reason(
            code="no-resource-set",
            message=f"ClusterResourceSet {going.name} is being deleted, and no other one delivers the agent to it",
            remedy=("render with this Cluster in the input, and sync",),
        )
    elif prepared is not None:
        yield Reason(
            code="no-resource-set",
            message=f"{prepared.name} selects it, but no ClusterResourceSet delivers the agent to it",
            remedy=(
                "render and sync again: with identity.mode PerCluster each Cluster has a ClusterResourceSet of its own",
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
            remedy=("render with this Cluster in the input; clusternet-capi-fn plan PATH tells why it is left out",),
        )


def _nearest(one: LiveSet, cluster: LiveCluster) -> Reason:
    """Say which requirement of the nearest set a Cluster misses."""
    if one.selector.empty:
        missed, lacking, others = "its selector is empty or can't be read, so it selects nothing", {}, True
    else:
        missed = one.selector.first_failure(cluster.labels)
        lacking = {key: value for key, value in one.selector.match_labels if cluster.labels.get(key) != value}
        others = any(not each.matches(cluster.labels) for each in one.selector.match_expressions)
    remedy: tuple[str, ...] = ("if it is to be registered, change its labels in Git so that the selector matches",)
    if lacking and not others:
        pairs = " ".join(quote(f"{key}={value}") for key, value in sorted(lacking.items()))
        place = f"-n {quote(cluster.namespace)} label --overwrite {CLUSTERS} {quote(cluster.name)}"
        remedy = ("if it is to be registered, set the label in Git; or, to try it first", f"kubectl {place} {pairs}")
    return Reason(
        code="no-match",
        message=f"no ClusterResourceSet selects it; the nearest is {one.name}: {missed}",
        remedy=remedy,
    )


def _misses(one: LiveSet, cluster: LiveCluster) -> tuple[bool, bool, int]:
    """Rank a selector by how far it is from a Cluster; a set made for another Cluster comes last, the hub's before it."""
    if one.selector.empty:
        return (True, one.hub, 0)
    foreign = any(key == CLUSTER_NAME_LABEL and value != cluster.name for key, value in one.selector.match_labels)
    missed = sum(cluster.labels.get(key) != value for key, value in one.selector.match_labels)
    missed += sum(not each.matches(cluster.labels) for each in one.selector.match_expressions)
    return (foreign, one.hub, missed)


def two_agents(case: Case) -> Iterator[Reason]:
    """Two sets deliver an agent to it, and each undoes the other."""
    if len(case.agents) < 2:  # noqa: PLR2004 - two is what the word means
        return
    owners = {one.owner for one in case.agents if not one.hub}
    if len(owners) == 1 and not any(one.hub for one in case.agents):
        yield _renaming(case)
        return
    listed = ", ".join(
        f"{one.name} ({'made by clusternet-hub' if one.hub else f'of config {one.owner}'})"
        for one in sorted(case.agents, key=lambda one: one.name)
    )
    hub = any(one.hub for one in case.agents)
    yield Reason(
        code="two-agents",
        message=f"{len(case.agents)} ClusterResourceSets deliver an agent to it: {listed}",
        remedy=(
            "finish the migration from the hub; its last steps delete the hub's (docs/migration.md)"
            if hub
            else f"make the clusterSelectors of {' and '.join(sorted(owners))} disjoint, render and sync",
        ),
        # the hub's is ApplyOnce: while a migration is under way it does no harm
        severity=WARNING if hub and len(owners) < 2 else ERROR,  # noqa: PLR2004
    )


def _renaming(case: Case) -> Reason:
    """Two sets of one config: the step of a renaming or of a change of mode in which both are there."""
    newest, *older = case.agents
    arrived = all(
        one.state in {report.APPLIED, report.CHANGED} for one in case.deliveries if one.resource_set == newest.name
    )
    names = some([one.name for one in older])
    remedy = (
        f"next: let {names} and what belongs to it be pruned; agents and registrations stay"
        if arrived
        else f"wait until {newest.name} is applied everywhere, then let {names} be pruned"
    )
    return Reason(
        code="two-sets",
        message=f"config {newest.owner} has two ClusterResourceSets for it, {names} and the newer {newest.name}: it is being "
        "renamed, or changes its identity.mode",
        remedy=(remedy,),
        severity=INFO,
    )
