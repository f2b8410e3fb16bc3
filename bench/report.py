"""Turns the figures of `bench/run.py` into the tables and the plot of docs/performance.md; `python bench/report.py FILE`.

The page keeps its words; what is between the lines `<!-- figures -->` and `<!-- end of figures -->` is made anew, and so are the
commands, which are measured apart. A part of which nothing was measured stays as it is.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from measure import Figure, table

if TYPE_CHECKING:
    from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "performance.svg"
FIGURES, COMMANDS = "figures", "commands"  # the parts of pages that are made anew, by the words of their marks
BASES = {
    "cold": "python + PyYAML (C)",
    "hosts": "clusternet-capi-fn render",
    "commands": "libyaml parse of the Clusters",
}
COLOURS = {
    "cat": "#7f7f7f",
    "clusternet-capi-fn": "#1f77b4",
    "libyaml parse alone": "#8c564b",
    "Go SDK no-op": "#2ca02c",
    "PyYAML (C) load + dump": "#d62728",
    "ruamel.yaml round trip": "#9467bd",
}
READMES = {
    "README.md": ("| time (× `cat`) | this function | Go SDK no-op | PyYAML load + dump |", "{:,} resources"),
    "README.zh-CN.md": ("| 耗时（`cat` 的倍数） | 本函数 | Go SDK 空函数 | PyYAML 读写 |", "{:,} 个资源"),
}
WIDTH, HEIGHT, MARGIN = 720, 420, 60


def figures(report: dict[str, Any], key: str) -> dict[str, Figure]:
    """Return the figures of one race."""
    return {name: Figure(**values) for name, values in report[key]["figures"].items()}


def tables(report: dict[str, Any], keys: list[str]) -> str:
    """Return the tables of these races as Markdown."""
    where = report["machine"]
    loads = [report[key]["load"] for key in keys]
    machine = f"{where['cores']} cores, {where['system']}, Python {where['python']}"
    load = " to ".join(f"{one:.1f}" for one in sorted({min(loads), max(loads)}))
    parts = [f"Measured {where['date']}, {machine}; load of the machine before each table: {load}."]
    for key in keys:
        kind, _, size = key.partition(" ")
        if kind == "cold":
            title = "Cold start, 60 resources"
        elif kind == "hosts":
            title = f"Whole host runs, {int(size):,} resources"
        elif kind == "commands":
            title = f"Commands over {int(size):,} Clusters"
        else:
            title = f"{int(size):,} resources, {kind} style ({report[key]['bytes'] / 1e6:.1f} MB)"
        parts.append(f"### {title}\n\n{table(figures(report, key), BASES.get(kind, 'cat'), report[key]['bytes'])}")
    return "\n\n".join(parts)


def summary(report: dict[str, Any], head: str, row: str) -> str:
    """Return the few figures that the README shows, in its language."""
    lines = [head, "|---|--:|--:|--:|"]
    for key in report:
        kind, _, size = key.partition(" ")
        if kind == "kustomize":
            found = figures(report, key)
            cells = []
            for name in ("clusternet-capi-fn", "Go SDK no-op", "PyYAML (C) load + dump"):
                wall = found[name].wall if name in found else None
                cells.append("–" if wall is None else f"{wall:.2f} s ({wall / found['cat'].wall:.0f}×)")
            lines.append(f"| {row.format(int(size))} | {' | '.join(cells)} |")
    return "\n".join(lines)


def fill(page: Path, text: str, part: str = FIGURES) -> None:
    """Put text between the marks of a part of a page."""
    begin, end = f"<!-- {part} -->", f"<!-- end of {part} -->"
    before, _, rest = page.read_text().partition(begin)
    page.write_text(f"{before}{begin}\n\n{text}\n\n{end}{rest.partition(end)[2]}")


def plot(report: dict[str, Any], style: str = "kustomize") -> str:
    """Return a plot of time over the number of resources, both axes logarithmic."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for key in report:
        kind, _, size = key.partition(" ")
        if kind == style:
            for name, figure in figures(report, key).items():
                lines.setdefault(name, []).append((math.log10(int(size)), math.log10(figure.wall)))
    points = [point for line in lines.values() for point in line]
    left, right = math.floor(min(x for x, _ in points)), math.ceil(max(x for x, _ in points))
    low, high = math.floor(min(y for _, y in points)), math.ceil(max(y for _, y in points))

    def at(x: float, y: float) -> str:
        across = MARGIN + (x - left) / (right - left) * (WIDTH - 4 * MARGIN)
        up = HEIGHT - MARGIN - (y - low) / (high - low) * (HEIGHT - 2 * MARGIN)
        return f"{across:.0f},{up:.0f}"

    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        "<title>Time of one run over the number of resources</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(left, right + 1):
        x, y = at(power, low).split(",")
        out.append(f'<line x1="{x}" y1="{y}" x2="{x}" y2="{MARGIN}" stroke="#ddd"/>')
        out.append(f'<text x="{x}" y="{int(y) + 18}" text-anchor="middle">{10**power:,}</text>')
    for power in range(low, high + 1):
        x, y = at(left, power).split(",")
        end = at(right, power).split(",")[0]
        out.append(f'<line x1="{x}" y1="{y}" x2="{end}" y2="{y}" stroke="#ddd"/>')
        label = f"{10**power:g} s" if power >= 0 else f"{10 ** (power + 3):g} ms"
        out.append(f'<text x="{int(x) - 6}" y="{int(y) + 4}" text-anchor="end">{label}</text>')
    for name, line in lines.items():
        colour = COLOURS.get(name, "#333")
        path = " ".join(at(x, y) for x, y in sorted(line))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y in line:
            across, up = at(x, y).split(",")
            out.append(f'<circle cx="{across}" cy="{up}" r="3" fill="{colour}"/>')
        across, up = at(*max(line)).split(",")
        out.append(f'<text x="{int(across) + 8}" y="{int(up) + 4}" fill="{colour}">{name}</text>')
    out.append(f'<text x="{(WIDTH - 2 * MARGIN) / 2:.0f}" y="{HEIGHT - 16}" text-anchor="middle">resources</text>')
    out.append(f'<text x="{MARGIN}" y="28">time of one run, {style} style, both axes logarithmic</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> None:
    """Write page and plot."""
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / ".cache" / "bench.json"
    report = json.loads(source.read_text())
    commands = [key for key in report if key.startswith("commands")]
    others = [key for key in report if key not in {"machine", *commands}]
    if commands:
        fill(PAGE, tables(report, commands), COMMANDS)
    if others:
        PLOT.write_text(plot(report))
        fill(PAGE, tables(report, others))
        for name, (head, row) in READMES.items():
            fill(ROOT / name, summary(report, head, row))


if __name__ == "__main__":
    main()
