"""Changes that replace ClusterResourceSets, with pruning as GitOps tools do it, on real servers."""

from __future__ import annotations

import base64
import re
import shlex
from typing import Any

import pytest

from tests.hosts.lab.api import wait
from tests.hosts.lab.space import ANOTHER_TOKEN, REGISTER, SETS, TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.space import Space

pytestmark = pytest.mark.both_releases

OLDER = "ghcr.io/clusternet/clusternet-agent:v0.18.0"
DEFAULT = "ghcr.io/clusternet/clusternet-agent:v0.18.1"
NARROWER = {"matchLabels": {**REGISTER, "env": "prod"}}
MINE = "clusternet-registration"  # a Secret that the user keeps
FOREIGN = "example.com/team"


def deliver(space: Space, **spec: Any) -> Workload:
    """A Cluster with a running agent, and a foreign label on its namespace there."""
    workload = space.cluster("web", labels={**REGISTER, "env": "prod"})
    space.config(**spec)
    space.sync()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    workload.kubectl("label", "namespace", "clusternet-system", f"{FOREIGN}=platform")
    return workload


def identity(workload: Workload) -> tuple[str, ...]:
    """What a change must not replace on the workload cluster."""
    uids = [workload.agent()["metadata"]["uid"]]
    uids += [
        workload.get("ServiceAccount", name)["metadata"]["uid"]
        for name in ("clusternet-agent", "clusternet-app-deployer")
    ]
    token = workload.get("Secret", "clusternet-app-deployer")["data"]["token"]
    return (*uids, token, workload.get("Namespace", "clusternet-system")["metadata"]["labels"][FOREIGN])


def check_nothing_is_lost(space: Space, workload: Workload, before: tuple[str, ...]) -> None:
    """After garbage collection everything that was applied is there, and the agent is the one that ran before."""
    space.wait_settled()
    assert space.lost() == []
    space.wait_delivered("web")
    workload.wait_rolled_out()
    assert identity(workload) == before
    space.check_status(web="yes")


@pytest.mark.parametrize("strategy", ["Reconcile", "ApplyOnce"])
@pytest.mark.parametrize(("before", "after"), [("Shared", "PerCluster"), ("PerCluster", "Shared")])
def test_a_change_of_mode_that_prunes_in_the_same_sync_loses_nothing(
    space: Space, before: str, after: str, strategy: str
) -> None:
    workload = deliver(space, identity={"mode": before}, clusterResourceSet={"strategy": strategy})
    was = identity(workload)
    space.config(identity={"mode": after})
    pruned = space.sync("--baseline", space.applied)
    assert any(one.startswith("ClusterResourceSet/") for one in pruned)
    check_nothing_is_lost(space, workload, was)


@pytest.mark.parametrize(
    ("first", "change"),
    [
        pytest.param({}, {"clusterSelector": NARROWER}, id="selector"),
        pytest.param({}, {"clusterResourceSet": {"strategy": "ApplyOnce"}}, id="to ApplyOnce"),
        pytest.param(
            {"clusterResourceSet": {"strategy": "ApplyOnce"}},
            {"clusterResourceSet": {"strategy": "Reconcile"}},
            id="to Reconcile",
        ),
    ],
)
def test_a_change_of_what_is_immutable_arrives_by_the_printed_steps(
    space: Space, first: dict[str, Any], change: dict[str, Any]
) -> None:
    workload = deliver(space, **first)
    was = identity(workload)
    space.config(**change)
    printed = refused(space)
    name = re.search(r"Set spec\.clusterResourceSet\.name: ([a-z0-9.-]+)", printed)
    assert name, printed
    space.config(clusterResourceSet={**change.get("clusterResourceSet", {}), "name": name[1].rstrip(".")})
    old = space.applied
    space.sync("--baseline", old, prune=False)
    wait(lambda: len(space.list(SETS)) > 2, "both sets")
    space.wait_delivered("web")
    space.check_status(web="yes")  # the step that the message names: prune only after that
    space.prune(old, space.applied)
    check_nothing_is_lost(space, workload, was)


def refused(space: Space) -> str:
    """The message with which a render against what was applied refuses a change."""
    return space.run("render", space.fleet, "-o", space.folder / "refused", "--baseline", space.applied, code=1).err


def keep_own_secret(space: Space, token: str) -> None:
    """Make the Secret for `existingSecret` by the commands of docs/tokens.md, without kubeseal."""
    manifest = space.run("manifests", space.fleet, "--only", "registration").out
    place = re.search('"(<base64[^"]*>)"', manifest)
    assert place, manifest
    path = space.folder / "registration.yaml"
    path.write_text(manifest.replace(place[1], base64.b64encode(token.encode()).decode()), encoding="utf-8")
    kind = "--type=addons.cluster.x-k8s.io/resource-set"
    source = f"--from-file=20-registration.yaml={path}"
    made = ("create", "secret", "generic", MINE, "-n", space.namespace, kind, source, "--dry-run=client", "-o", "yaml")
    space.management.kubectl("apply", "-f", "-", stdin=space.management.kubectl(*made).out)


def registration_token(workload: Workload) -> str:
    secret = workload.get("Secret", "clusternet-agent-cluster-registration") or {"data": {"regToken": ""}}
    return base64.b64decode(secret["data"]["regToken"]).decode()


