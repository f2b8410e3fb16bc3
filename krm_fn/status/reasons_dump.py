"""Checks: is the dump complete and new enough to judge by? They concern no single Cluster."""

from __future__ import annotations

from krm_fn.krm.results import INFO, WARNING
from krm_fn.status import dump, report
from krm_fn.status.report import Reason, age, clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from krm_fn.status.scene import Scene

_OLD = 3600  # age in seconds from which a dump counts as old


def gaps(scene: Scene) -> Iterator[Reason]:
    """Report what is not in the dump, and how old it is."""
    asked = bool(scene.commands.context)
    here = "add the output of this command on the management cluster"
    if not scene.clusters:
        yield Reason(
            code="no-clusters",
            message=f"{'the management cluster has' if asked else 'the dump holds'} no Cluster of Cluster API",
            remedy=() if asked else (here, scene.commands.dump_clusters()),
            severity=WARNING,
        )
    if not scene.payloads_dumped and any(not one.hub for one in scene.sets):
        found = "could be read" if asked else "is in the dump"
        yield Reason(
            code="no-payloads",
            message=f"no Secret or ConfigMap of ours {found}: their type, content and hash were not checked",
            remedy=() if asked else (here, scene.commands.dump_payloads()),
            severity=INFO,
        )
    if scene.sets and not scene.dump.of(dump.BINDING) and not asked:
        yield Reason(
            code="no-bindings",
            message="no ClusterResourceSetBinding is in the dump: either nothing was delivered to any Cluster, or it is incomplete",
            remedy=(here, scene.commands.dump_clusters()),
            severity=INFO,
        )
    if not scene.parent:
        empty = "; if the empty list is the parent's, add --parent" if scene.dump.empty_lists and not asked else ""
        there = ("add the output of this command on the parent cluster", scene.commands.dump_parent())
        yield Reason(
            code=report.NO_PARENT,
            message=f"the parent cluster was not looked at, so whether clusters are registered is unknown{empty}",
            remedy=("add --parent-context",) if asked else there,
            severity=INFO,
        )
    elif scene.now - scene.reported > _OLD:
        yield Reason(
            code="old-dump",
            message=f"ages of reports are counted from the newest time in the dump of the parent, {clock(scene.reported)}, "
            f"{age(scene.now - scene.reported)} ago; --now sets another time",
            severity=INFO,
        )
