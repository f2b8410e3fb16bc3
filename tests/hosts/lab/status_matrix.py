"""A fault matrix on real control planes: `status` names each injected fault first, and its remedies end in green.

Every fault has a namespace and a Cluster of its own. All are injected into one fleet, `status --context` is asked once, then
every printed command is run in the situation that it is printed for, and `status` is asked again. What the hub and the
agents would do on the parent cluster is done by hand. `UPDATE_DOCS=1` writes the table of docs/status.md.
"""

from __future__ import annotations

import base64
import copy
import json
import os
import re
import sys
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from krm_fn.surface import RETRY_ANNOTATION
from tests.hosts import programs
from tests.hosts.lab import lab as labs
from tests.hosts.lab import servers
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.clusternet import REGISTRATIONS
from tests.hosts.lab.space import NOWHERE, REGISTER, SETS, Space, read_tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from tests.hosts.lab.clusternet import Parent, Workload
    from tests.hosts.lab.lab import Lab

    Course = Generator[None, Object, None]

PAGE = programs.REPOSITORY / "docs/status.md"
N = "clusternet-cluster-api"
SECONDS = 90
NOW = datetime.now(timezone.utc)
ERROR, WARNING, INFO = "error", "warning", "info"


class Fault(NamedTuple):
    """A fault: what is done, what `status` has to find first, and the course from injecting to mending it."""

    name: str
    what: str
    code: str
    severity: str
    course: Callable[[Field], Course]
    alone: bool


FAULTS: dict[str, Fault] = {}


def fault(
    code: str, what: str, severity: str = ERROR, *, alone: bool = False
) -> Callable[[Callable[[Field], Course]], Callable[[Field], Course]]:
    """Register a fault. Up to its `yield` the function injects it; it gets the reason that was found, and mends it."""

    def register(course: Callable[[Field], Course]) -> Callable[[Field], Course]:
        name = course.__name__.replace("_", "-")
        FAULTS[name] = Fault(name, what, code, severity, course, alone)
        return course

    return register


class Field:
    """One fault's place: a namespace, a folder, and a Cluster that carries the fault's name."""

    def __init__(self, lab: Lab, name: str, folder: Path) -> None:
        folder.mkdir()
        self.lab = lab
        self.name = name
        self.agents = f"a-{name}"
        self.space = Space(lab, f"m-{name}", folder)
        self.api = lab.management.api

    @property
    def parent(self) -> Parent:
        return self.lab.parent

    def cluster(self, name: str = "", on: str = "w1", labels: dict[str, str] | None = None) -> Workload:
        """Write a Cluster of the fault's name."""
        return self.space.cluster(name or self.name, on, labels=labels)

    def config(self, name: str = "config", *, agent: Object | None = None, **spec: Any) -> None:
        """Write a config whose agents run in a namespace of their own."""
        given = {"identity": {"mode": "PerCluster"}, **spec}
        self.space.config(name, agent={"namespace": self.agents, **(agent or {})}, **given)

    def deliver(self, on: str = "w1", *, register: bool = True, **spec: Any) -> Workload:
        """Deliver an agent to the fault's Cluster, and register it."""
        workload = self.cluster(on=on)
        self.config(**spec)
        self.space.sync()
        self.delivered(self.name)
        if register:
            self.parent.register(self.name)
        return workload

    def sync(self, change: Callable[[list[Object]], None] | None = None) -> None:
        """Sync the folder; with a change, what was rendered is changed before it is applied, as by hand."""
        if change is None:
            self.space.sync(prune=False)
            return
        tree = self.space.render()
        values = read_tree(tree)
        change(values)
        self.lab.management.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(values))
        self.space.applied = tree
        self.space.provision()

    def delivered(self, *names: str) -> None:
        """Wait until Clusters have what they should, and have Cluster API try again at once instead of after its delay."""

        def there() -> bool:
            if not any(map(self.space.undelivered, names)):
                return True
            for one in self.space.list(SETS):
                mark = {"metadata": {"annotations": {RETRY_ANNOTATION: str(time.time())}}}
                self.api.patch(SETS, one["metadata"]["name"], self.space.namespace, mark)
            time.sleep(2)
            return False

        wait(there, lambda: str([self.space.undelivered(name) for name in names]), SECONDS)

    def green(self) -> None:
        """Have what is rendered delivered and registered."""
        self.sync()
        self.delivered(self.name)
        self.registered()

    def registered(self) -> None:
        """Register as the agent would by now."""
        if not [one for one in self.parent.api.list("ManagedCluster") if one["metadata"]["name"] == self.name]:
            self.parent.register(self.name)

    def follow(self, commands: list[str], *, on_parent: bool = False) -> None:
        """Run printed commands as a person would, in bash."""
        for command in commands:
            if not command.startswith("kubectl "):
                continue
            if " logs deployment/" in command:  # the manager is no pod here; its log is a file
                assert command.rpartition(" ")[2] in self.lab.manager.log.read_text(encoding="utf-8"), command
                continue
            plane = self.lab.parent if on_parent else self.lab.management
            programs.run("bash", "-ec", command, cwd=self.space.folder, env=shell(plane.kubeconfig, self.space.folder))

    def managed(self, name: str = "") -> Object:
        """The ManagedCluster of a name."""
        name = name or self.name
        return next(one for one in self.parent.api.list("ManagedCluster") if one["metadata"]["name"] == name)


