"""A comment is short enough for GitHub, and whole, whatever a change is."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from krm_fn.earlier.compare import Change
from krm_fn.earlier.effects import CODES, Effect
from krm_fn.krm.results import Result
from krm_fn.model import ObjectKey
from krm_fn.views import plan_markdown, plan_shown
from tests.support.lists import cluster, config
from tests.support.plans import change

if TYPE_CHECKING:
    from krm_fn.views.plan_shown import Shown

OLDER = {"image": "ghcr.io/clusternet/clusternet-agent:v0.18.0"}
lengths = st.sampled_from((1, 8, 63, 253, 1_500, 9_000))
foreign = st.builds(
    lambda text, size: (text * size)[:size], st.sampled_from(("a-b", "#", "<b>", "`", "|", "@x", "é", "\n-")), lengths
)
names = st.builds(
    lambda text, size: (text * size)[:size],
    st.sampled_from(("a", "a-b", "cluster.")),
    st.sampled_from((1, 30, 63, 253)),
)
numbers = st.sampled_from((0, 1, 3, 40, 300))
FENCE = re.compile(r"(?m)^(`{3,})")


@functools.cache
def small() -> Shown:
    """A change of three Clusters, whose parts are replaced."""
    fleet = [cluster(f"c{at}") for at in range(3)]
    return change([*fleet, config()], [*fleet, config(agent=OLDER)])


@st.composite
def effects(draw: st.DrawFn) -> Effect:
    name = draw(names)
    return Effect(
        code=draw(st.sampled_from(CODES)),
        clusters=tuple(f"{name}/{name}-{at}" for at in range(draw(st.sampled_from((1, 4, 1_000))))),
        field=draw(st.sampled_from(("", "parentURL", "agent.namespace", "spec.selector"))),
        before=draw(names),
        after=draw(names),
        objects=(f"Deployment {name}/{name}", f"ClusterResourceSet {draw(names)}"),
    )


@st.composite
def results(draw: st.DrawFn, severity: str) -> list[Result]:
    message, rule, field, path = draw(foreign), draw(st.booleans()), draw(foreign), draw(foreign)
    rules = [f"r{at}" if rule else "r" for at in range(draw(numbers))]
    return [
        Result(message=f"{at} {message}", severity=severity, field=field, file_path=path, rule=one)
        for at, one in enumerate(rules)
    ]


@st.composite
def changes(draw: st.DrawFn) -> Change:
    name, line = draw(names), draw(foreign)
    keys = tuple(
        ObjectKey(group="", kind="ConfigMap", namespace=name, name=f"{at}-{name}") for at in range(draw(numbers) or 1)
    )
    return Change(keys=keys, diff=tuple(f"+{line}" for _ in range(draw(numbers) or 1)))


@settings(max_examples=max(settings().max_examples // 6, 1))  # each draws a hundred kilobytes
@given(
    st.lists(effects(), max_size=3),
    st.integers(1, 40),
    st.lists(changes(), max_size=3),
    results("error"),
    results("warning"),
    results("info"),
    numbers,
)  # fmt: skip
def test_a_comment_has_a_bounded_length_and_closes_what_it_opens(  # noqa: PLR0913, PLR0917 - a part each
    some: list[Effect],
    times: int,
    changed: list[Change],
    errors: list[Result],
    warnings: list[Result],
    notes: list[Result],
    verdicts: int,
) -> None:
    view = small()
    assert view.comparison is not None
    keys = tuple(key for one in changed for key in one.keys)
    compared = view.comparison.replace(effects=tuple(some * times), changes=tuple(changed), added=keys, removed=keys)
    view = view.replace(
        comparison=compared, results=(*errors, *warnings, *notes), verdicts=tuple([*view.verdicts] * (verdicts + 1))
    )
    text = plan_markdown.render(view)
    assert len(text) <= plan_markdown.LIMIT
    assert text.count("<details>") == text.count("</details>")
    fences = FENCE.findall(text)
    assert len(fences) % 2 == 0
    first = text[:22_000]
    for found, what in ((errors, "error"), (warnings, "warning")):
        assert not found or f"{len(found)} {what}" in text
    if some:
        assert plan_shown.counts(compared) in first
