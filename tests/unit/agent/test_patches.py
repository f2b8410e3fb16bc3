"""JSON merge patches on agent objects."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.agent import checks, manifests
from krm_fn.agent.manifests import Registration
from krm_fn.krm.results import Errors
from krm_fn.model import Patch
from tests.unit.agent.options import ELEVEN, agent


def patch(kind: str, name: str, **value: Any) -> Patch:
    return Patch(kind=kind, name=name, patch=value)


@pytest.mark.parametrize(
    ("target", "change", "expected"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_gives_what_the_examples_of_rfc_7386_say(target: Any, change: Any, expected: Any) -> None:
    assert manifests.merged(target, change) == expected


def test_a_merge_changes_neither_of_its_arguments() -> None:
    target: dict[str, Any] = {"a": {"b": 1}}
    change: dict[str, Any] = {"a": {"b": None, "c": 2}}

    manifests.merged(target, change)

    assert target == {"a": {"b": 1}}
    assert change == {"a": {"b": None, "c": 2}}


def test_patches_on_one_object_apply_in_their_order() -> None:
    options = agent(
        patches=(
            patch("Deployment", "clusternet-agent", spec={"replicas": 1, "revisionHistoryLimit": 3}),
            patch("Deployment", "clusternet-agent", spec={"replicas": 2}),
        )
    )

    spec = manifests.agent_objects(options, Registration())[-1]["spec"]

    assert (spec["replicas"], spec["revisionHistoryLimit"]) == (2, 3)


@pytest.mark.parametrize(
    ("kind", "name"),
    ELEVEN,
)
def test_every_object_can_be_patched(kind: str, name: str) -> None:
    options = agent(patches=(patch(kind, name, metadata={"labels": {"patched": "yes"}}),))
    objects = [
        *manifests.identity_objects(options),
        manifests.registration_object(options, "https://p", "t"),
        *manifests.agent_objects(options, Registration()),
    ]

    found = [
        (one["kind"], one["metadata"]["name"]) for one in objects if "patched" in one["metadata"].get("labels", {})
    ]

    assert found == [(kind, name)]


def test_a_patch_without_a_target_is_an_error_that_lists_the_targets() -> None:
    options = agent(patches=(patch("Deployment", "agent", spec={}),))

    with pytest.raises(Errors) as raised:
        checks.review(options)

    (result,) = raised.value.results
    assert result.field == "spec.agent.patches[0].target.name"
    assert result.message == "there is no agent object Deployment agent to patch: did you mean clusternet-agent?"
    assert result.fix == "name: clusternet-agent"
    assert "\n" not in result.message


def test_the_deployers_own_role_is_a_target_only_where_there_is_one() -> None:
    change = (patch("ClusterRole", "clusternet:app:deployer", rules=[]),)

    assert manifests.agent_objects(agent("v0.15.1", patches=change), Registration())[4]["rules"] == []
    with pytest.raises(Errors, match="no agent object"):
        checks.review(agent("v0.15.2", patches=change))


@pytest.mark.parametrize(
    ("kind", "name", "change", "reason"),
    [
        ("Deployment", "clusternet-agent", {"apiVersion": "apps/v2"}, "must not change apiVersion"),
        ("Deployment", "clusternet-agent", {"kind": "DaemonSet"}, "must not change kind"),
        ("Deployment", "clusternet-agent", {"metadata": {"name": "x"}}, "must not change metadata.name"),
        ("Deployment", "clusternet-agent", {"metadata": {"namespace": None}}, "must not change metadata.namespace"),
        (
            "ClusterRole",
            "clusternet:agent:admin",
            {"metadata": {"namespace": "x"}},
            "must not change metadata.namespace",
        ),
        ("Deployment", "clusternet-agent", {"metadata": None}, "must keep metadata an object"),
        ("Deployment", "clusternet-agent", {"metadata": []}, "must keep metadata an object"),
        ("Namespace", "clusternet-system", {"metadata": {"labels": []}}, "must keep metadata.labels an object"),
        (
            "Namespace",
            "clusternet-system",
            {"metadata": {"labels": {"a": 1}}},
            "gives metadata.labels[a] a value that is",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"metadata": {"annotations": {"a": True}}}}},
            "gives spec.template.metadata.annotations[a] a value that is not a string",
        ),
        (
            "Namespace",
            "clusternet-system",
            {"metadata": {"labels": {"team": "Platform Team"}}},
            "gives metadata.labels[team] a bad value: it must be letters",
        ),
        (
            "Namespace",
            "clusternet-system",
            {"metadata": {"annotations": {"a note": "x"}}},
            "gives metadata.annotations a bad key 'a note': it has a name part",
        ),
        ("Deployment", "clusternet-agent", {"spec": {"replicas": "2"}}, "must keep spec.replicas a whole number"),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"spec": {"containers": {"name": "x", "image": "y"}}}}},
            "must keep spec.template.spec.containers a list",
        ),
        ("ServiceAccount", "clusternet-app-deployer", {"secrets": {"name": "x"}}, "must keep secrets a list"),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"spec": {"containers": [{"name": "clusternet-agent", "env": []}]}}}},
            "must leave every container a name and an image",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"spec": {"initContainers": 1}}}},
            "must leave every container a name and an image",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"spec": {"initContainers": ["wait"]}}}},
            "must leave every container a name and an image",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"spec": None}}},
            "must leave every container a name and an image",
        ),
        ("Deployment", "clusternet-agent", {"spec": {"template": None}}, "must keep spec.template.metadata an object"),
        ("Deployment", "clusternet-agent", {"spec": 3}, "leaves no spec: give the fields to change"),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"selector": None}},
            "must not make the labels of spec.template differ",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"metadata": {"labels": {"app": "x"}}}}},
            "must not make the labels of spec.template differ from spec.selector",
        ),
        (
            "Deployment",
            "clusternet-agent",
            {"spec": {"template": {"metadata": {"labels": None}}}},
            "must not make the labels of spec.template differ from spec.selector",
        ),
        ("Secret", "clusternet-app-deployer", {"type": "Opaque"}, "must not change type"),
        ("Secret", "clusternet-agent-cluster-registration", {"data": {"regToken": "x"}}, "must not change data"),
        ("Secret", "clusternet-agent-cluster-registration", {"stringData": {"a": "x"}}, "must not change stringData"),
    ],
)
def test_a_patch_that_would_break_the_object_is_an_error(
    kind: str, name: str, change: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Errors) as raised:
        checks.review(agent(patches=(Patch(kind=kind, name=name, patch=change),)))

    (result,) = raised.value.results
    assert result.field == "spec.agent.patches[0].patch"
    assert result.message.startswith(f"patch on {kind} {name} {reason}")


def test_every_wrong_patch_is_reported_at_once_and_a_good_one_in_between_is_not() -> None:
    options = agent(
        patches=(
            patch("Deployment", "clusternet-agent", metadata=None),
            patch("Deployment", "clusternet-agent", spec={"replicas": 2}),
            patch("Pod", "x"),
            Patch(kind="Deployment", name="clusternet-agent", patch={"kind": "X", "apiVersion": "y"}),
        )
    )

    with pytest.raises(Errors) as raised:
        checks.review(options)

    assert [result.field for result in raised.value.results] == [
        "spec.agent.patches[0].patch",
        "spec.agent.patches[2].target.kind",
        "spec.agent.patches[3].patch",
        "spec.agent.patches[3].patch",
    ]


def test_a_refused_patch_value_is_not_shown() -> None:
    planted = "planted.0123456789abcdef"
    options = agent(
        patches=(patch("Secret", "clusternet-agent-cluster-registration", stringData={"regToken": planted}),)
    )

    with pytest.raises(Errors) as raised:
        checks.review(options)

    assert planted not in str(raised.value)
