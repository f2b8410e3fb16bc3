"""`config.decode`: from an object to a `Config`, or to every error that it has."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest

from krm_fn.config import decode, is_config, name_of
from krm_fn.krm.results import Errors, ResourceRef
from krm_fn.kube.labels import LabelSelector, Requirement
from krm_fn.kube.secrets import Secret
from krm_fn.model import AgentVersion, KubeconfigRef, Patch
from krm_fn.tokens.sources import ExternalSource, SecretSource
from tests.support.configs import BAD, DROP, GOOD, TOKEN, changed, decoded, errors_of, item, results_of
from tests.support.items import item_of
from tests.support.traces import forms


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_a_good_configuration_is_decoded(changes: dict[str, Any]) -> None:
    assert decoded(changes).name == "fleet"


@pytest.mark.parametrize(("changes", "field", "part"), BAD.values(), ids=BAD)
def test_a_bad_configuration_gets_one_error_with_its_field_and_cause(
    changes: dict[str, Any], field: str, part: str
) -> None:
    results = results_of(changed(changes))
    assert [result.field for result in results] == [field]
    assert part in results[0].message
    assert results[0].message.startswith(field)


def test_defaults_are_those_of_the_contract() -> None:
    config = decoded({})
    assert config.namespace_selector is None
    assert config.namespaces == ()
    assert config.agent["image"] == "ghcr.io/clusternet/clusternet-agent:v0.18.1"
    assert config.agent.version == AgentVersion(major=0, minor=18, patch=1)
    assert config.agent["namespace"] == "clusternet-system"
    assert config.agent["replicas"] == 3
    assert [one["key"] for one in config.agent["tolerations"]] == [
        "node-role.kubernetes.io/control-plane",
        "node-role.kubernetes.io/master",
    ]
    assert list(config.agent["affinity"]) == ["podAntiAffinity"]
    assert (config.agent["syncMode"], config.agent["clusterType"]) == ("Dual", "StandardCluster")
    assert (config.identity.mode, config.identity.name_template) == ("Shared", "{name}")
    assert (config.resource_set.name, config.resource_set.strategy) == ("clusternet-cluster-api", "Reconcile")
    assert config.resource_set.api_version == ""
    assert config.feature_gate == "Check"
    assert config.guard.max_removed is None
    assert config.guard.on_invalid_cluster == "Fail"
    assert config.mode == "Render"
    assert config.token.on_expired == "Warn"
    assert config.token == SecretSource(name="clusternet-registration", namespace="", key="regToken")


def test_file_path_and_namespace_come_from_the_object() -> None:
    config = decoded({"metadata.namespace": "mgmt"}, prefix="")
    assert config.origin["file_path"] == "fleet.yaml"
    assert config.owner == "mgmt/fleet"


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        pytest.param({"registrationToken": {"value": TOKEN}}, "token.value", Secret(TOKEN), id="value"),
        pytest.param({"registrationToken": {"env": "CLUSTERNET_T"}}, "token.variable", "CLUSTERNET_T", id="env"),
        pytest.param({"registrationToken": {"file": "a/b"}}, "token.path", "a/b", id="file"),
        pytest.param({"registrationToken": {"existingSecret": {"name": "x"}}}, "token.name", "x", id="existing"),
        pytest.param(
            {
                "registrationToken": {
                    "externalSecret": {"secretStoreRef": {"name": "v"}, "remoteRef": {"key": "k", "version": "1"}}
                }
            },
            "token",
            ExternalSource(
                store_name="v",
                store_kind="SecretStore",
                remote_ref={"key": "k", "version": "1"},
                refresh_interval="1h",
            ),
            id="external",
        ),
        pytest.param(
            {"clusterSelector": {"matchExpressions": [{"key": "a", "operator": "In", "values": ["y", "x", "y"]}] * 2}},
            "cluster_selector",
            LabelSelector(match_expressions=(Requirement(key="a", operator="In", values=("x", "y")),)),
            id="selector in canonical order",
        ),
        pytest.param({"namespaceSelector": {}}, "namespace_selector", LabelSelector(), id="empty namespace selector"),
        pytest.param({"agent.replicas": 2.0}, "agent.fields.replicas", 2, id="a whole float"),
        pytest.param({}, "agent.fields.priorityClassName", None, id="no value and no default"),
        pytest.param(
            {"agent": {"image": "a:v0.17.0@sha256:" + "0" * 64}},
            "agent.version",
            AgentVersion(major=0, minor=17, patch=0),
            id="version from tag beside a digest",
        ),
        pytest.param(
            {"agent": {"image": "a:5", "version": "0.16.2"}},
            "agent.version",
            AgentVersion(major=0, minor=16, patch=2),
            id="version by field",
        ),
        pytest.param(
            {"agent.podLabels": {"b": "2", "a": "1"}}, "agent.fields.podLabels", {"a": "1", "b": "2"}, id="pod labels"
        ),
        pytest.param(
            {"agent.patches": [{"target": {"kind": "Deployment", "name": "a"}, "patch": {"x": None}}]},
            "agent.patches",
            (Patch(kind="Deployment", name="a", patch={"x": None}),),
            id="patches",
        ),
        pytest.param(
            {"identity": {"mode": "PerCluster", "labelKeys": ["b", "a"]}}, "identity.label_keys", ("a", "b"), id="keys"
        ),
        pytest.param(
            {"clusterResourceSet.apiVersion": "v1beta1"},
            "resource_set.api_version",
            "addons.cluster.x-k8s.io/v1beta1",
            id="short version",
        ),
        pytest.param(
            {"clusterResourceSet.extraResources": [{"kind": "Secret", "name": "a"}]},
            "resource_set.extra_resources",
            [{"kind": "Secret", "name": "a"}],
            id="extra resources",
        ),
        pytest.param(
            {"hub.kubeconfigSecretRef": {"name": "a"}},
            "hub.kubeconfig",
            KubeconfigRef(name="a", key="kubeconfig"),
            id="kubeconfig",
        ),
        pytest.param({"guard.maxRemovedClusters": 4}, "guard.max_removed", 4, id="guard by number"),
        pytest.param({"guard.maxRemovedClusters": "5%"}, "guard.max_removed", "5%", id="guard by percentage"),
    ],
)
def test_a_field_reaches_its_record(changes: dict[str, Any], path: str, expected: object) -> None:
    value: Any = decoded(changes)
    for name in path.split("."):
        value = value[name] if isinstance(value, dict) else getattr(value, name)
    assert value == expected


@pytest.mark.parametrize(
    ("changes", "field", "part"),
    [
        pytest.param(
            {"registrationToken": {"value": TOKEN}}, "spec.registrationToken.value", "in plain text", id="open token"
        ),
        pytest.param(
            {"agent.patches": [{"target": {"kind": "Namespace", "name": "clusternet-system"}, "patch": {}}]},
            "spec.agent.patches[0]",
            "applied once",
            id="patch of an identity object",
        ),
        pytest.param(
            {"agent.resources": {"requests": {"cpu": "500m"}, "limits": {"memory": "512m"}}},
            "spec.agent.resources.limits[memory]",
            "is a fraction of a byte",
            id="half a byte of memory",
        ),
        pytest.param(
            {"agent.version": "v0.17.0"}, "spec.agent.version", "the image's tag says v0.18.1", id="two versions"
        ),
        pytest.param(
            {"agent.extraArgs": ["--cluster-reg-name=one"]},
            "spec.agent.extraArgs[0]",
            "only the first can register",
            id="one name for all",
        ),
        pytest.param(
            {"agent.extraArgs": ["--cluster-reg-namespace=one"]},
            "spec.agent.extraArgs[0]",
            "only the first is ever approved",
            id="one namespace for all",
        ),
    ],
)
def test_what_merits_a_warning_gets_one(changes: dict[str, Any], field: str, part: str) -> None:
    (warning,) = decoded(changes).warnings
    assert warning.severity == "warning"
    assert warning.field == field
    assert part in warning.message


def test_a_patch_of_the_deployment_gets_no_warning() -> None:
    patch = {"target": {"kind": "Deployment", "name": "clusternet-agent"}, "patch": {}}
    assert decoded({"agent.patches": [patch]}).warnings == ()


def test_all_errors_are_reported_at_once_each_with_object_and_file() -> None:
    results = results_of(changed({"parentURL": DROP, "agent.replica": 1, "mode": "x", "clusterSelector": {}}))
    assert [result.field for result in results] == [
        "spec.parentURL",
        "spec.clusterSelector",
        "spec.agent.replica",
        "spec.mode",
    ]
    assert {result.resource_ref for result in results} == {
        ResourceRef(api_version="fn.clusternet.io/v1alpha1", kind="ClusternetCAPIConfig", name="fleet")
    }
    assert {(result.file_path, result.file_index) for result in results} == {("fleet.yaml", 0)}


def test_a_rule_stays_silent_where_a_field_that_it_reads_is_broken() -> None:
    changes = {"agent": {"image": "Bad Image", "syncMode": "Psuh", "featureGates": {"AppPusher": False}}}
    assert [result.field for result in results_of(changed(changes))] == ["spec.agent.image", "spec.agent.syncMode"]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"registrationToken": {"value": [TOKEN]}}, id="in a list"),
        pytest.param({"registrationToken": {"value": {"token": TOKEN}}}, id="in an object"),
        pytest.param({"registrationToken": TOKEN}, id="instead of a source"),
        pytest.param({"registrationToken": [TOKEN]}, id="as a list of sources"),
        pytest.param({"registrationToken": {TOKEN: ""}}, id="as the name of a field"),
        pytest.param({"registrationToken": {"env": TOKEN}}, id="as a variable"),
        pytest.param({"registrationToken": {"secretRef": {"name": TOKEN.upper()}}}, id="as a name"),
        pytest.param({"registrationToken": {"secretRef": TOKEN}}, id="as a reference"),
        pytest.param({"registrationToken": {"onExpired": TOKEN}}, id="as an enum"),
        pytest.param({"parentURL": f"https://x:{TOKEN}@parent"}, id="in the URL"),
        pytest.param({"agent.env": [{"name": "A", "value": [TOKEN]}]}, id="in a variable of the agent"),
        pytest.param({"agent.extraArgs": [f"--cluster-reg-token={TOKEN}"]}, id="in a flag"),
        pytest.param({"agent.extraArgs": [f"--x={TOKEN}", f"--x={TOKEN}0"]}, id="in a flag given twice"),
        pytest.param({"agent.podLabels": {f"-{TOKEN}": TOKEN}}, id="in a label"),
        pytest.param({"mode": TOKEN}, id="in an enum elsewhere"),
        pytest.param({"agent": {TOKEN: TOKEN}}, id="as a field elsewhere"),
        pytest.param({"namespaces": [f"X{TOKEN}"]}, id="in a name elsewhere"),
    ],
)
def test_a_token_in_a_wrong_place_is_never_shown(changes: dict[str, Any]) -> None:
    results = results_of(changed(changes))
    assert results
    assert TOKEN.casefold() not in repr(results).casefold()


@pytest.mark.parametrize(
    ("source", "field"),
    [
        pytest.param({"file": f"tokens/{TOKEN}"}, "file", id="file"),
        pytest.param({"existingSecret": {"name": TOKEN}}, "existingSecret.name", id="existingSecret"),
        pytest.param({"existingSecret": {"name": f"a-{TOKEN}b"}}, "existingSecret.name", id="within a name"),
        pytest.param(
            {"existingSecret": {"name": TOKEN.encode().hex()}}, "existingSecret.name", id="in hexadecimal form"
        ),
        pytest.param({"secretRef": {"name": TOKEN}}, "secretRef.name", id="secretRef"),
        pytest.param({"secretRef": {"name": "a", "key": TOKEN}}, "secretRef.key", id="key"),
        pytest.param(
            {"secretRef": {"name": "a", "key": b64encode(TOKEN.encode()).decode().rstrip("=")}},
            "secretRef.key",
            id="in base64",
        ),
        pytest.param(
            {"externalSecret": {"secretStoreRef": {"name": TOKEN}, "remoteRef": {"key": "a"}}},
            "externalSecret.secretStoreRef.name",
            id="store",
        ),
        pytest.param(
            {"externalSecret": {"secretStoreRef": {"name": "a"}, "remoteRef": {"key": TOKEN}}},
            "externalSecret.remoteRef.key",
            id="remoteRef",
        ),
    ],
)
def test_a_token_where_a_name_belongs_is_refused_and_not_repeated(source: dict[str, Any], field: str) -> None:
    (result,) = results_of(changed({"registrationToken": source}))
    assert result.field == f"spec.registrationToken.{field}"
    assert "looks like a token, where a name or path belongs" in result.message
    assert not any(form in repr(result) for form in forms(TOKEN))


def test_a_secret_number_is_not_shown_either() -> None:
    (message,) = errors_of({"registrationToken": {"value": 123456}})
    assert message == "spec.registrationToken.value must be a string, not a number: put it in quotes"


def test_a_field_name_near_a_source_is_named_and_any_other_is_not() -> None:
    (near,) = errors_of({"registrationToken": {"vlaue": "x"}})
    assert near.endswith("did you mean value?")
    (far,) = errors_of({"registrationToken": {"hunter2hunter2": "x"}})
    assert far.startswith("spec.registrationToken[…] is not a known field: `clusternet-capi-fn explain ")


def test_a_message_stays_one_short_line_whatever_a_value_holds() -> None:
    (message,) = errors_of({"mode": "a\n\x1b[31m" + "b" * 500})
    assert message.isprintable()
    assert len(message) < 160


@pytest.mark.parametrize(
    ("document", "field", "part"),
    [
        pytest.param(
            {"apiVersion": "fn.clusternet.io/v1beta1", "kind": "ClusternetCAPIConfig"},
            "apiVersion",
            "must be fn.clusternet.io/v1alpha1",
            id="another version",
        ),
        pytest.param(
            {"apiVersion": "fn.clusternet.io/v1alpha1", "kind": "ClusternetCapiConfig"},
            "kind",
            "did you mean ClusternetCAPIConfig?",
            id="kind in other capitals",
        ),
        pytest.param(
            {"apiVersion": "fn.clusternet.io/v1alpha1", "kind": "Zebra"}, "kind", 'not "Zebra"', id="another kind"
        ),
        pytest.param(
            {"apiVersion": "clusternet.io/v1alpha1", "kind": "ClusternetCAPIConfig"},
            "apiVersion",
            "must be fn.clusternet.io/v1alpha1",
            id="another group",
        ),
        pytest.param({"apiVersion": "v1", "kind": "Secret"}, "kind", "or ConfigMap of v1", id="something else"),
        pytest.param({}, "kind", "must be ClusternetCAPIConfig", id="nothing"),
    ],
)
def test_an_object_that_is_no_configuration_is_refused(document: dict[str, Any], field: str, part: str) -> None:
    (result,) = results_of(document)
    assert result.field == field
    assert part in result.message


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        pytest.param({"metadata.name": DROP}, "metadata.name", id="no name"),
        pytest.param({"metadata.name": "Fleet"}, "metadata.name", id="a bad name"),
        pytest.param({"metadata.namespace": "a.b"}, "metadata.namespace", id="a bad namespace"),
        pytest.param({"metadata": DROP}, "metadata", id="no metadata"),
        pytest.param({"metadata": []}, "metadata", id="metadata of a wrong type"),
        pytest.param({"spec": DROP}, "spec", id="no spec"),
        pytest.param({"spec": "x"}, "spec", id="spec of a wrong type"),
        pytest.param({"parentURL": "x"}, "parentURL", id="a field beside spec"),
    ],
)
def test_a_bad_envelope_is_refused(changes: dict[str, Any], field: str) -> None:
    results = results_of(changed(changes, prefix=""))
    assert [result.field for result in results] == [field]


def test_other_metadata_passes_unread() -> None:
    changes = {"metadata.annotations": {"config.kubernetes.io/local-config": "true"}, "metadata.labels": {"a": "b"}}
    assert decoded(changes, prefix="").name == "fleet"


def test_plain_scalars_are_typed_as_kubernetes_does() -> None:
    text = b"""\
