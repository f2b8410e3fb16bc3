"""One Cluster's whole story as a tree: its sets, what they carry, what arrives, its registration, and what to do now."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import ERROR
from krm_fn.status import report as states
from krm_fn.status.report import age, clock
from krm_fn.views.terminal import PIPE, Terminal, cells, clean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from krm_fn.status.report import ClusterState, Delivery, Report

_GOOD = frozenset({states.APPLIED, states.YES, states.EARLIER, states.COUNTED, "ready", "reachable"})
_DELIVERED = "delivered"  # and whether it is registered is not known
_DIGITS = 12  # of a hash that are shown
_SHOWN = 3  # reasons below the first


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


def render(report: Report, terminal: Terminal = PIPE) -> str:
    """Return the story of each Cluster of a report."""
    return "\n".join("".join(f"{line}\n" for line in _story(one, report, terminal)) for one in report.clusters)


def _story(one: ClusterState, report: Report, terminal: Terminal) -> Iterator[str]:
    rows = list(_rows(_tree(one, report), "", ""))
    first = max(cells(row.title) for row in rows if row.state)
    second = max(cells(row.state) for row in rows)
    for row in rows:
        if not row.state:
            yield row.title
            continue
        padding = " " * (first - cells(row.title))
        padded = row.state + " " * (second - cells(row.state))
        fits = terminal.width is None or first + second + cells(row.more) + 4 <= terminal.width
        more = row.more if fits else ""
        yield f"{row.title}{padding}  {terminal.paint(padded, _style(row.state))}  {more}".rstrip()
        if not fits:
            yield from terminal.wrap(row.more, row.guide, row.guide)
    yield from _advice(one, report, terminal)


def _tree(one: ClusterState, report: Report) -> _Node:
    state = "being deleted" if one.deleting else one.lacking or "fine"
    doubts = {states.SHORT, states.SHORT_OF_NAMES} & {reason.code for reason in one.reasons}
    if state == "fine" and (doubts or one.registered == states.UNKNOWN):
        state = _DELIVERED
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
    yield _Row(title=first + clean(node.title), state=node.state, more=clean(node.more), guide=guide)
    for at, child in enumerate(node.below):
        last = at == len(node.below) - 1
        yield from _rows(child, rest + ("└─ " if last else "├─ "), rest + ("   " if last else "│  "))


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


def _style(state: str) -> str:
    if not state:
        return ""
    return "good" if state in _GOOD or state == "fine" else "warn" if state in {states.UNKNOWN, _DELIVERED} else "bad"
