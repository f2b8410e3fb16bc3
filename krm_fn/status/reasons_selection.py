"""Checks: is there a ClusterResourceSet that selects the Cluster, and only one, and does Cluster API look at it?

A check yields reasons, or nothing, and has a line in `CHECKS`. A reason's code is explained in docs/troubleshooting.md.
"""

from __future__ import annotations

from krm_fn.base import some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report
from krm_fn.status.objects import PAUSED_ANNOTATION, WATCH_LABEL
from krm_fn.status.report import Reason
from krm_fn.surface import CLUSTER_NAME_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.objects import LiveCluster, LiveSet
    from krm_fn.status.scene import Case


def going(case: Case) -> Iterator[Reason]:
    """The Cluster, or all of its namespace, is being deleted: everything else that could be said follows from it."""
    namespace = case.cluster.namespace
    ends = namespace in case.scene.terminating
    if case.cluster.deleting:
        yield Reason(
            code=report.ENDING if ends else "deleting",
            message=f"namespace {namespace} is being deleted, and the Cluster with it" if ends else "being deleted",
            severity=INFO,
        )
    elif ends:
        yield Reason(
            code=report.ENDING,
            message=f"namespace {namespace} is being deleted, and everything in it: nothing can be delivered from it any more",
            remedy=(
                (
                    "that can't be undone, and Cluster API removes a Cluster's machines with it: create what you still need in another namespace, render and sync; see what this namespace is waiting for"
                ),
                case.scene.commands.describe_namespace(namespace),
            ),
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
                    "correct its --feature-gates, or let managementCluster.featureGate: Ensure do it; see docs/troubleshooting.md",
                ),
            )
    elif not case.scene.sets and case.binding is None and case.cluster.namespace in case.scene.served:
        yield Reason(
            code="gate",
            message="the ConfigMaps and Secrets of clusternet-capi-fn are there, but no ClusterResourceSet is: with feature "
            "gate ClusterResourceSet off, the default up to Cluster API v1.6, the server refuses them",
            remedy=(
                "read what kubectl, Argo CD or Flux reported when it applied them, and the manager's --feature-gates",
                case.scene.commands.dump_manager(),
            ),
        )
    elif case.agents and manager.watch_filter and case.delivered != report.YES:
        yield from _unwatched(case, manager.watch_filter)
    elif case.agents and case.binding is None and not any(one.seen for one in case.agents):
        yield _not_reconciled(case)


def _not_reconciled(case: Case) -> Reason:
    """Say what can keep the manager from a set, as far as its Deployment does not rule it out."""
    manager, commands = case.scene.manager, case.scene.commands
    either = "Either it is new, or "
    why = "feature gate ClusterResourceSet is off, or the manager is not running, or it only watches objects with a certain label"
    remedy: tuple[str, ...] = (
        "look at the flags of the manager's Deployment (--feature-gates, --watch-filter), or add it to the dumps, and status looks at them",
        commands.dump_manager(),
    )
    if manager.title:
        why = f"{manager.title} is not running, or the server refuses what it writes"
        if manager.runs:
            why = f"the server refuses what {manager.title} writes"
        elif manager.runs is False:
            either, why = "", f"{manager.title} is not running: no replica of its Deployment is ready"
        remedy = (
            "check that the manager is running (READY), and read its log",
            commands.manager(),
            commands.manager_log(manager, case.cluster.name),
        )
    return Reason(
        code="not-reconciled",
        message=f"Cluster API has not looked at {_sets([one.name for one in case.agents])} yet: there is neither a finalizer nor a status. {either}{why}",
        remedy=remedy,
    )


def _sets(names: Sequence[str]) -> str:
    return f"ClusterResourceSet{'s' if len(names) > 1 else ''} {some(names)}"


