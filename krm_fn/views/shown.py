"""What the views of a Plan show: what was decided, reported and compared, narrowed to what was asked for."""

from __future__ import annotations

from krm_fn.base import Record, count
from krm_fn.clusters.verdicts import decided
from krm_fn.earlier import effects as codes
from krm_fn.krm.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.earlier.compare import Comparison
    from krm_fn.earlier.effects import Effect
    from krm_fn.function import Outcome
    from krm_fn.krm.results import Result
    from krm_fn.kube.labels import LabelSelector
    from krm_fn.model import Cluster, Config, Generated, ObjectKey


_COUNTED = ("count", "verdict")  # the tables say the same


class Filters(Record):
    """What to show; everything where nothing is asked for.

    Attributes:
        namespaces: Clusters and objects of these namespaces only.
        selector: Clusters with these labels only.
        clusters: These Clusters only, as `namespace/name`.
        only_changed: Only Clusters to which something happens.
    """

    namespaces: tuple[str, ...] = ()
    selector: LabelSelector | None = None
    clusters: tuple[str, ...] = ()
    only_changed: bool = False

    @property
    def empty(self) -> bool:
        """Whether everything is shown."""
        return not (self.namespaces or self.selector or self.clusters or self.only_changed)

    def takes(self, cluster: Cluster) -> bool:
        """Return whether a Cluster is asked for, whatever happens to it."""
        return (
            (not self.namespaces or cluster.namespace in self.namespaces)
            and (self.selector is None or self.selector.matches(cluster.live_labels))
            and (not self.clusters or cluster.title in self.clusters)
        )


class Shown(Record):
    """What to show.

    Attributes:
        configs: The configs; none where they could not be read.
        results: Everything that was reported.
        verdicts: What was decided about each Cluster.
        generated: The objects.
        comparison: What changes against an earlier tree; None where there was none.
        hidden: How many Clusters the filters leave out.
    """

    configs: tuple[Config, ...]
    results: tuple[Result, ...]
    verdicts: tuple[Verdict, ...] = ()
    generated: tuple[Generated, ...] = ()
    comparison: Comparison | None = None
    hidden: int = 0

    @property
    def errors(self) -> tuple[Result, ...]:
        """The errors; with any, nothing would be rendered."""
        return tuple(one for one in self.results if one.severity == ERROR)

    @property
    def warnings(self) -> tuple[Result, ...]:
        """The warnings; not those that the effects give in more detail."""
        detailed = ("moved",) if self.effects else ()
        return tuple(
            one for one in self.results if one.severity == WARNING and dict(one.tags).get("rule") not in detailed
        )

    @property
    def notes(self) -> tuple[Result, ...]:
        """What else is reported: edits of the user's own objects, checks that could not be made."""
        return tuple(one for one in self.results if one.severity == INFO and dict(one.tags).get("rule") not in _COUNTED)

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
    verdicts = list(made.verdicts)
    if filters.clusters:  # of a Cluster that is asked for by name, what every config decided
        verdicts = [
            one for title in filters.clusters for one in decided(made.fleet, made.parts, of=title, renamed=made.renamed)
        ]
    chosen = {one.title for one in made.fleet.clusters if filters.takes(one)}
    if comparison is not None and not filters.empty:
        gone = {title for one in comparison.effects for title in one.clusters} - {
            one.title for one in made.fleet.clusters
        }
        chosen |= {title for title in gone if _takes_gone(filters, title)}
        comparison = _narrowed(comparison, chosen, filters)
    if filters.only_changed:
        chosen = {title for one in comparison.effects for title in one.clusters} if comparison is not None else set()
    shown = [one for one in verdicts if one.cluster.title in chosen]
    return Shown(
        configs=outcome.configs,
        results=tuple(results),
        verdicts=tuple(shown),
        generated=tuple(one for one in made.generated if _in_namespaces(one.key, filters)),
        comparison=comparison,
        hidden=len(made.fleet.clusters) - len({one.cluster.key for one in shown}),
    )


def _takes_gone(filters: Filters, title: str) -> bool:
    """Return whether a Cluster that is no longer in the input is asked for."""
    namespace = title.rpartition("/")[0]
    return (
        (not filters.namespaces or namespace in filters.namespaces)
        and (not filters.clusters or title in filters.clusters)
        and filters.selector is None
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


# Pictures mark what is easily missed: a Cluster that comes, goes, or changes hands.
MARKS = {
    codes.REGISTERS: "new",
    codes.MOVES: "moved",
    codes.RENAMED: "moved",
    codes.LOSES: "lost",
    codes.REMOVED: "lost",
}
