"""What the views of a Plan show: the Plan with what belongs to it, and the numbers that all of them give."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.krm.results import ERROR, INFO, WARNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.earlier.compare import Comparison
    from krm_fn.krm.results import Result
    from krm_fn.model import Config, Verdict
    from krm_fn.plan import Plan


_COUNTED = ("count", "verdict")  # the tables say the same


class Shown(Record):
    """A Plan to show.

    Attributes:
        plan: The Plan.
        configs: The configs it is for.
        results: Everything that was said, the Plan's own results among it.
        comparison: What it changes against a baseline; None where there was none.
    """

    plan: Plan
    configs: tuple[Config, ...]
    results: tuple[Result, ...]
    comparison: Comparison | None = None

    @property
    def errors(self) -> tuple[Result, ...]:
        """The errors; with any, nothing would be rendered."""
        return tuple(one for one in self.results if one.severity == ERROR)

    @property
    def warnings(self) -> tuple[Result, ...]:
        """The warnings."""
        return tuple(one for one in self.results if one.severity == WARNING)

    @property
    def notes(self) -> tuple[Result, ...]:
        """What else is said: edits of the user's own objects, checks that could not be made."""
        return tuple(one for one in self.results if one.severity == INFO and dict(one.tags).get("rule") not in _COUNTED)

    @property
    def registered(self) -> tuple[Verdict, ...]:
        """Verdicts of the Clusters that register."""
        return tuple(one for one in self.plan.verdicts if one.matched)

    @property
    def left_out(self) -> tuple[Verdict, ...]:
        """Verdicts on the Clusters that no config registers; several for one Cluster where there are several configs."""
        reached = {one.cluster.key for one in self.registered}
        return tuple(one for one in self.plan.verdicts if one.cluster.key not in reached)

    @property
    def summary(self) -> str:
        """One sentence with the numbers."""
        clusters = {one.cluster.key for one in self.plan.verdicts}
        reached = {one.cluster.key for one in self.registered}
        namespaces = {new.key.namespace for new in self.plan.generated}
        return (
            f"{len(reached)} of {len(clusters)} Clusters register, through"
            f" {count(len(self.plan.generated), 'generated object')} in {count(len(namespaces), 'namespace')}"
        )


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 Cluster`, `2 Clusters`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return what a render changes, one sentence a line, for table and Markdown alike."""
    if comparison.empty:
        return ["No change against the baseline."]
    counts = [
        f"{len(comparison.added)} added",
        f"{len(comparison.changed)} changed",
        f"{len(comparison.removed)} removed",
        f"{comparison.unchanged} unchanged",
    ]
    lines = [f"Objects: {', '.join(counts)}."]
    if comparison.gained:
        lines.append(f"Registers from now on: {', '.join(comparison.gained)}.")
    if comparison.lost:
        lines.append(f"No longer served: {', '.join(comparison.lost)}.")
    if comparison.lost is None:
        lines.append("The baseline holds no Cluster objects, so Clusters that left can't be named.")
    if comparison.rolled:
        lines.append(
            f"Agent pods restart on {count(len(comparison.rolled), 'Cluster')}: {', '.join(comparison.rolled)}."
        )
    if comparison.held:
        lines.append(f"Changed, but never delivered (strategy ApplyOnce): {', '.join(comparison.held)}.")
    return lines
