"""What the views of a Plan show: what was decided, reported and compared, narrowed to what was asked for; effects in words."""

from __future__ import annotations

from typing import NamedTuple

from krm_fn.base import Record, count, some
from krm_fn.earlier import effects as codes
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.surface import REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.earlier.compare import Comparison
    from krm_fn.earlier.effects import Effect
    from krm_fn.function import Outcome
    from krm_fn.krm.results import Result
    from krm_fn.kube.labels import LabelSelector
    from krm_fn.model import Config, Generated, ObjectKey

_FEW = 3
_COUNTED = ("count", "verdict")  # the tables say the same


class Filters(Record):
    """What to show; everything where nothing is asked for."""

    namespaces: tuple[str, ...] = ()  # of Clusters and objects
    selector: LabelSelector | None = None  # by the labels of Clusters
    clusters: tuple[str, ...] = ()  # as `namespace/name`
    only_changed: bool = False  # only Clusters to which something happens

    def takes(self, title: str, labels: Mapping[str, str] | None) -> bool:
        """Return whether a Cluster is asked for, whatever happens to it; one that is not in the input has no labels."""
        return (
            (not self.namespaces or title.rpartition("/")[0] in self.namespaces)
            and (self.selector is None or (labels is not None and self.selector.matches(labels)))
            and (not self.clusters or title in self.clusters)
        )


class Shown(Record):
    """What every view of a Plan shows."""

    configs: tuple[Config, ...]  # none where they could not be read
    results: tuple[Result, ...]  # everything that was reported
    verdicts: tuple[Verdict, ...] = ()  # what was decided about each Cluster
    generated: tuple[Generated, ...] = ()  # the objects
    comparison: Comparison | None = None  # what changes against an earlier tree; None where there was none
    hidden: int = 0  # how many Clusters the filters leave out
    elsewhere: bool = False  # all that changes is left out by the filters

    @property
    def errors(self) -> tuple[Result, ...]:
        """The errors; with any, nothing would be rendered."""
        return tuple(one for one in self.results if one.severity == ERROR)

    @property
    def warnings(self) -> tuple[Result, ...]:
        """The warnings; not those that the effects give in more detail."""
        detailed = ("moved",) if self.effects else ()
        return tuple(one for one in self.results if one.severity == WARNING and one.rule not in detailed)

    @property
    def notes(self) -> tuple[Result, ...]:
        """What else is reported: edits of the user's own objects, checks that could not be made."""
        return tuple(one for one in self.results if one.severity == INFO and one.rule not in _COUNTED)

    @property
    def registered(self) -> tuple[Verdict, ...]:
        """Verdicts on the Clusters that register."""
        return tuple(one for one in self.verdicts if one.matched)

    @property
    def left_out(self) -> tuple[Verdict, ...]:
        """Verdicts on the Clusters that no config registers."""
        reached = {one.cluster.key for one in self.registered}
        return tuple(one for one in self.verdicts if one.cluster.key not in reached)

    @property
    def effects(self) -> tuple[Effect, ...]:
        """What happens to the Clusters."""
        return () if self.comparison is None else self.comparison.effects

    @property
    def happens(self) -> dict[str, list[str]]:
        """The codes of what happens to each Cluster, by its title."""
        found: dict[str, list[str]] = {}
        for effect in self.effects:
            for title in effect.clusters:
                if effect.code not in found.setdefault(title, []):
                    found[title].append(effect.code)
        return found

    @property
    def summary(self) -> str:
        """One sentence with the numbers."""
        clusters = {one.cluster.key for one in self.verdicts}
        reached = {one.cluster.key for one in self.registered}
        shown = f" ({count(self.hidden, 'Cluster')} not shown)" if self.hidden else ""
        namespaces = {new.key.namespace for new in self.generated}
        verb = "registers" if len(reached) == 1 else "register"
        if not (clusters or self.hidden or self.generated):
            return "The input contains no Clusters"
        return (
            f"{len(reached)} of {count(len(clusters), 'Cluster')} {verb}, through"
            f" {count(len(self.generated), 'generated object')} in {count(len(namespaces), 'namespace')}{shown}"
        )


