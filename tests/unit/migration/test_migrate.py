import copy
import json
from collections.abc import Callable

import pytest
import yaml

from krm_fn import migration
from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.krm.results import Errors
from krm_fn.migration import Migration
from krm_fn.migration.discovered import most
from krm_fn.status import dump
from tests.support import live

Edit = Callable[[live.Object, live.Object], None]


def plan(*objects: live.Object, name: str = "fleet", resource_set: str = "clusternet") -> Migration:
    found = dump.read([("dump", json.dumps(live.listed(*objects)).encode())])
    return migration.plan(found, name=name, resource_set=resource_set)


def error(*objects: live.Object, **options: str) -> str:
    with pytest.raises(Errors) as caught:
        plan(*objects, **options)
    return caught.value.results[0].message


def changed(edit: Edit) -> list[live.Object]:
    """The hub's objects with the agent's Deployment changed by hand."""
    objects = live.hub_objects("default")
    documents = list(yaml.safe_load_all(objects[0]["data"]["clusternet-agent-deploy"]))
    deployment = next(one for one in documents if one and one["kind"] == "Deployment")
    edit(deployment, deployment["spec"]["template"]["spec"])
    objects[0]["data"]["clusternet-agent-deploy"] = yaml.safe_dump_all(documents)
    return objects


def rules(found: Migration) -> list[str]:
    return [one.rule for one in found.warnings]


def test_clusters_that_the_hub_has_not_set_up_and_this_config_registers_are_named() -> None:
    changes = plan(*live.hub_objects("default"), live.cluster("default", "old"), live.cluster("team-b", "new")).changes
    (said,) = [one for one in changes if one.startswith("Not set up by the hub")]
    assert "registered by this config: team-b/new. To leave them out" in said


def test_the_hubs_set_up_becomes_a_config() -> None:
    found = plan(*live.hub_objects("default"), live.hub_secret())
    assert found.config == {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": {"name": "fleet"},
        "spec": {
            "parentURL": live.PARENT_URL,
            "registrationToken": {"secretRef": {"name": "clusternet-registration-token"}},
            "clusterSelector": {"matchExpressions": [{"key": "cluster.x-k8s.io/cluster-name", "operator": "Exists"}]},
            "clusterResourceSet": {"name": "clusternet"},
            "agent": {"image": live.HUB_IMAGE},
        },
    }
    assert found.warnings == ()


def test_our_own_decoder_accepts_it() -> None:
    config = decode(Item.from_value(dict(plan(*live.hub_objects("default")).config), 0))
    assert (config.name, config.resource_set.name, config.resource_set.strategy) == ("fleet", "clusternet", "Reconcile")


def test_name_and_resource_set_can_be_chosen() -> None:
    config = plan(*live.hub_objects("default"), name="other", resource_set="agents").config
    assert (config["metadata"]["name"], config["spec"]["clusterResourceSet"]["name"]) == ("other", "agents")


def test_the_secret_alone_is_enough_and_says_what_is_not_known() -> None:
    found = plan(live.hub_secret())
    assert found.config["spec"]["agent"]["image"] == live.HUB_IMAGE
    assert rules(found) == ["no-configmap"]


