"""Checks: does the parent cluster know the Cluster, under one name, and hear of it?"""

from __future__ import annotations

from shlex import quote

from krm_fn.krm.results import ERROR, WARNING
from krm_fn.status import report
from krm_fn.status.case import some
from krm_fn.status.report import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.case import Case


def token_expired(case: Case) -> Iterator[Reason]:
    """An expired token keeps new clusters out, silently, and does not hurt registered ones."""
    if not case.token_expired or not case.agents:
        return
    registered = case.registered in {report.YES, report.NOT_READY}
    yield Reason(
        code="token-expired",
        message=f"the registration token expired on {case.token_expired}"
        + (
            "; registered clusters don't need it any more, new ones do"
            if registered
            else ": the parent refuses the agent"
        ),
        remedy=("create a new token on the parent, render and apply again",),
        severity=WARNING if registered else ERROR,
    )


def duplicate_name(case: Case) -> Iterator[Reason]:
    """Two Clusters, or two ManagedClusters, under one name."""
    if case.namesakes:
        yield Reason(
            code="duplicate-name",
            message=f"{some(case.namesakes)} registers under the same name, {case.name}",
            remedy=("use {namespace} in spec.identity.nameTemplate",),
        )
    if len(case.managed) > 1:
        listed = ", ".join(f"{one.namespace}/{one.name}" for one in case.managed)
        several = f"the parent has {len(case.managed)} ManagedClusters called {case.name}: {listed}"
        if sum(map(case.scene.alive, case.managed)) > 1:
            yield Reason(
                code="duplicate-managed-cluster",
                message=f"{several}, and more than one agent reports: two clusters have registered under one name",
                remedy=("give one of them another name; it counts at the first registration only",),
            )
        else:
            yield Reason(
                code="duplicate-managed-cluster",
                message=f"{several}; a rebuilt cluster comes with a new id, and the old entry stays",
                remedy=("remove the one that does not report any more; it is listed as left over",),
                severity=WARNING,
            )


def not_registered(case: Case) -> Iterator[Reason]:
    """Delivered, and still the parent does not know it."""
    if case.delivered == report.NO or not case.name or not case.scene.parent:
        return
    if case.registered == report.PENDING:
        request = case.requests[0]
        yield Reason(
            code="request-pending",
            message=f"its registration request {request.name} is not approved yet",
            remedy=(
                "look at the hub; two clusters with the same --cluster-reg-namespace wait for ever",
                "kubectl -n clusternet-system logs deployment/clusternet-hub",
            ),
        )
    elif case.registered == report.NO and case.requests:
        request = case.requests[0]
        told = f": {request.error}" if request.error else ""
        yield Reason(
            code="request-refused",
            message=f"its registration request {request.name} is {request.result or 'without an answer'}{told}",
            remedy=(
                "mend the cause, then delete the request, and the agent asks again",
                f"kubectl delete clusterregistrationrequests.clusters.clusternet.io {quote(request.name)}",
            ),
        )
    elif case.registered == report.NO:
        yield Reason(
            code="not-registered",
            message=f"the agent is delivered, but the parent knows no {case.name}",
            remedy=(
                "look at the agent; usual causes: parent URL not reachable from there, token refused or expired, image not pulled",
                "a cluster that registered earlier under another name keeps that one",
                "kubectl --kubeconfig WORKLOAD -n clusternet-system logs deployment/clusternet-agent",
            ),
        )


def not_ready(case: Case) -> Iterator[Reason]:
    """Registered, and its agent does not report, or reports trouble."""
    if case.registered != report.NOT_READY:
        return
    found = case.managed[0]
    told = f" ({found.reason})" if found.reason else ""
    if found.ready == "False":
        code, message = "not-ready", f"its agent reports that the cluster is not ready{told}"
    elif found.last_seen is None:
        code, message = "lost", f"its agent never reported{told}"
    else:
        code, message = "lost", f"its agent stopped reporting{told}"
    remedy = ("look at the agent", "kubectl --kubeconfig WORKLOAD -n clusternet-system get pods")
    yield Reason(code=code, message=message, remedy=remedy)
