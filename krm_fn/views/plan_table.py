"""A Plan as a table for a terminal or a log."""

from __future__ import annotations

from krm_fn.views import shown, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.views.shown import Shown

HEADERS = ("NAMESPACE", "CLUSTER", "REGISTERS", "AS", "RESOURCE SET", "WHY")
_REGISTERS = 2


def render(view: Shown, *, width: int | None = None, colour: bool = False) -> str:
    """Return the verdict on every Cluster, what is said, and what changes."""
    several = len(view.configs) > 1
    headers = ("CONFIG", *HEADERS) if several else HEADERS
    rows = []
    for verdict in view.plan.verdicts:
        cluster = verdict.cluster
        yes = "yes" if verdict.matched else "no"
        row = (
            cluster.namespace or "-",
            cluster.name,
            yes,
            verdict.registration_name or "-",
            verdict.resource_set or "-",
            verdict.rule,
        )
        rows.append((verdict.config, *row) if several else row)
    at = _REGISTERS + several

    def style(column: int, row: Sequence[str]) -> str:
        if column == at:
            return "good" if row[at] == "yes" else "warn"
        return ""

    parts = []
    if rows:
        parts.append(table.render(headers, rows, width=width, colour=colour, style=style) + "\n")
    parts.append(table.paint(f"{view.summary}.", "head", colour=colour) + "\n")
    parts += [table.paint(f"note: {one.message}", "dim", colour=colour) + "\n" for one in view.notes]
    if view.comparison is not None:
        parts += [f"{line}\n" for line in shown.comparison_lines(view.comparison)]
        parts += ["\n" + _diff(change.diff, colour=colour) for change in view.comparison.changed]
    return "".join(parts)


def _diff(lines: Sequence[str], *, colour: bool) -> str:
    styles = {"+": "good", "-": "bad", "@": "dim"}
    return "".join(table.paint(line, styles.get(line[:1], ""), colour=colour) + "\n" for line in lines)
