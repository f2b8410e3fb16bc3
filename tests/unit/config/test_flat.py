"""`config.flat`: a ConfigMap of flat keys is the same configuration."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.config import decode
from tests.support.configs import BAD, DROP, TOKEN, changed, item, results_of

FLAT: dict[str, Any] = {
    "name": "fleet",
    "parentURL": "https://parent.example.com:6443",
    "registrationToken.secretRef.name": "clusternet-registration",
    "clusterSelector": "clusternet.io/register=true",
}


def config_map(data: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The smallest configuration as kpt would hand it over, with other data; DROP removes a key."""
    merged = {key: value for key, value in {**FLAT, **data}.items() if value is not DROP}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "function-input"}, "data": merged, **more}


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        pytest.param({}, {}, id="the smallest"),
        pytest.param({"agent.image": "a:v0.17.0"}, {"agent.image": "a:v0.17.0"}, id="a string"),
        pytest.param({"agent.replicas": "1"}, {"agent.replicas": 1}, id="a number"),
        pytest.param({"agent.replicas": 1}, {"agent.replicas": 1}, id="a number that lost its quotes"),
        pytest.param({"gitops.argocd": "true"}, {"gitops.argocd": True}, id="a boolean"),
        pytest.param({"gitops.argocd": True}, {"gitops.argocd": True}, id="a boolean that lost its quotes"),
        pytest.param({"identity.mode": "PerCluster"}, {"identity.mode": "PerCluster"}, id="an enum"),
        pytest.param({"guard.maxRemovedClusters": "3"}, {"guard.maxRemovedClusters": 3}, id="a count"),
        pytest.param({"guard.maxRemovedClusters": "3%"}, {"guard.maxRemovedClusters": "3%"}, id="a percentage"),
        pytest.param({"namespaces": "a, b"}, {"namespaces": ["a", "b"]}, id="a list"),
        pytest.param({"namespaces": '["a", "b"]'}, {"namespaces": ["a", "b"]}, id="a list in JSON"),
        pytest.param({"agent.imagePullSecrets": "a,b"}, {"agent.imagePullSecrets": ["a", "b"]}, id="a list of names"),
        pytest.param(
            {"agent.extraArgs": '["--cluster-labels=a=b,c=d"]'},
            {"agent.extraArgs": ["--cluster-labels=a=b,c=d"]},
            id="a list of strings with commas",
        ),
        pytest.param({"agent.podLabels": "a=b,c=d"}, {"agent.podLabels": {"a": "b", "c": "d"}}, id="a map"),
        pytest.param({"agent.podLabels": '{"a": "b"}'}, {"agent.podLabels": {"a": "b"}}, id="a map in JSON"),
        pytest.param(
            {"agent.podLabels.a.example.com/b": "c", "agent.podLabels.d": "e"},
            {"agent.podLabels": {"a.example.com/b": "c", "d": "e"}},
            id="a map by keys, dots and all",
        ),
        pytest.param(
            {"agent.featureGates": "Predictor=false,X=true"},
            {"agent.featureGates": {"Predictor": False, "X": True}},
            id="a map of booleans",
        ),
        pytest.param(
            {"agent.featureGates.Predictor": "false"}, {"agent.featureGates": {"Predictor": False}}, id="one gate"
        ),
        pytest.param(
            {"clusterSelector": "env=prod,region in (eu),!old"},
            {
                "clusterSelector": {
                    "matchLabels": {"env": "prod"},
                    "matchExpressions": [
                        {"key": "region", "operator": "In", "values": ["eu"]},
                        {"key": "old", "operator": "DoesNotExist"},
                    ],
                }
            },
            id="a selector",
        ),
        pytest.param(
            {"clusterSelector": '{"matchLabels": {"a": "b"}}'},
            {"clusterSelector": {"matchLabels": {"a": "b"}}},
            id="a selector in JSON",
        ),
        pytest.param(
            {"clusterSelector": DROP, "clusterSelector.matchLabels": "a=b"},
            {"clusterSelector": {"matchLabels": {"a": "b"}}},
            id="a selector by its parts",
        ),
        pytest.param(
            {"agent.tolerations": '[{"operator": "Exists"}]'},
            {"agent.tolerations": [{"operator": "Exists"}]},
            id="a list of objects in JSON",
        ),
        pytest.param(
            {"agent.resources.limits": "cpu=1,memory=1Gi"},
            {"agent.resources": {"limits": {"cpu": "1", "memory": "1Gi"}}},
            id="quantities",
        ),
        pytest.param(
            {"registrationToken.secretRef.name": DROP, "registrationToken": '{"env": "CLUSTERNET_T"}'},
            {"registrationToken": {"env": "CLUSTERNET_T"}},
            id="an object in JSON",
        ),
    ],
)
def test_flat_keys_mean_what_the_fields_mean(data: dict[str, Any], changes: dict[str, Any]) -> None:
    flat, nested = decode(item(config_map(data))), decode(item(changed(changes)))
    assert flat.replace(root=nested.root, origin=nested.origin) == nested


