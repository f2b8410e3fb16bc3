"""Faults of registration: does the parent know the Cluster, under one name, and hear of it?"""

from __future__ import annotations

import base64
import time
from datetime import datetime, timedelta, timezone

from tests.hosts.lab.clusternet import REGISTRATIONS
from tests.hosts.lab.faults.scenario import INFO, WARNING, fault
from tests.hosts.lab.space import ANOTHER_TOKEN, Space
from tests.support import live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.api import Object
    from tests.hosts.lab.faults.scenario import Scenario, Steps

LONG_AGO = datetime.now(timezone.utc) - timedelta(days=30)
AGENT = "what its agent does once the cause is gone"


@fault("not-registered", "the agent can't reach the parent", imitated=AGENT)
def not_registered(at: Scenario) -> Steps:
    at.deliver(register=False)
    reason = yield
    at.follow(reason)
    at.register()


@fault("token-expired", "the token has expired", imitated=AGENT)
def expired(at: Scenario) -> Steps:
    def part(text: str) -> str:
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")

    token = ".".join((part('{"alg":"RS256"}'), part('{"exp": 1700000000}'), part("a signature")))
    at.deliver(register=False, registrationToken={"value": token})
    yield
    at.config(registrationToken={"value": ANOTHER_TOKEN})
    at.green()


@fault("request-pending", "the hub has not answered the request", imitated="the hub's answer")
def pending(at: Scenario) -> Steps:
    at.deliver(register=False)
    at.parent.request(at.name, "11111111-aaaa-4aaa-8aaa-000000000001")
    yield
    at.parent.approve(at.name, "11111111-aaaa-4aaa-8aaa-000000000001")


@fault("request-refused", "the hub denied the request", imitated="the agent, which asks again, and the hub")
def denied(at: Scenario) -> Steps:
    at.deliver(register=False)
    name = "clusternet-22222222-aaaa-4aaa-8aaa-000000000002"
    at.parent.request(at.name, name.removeprefix("clusternet-"))
    at.parent.api.patch(REGISTRATIONS, name, "", {"status": {"result": "Denied", "errorMessage": "no"}}, "status")
    reason = yield
    at.follow(reason, at.parent)
    assert at.parent.api.get(REGISTRATIONS, name) is None
    at.register()


@fault("lost", "the agent stopped reporting", imitated=AGENT)
def silent(at: Scenario) -> Steps:
    at.deliver()
    found = at.managed()
    at.parent.report(at.name, found["namespace"], at=datetime.now(timezone.utc) - timedelta(days=1))
    reason = yield
    at.follow(reason)
    at.parent.report(at.name, found["namespace"])


@fault("not-ready", "the agent reports trouble", imitated=AGENT)
def trouble(at: Scenario) -> Steps:
    at.deliver()
    found = at.managed()
    status = {"conditions": [{"type": "Ready", "status": "False", "reason": "ManagedClusterNotReady"}]}
    at.parent.api.patch("ManagedCluster", at.name, found["namespace"], {"status": status}, "status")
    reason = yield
    at.follow(reason)
    at.parent.report(at.name, found["namespace"])


@fault("duplicate-name", "a Cluster of another namespace registers under the same name")
def namesake(at: Scenario) -> Steps:
    at.deliver()
    folder = at.space.folder / "2"  # another repository: the function refuses both in one run
    folder.mkdir()
    other = Space(at.lab, f"{at.space.namespace}-2", folder)
    at.spaces.append(other)
    agents = f"{at.agents}-2"
    other.cluster(at.name)
    other.config(identity={"mode": "PerCluster"}, agent={"namespace": agents})
    other.sync()
    yield
    by_namespace = {"mode": "PerCluster", "nameTemplate": "{namespace}-{name}"}
    at.config(identity=by_namespace)
    at.sync()
    other.config(identity=by_namespace)
    other.sync()
    at.delivered(at.name)
    other.wait_delivered(at.name)
    at.workload.register(
        at.parent, namespace=agents
    )  # under its own name now; the other one keeps the name that it has


@fault("duplicate-managed-cluster", "two clusters report under one name", imitated="the agent, which registers anew")
def two_report(at: Scenario) -> Steps:
    at.deliver()
    another(at, "33333333-aaaa-4aaa-8aaa-000000000003", ago=timedelta())
    yield
    at.parent.api.delete("ManagedCluster", at.name, "clusternet-33333")
    at.parent.register(f"{at.name}-renamed")


@fault("rebuilt", "the cluster was rebuilt; its entry from before is silent", INFO)
def rebuilt(at: Scenario) -> Steps:
    at.deliver()
    another(at, "44444444-aaaa-4aaa-8aaa-000000000004", ago=timedelta(days=1))
    yield


def another(at: Scenario, identifier: str, ago: timedelta) -> None:
    """Register another cluster under the same name, which reported last some time ago."""
    at.parent.register(at.name, identifier)
    time.sleep(1.1)
    at.parent.report(at.name, f"clusternet-{identifier[:5]}", at=datetime.now(timezone.utc) - ago)


@fault("not-all-registered", "names that agents choose: one of two Clusters is missing", imitated=AGENT)
def one_missing(at: Scenario) -> Steps:
    workload = at.cluster()
    at.cluster("second")
    at.config(identity={"mode": "Shared", "namePrefix": at.name})
    at.sync()
    at.delivered(at.name, "second")
    first = workload.register(at.parent, name=f"{at.name}-ggggg", namespace=at.agents)
    reason = yield
    assert at.follow(reason) == [at.managed(first)["labels"]["clusters.clusternet.io/cluster-id"]]
    at.parent.register(f"{at.name}-hhhhh", labels={"fn.clusternet.io/namespace": at.space.namespace})


