"""What `status` claims of a fleet is true in a model of that fleet, whatever happened to it."""

from __future__ import annotations

from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from krm_fn import status
from krm_fn.status import dump
from tests.support.world import DAY, NOW, TOKENS, Machine, World

TITLES = [("red", "a"), ("red", "b"), ("blue", "a")]
SETTINGS: dict[str, tuple[Any, ...]] = {
    "mode": ("PerCluster", "Shared"),
    "strategy": ("Reconcile", "ApplyOnce"),
    "set": (1, 2),
    "token": TOKENS,
    "image": ("v0.18.1", "v0.18.0"),
}
OFTEN = ("online", "unlabelled", "rebuilt", "expired")
OTHER = ("new", "gone", "deleting", "reached", "carrier", "other", *SETTINGS)
STARTS = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in SETTINGS.items()})
SPANS = st.sampled_from((10 * DAY, 3600))
WHAT = st.one_of(st.sampled_from(OFTEN), st.sampled_from(OTHER))
STEPS = st.lists(st.tuples(WHAT, st.sampled_from((TITLES[0], TITLES[0], *TITLES)), SPANS), min_size=2, max_size=6)


def happen(world: World, what: str, title: tuple[str, str]) -> None:
    """One event; most of them happen to one Cluster, if it is there."""
    one = world.machines.get(title)
    if what in SETTINGS:
        first, second = SETTINGS[what]
        world.settings[what] = second if world.settings[what] == first else first
    elif what == "expired":
        world.expired.add(world.settings["token"])
    elif what == "other":
        world.enter("" if title[0] == "red" else "other")
    elif what == "carrier":
        carriers = sorted(each for each in world.objects if each[1] != "ClusterResourceSet")
        for each in carriers[TITLES.index(title) :: 3][:1]:
            del world.objects[each]
        return  # and nobody syncs
    elif what == "new" and one is None:
        world.machines[title] = Machine(world.time, topology=title[1] == "a")
    elif one is None:
        return
    elif what in {"gone", "rebuilt"}:
        del world.machines[title]
        world.sync()
        if what == "rebuilt":
            world.machines[title] = Machine(world.time + 60, topology=one.topology)
            world.wait(60)
    elif what == "unlabelled":
        one.labels["env"] = "off" if one.labels["env"] == "prod" else "prod"
    elif what in {"deleting", "reached", "online"}:
        setattr(one, what, what == "deleting" or not getattr(one, what))
    world.sync()


@settings(max_examples=100)
@given(STARTS, STEPS)
def test_what_status_claims_is_true(start: Any, steps: Any) -> None:
    world = World(NOW - sum(span for *_, span in steps), dict(start))
    world.machines = {title: Machine(world.time, topology=title[1] == "a") for title in TITLES[:2]}
    world.sync()
    for what, title, span in steps:
        happen(world, what, title)
        world.wait(span)
    if not world.machines:
        return
    found = status.evaluate(dump.read(world.dumps()), NOW, parent=True)
    served = {title for title, one in world.machines.items() if not one.deleting and world.served(title)}
    registered = {title for title in served if world.registered(title)}
    # names that agents chose, of clusters that are not looked for: nothing tells them from those that are
    mine = {id(world.machines[title]) for title in served}
    unknown = [one for one in world.entries if world.alive(one) and one.name != "other" and id(one.machine) not in mine]
    for one in found.clusters:
        title = (one.namespace, one.name)
        assert one.deleting is world.machines[title].deleting
        if one.deleting:
            continue
        event(f"{one.delivered}, {one.registered}")
        assert bool(one.resource_sets) is (title in served)
        assert one.delivered != "yes" or world.delivered(title), (title, one.reasons)
        assert one.registered != "yes" or title in registered, (title, one.evidence)
        if one.registered == "earlier" and title not in registered and found.certain:
            assert any(entry.made >= world.machines[title].made for entry in unknown), (title, one.evidence)
        assert one.registered != "not ready" or title not in registered, (title, one.evidence)
        assert {one.delivered, one.registered} & {"no", "outdated", "not ready", "pending"} or one.ok
    if found.ok and found.certain and not unknown:
        assert served == registered == {title for title, one in world.machines.items() if not one.deleting}
    commands = "\n".join(command for orphan in found.orphans for command in orphan.commands)
    for entry in world.entries:
        if entry.identifier in commands or entry.namespace in commands:
            event("removed")
            assert NOW - entry.seen > 7 * DAY
            assert not any(entry.machine is one and not one.deleting for one in world.machines.values())
