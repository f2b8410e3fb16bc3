"""What becomes of our own objects in the input: kept, replaced, removed, and where new ones are put."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn import earlier
from krm_fn.clusters import Inventory
from krm_fn.earlier import breaking, stale
from krm_fn.krm.items import Item
from krm_fn.model import Generated, ObjectKey
from krm_fn.surface import OWNER_ANNOTATION
from tests.support.decoded import decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.krm.changes import Changes

FLEET = decoded(name="fleet", file_path="sets/fleet.yaml")
CHECKING = FLEET.replace(mode="Check")
HOST = {"config.kubernetes.io/path": "elsewhere/a.yaml", "internal.config.kubernetes.io/index": "3"}


def value(name: str, owner: str = "fleet", data: str = "1", **annotations: str) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team-a", "annotations": {OWNER_ANNOTATION: owner, **annotations}}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": data}}


def made(name: str, owner: str = "fleet", data: str = "1") -> Generated:
    key = ObjectKey(group="", kind="ConfigMap", namespace="team-a", name=name)
    return Generated(key=key, value=value(name, owner, data), owner=owner)


def changes(before: list[Any], now: list[Generated], *, config: Any = FLEET, host_paths: bool = False) -> Changes:
    items = [Item.from_value(one, position) for position, one in enumerate(before)]
    return stale.changes([config], now, Inventory(items, ()).owned, host_paths=host_paths)


@pytest.mark.parametrize(
    ("before", "now", "removed", "replaced", "added"),
    [
        pytest.param([], [], set(), set(), [], id="nothing"),
        pytest.param([], [made("a")], set(), set(), ["a"], id="new"),
        pytest.param([value("a")], [made("a")], set(), set(), [], id="the same"),
        pytest.param([value("a", **HOST)], [made("a")], set(), set(), [], id="the same but for what the host wrote onto it"),
        pytest.param([value("a", data="0")], [made("a")], set(), {0}, [], id="changed"),
        pytest.param([value("a", more="x")], [made("a")], set(), {0}, [], id="an annotation that somebody added"),
        pytest.param([value("a"), value("b")], [made("b")], {0}, set(), [], id="stale"),
        pytest.param([value("a")], [made("b")], {0}, set(), ["b"], id="renamed"),
        pytest.param([value("a"), value("a", data="0")], [made("a")], {1}, set(), [], id="a second copy"),
        pytest.param([value("a", "other")], [], set(), set(), [], id="of a config that is not in this run"),
        pytest.param([value("a", "")], [made("b")], set(), set(), ["b"], id="of nobody"),
    ],
)  # fmt: skip
def test_our_own_objects_are_brought_up_to_date(
    before: list[Any], now: list[Generated], removed: set[int], replaced: set[int], added: list[str]
) -> None:
    found = changes(before, now)
    assert (set(found.removed), set(found.replaced)) == (removed, replaced)
    assert [one["metadata"]["name"] for one in found.added] == added


def test_a_config_that_only_checks_owns_nothing() -> None:
    assert changes([value("a"), value("b")], [made("c")], config=CHECKING).empty


def test_what_the_host_wrote_onto_an_object_stays_on_its_replacement() -> None:
    found = changes([value("a", data="0", **HOST)], [made("a")])
    assert found.replaced[0]["metadata"]["annotations"] == {OWNER_ANNOTATION: "fleet", **HOST}
    assert found.replaced[0]["data"] == {"k": "1"}


@pytest.mark.parametrize(
    ("host_paths", "path"), [(True, "sets/team-a/configmap_a.yaml"), (False, None)], ids=["files", "a stream"]
)
def test_a_new_object_gets_a_file_beside_its_config_where_the_host_keeps_files(
    host_paths: bool,  # noqa: FBT001
    path: str | None,
) -> None:
    (new,) = changes([], [made("a")], host_paths=host_paths).added
    assert new["metadata"]["annotations"].get("config.kubernetes.io/path") == path


@pytest.mark.parametrize(
    ("taken", "index", "refused"),
    [
        pytest.param("sets/team-a/configmap_clusternet-cluster-api-agent.yaml", 0, True, id="its file"),
        pytest.param("sets/team-a/configmap_clusternet-cluster-api-agent.yaml", 1, False, id="another object of it"),
        pytest.param("team-a/configmap_clusternet-cluster-api-agent.yaml", 0, False, id="another folder"),
    ],
)
def test_a_new_object_is_not_put_where_another_one_is(taken: str, index: int, refused: bool) -> None:  # noqa: FBT001
    there = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "annotations": {
        "config.kubernetes.io/path": taken, "config.kubernetes.io/index": str(index)}}}  # fmt: skip
    found = changes([], [made("clusternet-cluster-api-agent")], host_paths=True)
    results = stale.path_errors(found, [Item.from_value(there, 0)], [FLEET])
    assert [one.rule for one in results] == (["path-taken"] if refused else [])


@pytest.mark.parametrize(
    ("name", "taken", "expected"),
    [
        ("fleet", [], "fleet-2"),
        ("fleet-2", [], "fleet-3"),
        ("fleet-9", [], "fleet-10"),
        ("fleet", ["fleet-2"], "fleet-3"),
        ("fleet", ["fleet-2.web"], "fleet-3"),
        ("fleet", ["fleet-2-identity"], "fleet-3"),
        ("fleet", ["fleet-22"], "fleet-2"),
        ("fleet", ["fleet-2", "fleet-3", "fleet-5"], "fleet-4"),
    ],
)
def test_a_set_that_can_not_be_changed_gets_the_next_free_name(name: str, taken: list[str], expected: str) -> None:
    config = FLEET.replace(resource_set=FLEET.resource_set.replace(name=name))
    sets = [
        {"apiVersion": "addons.cluster.x-k8s.io/v1beta2", "kind": "ClusterResourceSet",
         "metadata": {"name": one, "namespace": "team-a", "annotations": {OWNER_ANNOTATION: "fleet"}}}
        for one in taken
    ]  # fmt: skip
    items = [Item.from_value(one, position) for position, one in enumerate(sets)]
    there = earlier.read(Inventory(items, ()), None, "").output
    assert breaking.next_name(config, there.all_sets) == expected