def shell(kubeconfig: Path, folder: Path) -> dict[str, str]:
    """A user's environment, with the lab's kubectl first."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    link = tools / "kubectl"
    if not link.exists():
        link.symlink_to(servers.kubectl())
    return {"KUBECONFIG": str(kubeconfig), "PATH": f"{tools}:{Path(sys.executable).parent}:{os.environ['PATH']}"}


def edit(kind: str, name: str, change: Callable[[Object], None]) -> Callable[[list[Object]], None]:
    """A change of one rendered object."""

    def all_of(values: list[Object]) -> None:
        change(next(one for one in values if one["kind"] == kind and one["metadata"]["name"] == name))

    return all_of


def without(kind: str, name: str) -> Callable[[list[Object]], None]:
    """Rendered objects without one of them."""

    def all_of(values: list[Object]) -> None:
        values[:] = [one for one in values if (one["kind"], one["metadata"]["name"]) != (kind, name)]

    return all_of


# --- selected ----------------------------------------------------------------------------------------------------


@fault("no-match", "the Cluster lacks the label")
def label_missing(f: Field) -> Course:
    f.cluster("labelled")
    f.cluster(labels={})
    f.config(identity=None)
    f.sync()
    f.parent.register("clusternet-cluster-bbbbb", labels={"fn.clusternet.io/namespace": f.space.namespace})
    reason = yield
    f.follow(reason["remedy"])
    f.delivered(f.name)
    f.parent.register("clusternet-cluster-ccccc", labels={"fn.clusternet.io/namespace": f.space.namespace})


@fault("no-resource-set", "a new Cluster that was not rendered")
def not_rendered(f: Field) -> Course:
    f.cluster()
    f.lab.management.kubectl("apply", "-f", f.space.fleet / f"{f.name}.yaml")
    yield
    f.config()
    f.green()


@fault("paused", "the sets are annotated `cluster.x-k8s.io/paused`")
def paused(f: Field) -> Course:
    f.cluster()
    f.config(clusterResourceSet={"annotations": {"cluster.x-k8s.io/paused": "true"}})
    f.sync()
    reason = yield
    f.follow(reason["remedy"])
    f.space.wait_delivered(f.name)
    f.registered()


@fault("two-agents", "two configs select the Cluster")
def two_agents(f: Field) -> Course:
    f.deliver()
    (f.space.fleet / "config.yaml").rename(f.space.folder / "config.yaml")
    first = f.space.applied
    f.config("other", clusterResourceSet={"name": "other"})
    f.sync()
    yield
    f.space.remove("other")
    f.space.prune(f.space.applied, first)  # type: ignore[arg-type]
    f.delivered(f.name)


@fault("two-agents", "the hub's discovery has made its set, too", WARNING)
def hub_discovery(f: Field) -> Course:
    f.deliver()
    resources = [{"kind": "ConfigMap", "name": "clusternet-agent-deploy"}]
    value = {
        "apiVersion": f.lab.release.sets,
        "kind": SETS,
        "metadata": {"name": "hub", "namespace": f.space.namespace},
        "spec": {"clusterSelector": {"matchLabels": REGISTER}, "strategy": "ApplyOnce", "resources": resources},
    }
    deploy = {"x": yaml.safe_dump({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "hub-of-clusternet"}})}
    metadata = {"name": "clusternet-agent-deploy", "namespace": f.space.namespace}
    f.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": deploy})
    f.api.create(value)
    yield
    f.api.delete(SETS, "hub", f.space.namespace)  # the last step of migrate


@fault("two-sets", "a renaming: old and new set of one config", INFO)
def renaming(f: Field) -> Course:
    f.deliver()
    old = f.space.applied
    time.sleep(1.1)  # the new set has a later second than the old one
    f.config(clusterResourceSet={"name": "renamed"})
    f.sync()
    f.delivered(f.name)
    yield
    f.space.prune(old, f.space.applied)  # type: ignore[arg-type]


# --- delivered ---------------------------------------------------------------------------------------------------


@fault("infrastructure", "the infrastructure is not provisioned")
def not_provisioned(f: Field) -> Course:
    workload = f.cluster()
    f.config()
    tree = f.space.render()
    f.space.apply(tree)
    reason = yield
    f.follow(reason["remedy"])
    f.space.applied = tree
    f.space.connect(f.name, workload.url)
    f.green()


@fault("wrong-secret-type", "the registration Secret has type Opaque")
def wrong_type(f: Field) -> Course:
    f.cluster()
    f.config()
    f.sync(edit("Secret", f"{N}.registration", lambda one: one.update(type="Opaque")))
    reason = yield
    f.follow(reason["remedy"])
    f.green()


@fault("missing-resource", "the registration Secret was never there")
def secret_missing(f: Field) -> Course:
    f.cluster()
    f.config()
    f.sync(without("Secret", f"{N}.registration"))
    yield
    f.green()


@fault("missing-resource", "the Secret was deleted after the delivery", WARNING)
def secret_deleted(f: Field) -> Course:
    f.deliver()
    f.api.delete("Secret", f"{N}.registration", f.space.namespace)
    yield
    f.green()


@fault("unparsable", "the agent's ConfigMap is truncated")
def truncated(f: Field) -> Course:
    def cut(one: Object) -> None:
        one["data"]["40-deployment.yaml"] = one["data"]["40-deployment.yaml"][:-40] + '\n"cut: ['

    f.cluster()
    f.config()
    f.sync(edit("ConfigMap", f"{N}-agent.{f.name}", cut))
    yield
    f.green()


@fault("short-value", "a value is shorter than 32 bytes")
def short_value(f: Field) -> Course:
    f.cluster()
    f.config()
    f.sync(edit("ConfigMap", f"{N}-agent.{f.name}", lambda one: one["data"].update({"50-more.yaml": "# nothing"})))
    yield
    f.green()


@fault("unreachable", "nothing answers at the API server's address")
def never_reachable(f: Field) -> Course:
    f.cluster(on=NOWHERE)
    f.config()
    f.sync()
    reason = yield
    f.follow(reason["remedy"])
    f.space.connect(f.name, f.lab.workload("w1").url)
    f.green()


@fault("unreachable", "the API server went away after the delivery", WARNING)
def went_away(f: Field) -> Course:
    workload = f.deliver(on="w2")
    workload.server.stop()
    yield
    workload.start()
    workload.wait_ready()


@fault("unreachable", "the API server went away, and a change waits")
def change_waits(f: Field) -> Course:
    workload = f.deliver(on="w3")
    workload.server.stop()
    f.config(agent={"podAnnotations": {"change": "1"}})
    f.sync()
    reason = yield
    f.follow(reason["remedy"])
    workload.start()
    workload.wait_ready()
    f.delivered(f.name)


@fault("not-applied", "a Deployment with another selector is there (immutable)")
def immutable_field(f: Field) -> Course:
    workload = f.cluster()
    workload.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f.agents}})
    labels = {"app": "somebody-elses"}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod, "replicas": 0}
    metadata = {"name": "clusternet-agent", "namespace": f.agents}
    workload.api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})
    f.config()
    f.sync()
    reason = yield
    workload.api.delete("Deployment", "clusternet-agent", f.agents)
    f.follow(reason["remedy"])
    f.space.wait_delivered(f.name)
    f.registered()


@fault("not-applied", "an admission policy of the workload cluster denies the agent")
def admission(f: Field) -> Course:
    workload = f.cluster()
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], "operations": ["CREATE"]}]
    expression = f"object.metadata.namespace != '{f.agents}'"
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
    workload.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f.agents}})

    def denied() -> bool:
        attempt = ("create", "deployment", "x", "--image=x", "-n", f.agents, "--dry-run=server")
        return workload.kubectl(*attempt, code={0, 1}).code == 1  # type: ignore[arg-type]

    wait(denied, "the policy to take effect", SECONDS)
    f.config()
    f.sync()
    reason = yield
    workload.kubectl("delete", "validatingadmissionpolicybinding", "no-agents")
    workload.kubectl("delete", "validatingadmissionpolicy", "no-agents")
    wait(lambda: not denied(), "the policy to end", SECONDS)
    f.follow(reason["remedy"])
    f.space.wait_delivered(f.name)
    f.registered()


@fault("changed", "strategy ApplyOnce, and the agent changed", WARNING)
def apply_once(f: Field) -> Course:
    f.deliver(clusterResourceSet={"strategy": "ApplyOnce"})
    f.config(agent={"podAnnotations": {"change": "1"}}, clusterResourceSet={"strategy": "ApplyOnce"})
    f.sync()
    yield
    f.config(clusterResourceSet={"name": "reconciled", "strategy": "Reconcile"})
    f.space.sync()
    f.delivered(f.name)


@fault("other-content", "the label went from wave 2 to 1 and back")
def moved_back(f: Field) -> Course:
    f.cluster(labels={"wave": "2"})
    f.cluster("stays-1", labels={"wave": "1"})
    f.cluster("stays-2", labels={"wave": "2"})
    for wave in ("1", "2"):
        f.config(
            f"wave-{wave}",
            clusterSelector={"matchLabels": {"wave": wave}},
            clusterResourceSet={"name": f"wave-{wave}"},
            identity=None,
            agent={"podAnnotations": {"wave": wave}},
        )
    for wave in ("2", "1", "2"):
        f.space.label(f.name, wave=wave)
        f.sync()
        f.delivered(f.name, "stays-1", "stays-2")
        time.sleep(1.1)  # records count in seconds
    for end in ("ddddd", "fffff", "lllll"):
        labels = {"fn.clusternet.io/namespace": f.space.namespace}
        f.parent.register(f"clusternet-cluster-{end}", labels=labels)
    yield
    f.config("wave-2", agent={"podAnnotations": {"wave": "2", "again": "1"}}, identity=None)
    f.sync()
    f.delivered(f.name)


@fault("namespace-terminating", "the namespace is being deleted", INFO)
def terminating(f: Field) -> Course:
    f.deliver()
    hold = {"metadata": {"finalizers": ["example.com/hold"]}}
    f.api.patch("Cluster", f.name, f.space.namespace, hold)
    f.api.delete("Namespace", f.space.namespace)
    yield
    f.api.patch("Cluster", f.name, f.space.namespace, {"metadata": {"finalizers": None}})


# --- registered --------------------------------------------------------------------------------------------------


@fault("not-registered", "the agent can't reach the parent")
def not_registered(f: Field) -> Course:
    f.deliver(register=False)
    reason = yield
    f.follow(reason["remedy"])
    f.registered()


@fault("token-expired", "the token has expired")
def expired(f: Field) -> Course:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    token = ".".join((part('{"alg":"RS256"}'), part('{"exp": 1700000000}'), part("a signature")))
    f.deliver(register=False, registrationToken={"value": token})
    yield
    f.config(registrationToken={"value": "k3w8zt.q5n1r7b2x9d4m6cv"})
    f.green()


@fault("request-pending", "the hub has not answered the request")
def pending(f: Field) -> Course:
    f.deliver(register=False)
    f.parent.request(f.name, "11111111-aaaa-4aaa-8aaa-000000000001")
    yield
    f.parent.api.delete(REGISTRATIONS, "clusternet-11111111-aaaa-4aaa-8aaa-000000000001")
    f.registered()  # as the hub would


@fault("request-refused", "the hub denied the request")
def denied(f: Field) -> Course:
    f.deliver(register=False)
    name = "clusternet-22222222-aaaa-4aaa-8aaa-000000000002"
    f.parent.request(f.name, name.removeprefix("clusternet-"))
    f.parent.api.patch(REGISTRATIONS, name, "", {"status": {"result": "Denied", "errorMessage": "no"}}, "status")
    reason = yield
    f.follow(reason["remedy"], on_parent=True)
    assert f.parent.api.get(REGISTRATIONS, name) is None
    f.registered()


@fault("lost", "the agent stopped reporting")
def silent(f: Field) -> Course:
    f.deliver()
    found = f.managed()["metadata"]
    f.parent.report(f.name, found["namespace"], at=NOW - timedelta(days=1))
    reason = yield
    f.follow(reason["remedy"])
    f.parent.report(f.name, found["namespace"])


@fault("not-ready", "the agent reports trouble")
def trouble(f: Field) -> Course:
    f.deliver()
    found = f.managed()["metadata"]
    status = {"conditions": [{"type": "Ready", "status": "False", "reason": "ManagedClusterNotReady"}]}
    f.parent.api.patch("ManagedCluster", f.name, found["namespace"], {"status": status}, "status")
    reason = yield
    f.follow(reason["remedy"])
    f.parent.report(f.name, found["namespace"])


@fault("duplicate-name", "a Cluster of another namespace registers under the same name")
def namesake(f: Field) -> Course:
    f.deliver()
    other = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{f.space.namespace}-2"}}
    f.api.create(other)
    second = [copy.deepcopy(one) for one in read_tree(f.space.applied) if one["kind"] != "ClusternetCAPIConfig"]
    for one in second:
        one["metadata"]["namespace"] = other["metadata"]["name"]
    text = yaml.safe_dump_all(second)
    f.lab.management.kubectl("apply", "-f", "-", stdin=text)
    yield
    f.lab.management.kubectl("delete", "--wait=false", "-f", "-", stdin=text)
    f.api.end_namespace(other["metadata"]["name"], (SETS, "ClusterResourceSetBinding", "Cluster", "LabCluster"))


@fault("duplicate-managed-cluster", "two clusters report under one name")
def two_report(f: Field) -> Course:
    f.deliver()
    second(f, "33333333-aaaa-4aaa-8aaa-000000000003", ago=timedelta())
    yield
    f.parent.api.delete("ManagedCluster", f.name, "clusternet-33333")
    f.parent.register(f"{f.name}-renamed")


@fault("rebuilt", "the cluster was rebuilt; its entry from before is silent", INFO)
def rebuilt(f: Field) -> Course:
    f.deliver()
    second(f, "44444444-aaaa-4aaa-8aaa-000000000004", ago=timedelta(days=1))
    yield


def second(f: Field, identifier: str, ago: timedelta) -> None:
    """Register another cluster under the same name, which reported last some time ago."""
    f.parent.register(f.name, identifier)
    time.sleep(1.1)
    f.parent.report(f.name, f"clusternet-{identifier[:5]}", at=datetime.now(timezone.utc) - ago)


@fault("not-all-registered", "names that agents choose: one of two Clusters is missing")
def one_missing(f: Field) -> Course:
    f.cluster()
    f.cluster("second")
    f.config(identity={"mode": "Shared", "namePrefix": "one-missing"})
    f.sync()
    f.delivered(f.name, "second")
    labels = {"fn.clusternet.io/namespace": f.space.namespace}
    f.parent.register("one-missing-ggggg", labels=labels)
    yield
    f.parent.register("one-missing-hhhhh", labels=labels)


@fault("left-over", "the Cluster is gone; its registration is silent for 30 days", WARNING)
def orphan(f: Field) -> Course:
    identifier = "55555555-aaaa-4aaa-8aaa-000000000005"
    f.parent.register(f.name, identifier)
    f.parent.report(f.name, "clusternet-55555", at=NOW - timedelta(days=30))
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        value: Object = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind}
        value["metadata"] = {"name": f"clusternet-{identifier}"}
        if kind == "ClusterRoleBinding":
            value["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        f.parent.api.create(value)
    reason = yield
    assert len(reason["remedy"]) == 4
    f.follow(reason["remedy"], on_parent=True)


# --- the manager -------------------------------------------------------------------------------------------------


@fault("outdated", "the manager does not run, and the agent changed", alone=True)
def manager_down(f: Field) -> Course:
    f.deliver()
    f.lab.manager.stop()
    change = f.space.get("ConfigMap", f"{N}-agent.{f.name}")
    assert change
    change["data"]["40-deployment.yaml"] += "# changed\n"
    f.api.patch("ConfigMap", f"{N}-agent.{f.name}", f.space.namespace, {"data": change["data"]})
    reason = yield
    start_manager(f.lab)
    f.follow(reason["remedy"])
    f.space.wait_delivered(f.name)


@fault("watch-filter", "the manager only watches objects with a label", alone=True)
def watch_filter(f: Field) -> Course:
    filtered = {"cluster.x-k8s.io/watch-filter": "blue"}
    f.cluster(labels={**REGISTER, **filtered})
    f.config()
    manager = f.lab.manager
    plain = list(manager._command)
    manager.stop()
    manager._command = [*plain, "--watch-filter=blue"]
    start_manager(f.lab)
    container = {"name": "manager", "image": "registry.k8s.io/cluster-api/cluster-api-controller:v1.14.2"}
    describe_manager(f, {**container, "args": ["--watch-filter=blue"]})
    f.sync()
    reason = yield
    f.follow(reason["remedy"])
    f.space.wait_delivered(f.name)
    f.registered()
    manager.stop()
    manager._command = plain
    start_manager(f.lab)
    f.api.end_namespace("capi-system", ("Deployment", "ReplicaSet", "Pod", "ConfigMap", "ServiceAccount", "Event"))


@fault("gate", "the manager of v1.6 has the feature gate off", alone=True)
def gate_off(f: Field) -> Course:
    f.cluster()
    f.config()
    f.space.apply(f.space.render())
    image = "registry.k8s.io/cluster-api/cluster-api-controller:v1.6.3"
    describe_manager(f, {"name": "manager", "image": image, "args": ["--feature-gates=ClusterResourceSet=false"]})
    yield
    f.api.end_namespace("capi-system", ("Deployment", "ReplicaSet", "Pod", "ConfigMap", "ServiceAccount", "Event"))
    f.green()


def start_manager(lab: Lab) -> None:
    """Start Cluster API's manager, and wait until its webhooks answer."""
    lab.manager.start()
    wait(lambda: labs._answers(lab.ports.webhooks) or lab.manager.check(), "Cluster API's webhooks", SECONDS)


