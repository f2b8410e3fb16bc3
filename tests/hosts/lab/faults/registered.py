"""Faults of registration: does the parent know the Cluster, under one name, and hear of it?"""

from __future__ import annotations

import base64
import time
from datetime import datetime, timedelta, timezone

from tests.hosts.lab.clusternet import REGISTRATIONS
from tests.hosts.lab.faults.scenario import INFO, WARNING, fault
from tests.hosts.lab.space import ANOTHER_TOKEN, Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.faults.scenario import Scenario, Steps

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
    assert at.follow(reason, workload) == [at.managed(first)["labels"]["clusters.clusternet.io/cluster-id"]]
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
    assert at.follow(reason, workload) == [at.managed(first)["labels"]["clusters.clusternet.io/cluster-id"]]
    at.parent.register(f"{at.name}-hhhhh", labels={"fn.clusternet.io/namespace": at.space.namespace})


@fault("left-over", "the Cluster is gone; its registration is silent for 30 days", WARNING)
def orphan(at: Scenario) -> Steps:
    identifier = "55555555-aaaa-4aaa-8aaa-000000000005"
    at.parent.register(at.name, identifier)
    at.parent.report(at.name, "clusternet-55555", at=datetime.now(timezone.utc) - timedelta(days=30))
    for kind in ("ClusterRole", "ClusterRoleBinding"):
        value = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": kind,
            "metadata": {"name": f"clusternet-{identifier}"},
        }
        if kind == "ClusterRoleBinding":
            value["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
        at.parent.api.create(value)
    reason = yield
    assert len(reason["remedy"]) == 4
    at.follow(reason, at.parent)
