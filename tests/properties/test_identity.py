"""Registration names: legal, unique over namespace and name, stable whatever else the fleet holds."""

from __future__ import annotations

import re

import hypothesis.strategies as st
from hypothesis import given

from tests.support.lists import cluster, config, run

clusters = st.lists(
    st.tuples(
        st.sampled_from(["team-a", "team-b", "a-namespace-with-a-long-name"]),
        st.from_regex(r"[a-z]([a-z0-9-]{0,60}[a-z0-9])?", fullmatch=True),
    ),
    min_size=1,
    max_size=8,
    unique=True,
)
PER_CLUSTER = config(identity={"mode": "PerCluster", "nameTemplate": "{namespace}-{name}"})


def names(keys: list[tuple[str, str]]) -> dict[tuple[str, str], str]:
    made = run([cluster(name, namespace) for namespace, name in keys], PER_CLUSTER)
    return {one.cluster.key: one.registration_name for one in made.plan.verdicts}


@given(clusters)
def test_names_are_legal(keys: list[tuple[str, str]]) -> None:
    assert all(re.fullmatch(r"[a-z0-9]([-a-z0-9]{0,28}[a-z0-9])?", name) for name in names(keys).values())


@given(clusters)
def test_a_name_does_not_depend_on_the_other_clusters(keys: list[tuple[str, str]]) -> None:
    together = names(keys)
    assert together[keys[0]] == names(keys[:1])[keys[0]]


@given(clusters)
def test_names_that_are_shared_are_errors_and_nothing_else_is(keys: list[tuple[str, str]]) -> None:
    made = run([cluster(name, namespace) for namespace, name in keys], PER_CLUSTER)
    found = [one.registration_name for one in made.plan.verdicts]
    assert ("would all register as" in made.stderr) == (len(set(found)) < len(found))
