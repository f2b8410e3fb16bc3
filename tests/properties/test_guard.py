"""`guard.maxRemovedClusters` against a model of the fleet: who serves which Cluster before and after a change."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

import hypothesis.strategies as st
import yaml
from hypothesis import given, settings

from krm_fn.krm import resource_list
from krm_fn.surface import OWNER_ANNOTATION
from tests.support.lists import Run, cluster, config, document


class Member(NamedTuple):
    """A Cluster, and what a change does to it."""

    name: str
    namespace: str
    env: str
    local: bool
    fate: str

    @property
    def title(self) -> str:
        return f"{self.namespace}/{self.name}"

    def value(self, *, now: bool) -> Any:
        fate = self.fate if now else "stays"
        name_label = {"cluster.x-k8s.io/cluster-name": self.name}
        labels = {"env": "none" if fate == "loses its label" else self.env, **name_label}
        annotations = {"config.kubernetes.io/local-config": "true"} if self.local else None
        return cluster(
            self.name,
            self.namespace,
            labels={**labels, "gpu": True} if fate == "breaks" else labels,
            annotations=annotations,
        )


class Owner(NamedTuple):
    """A config: which Clusters it serves, and how."""

    name: str
    env: str
    set: str
    per_cluster: bool
    skip: bool
    limit: int | str

    def value(self) -> Any:
        guard = {"maxRemovedClusters": self.limit, "allowNoClusters": True}
        return config(
            self.name,
            clusterSelector={"matchLabels": {"env": self.env}},
            clusterResourceSet={"name": self.set},
            identity={"mode": "PerCluster" if self.per_cluster else "Shared"},
            guard={**guard, "onInvalidCluster": "Skip" if self.skip and self.per_cluster else "Fail"},
        )

    def sets(self, members: list[Member]) -> dict[tuple[str, str], set[str]]:
        """Its main sets, by namespace and name, each with its Clusters."""
        found: dict[tuple[str, str], set[str]] = {}
        for one in (one for one in members if one.env == self.env):
            name = f"{self.set}.{one.name}" if self.per_cluster else self.set
            found.setdefault((one.namespace, name), set()).add(one.title)
        return found


limits = st.one_of(st.integers(0, 3), st.integers(0, 100).map(lambda share: f"{share}%"))
fates = st.sampled_from(["stays", "stays", "stays", "goes", "loses its label", "breaks"])
flags = st.booleans()


@st.composite
def members(draw: st.DrawFn) -> list[Member]:
    several = st.tuples(
        st.sampled_from(["team-a", "team-b"]), st.sampled_from(["prod", "prod", "dev", "stage"]), flags, fates
    )
    drawn = draw(st.lists(several, min_size=1, max_size=7))
    return [Member(f"c{number}", *rest) for number, rest in enumerate(drawn)]


@st.composite
def owners(draw: st.DrawFn) -> tuple[list[Owner], list[Owner]]:
    """Two configs, before and after a change to the first one."""
    first = Owner("first", "prod", "fleet", draw(flags), draw(flags), draw(limits))
    other = Owner("other", "dev", "others", draw(flags), draw(flags), draw(limits))
    changes: dict[str, list[Owner]] = {
        "nothing": [first],
        "it is deleted": [],
        "another name": [first._replace(name="renamed")],
        "another set name": [first._replace(set="second")],
        "both": [first._replace(name="renamed", set="second")],
        "another mode": [first._replace(per_cluster=not first.per_cluster, set="second")],
        "another selector": [first._replace(env="stage", set="second")],
    }
    return [first, other], [*draw(st.sampled_from(list(changes.values()))), other]


def over(limit: int | str, gone: int, total: int) -> bool:
    return gone > (Fraction(int(limit[:-1]), 100) * total if isinstance(limit, str) else limit)


@settings(max_examples=2 * settings().max_examples)
@given(members(), owners(), st.sampled_from(["Clusters", "pairs", "input"]))
def test_the_guard_stops_exactly_what_is_over_the_limit(
    fleet: list[Member], configs: tuple[list[Owner], list[Owner]], way: str
) -> None:
    """Compared with a tree that has the Clusters, with generated objects alone, and with earlier output in the input (kpt)."""
    before, now = configs
    first = Run(document([*(one.value(now=False) for one in fleet), *(one.value() for one in before)]))
    assert first.code == 0, first.stderr
    generated = [one for one in first.items if OWNER_ANNOTATION in one["metadata"].get("annotations", {})]
    items = [*(one.value(now=True) for one in fleet if one.fate != "goes"), *(one.value() for one in now)]
    items += generated if way == "input" else []
    tree = {"Clusters": first.items, "pairs": generated}.get(way)
    made = Run(document(items), baseline=tree and resource_list.read(document(tree)).items)
    alarms = [one for one in made.messages() if "would no longer be served" in one]

    names = {one.name for one in now}
    staying = [one for one in fleet if one.fate == "stays"]
    present = {one.title for one in staying}
    made_now = {key: (held, one.name) for one in now for key, held in one.sets(staying).items()}
    served = {title for held, _ in made_now.values() for title in held}
    known = {key for old in before for key in old.sets(fleet)}
    fresh = {(namespace, owner) for (namespace, name), (_, owner) in made_now.items() if (namespace, name) not in known}

    def stays(old: Owner, key: tuple[str, str], held: set[str]) -> bool:
        """Whether a set is there still, or its Clusters are served; where they are not to be seen, it may be renamed."""
        heir = old.name if old.name in names else "renamed"
        renamed = not old.per_cluster and not held & present and (key[0], heir) in fresh
        return key in made_now or bool(held & served) or renamed

    expected = set()
    for one in now:
        absent = {old.name for old in before if old.name not in names and way != "input"}
        counted = [
            (old, key, held)
            for old in before
            if old.name in {one.name, *absent}
            for key, held in old.sets(fleet).items()
        ]
        broken = {member.title for member in fleet if member.fate == "breaks" and member.env == one.env}
        broken = set() if one.skip and one.per_cluster else broken  # else its own error fails the run
        had = {title for _, _, held in counted for title in held}
        gone = [key for old, key, held in counted if not stays(old, key, held)]
        total, lost = (len(had), len(had - served - broken)) if way == "Clusters" else (len(counted), len(gone))
        if over(one.limit, lost, total) and not (broken and way != "Clusters"):
            expected.add(one.name)
    assert {one.partition(") of ")[2].split()[0] for one in alarms} == expected, made.stderr
    if made.code:
        assert made.items == yaml.safe_load(document(items))["items"]
    else:
        assert not alarms