def of(
    outcome: Outcome, results: Sequence[Result], comparison: Comparison | None, filters: Filters | None = None
) -> Shown:
    """Return what to show of a run, of all that was reported in it and before it, and of what it changes."""
    made, filters = outcome.plan, filters or Filters()
    if made is None:
        return Shown(configs=outcome.configs, results=tuple(results))
    # of a Cluster that is asked for by name, what every config decided
    verdicts = [one for title in filters.clusters or ("",) for one in made.decided(title)]
    labels = {one.title: one.live_labels for one in made.inventory.clusters}
    affected = {title for one in comparison.effects for title in one.clusters} if comparison is not None else set()
    chosen = {title for title in {*labels, *affected} if filters.takes(title, labels.get(title))}
    changes = comparison is not None and not comparison.empty
    if comparison is not None:
        comparison = _narrowed(comparison, chosen, filters)
    if filters.only_changed:
        chosen &= affected
    shown = [one for one in verdicts if one.cluster.title in chosen]
    return Shown(
        configs=outcome.configs,
        results=tuple(results),
        verdicts=tuple(shown),
        generated=tuple(one for one in made.generated if _in_namespaces(one.key, filters)),
        comparison=comparison,
        hidden=len(made.inventory.clusters) - len({one.cluster.key for one in shown}),
        elsewhere=changes and comparison is not None and comparison.empty,
    )


def _in_namespaces(key: ObjectKey, filters: Filters) -> bool:
    return not filters.namespaces or key.namespace in filters.namespaces


def _narrowed(comparison: Comparison, chosen: set[str], filters: Filters) -> Comparison:
    """Return a comparison of some Clusters and namespaces only."""
    effects = [
        one.replace(clusters=tuple(title for title in one.clusters if title in chosen)) for one in comparison.effects
    ]
    changes = [
        one.replace(keys=tuple(key for key in one.keys if _in_namespaces(key, filters))) for one in comparison.changes
    ]
    return comparison.replace(
        effects=tuple(one for one in effects if one.clusters),
        changes=tuple(one for one in changes if one.keys),
        added=tuple(key for key in comparison.added if _in_namespaces(key, filters)),
        removed=tuple(key for key in comparison.removed if _in_namespaces(key, filters)),
    )


# --- effects in words ------------------------------------------------------------------------------------------------


class _Words(NamedTuple):
    """What happens, in one or two words for a cell, and in a sentence, with its verb for one Cluster and for many.

    `cost` is what it costs, and what there is to do about it. The fields of an effect are filled in.
    """

    short: str
    verbs: tuple[str, str]
    headline: str
    cost: str


