"""A Plan as Markdown for a pull-request comment: the answer first, long lists folded.

GitHub takes 65,536 characters for a comment and refuses a longer one, so every part has a limit of its own and diffs take
what is left. GitHub and GitLab both render `<details>` with Markdown inside if blank lines surround it.

A comment is written under the name of a trusted bot, from input that its author chose. Whatever is quoted goes through
`as_text` or `as_code`, diffs through `fenced`; a heading, link, mention, image or HTML tag in the input is shown as
the characters it consists of, in a table's cell too. Hosts look for mentions, references, emoji and addresses after they
have rendered Markdown, where a backslash is gone: an element between the characters stops them.
"""

from __future__ import annotations

import re

from krm_fn.base import count, late, printable, some
from krm_fn.views import plan_shown, plan_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from krm_fn.clusters.verdicts import Verdict
    from krm_fn.krm.results import Result
    from krm_fn.views.plan_shown import Shown

LIMIT = 65_000
_LONGEST = 700  # of one message
_LONGEST_PLACE = 300
_FEW = 3
_SAME = 3  # of a group's messages, before they are folded

# Characters that a part may take. Their sum leaves room for diffs under LIMIT.
_ERRORS, _EFFECTS, _WARNINGS, _NOTES = 9_000, 9_000, 8_000, 2_000
_LISTS, _REGISTERED, _LEFT_OUT, _PICTURE, _OBJECTS = 6_000, 7_000, 6_000, 6_000, 3_000
_FRAME = 600  # around the diffs, with the note of how many there are more

# What makes markup anywhere in a line, and what begins a list, a heading's underline or a table at the start of one
_SPECIAL = late(
    r"[\\`*_\[\]~<>&|@#$]|:(?=//)|:(?=[A-Za-z0-9_+-]+:)|\bwww(?=\.)|!(?=[0-9])|^[-+=:]|^[0-9]+(?=[.)])", re.IGNORECASE
)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "|": "&#124;"}
# Mentions, references and formulas; with these the pattern's longer matches (`www`, `:`) are taken apart too
_APART = frozenset("@#$:!")
_BACKTICKS = late(r"`+")


def render(view: Shown) -> str:
    """Return the whole comment, at most LIMIT characters."""
    parts = ["## Clusternet registration", ""]
    if view.errors:
        parts += [f"**This would fail: {count(len(view.errors), 'error')}.** Nothing is rendered.", ""]
        parts += [*_fit(_results(view.errors), _ERRORS, "errors"), ""]
    if view.verdicts or view.generated:
        parts += [f"**{view.summary}.**", ""]
    parts += _effects(view)
    if view.warnings:
        parts += [
            f"### {count(len(view.warnings), 'warning')}",
            "",
            *_fit(_grouped(view.warnings), _WARNINGS, "warnings"),
            "",
        ]
    if view.notes:
        parts += _folded(count(len(view.notes), "note"), _fit(_results(view.notes), _NOTES, "notes"))
    parts += _lists(view)
    matched, others = view.registered, view.left_out
    if matched:
        parts += _folded(
            f"{count(len(matched), 'Cluster')} to be registered",
            _fit(_table(_MATCHED, matched), _REGISTERED, "Clusters"),
        )
    if others:
        parts += _folded(
            f"{count(len(others), 'Cluster')} left out, and why", _fit(_table(_OTHERS, others), _LEFT_OUT, "Clusters")
        )
    if matched or view.effects:
        drawn = plan_text.mermaid(view, most=_PICTURE)
        parts += _folded("Picture", ["```mermaid", *drawn.splitlines(), "```"]) if drawn else []
    parts += _objects(view)
    parts += _diffs(view, LIMIT - sum(len(part) + 1 for part in parts))
    return "\n".join(parts).rstrip() + "\n"


def _folded(summary: str, lines: Sequence[str]) -> list[str]:
    return ["<details>", f"<summary>{summary}</summary>", "", *lines, "", "</details>", ""]


