"""Why a Cluster is not registered: a registry of checks, one small function each.

A check looks at one Cluster's case and yields a reason, or nothing. Their order is the order in which a person would
look: selected, deliverable, delivered, registered. To add a check, write its function and a line in `CHECKS`.
"""

from __future__ import annotations

from shlex import quote

from krm_fn.live import report
from krm_fn.live.report import Reason
from krm_fn.model import CLUSTER_NAME_LABEL, RESOURCE_SET_TYPE
from krm_fn.sdk.records import Record
from krm_fn.sdk.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from krm_fn.live.objects import Binding, LiveCluster, LiveSet, Managed, Request
    from krm_fn.live.payload import Payload
    from krm_fn.live.report import Delivery
    from krm_fn.live.scene import Scene

MANAGER_LOG = "kubectl -n capi-system logs deployment/capi-controller-manager"


class Case(Record):
    """All that the checks look at for one Cluster.

    Attributes:
        agents: The sets that select it and deliver an agent; more than one is a fault.
        sets: These and the identity sets that select it.
        binding: Its ClusterResourceSetBinding, if there is one.
        deliveries: How far each resource of `sets` has come.
        name: The name it registers under; "" when agents choose or nothing selects it.
        namesakes: Other Clusters that register under that name, as `namespace/name`.
        managed, requests: What the parent cluster has under that name, the most alive first.
        token_expired: When the registration token expired, if it has.
    """

    scene: Scene
    cluster: LiveCluster
    agents: tuple[LiveSet, ...]
    sets: tuple[LiveSet, ...]
    binding: Binding | None
    deliveries: tuple[Delivery, ...]
    delivered: str
    registered: str
    name: str
    namesakes: tuple[str, ...]
    managed: tuple[Managed, ...]
    requests: tuple[Request, ...]
    token_expired: str

    def payloads(self) -> Iterator[tuple[LiveSet, Payload]]:
        """Yield the dumped resources that are not applied as they are, each with the set that delivers it."""
        done = {(one.kind, one.name) for one in self.deliveries if one.state in {report.APPLIED, report.CHANGED}}
        for one in self.sets:
            for kind, name in one.resources:
                payload = self.scene.payload(one.namespace, kind, name)
                if payload is not None and (kind, name) not in done:
                    yield one, payload

    def in_state(self, state: str) -> tuple[Delivery, ...]:
        """Return the deliveries in a state."""
        return tuple(one for one in self.deliveries if one.state == state)


def _no_match(case: Case) -> Iterator[Reason]:
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
        hint = f"; those in {_some(elsewhere)} select in their own namespace only" if elsewhere else ""
        yield Reason(
            code="no-resource-set",
            message=f"namespace {cluster.namespace} has no ClusterResourceSet that delivers the agent{hint}",
            remedy=("render with this Cluster in the input; why it is left out says: clusternet-capi-fn plan PATH",),
        )


def _nearest(one: LiveSet, cluster: LiveCluster) -> Reason:
    """Say which requirement of the nearest set a Cluster misses."""
    if one.selector is None or one.selector.empty:
        missed, lacking = "its selector is empty or can't be read, so it selects nothing", {}
    else:
        missed = one.selector.first_failure(cluster.labels)
        lacking = {key: value for key, value in one.selector.match_labels if cluster.labels.get(key) != value}
    remedy = "change the Cluster's labels in Git so that the selector holds"
    if lacking:
        pairs = " ".join(quote(f"{key}={value}") for key, value in sorted(lacking.items()))
        place = f"-n {quote(cluster.namespace)} label --overwrite clusters.cluster.x-k8s.io {quote(cluster.name)}"
        remedy = f"set it in Git, or for a try: kubectl {place} {pairs}"
    return Reason(
        code="no-match",
        message=f"no ClusterResourceSet selects it; the nearest is {one.name}: {missed}",
        remedy=(remedy,),
    )


def _two_agents(case: Case) -> Iterator[Reason]:
    """Two sets deliver an agent to it, and each undoes the other."""
    if len(case.agents) < 2:  # noqa: PLR2004 - two is what the word means
        return
    listed = ", ".join(f"{one.name} ({'made by clusternet-hub' if one.hub else f'of config {one.owner}'})" for one in case.agents)
    hub = any(one.hub for one in case.agents)
    yield Reason(
        code="two-agents",
        message=f"{len(case.agents)} ClusterResourceSets deliver an agent to it: {listed}",
        remedy=(
            "finish the migration from the hub: clusternet-capi-fn migrate"
            if hub
            else "make the configs' clusterSelectors disjoint",
        ),
        # the hub's is ApplyOnce: while a migration is under way it does no harm
        severity=WARNING if hub else ERROR,
    )


