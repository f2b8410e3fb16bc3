"""Checks: does what the ClusterResourceSets hold arrive on the workload cluster?

A check yields reasons, or nothing, and has a line in `CHECKS`. A reason's code is explained in docs/troubleshooting.md. Looked
at are the Binding, the objects themselves and the Cluster's own conditions; never the condition of a set, which all its
Clusters share.
"""

from __future__ import annotations

import re
from functools import lru_cache

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.kube import raw
from krm_fn.status import report
from krm_fn.status.dump import documents
from krm_fn.status.report import Reason, clock
from krm_fn.surface import MIN_VALUE_BYTES, RESOURCE_SET_TYPE, identity_maps_of
from krm_fn.yaml import BadYaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.objects import Payload
    from krm_fn.status.report import Delivery
    from krm_fn.status.scene import Case


_ABSENT = "ObjectDoesNotExist"  # the reason of a condition, since Cluster API v1.9
# such a name changes nothing about how the text around it is read
_PLAIN_NAME = re.compile(rb"(?<=--cluster-reg-name=)[a-z0-9][-a-z0-9]*(?=[\s\"',])")
_SYNC_AGAIN = ("sync its source again: the rendered tree, the SealedSecret or the ExternalSecret",)


def infrastructure(case: Case) -> Iterator[Reason]:
    """Cluster API delivers nothing before the infrastructure is there."""
    cluster = case.cluster
    if not case.agents or case.delivered == report.YES or cluster.has_infrastructure:
        return
    far = ", so Cluster API can't reach the API server" if cluster.probe == "False" else ""
    phase = f"; phase {cluster.phase}" if cluster.phase else ""
    yield Reason(
        code="infrastructure",
        message=f"the infrastructure is not ready yet{_in_words(cluster.infrastructure)}{far}{phase}; nothing is delivered until then",
        remedy=(_provide("infrastructure", cluster.infrastructure), _describe(case)),
    )


def control_plane(case: Case) -> Iterator[Reason]:
    """There is no API server yet."""
    cluster = case.cluster
    if case.agents and not _started(case) and cluster.has_infrastructure and cluster.initialized is False:
        yield Reason(
            code="control-plane",
            message=f"the control plane is not initialized yet{_in_words(cluster.control_plane)}; nothing is delivered until then",
            remedy=(_provide("control plane", cluster.control_plane), _describe(case)),
        )


def _in_words(condition: str) -> str:
    return f" ({condition})" if condition else ""


def _provide(part: str, condition: str) -> str:
    """Say what to do about a part of a Cluster: a provider can do nothing about an object that is not there."""
    if condition.startswith(_ABSENT):
        field = "infrastructureRef" if part == "infrastructure" else "controlPlaneRef"
        return f"create the object that spec.{field} names, or sync its source again; see what Cluster API reports"
    return f"the {part} provider has to finish; see what it is waiting for"


def _started(case: Case) -> bool:
    """Return whether anything was ever applied, or tried."""
    return any(one.time is not None for one in case.deliveries)


def unreachable(case: Case) -> Iterator[Reason]:
    """No connection from the management cluster to the workload cluster, from the start or since some time."""
    cluster = case.cluster
    if not case.agents or not cluster.has_infrastructure or (cluster.initialized is False and not _started(case)):
        return
    delivered = case.delivered == report.YES
    if case.unreachable:
        message, since = cluster.probe_message, cluster.probed
        waits = [*case.in_state(report.OUTDATED), *case.in_state(report.FAILED), *case.in_state(report.WAITING)]
        effect = (
            f"{_listed(waits)} will be applied once it can"
            if waits
            else "what is delivered stays, and a later change will wait"
        )
        yield Reason(
            code="unreachable",
            message=f"Cluster API can't reach the API server{f' since {clock(since)}' if since else ''}"
            f"{f' ({message})' if message else ''}; {effect}",
            remedy=(
                "restore the connection from the management cluster to the API server (network, load balancer, certificate, kubeconfig Secret); Cluster API reconnects within a minute",
                _describe(case),
            ),
            severity=WARNING if delivered else ERROR,
        )
    elif not cluster.probe and not delivered and any((case.binding or {}).get(one.name) == {} for one in case.sets):
        yield Reason(
            code="unreachable",
            message="Cluster API has tried to deliver, and nothing could be applied: most likely it can't reach the "
            "workload API server",
            remedy=("the manager's log shows why", _log(case)),
        )


