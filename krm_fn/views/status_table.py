"""A status report as a table for people, and below it the reasons.

Reasons are grouped by their code, the most frequent first, so that a fleet in which one Secret is wrong does not report it
ten thousand times. In a pipe nothing is wrapped; on a terminal lines take its width, but commands stay whole for copying.
"""

from __future__ import annotations

from collections import Counter

from krm_fn.base import count, some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report as states
from krm_fn.status.report import age
from krm_fn.views.terminal import GAP, PIPE, Terminal, cells, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.status.report import ClusterState, Reason, Report

HEADERS = ("CLUSTER", "SELECTED BY", "DELIVERED", "REGISTERED", "SEEN", "WHY")
_SELECTED_BY, _DELIVERED, _REGISTERED, _SEEN, _WHY = 1, 2, 3, 4, 5
_LISTED = 5  # Clusters named with a reason before "and N more"
_MESSAGES = 3  # messages shown with a code before "and N more"
_WIDE = 100  # columns from which the names of ClusterResourceSets and ManagedClusters fit
_LONGEST_CODE = 21
_STYLES = {
    states.YES: "good",
    states.EARLIER: "good",
    states.OUTDATED: "warn",
    states.PENDING: "warn",
    states.NOT_READY: "warn",
    states.UNKNOWN: "dim",
    states.NO: "bad",
}
_ORDER = {ERROR: 0, WARNING: 1, INFO: 2}
_NOTHING = "-"


def render(report: Report, terminal: Terminal = PIPE, *, only_failing: bool = False) -> str:
    """Return the report as text.

    With `only_failing` the Clusters are left out with which all is well; the summary counts them all the same.
    """
    view = _View(width=terminal.width, colour=terminal.colour)
    clusters = report.failing if only_failing else report.clusters
    blocks = [
        view.clusters(clusters, report.reported),
        view.reasons(clusters),
        *(view.left_over(report, side) for side in sorted({one.side for one in report.orphans})),
        view.notes(report.notes),
        view.summary(report),
    ]
    return "\n".join(block for block in blocks if block)


