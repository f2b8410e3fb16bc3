"""Feature gates and the hub's set-up: twice is once, nothing else changes, and no shape of an object breaks them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from krm_fn.krm.results import ERROR
from tests.support.items import item_of
from tests.unit.reviews.builders import config, controller_manager, core_provider, hub, hub_config, manager, secret
from tests.unit.reviews.golden import review

if TYPE_CHECKING:
    from krm_fn.krm.changes import Review

RELEASES = st.sampled_from(["v0.3.9", "v1.5.3", "v1.6.0", "v1.9.1", "v1.11.0", "v1.12.0", "v1.14.0", "latest"])
SETTINGS = st.sampled_from(["true", "false", "1", "${X:=false}", "${X:=true}", "maybe", ""])
LISTS = st.lists(
    st.tuples(st.sampled_from(["ClusterResourceSet", "MachinePool", "AllBeta", " A"]), SETTINGS).map("=".join),
    max_size=4,
).map(",".join)
ARGUMENTS = st.lists(
    st.one_of(
        st.sampled_from(["-v=2", "--leader-elect", "plain", "--cluster-api-kubeconfig=/x"]).map(lambda one: [one]),
        LISTS.map(lambda one: [f"--feature-gates={one}"]),
        LISTS.map(lambda one: [f'--feature-gates="{one}"']),
        LISTS.map(lambda one: ["--feature-gates", one]),
        st.just(["--cluster-api-kubeconfig", "/y"]),
    ),
    max_size=6,
).map(lambda groups: [one for group in groups for one in group])
OTHERS = ("-v=2", "--leader-elect", "plain", "--cluster-api-kubeconfig=/x", "--cluster-api-kubeconfig", "/y")
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.sampled_from(["", "x", "--feature-gates=ClusterResourceSet=false"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from([
                "spec", "template", "containers", "args", "command", "name", "image", "volumes", "volumeMounts", "manager",
                "featureGates", "secret", "items", "deployment", "additionalArgs", "version", "data", "kubeconfig",
            ]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=25,
)  # fmt: skip


def run(values: list[dict[str, Any]], **options: Any) -> Review:
    items = [item_of(json.dumps(value).encode(), position) for position, value in enumerate(values)]
    return review(items, hub_config(**{"feature_gate": "Ensure", **options}))


@given(RELEASES, ARGUMENTS, ARGUMENTS)
def test_mending_a_manager_twice_is_mending_it_once(release: str, command: list[str], args: list[str]) -> None:
    value = manager(release, *args, command=["/manager", *command])
    first = run([value])
    if first.revised:
        again = run([dict(first.revised[0])])
        assert not again.revised
        assert not [one for one in again.results if one.severity == ERROR]


@given(RELEASES, ARGUMENTS)
def test_mending_a_manager_leaves_every_other_argument(release: str, args: list[str]) -> None:
    value = manager(release, *args)
    changed = run([value]).revised.get(0)
    if changed:
        kept = changed["spec"]["template"]["spec"]["containers"][0].get("args", [])
        assert [one for one in kept if one in OTHERS] == [one for one in args if one in OTHERS]


@given(st.sampled_from([hub, controller_manager]), ARGUMENTS)
def test_setting_up_a_hub_twice_is_setting_it_up_once(make: Any, args: list[str]) -> None:
    first = run([make(args=args)], feature_gate="Ignore")
    assert not run([dict(first.revised[0])], feature_gate="Ignore").revised


@given(JSON, st.sampled_from(["deployment", "hub", "provider", "secret"]))
def test_no_shape_of_an_object_breaks_the_review(shape: Any, kind: str) -> None:
    value = {
        "deployment": manager(),
        "hub": controller_manager(),
        "provider": core_provider(),
        "secret": secret({}),
    }[kind]
    field = "data" if kind == "secret" else "spec"
    nested = {**value, "spec": {"template": {"spec": {"containers": [shape]}}, "manager": shape, "version": "v1.5.3"}}
    for given_ in ({**value, field: shape}, nested):
        first = run([given_])
        second = run([dict(first.revised.get(0, given_))])
        assert not second.revised


@given(ARGUMENTS)
def test_a_check_never_changes_anything(args: list[str]) -> None:
    item = item_of(json.dumps(manager("v1.5.3", *args)).encode(), 0)
    assert not review([item], config()).revised
