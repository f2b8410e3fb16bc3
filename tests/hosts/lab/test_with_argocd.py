"""Argo CD's own servers render a repository in our sidecar and sync it, and Cluster API delivers it."""

from __future__ import annotations

import re

import pytest

from tests.hosts.lab import argocd as argocds
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.argocd import ArgoCD
from tests.hosts.lab.space import BINDINGS, NOWHERE, SETS, TOKEN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

CONFIG = "clusternet"  # the file by which the plugin knows a folder
FROM_FILE = {"file": "regToken"}
IGNORED = "argocd.argoproj.io/ignore-healthcheck"
OURS = "fn.clusternet.io/generated"


@pytest.fixture(scope="module")
def argocd(lab: Lab, engine: tuple[str, ...], image: str) -> Generator[ArgoCD, None, None]:
    """Argo CD, shared by the tests of this file."""
    reason = argocds.missing()
    if reason:
        pytest.skip(reason)
    made = ArgoCD(lab, engine, image, TOKEN)
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture(autouse=True)
def without_applications(argocd: ArgoCD, space: Space) -> Generator[None, None, None]:
    """Take the Application away before its namespace goes; what it synced goes with the namespace."""
    yield
    argocd.api.delete("Application", space.namespace, argocds.NAMESPACE)


def write(space: Space, layout: str, **spec: object) -> None:
    """Write the config, and in a kustomize layout the kustomization that calls the function."""
    space.config(CONFIG, **{"registrationToken": FROM_FILE, "gitops": {"argocd": True}, **spec})
    if layout == "kustomize":
        path = space.fleet / f"{CONFIG}.yaml"
        function = "metadata:\n  annotations: {config.kubernetes.io/function: 'exec: {path: clusternet-capi-fn}'}\n"
        path.write_text(path.read_text(encoding="utf-8").replace("metadata:\n", function, 1), encoding="utf-8")
        names = sorted(one.name for one in space.fleet.glob("*.yaml") if one.stem not in {CONFIG, "kustomization"})
        text = f"resources: {names}\ntransformers: [{CONFIG}.yaml]\n"
        (space.fleet / "kustomization.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("layout", ["plain folder", "kustomize"])
def test_what_argo_cd_syncs_is_delivered_and_healed_and_pruned(argocd: ArgoCD, space: Space, layout: str) -> None:
    web, shop = space.cluster("web", "w1"), space.cluster("shop", "w2")
    write(space, layout)
    argocd.follow(space)
    argocd.sync(space)
    space.wait_delivered("web", "shop")
    # owner references and status from Cluster API are no difference, in either way that Argo CD compares
    assert settled(argocd, space) == []
    compare = {"metadata": {"annotations": {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}}}
    argocd.api.patch("Application", space.namespace, argocds.NAMESPACE, compare)
    assert settled(argocd, space) == []
    # self-heal
    set_name = "clusternet-cluster-api"
    resources = {"spec": {"resources": space.get(SETS, set_name)["spec"]["resources"][:1]}}
    argocd.api.patch(SETS, set_name, space.namespace, resources)
    wait(lambda: len(space.get(SETS, set_name)["spec"]["resources"]) == 2, lambda: f"healing: {argocd.explain(space)}")
    # prune
    space.remove("shop")
    write(space, layout)
    argocd.sync(space)
    wait(lambda: space.get("Cluster", "shop") is None and space.get(BINDINGS, "shop") is None, "the Cluster's end")
    assert shop.agent()  # nobody takes it away
    space.wait_delivered("web")
    assert web.agent()


def settled(argocd: ArgoCD, space: Space) -> list[str]:
    """What is still out of sync when Argo CD has compared everything anew."""
    argocd.refresh(space, hard=True)
    wait(lambda: argocd.application(space)["status"]["sync"]["status"] == "Synced", lambda: argocd.explain(space))
    argocd.refresh(space, hard=True)
    return argocd.out_of_sync(space)


def test_without_gitops_argocd_a_cluster_out_of_reach_makes_the_sets_unhealthy(argocd: ArgoCD, space: Space) -> None:
    space.cluster("web", NOWHERE)
    write(space, "plain folder")
    argocd.follow(space)
    argocd.sync(space)
    wait(lambda: degraded(space), "Cluster API's verdict on the sets")
    wait(lambda: argocd.refresh(space)["status"]["health"]["status"] == "Healthy", lambda: health(argocd, space))
    assert not {kind for kind, _ in health(argocd, space)} & {SETS}  # no opinion on them
    write(space, "plain folder", gitops=None)
    argocd.sync(space)
    wait(lambda: argocd.refresh(space)["status"]["health"]["status"] == "Degraded", lambda: health(argocd, space))
    assert (SETS, "Degraded") in health(argocd, space)


def degraded(space: Space) -> bool:
    """Whether Cluster API reports that the sets' resources were not applied."""
    conditions = (space.get(SETS, "clusternet-cluster-api") or {}).get("status", {}).get("conditions") or []
    return any(one["type"] == "ResourcesApplied" and one["status"] == "False" for one in conditions)


def health(argocd: ArgoCD, space: Space) -> set[tuple[str, str]]:
    """Kind and health of what the Application shows a health for."""
    resources = argocd.application(space)["status"].get("resources") or []
    return {(one["kind"], one["health"]["status"]) for one in resources if one.get("health", {}).get("status")}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"guard": {"minClusters": 5}}, "spec.guard.minClusters", id="a guard"),
        pytest.param({"registrationToken": {"file": "another"}}, "spec.registrationToken.file", id="no such token"),
        pytest.param({"parentURL": "https://evil.example.org"}, "spec.parentURL", id="a parent of its own"),
        pytest.param(
            {"registrationToken": {"file": "/etc/passwd"}}, "spec.registrationToken.file", id="a foreign file"
        ),
        pytest.param({"registrationToken": {"env": "PATH"}}, "spec.registrationToken.env", id="a foreign variable"),
    ],
)
def test_an_error_is_the_first_line_of_the_applications_condition_and_has_no_secret(
    argocd: ArgoCD, space: Space, changes: dict[str, object], message: str
) -> None:
    space.cluster("web")
    write(space, "plain folder", **changes)
    argocd.follow(
        space, env=[{"name": "CLUSTERNET_PARENT_URLS", "value": "*"}]
    )  # a tenant's try; arrives as ARGOCD_ENV_…
    condition = failed(argocd, space)
    assert message in condition.split("exit status 1: ", 1)[1].splitlines()[0]
    assert TOKEN not in condition
    assert "root:" not in condition
    assert not space.list(SETS)


