"""A Plan as a Mermaid flowchart: namespaces -> ClusterResourceSets -> Clusters, with the names they register under.

GitHub renders at most 50,000 characters and about 500 edges of Mermaid, so a large fleet is drawn with counts. Against an
earlier tree, Clusters that are new, moved or lost are marked, by a word as well as by colour.
"""

from __future__ import annotations

from krm_fn.base import count, printable
from krm_fn.earlier import effects as codes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.views.plan_shown import Shown

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


def render(view: Shown, most: int = 45_000) -> str:
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