def _fit(lines: Sequence[str], most: int, what: str) -> list[str]:
    """Return as many lines as fit, with a note of how many do not."""
    taken = _begin(lines, most)
    left = len(lines) - len(taken)
    more = ["", f"… and {left:,} more {what}; `clusternet-capi-fn plan -o json` lists all."] if left else []
    return [*taken, *more]


# --- what is reported ------------------------------------------------------------------------------------------------


def _results(results: Iterable[Result]) -> list[str]:
    return [_result(one) for one in results]


def _result(one: Result) -> str:
    places = (one.field, one.place if one.file_path else "")
    shown = ", ".join(_cut(place, _LONGEST_PLACE, as_code) for place in places if place)
    return f"- {_cut(one.message, _LONGEST, as_text)}" + (f" ({shown})" if shown else "")


def _cut(foreign: str, most: int, shown: Callable[[str], str]) -> str:
    """Return foreign text as Markdown of at most twice as many characters: each of its own may take a dozen."""
    text = shown(foreign if len(foreign) <= most else f"{foreign[:most]}…")
    kept = most
    while len(text) > 2 * most:
        kept //= 2
        text = shown(f"{foreign[:kept]}…")
    return text


def _grouped(results: Sequence[Result]) -> list[str]:
    """Return the results of each rule together: a few, and how many more there are."""
    by_rule: dict[str, list[Result]] = {}
    for one in results:
        by_rule.setdefault(one.rule or one.message, []).append(one)
    lines = []
    for found in by_rule.values():
        lines += _results(found[:_SAME])
        more = len(found) - _SAME
        lines += [f"  … and {count(more, 'more warning')} of this kind"] if more > 0 else []
    return lines


# --- what changes ----------------------------------------------------------------------------------------------------


def _effects(view: Shown) -> list[str]:
    comparison = view.comparison
    if comparison is None:
        return []
    lines = []
    for effect in comparison.effects:
        cost = plan_shown.cost(effect)
        headline = f"**{as_text(plan_shown.headline(effect))}**: {as_text(some(effect.clusters, _FEW))}."
        lines.append(f"- {headline}" + (f" {as_text(cost)}." if cost else ""))
    if not comparison.knows_clusters:
        lines.append("- The earlier tree holds no Cluster objects, so Clusters that left it can't be named.")
    return [*_fit(lines, _EFFECTS, "effects"), "", f"{plan_shown.counts(comparison, elsewhere=view.elsewhere)}.", ""]


def _lists(view: Shown) -> list[str]:
    """Return the Clusters of each effect that has more than its line names."""
    long = [one for one in view.effects if len(one.clusters) > _FEW]
    if not long:
        return []
    each = _LISTS // len(long)
    lines = []
    for effect in long:
        lines += [f"**{as_text(plan_shown.headline(effect))}**", ""]
        lines += [*_fit([f"- {as_text(one)}" for one in effect.clusters], max(each, 200), "Clusters"), ""]
    return _folded("Clusters by effect", _fit(lines, _LISTS + 1000, "lines"))