def test_an_application_sets_the_config_and_the_baseline_by_parameters(argocd: ArgoCD, space: Space) -> None:
    space.cluster("web")
    write(space, "plain folder", guard={"maxRemovedClusters": 0})
    argocd.follow(space, parameters=[{"name": "config", "string": f"{CONFIG}.yaml"}])
    argocd.sync(space)
    assert space.get(SETS, "clusternet-cluster-api")
    # the guard needs a baseline, and this folder contains nothing that a run has rendered
    (space.fleet / "before").mkdir()
    (space.fleet / "before/other.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "utf-8")
    parameters = [{"name": "config", "string": "$ARGOCD_APP_NAME.yaml"}, {"name": "baseline", "string": "before"}]
    (space.fleet / f"{CONFIG}.yaml").rename(space.fleet / f"{space.namespace}.yaml")
    (space.fleet / f"{CONFIG}.yaml").write_text("# the file that the plugin is discovered by\n", "utf-8")
    plugin = {"spec": {"source": {"plugin": {"parameters": parameters}}}}
    argocd.api.patch("Application", space.namespace, argocds.NAMESPACE, plugin)
    argocd.commit(space.namespace, space.fleet)
    assert "before" in failed(argocd, space).split("exit status 1: ", 1)[1].splitlines()[0]


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        pytest.param("config", "/etc/passwd", "must be below the Application's path", id="a file outside"),
        pytest.param("baseline", "../../..", "must be below the Application's path", id="a folder outside"),
        pytest.param("output", "x", "is unknown", id="an unknown one"),
    ],
)
def test_a_parameter_that_the_plugin_does_not_offer_is_an_error(
    argocd: ArgoCD, space: Space, name: str, value: str, message: str
) -> None:
    space.cluster("web")
    write(space, "plain folder")
    argocd.follow(space, parameters=[{"name": name, "string": value}])
    condition = failed(argocd, space)
    assert message in condition.split("exit status 1: ", 1)[1].splitlines()[0]
    assert "root:" not in condition


def test_the_ui_is_told_of_the_parameters_with_the_config_of_the_folder_as_default(
    argocd: ArgoCD, space: Space
) -> None:
    space.cluster("web")
    write(space, "plain folder")
    argocd.follow(space, automated=False)
    announced = argocd.announced(space)
    assert {name: (one["title"], one.get("string", "")) for name, one in announced.items()} == {
        "config": ("Config", f"{CONFIG}.yaml"),
        "baseline": ("Baseline", ""),
    }
    assert {one["itemType"] for one in announced.values()} == {"string"}
    chosen = [{"name": "config", "string": "another.yaml"}]
    assert argocd.announced(space, parameters=chosen)["config"]["string"] == f"{CONFIG}.yaml"  # the default still