def _unwatched(case: Case, value: str) -> Iterator[Reason]:
    """Name the sets that the manager passes over."""
    names = [one.name for one in case.sets if one.labels.get(WATCH_LABEL) != value]
    if names:
        label = f"{WATCH_LABEL}={value}"
        yield Reason(
            code="watch-filter",
            message=f"the manager only watches objects with the label {label}, and {_sets(names)} "
            f"{'does' if len(names) == 1 else 'do'} not have it",
            remedy=(
                "add it to spec.clusterResourceSet.labels of the config, render and sync; or, to try it first",
                case.scene.commands.label_sets(case.cluster.namespace, names, label),
            ),
        )


def paused(case: Case) -> Iterator[Reason]:
    """Cluster API was told to leave the ClusterResourceSet alone, or a Cluster that it has not set up yet."""
    cluster = case.cluster
    if case.agents and cluster.paused and not (cluster.has_infrastructure and cluster.initialized is not False):
        yield Reason(
            code="paused",
            message=f"the Cluster is paused (spec.paused, or annotation {PAUSED_ANNOTATION}): Cluster API does not go on setting it up",
            remedy=(
                "set spec.paused: false and remove the annotation in Git, unless a clusterctl move of it is under way",
            ),
        )
    names = [one.name for one in case.sets if one.paused]
    if names and case.delivered != report.YES:
        yield Reason(
            code="paused",
            message=f"{_sets(names)} {'is' if len(names) == 1 else 'are'} annotated {PAUSED_ANNOTATION}: nothing in them is applied",
            remedy=("remove the annotation", case.scene.commands.unpause(case.cluster.namespace, names)),
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
            message=f"ClusterResourceSet {going.name} is being deleted, and no other ClusterResourceSet delivers the agent",
            remedy=("render with every Cluster in the input, and sync",),
        )
    elif prepared is not None:
        yield Reason(
            code="no-resource-set",
            message=f"selected by {prepared.name}, but no ClusterResourceSet delivers the agent",
            remedy=(
                "render and sync again: with identity.mode PerCluster each Cluster has its own ClusterResourceSet",
            ),
        )
    elif candidates:
        nearest = min(candidates, key=lambda one: (_misses(one, cluster), one.name))
        yield _nearest(case, nearest)
    else:
        elsewhere = sorted({one.namespace for one in case.scene.sets})
        hint = f"; those in {some(elsewhere)} select in their own namespace only" if elsewhere else ""
        yield Reason(
            code="no-resource-set",
            message=f"namespace {cluster.namespace} has no ClusterResourceSet that delivers the agent{hint}",
            remedy=("render with every Cluster in the input; clusternet-capi-fn plan PATH shows why one is left out",),
        )


def _nearest(case: Case, one: LiveSet) -> Reason:
    """Say which requirement of the nearest set a Cluster misses."""
    cluster = case.cluster
    if one.selector.empty:
        missed, lacking, others = "its selector is empty or can't be read, so it selects nothing", {}, True
    else:
        missed = one.selector.first_failure(cluster.labels)
        lacking = {key: value for key, value in one.selector.match_labels if cluster.labels.get(key) != value}
        others = any(not each.matches(cluster.labels) for each in one.selector.match_expressions)
    remedy: tuple[str, ...] = ("to have it registered, change the labels in Git so that the selector matches",)
    if lacking and not others:
        remedy = (
            "to have it registered, set the label in Git; or, to try it first",
            case.scene.commands.label_cluster(cluster, lacking),
        )
    return Reason(
        code="no-match",
        message=f"selected by no ClusterResourceSet; the nearest is {one.name}: {missed}",
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
        message=f"{len(case.agents)} ClusterResourceSets deliver an agent: {listed}",
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
        f"next, let {names} and what belongs to it be pruned; agents and registrations stay"
        if arrived
        else f"wait until {newest.name} is applied everywhere, then let {names} be pruned"
    )
    return Reason(
        code="two-sets",
        message=f"config {newest.owner} has two ClusterResourceSets here, {names} and the newer {newest.name}: either a renaming or "
        "a change of identity.mode is under way",
        remedy=(remedy,),
        severity=INFO,
    )


CHECKS = (gate_off, paused, no_match, two_agents)