def _gate_off(case: Case) -> Iterator[Reason]:
    """The ClusterResourceSet is missing or was never looked at: the feature gate, or a watch filter."""
    if case.cluster.deleting:
        return
    if case.scene.gate:
        if case.delivered != report.YES:
            yield Reason(
                code="gate",
                message=f"feature gate ClusterResourceSet {case.scene.gate}",
                remedy=("mend its --feature-gates, or let managementCluster.featureGate: Ensure do it; see docs/troubleshooting.md",),
            )
    elif not case.scene.sets and case.scene.payloads_dumped:
        yield Reason(
            code="gate",
            message="the ConfigMaps and Secrets of clusternet-capi-fn are there, but no ClusterResourceSet is: with feature "
            "gate ClusterResourceSet off, the default up to Cluster API v1.6, the server refuses them",
            remedy=("look at what kubectl, Argo CD or Flux said when it applied them", "kubectl -n capi-system get "
                    "deployment capi-controller-manager -o yaml | grep feature-gates"),
        )
    elif case.agents and case.binding is None and not any(one.seen for one in case.agents):
        yield Reason(
            code="not-reconciled",
            message=f"Cluster API has not looked at ClusterResourceSet {case.agents[0].name} yet: it has neither "
            "finalizer nor status. Either it is new, or feature gate ClusterResourceSet is off, or the manager watches "
            "objects with a label only (--watch-filter)",
            remedy=("kubectl -n capi-system get deployment capi-controller-manager -o yaml | grep -e feature-gates -e watch-filter",),
        )


def _infrastructure(case: Case) -> Iterator[Reason]:
    """Cluster API delivers nothing before the infrastructure is there."""
    cluster = case.cluster
    if not case.agents or case.delivered == report.YES or cluster.provisioned:
        return
    if cluster.provisioned is None and cluster.phase == "Provisioned":
        return
    told = f" ({cluster.infrastructure})" if cluster.infrastructure else ""
    phase = f"; phase {cluster.phase}" if cluster.phase else ""
    yield Reason(
        code="infrastructure",
        message=f"its infrastructure is not ready yet{told}{phase}; nothing is delivered before",
        remedy=(f"clusterctl describe cluster -n {quote(cluster.namespace)} {quote(cluster.name)}",),
    )


def _wrong_type(case: Case) -> Iterator[Reason]:
    """A Secret of another type than resource-set stops its whole ClusterResourceSet."""
    named = False
    for one, payload in case.payloads():
        if payload.wrong_type:
            named = True
            yield Reason(
                code="wrong-secret-type",
                message=f"Secret {payload.name} has type {payload.type or 'Opaque'}, not {RESOURCE_SET_TYPE}: Cluster API "
                f"refuses it, and with it all of ClusterResourceSet {one.name}",
                remedy=(
                    "a Secret's type can't be changed: "
                    f"kubectl -n {quote(one.namespace)} delete secret {quote(payload.name)}",
                    "then apply the right one again",
                ),
            )
    if not named:
        for one in case.sets:
            if one.reason == "WrongSecretType":
                yield Reason(
                    code="wrong-secret-type",
                    message=f"a Secret of ClusterResourceSet {one.name} is not of type {RESOURCE_SET_TYPE} ({one.message})",
                    remedy=("delete that Secret and create it with the type; it can't be changed",),
                )


def _missing(case: Case) -> Iterator[Reason]:
    """A Secret or ConfigMap is not there; the ClusterResourceSet says applied all the same."""
    for one in case.in_state(report.MISSING):
        holder = next(found for found in case.sets if found.name == one.resource_set)
        claims = f", although ClusterResourceSet {holder.name} says applied" if holder.applied == "True" else ""
        yield Reason(
            code="missing-resource",
            message=f"{one.kind} {one.name} is not there{claims}: Cluster API skips what it can't find",
            remedy=(
                f"apply it again; look for it with: kubectl -n {quote(case.cluster.namespace)} get "
                f"{one.kind.lower()} {quote(one.name)}",
            ),
        )


def _too_short(case: Case) -> Iterator[Reason]:
    """A value under 32 bytes fails the whole object with EOF."""
    for _, payload in case.payloads():
        for key in payload.too_short():
            yield Reason(
                code="short-value",
                message=f"{payload.kind} {payload.name}, key {key}: shorter than 32 bytes, which Cluster API can't read (EOF)",
                remedy=("remove the key, or fill it up with a comment",),
            )