def failed(argocd: ArgoCD, space: Space) -> str:
    """Wait until the Application reports that its manifests could not be made; what it reports."""
    argocd.refresh(space, hard=True)
    wait(lambda: argocd.conditions(space), lambda: f"an error: {argocd.explain(space)}")
    (condition,) = argocd.conditions(space)
    return condition


@pytest.mark.parametrize(
    ("asks", "refused"),
    [
        pytest.param("exec: {path: /usr/local/bin/python3}", "the program /usr/local/bin/python3", id="a program"),
        pytest.param("container: {image: evil.example.org/x}", "the image evil.example.org/x", id="an image"),
    ],
)
def test_a_tenants_kustomization_runs_nothing_in_the_sidecar(
    argocd: ArgoCD, space: Space, asks: str, refused: str
) -> None:
    space.cluster("web")
    write(space, "kustomize")
    path = space.fleet / f"{CONFIG}.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("exec: {path: clusternet-capi-fn}", asks))
    argocd.follow(space)
    condition = failed(argocd, space)
    assert f"asks for {refused}, which is not run unless you pass --enable-exec" in condition
    assert TOKEN not in condition


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        pytest.param(
            "helmCharts: [{name: x, repo: 'https://evil.example.org'}]",
            "the build asks for the program helm, which is not run",
            id="a Helm chart",
        ),
        pytest.param("components: ['https://evil.example.org/x.git']", "no 'git' program on path", id="a remote base"),
        pytest.param(
            "configMapGenerator: [{name: x, files: ['../../../../run/secrets/clusternet/regToken']}]",
            "is not in the folder that names it",
            id="the token",
        ),
    ],
)
def test_a_tenants_kustomization_fetches_and_reads_nothing_beside_its_repository(
    argocd: ArgoCD, space: Space, line: str, refused: str
) -> None:
    space.cluster("web")
    write(space, "kustomize")
    path = space.fleet / "kustomization.yaml"
    path.write_text(f"{path.read_text(encoding='utf-8')}{line}\n", encoding="utf-8")
    argocd.follow(space)
    condition = failed(argocd, space)
    assert refused in condition
    assert TOKEN not in condition
    assert not space.list(SETS)


def test_a_repository_of_a_thousand_files_is_rendered_in_little_memory(
    argocd: ArgoCD, space: Space, record_property: Callable[[str, object], None]
) -> None:
    for number in range(1000):
        name = f"other-{number:04}"
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": space.namespace}}
        space.write(name, {**value, "data": {"number": str(number)}})
    space.cluster("web")
    write(space, "plain folder")

    def rendered() -> None:
        argocd.follow(space, automated=False)
        argocd.refresh(space, hard=True)

    cost = argocd.cost(space, rendered)
    record_property("the function in the sidecar", str(cost))  # in junit.xml; docs/hosts/argocd.md has the figures
    status = argocd.application(space)["status"]
    assert not status.get("conditions"), status["conditions"]
    assert len(status["resources"]) == 1000 + len({"Cluster", "LabCluster"}) + 5
    assert cost.kilobytes < 64_000


def test_without_automation_a_person_sees_what_is_missing_first(argocd: ArgoCD, space: Space) -> None:
    space.cluster("web")
    write(space, "plain folder")
    argocd.follow(space, automated=False)
    status: Object = argocd.refresh(space)["status"]
    assert status["sync"]["status"] == "OutOfSync"
    assert {one["status"] for one in status["resources"]} == {"OutOfSync"}
    assert not space.list(SETS)


def test_sets_of_a_new_name_take_over_and_the_old_ones_go_with_what_they_own(argocd: ArgoCD, space: Space) -> None:
    workload = space.cluster("web")
    write(space, "plain folder")
    argocd.follow(space)
    argocd.sync(space)
    space.wait_delivered("web")
    agent = workload.agent()["metadata"]["uid"]
    write(space, "plain folder", clusterResourceSet={"name": "second"})
    argocd.sync(space)
    wait(lambda: ours(space) == {"second"}, lambda: f"pruning: {argocd.explain(space)}")
    space.wait_delivered("web")
    assert workload.agent()["metadata"]["uid"] == agent
    assert settled(argocd, space) == []


def ours(space: Space) -> set[str]:
    """The names before the suffixes of everything of ours that is there."""
    kinds = (SETS, "ConfigMap", "Secret")
    made = [one["metadata"] for kind in kinds for one in space.list(kind) if OURS in one["metadata"].get("labels", {})]
    return {re.sub("-(identity|agent|registration)$", "", one["name"]) for one in made}
