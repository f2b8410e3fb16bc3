"""A status report for people: a table of all Clusters with the reasons below it, or one Cluster's whole story as a tree.

In a table reasons are grouped by their code, the most frequent first, so that a fleet in which one Secret is wrong does not
report it ten thousand times. In a pipe nothing is wrapped; on a terminal lines take its width, but commands stay whole.
"""

from __future__ import annotations

from collections import Counter

from krm_fn.base import Record, count, some
from krm_fn.krm.results import ERROR, INFO, WARNING
from krm_fn.status import report as states
from krm_fn.status.report import age, clock
from krm_fn.views import GAP, PIPE, Terminal, cells, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.report import ClusterState, Delivery, Reason, Report

_SELECTED_BY, _SEEN, _WHY = "SELECTED BY", "SEEN", "WHY"
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
_GOOD = frozenset({states.APPLIED, states.YES, states.EARLIER, states.COUNTED, "ready", "reachable", "fine"})
_ONLY_DELIVERED = "delivered"  # and whether it is registered is not known
_DIGITS = 12  # of a hash that are shown
_SHOWN = 3  # reasons below the first of a tree


# --- all Clusters, as a table ------------------------------------------------------------------------------------------


def table(report: Report, terminal: Terminal = PIPE, *, only_failing: bool = False) -> str:
    """Return the report as text.

    With `only_failing`, Clusters without a problem are left out; the summary still counts them.
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
        found = [self._row(one, now) for one in clusters]
        left_out = set() if self._wide else {_SELECTED_BY}
        if all(row[_SEEN] == _NOTHING for row in found):
            left_out.add(_SEEN)
        headers = [name for name in found[0] if name not in left_out]
        rows = self._fitted(headers, [tuple(clean(row[name]) for name in headers) for row in found])
        return self.table(headers, rows, lambda column, row: _cell_style(headers[column], row[column]))

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

    def _row(self, one: ClusterState, now: int) -> dict[str, str]:
        """Return the cells by their columns."""
        seen = (
            f"{age(now - one.last_seen)} ago" if one.last_seen is not None else "unknown" if one.timeless else _NOTHING
        )
        shown = one.errors or [reason for reason in one.reasons if reason.severity == WARNING]
        codes = ", ".join(dict.fromkeys(reason.code for reason in shown))
        return {
            "CLUSTER": one.title,
            _SELECTED_BY: _NOTHING if one.deleting else ", ".join(one.resource_sets) or _NOTHING,
            "DELIVERED": _NOTHING if one.deleting else one.delivered,
            "REGISTERED": _NOTHING if one.deleting else self._registered(one),
            _SEEN: seen,
            _WHY: "is being deleted" if one.deleting else codes,
        }

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


def _frequent_first(pair: tuple[tuple[str, str], dict[str, list[tuple[str, Reason]]]]) -> tuple[int, int, str]:
    (severity, code), messages = pair
    return (_ORDER[severity], -sum(map(len, messages.values())), code)


def _shortened(text: str, space: int) -> str:
    """Take the middle out of a name that is too long, so that namespace and number stay."""
    if cells(text) <= space:
        return text
    head = (space - 1) // 2
    return f"{text[:head]}…{text[len(text) - (space - 1 - head) :]}"


def _cell_style(column: str, cell: str) -> str:
    if column in {"DELIVERED", "REGISTERED"}:
        return _STYLES.get(cell.partition(" (")[0], "")
    return "bad" if column == _WHY and cell not in {"", "is being deleted"} else ""


def _block(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


# --- one Cluster, as a tree --------------------------------------------------------------------------------------------


class _Line(Record):
    """A line of the tree: what it is, its state, more about it, and what is below.

    As it is printed, `title` begins with the branches, and what does not fit goes on below behind `guide`.
    """

    title: str
    state: str = ""
    more: str = ""
    below: tuple[_Line, ...] = ()
    guide: str = ""


def tree(report: Report, terminal: Terminal = PIPE) -> str:
    """Return the story of each Cluster of a report: its sets, what they carry, what arrives, and what to do now."""
    return "\n".join(_block([*_story(one, report, terminal)]) for one in report.clusters)


def _story(one: ClusterState, report: Report, terminal: Terminal) -> Iterator[str]:
    lines = list(_drawn(_cluster(one, report), "", ""))
    first = max(cells(line.title) for line in lines if line.state)
    second = max(cells(line.state) for line in lines)
    for line in lines:
        if not line.state:
            yield line.title
            continue
        padding = " " * (first - cells(line.title))
        padded = line.state + " " * (second - cells(line.state))
        fits = terminal.width is None or first + second + cells(line.more) + 4 <= terminal.width
        more = line.more if fits else ""
        yield f"{line.title}{padding}  {terminal.paint(padded, _state_style(line.state))}  {more}".rstrip()
        if not fits:
            yield from terminal.wrap(line.more, line.guide, line.guide)
    yield from _advice(one, report, terminal)


def _cluster(one: ClusterState, report: Report) -> _Line:
    state = "being deleted" if one.deleting else one.lacking or "fine"
    doubts = {states.SHORT, states.SHORT_OF_NAMES} & {reason.code for reason in one.reasons}
    if state == "fine" and (doubts or one.registered == states.UNKNOWN):
        state = _ONLY_DELIVERED
    names = dict.fromkeys((*(each.resource_set for each in one.deliveries), *one.resource_sets))
    seen = f", last report {age(report.reported - one.last_seen)} ago" if one.last_seen is not None else ""
    below = (
        _part("Infrastructure", "ready", one.infrastructure),
        *([_part("API server", "reachable", one.api_server)] if one.api_server else []),
        *(_resource_set(name, [each for each in one.deliveries if each.resource_set == name]) for name in names),
        _Line(
            title=f"Registration {one.registration_name}".rstrip(),
            state=one.registered,
            more=one.evidence + (", last report at an unknown time" if one.timeless else seen),
        ),
    )
    return _Line(title=f"Cluster {one.title}", state=state, more=one.phase, below=below)


def _part(title: str, good: str, found: str) -> _Line:
    """Return the line of a part; `found` is `good`, its opposite, or why it is not good."""
    if found == good:
        return _Line(title=title, state=good)
    return _Line(title=title, state=f"not {good}", more="" if found == f"not {good}" else found)


def _resource_set(name: str, deliveries: Sequence[Delivery]) -> _Line:
    carriers = tuple(
        _Line(
            title=f"{each.kind} {each.name}",
            state=each.state,
            more=f"{clock(each.time) if each.time else ''} {each.digest.removeprefix('sha256:')[:_DIGITS]}".strip(),
            below=tuple(_Line(title=title) for title in each.objects),
        )
        for each in deliveries
    )
    strategy = f" ({deliveries[0].strategy})" if deliveries and deliveries[0].strategy else ""
    return _Line(title=f"ClusterResourceSet {name}{strategy}", below=carriers)


def _drawn(line: _Line, first: str, rest: str) -> Iterator[_Line]:
    """Yield a line and what is below it, with the branches in front."""
    guide = rest + ("│    " if line.below else "     ")
    yield line.replace(title=first + clean(line.title), more=clean(line.more), guide=guide)
    for at, child in enumerate(line.below):
        last = at == len(line.below) - 1
        yield from _drawn(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _advice(one: ClusterState, report: Report, terminal: Terminal) -> Iterator[str]:
    """Yield the one thing to do now, and then what else was found."""
    yield ""
    acute = [reason for reason in one.reasons if reason.severity == ERROR]
    found = acute or [reason for reason in one.reasons if reason.remedy]
    if not found and one.registered == states.UNKNOWN and not one.deleting:
        found = [note for note in report.notes if note.code == states.NO_PARENT]
    for now in found[:1]:
        yield terminal.paint("DO NOW", "head")
        yield from terminal.marked(f"{now.code}: {now.message}", now.severity)
        yield from terminal.steps(now.remedy)
    if not found:
        yield terminal.paint("NOTHING TO DO", "head")
    later = [reason for reason in one.reasons if reason not in found[:1]]
    if later:
        yield ""
        yield terminal.paint("ALSO FOUND", "head")
        for reason in later[:_SHOWN]:
            yield from terminal.marked(f"{reason.code}: {reason.message}", reason.severity)


def _state_style(state: str) -> str:
    return "good" if state in _GOOD else "warn" if state in {states.UNKNOWN, _ONLY_DELIVERED} else "bad"
