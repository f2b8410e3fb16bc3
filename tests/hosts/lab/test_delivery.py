"""What arrives on a workload cluster, and what a change of the config makes of it there."""

from __future__ import annotations

import base64

import pytest

from tests.hosts.lab.api import wait
from tests.hosts.lab.space import ANOTHER_TOKEN, BINDINGS, TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.space import Space

pytestmark = pytest.mark.both_releases

OLDER = "ghcr.io/clusternet/clusternet-agent:v0.18.0"
DEFAULT = "ghcr.io/clusternet/clusternet-agent:v0.18.1"
ARRIVES = {
    *(("Namespace", "clusternet-system"), ("Deployment", "clusternet-agent")),
    *(("ServiceAccount", "clusternet-agent"), ("ServiceAccount", "clusternet-app-deployer")),
    *(("Secret", "clusternet-app-deployer"), ("Secret", "clusternet-agent-cluster-registration")),
    *(("Role", "clusternet:agent:admin"), ("RoleBinding", "clusternet:agent:admin")),
    *(("ClusterRole", "clusternet:agent:admin"), ("ClusterRoleBinding", "clusternet:agent:admin")),
    ("ClusterRoleBinding", "clusternet:app:deployer"),
}


def registration_token(workload: Workload) -> str:
    secret = workload.get("Secret", "clusternet-agent-cluster-registration")
    return base64.b64decode(secret["data"]["regToken"]).decode()


def deployer_token(workload: Workload) -> str:
    """The credential that the hub deploys with; the real token controller writes it."""

    def token() -> str:
        secret = workload.get("Secret", "clusternet-app-deployer") or {}
        return secret.get("data", {}).get("token", "")

    return wait(token, "the app deployer's token")


def running(workload: Workload) -> list[str]:
    """What identifies the agent that runs: its Deployment and its pods."""
    return sorted(value["metadata"]["uid"] for value in [workload.agent(), *workload.pods()])


@pytest.mark.parametrize("how", ["client-side", "server-side"])
def test_the_first_apply_delivers_everything(space: Space, how: str) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync(server_side=how == "server-side")
    space.wait_delivered("web")
    assert {one for one in ARRIVES if workload.get(*one) is None} == set()
    assert workload.container()["image"] == DEFAULT
    assert registration_token(workload) == TOKEN
    workload.wait_rolled_out()
    space.check_status(web="yes")


def test_the_app_deployer_gets_its_token_and_keeps_it(space: Space) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync()
    space.wait_delivered("web")
    assert deployer_token(workload)
    account = workload.get("ServiceAccount", "clusternet-app-deployer")
    assert [secret["name"] for secret in account["secrets"]] == ["clusternet-app-deployer"]
    space.check_status(web="yes")


def test_a_namespace_that_enforces_restricted_admits_the_pods(space: Space) -> None:
    workload = space.cluster("web")
    enforced = {"pod-security.kubernetes.io/enforce": "restricted"}
    workload.api.create(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "clusternet-system", "labels": enforced}}
    )
    space.config()
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    assert len(workload.pods()) == 3
    namespace = workload.get("Namespace", "clusternet-system")
    assert enforced.items() <= namespace["metadata"]["labels"].items()
    space.check_status(web="yes")


def test_a_cluster_of_a_cluster_class_gets_the_agent_too(space: Space) -> None:
    workload = space.cluster("web", topology=True)
    space.config()
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    space.check_status(web="yes")


def test_a_new_image_arrives_and_spares_what_is_not_ours(space: Space) -> None:
    workload = space.cluster("web")
    space.config(agent={"image": OLDER})
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    token = deployer_token(workload)
    for kind in ("namespace", "serviceaccount", "secret"):
        name = {"namespace": "clusternet-system"}.get(kind, "clusternet-app-deployer")
        for verb in ("label", "annotate"):
            workload.kubectl("-n", "clusternet-system", verb, kind, name, "example.com/team=platform")
    space.config(agent={"image": DEFAULT})
    space.sync()
    space.wait_delivered("web")
    assert workload.container()["image"] == DEFAULT
    workload.wait_rolled_out()
    assert deployer_token(workload) == token
    for kind in ("Namespace", "ServiceAccount", "Secret"):
        name = {"Namespace": "clusternet-system"}.get(kind, "clusternet-app-deployer")
        metadata = workload.get(kind, name)["metadata"]
        assert metadata["labels"]["example.com/team"] == "platform", kind
        assert metadata["annotations"]["example.com/team"] == "platform", kind
    space.check_status(web="yes")


