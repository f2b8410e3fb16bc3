"""A Plan as Markdown for a pull-request comment: the answer first, long lists folded.

GitHub and GitLab both render `<details>` with Markdown inside if blank lines surround it; a comment holds 65,536
characters, so lists and diffs are cut with a note of how much was left out.
"""

from __future__ import annotations

from krm_fn.views import plan_mermaid, shown
from krm_fn.views.shown import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.krm.results import Result
    from krm_fn.model import Verdict
    from krm_fn.views.shown import Shown

MAX_ROWS = 200
MAX_DIFF_LINES = 400


def render(view: Shown) -> str:
    """Return the whole comment."""
    parts = ["## Clusternet registration", ""]
    if view.errors:
        parts += [f"**This would fail: {count(len(view.errors), 'error')}.** Nothing is rendered.", ""]
        parts += [*_results(view.errors), ""]
    parts += [f"**{view.summary}.**", ""]
    if view.comparison is not None:
        parts += [*(f"- {_text(line)}" for line in shown.comparison_lines(view.comparison)), ""]
    if view.warnings:
        parts += [f"### {count(len(view.warnings), 'warning')}", "", *_results(view.warnings), ""]
    if view.notes:
        parts += _folded(count(len(view.notes), "note"), _results(view.notes))
    matched = [one for one in view.plan.verdicts if one.matched]
    others = view.left_out
    if matched:
        parts += _folded(f"{count(len(matched), 'Cluster')} to be registered", _matched(matched))
    if others:
        parts += _folded(
            f"{count(len({one.cluster.key for one in others}), 'Cluster')} left out, and why", _others(others)
        )
    if matched:
        parts += _folded("Picture", ["```mermaid", *plan_mermaid.render(view).splitlines(), "```"])
    if view.comparison is not None and not view.comparison.empty:
        parts += _folded("Objects that change", _changes(view))
    return "\n".join(parts).rstrip() + "\n"


def _folded(summary: str, lines: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>", ""]


def _results(results: Sequence[Result]) -> list[str]:
    lines = []
    for one in results:
        places = [f"`{place}`" for place in (one.field, one.file_path) if place]
        lines.append(f"- {_text(one.message)}" + (f" ({', '.join(places)})" if places else ""))
    return lines


def _matched(verdicts: Sequence[Verdict]) -> list[str]:
    lines = ["| Cluster | registers as | ClusterResourceSet | matched by |", "|---|---|---|---|"]
    lines += [
        f"| {_text(one.cluster.title)} | `{one.registration_name}` | `{one.resource_set}` | {_code(one.rule)} |"
        for one in verdicts[:MAX_ROWS]
    ]
    return lines + _cut(len(verdicts), MAX_ROWS, "Clusters")


def _others(verdicts: Sequence[Verdict]) -> list[str]:
    lines = ["| Cluster | config | why not |", "|---|---|---|"]
    lines += [
        f"| {_text(one.cluster.title)} | {_text(one.config)} | {_text(one.rule)} |" for one in verdicts[:MAX_ROWS]
    ]
    return lines + _cut(len(verdicts), MAX_ROWS, "Clusters")


def _changes(view: Shown) -> list[str]:
    comparison = view.comparison
    if comparison is None:
        return []
    lines = [f"- added: {_text(key.title)}" for key in comparison.added[:MAX_ROWS]]
    lines += _cut(len(comparison.added), MAX_ROWS, "added objects")
    lines += [f"- removed: {_text(key.title)}" for key in comparison.removed[:MAX_ROWS]]
    lines += _cut(len(comparison.removed), MAX_ROWS, "removed objects")
    diff = [line for change in comparison.changed for line in change.diff]
    if diff:
        # four backticks, since a payload may itself hold a fence of three
        lines += ["", "````diff", *diff[:MAX_DIFF_LINES], "````", *_cut(len(diff), MAX_DIFF_LINES, "lines of diff")]
    return lines


def _cut(total: int, most: int, what: str) -> list[str]:
    return (
        ["", f"… and {total - most} more {what}; `clusternet-capi-fn plan -o json` lists all."] if total > most else []
    )


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""


def _text(text: str) -> str:
    """Escape what Markdown or HTML would take for markup."""
    for one in ("\\", "`", "*", "_", "|", "[", "]"):
        text = text.replace(one, "\\" + one)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
