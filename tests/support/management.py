"""A model of a management cluster: what Cluster API does with ClusterResourceSets, in the memory of a test.

Written from Cluster API v1.14.2 `core/reconcilers/clusterresourceset` and from what tests/hosts/lab sees on real servers, and not
from the code that it judges.
"""

from __future__ import annotations

import base64
import json
from collections import defaultdict
from typing import Any

import yaml

Key = tuple[str, str, str, str]  # group, kind, namespace, name
Title = tuple[str, str]  # namespace and name of a Cluster
TOPOLOGY = {"topology.cluster.x-k8s.io/owned": ""}  # with the Cluster's name: what the topology controller sets


def key(value: Any) -> Key:
    metadata = value["metadata"]
    return value["apiVersion"].rpartition("/")[0], value["kind"], metadata.get("namespace", ""), metadata["name"]


def selects(selector: Any, labels: dict[str, str]) -> bool:
    found = (selector.get("matchLabels") or {}).items() <= labels.items()
    for one in selector.get("matchExpressions") or []:
        value = labels.get(one["key"])
        there = value in one["values"] if "values" in one else value is not None
        found &= there == (one["operator"] in {"In", "Exists"})
    return found


def payload(carrier: Any) -> dict[Key, Any]:
    """The objects that a Secret or ConfigMap delivers."""
    texts = dict(carrier.get("data") or {})
    if carrier["kind"] == "Secret":
        texts = {name: base64.b64decode(text).decode() for name, text in texts.items()}
        texts.update(carrier.get("stringData") or {})
    loaded = (one for name in sorted(texts) for one in yaml.load_all(texts[name], yaml.CSafeLoader) if one)
    return {key(one): one for one in loaded}


def refused(old: Any, new: Any) -> bool:
    """Whether a server refuses to replace an object for an immutable field."""
    if new["kind"].endswith("Binding"):
        return bool(old["roleRef"] != new["roleRef"])
    return bool(new["kind"] == "Deployment" and old["spec"]["selector"] != new["spec"]["selector"])


class Management:
    """A management cluster and its workload clusters."""

    def __init__(self) -> None:
        self.objects: dict[Key, Any] = {}
        self.workloads: dict[Title, dict[Key, Any]] = defaultdict(dict)  # what runs on each workload cluster
        self.selected: dict[Title, set[str]] = defaultdict(set)  # the sets that select each Cluster
        self.desired: dict[Title, dict[Key, Any]] = defaultdict(dict)  # what these deliver
        self.spared: dict[Title, set[Key]] = defaultdict(set)  # what ApplyOnce does not bring
        self.refused: dict[Title, set[Key]] = defaultdict(set)
        self._applied: dict[
            tuple[Title, str, str, str], str
        ] = {}  # the ClusterResourceSetBindings: a hash per resource

    @property
    def clusters(self) -> dict[Title, Any]:
        return {(where, name): one for (_, kind, where, name), one in self.objects.items() if kind == "Cluster"}

    def apply(self, values: list[Any]) -> None:
        """Apply a render and wait for the controllers."""
        self.objects = {key(one): one for one in values}
        sets = [one for (_, kind, _, _), one in self.objects.items() if kind == "ClusterResourceSet"]
        for one in sorted(sets, key=lambda one: (not one["metadata"]["name"].endswith("-identity"), key(one))):
            for title, cluster in self.clusters.items():
                labels = dict(cluster["metadata"].get("labels") or {})
                if "topology" in cluster["spec"]:
                    labels |= {**TOPOLOGY, "cluster.x-k8s.io/cluster-name": title[1]}
                if title[0] == one["metadata"].get("namespace", "") and selects(one["spec"]["clusterSelector"], labels):
                    self._deliver(one, title)

    def after(self, values: list[Any]) -> Management:
        """The same management cluster after another render, which prunes what is no longer in it."""
        made = Management()
        made.workloads.update({title: dict(objects) for title, objects in self.workloads.items()})
        made._applied = dict(self._applied)
        made.apply(values)
        return made

    def _deliver(self, resource_set: Any, title: Title) -> None:
        name = resource_set["metadata"]["name"]
        self.selected[title].add(name)
        for reference in resource_set["spec"]["resources"]:
            carrier = self.objects.get(("", reference["kind"], title[0], reference["name"]))
            if carrier is not None:
                objects = payload(carrier)
                self.desired[title] |= objects
                self._bring(
                    objects, (title, name, reference["kind"], reference["name"]), resource_set["spec"]["strategy"]
                )

    def _bring(self, objects: dict[Key, Any], record: tuple[Title, str, str, str], strategy: str) -> None:
        title, there = record[0], self.workloads[record[0]]
        digest = json.dumps(list(objects.values()), sort_keys=True)
        before, self._applied[record] = self._applied.get(record), digest
        for one, value in objects.items():
            if strategy == "ApplyOnce":
                if before is None:
                    there.setdefault(one, value)
                if before != digest and there.get(one) != value:
                    self.spared[title].add(one)
            elif before == digest:
                continue
            elif one in there and refused(there[one], value):
                self.refused[title].add(one)
            else:
                there[one] = value