class _View(Terminal):
    """The blocks of a report, as a terminal shows them."""

    def clusters(self, clusters: Sequence[ClusterState], now: int) -> str:
        if not clusters:
            return ""
        rows = [self._row(one, now) for one in clusters]
        left_out = set() if self._wide else {_SELECTED_BY}
        if all(row[_SEEN] == _NOTHING for row in rows):
            left_out.add(_SEEN)
        shown = [column for column in range(len(HEADERS)) if column not in left_out]
        rows = [tuple(row[column] for column in shown) for row in rows]
        headers = tuple(HEADERS[column] for column in shown)
        rows = self._fitted(headers, rows)
        return self.table(headers, rows, lambda column, row: _style(shown[column], row[column]))

    @property
    def _wide(self) -> bool:
        return self.width is None or self.width >= _WIDE

    def _fitted(self, headers: Sequence[str], rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        """Shorten the first column where the others would not fit into the width."""
        if self.width is None:
            return rows
        columns = range(1, len(headers) - 1)
        others = sum(max(cells(row[column]) for row in (headers, *rows)) for column in columns)
        space = max(16, self.width - others - len(GAP) * (len(headers) - 1) - _LONGEST_CODE)
        return [(_shortened(row[0], space), *row[1:]) for row in rows]

    def _row(self, one: ClusterState, now: int) -> tuple[str, ...]:
        registered = self._registered(one)
        if one.deleting:
            cells = (one.title, _NOTHING, _NOTHING, _NOTHING, _seen(one, now), "is being deleted")
        else:
            shown = one.errors or [reason for reason in one.reasons if reason.severity == WARNING]
            codes = ", ".join(dict.fromkeys(reason.code for reason in shown))
            sets = ", ".join(one.resource_sets) or _NOTHING
            cells = (one.title, sets, one.delivered, registered, _seen(one, now), codes)
        return tuple(clean(cell) for cell in cells)

    def _registered(self, one: ClusterState) -> str:
        """Return the verdict: with its evidence in a pipe, with the name where it fits, else alone."""
        named = one.registration_name != one.name
        if one.registered == states.COUNTED:
            return one.evidence if self.width is None else " ".join(one.evidence.split(" ")[:3])
        if self.width is None and one.registered == states.YES:
            return f"yes (by name{f', {one.registration_name}' if named else ''})"
        if self.width is None and one.registered == states.EARLIER:
            return f"yes ({one.evidence})"
        if self._wide and named and one.registered in {states.YES, states.NOT_READY}:
            return f"{one.registered} ({one.registration_name})"
        return one.registered

    def reasons(self, clusters: Sequence[ClusterState]) -> str:
        by_code: dict[tuple[str, str], dict[str, list[tuple[str, Reason]]]] = {}
        for cluster in clusters:
            for reason in cluster.reasons if not cluster.deleting else ():
                messages = by_code.setdefault((reason.severity, reason.code), {})
                messages.setdefault(reason.message, []).append((cluster.title, reason))
        if not by_code:
            return ""
        lines = [self.paint("WHY", "head")]
        for (severity, code), messages in sorted(by_code.items(), key=_frequent_first):
            total = len({title for found in messages.values() for title, _ in found})
            lines += self.marked(f"{code}: {count(total, 'Cluster')}", severity)
            steps: dict[str, None] = {}
            shown = sorted(messages.items(), key=lambda pair: -len(pair[1]))
            for message, found in shown[:_MESSAGES]:
                titles = some([title for title, _ in found], _LISTED)
                lines += self.wrap(f"{titles}: {message}", "    ", "      ")
                # commands may name the Cluster; those of the first stand for all
                steps.update(dict.fromkeys(found[0][1].remedy))
            if len(shown) > _MESSAGES:
                lines.append(f"    and {len(shown) - _MESSAGES} more such messages, which -o json shows")
            lines += self.steps(steps)
            if any(step not in steps for found in messages.values() for _, each in found for step in each.remedy):
                lines += self.steps(["likewise for the others, whose commands -o json shows"])
        return _block(lines)

    def left_over(self, report: Report, side: str) -> str:
        commands = any(one.commands for one in report.orphans if one.side == side)
        head = f"LEFT OVER ON THE {side.upper()} CLUSTER" + (" (commands are printed, not run)" if commands else "")
        lines = [self.paint(head, "head")]
        for one in report.orphans:
            if one.side == side:
                lines += self.marked(one.title, WARNING)
                lines += self.wrap(one.message, "    ", "    ")
                lines += [f"    {clean(command)}" for command in one.commands]
        return _block(lines)

    def notes(self, notes: Sequence[Reason]) -> str:
        lines = []
        for note in notes:
            lines += self.marked(note.message, note.severity)
            lines += self.steps(note.remedy)
        return _block(lines)

    def summary(self, report: Report) -> str:
        total = len(report.clusters)
        if not total:
            return "no Cluster to look at\n"
        lacking = Counter(one.lacking for one in report.clusters)
        fine = lacking.pop("", 0)
        good = "delivered"
        if report.parent and not report.missing:
            good = f"delivered and registered{'' if report.certain else ' as far as can be seen'}"
        if report.ok:
            end = good if report.parent else f"{good}; whether they are registered is unknown"
            return self._total(f"{count(total, 'Cluster')} {end}", "good")
        parts = [f"{number} {what}" for what, number in sorted(lacking.items(), key=lambda one: (-one[1], one[0]))]
        counted = f", of which {report.missing} not registered (which ones is not known)" if report.missing else ""
        parts += [f"{fine} {good}{counted}"] if fine else []
        return self._total(f"{count(total, 'Cluster')}: {', '.join(parts)}", "bad")

    def _total(self, text: str, style: str) -> str:
        return _block([self.paint(line, style) for line in self.wrap(text, "", "  ")])


def _seen(one: ClusterState, now: int) -> str:
    if one.last_seen is None:
        return "unknown" if one.timeless else _NOTHING
    return f"{age(now - one.last_seen)} ago"


def _frequent_first(pair: tuple[tuple[str, str], dict[str, list[tuple[str, Reason]]]]) -> tuple[int, int, str]:
    (severity, code), messages = pair
    return (_ORDER[severity], -sum(map(len, messages.values())), code)


def _shortened(text: str, space: int) -> str:
    """Take the middle out of a name that is too long, so that namespace and number stay."""
    if cells(text) <= space:
        return text
    head = (space - 1) // 2
    return f"{text[:head]}…{text[len(text) - (space - 1 - head) :]}"


def _style(column: int, cell: str) -> str:
    if column in {_DELIVERED, _REGISTERED}:
        return _STYLES.get(cell.partition(" (")[0], "")
    return "bad" if column == _WHY and cell not in {"", "is being deleted"} else ""


def _block(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
