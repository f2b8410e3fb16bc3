"""One Cluster's case: all that the checks for it look at."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.status import report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.objects import Binding, LiveCluster, LiveSet, Managed, Request
    from krm_fn.status.payload import Payload
    from krm_fn.status.report import Delivery
    from krm_fn.status.scene import Scene

MANAGER_LOG = "kubectl -n capi-system logs deployment/capi-controller-manager"
_SHOWN = 5


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

    def payloads(self) -> Iterator[Payload]:
        """Yield the dumped resources that are not applied as they are."""
        done = {(one.kind, one.name) for one in self.deliveries if one.state in {report.APPLIED, report.CHANGED}}
        wanted = dict.fromkeys(entry for one in self.sets for entry in one.resources if entry not in done)
        for kind, name in wanted:
            payload = self.scene.payload(self.cluster.namespace, kind, name)
            if payload is not None:
                yield payload

    def in_state(self, state: str) -> tuple[Delivery, ...]:
        """Return the deliveries in a state."""
        return tuple(one for one in self.deliveries if one.state == state)


def some(listed: Sequence[str]) -> str:
    """List a few."""
    return ", ".join(listed[:_SHOWN]) + (f" and {len(listed) - _SHOWN} more" if len(listed) > _SHOWN else "")
