"""Whatever changes are made to whatever list: the output holds exactly them, and all else keeps its bytes."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from krm_fn.krm.changes import Changes
from krm_fn.krm.resource_list import read, write
from krm_fn.krm.results import Errors, Result
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load
from tests.support import nasty

if TYPE_CHECKING:
    from typing import Any

NEW: tuple[dict[str, Any], ...] = (
    {"apiVersion": "v1", "kind": "New", "metadata": {"name": "n", "labels": {"on": "yes"}}, "d": "a\nb\n"},
    {"apiVersion": "v1", "kind": "X", "d": "x\n\n"},
    {"apiVersion": "v1", "kind": "ä", "list": ["b", {"c": []}]},
)
WAYS = ("leave", "leave", "remove", "replace", "label", "revise")


@st.composite
def json_documents(draw: st.DrawFn) -> str:
    value: dict[str, Any] = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"}
    if draw(st.integers(0, 9)):
        value["items"] = draw(st.lists(st.sampled_from([*NEW, {"kind": "\U0001f600"}]), max_size=4))
    if draw(st.booleans()):
        value["functionConfig"] = {"a": "ü"}
    if draw(st.booleans()):
        value["results"] = [{"message": "old"}]
    value = {key: value[key] for key in draw(st.permutations(list(value)))}
    if draw(st.integers(0, 4)) == 0:
        return str(yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, sort_keys=False))
    text = json.dumps(value, indent=draw(st.sampled_from([None, 2, 4, "\t"])), ensure_ascii=draw(st.booleans()))
    return text + draw(st.sampled_from(["", "\n"]))


def parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return load(data)


@settings(max_examples=5 * settings().max_examples)
@given(st.one_of(nasty.documents(), nasty.documents(), json_documents()), st.data())
def test_the_output_holds_exactly_the_changes(text: str, data: st.DataObject) -> None:
    source = text.encode()
    try:
        found = read(source)
        before = parsed(source)
    except (Errors, BadYaml):
        assume(False)  # noqa: FBT003 - hypothesis
    assume(not found.results)
    values = before.get("items") or []
    ways = [data.draw(st.sampled_from(WAYS)) for _ in values]
    at = {way: [place for place, one in enumerate(ways) if one == way] for way in WAYS}
    changes = Changes(
        removed=frozenset(at["remove"]),
        replaced={place: data.draw(st.sampled_from(NEW)) for place in at["replace"]},
        labelled={place: {"l": "on"} for place in at["label"]},
        revised={place: {**values[place], "zz": {"x": "1"}} for place in at["revise"]},
        added=tuple(data.draw(st.lists(st.sampled_from(NEW), max_size=2))),
    )
    results = [Result(message="m\nx: 'y")] if data.draw(st.booleans()) else []
    out = b"".join(write(found, changes, results))
    wanted = {key: value for key, value in before.items() if key != "results"}
    wanted["items"] = changed(values, changes)
    if results:
        wanted["results"] = [result.as_data() for result in results]
    assert json.dumps(parsed(out), sort_keys=True) == json.dumps(wanted, sort_keys=True)
    assert json_like(out) or not json_like(source)
    for place in at["leave"]:
        item = found.items[place]
        body = source[item.start : item.end].rstrip(b" \r\n")
        # a comment at the margin is no part of the last item: what is added comes before it
        assert re.sub(rb"(?:\r?\n#[^\n]*)+\Z", b"", body).rstrip(b" \r\n") in out


def changed(values: list[Any], changes: Changes) -> list[Any]:
    """The values with the changes applied."""
    made: list[Any] = []
    for place, old in enumerate(values):
        if place in changes.removed:
            continue
        if place in changes.labelled:
            metadata = old["metadata"] if isinstance(old.get("metadata"), dict) else {}
            labels = metadata["labels"] if isinstance(metadata.get("labels"), dict) else {}
            made.append({**old, "metadata": {**metadata, "labels": {**labels, **changes.labelled[place]}}})
        else:
            made.append(changes.revised.get(place, changes.replaced.get(place, old)))
    return [*made, *changes.added]


def json_like(source: bytes) -> bool:
    try:
        json.loads(source)
    except ValueError:
        return False
    return True