def _unparsable(case: Case) -> Iterator[Reason]:
    """One bad document fails the whole object, and says so in the manager's log only."""
    for _, payload in case.payloads():
        if payload.wrong_type or payload.too_short():
            continue
        broken = case.scene.broken(payload)
        if broken:
            yield Reason(
                code="unparsable",
                message=f"{payload.kind} {payload.name} can't be read as manifests ({broken}); one such document fails all of it",
                remedy=("render and apply it again; a hand-made one is checked by: kubectl create --dry-run=client -f",),
            )


def _unreachable(case: Case) -> Iterator[Reason]:
    """The Binding exists, but nothing could be tried: no connection to the workload cluster."""
    if case.binding is None or case.delivered != report.NO:
        return
    untried = [one for one in case.sets if one.name in case.binding.sets and not case.binding.sets[one.name]]
    if untried:
        told = f" ({untried[0].reason})" if untried[0].reason else ""
        yield Reason(
            code="unreachable",
            message=f"Cluster API can't reach the API server of the workload cluster{told}",
            remedy=(
                f"clusterctl describe cluster -n {quote(case.cluster.namespace)} {quote(case.cluster.name)}",
                f"{MANAGER_LOG} | grep {quote(case.cluster.name)}",
            ),
        )


def _not_applied(case: Case) -> Iterator[Reason]:
    """The Binding says that a resource was tried and failed."""
    failed = [one for one in case.in_state(report.FAILED) if not _explained(case, one)]
    if failed:
        listed = ", ".join(f"{one.kind} {one.name}" for one in failed)
        reasons = sorted({found.reason for found in case.sets for one in failed if found.name == one.resource_set})
        told = f" ({', '.join(filter(None, reasons))})" if any(reasons) else ""
        yield Reason(
            code="not-applied",
            message=f"the workload cluster did not take {listed}{told}",
            remedy=(f"{MANAGER_LOG} | grep {quote(case.cluster.name)}",),
        )


def _waiting(case: Case) -> Iterator[Reason]:
    """Selected, nothing known against it, and not there yet."""
    waiting = case.in_state(report.WAITING)
    others = (_gate_off, _infrastructure, _wrong_type, _too_short, _unparsable, _unreachable)
    if not waiting or case.in_state(report.FAILED) or any(next(check(case), None) for check in others):
        return
    listed = ", ".join(f"{one.kind} {one.name}" for one in waiting)
    recorded = "its ClusterResourceSetBinding does not list it" if case.binding else "it has no ClusterResourceSetBinding"
    yield Reason(
        code="waiting",
        message=f"not delivered yet: {listed}; {recorded}",
        remedy=("wait a minute and dump again", f"{MANAGER_LOG} | grep {quote(case.cluster.name)}"),
    )


def _outdated(case: Case) -> Iterator[Reason]:
    """What is applied is not what the Secret or ConfigMap holds now."""
    for one in case.in_state(report.OUTDATED):
        yield Reason(
            code="outdated",
            message=f"{one.kind} {one.name} holds a newer content than the workload cluster got",
            remedy=("wait a minute and dump again", f"{MANAGER_LOG} | grep {quote(case.cluster.name)}"),
        )


def _changed(case: Case) -> Iterator[Reason]:
    """Strategy ApplyOnce never brings a later content."""
    for one in case.in_state(report.CHANGED):
        yield Reason(
            code="changed",
            message=f"{one.kind} {one.name} was changed after it was applied; strategy ApplyOnce never brings the change",
            remedy=("nothing, if the agent runs as it should",),
            severity=INFO if one.name.endswith("-identity") else WARNING,
        )


def _token_expired(case: Case) -> Iterator[Reason]:
    """An expired token keeps new clusters out, silently, and does not hurt registered ones."""
    if not case.token_expired or not case.agents:
        return
    registered = case.registered in {report.YES, report.NOT_READY}
    yield Reason(
        code="token-expired",
        message=f"the registration token expired on {case.token_expired}"
        + ("; registered clusters don't need it any more, new ones do" if registered else ": the parent refuses the agent"),
        remedy=("create a new token on the parent, render and apply again",),
        severity=WARNING if registered else ERROR,
    )