@fault(
    "earlier-names",
    "names were given after two agents had chosen theirs, and one does not report",
    WARNING,
    imitated=AGENT,
)
def earlier_names(at: Scenario) -> Steps:
    workload = at.cluster()
    at.cluster("second")
    at.config(identity={"mode": "Shared", "namePrefix": at.name})
    at.sync()
    at.delivered(at.name, "second")
    first = workload.register(at.parent, name=f"{at.name}-ggggg", namespace=at.agents)
    at.config(identity={"mode": "PerCluster"})
    at.space.sync("--baseline", at.space.applied or "")
    at.delivered(at.name, "second")
    reason = yield
    assert at.follow(reason) == [at.managed(first)["labels"]["clusters.clusternet.io/cluster-id"]]
    at.parent.register("second")  # under its own name now, since it has one


@fault("request-refused", "names that agents choose: the hub denied the request of one of two Clusters", imitated=AGENT)
def denied_of_many(at: Scenario) -> Steps:
    workload = at.cluster()
    at.cluster("second")
    at.config(identity={"mode": "Shared", "namePrefix": at.name})
    at.sync()
    at.delivered(at.name, "second")
    workload.register(at.parent, name=f"{at.name}-ggggg", namespace=at.agents)
    labels = {"fn.clusternet.io/namespace": at.space.namespace}
    at.parent.request(f"{at.name}-hhhhh", f"{at.name}-1", labels)
    request = f"clusternet-{at.name}-1"
    at.parent.api.patch(REGISTRATIONS, request, "", {"status": {"result": "Denied", "errorMessage": "no"}}, "status")
    reason = yield
    at.follow(reason, at.parent)
    assert at.parent.api.get(REGISTRATIONS, request) is None
    at.parent.register(f"{at.name}-hhhhh", labels=labels)


def silent_for_long(at: Scenario, name: str, identifier: str) -> None:
    """Let a registration be 30 days old, with the roles that the hub gave it."""
    at.parent.report(name, f"clusternet-{identifier[:5]}", at=LONG_AGO)
    group = "rbac.authorization.k8s.io"
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        value = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": f"clusternet-{identifier}"}}
        if kind == "ClusterRoleBinding":
            value["roleRef"] = {"apiGroup": group, "kind": "ClusterRole", "name": "view"}
        at.parent.api.create(value)


def removed(at: Scenario, reason: Object) -> None:
    """Run the commands that remove a registration."""
    assert len(reason["remedy"][-4:]) == 4
    at.follow(reason, at.parent)


@fault("left-over", "the Cluster is gone; its registration is silent for 30 days", WARNING)
def orphan(at: Scenario) -> Steps:
    at.parent.register(at.name, "55555555-aaaa-4aaa-8aaa-000000000005")
    silent_for_long(at, at.name, "55555555-aaaa-4aaa-8aaa-000000000005")
    removed(at, (yield))


@fault("left-over", "the namespace has no Cluster any more; a registration from there is silent for 30 days", WARNING)
def emptied(at: Scenario) -> Steps:
    identifier = "66666666-aaaa-4aaa-8aaa-000000000006"
    at.parent.register(at.name, identifier, labels={"fn.clusternet.io/namespace": at.space.namespace})
    silent_for_long(at, at.name, identifier)
    removed(at, (yield))


@fault("rebuilt", "the cluster was rebuilt; its entry from before is silent for 30 days", INFO)
def rebuilt_long_ago(at: Scenario) -> Steps:
    at.deliver()
    identifier = "77777777-aaaa-4aaa-8aaa-000000000007"
    another(at, identifier, ago=timedelta(days=30))
    silent_for_long(at, at.name, identifier)
    removed(at, (yield))


@fault("deleting", "the Cluster is being deleted; its registration is silent for 30 days", INFO)
def on_its_way_out(at: Scenario) -> Steps:
    at.deliver()
    identifier = at.managed()["labels"]["clusters.clusternet.io/cluster-id"]
    silent_for_long(at, at.name, identifier)
    at.api.patch("Cluster", at.name, at.space.namespace, {"metadata": {"finalizers": ["example.com/hold"]}})
    at.api.delete("Cluster", at.name, at.space.namespace)
    removed(at, (yield))
    at.api.patch("Cluster", at.name, at.space.namespace, {"metadata": {"finalizers": None}})


@fault(
    "left-over",
    "a request that is 30 days old, without a ManagedCluster and without a Cluster",
    WARNING,
    imitated="its age: the time of its creation is changed in etcd",
)
def old_request(at: Scenario) -> Steps:
    at.parent.request(at.name, at.name)
    name = f"clusternet-{at.name}"
    at.lab.backdate(f"/parent/clusters.clusternet.io/clusterregistrationrequests/{name}", LONG_AGO)
    at.follow((yield), at.parent)
    assert at.parent.api.get(REGISTRATIONS, name) is None


@fault("left-over", "the hub's set and its ConfigMaps are in a namespace without Clusters", WARNING)
def hub_set(at: Scenario) -> Steps:
    *maps, made = live.hub_objects(at.space.namespace, at.lab.release.sets.rpartition("/")[2])
    for one in (*maps, made):
        one["metadata"] = {key: one["metadata"][key] for key in ("name", "namespace")}
        one.pop("status", None)
        at.api.create(one)
    at.follow((yield))
    kinds = "clusters.cluster.x-k8s.io,clusterresourcesets"
    asked = (("get", kinds, "-A"), ("-n", at.space.namespace, "get", "configmaps"))
    left = [one for one in at.dumped(commands=asked)["leftOver"] if one["namespace"] == at.space.namespace]
    assert [one["kind"] for one in left] == ["ConfigMap"] * 2
    at.follow({"remedy": [command for one in left for command in one["commands"]]})