def test_a_rotated_token_arrives_and_rolls_the_pods(space: Space) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    before, names = deployer_token(workload), {pod["metadata"]["name"] for pod in workload.pods()}
    space.config(registrationToken={"value": ANOTHER_TOKEN})
    space.sync()
    space.wait_delivered("web")
    assert registration_token(workload) == ANOTHER_TOKEN
    workload.wait_rolled_out()
    assert names.isdisjoint(pod["metadata"]["name"] for pod in workload.pods())
    assert deployer_token(workload) == before
    space.check_status(web="yes")


def test_a_patch_that_the_server_refuses_stops_nothing_and_its_revert_heals(space: Space) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    before = running(workload)
    patch = {"spec": {"template": {"spec": {"restartPolicy": "Never"}}}}
    space.config(agent={"patches": [{"target": {"kind": "Deployment", "name": "clusternet-agent"}, "patch": patch}]})
    space.sync()
    wait(lambda: refused(space, "web"), "the server's refusal")
    assert running(workload) == before
    space.check_status(web="no")
    space.config(agent=None)
    space.sync()
    space.wait_delivered("web")
    assert running(workload) == before
    space.check_status(web="yes")


def refused(space: Space, name: str) -> bool:
    """Whether Cluster API records that it failed to apply something to a Cluster."""
    bindings = (space.get(BINDINGS, name) or {}).get("spec", {}).get("bindings", [])
    return any(not one["applied"] for bound in bindings for one in bound["resources"])


def test_a_label_that_is_taken_away_and_put_back_changes_nothing_that_runs(space: Space) -> None:
    web, shop = space.cluster("web", "w1"), space.cluster("shop", "w2")
    space.config()
    space.sync()
    space.wait_delivered("web", "shop")
    web.wait_rolled_out()
    before = running(web)
    space.label("web", **{"clusternet.io/register": "false"})
    space.sync()
    wait(lambda: space.undelivered("web")[0].startswith("no ClusterResourceSet"), "the label")
    assert running(web) == before
    space.check_status(web="no", shop="yes")
    space.label("web", **{"clusternet.io/register": "true"})
    space.sync()
    space.wait_delivered("web")
    assert running(web) == before
    assert shop.agent()
    space.check_status(web="yes", shop="yes")


def test_a_config_that_is_removed_leaves_the_agents_running(space: Space) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    before = running(workload)
    ours = space.render("--only", "generated")
    space.prune(ours, None)
    wait(lambda: not space.list("ClusterResourceSet") and not space.list("ConfigMap")[1:], "the end of our objects")
    assert running(workload) == before
    assert space.get("Cluster", "web")
    space.check_status(web="no")


def test_a_cluster_that_is_deleted_leaves_the_others_alone(space: Space) -> None:
    web, shop = space.cluster("web", "w1"), space.cluster("shop", "w2")
    space.config()
    space.sync()
    space.wait_delivered("web", "shop")
    before = running(shop)
    space.remove("web")
    pruned = space.sync()
    assert pruned == ["Cluster/web", "LabCluster/web"]
    wait(lambda: space.get("Cluster", "web") is None and space.get(BINDINGS, "web") is None, "the Cluster's end")
    space.wait_delivered("shop")
    assert running(shop) == before
    assert web.agent()  # nobody takes it away
    space.check_status(shop="yes")


def test_apply_once_delivers_the_first_content_and_no_later_one(space: Space) -> None:
    workload = space.cluster("web")
    space.config(clusterResourceSet={"strategy": "ApplyOnce"}, agent={"image": OLDER})
    space.sync()
    space.wait_delivered("web")
    assert len(space.list("ClusterResourceSet")) == 1
    workload.wait_rolled_out()
    space.check_status(web="yes")
    before = running(workload)
    space.config(agent={"image": DEFAULT})
    space.sync()
    space.wait_delivered("web")
    assert running(workload) == before
    assert workload.container()["image"] == OLDER
    assert space.check_status(web="yes").reasons("web")  # that the change never arrives
