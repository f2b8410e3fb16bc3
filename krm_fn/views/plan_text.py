"""A Plan as a table for a terminal or a log, and as a Mermaid flowchart: namespaces -> ClusterResourceSets -> Clusters.

GitHub renders at most 50,000 characters and about 500 edges of Mermaid, so a large fleet is drawn with counts. Against an
earlier tree, Clusters that are new, moved or lost are marked, by a word as well as by colour.
"""

from __future__ import annotations

from krm_fn.base import count, printable, some
from krm_fn.earlier import effects as codes
from krm_fn.views import PIPE, Terminal, clean, plan_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.views.plan_shown import Shown

_FEW = 5
_REGISTERS = "REGISTERS"
MAX_CLUSTERS = 100
MAX_SETS = 60

_MOST = 5  # errors
_LONGEST = 200

# Pictures mark what is easily missed: a Cluster that comes, goes, or changes hands.
_MARKS = {
    codes.REGISTERS: "new",
    codes.MOVES: "moved",
    codes.RENAMED: "moved",
    codes.LOSES: "lost",
    codes.REMOVED: "lost",
}
# Labels wrap at 200 px by default, and names have hyphens, at which browsers break.
_WIDE_LABELS = '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'
# Legible on a light and on a dark page: the text's colour is given wherever the fill is.
_CLASSES = {
    "new": "fill:#d6f5dd,stroke:#1a7f37,color:#0b3d1b",
    "moved": "fill:#fff4ce,stroke:#9a6700,color:#4d3300",
    "lost": "fill:#ffe0dd,stroke:#cf222e,color:#6e0f18,stroke-dasharray: 4 4",
    "out": "stroke-dasharray: 4 4",
}


def table(view: Shown, terminal: Terminal = PIPE, *, errors: bool = True) -> str:
    """Return the verdict on every Cluster, what changes, and what is reported.

    `errors` are left out where they appear on the same terminal anyway.
    """
    parts = []
    if errors:
        parts += [f"{line}\n" for one in view.errors for line in terminal.wrap(one.text(), "", "  ")]
    if view.errors:
        failing = f"This would fail: {count(len(view.errors), 'error')}; nothing is rendered."
        parts.append(terminal.paint(failing, "bad") + "\n")
    if view.verdicts:
        parts += _verdicts(view, terminal)
    if view.verdicts or view.generated or not view.errors:
        parts += [terminal.paint(line, "head") + "\n" for line in terminal.wrap(f"{view.summary}.")]
    for one in view.notes:
        parts += [terminal.paint(line, "dim") + "\n" for line in terminal.wrap(one.message, "note: ", "  ")]
    return "".join([*parts, *_comparison(view, terminal)])


def _verdicts(view: Shown, terminal: Terminal) -> list[str]:
    """Return the table; what is the same in every row of a column appears once, above it."""
    happens = view.happens
    columns: dict[str, list[str]] = {
        "CONFIG": [one.config for one in view.verdicts],
        "NAMESPACE": [one.cluster.namespace or "-" for one in view.verdicts],
        "CLUSTER": [one.cluster.name for one in view.verdicts],
        _REGISTERS: ["yes" if one.matched else "no" for one in view.verdicts],
        "AS": [one.registration_name or "-" for one in view.verdicts],
        "RESOURCE SET": [one.resource_set or "-" for one in view.verdicts],
        "CHANGE": [
            ", ".join(plan_shown.WORDS[code].short for code in happens.get(one.cluster.title, ()))
            for one in view.verdicts
        ],
        "WHY": [one.rule for one in view.verdicts],
    }
    common = _common(view.registered)
    if "WHY" in common:
        columns["WHY"] = ["" if one.matched else one.rule for one in view.verdicts]
    left_out = {*common} - {"WHY"}  # which says of the others why they don't register
    left_out |= {name for name in ("CHANGE", "WHY") if not any(columns[name])}
    if len(view.configs) <= 1:
        common.pop("CONFIG", None)
        left_out.add("CONFIG")
    if not view.registered:
        left_out |= {"AS", "RESOURCE SET"}
    headers = [name for name in columns if name not in left_out]
    rows = list(zip(*(columns[name] for name in headers), strict=True))
    at = headers.index(_REGISTERS)

    def style(column: int, row: Sequence[str]) -> str:
        return "" if column != at else "good" if row[at] == "yes" else "warn"

    parts = [f"{line}\n" for line in terminal.wrap(_sentence(common))] if common else []
    return [*parts, terminal.table(headers, rows, style), "\n"]


