"""Flux's own kustomize-controller applies what CI rendered, and Cluster API delivers it."""

from __future__ import annotations

import shutil

import pytest

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab import flux as fluxes
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.flux import Flux
from tests.hosts.lab.space import BINDINGS, CONTAINED, NOWHERE, SETS, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

EXAMPLE = programs.REPOSITORY / "examples/flux"
OLDER = "ghcr.io/clusternet/clusternet-agent:v0.18.0"
DEFAULT = "ghcr.io/clusternet/clusternet-agent:v0.18.1"
GITOPS = {"flux": True}


@pytest.fixture(scope="module")
def flux(lab: Lab) -> Generator[Flux, None, None]:
    """The controller, shared by the tests of this file."""
    reason = fluxes.missing()
    if reason:
        pytest.skip(reason)
    made = Flux(lab)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def namespaces(lab: Lab) -> Generator[tuple[str, str], None, None]:
    """The namespaces of examples/flux, and the kinds of providers that its Clusters refer to."""
    names = ("payments", "retail")
    api = lab.management.api
    for name in names:
        api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    if not api.get("CustomResourceDefinition", "vsphereclusters.infrastructure.cluster.x-k8s.io"):
        kinds = ((cluster_api.INFRASTRUCTURE, "VSphereCluster"), (cluster_api.CONTROL_PLANE, "KubeadmControlPlane"))
        cluster_api.create_crds(lab.management, [cluster_api.provider_crd(*kind) for kind in kinds])
    for one in cluster_api.classes(names[0], lab.release):  # a server refuses Clusters of a class that it doesn't have
        one["metadata"]["name"] = "aws-standard" if one["kind"] == "ClusterClass" else one["metadata"]["name"]
        api.create(one)
    yield names
    for name in names:
        api.end_namespace(name, CONTAINED)


@pytest.mark.parametrize(
    "source", [("GitRepository", "from-git.yaml", "rendered"), ("OCIRepository", "from-oci.yaml", ".")]
)
def test_the_example_is_applied_and_left_alone_and_pruned(
    flux: Flux, namespaces: tuple[str, str], tmp_path: Path, source: tuple[str, str, str]
) -> None:
    kind, file, path = source
    folder = tmp_path / "artifact"
    shutil.copytree(EXAMPLE / "rendered", folder / path, dirs_exist_ok=True)
    flux.kubectl("apply", "-f", EXAMPLE / "management" / file)
    applied(flux.reconciled(flux.push(folder, kind=kind)))
    created = flux.changes()
    assert len(created) == len(read_tree(folder)), created
    assert {one.split("/")[1] for one in created} == set(namespaces)
    at_rest(flux)
    for stale in (folder / path).glob("retail/*"):
        stale.unlink()
    applied(flux.reconciled(flux.push(folder, kind=kind)))
    assert {one.split("/")[1] for one in flux.changes()} == {"retail"}
    flux.end()
    wait(lambda: flux.api.get("Cluster", "payments-prod", "payments") is None, "the end of what was applied")
    flux.api.delete(kind, "fleet", fluxes.NAMESPACE)


def test_what_flux_applies_is_delivered_and_a_new_image_arrives_and_a_removed_cluster_goes(
    flux: Flux, space: Space
) -> None:
    web, shop = space.cluster("web", "w1"), space.cluster("shop", "w2")
    space.config(gitops=GITOPS, agent={"image": OLDER})
    flux.follow(space)
    applied(flux.sync(space))
    space.wait_delivered("web", "shop")
    assert [one.container()["image"] for one in (web, shop)] == [OLDER, OLDER]
    space.config(agent={"image": DEFAULT})
    applied(flux.sync(space))
    space.wait_delivered("web", "shop")
    assert [one.container()["image"] for one in (web, shop)] == [DEFAULT, DEFAULT]
    space.remove("shop")
    applied(flux.sync(space))
    wait(lambda: space.get("Cluster", "shop") is None and space.get(BINDINGS, "shop") is None, "the Cluster's end")
    assert shop.agent()  # nobody takes it away
    space.check_status(web="yes")


def test_flux_changes_nothing_again_after_cluster_api_wrote_owners_and_status(flux: Flux, space: Space) -> None:
    space.cluster("web")
    space.cluster("classy", "w2", topology=True)
    space.config(gitops=GITOPS)
    flux.follow(space)
    applied(flux.sync(space))
    space.wait_delivered("web", "classy")
    space.wait_settled()
    before = [carrier["metadata"]["ownerReferences"] for carrier in carriers(space)]
    at_rest(flux, space.namespace)
    assert [carrier["metadata"]["ownerReferences"] for carrier in carriers(space)] == before


