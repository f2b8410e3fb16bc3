"""Faults of delivery: does what the ClusterResourceSets hold arrive on the workload cluster?"""

from __future__ import annotations

import time

import yaml

from tests.hosts.lab import cluster_api
from tests.hosts.lab.api import wait
from tests.hosts.lab.faults.scenario import INFO, WARNING, N, edit, fault, without
from tests.hosts.lab.space import NOWHERE

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
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}]
    expression = f"object.metadata.namespace != '{at.agents}'"
    policy = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicy",
        "metadata": {"name": "no-agents"},
        "spec": {"matchConstraints": {"resourceRules": rules}, "validations": [{"expression": expression}]},
    }
    binding = {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingAdmissionPolicyBinding",
        "metadata": {"name": "no-agents"},
        "spec": {"policyName": "no-agents", "validationActions": ["Deny"]},
    }
    workload.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([policy, binding]))
    workload.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": at.agents}})

    def denied() -> bool:
        attempt = ("create", "deployment", "x", "--image=x", "-n", at.agents, "--dry-run=server")
        return workload.kubectl(*attempt, code={0, 1}).code == 1

    wait(denied, "the policy to take effect")
    at.config()
    at.sync()
    reason = yield
    workload.kubectl("delete", "validatingadmissionpolicybinding", "no-agents")
    workload.kubectl("delete", "validatingadmissionpolicy", "no-agents")
    wait(lambda: not denied(), "the policy to end")
    at.follow(reason)
    at.space.wait_delivered(at.name)
    at.register()


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
