"""The feature gate of a CoreProvider of cluster-api-operator."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.featuregate import review
from krm_fn.krm.results import ERROR, INFO, WARNING
from tests.unit.reviews.builders import config, core_provider, items, messages, secret, severities

GATES_ON = {"manager": {"featureGates": {"ClusterResourceSet": True}}}
GATES_OFF = {"manager": {"featureGates": {"MachinePool": True, "ClusterResourceSet": False}}}
ARGS = "--feature-gates"


def containers(value: str, key: str = ARGS, name: str = "manager") -> dict[str, Any]:
    return {"deployment": {"containers": [{"name": "proxy"}, {"name": name, "args": {key: value}}]}}


@pytest.mark.parametrize(
    ("version", "spec", "expected", "said"),
    [
        pytest.param("v1.5.3", {}, [ERROR], "is off", id="v1.5: the shipped manifest has it off"),
        pytest.param("v1.5.3", GATES_ON, [INFO, INFO], "is on, as", id="v1.5, on"),
        pytest.param("v1.5.3", GATES_OFF, [ERROR, INFO], "denies every", id="v1.5, off"),
        pytest.param("v1.5.3", {"manager": {"featureGates": {"A": True}}}, [ERROR], "is off", id="v1.5, other gates"),
        pytest.param("v1.5.3", containers("ClusterResourceSet=true"), [INFO], "is on", id="v1.5, container args"),
        pytest.param("v1.5.3", containers("A=1", "feature-gates"), [ERROR], "is off", id="v1.5, args without it"),
        pytest.param(
            "v1.5.3",
            {"manager": {"additionalArgs": {ARGS: "ClusterResourceSet=1"}}},
            [INFO],
            "is on",
            id="additionalArgs",
        ),
        pytest.param(
            "v1.5.3",
            containers("ClusterResourceSet=true", name="proxy2"),
            [ERROR],
            "is off",
            id="another container's args",
        ),
        pytest.param(
            "v1.5.3",
            {"manager": {"featureGates": {"ClusterResourceSet": "true"}}},
            [INFO, INFO],
            "is on",
            id="v1.5, a quoted boolean",
        ),
        pytest.param(
            "v1.6.1", {"manifestPatches": ["x: --feature-gates=A"]}, [WARNING, WARNING], "can't be", id="patch"
        ),
        pytest.param(
            "v1.12.0",
            {"patches": [{"patch": "ClusterResourceSet=true"}]},
            [INFO, WARNING],
            "not inspected",
            id="v1.12, patch",
        ),
        pytest.param("v1.12.0", {"patches": [{"patch": "replicas: 2"}, 7]}, [INFO], "no longer", id="another patch"),
        pytest.param("v1.9.0", {}, [INFO], "by default", id="v1.9"),
        pytest.param("v1.9.0", GATES_OFF, [ERROR], "denies every", id="v1.9, switched off"),
        pytest.param(
            "v1.9.0", {"manager": {"featureGates": {"AllBeta": False}}}, [ERROR], "is off", id="v1.9, stage off"
        ),
        pytest.param("v1.12.0", GATES_ON, [ERROR], "unrecognized feature gate", id="v1.12, on"),
        pytest.param("v1.12.0", containers("ClusterResourceSet=true"), [ERROR], "unrecognized", id="v1.12, args"),
        pytest.param("v1.12.0", {}, [INFO], "not passed", id="v1.12"),
        pytest.param(None, GATES_ON, [WARNING], "no spec.version", id="no version: the newest"),
        pytest.param("main", {}, [WARNING], "'main' is not a version", id="no version in it"),
    ],
)
def test_the_check_judges_the_gate_by_the_release(
    version: str | None, spec: dict[str, Any], expected: list[str], said: str
) -> None:
    found = review(items(core_provider(version, **spec)), config())
    assert severities(found.results) == expected
    assert said in messages(found.results)
    assert not found.revised


@pytest.mark.parametrize(
    ("version", "spec", "after"),
    [
        pytest.param("v1.5.3", {}, GATES_ON, id="added"),
        pytest.param(
            "v1.5.3",
            {"manager": {"verbosity": 2}},
            {"manager": {"verbosity": 2, "featureGates": {"ClusterResourceSet": True}}},
            id="added beside others",
        ),
        pytest.param(
            "v1.5.3",
            GATES_OFF,
            {"manager": {"featureGates": {"MachinePool": True, "ClusterResourceSet": True}}},
            id="switched on",
        ),
        pytest.param(
            "v1.5.3",
            containers("A=1,ClusterResourceSet=false"),
            containers("A=1,ClusterResourceSet=true"),
            id="switched on in the args",
        ),
        pytest.param(
            "v1.9.0",
            GATES_OFF,
            {"manager": {"featureGates": {"MachinePool": True, "ClusterResourceSet": True}}},
            id="v1.9",
        ),
        pytest.param("v1.12.0", GATES_OFF, {"manager": {"featureGates": {"MachinePool": True}}}, id="taken out"),
        pytest.param("v1.12.0", GATES_ON, {}, id="taken out, and what is empty with it"),
        pytest.param(
            "v1.12.0",
            {"manager": {"featureGates": {"ClusterResourceSet": True}, "verbosity": 1}},
            {"manager": {"verbosity": 1}},
            id="taken out, the rest stays",
        ),
        pytest.param(
            "v1.12.0", containers("A=1,ClusterResourceSet=true"), containers("A=1"), id="taken out of the args"
        ),
        pytest.param(
            "v1.12.0",
            containers("ClusterResourceSet=true"),
            {"deployment": {"containers": [{"name": "proxy"}, {"name": "manager", "args": {}}]}},
            id="the flag taken out",
        ),
    ],
)
def test_ensure_changes_only_the_gate(version: str, spec: dict[str, Any], after: dict[str, Any]) -> None:
    first = review(items(core_provider(version, **spec)), config(feature_gate="Ensure"))
    assert first.revised[0] == core_provider(version, **after)
    second = review(items(dict(first.revised[0])), config(feature_gate="Ensure"))
    assert not second.revised
    assert second.results == first.results


def test_ensure_warns_that_older_operators_replace_the_list() -> None:
    found = review(items(core_provider("v1.5.3")), config(feature_gate="Ensure"))
    assert severities(found.results) == [INFO, INFO]
    assert "operators before v0.26.0" in messages(found.results)


def test_ensure_adds_no_field_that_the_api_version_may_not_have() -> None:
    found = review(items(core_provider("v1.5.3", "v1alpha3")), config(feature_gate="Ensure"))
    assert not found.revised
    assert severities(found.results) == [ERROR]
    assert "v1alpha3 has no spec.manager.featureGates" in messages(found.results)


def test_ensure_changes_what_stands_there_in_any_api_version() -> None:
    given = core_provider("v1.12.0", "v1alpha3", **containers("A=1,ClusterResourceSet=true"))
    found = review(items(given), config(feature_gate="Ensure"))
    assert found.revised[0] == core_provider("v1.12.0", "v1alpha3", **containers("A=1"))


VARIABLE = "EXP_CLUSTER_RESOURCE_SET"
SETTINGS = {"configSecret": {"name": "variables"}}


@pytest.mark.parametrize(
    ("spec", "content", "severity"),
    [
        pytest.param(SETTINGS, {"data": {VARIABLE: "dHJ1ZQ=="}}, INFO, id="on"),
        pytest.param(SETTINGS, {"stringData": {VARIABLE: "true"}}, INFO, id="on, as text"),
        pytest.param(SETTINGS, {"data": {VARIABLE: "ZmFsc2U="}}, ERROR, id="off"),
        pytest.param(SETTINGS, {"data": {}}, ERROR, id="not set"),
        pytest.param(SETTINGS, {"data": {VARIABLE: "ENC[AES256_GCM,data:abc]"}}, WARNING, id="encrypted"),
        pytest.param(SETTINGS, {"data": {VARIABLE: "\u00e9"}}, WARNING, id="no base64"),
        pytest.param({"configSecret": {"name": "other"}}, {"data": {}}, WARNING, id="not in the input"),
        pytest.param(
            {"secretName": "variables", "secretNamespace": "capi-system"},
            {"data": {VARIABLE: "dHJ1ZQ=="}},
            INFO,
            id="v1alpha1",
        ),
    ],
)
def test_the_variable_of_the_configuration_secret_counts(
    spec: dict[str, Any], content: dict[str, Any], severity: str
) -> None:
    holder = {**secret({}, "capi-system", "variables"), **content}
    found = review(items(core_provider("v1.5.3", **spec), holder), config())
    assert severities(found.results) == [severity]


def test_a_provider_of_another_group_is_not_looked_at() -> None:
    given = {**core_provider("v1.5.3"), "apiVersion": "example.com/v1"}
    assert "no CoreProvider" in messages(review(items(given), config()).results)


def test_a_provider_without_a_spec_is_of_unknown_release() -> None:
    given = {**core_provider(), "spec": None}
    assert severities(review(items(given), config(feature_gate="Ensure")).results) == [WARNING]
