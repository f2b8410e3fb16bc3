"""Effects in words: what happens to how many Clusters, and what it costs."""

from __future__ import annotations

from krm_fn.base import count, some
from krm_fn.earlier import effects as codes
from krm_fn.surface import REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from krm_fn.earlier.compare import Comparison
    from krm_fn.earlier.effects import Effect

_FEW = 3

# One or two words for a table's cell.
SHORT = {
    codes.BLOCKED: "blocked",
    codes.REGISTERS_AGAIN: "registers again",
    codes.LOSES: "loses its set",
    codes.REMOVED: "removed",
    codes.ROLLS: "rolls",
    codes.IGNORED: "ignored",
    codes.MOVES: "moves",
    codes.RENAMED: "new set name",
    codes.REGISTERS: "registers",
    codes.REPLACED: "updated",
    codes.LEFT: "leaves objects",
}


def headline(effect: Effect) -> str:
    """Return what happens to how many Clusters, in one sentence without a period."""
    return _HEADLINES[effect.code](effect, count(len(effect.clusters), "Cluster"), len(effect.clusters) == 1)


def cost(effect: Effect) -> str:
    """Return what that costs, and what there is to do about it; "" if nothing."""
    return _COSTS[effect.code](effect)


def counts(comparison: Comparison) -> str:
    """Return one sentence with the numbers of objects."""
    if comparison.empty:
        return "Nothing changes"
    return (
        f"Objects: {len(comparison.added):,} added, {len(comparison.changed):,} changed, {len(comparison.removed):,}"
        f" removed, {comparison.unchanged:,} unchanged"
    )


def _objects(effect: Effect) -> str:
    return some(effect.objects, _FEW)


def _blocked(effect: Effect, clusters: str, one: bool) -> str:  # noqa: FBT001 - as all of them
    where = (
        "the management cluster refuses" if _on_management(effect) else f"{clusters} {'refuses' if one else 'refuse'}"
    )
    return f"{where[0].upper()}{where[1:]} a change: {effect.field} of {_objects(effect)} is immutable"


def _on_management(effect: Effect) -> bool:
    return effect.objects[0].startswith("ClusterResourceSet ")


def _blocked_cost(effect: Effect) -> str:
    if _on_management(effect):
        return "Give clusterResourceSet.name a new value, as the error says (docs/immutable-fields.md)"
    kind, _, name = effect.objects[0].partition(" ")
    namespace, _, name = name.rpartition("/")
    option = f" -n {namespace}" if namespace else ""
    return (
        f"The set fails on it, and delivers all else. Delete it on each workload cluster (kubectl delete {kind.lower()}"
        f" {name}{option}); Cluster API then creates the new one"
    )


def _again(effect: Effect, clusters: str, one: bool) -> str:  # noqa: FBT001 - as all of them
    return (
        f"{clusters} {'registers' if one else 'register'} a second time: {effect.field} changes from {effect.before} to"
        f" {effect.after}"
    )


def _again_cost(effect: Effect) -> str:
    if effect.field == "parentURL":
        return (
            f"Their ManagedClusters on {effect.before} stay behind: remove them there, and deploy anew through"
            f" {effect.after} what was deployed through it"
        )
    return (
        f"The old agents keep running in namespace {effect.before}, and their ManagedClusters stay behind: delete that"
        " namespace on each workload cluster and the ManagedClusters on the parent (docs/immutable-fields.md)"
    )


def _renamed(effect: Effect, clusters: str, one: bool) -> str:  # noqa: FBT001 - as all of them
    why = {
        "": "",
        "identity.mode": ", as the new identity.mode needs",
    }.get(effect.field, f", as a change of {effect.field} needs")
    del one
    return f"ClusterResourceSet {effect.before} becomes {effect.after} on {clusters}{why}"


_HEADLINES: dict[str, Callable[[Effect, str, bool], str]] = {
    codes.BLOCKED: _blocked,
    codes.REGISTERS_AGAIN: _again,
    codes.LOSES: lambda effect, clusters, one: (
        f"{clusters} {'loses' if one else 'lose'} ClusterResourceSet {effect.before}"
    ),
    codes.REMOVED: lambda _, clusters, one: f"{clusters} {'is' if one else 'are'} no longer in the input",
    codes.ROLLS: lambda _, clusters, one: f"Agent pods restart on {clusters}",  # noqa: ARG005 - as all of them
    codes.IGNORED: lambda effect, clusters, one: (
        f"{clusters} {'does' if one else 'do'} not get a change (strategy ApplyOnce): {_objects(effect)}"
    ),
    codes.MOVES: lambda effect, clusters, one: (
        f"{clusters} {'moves' if one else 'move'} from ClusterResourceSet {effect.before} to {effect.after}"
    ),
    codes.RENAMED: _renamed,
    codes.REGISTERS: lambda effect, clusters, one: (
        f"{clusters} {'registers' if one else 'register'} through ClusterResourceSet {effect.after}"
    ),
    codes.REPLACED: lambda effect, clusters, one: (
        f"{clusters} {'gets' if one else 'get'} changed objects, and no pod of the agent restarts for them:"
        f" {_objects(effect)}"
    ),
    codes.LEFT: lambda effect, clusters, one: (
        f"{clusters} {'keeps' if one else 'keep'} objects that are no longer delivered: {_objects(effect)}"
    ),
}

_COSTS: dict[str, Callable[[Effect], str]] = {
    codes.BLOCKED: _blocked_cost,
    codes.REGISTERS_AGAIN: _again_cost,
    codes.LOSES: lambda _: (
        "The agent stays, and no later change reaches it. To deregister, remove the agent's namespace on the workload"
        " cluster and the ManagedCluster on the parent"
    ),
    codes.REMOVED: lambda _: "Where Git deletes a Cluster, its ManagedCluster stays on the parent: remove it there",
    codes.ROLLS: lambda _: "Kubernetes replaces them step by step; clusters keep their registration",
    codes.IGNORED: lambda _: (
        "Only Clusters that register later get it. For these, set strategy Reconcile under a new clusterResourceSet.name"
    ),
    codes.MOVES: lambda effect: (
        f"The content of {effect.after} replaces what runs, unless the Cluster had that set before: then it keeps what runs."
        f" Moving back to {effect.before} does not roll back either (docs/waves.md)"
    ),
    codes.RENAMED: lambda _: (
        "The new set applies everything again, and equal objects stay as they are. Let it deliver before the old objects are"
        " pruned (docs/immutable-fields.md)"
    ),
    codes.REGISTERS: lambda _: "A Cluster that had this agent before keeps it, under the name that it has",
    codes.REPLACED: lambda effect: (
        "Running agents read their registration when they restart"
        if any(one.endswith(f"/{REGISTRATION_SECRET}") for one in effect.objects)
        else ""
    ),
    codes.LEFT: lambda _: "Cluster API prunes nothing on workload clusters: delete them there if they are in the way",
}
