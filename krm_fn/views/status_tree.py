"""One Cluster's whole story as a tree: its sets, what they carry, what arrives, its registration, and what to do now."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import ERROR, WARNING
from krm_fn.status import report as states
from krm_fn.status.report import age, clock
from krm_fn.views import prose, table
from krm_fn.views.status_table import PROGRAMS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.report import ClusterState, Delivery, Reason, Report

_GOOD = frozenset({states.APPLIED, states.YES, states.EARLIER, states.COUNTED, "ready", "reachable"})
_DIGITS = 12  # of a hash that are shown
_SHOWN = 3  # reasons below the first
_MARKS = {ERROR: ("✗", "bad"), WARNING: ("!", "warn")}


class _Node(Record):
    """A line of the tree: what it is, its state, more about it, and what is below."""

    title: str
    state: str = ""
    more: str = ""
    below: tuple[_Node, ...] = ()


class _Row(Record):
    """A line of the tree as it is printed; what does not fit goes on below, behind the guide."""

    title: str
    state: str
    more: str
    guide: str


def render(report: Report, *, width: int | None = None, colour: bool = False) -> str:
    """Return the story of each Cluster of a report.

    Args:
        report: What was found out, for the Clusters to show.
        width: Columns of the terminal; None for a pipe.
        colour: Whether to use colours.
    """
    return "\n".join("".join(f"{line}\n" for line in _story(one, report, width, colour)) for one in report.clusters)


def _story(one: ClusterState, report: Report, width: int | None, colour: bool) -> Iterator[str]:  # noqa: FBT001
    rows = list(_rows(_tree(one, report), "", ""))
    first = max(table.cells(row.title) for row in rows if row.state)
    second = max(table.cells(row.state) for row in rows)
    for row in rows:
        if not row.state:
            yield row.title
            continue
        padding = " " * (first - table.cells(row.title))
        padded = row.state + " " * (second - table.cells(row.state))
        fits = width is None or first + second + table.cells(row.more) + 4 <= width
        more = row.more if fits else ""
        yield f"{row.title}{padding}  {table.paint(padded, _style(row.state), colour=colour)}  {more}".rstrip()
        if not fits:
            yield from prose.wrap(row.more, width, row.guide, row.guide)
    yield from _advice(one, width, colour=colour)


def _tree(one: ClusterState, report: Report) -> _Node:
    state = "being deleted" if one.deleting else one.lacking or "fine"
    if state == "fine" and any(reason.code in {states.SHORT, states.SHORT_OF_NAMES} for reason in one.reasons):
        state = states.UNKNOWN
    names = dict.fromkeys((*(each.resource_set for each in one.deliveries), *one.resource_sets))
    below = [
        _Node(
            title="Infrastructure", state="ready" if one.infrastructure == "ready" else "not ready", more=_reason(one)
        ),
        *([_api_server(one)] if one.api_server else []),
        *(_resource_set(name, [each for each in one.deliveries if each.resource_set == name]) for name in names),
        _registration(one, report),
    ]
    return _Node(title=f"Cluster {one.title}", state=state, more=one.phase, below=tuple(below))


def _reason(one: ClusterState) -> str:
    return "" if one.infrastructure in {"ready", "not ready"} else one.infrastructure


def _api_server(one: ClusterState) -> _Node:
    good = one.api_server == "reachable"
    return _Node(
        title="API server", state="reachable" if good else "not reachable", more="" if good else one.api_server
    )


def _resource_set(name: str, deliveries: Sequence[Delivery]) -> _Node:
    strategy = deliveries[0].strategy if deliveries else ""
    carriers = [
        _Node(
            title=f"{each.kind} {each.name}",
            state=each.state,
            more=" ".join(
                part
                for part in (
                    clock(each.time) if each.time else "",
                    each.digest.removeprefix("sha256:")[:_DIGITS],
                )
                if part
            ),
            below=tuple(_Node(title=title) for title in each.objects),
        )
        for each in deliveries
    ]
    title = f"ClusterResourceSet {name} ({strategy})" if strategy else f"ClusterResourceSet {name}"
    return _Node(title=title, below=tuple(carriers))


def _registration(one: ClusterState, report: Report) -> _Node:
    seen = f", last report {age(report.reported - one.last_seen)} ago" if one.last_seen is not None else ""
    seen = ", last report at an unknown time" if one.timeless else seen
    name = f" {one.registration_name}" if one.registration_name else ""
    return _Node(title=f"Registration{name}", state=one.registered, more=f"{one.evidence}{seen}")


def _rows(node: _Node, first: str, rest: str) -> Iterator[_Row]:
    """Yield a node and what is below it."""
    guide = rest + ("│    " if node.below else "     ")
    yield _Row(title=first + prose.clean(node.title), state=node.state, more=prose.clean(node.more), guide=guide)
    for at, child in enumerate(node.below):
        last = at == len(node.below) - 1
        yield from _rows(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


def _advice(one: ClusterState, width: int | None, *, colour: bool) -> Iterator[str]:
    """Yield the one thing to do now, and then what else was found."""
    yield ""
    acute = [reason for reason in one.reasons if reason.severity == ERROR]
    found = acute or [reason for reason in one.reasons if reason.remedy]
    if not found:
        yield table.paint("NOTHING TO DO", "head", colour=colour)
        return
    now, *later = [found[0], *(reason for reason in one.reasons if reason is not found[0])]
    yield table.paint("DO NOW", "head", colour=colour)
    yield from _reason_lines(now, width, colour=colour)
    for step in now.remedy:
        if step.partition(" ")[0] in PROGRAMS:
            yield f"      {prose.clean(step)}"
        else:
            yield from prose.wrap(f"→ {step}", width, "    ", "      ")
    if later:
        yield ""
        yield table.paint("ALSO FOUND", "head", colour=colour)
        for reason in later[:_SHOWN]:
            yield from _reason_lines(reason, width, colour=colour)


def _reason_lines(reason: Reason, width: int | None, *, colour: bool) -> Iterator[str]:
    mark, style = _MARKS.get(reason.severity, ("·", "dim"))
    first, *rest = prose.wrap(f"{reason.code}: {reason.message}", width, "  ", "  ")
    yield table.paint(mark, style, colour=colour) + first[1:]
    yield from rest


def _style(state: str) -> str:
    if not state:
        return ""
    return "good" if state in _GOOD or state == "fine" else "warn" if state == states.UNKNOWN else "bad"
