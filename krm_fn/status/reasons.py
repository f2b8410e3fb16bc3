"""Why a Cluster is not registered: the registry of checks.

A check looks at one Cluster's case and yields a reason, or nothing. Their order is the order in which a person would
look: selected, deliverable, delivered, registered. To add one, write its function beside its likes and a line here.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, INFO
from krm_fn.status import checks_delivery, checks_registration, checks_selection
from krm_fn.status.report import Reason

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from krm_fn.status.case import Case

# why nothing arrives on the workload cluster
DELIVERY: tuple[Callable[[Case], Iterator[Reason]], ...] = (
    checks_selection.gate_off,
    checks_selection.paused,
    checks_selection.no_match,
    checks_selection.two_agents,
    checks_delivery.infrastructure,
    checks_delivery.wrong_type,
    checks_delivery.missing,
    checks_delivery.too_short,
    checks_delivery.unparsable,
    checks_delivery.unreachable,
    checks_delivery.not_applied,
    checks_delivery.outdated,
    checks_delivery.changed,
)
# why the parent does not know, or not hear of, a cluster that has its agent
REGISTRATION: tuple[Callable[[Case], Iterator[Reason]], ...] = (
    checks_registration.token_expired,
    checks_registration.duplicate_name,
    checks_registration.not_registered,
    checks_registration.not_ready,
)


def find(case: Case) -> tuple[Reason, ...]:
    """Run every check on a case, in order."""
    if case.cluster.deleting:
        return (Reason(code="deleting", message="it is being deleted", severity=INFO),)
    found = [reason for check in DELIVERY for reason in check(case)]
    if not any(reason.severity == ERROR for reason in found):
        found.extend(checks_delivery.waiting(case))
    found.extend(reason for check in REGISTRATION for reason in check(case))
    return tuple(found)