def _common(registered: Sequence[Verdict]) -> dict[str, str]:
    """Return what is the same for every Cluster that registers, by column."""
    values = {
        "CONFIG": {one.config for one in registered},
        "AS": {one.registration_name for one in registered},
        "RESOURCE SET": {_set(one) for one in registered},
        "WHY": {one.rule for one in registered},
    }
    return {name: next(iter(found)) for name, found in values.items() if len(found) == 1}


def _set(verdict: Verdict) -> str:
    """Return the name of a set, in which `<cluster>` stands for the Cluster's own name."""
    own = f".{verdict.cluster.name}"
    return (
        f"{verdict.resource_set.removesuffix(own)}.<cluster>"
        if verdict.resource_set.endswith(own)
        else verdict.resource_set
    )


def _sentence(common: dict[str, str]) -> str:
    verbs = {"CONFIG": "belong to config", "WHY": "match", "AS": "are named", "RESOURCE SET": "get ClusterResourceSet"}
    *most, last = [f"{verb} {common[name]}" for name, verb in verbs.items() if name in common]
    return f"Clusters that register {', '.join(most)}{' and ' if most else ''}{last}."


def _comparison(view: Shown, terminal: Terminal) -> list[str]:
    comparison = view.comparison
    if comparison is None:
        return []
    lines = ["", f"{plan_shown.counts(comparison, elsewhere=view.elsewhere)}."]
    for effect in view.effects:
        lines += terminal.wrap(f"{plan_shown.headline(effect)}: {some(effect.clusters, _FEW)}.", "* ", "  ")
        cost = plan_shown.cost(effect)
        lines += terminal.wrap(f"{cost}.", "  ", "  ") if cost else []
    if not comparison.knows_clusters:
        lines.append("The earlier tree holds no Cluster objects, so Clusters that left it can't be named.")
    parts = [f"{line}\n" for line in lines]
    for change in comparison.changes:
        more = len(change.keys) - 1
        same = f"the same in {count(more, 'more object')}\n" if more else ""
        parts += ["\n", _diff(change.diff, terminal), terminal.paint(same, "dim")]
    return parts


def _diff(lines: Sequence[str], terminal: Terminal) -> str:
    styles = {"+": "good", "-": "bad", "@": "dim"}
    return "".join(terminal.paint(clean(line), styles.get(line[:1], "")) + "\n" for line in lines)


# --- the flowchart ---------------------------------------------------------------------------------------------------


def mermaid(view: Shown, most: int = 45_000) -> str:
    """Return the chart in at most `most` characters: with counts where single Clusters do not fit, "" where those do not either.

    Nodes are numbered in the order of the verdicts, so equal plans give equal charts.
    """
    whole = len(view.verdicts) <= MAX_CLUSTERS
    for one in (whole, False):
        chart = _Chart(view, whole=one).text()
        if len(chart) <= most:
            return chart
    return ""