def describe_manager(f: Field, container: Object) -> None:
    """Put the Deployment there that the manager has elsewhere; here it is a process."""
    f.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "capi-system"}})
    pod = {"metadata": {"labels": {"m": "m"}}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": {"m": "m"}}, "template": pod}
    metadata = {"name": "capi-controller-manager", "namespace": "capi-system"}
    f.api.create({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec})


# --- a healthy fleet beside them ---------------------------------------------------------------------------------


def healthy(f: Field) -> None:
    """Deliver and register in both modes, and move one from Shared to PerCluster."""
    f.deliver()
    for name in ("shared-1", "shared-2"):
        f.cluster(name, labels={"mode": "shared"})
    selector = {"matchLabels": {"mode": "shared"}}
    shared = {"mode": "Shared", "namePrefix": "healthy"}
    f.config("shared", clusterSelector=selector, identity=shared, clusterResourceSet={"name": "shared"})
    f.sync()
    f.delivered("shared-1", "shared-2")
    for end in ("jjjjj", "kkkkk"):
        f.parent.register(f"healthy-{end}", labels={"fn.clusternet.io/namespace": f.space.namespace})


# --- the course of all -------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    """What `status` reported while the faults were there, and afterwards; `failed` has what went wrong on the way."""

    before: Object
    after: Object
    alone: dict[str, tuple[Object, Object]]
    failed: dict[str, str]
    asked: set[str]

    def of(self, one: Fault) -> tuple[Object, Object]:
        """Both reports that concern a fault."""
        assert one.name not in self.failed, self.failed[one.name]
        return self.alone[one.name] if one.alone else (self.before, self.after)


@pytest.fixture(scope="module")
def outcome(lab: Lab, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    """Inject the faults of the selected tests (`-k`), ask, mend, ask again."""
    calls = [getattr(item, "callspec", None) for item in request.session.items]
    asked = {call.params["name"] for call in calls if call and "name" in call.params} & set(FAULTS)
    chosen = [one for one in FAULTS.values() if one.name in asked]
    folder = tmp_path_factory.mktemp("matrix")
    lab.wipe()
    lab.parent.start_controllers()  # namespaces there can end
    fields = {name: Field(lab, name, folder / name) for name in (*asked, "healthy")}
    together = [one for one in chosen if not one.alone]
    together.sort(key=lambda one: one.code != "unreachable")  # Cluster API takes a minute to see it
    courses = {one.name: one.course(fields[one.name]) for one in chosen}
    failed: dict[str, str] = {}

    def run(jobs: dict[str, Callable[[], Any]]) -> None:
        with ThreadPoolExecutor(4) as pool:
            for name, job in {name: pool.submit(job) for name, job in jobs.items()}.items():
                reason = job.exception()
                if reason is not None:
                    failed.setdefault(name, "".join(traceback.format_exception(reason)))

    run(
        {
            "healthy": partial(healthy, fields["healthy"]),
            **{one.name: partial(next, courses[one.name]) for one in together},
        }
    )
    before = settle(lab, folder, lambda found: all(first_reason(found, one)["code"] == one.code for one in together))
    run({one.name: partial(mend, courses[one.name], first_reason(before, one)) for one in together})
    after = settle(lab, folder, lambda found: not bad(found) and all(not complaints(found, one) for one in together))
    alone: dict[str, tuple[Object, Object]] = {}
    for one in chosen:
        if one.alone:
            run({one.name: partial(next, courses[one.name])})
            faulty = settle(lab, folder, lambda found, one=one: first_reason(found, one)["code"] == one.code)
            run({one.name: partial(mend, courses[one.name], first_reason(faulty, one))})
            alone[one.name] = (faulty, settle(lab, folder, lambda found, one=one: not complaints(found, one)))
    yield Outcome(before, after, alone, failed, asked)
    for field in fields.values():
        field.space.wipe()


def mend(course: Course, reason: Object) -> None:
    """Go on with a course until its end."""
    with pytest.raises(StopIteration):
        course.send(reason)


def settle(lab: Lab, folder: Path, done: Callable[[Object], bool]) -> Object:
    """Ask `status` through kubectl until what is expected is there; the last answer, whatever it is."""
    both = folder / "kubeconfig"
    lab.pki.kubeconfig(both, {"management": lab.management.url, "parent": lab.parent.url})
    command = ("status", "--context", "management", "--parent-context", "parent", "-o", "json")
    end = time.monotonic() + 2 * SECONDS  # Cluster API may take minutes to reach a server again
    while True:
        for one in lab.parent.api.list("ManagedCluster"):  # agents that are well report on
            name, status = one["metadata"]["name"], one.get("status", {})
            reports = status.get("conditions", [{}])[0].get("status") == "True"
            if reports and status.get("lastObservedTime", "") > (NOW - timedelta(hours=1)).isoformat():
                lab.parent.report(name, one["metadata"]["namespace"])
        answer = programs.run("clusternet-capi-fn", *command, cwd=folder, env=shell(both, folder), code={0, 1})
        found: Object = {**json.loads(answer.out), "code": answer.code}
        if done(found) or time.monotonic() > end:
            return found
        time.sleep(2)


def cluster(found: Object, one: Fault) -> Object:
    """What is reported about a fault's Cluster; nothing where it has none."""
    clusters = (each for each in found["clusters"] if each["namespace"] == f"m-{one.name}" and each["name"] == one.name)
    return next(clusters, {"reasons": [], "ok": True})


def first_reason(found: Object, one: Fault) -> Object:
    """The first reason: of the Cluster, else of the fleet, else of what is left over."""
    reasons = [*cluster(found, one)["reasons"]]
    reasons += [note for note in found["notes"] if f"m-{one.name} " in note["message"]]
    left = [each for each in found["leftOver"] if each["name"] == one.name]
    reasons += [{"code": "left-over", "severity": WARNING, **each, "remedy": each["commands"]} for each in left]
    return reasons[0] if reasons else {"code": "", "severity": "", "message": "", "remedy": []}


def complaints(found: Object, one: Fault) -> list[str]:
    """What is still said of a fault's Cluster."""
    own = cluster(found, one)
    told = [reason["code"] for reason in own["reasons"] if reason["severity"] != INFO]
    left = [each["name"] for each in found["leftOver"] if each["name"] == one.name and each["commands"]]
    return [*told, *left, *([] if own["ok"] else [own["lacking"]])]


def bad(found: Object) -> bool:
    """Whether names that are counted are still missing."""
    return bool(found["summary"]["missing"])


@pytest.mark.parametrize("name", FAULTS)
def test_the_first_reason_is_the_fault(outcome: Outcome, name: str) -> None:
    one = FAULTS[name]
    found = first_reason(outcome.of(one)[0], one)
    assert (found["code"], found["severity"]) == (one.code, one.severity), found


@pytest.mark.parametrize("name", FAULTS)
def test_what_is_printed_ends_in_green(outcome: Outcome, name: str) -> None:
    one = FAULTS[name]
    assert complaints(outcome.of(one)[1], one) == []


def test_a_healthy_fleet_is_green_beside_them(outcome: Outcome) -> None:
    for found in (outcome.before, outcome.after):
        own = [one for one in found["clusters"] if one["namespace"] == "m-healthy"]
        assert [(one["name"], one["ok"], one["reasons"]) for one in own] == [
            (name, True, []) for name in ("healthy", "shared-1", "shared-2")
        ]
        assert [one["evidence"] for one in own[1:]] == ["2 of 2 of this namespace report"] * 2


def test_the_page_shows_the_matrix(outcome: Outcome) -> None:
    if {*FAULTS} - {*outcome.asked}:
        pytest.skip("not all faults were injected")
    rows = ["| injected | first reason | severity | what to do, as printed |", "|---|---|---|---|"]
    for one in FAULTS.values():
        found = first_reason(outcome.of(one)[0], one)
        steps = [step for step in found["remedy"] if not step.startswith("kubectl ")] or ["the commands that it prints"]
        advice = re.sub(rf"{re.escape(one.name)}", "NAME", steps[0])
        rows.append(
            f"| {one.what} | `{found['code']}` | {found['severity']} | {advice if found['remedy'] else 'nothing'} |"
        )
    text = PAGE.read_text(encoding="utf-8")
    begin, end = "<!-- matrix: made by tests/hosts/lab/status_matrix.py -->\n", "<!-- end of matrix -->"
    head, _, rest = text.partition(begin)
    table, _, tail = rest.partition(end)
    made = "\n".join(rows) + "\n"
    if os.environ.get("UPDATE_DOCS") == "1":
        PAGE.write_text(f"{head}{begin}{made}{end}{tail}", encoding="utf-8")
    else:
        assert table == made
