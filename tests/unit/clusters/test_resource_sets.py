"""A ClusterResourceSet as it is read anywhere: in earlier output, in a baseline, in a dump of a server."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.clusters import capi
from krm_fn.surface import OWNER_ANNOTATION, REGISTRATION_NAME_ANNOTATION

PROD = {"matchLabels": {"env": "prod"}}
MAIN = [{"kind": "Secret", "name": "n-registration"}, {"kind": "ConfigMap", "name": "n-agent"}]


def value(spec: Any = None, name: str = "n", **annotations: Any) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "team-a", "annotations": {OWNER_ANNOTATION: "fleet", **annotations}}
    return {"metadata": metadata, "spec": {"clusterSelector": PROD, "resources": MAIN} if spec is None else spec}


def test_a_set_is_read_with_its_owner_and_what_it_delivers() -> None:
    found = capi.read_set(value())
    assert (found.key.title, found.owner) == ("ClusterResourceSet team-a/n", "fleet")
    assert found.resources == (("Secret", "n-registration"), ("ConfigMap", "n-agent"))
    assert found.selector_data == PROD
    assert found.strategy == "ApplyOnce"  # as the API server has it where none is given


@pytest.mark.parametrize(
    ("resources", "agent", "identity"),
    [
        pytest.param(MAIN, True, False, id="a main set"),
        pytest.param([{"kind": "ConfigMap", "name": "n"}], False, True, id="its own ConfigMap alone"),
        pytest.param([{"kind": "ConfigMap", "name": "n"}] * 2, False, True, id="the same twice"),
        pytest.param([{"kind": "ConfigMap", "name": "n"}, *MAIN], True, False, id="everything in one set"),
        pytest.param([{"kind": "ConfigMap", "name": "other"}], True, False, id="another ConfigMap"),
        pytest.param([], False, False, id="nothing"),
        pytest.param(None, False, False, id="no list"),
        pytest.param(["n", None, 7], False, False, id="a list of anything"),
    ],
)
def test_what_a_set_delivers_tells_what_it_is_for(resources: Any, agent: bool, identity: bool) -> None:  # noqa: FBT001
    found = capi.read_set(value({"clusterSelector": PROD, "resources": resources}))
    assert (found.delivers_agent, found.identity_only) == (agent, identity)


@pytest.mark.parametrize(
    ("selector", "labels", "expected"),
    [
        pytest.param(PROD, {"env": "prod", "more": "x"}, True, id="matches"),
        pytest.param(PROD, {"env": "dev"}, False, id="another value"),
        pytest.param({}, {"env": "prod"}, False, id="an empty selector selects nothing"),
        pytest.param(None, {"env": "prod"}, False, id="none"),
        pytest.param("env=prod", {"env": "prod"}, False, id="text"),
        pytest.param({"matchLabels": {"env": 1}}, {"env": "1"}, False, id="a number"),
        pytest.param({"matchExpressions": [{"key": "env", "operator": "Near"}]}, {"env": "prod"}, False, id="a bad operator"),
        pytest.param({"matchExpressions": [{"key": "off", "operator": "DoesNotExist"}]}, {}, True, id="absence"),
    ],
)  # fmt: skip
def test_a_set_selects_what_cluster_api_selects(selector: Any, labels: Any, expected: bool) -> None:  # noqa: FBT001
    assert capi.read_set(value({"clusterSelector": selector})).matches(labels) is expected


@pytest.mark.parametrize(
    ("annotations", "selector", "expected"),
    [
        pytest.param({REGISTRATION_NAME_ANNOTATION: "web"}, {"matchLabels": {capi.CLUSTER_NAME_LABEL: "web-1"}}, "web-1", id="PerCluster"),
        pytest.param({}, {"matchLabels": {capi.CLUSTER_NAME_LABEL: "web-1"}}, "", id="Shared that selects by name"),
        pytest.param({REGISTRATION_NAME_ANNOTATION: 7}, {"matchLabels": {capi.CLUSTER_NAME_LABEL: "web-1"}}, "", id="no name"),
        pytest.param({REGISTRATION_NAME_ANNOTATION: "web"}, PROD, "", id="a selector of labels"),
    ],
)  # fmt: skip
def test_a_set_of_one_cluster_names_it(annotations: Any, selector: Any, expected: str) -> None:
    assert capi.read_set(value({"clusterSelector": selector}, **annotations)).cluster == expected


@pytest.mark.parametrize("broken", [{}, {"metadata": [], "spec": 1}, {"metadata": {"name": 1, "annotations": "x"}}])
def test_a_field_of_the_wrong_type_counts_as_absent(broken: Any) -> None:
    found = capi.read_set(broken)
    assert (found.name, found.namespace, found.owner, found.resources, found.registration_name) == ("", "", "", (), "")
    assert found.selector.empty