@pytest.mark.parametrize(
    ("data", "field", "part"),
    [
        pytest.param({"agent.replica": "1"}, "data.agent.replica", "did you mean agent.replicas?", id="a typo"),
        pytest.param({"replicas": "1"}, "data.replicas", "did you mean agent.replicas?", id="the last part alone"),
        pytest.param({"zzzzzz": "1"}, "data.zzzzzz", "is not a known field", id="like nothing"),
        pytest.param({"spec.mode": "Check"}, "data.spec.mode", "leave out spec.", id="with spec"),
        pytest.param({"mode.x": "1"}, "data.mode.x", "did you mean mode?", id="below a string"),
        pytest.param({"agent.": "1"}, "data.agent.", "did you mean agent?", id="a dot at the end"),
        pytest.param({"": "1"}, "data.", "is not a known field", id="an empty key"),
        pytest.param({"agent.podLabels.": "x"}, "data.agent.podLabels.", "did you mean", id="a map without a key"),
        pytest.param({"agent.replicas": "three"}, "data.agent.replicas", "must be a whole number", id="no number"),
        pytest.param({"agent.replicas": "9" * 30}, "data.agent.replicas", "must be a whole number", id="a long number"),
        pytest.param({"gitops.flux": "yes"}, "data.gitops.flux", "must be true or false", id="no boolean"),
        pytest.param({"gitops": "true"}, "data.gitops", "must be an object in JSON", id="text for an object"),
        pytest.param({"agent.tolerations": "x"}, "data.agent.tolerations", "a list in JSON", id="text for a list"),
        pytest.param(
            {"agent.tolerations": "[{"}, "data.agent.tolerations", "not valid JSON at character 3", id="bad JSON"
        ),
        pytest.param({"agent.tolerations": "[" * 99999}, "data.agent.tolerations", "is not valid JSON", id="deep JSON"),
        pytest.param(
            {"agent.resources": '{"limits": {}, "limits": {}}'}, "data.agent.resources", "a key twice", id="JSON twice"
        ),
        pytest.param({"agent.podLabels": "a"}, "data.agent.podLabels", "key=value pairs", id="no pair"),
        pytest.param({"agent.podLabels": "a=b,a=c"}, "data.agent.podLabels", "gives a twice", id="a key twice"),
        pytest.param({"agent.podLabels": "a=-"}, "data.agent.podLabels[a]", "must be letters", id="a bad label"),
        pytest.param(
            {"clusterSelector": "a in b"}, "data.clusterSelector", "kubectl's selector syntax", id="bad selector"
        ),
        pytest.param({"clusterSelector": ""}, "data.clusterSelector", "would match every Cluster", id="empty selector"),
        pytest.param(
            {"clusterSelector": "a in ()"},
            "data.clusterSelector.matchExpressions[0].values",
            "at least one entry",
            id="no values",
        ),
        pytest.param(
            {"agent.podLabels": "a=b", "agent.podLabels.c": "d"},
            "data.agent.podLabels.c",
            "sets the same field as agent.podLabels",
            id="a map and a key of it",
        ),
        pytest.param(
            {"agent": "{}", "agent.image": "a:v0.18.1"},
            "data.agent.image",
            "sets the same field as agent",
            id="a section twice",
        ),
        pytest.param({"name": DROP}, "data.name", "is required", id="no name"),
        pytest.param({"name": "Fleet"}, "metadata.name", "must be lower-case", id="a bad name"),
        pytest.param({"name": 5}, "data.name", "put it in quotes", id="a name that is a number"),
        pytest.param({"parentURL": DROP}, "data.parentURL", "is required", id="no parent"),
        pytest.param({"agent.image": True}, "data.agent.image", "put it in quotes", id="a boolean for a string"),
        pytest.param({"namespaceSelector": "a", "namespaces": "b"}, "data.namespaces", "choose one", id="two scopes"),
    ],
)
def test_a_bad_key_or_value_gets_one_error_at_its_key(data: dict[str, Any], field: str, part: str) -> None:
    results = results_of(config_map(data))
    assert [result.field for result in results] == [field]
    assert part in results[0].message


