"""The agent's objects, release by release and option by option."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from krm_fn.agent import manifests
from krm_fn.agent.manifests import Registration
from krm_fn.config.tree.agent import AGENT
from krm_fn.model import Patch
from tests.unit.agent.options import ELEVEN, EVERY_OPTION, RELEASES, WRITTEN, agent

READ = ["get", "list", "watch"]
OWN_ROLE = ("ClusterRole", "clusternet:app:deployer")
CLUSTER_SCOPED = {"Namespace", "ClusterRole", "ClusterRoleBinding"}


def everything(release: str = "v0.18.1", **changes: Any) -> list[dict[str, Any]]:
    options = agent(release, **changes)
    return [
        *manifests.identity_objects(options),
        manifests.registration_object(options, "https://parent:6443", "abcdef.0123456789abcdef"),
        *manifests.agent_objects(options, Registration(name="one", labels={"a": "b"}), "c" * 64),
    ]


def one(kind: str, name: str, release: str = "v0.18.1", **changes: Any) -> dict[str, Any]:
    (found,) = [
        item for item in everything(release, **changes) if (item["kind"], item["metadata"]["name"]) == (kind, name)
    ]
    return found


def pod(release: str = "v0.18.1", **changes: Any) -> dict[str, Any]:
    found: dict[str, Any] = one("Deployment", "clusternet-agent", release, **changes)["spec"]["template"]["spec"]
    return found


def container(release: str = "v0.18.1", **changes: Any) -> dict[str, Any]:
    (found,) = pod(release, **changes)["containers"]
    return dict(found)


@pytest.mark.parametrize("release", ["v0.15.2", "v0.16.0", "v0.17.0", "v0.18.1"])
def test_there_are_exactly_eleven_objects(release: str) -> None:
    assert [(item["kind"], item["metadata"]["name"]) for item in everything(release)] == ELEVEN


@pytest.mark.parametrize("release", ["v0.12.0", "v0.13.0", "v0.14.0", "v0.15.0", "v0.15.1"])
def test_older_releases_have_the_deployers_own_role_besides(release: str) -> None:
    found = [(item["kind"], item["metadata"]["name"]) for item in everything(release)]

    assert found == [*ELEVEN[:9], OWN_ROLE, *ELEVEN[9:]]


@pytest.mark.parametrize("release", RELEASES)
def test_every_namespaced_object_and_subject_is_in_the_agents_namespace(release: str) -> None:
    objects = everything(release, namespace="edge")

    assert {item["metadata"]["namespace"] for item in objects if item["kind"] not in CLUSTER_SCOPED} == {"edge"}
    assert not [item for item in objects if item["kind"] in CLUSTER_SCOPED and "namespace" in item["metadata"]]
    assert {who["namespace"] for item in objects for who in item.get("subjects", ())} == {"edge"}
    assert objects[0]["metadata"]["name"] == "edge"


@pytest.mark.parametrize("release", RELEASES)
def test_identity_is_the_same_under_every_release_and_every_option_but_the_namespace(release: str) -> None:
    plain = manifests.identity_objects(agent(namespace="1e3"))

    assert manifests.identity_objects(agent(release, **EVERY_OPTION)) == plain


def test_the_deployers_token_is_asked_for_and_listed_in_its_account() -> None:
    account = one("ServiceAccount", "clusternet-app-deployer")
    secret = one("Secret", "clusternet-app-deployer")

    assert account["secrets"] == [{"name": "clusternet-app-deployer"}]
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "clusternet-app-deployer"}
    assert "data" not in secret


def test_the_registration_secret_is_opaque_and_holds_url_and_token_in_data() -> None:
    secret = one("Secret", "clusternet-agent-cluster-registration")

    assert secret["type"] == "Opaque"
    assert {key: base64.b64decode(value).decode() for key, value in secret["data"].items()} == {
        "parentURL": "https://parent:6443",
        "regToken": "abcdef.0123456789abcdef",
    }
    assert "stringData" not in secret


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("v0.12.0", []),
        ("v0.13.0", [("endpointslices", READ), ("serviceexports", READ), ("serviceimports", READ)]),
        ("v0.15.1", [("endpointslices", READ), ("serviceexports", READ), ("serviceimports", READ)]),
        (
            "v0.15.2",
            [("endpointslices", READ), ("serviceexports", [*READ, "update", "patch"]), ("serviceimports", READ)],
        ),
        (
            "v0.18.1",
            [("endpointslices", READ), ("serviceexports", [*READ, "update", "patch"]), ("serviceimports", READ)],
        ),
    ],
)
def test_the_admin_role_grows_with_the_release(release: str, expected: list[tuple[str, list[str]]]) -> None:
    first, second, *middle, last = one("ClusterRole", "clusternet:agent:admin", release)["rules"]

    assert first == {"apiGroups": [""], "resources": ["pods", "nodes"], "verbs": READ}
    assert second == {"apiGroups": ["metrics.k8s.io"], "resources": ["pods", "nodes"], "verbs": READ}
    assert [(rule["resources"][0], rule["verbs"]) for rule in middle] == expected
    assert last == {"nonResourceURLs": ["*"], "verbs": ["*"]}


def test_the_role_in_the_agents_namespace_allows_everything() -> None:
    assert one("Role", "clusternet:agent:admin")["rules"] == [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


@pytest.mark.parametrize(
    ("release", "role"),
    [("v0.12.0", OWN_ROLE[1]), ("v0.15.1", OWN_ROLE[1]), ("v0.15.2", "cluster-admin"), ("v0.18.1", "cluster-admin")],
)
def test_the_deployer_is_bound_as_in_its_release(release: str, role: str) -> None:
    binding = one("ClusterRoleBinding", "clusternet:app:deployer", release)

    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role}
    assert binding["subjects"][0]["name"] == "clusternet-app-deployer"


@pytest.mark.parametrize(
    ("kind", "role"), [("RoleBinding", "Role"), ("ClusterRoleBinding", "ClusterRole")], ids=["namespace", "cluster"]
)
def test_the_agent_is_bound_to_its_roles(kind: str, role: str) -> None:
    binding = one(kind, "clusternet:agent:admin")

    assert (binding["roleRef"]["kind"], binding["roleRef"]["name"]) == (role, "clusternet:agent:admin")
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "clusternet-agent", "namespace": "clusternet-system"}
    ]


def test_the_default_deployment_is_the_upstream_one_with_what_it_lacks() -> None:
    deployment = one("Deployment", "clusternet-agent")
    spec = deployment["spec"]

    assert deployment["metadata"]["labels"] == {"app": "clusternet-agent"}
    assert spec["replicas"] == 3
    assert spec["selector"] == {"matchLabels": {"app": "clusternet-agent"}}
    assert spec["template"]["metadata"]["labels"] == {"app": "clusternet-agent"}
    assert spec["template"]["spec"]["serviceAccountName"] == "clusternet-agent"
    assert set(spec["template"]["spec"]) == {
        "serviceAccountName",
        "securityContext",
        "affinity",
        "tolerations",
        "containers",
    }
    assert set(container()) == {
        "name",
        "image",
        "command",
        "args",
        "env",
        "livenessProbe",
        "readinessProbe",
        "securityContext",
        "workingDir",
    }
    assert container()["command"] == ["/usr/local/bin/clusternet-agent"]


def test_the_environment_comes_from_the_registration_secret_and_the_pods_namespace() -> None:
    assert container()["env"] == [
        {
            "name": "PARENT_URL",
            "valueFrom": {"secretKeyRef": {"name": "clusternet-agent-cluster-registration", "key": "parentURL"}},
        },
        {
            "name": "REG_TOKEN",
            "valueFrom": {"secretKeyRef": {"name": "clusternet-agent-cluster-registration", "key": "regToken"}},
        },
        {"name": "AGENT_NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    ]


def test_an_empty_option_leaves_its_field_out() -> None:
    assert set(pod(affinity={}, tolerations=[])) == {"serviceAccountName", "securityContext", "containers"}


def test_options_reach_the_pod() -> None:
    assert set(WRITTEN) == set(AGENT.names) - {"version", "patches"}
    spec = pod(**EVERY_OPTION)

    assert spec["imagePullSecrets"] == [{"name": "pull"}, {"name": "0x10"}]
    assert spec["priorityClassName"] == "system-cluster-critical"
    assert spec["nodeSelector"] == {"0o17": "null", "node": "on"}
    assert spec["tolerations"] == list(EVERY_OPTION["tolerations"])
    assert spec["affinity"] == EVERY_OPTION["affinity"]


def test_options_reach_the_container() -> None:
    found = container(**EVERY_OPTION)

    assert found["image"] == EVERY_OPTION["image"]
    assert found["imagePullPolicy"] == "IfNotPresent"
    assert found["resources"] == EVERY_OPTION["resources"]
    assert found["env"][3:] == list(EVERY_OPTION["env"])
    assert "--predictor-port=9090" in found["args"]


def test_pod_labels_and_annotations_are_added_and_never_take_the_selectors_label() -> None:
    metadata = one(
        "Deployment", "clusternet-agent", podLabels={"team": "x", "app": "y"}, podAnnotations={"z": "1", "a": "2"}
    )["spec"]["template"]["metadata"]

    assert metadata["labels"] == {"app": "clusternet-agent", "team": "x"}
    assert list(metadata["annotations"]) == ["a", "fn.clusternet.io/registration-checksum", "z"]


def test_a_checksum_is_an_annotation_of_the_pods_and_without_one_there_is_none() -> None:
    with_one = manifests.agent_objects(agent(), Registration(), "abc")[-1]["spec"]["template"]["metadata"]
    without = manifests.agent_objects(agent(), Registration())[-1]["spec"]["template"]["metadata"]

    assert with_one["annotations"] == {"fn.clusternet.io/registration-checksum": "abc"}
    assert "annotations" not in without


@pytest.mark.parametrize("release", ["v0.12.0", "v0.13.0", "v0.14.0"])
def test_releases_without_a_health_port_have_no_probes(release: str) -> None:
    assert not {"livenessProbe", "readinessProbe"} & container(release).keys()


@pytest.mark.parametrize(
    ("extra", "port"),
    [((), 10650), (("--secure-port=10651",), 10651)],
)
def test_probes_use_https_on_the_port_that_the_agent_serves(extra: tuple[str, ...], port: int) -> None:
    found = container("v0.15.0", extraArgs=extra)

    assert found["livenessProbe"]["httpGet"] == {"path": "/healthz", "port": port, "scheme": "HTTPS"}
    assert found["readinessProbe"]["httpGet"] == {"path": "/healthz", "port": port, "scheme": "HTTPS"}


def test_a_closed_port_has_no_probes() -> None:
    assert "livenessProbe" not in container(extraArgs=("--secure-port=0",))


def test_no_effect_of_the_control_plane_taints_keeps_the_agent_away() -> None:
    assert pod()["tolerations"] == [
        {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
        {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
    ]


@pytest.mark.parametrize("release", RELEASES)
def test_the_pod_meets_the_restricted_level_of_pod_security(release: str) -> None:
    assert pod(release)["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": 65532,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(release)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }


def test_the_container_starts_in_a_folder_that_any_user_may_enter() -> None:
    assert container()["workingDir"] == "/"


def test_a_merge_patch_relaxes_the_user_without_repeating_the_containers() -> None:
    as_root = Patch(
        kind="Deployment",
        name="clusternet-agent",
        patch={"spec": {"template": {"spec": {"securityContext": {"runAsNonRoot": None, "runAsUser": 0}}}}},
    )

    assert pod(patches=(as_root,))["securityContext"] == {
        "runAsUser": 0,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container(patches=(as_root,)) == container()
