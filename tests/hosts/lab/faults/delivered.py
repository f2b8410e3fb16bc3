"""Faults of delivery: does what the ClusterResourceSets hold arrive on the workload cluster?"""

from __future__ import annotations

import time

import yaml

from tests.hosts.lab import cluster_api
from tests.hosts.lab.faults.scenario import INFO, WARNING, N, edit, fault, without
from tests.hosts.lab.space import BINDINGS, NOWHERE, SETS, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.api import Object
    from tests.hosts.lab.faults.scenario import Scenario, Steps


@fault("unreachable", "nothing answers at the API server's address", old=True)
def never_reachable(at: Scenario) -> Steps:
    at.cluster(on=NOWHERE)
    at.config()
    at.sync()
    reason = yield
    at.follow(reason)
    at.space.connect(at.name, at.workload.url)
    at.green()


@fault("unreachable", "the API server went away after the delivery", WARNING)
def went_away(at: Scenario) -> Steps:
    workload = at.deliver(on="w2")
    workload.server.stop()
    reason = yield
    at.follow(reason)
    workload.start()
    workload.wait_ready()


@fault("unreachable", "the API server went away, and a change waits")
def change_waits(at: Scenario) -> Steps:
    workload = at.deliver(on="w3")
    workload.server.stop()
    at.config(agent={"podAnnotations": {"change": "1"}})
    at.sync()
    reason = yield
    at.follow(reason)
    workload.start()
    workload.wait_ready()
    at.delivered(at.name)


@fault("infrastructure", "the infrastructure is not provisioned", imitated="the infrastructure provider", old=True)
def not_provisioned(at: Scenario) -> Steps:
    workload = at.cluster()
    at.config()
    tree = at.space.render()
    at.space.apply(tree)
    reason = yield
    at.follow(reason)
    at.space.applied = tree
    at.space.connect(at.name, workload.url)
    at.green()


@fault("infrastructure", "the object of the infrastructure provider is not there", old=True)
def no_infrastructure_object(at: Scenario) -> Steps:
    workload = at.cluster()
    at.config()
    tree = at.space.render()
    kept = [one for one in read_tree(tree) if one["kind"] != "LabCluster"]
    at.lab.management.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(kept))
    reason = yield
    at.follow(reason)
    at.space.apply(tree)
    at.space.applied = tree
    at.space.connect(at.name, workload.url)
    at.green()


@fault("control-plane", "the control plane is not initialized", imitated="the control plane provider")
def not_initialized(at: Scenario) -> Steps:
    workload = at.space.cluster(at.name, topology=True)
    at.config()
    at.space.applied = at.space.render()
    at.space.apply(at.space.applied)
    cluster_api.provision(at.lab.management, at.space.namespace, at.name, "", workload.url)
    reason = yield
    at.follow(reason)
    at.space.connect(at.name, workload.url)
    at.green()


@fault("wrong-secret-type", "the registration Secret has type Opaque", old=True)
def wrong_type(at: Scenario) -> Steps:
    at.cluster()
    at.config()
    at.sync(edit("Secret", f"{N}.registration", lambda one: one.update(type="Opaque")))
    reason = yield
    at.follow(reason)
    at.green()


@fault("missing-resource", "the registration Secret was never there")
def secret_missing(at: Scenario) -> Steps:
    at.cluster()
    at.config()
    at.sync(without("Secret", f"{N}.registration"))
    yield
    at.green()


@fault("missing-resource", "the Secret was deleted after the delivery", WARNING)
def secret_deleted(at: Scenario) -> Steps:
    at.deliver()
    at.api.delete("Secret", f"{N}.registration", at.space.namespace)
    yield
    at.green()


@fault("unparsable", "the agent's ConfigMap is truncated")
def truncated(at: Scenario) -> Steps:
    def cut(one: Object) -> None:
        one["data"]["40-deployment.yaml"] = one["data"]["40-deployment.yaml"][:-40] + '\n"cut: ['

    at.cluster()
    at.config()
    at.sync(edit("ConfigMap", f"{N}-agent.{at.name}", cut))
    yield
    at.green()


@fault("short-value", "a value is shorter than 32 bytes")
def short_value(at: Scenario) -> Steps:
    at.cluster()
    at.config()
    at.sync(edit("ConfigMap", f"{N}-agent.{at.name}", lambda one: one["data"].update({"50-more.yaml": "# nothing"})))
    yield
    at.green()