class _Chart:
    def __init__(self, view: Shown, *, whole: bool) -> None:
        self._view = view
        self._whole = whole
        self._lines = [_WIDE_LABELS, "flowchart LR"]
        self._number = 0
        self._marks = {
            name: next((_MARKS[code] for code in found if code in _MARKS), "") for name, found in view.happens.items()
        }

    def text(self) -> str:
        view = self._view
        by_namespace: dict[str, dict[str, list[Verdict]]] = {}
        for one in view.registered:
            by_namespace.setdefault(one.cluster.namespace, {}).setdefault(one.resource_set, []).append(one)
        if len(by_namespace) > MAX_SETS:
            by_namespace = {f"{len(by_namespace):,} namespaces": {"": list(view.registered)}}
        for at, (namespace, sets) in enumerate(sorted(by_namespace.items())):
            self._namespace(at, namespace, sets)
        if by_namespace:
            parents = sorted({config.parent_url for config in view.configs})
            self._lines.append(f"  parent([{_label('parent cluster', *parents)}])")
        lost = sorted(name for name, mark in self._marks.items() if mark == "lost")
        out = sorted({one.cluster.title for one in view.left_out} - set(lost))
        self._others("lost", "no longer served", lost)
        self._others("out", "left out", out)
        if view.errors:
            messages = [one.message for one in view.errors[:_MOST]]
            errors = [one if len(one) <= _LONGEST else f"{one[:_LONGEST]}…" for one in messages]
            more = [f"and {len(view.errors) - _MOST:,} more"] if len(view.errors) > _MOST else []
            self._lines.append(f"  failed[{_label('this would fail:', *errors, *more)}]:::lost")
        used = [name for name in _CLASSES if any(line.endswith(f":::{name}") for line in self._lines)]
        return "\n".join([*self._lines, *(f"  classDef {name} {_CLASSES[name]}" for name in used)]) + "\n"

    def _namespace(self, at: int, namespace: str, sets: dict[str, list[Verdict]]) -> None:
        title = f"namespace {namespace}" if namespace else "no namespace"
        self._lines.append(f"  subgraph ns{at}[{_label(namespace if namespace.endswith(' namespaces') else title)}]")
        links = []
        drawn = sorted(sets.items())
        if not self._whole and len(drawn) > 1:
            drawn = [(f"{len(drawn)} ClusterResourceSets", [one for _, found in drawn for one in found])]
        for name, verdicts in drawn:
            several = not name or name.endswith("ClusterResourceSets")
            label = [name or "ClusterResourceSets"] if several else ["ClusterResourceSet", name]
            node = self._node("s", f"[/{_label(*label)}/]")
            marks = [self._marks.get(one.cluster.title, "") for one in verdicts]
            if self._whole:
                for one, mark in zip(verdicts, marks, strict=True):
                    lines = [one.cluster.name, f"as {one.registration_name}", *([mark] if mark else [])]
                    links.append((node, self._node("c", f"[{_label(*lines)}]{f':::{mark}' if mark else ''}")))
            else:
                counted = [f"{marks.count(mark):,} {mark}" for mark in ("new", "moved") if mark in marks]
                links.append((node, self._node("c", f"[{_label(count(len(verdicts), 'Cluster'), *counted)}]")))
        self._lines.append("  end")
        for node, cluster in links:
            self._lines += [f"  {node} --> {cluster}", f"  {cluster} --> parent"]

    def _others(self, name: str, what: str, titles: list[str]) -> None:
        """Draw the Clusters that nothing reaches: lost now, or left out anyway."""
        named = self._whole and len(titles) <= MAX_CLUSTERS
        if titles:
            text = [f"{what}:", *titles] if named else [f"{what}: {len(titles):,}"]
            self._lines.append(f"  {name}[{_label(*text)}]:::{name}")

    def _node(self, letter: str, shape: str) -> str:
        name = f"{letter}{self._number}"
        self._number += 1
        self._lines.append(f"    {name}{shape}")
        return name


def _label(*lines: str) -> str:
    """Quote a label of some lines; Mermaid reads `#quot;` and the like as entities."""
    escaped = (
        line.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;").replace("`", "#96;")
        for line in map(printable, lines)
    )
    return '"' + "<br/>".join(escaped) + '"'
