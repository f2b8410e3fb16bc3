"""Faults of Cluster API's manager. It is a process here; a Deployment says what its flags are, as it does elsewhere."""

from __future__ import annotations

from krm_fn.status.commands import Commands
from tests.hosts.lab import cluster_api
from tests.hosts.lab.api import wait
from tests.hosts.lab.faults.scenario import N, commands, fault
from tests.hosts.lab.space import BINDINGS, NOWHERE, REGISTER, Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.faults.scenario import Scenario, Steps

GATE_OFF = "--feature-gates=ClusterResourceSet=false"
WATCH_BLUE = "--watch-filter=blue"


@fault("outdated", "the manager does not run, and the agent changed", alone="stopped")
def manager_down(at: Scenario) -> Steps:
    at.deliver()
    yield
    retry = Commands(context="management").retry(at.space.namespace, [f"{N}.{at.name}"])
    assert "failed calling webhook" in at.run(retry, code=1).err  # here nobody starts the manager yet
    change = at.space.get("ConfigMap", f"{N}-agent.{at.name}")
    assert change
    change["data"]["40-deployment.yaml"] += "# changed\n"
    at.api.patch("ConfigMap", f"{N}-agent.{at.name}", at.space.namespace, {"data": change["data"]})
    reason = yield
    assert "is not running" in reason["message"]
    *first, last = commands(reason)
    assert last == retry
    at.follow({"remedy": first})
    at.start_manager()
    at.run(retry)
    at.space.wait_delivered(at.name)


@fault(
    "unreachable",
    "nothing answers at the API server's address, on a release that does not probe it",
    alone="stopped",
    imitated="the release: RemoteConnectionProbe is taken out of the Cluster's status",
)
def without_probe(at: Scenario) -> Steps:
    at.cluster(on=NOWHERE)
    at.config()
    at.sync()
    wait(lambda: (at.space.get(BINDINGS, at.name) or {}).get("spec", {}).get("bindings"), "the Binding")
    yield
    found = at.space.get("Cluster", at.name)
    assert found
    kept = [one for one in found["status"]["conditions"] if one["type"] != "RemoteConnectionProbe"]
    at.api.patch("Cluster", at.name, at.space.namespace, {"status": {"conditions": kept}}, "status")
    reason = yield
    at.follow(reason)
    at.space.connect(at.name, at.workload.url)
    at.start_manager()
    at.green()


@fault(
    "namespace-terminating", "the namespace is being deleted, and the server can't delete its Cluster", alone="stopped"
)
def ends_first(at: Scenario) -> Steps:
    at.deliver()
    yield
    at.api.delete("Namespace", at.space.namespace)
    describe = ("describe", "namespace", at.space.namespace)
    wait(lambda: "webhook" in at.lab.management.kubectl(*describe).out, "what the namespace waits for")
    reason = yield
    at.follow(reason)
    at.start_manager()
    folder = at.space.folder / "2"
    folder.mkdir()
    other = Space(at.lab, f"{at.space.namespace}-2", folder)
    at.spaces.append(other)
    other.cluster(at.name)
    other.config(identity={"mode": "PerCluster"}, agent={"namespace": at.agents})
    other.sync()
    other.wait_delivered(at.name)


@fault("watch-filter", "the manager only watches objects with a label", alone="filtered")
def watch_filter(at: Scenario) -> Steps:
    workload = at.cluster(labels={**REGISTER, "cluster.x-k8s.io/watch-filter": "blue"})
    at.config()
    yield
    tree = at.space.render()
    at.space.apply(tree)
    reason = yield
    at.follow(reason)
    at.space.applied = tree
    at.space.connect(
        at.name, workload.url
    )  # not before: the event of a Cluster that has the label brings its sets along
    at.space.wait_delivered(at.name)
    at.register()


@fault("gate", "the manager of v1.10 has the feature gate off", alone="gate off", only_old=True)
def gate_off(at: Scenario) -> Steps:
    at.cluster()
    at.config()
    yield
    tree = at.space.render()
    refused = at.space.apply(tree, code=1).err  # by the webhook; all but the sets is there
    assert "feature flag is enabled" in refused, refused
    at.space.applied = tree
    at.space.provision()
    reason = yield
    here = ("-n", at.space.namespace, "get")
    sets = ("clusters.cluster.x-k8s.io,clusterresourcesets,clusterresourcesetbindings",)
    asked = ((*here, *sets), (*here, "secrets,configmaps", "-l", "fn.clusternet.io/generated=true"))
    unseen = at.reason(at.dumped(commands=asked))
    assert (unseen["code"], "no ClusterResourceSet is" in unseen["message"]) == ("gate", True)
    [deployment] = at.follow(unseen)
    assert "is off in" in at.reason(at.dumped(at.keep(deployment), commands=asked))["message"]
    at.follow(reason)
    at.space.write("manager", cluster_api.deployment(at.lab.release, GATE_OFF))
    at.config(managementCluster={"featureGate": "Ensure"})
    at.space.apply(at.space.render(), code=1)  # the sets are refused as before, and the Deployment is corrected
    found = at.api.get("Deployment", cluster_api.MANAGER, cluster_api.SYSTEM)
    assert found
    [container] = found["spec"]["template"]["spec"]["containers"]
    at.lab.restart_manager(*container["args"])
    at.green()
