"""What must hold of `status` and `migrate` for any input: one clear answer, no token in it, no order dependence."""

import copy
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from krm_fn import migration, status
from krm_fn.cli.migrate import config_text, guide
from krm_fn.krm.results import Errors
from krm_fn.status import dump
from krm_fn.tokens.redaction import Redactor
from krm_fn.views import Terminal, status_text
from krm_fn.views.data import status_data
from tests.support import live
from tests.support.live import Fleet

NOW = 1795428000
FLEET = [
    *Fleet().everything,
    *Fleet("team-c", ("app-1", "app-2"), live.V1BETA1, found=live.config(mode="Shared", prefix="c")).everything,
    live.managed("c-x7k2p"),
    live.manager("v1.6.3", "ClusterResourceSet=false"),
    *live.hub_objects("team-a"),
    live.hub_secret(),
]
GARBAGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.just(live.TOKEN),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
)


def show(objects: list[Any], *, parent: bool) -> str:
    """Everything that `status` prints of some objects, as the command prints it."""
    found = status.evaluate(dump.read([("dump", json.dumps(live.listed(*objects)).encode())]), NOW, parent=parent)
    redactor = Redactor(found.secrets)
    found = redactor.value(found)
    texts = [
        status_text.table(found, Terminal(width=80, colour=True)),
        status_text.table(found, only_failing=True),
        json.dumps(status_data(found), ensure_ascii=False),
    ]
    return "".join(redactor.text(text) for text in texts)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of everything in a value."""
    found = [path] if path else []
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        found += places(child, (*path, key))
    return found


PLACES = places(FLEET)


def refusals(data: bytes) -> list[str]:
    """Evaluate a dump; what was said where it can't be read."""
    try:
        status.evaluate(dump.read([("dump", data)]), NOW)
    except Errors as errors:
        return [result.message for result in errors.results]
    return []


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_line(data: bytes) -> None:
    assert "\n" not in "".join(refusals(data))


@given(st.integers(min_value=0), st.sampled_from(["yaml", "json"]))
def test_a_dump_cut_off_anywhere_is_read_or_refused(cut: int, form: str) -> None:
    data = live.as_yaml(*Fleet(names=("web-1",)).management) if form == "yaml" else live.as_json(*Fleet().management)
    assert len(refusals(data[: cut % len(data)])) <= 1


@given(st.lists(st.tuples(st.sampled_from(PLACES), GARBAGE), min_size=1, max_size=4), st.booleans())
def test_any_field_may_hold_anything(changes: list[tuple[tuple[Any, ...], Any]], parent: bool) -> None:  # noqa: FBT001 - drawn
    objects = copy.deepcopy(FLEET)
    for path, value in changes:
        at: Any = objects
        try:
            for key in path[:-1]:
                at = at[key]
            at[path[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    try:
        shown = show(objects, parent=parent)
    except Errors as errors:
        shown = " ".join(result.message for result in errors.results)
    assert live.TOKEN not in shown
    found = dump.read(
        [
            (
                "dump",
                json.dumps(live.listed(live.hub_secret(), *(one for one in objects if isinstance(one, dict)))).encode(),
            )
        ]
    )
    try:
        planned = migration.plan(found, name="fleet", resource_set="agents")
    except Errors as errors:
        text = " ".join(result.message for result in errors.results)
    else:
        text = config_text(planned.config) + guide(planned, Terminal(width=100))
        text = Redactor(planned.tokens).text(text)
    assert live.TOKEN not in text


@given(st.randoms(use_true_random=False))
def test_the_order_of_objects_does_not_matter(random: Any) -> None:
    objects = list(FLEET)
    random.shuffle(objects)
    assert show(objects, parent=True) == show(FLEET, parent=True)


@given(st.data())
def test_a_dump_split_over_files_tells_the_same(data: st.DataObject) -> None:
    files = [data.draw(st.integers(min_value=0, max_value=2)) for _ in FLEET]
    inputs = [
        (str(number), live.as_json(*(one for one, at in zip(FLEET, files, strict=True) if at == number)))
        for number in range(3)
    ]
    whole = dump.read([("dump", live.as_json(*FLEET))])
    assert status.evaluate(dump.read(inputs), NOW) == status.evaluate(whole, NOW)