def wrong_type(case: Case) -> Iterator[Reason]:
    """A Secret of another type than resource-set stops its whole ClusterResourceSet, for every Cluster."""
    namespace = case.cluster.namespace
    severity = WARNING if case.delivered == report.YES else ERROR
    found = False
    for kind, name in dict.fromkeys(entry for one in case.sets for entry in one.resources):
        payload = case.scene.payload(namespace, kind, name)
        if payload is not None and payload.wrong_type:
            found = True
            yield Reason(
                code="wrong-secret-type",
                message=f"Secret {name} has type {payload.type or 'Opaque'}, not {RESOURCE_SET_TYPE}: Cluster API refuses it, "
                "and with it the whole ClusterResourceSet",
                remedy=(
                    "a Secret's type can't be changed: delete the Secret, then sync the right one",
                    case.scene.commands.delete(kind, namespace, name),
                ),
                severity=severity,
            )
    if not found and any(one.refused_type and _unseen_secret(case, one.name) for one in case.sets):
        yield Reason(
            code="wrong-secret-type",
            message=f"a Secret of the ClusterResourceSet is not of type {RESOURCE_SET_TYPE}; Cluster API refuses the whole set",
            remedy=("create that Secret anew with the right type, since a Secret's type can't be changed",),
            severity=severity,
        )


def _unseen_secret(case: Case, resource_set: str) -> bool:
    """Return whether a set refers to a Secret that may be there, was not dumped and is not applied."""
    one = next(each for each in case.sets if each.name == resource_set)
    return any(
        kind == "Secret"
        and case.scene.payload(one.namespace, kind, name) is None
        and not case.scene.surely_missing(one, kind, name)
        and not any(each.name == name and each.time for each in case.deliveries)
        for kind, name in one.resources
    )


def missing(case: Case) -> Iterator[Reason]:
    """A Secret or ConfigMap is not there; Cluster API goes on without it and reports the set as applied."""
    for one in case.in_state(report.MISSING, report.DELETED):
        gone = one.state == report.DELETED
        found = (
            "was deleted after it had been applied: what it delivered stays on the cluster, and no other Cluster gets it any more"
            if gone
            else "is not there: Cluster API skips what it can't find, and reports the ClusterResourceSet as applied all the same"
        )
        passed_over = any(each.time for each in case.deliveries if each.resource_set == one.resource_set)
        doubt = "" if passed_over and not gone else case.scene.doubt(one.kind)
        yield Reason(
            code="missing-resource",
            message=f"{one.kind} {one.name} {found}{doubt}",
            remedy=_SYNC_AGAIN,
            severity=WARNING if gone else ERROR,
        )


def too_short(case: Case) -> Iterator[Reason]:
    """A value that is too short fails the whole object with EOF."""
    for payload in case.payloads():
        for key in payload.too_short:
            yield Reason(
                code="short-value",
                message=f"{payload.kind} {payload.name}, key {key}: shorter than {MIN_VALUE_BYTES} bytes, which Cluster API can't read (EOF)",
                remedy=("remove the key, or make the value longer with a comment",),
            )


def unparsable(case: Case) -> Iterator[Reason]:
    """One bad document fails the whole object, and only the manager's log shows it."""
    for payload in case.payloads():
        reason = "" if payload.wrong_type or payload.too_short else broken(payload)
        if reason:
            yield Reason(
                code="unparsable",
                message=f"{payload.kind} {payload.name} can't be read as manifests ({reason}); one such document makes the whole object fail",
                remedy=("render and sync again; check what was written by hand with kubectl create --dry-run=client",),
            )


def broken(payload: Payload) -> str:
    """Return which value can't be read as manifests, and where in it; "" if all can. Never shows the text."""
    # those of a fleet differ by the name that each agent registers under
    reasons = ((key, _error(_PLAIN_NAME.sub(b"", content))) for key, content in payload.values.items())
    return next((f"{key}: {reason}" for key, reason in reasons if reason), "")


@lru_cache(maxsize=1024)
def _error(content: bytes) -> str:
    """Say what the controller's parser (`objsFromYamlData`, v1.14.0) will not take, without quoting the text."""
    found = 0
    try:
        for number, document in enumerate(documents(content.decode("utf-8")), 1):
            for one in document if isinstance(document, list) else [document]:
                if one is None:
                    continue
                if not raw.text(one, "kind") or not raw.text(one, "apiVersion"):
                    return f"document {number} is not an object with apiVersion and kind"
                found += 1
    except BadYaml as failure:
        place = "" if failure.line is None else f" at line {failure.line + 1}"
        return f"invalid YAML{place}: {failure.problem}"
    except UnicodeDecodeError:
        return "not UTF-8 text"
    return "" if found else "no object in it"


