"""A status report as a table for people, and below it the reasons.

Reasons that several Clusters share stand once, so that a fleet in which one Secret is wrong does not say so ten
thousand times. In a pipe nothing is wrapped; on a terminal lines take its width, but commands stay whole for copying.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report as states
from krm_fn.views import prose, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.report import ClusterState, Reason, Report

HEADERS = ("CLUSTER", "SELECTED BY", "DELIVERED", "REGISTERED", "SEEN", "WHY NOT")
_SELECTED_BY, _DELIVERED, _REGISTERED, _WHY = 1, 2, 3, 5
_LISTED = 5  # Clusters named with a reason before "and N more"
_WIDE = 100  # columns from which there is room for the names of ClusterResourceSets and ManagedClusters
_STYLES = {
    states.YES: "good",
    states.OUTDATED: "warn",
    states.PENDING: "warn",
    states.NOT_READY: "warn",
    states.UNKNOWN: "dim",
    states.NO: "bad",
}
_MARKS = {ERROR: ("✗", "bad"), WARNING: ("!", "warn"), INFO: ("·", "dim")}
_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}
_NOTHING = "-"
_PROGRAMS = frozenset({"kubectl", "clusterctl", "clusternet-capi-fn"})


def render(report: Report, *, width: int | None = None, colour: bool = False, only_failing: bool = False) -> str:
    """Return the report as text.

    Args:
        report: What was found out.
        width: Columns of the terminal; None for a pipe.
        colour: Whether to use colours.
        only_failing: Leave the Clusters out with which all is well; the summary counts them all the same.
    """
    view = _View(width, colour=colour)
    clusters = report.failing if only_failing else report.clusters
    blocks = [
        view.clusters(clusters, report.now),
        view.reasons(clusters),
        *(view.left_over(report, side) for side in sorted({one.side for one in report.orphans})),
        view.notes(report.notes),
        view.summary(report),
    ]
    return "\n".join(block for block in blocks if block)


def age(seconds: int) -> str:
    """Return a span of time as kubectl does, in its largest unit."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{max(seconds, 0)}s"


class _View:
    """Width and colour, and the blocks that depend on them."""

    def __init__(self, width: int | None, *, colour: bool) -> None:
        self.width = width
        self.colour = colour

    def clusters(self, clusters: Sequence[ClusterState], now: int) -> str:
        if not clusters:
            return ""
        rows = [self._row(one, now) for one in clusters]
        if self._wide:
            return table.render(HEADERS, rows, width=self.width, colour=self.colour, style=_style)
        narrow = [_without_sets(row) for row in rows]
        return table.render(
            _without_sets(HEADERS),
            narrow,
            width=self.width,
            colour=self.colour,
            style=lambda column, row: _style(column + 1, ("", *row)),
        )

    @property
    def _wide(self) -> bool:
        return self.width is None or self.width >= _WIDE

    def _row(self, one: ClusterState, now: int) -> tuple[str, ...]:
        registered = one.registered
        named = one.registered in {states.YES, states.NOT_READY} and one.registration_name != one.name
        if named and self._wide:
            registered = f"{registered} ({one.registration_name})"
        if one.deleting:
            cells = (one.title, _NOTHING, _NOTHING, _NOTHING, _seen(one, now), "is being deleted")
        else:
            codes = ", ".join(dict.fromkeys(reason.code for reason in one.errors))
            sets = ", ".join(one.resource_sets) or _NOTHING
            cells = (one.title, sets, one.delivered, registered, _seen(one, now), codes)
        return tuple(prose.clean(cell) for cell in cells)

    def reasons(self, clusters: Sequence[ClusterState]) -> str:
        grouped: dict[tuple[str, str, str], list[tuple[str, Reason]]] = {}
        for cluster in clusters:
            for reason in cluster.reasons if not cluster.deleting else ():
                key = (reason.severity, reason.code, reason.message)
                grouped.setdefault(key, []).append((cluster.title, reason))
        if not grouped:
            return ""
        lines = [self._paint("WHY", "head")]
        for (severity, code, message), found in sorted(grouped.items(), key=lambda pair: _ORDER[pair[0][0]]):
            titles = [title for title, _ in found]
            more = f" and {len(titles) - _LISTED} more" if len(titles) > _LISTED else ""
            lines += self._marked(severity, f"{code}: {', '.join(titles[:_LISTED])}{more}")
            lines += self._wrap(message, "    ", "    ")
            # commands may name the Cluster; those of the first stand for all
            lines += self._steps(found[0][1])
        return _block(lines)

    def left_over(self, report: Report, side: str) -> str:
        head = f"LEFT OVER ON THE {side.upper()} CLUSTER: printed, not run"
        lines = [self._paint(head, "head")]
        for one in report.orphans:
            if one.side == side:
                lines += self._marked(WARNING, one.title)
                lines += self._wrap(one.message, "    ", "    ")
                lines += [f"    {prose.clean(command)}" for command in one.commands]
        return _block(lines)

    def notes(self, notes: Sequence[Reason]) -> str:
        lines = []
        for note in notes:
            lines += self._marked(note.severity, note.message)
            lines += self._steps(note)
        return _block(lines)

    def summary(self, report: Report) -> str:
        total, failing = len(report.clusters), len(report.failing)
        clusters = f"{total} Cluster{'' if total == 1 else 's'}"
        if not total:
            return "no Cluster to look at\n"
        if failing:
            end = "registered" if report.parent else "delivered"
            return self._paint(f"{failing} of {clusters} not {end}", "bad") + "\n"
        if not report.ok:
            return self._paint(f"{clusters} delivered, not all of them registered", "bad") + "\n"
        end = "delivered and registered" if report.parent else "delivered; whether they are registered is unknown"
        return self._paint(f"{clusters} {end}", "good") + "\n"

    def _marked(self, severity: str, text: str) -> list[str]:
        mark, style = _MARKS[severity]
        first, *rest = self._wrap(text, "  ", "  ")
        return [self._paint(mark, style) + first[1:], *rest]

    def _steps(self, reason: Reason) -> Iterator[str]:
        for step in reason.remedy:
            if step.partition(" ")[0] in _PROGRAMS:
                # a command stays whole, however narrow the terminal, so that it can be copied
                yield f"      {prose.clean(step)}"
            else:
                yield from self._wrap(f"→ {step}", "    ", "      ")

    def _wrap(self, text: str, first: str, rest: str) -> list[str]:
        return prose.wrap(text, self.width, first, rest)

    def _paint(self, text: str, style: str) -> str:
        return table.paint(text, style, colour=self.colour)


def _seen(one: ClusterState, now: int) -> str:
    return _NOTHING if one.last_seen is None else f"{age(now - one.last_seen)} ago"


def _without_sets(row: Sequence[str]) -> tuple[str, ...]:
    return (*row[:_SELECTED_BY], *row[_SELECTED_BY + 1 :])


def _style(column: int, row: Sequence[str]) -> str:
    if column in {_DELIVERED, _REGISTERED}:
        return _STYLES.get(row[column].partition(" (")[0], "")
    return "bad" if column == _WHY and row[_WHY] not in {"", "is being deleted"} else ""


def _block(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
