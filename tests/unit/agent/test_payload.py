"""Agent objects as the text that a ClusterResourceSet applies."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import yaml

from krm_fn.agent import AgentPayload, documents, identity_values, manifests, registration_values
from krm_fn.agent.manifests import Registration
from krm_fn.model import Patch
from krm_fn.surface import RBAC_KEY
from tests.unit.agent.options import EVERY_OPTION, RELEASES, agent

SHAPES = [
    Registration(name=name, name_prefix=prefix, labels=labels)
    for name, prefix, labels in itertools.product(("", "one"), ("", "fleet"), ({}, {"b": "2", "a/x": "", "HOLE0": "y"}))
]
NO_ARGS = Patch(
    kind="Deployment",
    name="clusternet-agent",
    patch={"spec": {"template": {"spec": {"containers": [{"name": "clusternet-agent", "image": "HOLE:1"}]}}}},
)


def test_documents_begin_with_a_separator_and_have_every_string_in_quotes() -> None:
    text = documents([{"a": "1e3", "b": ["y", 1, True]}, {"kind": "Namespace", "more": {"x": ""}}])

    assert text == '---\n"a": "1e3"\n"b":\n- "y"\n- 1\n- true\n---\n"kind": "Namespace"\n"more":\n  "x": ""\n'


@pytest.mark.parametrize("objects", [[], [{"a": "b"}]], ids=["nothing", "too short"])
def test_a_value_that_a_resource_set_can_not_read_is_never_written(objects: list[Any]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        documents(objects)


@pytest.mark.parametrize("release", RELEASES)
def test_keys_are_numbered_so_that_accounts_come_before_their_token(release: str) -> None:
    options = agent(release)
    values = {
        **identity_values(options),
        **registration_values(options, "https://p", "t"),
        **AgentPayload(options).values(Registration()),
    }

    assert list(values) == sorted(values)
    assert [[one["kind"] for one in yaml.safe_load_all(text)] for text in values.values()][:3] == [
        ["Namespace", "ServiceAccount", "ServiceAccount"],
        ["Secret"],
        ["Secret"],
    ]
    assert [one["kind"] for one in yaml.safe_load_all(values["40-deployment.yaml"])] == ["Deployment"]


@pytest.mark.parametrize("release", RELEASES)
def test_identity_text_is_the_same_under_every_release(release: str) -> None:
    assert identity_values(agent(release)) == identity_values(agent())


@pytest.mark.parametrize("checksum", ["", "c" * 64], ids=["no checksum", "checksum"])
@pytest.mark.parametrize("registration", SHAPES, ids=repr)
@pytest.mark.parametrize(
    "changes",
    [
        {},
        EVERY_OPTION,
        {"podAnnotations": {"HOLE": "HOLEX0;"}},
        {"extraArgs": ("--cluster-labels=z=HOLE2;=", "--cluster-reg-name=x")},
        {"patches": (NO_ARGS,)},
    ],
    ids=["defaults", "every option", "marks in options", "flags replaced", "args patched away"],
)
def test_the_fast_way_writes_what_the_plain_way_writes(
    changes: dict[str, Any], registration: Registration, checksum: str
) -> None:
    options = agent(**changes)
    fast = AgentPayload(options)

    for _ in range(2):  # the second time from what the first kept
        values = fast.values(registration, checksum)
        plain = documents(manifests.agent_objects(options, registration, checksum))
        assert "".join(values.values()) == plain


def test_the_same_rbac_text_is_shared_by_all_registrations() -> None:
    fast = AgentPayload(agent())

    first, second = (fast.values(Registration(name=name))[RBAC_KEY] for name in ("a", "b"))

    assert first is second