def _objects(view: Shown) -> list[str]:
    comparison = view.comparison
    if comparison is None or not (comparison.added or comparison.removed):
        return []
    added = [f"- {as_text(key.title)}" for key in comparison.added]
    removed = [f"- {as_text(key.title)}" for key in comparison.removed]
    lines = [f"{count(len(added), 'object')} added:", "", *_fit(added, _OBJECTS // 2, "objects"), ""] if added else []
    lines += (
        [f"{count(len(removed), 'object')} removed:", "", *_fit(removed, _OBJECTS // 2, "objects")] if removed else []
    )
    return _folded("Objects added and removed", lines)


def _diffs(view: Shown, most: int) -> list[str]:
    """Return the diffs that fit, equal ones once."""
    comparison = view.comparison
    if comparison is None or not comparison.changes:
        return []
    lines: list[str] = []
    size = _FRAME
    shown = 0
    for change in comparison.changes:
        more = len(change.keys) - 1
        spaces = len({key.namespace for key in change.keys})
        where = f" in {count(spaces, 'namespace')}" if spaces > 1 else ""
        name = f"{as_text(change.keys[0].title)}" + (
            f", and the same for {count(more, 'more object')}{where}" if more else ""
        )
        diff, cut = change.diff, []
        if not shown and _size(diff) > most - _FRAME:  # better the begin of it than nothing
            diff, cut = _begin(diff, most - 2 * _FRAME), ["… and more of it", ""]
        block = [name, "", *fenced(diff, "diff"), "", *cut]
        if size + _size(block) > most:
            break
        lines += block
        size += _size(block)
        shown += 1
    left = len(comparison.changes) - shown
    if left:
        lines.append(f"… and {count(left, 'more diff')}; `clusternet-capi-fn plan -o json` lists all.")
    changed = len(comparison.changed)
    return _folded(f"{count(changed, 'object')} that {'changes' if changed == 1 else 'change'}", lines)


def _size(lines: Iterable[str]) -> int:
    return sum(len(line) + 1 for line in lines)


def _begin(lines: Sequence[str], most: int) -> tuple[str, ...]:
    """Return the first lines, as many as fit."""
    size = 0
    for at, line in enumerate(lines):
        size += len(line) + 1
        if size > most:
            return tuple(lines[:at])
    return tuple(lines)


# --- what was decided ------------------------------------------------------------------------------------------------


_MATCHED: dict[str, Callable[[Verdict], str]] = {
    "Cluster": lambda one: as_text(one.cluster.title),
    "registers as": lambda one: as_code(one.registration_name),
    "ClusterResourceSet": lambda one: as_code(one.resource_set),
    "matched by": lambda one: as_code(one.rule),
}
_OTHERS: dict[str, Callable[[Verdict], str]] = {
    "Cluster": lambda one: as_text(one.cluster.title),
    "config": lambda one: as_text(one.config),
    "why not": lambda one: as_text(one.rule),
}


def _table(columns: dict[str, Callable[[Verdict], str]], verdicts: Sequence[Verdict]) -> list[str]:
    rows = [f"| {' | '.join(cell(one) for cell in columns.values())} |" for one in verdicts]
    return [f"| {' | '.join(columns)} |", "|" + "---|" * len(columns), *rows]


# --- foreign text ----------------------------------------------------------------------------------------------------


def as_text(foreign: str) -> str:
    """Return foreign text as Markdown that shows it, as part of a line."""
    return _SPECIAL.sub(_shown, _one_line(foreign))


def as_code(foreign: str) -> str:
    """Return foreign text as inline code; an empty text gives an empty text."""
    line = _one_line(foreign)
    if "|" in line:  # the one character that a table splits at even in inline code
        return f"<code>{as_text(line)}</code>"
    if not line:
        return ""
    fence = "`" * (_longest_run(line) + 1)
    # one space at each side is taken away again when Markdown is rendered
    space = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{space}{line}{space}{fence}"


def fenced(lines: Iterable[str], language: str) -> list[str]:
    """Return lines as a fenced block of code, under a fence that none of them can close."""
    shown = [printable(line) for line in lines]
    fence = "`" * max(3, 1 + max(map(_longest_run, shown), default=0))
    return [f"{fence}{language}", *shown, fence]


def _shown(found: re.Match[str]) -> str:
    special = found.group()
    if special in _ENTITIES:
        return _ENTITIES[special]
    if special in _APART or special == "www":
        return f"<span>{special}</span>"
    return f"{special}\\" if special.isdigit() else f"\\{special}"


def _longest_run(line: str) -> int:
    return max(map(len, _BACKTICKS.findall(line)), default=0) if "`" in line else 0


def _one_line(foreign: str) -> str:
    """Return a text as one line without control characters, of which some turn the direction of what follows."""
    return printable(" ".join(foreign.split()))
