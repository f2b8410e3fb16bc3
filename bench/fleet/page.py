"""The figures that were taken, and the table of docs/large-fleets.md that shows them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).with_name("figures.json")
PAGE = Path(__file__).parents[2] / "docs/large-fleets.md"
TABLE = re.compile(r"(?<=<!-- figures -->\n\n)\|.*\|(?=\n\n<!-- end of figures -->)", re.DOTALL)
ROWS = (
    ("objects rendered", "{objects}"),
    ("their size, the largest of them", "{kB objects} kB, {kB largest} kB"),
    ("ClusterResourceSetBindings that Cluster API adds, their size", "{bindings}, {kB bindings} kB"),
    ("`render -o DIR`", "{s render first} s"),
    ("`kubectl apply --server-side` of all of it", "{s applied first} s"),
    ("applied again, since a busy server had refused objects: first delivery, bump", "{again first}, {again bump}"),
    ("from the start of apply to delivered: half of the Clusters, all", "{s half first} s, {s all first} s"),
    ("image bump, the same: applied, half, all", "{s applied bump} s, {s half bump} s, {s all bump} s"),
    ("manager's processor time: first delivery, bump", "{CPU s first} s, {CPU s bump} s"),
    ("manager's memory: without Clusters, Clusters connected", "{MB empty} MB, {MB connected} MB"),
    ("manager's peak memory: first delivery, bump", "{MB peak first} MB, {MB peak bump} MB"),
    ("manager's memory at rest afterwards, MB", "{MB after}"),
    ("kinds that it then watches per workload cluster", "{watches}"),
    ("manager at rest, % of a core: before, after", "{CPU rest before}, {CPU rest after}"),
    ("load of the machine: start, end", "{load at start}, {load at end}"),
)


def add(new: dict[str, Any]) -> str:
    """Put the figures of a run in place of an earlier one's of the same fleet; the table of all."""
    key = (new["clusters"], new["mode"] != "Shared")
    found = {(one["clusters"], one["mode"] != "Shared"): one for one in json.loads(FIGURES.read_text("utf-8"))}
    figures = [one for _, one in sorted({**found, key: new}.items())]
    FIGURES.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    table = report(figures)
    PAGE.write_text(TABLE.sub(table, PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return table


def report(figures: list[dict[str, Any]]) -> str:
    """The table of docs/large-fleets.md."""
    lines = ["| | " + " | ".join(f"{one['mode']}, {one['clusters']:,}" for one in figures) + " |"]
    lines.append("|---|" + "--:|" * len(figures))
    for title, form in ROWS:
        lines.append(
            f"| {title} | "
            + " | ".join(
                form.format(**{"MB after": "–", "watches": "–", "again first": 0, "again bump": 0, **one})
                for one in figures
            )
            + " |"
        )
    return "\n".join(lines)
