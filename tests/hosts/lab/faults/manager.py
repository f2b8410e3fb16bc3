"""Faults of Cluster API's manager. It is a process here; a Deployment says what its flags are, as it does elsewhere."""

from __future__ import annotations

from tests.hosts.lab import cluster_api
from tests.hosts.lab.faults.scenario import N, fault
from tests.hosts.lab.space import REGISTER

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.faults.scenario import Scenario, Steps

GATE_OFF = "--feature-gates=ClusterResourceSet=false"
WATCH_BLUE = "--watch-filter=blue"


@fault("outdated", "the manager does not run, and the agent changed", alone="stopped")
def manager_down(at: Scenario) -> Steps:
    at.deliver()
    yield
    change = at.space.get("ConfigMap", f"{N}-agent.{at.name}")
    assert change
    change["data"]["40-deployment.yaml"] += "# changed\n"
    at.api.patch("ConfigMap", f"{N}-agent.{at.name}", at.space.namespace, {"data": change["data"]})
    reason = yield
    at.lab.restart_manager()
    at.follow(reason)
    at.space.wait_delivered(at.name)


@fault("watch-filter", "the manager only watches objects with a label", alone="filtered")
def watch_filter(at: Scenario) -> Steps:
    at.cluster(labels={**REGISTER, "cluster.x-k8s.io/watch-filter": "blue"})
    at.config()
    yield
    at.sync()
    reason = yield
    at.follow(reason)
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
    at.follow(reason)
    at.space.write("manager", cluster_api.deployment(at.lab.release, GATE_OFF))
    at.config(managementCluster={"featureGate": "Ensure"})
    at.space.apply(at.space.render(), code=1)  # the sets are refused as before, and the Deployment is corrected
    found = at.api.get("Deployment", cluster_api.MANAGER, cluster_api.SYSTEM)
    assert found
    [container] = found["spec"]["template"]["spec"]["containers"]
    at.lab.restart_manager(*container["args"])
    at.green()
