"""Properties of decoding: schema and decoder agree, nothing but `Errors` comes out, and no token is ever shown."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from krm_fn.config import decode, export, formats
from krm_fn.config.fields import Either, Field, ListOf, MapOf, Object
from krm_fn.config.formats import Format, Refusal
from krm_fn.config.kinds import Choice, Flag, Json, Kind, Number, Text, Whole
from krm_fn.config.tree import CONFIG
from krm_fn.krm.results import Errors
from krm_fn.kube.labels import LabelSelector, Requirement, SelectorError, parse_selector
from tests.support.configs import TOKEN, changed, item, results_of
from tests.support.json_schema import accepts

if TYPE_CHECKING:
    from collections.abc import Callable

FORMATS = {name: value for name, value in vars(formats).items() if isinstance(value, Format)}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    st.sampled_from(
        [1.0, 0.5, -1.5, "", "x", "a.b", "A b", "x\n", "PerCluster", "Shared", "In", [], {}, ["x"], {"x": "y"}]
    ),
)
TYPICAL = {
    formats.PARENT_URL: ["https://parent", "https://[::1]:1/x", "https://1.2.3.4"],
    formats.IMAGE: ["agent:v0.18.1", "a/b:5000", "agent:v0.9.1"],
    formats.VERSION: ["v0.18.1", "0.12.0", "v0.11.9"],
    formats.FLAG: ["--v=4", "--leader-elect=false", "--cluster-reg-name=a", "--cluster-sync-mode=Push"],
    formats.LABEL_KEY: ["a", "b.example.com/c"],
}


def _texts(form: Format) -> st.SearchStrategy[str]:
    if form in TYPICAL:
        return st.sampled_from(TYPICAL[form])
    return st.from_regex(re.compile(form.pattern, re.ASCII), fullmatch=True) if form.pattern else st.just("text")


def _values(kind: Kind) -> st.SearchStrategy[Any]:
    """Values that mostly fit a kind, with junk now and then."""
    return st.integers(0, 25).flatmap(lambda dice: JUNK if dice == 25 else _fitting(kind))


def _fitting(kind: Kind) -> st.SearchStrategy[Any]:  # noqa: PLR0911 - one line a kind
    if isinstance(kind, Text):
        return _texts(kind.format)
    if isinstance(kind, Choice):
        return st.sampled_from(kind.values)
    if isinstance(kind, Flag):
        return st.booleans()
    if isinstance(kind, Whole):
        return st.integers(kind.minimum, kind.maximum)
    if isinstance(kind, Number):
        return st.floats(0, 10)
    if isinstance(kind, Json):
        return st.just({"spec": {"a": [None]}})
    if isinstance(kind, Either):
        return st.sampled_from(kind.kinds).flatmap(_values)
    if isinstance(kind, ListOf):
        return st.lists(_values(kind.item), min_size=kind.minimum, max_size=2)
    if isinstance(kind, MapOf):
        return st.dictionaries(_texts(kind.key), _values(kind.value), max_size=2)
    assert isinstance(kind, Object)
    return st.deferred(lambda: _objects(kind))


@st.composite
def _objects(draw: st.DrawFn, kind: Object) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in kind.fields:
        if _wanted(draw, field):
            found[field.name] = draw(_values(field.kind))
    for constraint in kind.constraints:
        names = getattr(constraint, "names", ())
        if names and not found.keys() & set(names):
            name = draw(st.sampled_from(names))
            found[name] = draw(_values(next(field.kind for field in kind.fields if field.name == name)))
    return found


def _wanted(draw: st.DrawFn, field: Field) -> bool:
    return draw(st.integers(0, 30)) < 30 if field.required else draw(st.integers(0, 5)) == 5


@st.composite
def _documents(draw: st.DrawFn) -> dict[str, Any]:
    """Documents whose required parts are mostly right, so that the rest decides."""
    document = draw(_objects(CONFIG))
    sound = changed({})
    for name in ("apiVersion", "kind", "metadata"):
        if draw(st.integers(0, 20)) < 20:
            document[name] = sound[name]
    if isinstance(document.get("spec"), dict):
        for name, value in sound["spec"].items():
            if draw(st.integers(0, 4)) < 4:
                document["spec"][name] = value
    return document


DOCUMENTS = _documents()
MANY = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@MANY
@given(DOCUMENTS)
def test_schema_and_decoder_agree_but_for_the_rules_beyond(document: dict[str, Any]) -> None:
    rules = {result.rule for result in results_of(document)}
    assert accepts(document) is (rules <= set(export.BEYOND_RULES))


@MANY
@given(st.one_of(DOCUMENTS, st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec"]), JUNK)))
def test_whatever_comes_in_a_config_or_errors_come_out(document: dict[str, Any]) -> None:
    try:
        config = decode(item(document))
    except Errors as errors:
        messages = [result.message for result in errors.results]
    else:
        messages = [""] if config == decode(item(document)) else []
    assert messages
    assert all(message.isprintable() for message in messages)


def _planted(value: Any, draw: Callable[[Any], Any]) -> Any:
    """A copy in which one value, or one key, has become the token."""
    if isinstance(value, dict) and value and draw(st.integers(0, 5)) < 5:
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 9)) == 9:
            return {**value, TOKEN: value[key]}
        return {**value, key: _planted(value[key], draw)}
    if isinstance(value, list) and value and draw(st.integers(0, 5)) < 5:
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], _planted(value[index], draw), *value[index + 1 :]]
    return draw(st.sampled_from([TOKEN, [TOKEN], {"x": TOKEN}, f"https://a:{TOKEN}@b", f"--x={TOKEN}"]))


@MANY
@given(st.data(), DOCUMENTS)
def test_a_token_planted_anywhere_in_the_spec_is_in_no_message(data: st.DataObject, document: dict[str, Any]) -> None:
    document["spec"] = _planted(document.get("spec", {}), data.draw)
    shown = [f"{result.message} {result.field}" for result in results_of(document)]
    assert TOKEN not in " ".join(shown)


def _flattened(value: Any, path: str, draw: Callable[[Any], Any]) -> dict[str, str]:
    """The same value as flat keys: an object by its fields, or as JSON, as the dice fall."""
    if isinstance(value, dict) and value and (not path or draw(st.booleans())):
        parts = [_flattened(one, f"{path}.{key}" if path else key, draw) for key, one in value.items()]
        return {key: text for part in parts for key, text in part.items()}
    return {path: value if isinstance(value, str) else json.dumps(value)}


@MANY
@given(st.data(), DOCUMENTS)
def test_flat_keys_give_the_same_configuration(data: st.DataObject, document: dict[str, Any]) -> None:
    assume(not results_of(document))
    nested = decode(item(document))
    flat = {"name": nested.name, **_flattened(document["spec"], "", data.draw)}
    metadata = {"name": "function-input", "namespace": nested.namespace}
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": flat}
    place = {"warnings": (), "origin": {}, "root": ""}  # where it was found, which differs
    assert decode(item(config_map)).replace(**place) == nested.replace(**place)


LABEL_WORDS = st.from_regex(re.compile("[a-z]([-a-z0-9.]{0,4}[a-z0-9])?", re.ASCII), fullmatch=True)
REQUIREMENTS = st.one_of(
    st.builds(
        lambda key, operator, values: Requirement(key=key, operator=operator, values=tuple(sorted(values))),
        LABEL_WORDS,
        st.sampled_from(["In", "NotIn"]),
        st.sets(LABEL_WORDS, min_size=1, max_size=3),
    ),
    st.builds(
        lambda key, operator: Requirement(key=key, operator=operator),
        LABEL_WORDS,
        st.sampled_from(["Exists", "DoesNotExist"]),
    ),
)


@given(st.dictionaries(LABEL_WORDS, LABEL_WORDS, max_size=3), st.lists(REQUIREMENTS, max_size=3))
def test_a_selector_that_is_shown_can_be_typed(labels: dict[str, str], requirements: list[Requirement]) -> None:
    selector = LabelSelector.of(labels, requirements)
    read = parse_selector(str(selector))
    again = [
        Requirement(key=one["key"], operator=one["operator"], values=tuple(one.get("values", ())))
        for one in read.get("matchExpressions", [])
    ]
    assert LabelSelector.of(read.get("matchLabels", {}), again) == selector


@given(st.text(alphabet="ab=!,() inot", max_size=20))
def test_any_text_is_a_selector_or_an_error(text: str) -> None:
    try:
        found = parse_selector(text)
    except SelectorError as error:
        found = {"": str(error)}
    assert found or not text.strip()


@pytest.mark.parametrize("form", FORMATS.values(), ids=FORMATS)
@given(data=st.data())
def test_the_pattern_of_a_format_says_what_its_check_says(form: Format, data: st.DataObject) -> None:
    fitting = st.from_regex(re.compile(form.pattern, re.ASCII), fullmatch=True) if form.pattern else st.text()
    near = st.text(alphabet="aZ0-_./:@%{}[]=, \n", max_size=12)
    value = data.draw(st.one_of(fitting, near, st.text(max_size=8)))
    if form.explain and "/" in value and len(value.rpartition("/")[0]) > 253:
        return  # the one rule that the pattern of a label key can't say
    schema = {"type": "string", **export._format(form)}
    assert accepts(value, schema) is (form.error(value) == "")


REFUSALS = [one for form in FORMATS.values() for one in form.refused]


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda one: one.reason)
@given(data=st.data())
def test_what_a_refusal_finds_has_one_of_its_parts(refusal: Refusal, data: st.DataObject) -> None:
    value = data.draw(st.from_regex(refusal.pattern))
    assert any(part in value.lower() for part in refusal.parts)