def _duplicate_name(case: Case) -> Iterator[Reason]:
    """Two Clusters, or two ManagedClusters, under one name."""
    if case.namesakes:
        yield Reason(
            code="duplicate-name",
            message=f"{_some(case.namesakes)} registers under the same name, {case.name}",
            remedy=("use {namespace} in spec.identity.nameTemplate",),
        )
    if len(case.managed) > 1:
        listed = ", ".join(f"{one.namespace}/{one.name}" for one in case.managed)
        yield Reason(
            code="duplicate-managed-cluster",
            message=f"the parent has {len(case.managed)} ManagedClusters called {case.name}: {listed}; a rebuilt cluster comes "
            "with a new id, and the old entry stays",
            remedy=("remove the one that does not report any more; see what is left over below",),
            severity=WARNING,
        )


def _not_registered(case: Case) -> Iterator[Reason]:
    """Delivered, and still the parent does not know it."""
    if case.delivered == report.NO or not case.name or not case.scene.parent:
        return
    if case.registered == report.PENDING:
        request = case.requests[0]
        yield Reason(
            code="request-pending",
            message=f"its registration request {request.name} is not approved yet",
            remedy=(
                "look at the hub: kubectl -n clusternet-system logs deployment/clusternet-hub",
                "two clusters with the same --cluster-reg-namespace wait for ever",
            ),
        )
    elif case.registered == report.NO and case.requests:
        request = case.requests[0]
        told = f": {request.error}" if request.error else ""
        yield Reason(
            code="request-refused",
            message=f"its registration request {request.name} is {request.result or 'without an answer'}{told}",
            remedy=(
                "when the cause is mended, delete the request, and the agent asks again: "
                f"kubectl delete clusterregistrationrequests.clusters.clusternet.io {quote(request.name)}",
            ),
        )
    elif case.registered == report.NO:
        yield Reason(
            code="not-registered",
            message=f"the agent is delivered, but the parent knows no {case.name}",
            remedy=(
                "look at the agent: kubectl --kubeconfig WORKLOAD -n clusternet-system logs deployment/clusternet-agent",
                "usual causes: parent URL not reachable from there, token refused or expired, image not pulled",
            ),
        )


def _not_ready(case: Case) -> Iterator[Reason]:
    """Registered, and its agent does not report, or reports trouble."""
    if case.registered != report.NOT_READY:
        return
    found = case.managed[0]
    told = f" ({found.reason})" if found.reason else ""
    lost = found.ready != "False"
    yield Reason(
        code="lost" if lost else "not-ready",
        message=(f"its agent stopped reporting{told}" if lost and found.last_seen else f"its agent never reported{told}")
        if lost
        else f"its agent reports that the cluster is not ready{told}",
        remedy=("look at the agent: kubectl --kubeconfig WORKLOAD -n clusternet-system get pods",),
    )


CHECKS: tuple[Callable[[Case], Iterator[Reason]], ...] = (
    _gate_off,
    _no_match,
    _two_agents,
    _infrastructure,
    _wrong_type,
    _missing,
    _too_short,
    _unparsable,
    _unreachable,
    _not_applied,
    _waiting,
    _outdated,
    _changed,
    _token_expired,
    _duplicate_name,
    _not_registered,
    _not_ready,
)


def find(case: Case) -> tuple[Reason, ...]:
    """Run every check on a case, in order."""
    if case.cluster.deleting:
        return (Reason(code="deleting", message="it is being deleted", severity=INFO),)
    return tuple(reason for check in CHECKS for reason in check(case))


def _misses(one: LiveSet, cluster: LiveCluster) -> tuple[bool, int]:
    """Rank a selector by how far it is from a Cluster; a set made for another Cluster comes last."""
    if one.selector is None:
        return (True, 0)
    foreign = any(key == CLUSTER_NAME_LABEL and value != cluster.name for key, value in one.selector.match_labels)
    missed = sum(cluster.labels.get(key) != value for key, value in one.selector.match_labels)
    return (foreign, missed + sum(not each.matches(cluster.labels) for each in one.selector.match_expressions))


def _explained(case: Case, delivery: Delivery) -> bool:
    """Tell whether another check says why a resource failed."""
    payload = case.scene.payload(case.cluster.namespace, delivery.kind, delivery.name)
    return payload is not None and bool(payload.wrong_type or payload.too_short() or case.scene.broken(payload))


def _some(listed: tuple[str, ...] | list[str]) -> str:
    """List a few."""
    shown = 3
    return ", ".join(listed[:shown]) + (f" and {len(listed) - shown} more" if len(listed) > shown else "")
