"""Checks: does what the ClusterResourceSets hold arrive on the workload cluster?"""

from __future__ import annotations

from shlex import quote

from krm_fn.krm.results import INFO, WARNING
from krm_fn.status import report
from krm_fn.status.case import MANAGER_LOG
from krm_fn.status.report import Reason
from krm_fn.surface import RESOURCE_SET_TYPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.case import Case
    from krm_fn.status.report import Delivery


def infrastructure(case: Case) -> Iterator[Reason]:
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


def wrong_type(case: Case) -> Iterator[Reason]:
    """A Secret of another type than resource-set stops its whole ClusterResourceSet."""
    wrong = {payload.name: payload.type or "Opaque" for payload in case.payloads() if payload.wrong_type}
    for name, kind in wrong.items():
        yield Reason(
            code="wrong-secret-type",
            message=f"Secret {name} has type {kind}, not {RESOURCE_SET_TYPE}: Cluster API refuses it, and with it the whole "
            "ClusterResourceSet",
            remedy=(
                "delete it, since a Secret's type can't be changed, and apply the right one",
                f"kubectl -n {quote(case.cluster.namespace)} delete secret {quote(name)}",
            ),
        )
    if not wrong and any(one.reason == "WrongSecretType" for one in case.sets):
        yield Reason(
            code="wrong-secret-type",
            message=f"a Secret of its ClusterResourceSet is not of type {RESOURCE_SET_TYPE}; Cluster API refuses the whole set",
            remedy=("delete that Secret, since its type can't be changed, and create it with the right one",),
        )


def missing(case: Case) -> Iterator[Reason]:
    """A Secret or ConfigMap is not there; the ClusterResourceSet says applied all the same."""
    for one in case.in_state(report.MISSING):
        holder = next(found for found in case.sets if found.name == one.resource_set)
        claims = ", although its ClusterResourceSet says applied" if holder.applied == "True" else ""
        yield Reason(
            code="missing-resource",
            message=f"{one.kind} {one.name} is not there{claims}: Cluster API skips what it can't find",
            remedy=(
                "apply it again; where an ExternalSecret makes it, look at that one's status",
                f"kubectl -n {quote(case.cluster.namespace)} get {one.kind.lower()} {quote(one.name)}",
            ),
        )


def too_short(case: Case) -> Iterator[Reason]:
    """A value under 32 bytes fails the whole object with EOF."""
    for payload in case.payloads():
        for key in payload.too_short():
            yield Reason(
                code="short-value",
                message=f"{payload.kind} {payload.name}, key {key}: shorter than 32 bytes, which Cluster API can't read (EOF)",
                remedy=("remove the key, or fill it up with a comment",),
            )


def unparsable(case: Case) -> Iterator[Reason]:
    """One bad document fails the whole object, and says so in the manager's log only."""
    for payload in case.payloads():
        if payload.wrong_type or payload.too_short():
            continue
        broken = case.scene.broken(payload)
        if broken:
            yield Reason(
                code="unparsable",
                message=f"{payload.kind} {payload.name} can't be read as manifests ({broken}); one such document fails all of it",
                remedy=(
                    "render and apply it again; what was made by hand can be tried with kubectl create --dry-run=client",
                ),
            )


def unreachable(case: Case) -> Iterator[Reason]:
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


def not_applied(case: Case) -> Iterator[Reason]:
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


def _explained(case: Case, delivery: Delivery) -> bool:
    """Tell whether another check says why a resource failed."""
    payload = case.scene.payload(case.cluster.namespace, delivery.kind, delivery.name)
    return payload is not None and bool(payload.wrong_type or payload.too_short() or case.scene.broken(payload))


def waiting(case: Case) -> Iterator[Reason]:
    """Selected, nothing known against it, and not there yet; asked only when no other check has found anything."""
    late = case.in_state(report.WAITING)
    if late:
        listed = ", ".join(f"{one.kind} {one.name}" for one in late)
        binding = (
            "its ClusterResourceSetBinding does not list it" if case.binding else "it has no ClusterResourceSetBinding"
        )
        yield Reason(
            code="waiting",
            message=f"not delivered yet: {listed}; {binding}",
            remedy=("wait a minute and dump again", f"{MANAGER_LOG} | grep {quote(case.cluster.name)}"),
        )


def outdated(case: Case) -> Iterator[Reason]:
    """What is applied is not what the Secret or ConfigMap holds now."""
    for one in case.in_state(report.OUTDATED):
        yield Reason(
            code="outdated",
            message=f"{one.kind} {one.name} holds a newer content than the workload cluster got",
            remedy=("wait a minute and dump again", f"{MANAGER_LOG} | grep {quote(case.cluster.name)}"),
        )


def changed(case: Case) -> Iterator[Reason]:
    """Strategy ApplyOnce never brings a later content."""
    for one in case.in_state(report.CHANGED):
        yield Reason(
            code="changed",
            message=f"{one.kind} {one.name} was changed after it was applied; strategy ApplyOnce never brings the change",
            remedy=("nothing, if the agent runs as it should",),
            severity=INFO if one.name.endswith("-identity") else WARNING,
        )
