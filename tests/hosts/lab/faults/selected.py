"""Faults of selection: which ClusterResourceSets select the Cluster?"""

from __future__ import annotations

import re
import time

from krm_fn.surface import HUB_NAME, HUB_NAMESPACE
from tests.hosts.lab.api import wait
from tests.hosts.lab.faults.scenario import INFO, WARNING, fault
from tests.hosts.lab.space import SETS
from tests.support import live

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.faults.scenario import Scenario, Steps


@fault("no-match", "the Cluster lacks the label", old=True)
def label_missing(at: Scenario) -> Steps:
    at.cluster("labelled")
    at.cluster(labels={})
    at.config(identity=None)
    at.sync()
    at.parent.register("clusternet-cluster-bbbbb", labels={"fn.clusternet.io/namespace": at.space.namespace})
    reason = yield
    at.follow(reason)
    at.delivered(at.name)
    at.parent.register("clusternet-cluster-ccccc", labels={"fn.clusternet.io/namespace": at.space.namespace})


@fault("no-resource-set", "a new Cluster that was not rendered")
def not_rendered(at: Scenario) -> Steps:
    at.cluster()
    at.lab.management.kubectl("apply", "-f", at.space.fleet / f"{at.name}.yaml")
    yield
    at.config()
    at.green()


@fault("paused", "the sets are annotated `cluster.x-k8s.io/paused`")
def paused(at: Scenario) -> Steps:
    at.cluster()
    at.config(clusterResourceSet={"annotations": {"cluster.x-k8s.io/paused": "true"}})
    at.sync()
    reason = yield
    at.follow(reason)
    at.space.wait_delivered(at.name)
    at.register()


@fault("two-agents", "two configs of two repositories select the Cluster")
def two_agents(at: Scenario) -> Steps:
    at.deliver()
    first = at.space.applied
    assert first
    (at.space.fleet / "config.yaml").rename(at.space.folder / "config.yaml")  # the function refuses both in one run
    at.config("other", clusterResourceSet={"name": "other"})
    at.sync()
    yield
    elsewhere = {"matchLabels": {"team": "another"}}  # a selector can't be changed, so the set gets another name
    at.config(
        "other", clusterSelector=elsewhere, clusterResourceSet={"name": "another"}, guard={"allowNoClusters": True}
    )
    at.space.sync()
    at.space.apply(first)  # the other repository is synced all the time; it gives the Cluster its label
    at.space.wait_delivered(at.name)


@fault("two-agents", "the hub's discovery has made its set, too", WARNING)
def hub_discovery(at: Scenario) -> Steps:
    at.deliver(clusterResourceSet={"name": "ours"})
    *maps, made = live.hub_objects(at.space.namespace, at.lab.release.sets.rpartition("/")[2])
    for one in (*maps, made):
        one["metadata"] = {key: one["metadata"][key] for key in ("name", "namespace")}
        one.pop("status", None)
        at.api.create(one)
    wait(lambda: at.space.get("ConfigMap", maps[0]["metadata"]["name"])["metadata"].get("ownerReferences"), "the hub")  # type: ignore[index]
    yield
    dump = at.space.folder / "hub.yaml"
    kinds = f"clusters,{SETS},configmaps"
    dump.write_text(
        at.lab.management.kubectl("-n", at.space.namespace, "get", kinds, "-o", "yaml").out, encoding="utf-8"
    )
    guide = at.space.run("migrate", dump, "-o", at.space.folder / "config.yaml").err
    deletions = re.findall(
        r"^ *(kubectl .* delete (?:clusterresourcesets|configmap|secret)[. ].*)$", guide, re.MULTILINE
    )
    deletions = [one for one in deletions if "--context PARENT" not in one]
    assert [HUB_NAME in deletions[0], HUB_NAMESPACE in deletions[-1], len(deletions)] == [True, True, 3], guide
    at.follow({"remedy": deletions})


@fault("two-sets", "a renaming: old and new set of one config", INFO)
def renaming(at: Scenario) -> Steps:
    at.deliver()
    old = at.space.applied
    time.sleep(1.1)  # the server counts creation in seconds, and the new set has to be the later one
    at.config(clusterResourceSet={"name": "renamed"})
    at.sync()
    at.delivered(at.name)
    yield
    assert old
    at.space.prune(old, at.space.applied)
    at.space.wait_delivered(at.name)
