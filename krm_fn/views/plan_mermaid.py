"""A Plan as a Mermaid flowchart: namespaces -> ClusterResourceSets -> Clusters, with the names they register under.

GitHub renders at most 50,000 characters and about 500 edges of Mermaid, so a large fleet is drawn with counts.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Verdict
    from krm_fn.views.shown import Shown

MAX_CLUSTERS = 100

# Labels wrap at 200 px unless told, and names have hyphens, at which browsers break.
_WIDE_LABELS = '%%{init: {"flowchart": {"wrappingWidth": 500}}}%%'


def render(view: Shown) -> str:
    """Return the chart; nodes are numbered in the order of the verdicts, so equal plans give equal charts."""
    lines = [_WIDE_LABELS, "flowchart LR"]
    by_namespace: dict[str, dict[str, list[Verdict]]] = {}
    for one in view.registered:
        by_namespace.setdefault(one.cluster.namespace, {}).setdefault(one.resource_set, []).append(one)
    left_out = sorted({one.cluster.title for one in view.left_out})
    whole = len(view.plan.verdicts) <= MAX_CLUSTERS
    parents = sorted({config.parent_url for config in view.configs})
    number = 0
    for at, (namespace, sets) in enumerate(sorted(by_namespace.items())):
        lines.append(f"  subgraph ns{at}[{_label(f'namespace {namespace}' if namespace else 'no namespace')}]")
        links = []
        drawn = sorted(sets.items())
        if not whole and len(drawn) > 1:
            drawn = [(f"{len(drawn)} ClusterResourceSets", [one for _, found in drawn for one in found])]
        for name, verdicts in drawn:
            node = f"s{number}"
            number += 1
            label = (name,) if name.endswith("ClusterResourceSets") else ("ClusterResourceSet", name)
            lines.append(f"    {node}[/{_label(*label)}/]")
            for verdict in verdicts if whole else ():
                cluster = f"c{number}"
                number += 1
                lines.append(f"    {cluster}[{_label(verdict.cluster.name, f'as {verdict.registration_name}')}]")
                links.append(f"  {node} --> {cluster}\n  {cluster} --> parent")
            if not whole:
                cluster = f"c{number}"
                number += 1
                lines.append(f"    {cluster}[{_label(f'{len(verdicts)} Clusters')}]")
                links.append(f"  {node} --> {cluster}\n  {cluster} --> parent")
        lines.append("  end")
        lines += links
    if by_namespace:
        lines.append(f"  parent([{_label('parent cluster', *parents)}])")
    if left_out:
        text = ["left out:", *left_out] if whole else [f"left out: {len(left_out)}"]
        lines.append(f"  out[{_label(*text)}]:::out")
        lines.append("  classDef out stroke-dasharray: 4 4")
    return "\n".join(lines) + "\n"


def _label(*lines: str) -> str:
    """Quote a label of some lines; Mermaid reads `#quot;` and the like as entities."""
    escaped = (
        line.replace("#", "#35;").replace('"', "#quot;").replace("<", "#lt;").replace(">", "#gt;") for line in lines
    )
    return '"' + "<br/>".join(escaped) + '"'