WORDS = {
    codes.BLOCKED: _Words(
        "blocked",
        ("refuses", "refuse"),
        "{clusters} {verb} a change: {field} of {objects} is immutable",
        "The set fails on it, and delivers everything else. Delete it on each workload cluster ({delete}); Cluster API then creates the"
        " new one",
    ),
    codes.REGISTERS_AGAIN: _Words(
        "registers again",
        ("registers", "register"),
        "{clusters} {verb} a second time: {field} changes from {before} to {after}",
        "The old agents keep running in namespace {before}, and their ManagedClusters stay behind: delete that namespace on"
        " each workload cluster and the ManagedClusters on the parent (docs/immutable-fields.md)",
    ),
    codes.LOSES: _Words(
        "loses its set",
        ("loses", "lose"),
        "{clusters} {verb} ClusterResourceSet {before}",
        "The agent stays, and no later change reaches it. To deregister, remove the agent's namespace on the workload"
        " cluster and the ManagedCluster on the parent",
    ),
    codes.REMOVED: _Words(
        "removed",
        ("is", "are"),
        "{clusters} {verb} no longer in the input",
        "If Git deletes a Cluster, its ManagedCluster stays on the parent: remove it there",
    ),
    codes.ROLLS: _Words(
        "rolls",
        ("", ""),
        "Agent pods restart on {clusters}",
        "Kubernetes replaces them step by step; clusters keep their registration",
    ),
    codes.IGNORED: _Words(
        "ignored",
        ("does", "do"),
        "{clusters} {verb} not get a change (strategy ApplyOnce): {objects}",
        "Only Clusters that register later get it. For these, set strategy Reconcile under a new clusterResourceSet.name",
    ),
    codes.MOVES: _Words(
        "moves",
        ("moves", "move"),
        "{clusters} {verb} from ClusterResourceSet {before} to {after}",
        "The content of {after} replaces what runs, unless the Cluster had that set before: then it keeps what runs."
        " Moving back to {before} does not roll back either (docs/waves.md)",
    ),
    codes.RENAMED: _Words(
        "new set name",
        ("", ""),
        "ClusterResourceSet {before} becomes {after} on {clusters}{why}",
        "The new set applies everything again, and equal objects stay as they are. Let it deliver before the old objects are"
        " pruned (docs/immutable-fields.md)",
    ),
    codes.REGISTERS: _Words(
        "registers",
        ("registers", "register"),
        "{clusters} {verb} through ClusterResourceSet {after}",
        "A Cluster that had this agent before keeps it, under its present name",
    ),
    codes.REPLACED: _Words(
        "updated",
        ("gets", "get"),
        "{clusters} {verb} changed objects, and no pod of the agent restarts for them: {objects}",
        "Running agents read their registration when they restart",
    ),
    codes.LEFT: _Words(
        "leaves objects",
        ("keeps", "keep"),
        "{clusters} {verb} objects that are no longer delivered: {objects}",
        "Cluster API prunes nothing on workload clusters: delete them there if they are in the way",
    ),
}


def headline(effect: Effect) -> str:
    """Return what happens to how many Clusters, in one sentence without a period."""
    words = WORDS[effect.code]
    refused = _refused_there(effect)
    why = f", as {'the new' if effect.field == 'identity.mode' else 'a change of'} {effect.field} needs"
    return words.headline.format(
        clusters="The management cluster" if refused else count(len(effect.clusters), "Cluster"),
        verb=words.verbs[0 if refused or len(effect.clusters) == 1 else 1],
        objects=some(effect.objects, _FEW),
        field=effect.field,
        before=effect.before,
        after=effect.after,
        why=why if effect.field else "",
    )


def cost(effect: Effect) -> str:
    """Return what that costs, and what there is to do about it; "" if nothing."""
    if _refused_there(effect):
        return "Give clusterResourceSet.name a new value, as the error says (docs/immutable-fields.md)"
    if effect.code == codes.REGISTERS_AGAIN and effect.field == "parentURL":
        return (
            f"Their ManagedClusters on {effect.before} stay behind: remove them there, and deploy anew through"
            f" {effect.after} what was deployed through it"
        )
    if effect.code == codes.REPLACED and not any(one.endswith(f"/{REGISTRATION_SECRET}") for one in effect.objects):
        return ""
    delete = ""
    if effect.code == codes.BLOCKED:
        kind, _, title = effect.objects[0].partition(" ")
        namespace, _, name = title.rpartition("/")
        delete = f"kubectl delete {kind.lower()} {name}" + (f" -n {namespace}" if namespace else "")
    return WORDS[effect.code].cost.format(before=effect.before, after=effect.after, delete=delete)


def _refused_there(effect: Effect) -> bool:
    """Return whether it is the management cluster that refuses a change."""
    return effect.code == codes.BLOCKED and effect.objects[0].startswith("ClusterResourceSet ")


def counts(comparison: Comparison, *, elsewhere: bool = False) -> str:
    """Return one sentence with the numbers of objects; `elsewhere` as in `Shown`."""
    if comparison.empty:
        return "Nothing changes in what is shown; something does in what is not" if elsewhere else "Nothing changes"
    return (
        f"Objects: {len(comparison.added):,} added, {len(comparison.changed):,} changed, {len(comparison.removed):,}"
        f" removed, {comparison.unchanged:,} unchanged"
    )