@pytest.mark.parametrize(
    ("gitops", "arrives"), [({"flux": True}, "${region}"), (None, "eu-west")], ids=["gitops.flux", "without"]
)
def test_post_build_substitution_spares_embedded_manifests(
    flux: Flux, space: Space, gitops: Object | None, arrives: str
) -> None:
    workload = space.cluster("web")
    space.config(gitops=gitops, agent={"podAnnotations": {"example.com/region": "${region}"}})
    value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "own", "namespace": space.namespace}}
    space.write("own", {**value, "data": {"region": "${region}"}})
    flux.follow(space, postBuild={"substitute": {"region": "eu-west"}})
    applied(flux.sync(space))
    space.wait_delivered("web")
    assert space.get("ConfigMap", "own")["data"] == {"region": "eu-west"}
    template = workload.agent()["spec"]["template"]
    assert template["metadata"]["annotations"]["example.com/region"] == arrives


def test_a_changed_selector_is_refused_and_force_replaces_the_sets(flux: Flux, space: Space) -> None:
    workload = space.cluster("web")
    space.config(gitops=GITOPS)
    flux.follow(space)
    applied(flux.sync(space))
    space.wait_delivered("web")
    agent, old = workload.agent()["metadata"]["uid"], uids(space)
    space.config(clusterSelector={"matchExpressions": [{"key": "clusternet.io/register", "operator": "Exists"}]})
    ready = flux.sync(space)
    assert (ready["status"], ready["reason"]) == ("False", "ReconciliationFailed")
    assert "immutable" in ready["message"], ready
    assert uids(space) == old
    flux.follow(space, force=True)
    applied(flux.reconcile(space.namespace))
    new = uids(space)
    assert set(new.values()).isdisjoint(old.values())

    def whole() -> bool:
        """The garbage collector takes the old sets' carriers, before Flux writes new ones or after."""
        if space.lost():
            flux.reconcile(space.namespace)
        owners = {owner["uid"] for one in carriers(space) for owner in one["metadata"].get("ownerReferences") or []}
        return not space.lost() and owners == set(new.values())

    wait(whole, lambda: f"the new sets' carriers, without {space.lost()}")
    space.wait_delivered("web")
    assert workload.agent()["metadata"]["uid"] == agent


def test_wait_true_calls_sets_ready_whose_cluster_is_out_of_reach(flux: Flux, space: Space) -> None:
    space.cluster("web", NOWHERE)
    space.config(gitops=GITOPS)
    flux.follow(space, wait=True)
    applied(flux.sync(space))
    wait(
        lambda: space.get("Cluster", "web").get("status", {}).get("conditions"), "Cluster API's opinion of the Cluster"
    )
    applied(flux.reconcile(space.namespace))
    space.check_status(web="no")


def test_a_config_that_is_removed_is_pruned_and_leaves_the_agents_running(flux: Flux, space: Space) -> None:
    workload = space.cluster("web")
    space.config(gitops=GITOPS)
    flux.follow(space)
    applied(flux.sync(space))
    space.wait_delivered("web")
    agent = workload.agent()["metadata"]["uid"]
    space.remove("config")
    applied(flux.reconciled(flux.push(space.fleet, namespace=space.namespace), space.namespace))
    wait(lambda: not space.list(SETS) and not carriers(space), "the end of our objects")
    assert space.get("Cluster", "web")
    assert workload.agent()["metadata"]["uid"] == agent


def applied(ready: Object) -> None:
    """Hold Flux to success; else show what it reports."""
    assert ready["status"] == "True", ready["message"]


def at_rest(flux: Flux, namespace: str = fluxes.NAMESPACE) -> None:
    """Wait until Flux reconciles three times in a row without a change; in a fight over a field it never does."""
    quiet = 0

    def rested() -> bool:
        nonlocal quiet
        applied(flux.reconcile(namespace))
        quiet = 0 if flux.changes() else quiet + 1
        return quiet == 3

    wait(rested, "three reconciliations without a change")


def carriers(space: Space) -> list[Object]:
    """The ConfigMaps and the Secret that the sets refer to."""
    found = [*space.list("ConfigMap"), *space.list("Secret")]
    return [one for one in found if one["metadata"].get("labels", {}).get("fn.clusternet.io/generated")]


def uids(space: Space) -> dict[str, str]:
    """The sets that are there, by name."""
    return {one["metadata"]["name"]: one["metadata"]["uid"] for one in space.list(SETS)}