def not_applied(case: Case) -> Iterator[Reason]:
    """The Binding records that a resource was tried and refused."""
    failed = [one for one in case.in_state(report.FAILED) if not _explained(case, one)]
    if failed and not case.unreachable:
        tried = max((one.time for one in failed if one.time), default=None)
        yield Reason(
            code="not-applied",
            message=f"the workload cluster refused {_listed(failed)}{f' (last tried {clock(tried)})' if tried else ''}: an "
            "object in it is invalid there, changes an immutable field, or is denied by an admission policy",
            remedy=(
                "the manager's log names the object and the error; correct it in Git, render and sync",
                _log(case),
                "if only the workload cluster failed, retry at once",
                _retry(case, failed),
            ),
        )


def _explained(case: Case, delivery: Delivery) -> bool:
    """Return whether another check says why a resource failed."""
    payload = case.scene.payload(case.cluster.namespace, delivery.kind, delivery.name)
    return payload is not None and bool(payload.wrong_type or payload.too_short or broken(payload))


def replaced(case: Case) -> Iterator[Reason]:
    """Another set applied its own content after the set that counts now, and Cluster API does not repair that."""
    lost = case.in_state(report.REPLACED)
    if lost:
        newest = case.agents[0]
        yield Reason(
            code="other-content",
            message=f"ClusterResourceSet {case.replaced_by} was applied after {newest.name}, so what {case.replaced_by} "
            f"holds is running; Cluster API applies {_listed(lost)} again only when it changes",
            remedy=(
                f"change the agent of config {newest.owner}, for example an entry of spec.agent.podAnnotations; render and sync",
            ),
        )


def outdated(case: Case) -> Iterator[Reason]:
    """What is applied is not what the Secret or ConfigMap holds now; asked where nothing else explains it."""
    late = case.in_state(report.OUTDATED)
    if late:
        yield Reason(
            code="outdated",
            message=f"{_listed(late)} changed, and the earlier content is still applied"
            + (
                case.scene.stopped
                or "; Cluster API applies a change within seconds, so either the change is very recent or the manager is not running"
            ),
            remedy=_at_once(case, late),
        )


def waiting(case: Case) -> Iterator[Reason]:
    """Selected, nothing known against it, and not there yet; asked where nothing else explains it."""
    late = case.in_state(report.WAITING)
    if late:
        binding = (
            "the ClusterResourceSetBinding does not list it"
            if case.binding is not None
            else "there is no ClusterResourceSetBinding"
        )
        yield Reason(
            code="waiting",
            message=f"not delivered yet: {_listed(late)}; {binding}"
            + (case.scene.stopped or ". Cluster API retries by itself, after up to 17 minutes"),
            remedy=_at_once(case, late),
        )


def changed(case: Case) -> Iterator[Reason]:
    """Strategy ApplyOnce never delivers later content."""
    for one in case.in_state(report.CHANGED):
        prepares = one.name.endswith(identity_maps_of(""))
        remedy = (
            "to have changes delivered, set spec.clusterResourceSet.strategy: Reconcile together with a new "
            "spec.clusterResourceSet.name (docs/immutable-fields.md)"
        )
        known = case.scene.sets_by_name.get((case.cluster.namespace, one.resource_set))
        if known is not None and known.hub:
            remedy = "to have changes delivered, migrate from the hub, which never changes its sets (docs/migration.md)"
        yield Reason(
            code="changed",
            message=f"{one.kind} {one.name} was changed after it was applied; strategy ApplyOnce never brings the change",
            remedy=() if prepares else (remedy,),
            severity=INFO if prepares else WARNING,
        )


def _listed(found: Sequence[Delivery]) -> str:
    return ", ".join(dict.fromkeys(f"{one.kind} {one.name}" for one in found))


def _describe(case: Case) -> str:
    return case.scene.commands.describe(case.cluster)


def _log(case: Case) -> str:
    return case.scene.commands.manager_log(case.scene.manager, case.cluster.name)


def _retry(case: Case, found: Sequence[Delivery]) -> str:
    return case.scene.commands.retry(case.cluster.namespace, {one.resource_set for one in found})


def _at_once(case: Case, late: Sequence[Delivery]) -> tuple[str, ...]:
    """Look at the manager, then have it look at its sets: its webhook refuses that while it is down."""
    return (
        "first check that the manager is running (READY), and read its log",
        case.scene.commands.manager(),
        _log(case),
        "then have the set applied at once; while the manager is down, its webhook refuses this",
        _retry(case, late),
    )


CHECKS = (
    infrastructure,
    control_plane,
    unreachable,
    wrong_type,
    missing,
    too_short,
    unparsable,
    not_applied,
    replaced,
    changed,
)
UNEXPLAINED = (outdated, waiting)  # only where no check has found an error
