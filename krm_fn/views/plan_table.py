"""A Plan as a table for a terminal or a log."""

from __future__ import annotations

from krm_fn.base import count, some
from krm_fn.views import PIPE, Terminal, clean, plan_shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.views.plan_shown import Shown

_FEW = 5
_REGISTERS = "REGISTERS"


def render(view: Shown, terminal: Terminal = PIPE, *, errors: bool = True) -> str:
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
    if "RULE" in common:
        columns["WHY"] = ["" if one.matched else one.rule for one in view.verdicts]
    left_out = {*common, *(name for name in ("CHANGE", "WHY") if not any(columns[name]))}
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
        "RULE": {one.rule for one in registered},
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
    verbs = {"CONFIG": "belong to config", "RULE": "match", "AS": "are named", "RESOURCE SET": "get ClusterResourceSet"}
    *most, last = [f"{verb} {common[name]}" for name, verb in verbs.items() if name in common]
    return f"Clusters that register {', '.join(most)}{' and ' if most else ''}{last}."


def _comparison(view: Shown, terminal: Terminal) -> list[str]:
    comparison = view.comparison
    if comparison is None:
        return []
    lines = ["", f"{plan_shown.counts(comparison)}."]
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