def test_a_secret_that_the_user_keeps_is_delivered_and_rotated(space: Space) -> None:
    workload = space.cluster("web")
    space.config(registrationToken={"existingSecret": {"name": MINE}})
    keep_own_secret(space, TOKEN)
    space.sync()
    space.wait_delivered("web")
    assert registration_token(workload) == TOKEN
    workload.wait_rolled_out()
    space.check_status(web="yes")
    keep_own_secret(space, ANOTHER_TOKEN)
    wait(lambda: registration_token(workload) == ANOTHER_TOKEN, "the new token")
    space.wait_delivered("web")
    space.check_status(web="yes")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"identity": {"mode": "PerCluster"}}, id="mode"),
        pytest.param({"clusterResourceSet": {"name": "clusternet-2"}}, id="name"),
    ],
)
def test_a_secret_that_the_user_keeps_survives_new_sets_by_the_printed_steps(
    space: Space, change: dict[str, Any]
) -> None:
    workload = space.cluster("web")
    space.config(registrationToken={"existingSecret": {"name": MINE}})
    keep_own_secret(space, TOKEN)
    space.sync()
    space.wait_delivered("web")
    old, sets = space.applied, {one["metadata"]["name"] for one in space.list(SETS)}
    space.config(**change)
    space.sync("--baseline", old, prune=False)
    command = re.search("until `kubectl ([^`]+)` lists a new set", space.printed)
    assert command, space.printed
    owners = shlex.split(command[1])
    wait(lambda: set(space.management.kubectl(*owners).out.split()) - sets, "a new set to own the Secret")
    space.prune(old, space.applied)
    space.wait_settled()
    assert space.lost() == []
    assert space.get("Secret", MINE)
    space.wait_delivered("web")
    assert registration_token(workload) == TOKEN
    space.check_status(web="yes")


def waves(space: Space, first: str, second: str) -> None:
    """Two configs in one namespace: Clusters of wave 1, and Clusters of wave 2."""
    for wave, image in (("1", first), ("2", second)):
        space.config(
            f"wave-{wave}",
            agent={"image": image},
            clusterResourceSet={"name": f"clusternet-wave-{wave}"},
            clusterSelector={"matchLabels": {"clusternet.io/wave": wave}},
            guard={"allowNoClusters": True},
        )


def test_a_cluster_that_moves_between_waves_and_back_runs_what_the_page_says(space: Space) -> None:
    web = space.cluster("web", labels={"clusternet.io/wave": "2"})
    shop = space.cluster("shop", "w2", labels={"clusternet.io/wave": "1"})
    waves(space, DEFAULT, OLDER)
    space.sync()
    space.wait_delivered("web", "shop")
    assert (web.container()["image"], shop.container()["image"]) == (OLDER, DEFAULT)
    space.check_status(web="yes", shop="yes")
    space.label("web", **{"clusternet.io/wave": "1"})
    space.sync()
    space.wait_delivered("web")
    assert web.container()["image"] == DEFAULT
    web.wait_rolled_out()
    space.label("web", **{"clusternet.io/wave": "2"})
    space.sync()
    space.wait_delivered("web")  # by its binding, which says that this was applied
    assert web.container()["image"] == DEFAULT
    space.check_status(web="outdated", shop="yes")
    waves(space, DEFAULT, "ghcr.io/clusternet/clusternet-agent:v0.17.1")  # docs/waves.md: a new content arrives
    space.sync()
    space.wait_delivered("web")
    assert web.container()["image"].endswith(":v0.17.1")
    web.wait_rolled_out()
    space.check_status(web="yes", shop="yes")


KUSTOMIZATION = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
FUNCTION = {"config.kubernetes.io/function": "exec:\n  path: clusternet-capi-fn\n"}


def test_kubectl_prunes_by_its_inventory_what_a_build_with_the_function_no_longer_has(
    space: Space, newest_kustomize: Path
) -> None:
    workload = space.cluster("web")
    space.config(identity={"mode": "Shared"})
    kustomization(space)
    apply_set(space, newest_kustomize)
    space.provision()
    space.wait_delivered("web")
    workload.wait_rolled_out()
    workload.kubectl("label", "namespace", "clusternet-system", f"{FOREIGN}=platform")
    was = identity(workload)
    space.config(identity={"mode": "PerCluster"})
    kustomization(space)
    pruned = apply_set(space, newest_kustomize)
    assert "clusterresourceset.addons.cluster.x-k8s.io/clusternet-cluster-api pruned" in pruned
    check_nothing_is_lost(space, workload, was)


def test_kubectl_apply_k_refuses_a_kustomization_with_a_function_and_applies_nothing(space: Space) -> None:
    space.cluster("web")
    space.config()
    kustomization(space)
    done = space.management.kubectl("apply", "-k", space.fleet, code=None)
    assert "enable-alpha-plugins" in done.err or "plugins disabled" in done.err
    assert space.list("Cluster") == space.list(SETS) == []


def kustomization(space: Space) -> None:
    """Make the folder a kustomization with the function as its transformer."""
    config = space.read("config")
    config["metadata"]["annotations"] = FUNCTION
    space.write("config", config)
    text = f"{KUSTOMIZATION}resources: [web.yaml]\ntransformers: [config.yaml]\n"
    (space.fleet / "kustomization.yaml").write_text(text, encoding="utf-8")


def apply_set(space: Space, kustomize: Path) -> str:
    """Build and apply with pruning by the inventory that kubectl keeps in the cluster (an ApplySet).

    kubectl lists what it prunes, deletes one after the other, and fails where the garbage collector was faster: with a
    ClusterResourceSet its carriers go. The page says to apply again, which has to succeed.
    """
    built = space.build(kustomize)
    how = ("--server-side", "--force-conflicts", "--prune", "--applyset=fleet", "-n", space.namespace)
    apply = ("apply", *how, "-f", "-")
    first = space.management.kubectl(*apply, stdin=built, code={0, 1})
    if first.code == 0:
        return first.out
    assert re.fullmatch(r"error: pruning \S+ \S+: .* not found", first.err.strip()), first.err
    return first.out + space.management.kubectl(*apply, stdin=built).out