@fault("not-applied", "a Deployment with another selector is there (immutable)")
def immutable_field(at: Scenario) -> Steps:
    workload = at.cluster()
    workload.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": at.agents}})
    labels = {"app": "somebody-elses"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod, "replicas": 0}
    metadata = {"name": "clusternet-agent", "namespace": at.agents}
    workload.api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    at.config()
    at.sync()
    reason = yield
    workload.api.delete("Deployment", "clusternet-agent", at.agents)
    at.follow(reason)
    at.space.wait_delivered(at.name)
    at.register()


@fault("not-applied", "an admission policy of the workload cluster denies the agent")
def admission(at: Scenario) -> Steps:
    workload = at.cluster()
    workload.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": at.agents}})
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pod}
    trial = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": at.agents},
        "spec": spec,
    }
    policy = at.deny(trial, workload)
    at.config()
    at.sync()
    reason = yield
    policy.lift()
    at.follow(reason)
    at.space.wait_delivered(at.name)
    at.register()


@fault("waiting", "the management cluster refused the ClusterResourceSetBinding for a while")
def refused_binding(at: Scenario) -> Steps:
    metadata = {"name": "x", "namespace": at.space.namespace}
    trial = {"apiVersion": at.lab.release.sets, "kind": BINDINGS, "metadata": metadata, "spec": {"clusterName": "x"}}
    policy = at.deny(trial, at.lab.management)
    at.cluster()
    at.config()
    at.sync()
    time.sleep(20)  # so that the manager's delay is long, as it is where a command is needed
    reason = yield
    policy.lift()
    at.follow(reason)
    at.space.wait_delivered(at.name)
    at.register()


@fault("not-reconciled", "the management cluster refuses what the manager writes into the sets")
def never_looked_at(at: Scenario) -> Steps:
    metadata = {"name": "x", "namespace": at.space.namespace}
    spec = {"clusterSelector": {"matchLabels": {"a": "b"}}, "resources": [{"kind": "ConfigMap", "name": "x"}]}
    trial = {"apiVersion": at.lab.release.sets, "kind": SETS, "metadata": metadata, "spec": spec}
    others = "(request.operation == 'CREATE' && object.metadata.name != 'x')"  # a set can be made, and not changed
    policy = at.deny(trial, at.lab.management, unless=others)
    at.cluster()
    at.config()
    at.sync()
    reason = yield
    at.follow(reason)
    unseen = at.reason(at.dumped())
    assert (unseen["code"], "a certain label" in unseen["message"]) == ("not-reconciled", True)
    [deployment] = at.follow(unseen)
    assert at.reason(at.dumped(at.keep(deployment)))["message"] == reason["message"]
    policy.lift()
    at.green()


@fault("changed", "strategy ApplyOnce, and the agent changed", WARNING)
def apply_once(at: Scenario) -> Steps:
    at.deliver(clusterResourceSet={"strategy": "ApplyOnce"})
    at.config(agent={"podAnnotations": {"change": "1"}}, clusterResourceSet={"strategy": "ApplyOnce"})
    at.sync()
    yield
    at.config(clusterResourceSet={"name": "reconciled", "strategy": "Reconcile"})
    at.space.sync()
    at.delivered(at.name)


@fault("other-content", "the label went from wave 2 to 1 and back")
def moved_back(at: Scenario) -> Steps:
    at.cluster(labels={"wave": "2"})
    at.cluster("stays-1", labels={"wave": "1"})
    at.cluster("stays-2", labels={"wave": "2"})
    for wave in ("1", "2"):
        at.config(
            f"wave-{wave}",
            clusterSelector={"matchLabels": {"wave": wave}},
            clusterResourceSet={"name": f"wave-{wave}"},
            identity=None,
            agent={"podAnnotations": {"wave": wave}},
        )
    for wave in ("2", "1", "2"):
        at.space.label(at.name, wave=wave)
        at.sync()
        at.delivered(at.name, "stays-1", "stays-2")
        time.sleep(1.1)  # a Binding records times in seconds
    for end in ("ddddd", "fffff", "lllll"):
        at.parent.register(f"clusternet-cluster-{end}", labels={"fn.clusternet.io/namespace": at.space.namespace})
    yield
    at.config("wave-2", agent={"podAnnotations": {"wave": "2", "again": "1"}}, identity=None)
    at.sync()
    at.delivered(at.name)


@fault("namespace-terminating", "the namespace is being deleted", INFO)
def terminating(at: Scenario) -> Steps:
    at.deliver()
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    at.api.patch("Cluster", at.name, at.space.namespace, hold)
    at.api.delete("Namespace", at.space.namespace)
    yield
    at.api.patch("Cluster", at.name, at.space.namespace, {"metadata": {"finalizers": None}})