apiVersion: fn.clusternet.io/v1alpha1
kind: ClusternetCAPIConfig
metadata: {name: fleet}
spec:
  parentURL: https://parent
  registrationToken: {env: CLUSTERNET_TOKEN}
  clusterSelector: {matchLabels: {a: on, b: 1e3}}
  agent: {replicas: 0o3, podLabels: {1: yes}}
"""
    with pytest.raises(Errors) as caught:
        decode(item_of(text, 0))
    assert [result.message for result in caught.value.results] == [
        "spec.clusterSelector.matchLabels[a] must be a label value, not the boolean true: put it in quotes",
        "spec.clusterSelector.matchLabels[b] must be a label value, not the number 1000.0: put it in quotes",
        "spec.agent.podLabels[1] must be a label value, not the boolean true: put it in quotes",
    ]


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(changed({}), True, id="ours"),
        pytest.param({**changed({}), "apiVersion": "fn.clusternet.io/v9"}, True, id="ours of another version"),
        pytest.param({**changed({}), "apiVersion": "example.com/v1"}, False, id="another group"),
        pytest.param({**changed({}), "kind": "Other"}, False, id="another kind"),
        pytest.param({"apiVersion": "v1", "kind": "ConfigMap"}, False, id="a ConfigMap"),
    ],
)
def test_a_configuration_among_the_items_is_known_by_group_and_kind(
    document: dict[str, Any], *, expected: bool
) -> None:
    assert is_config(item(document)) is expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        pytest.param(changed({}), ("", "fleet"), id="a name"),
        pytest.param(changed({"metadata.namespace": "mgmt"}, prefix=""), ("mgmt", "fleet"), id="name and namespace"),
        pytest.param(changed({"metadata": DROP}, prefix=""), ("", ""), id="nothing"),
        pytest.param(
            {"kind": "ConfigMap", "metadata": {"name": "function-input"}, "data": {"name": "fleet"}},
            ("", "fleet"),
            id="a ConfigMap by its key",
        ),
        pytest.param({"kind": "ConfigMap", "metadata": {"name": "fleet"}}, ("", "fleet"), id="a ConfigMap by its name"),
        pytest.param({"kind": "ConfigMap", "metadata": {"name": "function-input"}}, ("", ""), id="kpt's ConfigMap"),
    ],
)
def test_identity_is_known_without_decoding(document: dict[str, Any], expected: tuple[str, str]) -> None:
    assert name_of(item(document)) == expected


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"parentURL": "https://" + ":" * 200_000}, id="a URL"),
        pytest.param({"agent.image": "a-" * 200_000}, id="an image"),
        pytest.param({"identity": {"mode": "PerCluster", "nameTemplate": "{name}" * 50_000 + "!"}}, id="a template"),
        pytest.param({"agent.extraArgs": ["--" + "a" * 500_000]}, id="a flag"),
    ],
)
def test_a_text_of_absurd_length_is_refused_by_its_length(changes: dict[str, Any]) -> None:
    (message,) = errors_of(changes)
    assert "characters long, at most" in message


def test_the_nearest_value_of_an_enum_is_named_where_values_are_hidden() -> None:
    (result,) = results_of(changed({"registrationToken": {"value": TOKEN, "onExpired": "fail"}}))
    assert result.message.endswith("must be one of Warn, Fail, not this: did you mean Fail?")