@pytest.mark.parametrize(
    "data",
    [
        pytest.param({f"registrationToken.{TOKEN}": "x"}, id="in a key"),
        pytest.param({TOKEN: "x"}, id="as a key"),
        pytest.param({"registrationToken": TOKEN}, id="instead of an object"),
        pytest.param({"registrationToken": f'{{"value": "{TOKEN}"'}, id="in broken JSON"),
        pytest.param({"clusterSelector": f"a in {TOKEN}"}, id="in a selector"),
        pytest.param({"clusterSelector": f"a={TOKEN},a=b"}, id="as a label"),
        pytest.param({"agent.podLabels": f"{TOKEN}=b,{TOKEN}=c"}, id="as a key of a map"),
        pytest.param({"parentURL": f"https://a:{TOKEN}@b"}, id="in the URL"),
    ],
)
def test_a_token_in_a_wrong_place_is_never_shown(data: dict[str, Any]) -> None:
    results = results_of(config_map(data))
    assert results
    assert TOKEN not in repr(results)


def test_a_key_of_the_token_section_is_shown_only_so_far() -> None:
    first, *_ = results_of(config_map({"registrationToken.hunter2": "x"}))
    assert first.field == "data.registrationToken[…]"


def test_an_inline_token_is_warned_about_at_its_key() -> None:
    data = {"registrationToken.secretRef.name": DROP, "registrationToken.value": TOKEN}
    (warning,) = decode(item(config_map(data))).warnings
    assert warning.field == "data.registrationToken.value"


def test_a_config_map_of_another_name_than_kpts_is_called_by_it() -> None:
    document = config_map({"name": DROP}, metadata={"name": "edge", "namespace": "mgmt"})
    config = decode(item(document))
    assert (config.namespace, config.name) == ("mgmt", "edge")


@pytest.mark.parametrize(
    ("document", "field"),
    [
        pytest.param(config_map({}, binaryData={"x": "eA=="}), "binaryData", id="binary data"),
        pytest.param({**config_map({}), "data": {}}, "data", id="no data"),
        pytest.param({**config_map({}), "data": ["x"]}, "data", id="data that is a list"),
    ],
)
def test_a_config_map_that_holds_anything_else_is_refused(document: dict[str, Any], field: str) -> None:
    assert results_of(document)[0].field == field


def test_an_immutable_config_map_is_fine() -> None:
    assert decode(item(config_map({}, immutable=True))).name == "fleet"


# text is how flat keys give these
FINE_AS_TEXT = {"a boolean in quotes", "a number in quotes", "one namespace without a dash", "replicas in quotes"}
FINE_AS_TEXT.add("a selector in kubectl's syntax")
SCALARS = {
    name: (next(iter(changes.items())), field)
    for name, (changes, field, _) in BAD.items()
    if len(changes) == 1 and isinstance(next(iter(changes.values())), str) and name not in FINE_AS_TEXT
}


@pytest.mark.parametrize(("change", "field"), SCALARS.values(), ids=SCALARS)
def test_what_is_refused_as_a_field_is_refused_as_a_flat_key(change: tuple[str, str], field: str) -> None:
    key, value = change
    fields = {result.field for result in results_of(config_map({key: value}))}
    assert any(one.startswith(field.replace("spec.", "data.", 1)) for one in fields)
