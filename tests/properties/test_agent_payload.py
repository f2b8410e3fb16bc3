"""Whatever the options: eleven objects, every string quoted, read back alike by two YAML readers."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from krm_fn.agent import AgentPayload, identity_values, manifests, registration_values
from krm_fn.agent.manifests import Registration
from krm_fn.surface import MIN_VALUE_BYTES
from tests.unit.agent.options import RELEASES, agent

# What a YAML reader may take for something else, and what a writer may fail to escape.
TRICKY = st.sampled_from(
    [
        "",
        "1e3",
        "685e230",
        "0o17",
        "0x1F",
        "y",
        "no",
        "on",
        "~",
        "null",
        "1_000",
        "1:30",
        "2001-01-01",
        "=",
        "<<",
        "- a",
    ]
) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = TRICKY | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TRICKY, inner, max_size=3))
OBJECTS = st.dictionaries(TRICKY, DATA, max_size=3)
STRINGS = st.dictionaries(TRICKY, TRICKY, max_size=3)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
LABELS = st.dictionaries(NAMES, st.just("") | NAMES, max_size=3)
FLAGS = st.builds("--{}={}".format, st.sampled_from(["v", "predictor-port", "kube-api-qps", "cluster-labels"]), TRICKY)

OPTIONS = st.fixed_dictionaries(
    {
        "release": st.sampled_from([one for one in RELEASES if one >= "v0.15.0"]),
        "image": NAMES,
        "namespace": NAMES,
        "replicas": st.integers(0, 9),
        "imagePullPolicy": st.sampled_from(["", "Always"]),
        "imagePullSecrets": st.lists(NAMES, max_size=2).map(tuple),
        "resources": OBJECTS,
        "nodeSelector": STRINGS,
        "tolerations": st.lists(OBJECTS, max_size=2).map(tuple),
        "affinity": OBJECTS,
        "priorityClassName": st.just("") | NAMES,
        "podLabels": STRINGS,
        "podAnnotations": STRINGS,
        "env": st.lists(st.fixed_dictionaries({"name": NAMES, "value": TRICKY}), max_size=2).map(tuple),
        "syncMode": st.sampled_from(["Push", "Pull", "Dual"]),
        "clusterType": st.sampled_from(["StandardCluster", "EdgeCluster"]),
        "featureGates": st.dictionaries(st.sampled_from(["Recovery", "MultiClusterService"]), st.booleans()),
        "extraArgs": st.lists(FLAGS, max_size=4).map(tuple),
    }
)
REGISTRATIONS = st.builds(Registration, name=st.just("") | NAMES, name_prefix=st.just("") | NAMES, labels=LABELS)

# A line of block-style YAML: dashes, a quoted key, and a quoted string, a number, a bool, or an empty collection.
LINE = re.compile(
    r' *(?:- )*(?:"(?:[^"\\]|\\.)*":)?(?: ?(?:"(?:[^"\\]|\\.)*"|true|false|-?\d+(?:\.\d+)?(?:e[+-]\d+)?|\[\]|\{\}))?\Z'
)


def texts(options: dict[str, Any], registration: Registration, token: str) -> tuple[list[dict[str, Any]], list[str]]:
    agent_options = agent(**options)
    identity = manifests.identity_objects(agent_options)
    secret = manifests.registration_object(agent_options, "https://parent:6443", token)
    objects = [*identity, secret, *manifests.agent_objects(agent_options, registration, "c" * 64)]
    values = [
        *identity_values(agent_options).values(),
        *registration_values(agent_options, "https://parent:6443", token).values(),
        *AgentPayload(agent_options).values(registration, "c" * 64).values(),
    ]
    return objects, values


def typed(value: Any) -> Any:
    """Spell out types, so that 1 is not equal to True or 1.0."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [typed(item) for item in value]
    return (type(value).__name__, value)


@given(OPTIONS, REGISTRATIONS, TRICKY)
def test_two_readers_find_the_same_objects_with_the_same_types(
    options: dict[str, Any], registration: Registration, token: str
) -> None:
    objects, values = texts(options, registration, token)
    written = [typed(one) for one in objects]

    pyyaml = [typed(one) for text in values for one in yaml.load_all(text, Loader=yaml.CSafeLoader)]
    ruamel = [typed(one) for text in values for one in YAML(typ="safe", pure=True).load_all(text)]

    assert pyyaml == written
    assert ruamel == written


@given(OPTIONS, REGISTRATIONS, TRICKY)
def test_every_string_is_quoted_and_every_value_long_enough(
    options: dict[str, Any], registration: Registration, token: str
) -> None:
    _, values = texts(options, registration, token)

    lines = [line for text in values for line in text.split("\n") if line != "---"]

    assert [line for line in lines if not LINE.match(line)] == []
    assert min(len(text.encode()) for text in values) >= MIN_VALUE_BYTES


@given(OPTIONS, REGISTRATIONS)
def test_there_are_eleven_objects_or_twelve_with_the_deployers_own_role(
    options: dict[str, Any], registration: Registration
) -> None:
    objects, values = texts(options, registration, "abcdef.0123456789abcdef")

    assert len(objects) == (12 if options["release"] < "v0.15.2" else 11)
    assert sum(text.startswith("---\n") for text in values) == len(values)
    assert sum(text.count("\n---\n") + 1 for text in values) == len(objects)


@given(OPTIONS, REGISTRATIONS)
def test_identity_depends_on_the_namespace_alone(options: dict[str, Any], registration: Registration) -> None:
    _, values = texts(options, registration, "abcdef.0123456789abcdef")

    assert values[:2] == list(identity_values(agent(namespace=options["namespace"])).values())