@pytest.mark.parametrize(
    ("edit", "expected"),
    [
        pytest.param(lambda d, _: d["spec"].update(replicas=1), {"replicas": 1}, id="replicas"),
        pytest.param(lambda d, _: d["spec"].update(replicas=0), {"replicas": 0}, id="no-replicas"),
        pytest.param(lambda d, _: d["metadata"].update(namespace="edge"), {"namespace": "edge"}, id="namespace"),
        pytest.param(
            lambda _, p: p["containers"][0].update(imagePullPolicy="Always"), {"imagePullPolicy": "Always"}, id="pull"
        ),
        pytest.param(
            lambda _, p: p.update(imagePullSecrets=[{"name": "registry"}]),
            {"imagePullSecrets": ["registry"]},
            id="secrets",
        ),
        pytest.param(
            lambda _, p: p["containers"][0].update(resources={"limits": {"memory": "1Gi"}}),
            {"resources": {"limits": {"memory": "1Gi"}}},
            id="resources",
        ),
        pytest.param(
            lambda _, p: p.update(nodeSelector={"pool": "infra"}), {"nodeSelector": {"pool": "infra"}}, id="nodes"
        ),
        pytest.param(lambda _, p: p.update(priorityClassName="high"), {"priorityClassName": "high"}, id="priority"),
        pytest.param(
            lambda _, p: p["tolerations"].append({"key": "edge", "operator": "Exists"}),
            {
                "tolerations": [
                    {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"},
                    {"key": "node-role.kubernetes.io/master", "operator": "Exists"},
                    {"key": "edge", "operator": "Exists"},
                ]
            },
            id="tolerations",
        ),
        pytest.param(
            lambda _, p: p["containers"][0]["command"].append("--cluster-status-update-frequency=1m"),
            {"extraArgs": ["--cluster-status-update-frequency=1m"]},
            id="extra-args",
        ),
        pytest.param(
            lambda _, p: p["containers"][0].update(args=["--cluster-reg-type=EdgeCluster", "-v=4"]),
            {"clusterType": "EdgeCluster"},
            id="cluster-type-in-args",
        ),
        pytest.param(
            lambda _, p: p["containers"][0]["command"].__setitem__(3, "--cluster-sync-mode=Pull"),
            {"syncMode": "Pull"},
            id="mode",
        ),
        pytest.param(
            lambda _, p: p["containers"][0]["command"].__setitem__(
                5, "--feature-gates=AppPusher=true,SocketConnection=true,Predictor=false"
            ),
            {"featureGates": {"Predictor": False, "Recovery": False}},
            id="gates",
        ),
    ],
)
def test_what_was_changed_by_hand_is_taken_over(edit: Edit, expected: dict[str, object]) -> None:
    found = plan(*changed(edit))
    agent = dict(found.config["spec"]["agent"])
    assert agent.pop("image") == live.HUB_IMAGE
    assert agent == expected
    assert "needs-correction" not in rules(found)


def test_a_name_prefix_goes_under_identity() -> None:
    found = plan(*changed(lambda _, p: p["containers"][0]["command"].append("--cluster-reg-name-prefix=edge")))
    assert found.config["spec"]["identity"] == {"namePrefix": "edge"}


def test_a_token_written_into_the_arguments_is_not_taken_over() -> None:
    found = plan(*changed(lambda _, p: p["containers"][0]["command"].append(f"--cluster-reg-token={live.TOKEN}")))
    assert live.TOKEN not in repr(found)


def test_no_token_is_in_any_part_of_it() -> None:
    found = plan(*live.hub_objects("default"), live.hub_secret())
    assert live.TOKEN not in repr(found)
    assert {token.reveal() for token in found.tokens} == {live.TOKEN}


def test_clusters_that_run_an_agent_and_those_that_do_not_are_named() -> None:
    quick = live.cluster("default", "quick", live.V1BETA1, labels={"cluster.x-k8s.io/cluster-name": "quick"})
    classic = live.cluster("default", "classic", live.V1BETA1, labels={})
    found = plan(*live.hub_objects("default"), quick, classic)
    assert found.changes[0] == "These Clusters run an agent that the hub installed: default/quick."
    assert "default/classic" in found.changes[-1]


def test_deletions_come_after_discovery_is_off_and_after_verification() -> None:
    titles = [step.title for step in plan(*live.hub_objects("default")).steps]
    apply, verify, off, delete = (
        next(at for at, title in enumerate(titles) if title.startswith(begin))
        for begin in ("Apply", "Verify", "Switch", "Delete")
    )
    assert apply < verify < off < delete


def test_every_namespace_of_the_hub_is_cleaned_up() -> None:
    deploy, _, _ = live.hub_objects("half")
    found = plan(*live.hub_objects("default"), deploy)
    delete = next(step for step in found.steps if step.title.startswith("Delete"))
    assert delete.commands == (
        "kubectl -n default delete clusterresourcesets.addons.cluster.x-k8s.io clusternet-cluster-api",
        "kubectl -n default delete configmap clusternet-agent-deploy clusternet-agent-rbac --ignore-not-found",
        "kubectl -n half delete configmap clusternet-agent-deploy clusternet-agent-rbac --ignore-not-found",
        "kubectl -n capi-system delete secret clusternet-cluster-api --ignore-not-found",
    )


@pytest.mark.parametrize(
    ("tag", "deployment"), [("v0.17.0", "clusternet-controller-manager"), ("v0.13.0", "clusternet-hub")]
)
def test_discovery_is_switched_off_where_that_release_runs_it(tag: str, deployment: str) -> None:
    image = f"ghcr.io/clusternet/clusternet-agent:{tag}"
    found = plan(*live.hub_objects("default", image=image))
    off = next(step for step in found.steps if step.title.startswith("Switch"))
    assert off.commands[-1].endswith(f"edit deployment {deployment}")


def test_a_binding_whose_role_would_change_is_a_warning() -> None:
    found = plan(*live.hub_objects("default", image="ghcr.io/clusternet/clusternet-agent:v0.14.0"))
    (warning,) = found.warnings
    assert "a roleRef can't be changed" in warning.message
    assert "of agent v0.14.0 to clusternet:app:deployer" in warning.message


def test_an_image_without_a_release_needs_a_version() -> None:
    found = plan(*live.hub_objects("default", image="registry.example.com/agent@sha256:" + "0" * 64))
    assert rules(found) == ["needs-correction"]
    assert "spec.agent" in found.warnings[0].message


def test_a_parent_url_that_we_refuse_is_said() -> None:
    secret = live.hub_secret()
    secret["data"]["parentURL"] = "aHR0cHM6Ly88Q0hBTkdFTUU+OjY0NDM="
    found = plan(secret, *live.hub_objects("default"))
    assert "needs-correction" in rules(found)
    assert "different-values" in rules(found)


def test_of_different_images_the_most_frequent_is_taken_and_the_others_are_named() -> None:
    newer = "ghcr.io/clusternet/clusternet-agent:v0.18.1"
    found = plan(*live.hub_objects("a", image=newer), *live.hub_objects("b"), *live.hub_objects("c"))
    assert found.config["spec"]["agent"]["image"] == live.HUB_IMAGE
    (warning,) = found.warnings
    assert warning.message.startswith(f"the agents of namespace a were given another image, {newer};")


def test_namespaces_changed_in_different_ways_are_compared() -> None:
    edited = changed(lambda d, _: d["spec"].update(replicas=1))
    for one in edited:
        one["metadata"]["namespace"] = "edited"
    found = plan(*live.hub_objects("a"), *edited)
    assert "replicas" not in found.config["spec"]["agent"]
    assert "edited/clusternet-agent-deploy was changed by hand" in found.warnings[0].message


def test_a_broken_configmap_is_read_as_far_as_possible() -> None:
    objects = copy.deepcopy(live.hub_objects("default"))
    objects[0]["data"]["clusternet-agent-deploy"] = "a: [b\n"
    assert "lacks the agent's image and parent URL" in error(*objects)


def test_command_and_args_of_odd_types_are_no_error() -> None:
    found = plan(*changed(lambda _, p: p["containers"][0].update(command="agent", args=[1, "--predictor-port=8080"])))
    assert "extraArgs" not in found.config["spec"]["agent"]


def test_a_dump_without_the_hub_is_refused() -> None:
    assert error(live.cluster("team-a", "web-1")).startswith("the dump holds nothing of clusternet-hub's discovery")


def test_a_set_alone_does_not_tell_image_and_url() -> None:
    assert "lacks the agent's image and parent URL" in error(live.hub_objects("default")[2])


def test_a_taken_name_is_refused() -> None:
    ours = live.Fleet("team-a", ("web-1",), found=live.config(mode="Shared")).sets
    assert "a ClusterResourceSet clusternet exists already in namespace team-a" in error(
        *live.hub_objects("default"), *ours
    )


def test_a_fleet_of_namespaces_is_not_compared_each_with_each() -> None:
    compared = 0

    class Counted(str):
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            nonlocal compared
            compared += 1
            return super().__eq__(other)

        __hash__ = str.__hash__

    assert most([*(Counted("usual") for _ in range(300)), Counted("other")]) == "usual"
    assert compared < 1000
