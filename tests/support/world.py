"""A model of management, workload and parent clusters over time: what is delivered and registered, and the dumps that kubectl gives.

Written from Cluster API v1.14.2 `core/reconcilers/clusterresourceset` and clusternet v0.18.1 `pkg/agent`, and not from the code that
it judges.
"""

from __future__ import annotations

import base64
import hashlib
import uuid
from datetime import datetime, timezone
from typing import Any

from tests.support import live
from tests.support.lists import Run, cluster, config, document
from tests.support.management import Key, Title, key, payload, selects

NOW = 1795428000  # 2026-11-23T10:00:00Z
GRACE, DAY = 540, 86400
TOKENS = ("abcdef.0123456789abcdef", "abcdeg.1123456789abcdef")
AGENTS = "clusternet-system"
REGISTRATION: Key = ("", "Secret", AGENTS, "clusternet-agent-cluster-registration")
DEPLOYMENT: Key = ("apps", "Deployment", AGENTS, "clusternet-agent")
LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def stamp(time: int) -> str:
    return datetime.fromtimestamp(time, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def digest(carrier: Any) -> str:
    """The hash that Cluster API records: over the values, in the order of their keys."""
    values = [carrier["data"][name].encode() for name in sorted(carrier["data"])]
    values = [base64.b64decode(one) for one in values] if carrier["kind"] == "Secret" else values
    return f"sha256:{hashlib.sha256(b''.join(values)).hexdigest()}"


class Machine:
    """A workload cluster, and the Cluster that stands for it."""

    def __init__(self, made: int, *, topology: bool) -> None:
        self.made, self.topology = made, topology
        self.labels = {"env": "prod"}
        self.deleting = False
        self.reached = self.online = True  # by the management cluster; its agent, by running and reaching the parent
        self.objects: dict[Key, Any] = {}
        self.records: dict[str, dict[tuple[str, str], tuple[str, int]]] = {}  # its Binding: hash and time, by set


class Entry:
    """A registration on the parent cluster; `machine` is None where it is another management cluster's."""

    def __init__(self, name: str, origin: str, made: int, machine: Machine | None, number: int) -> None:
        self.name, self.origin, self.made, self.seen, self.machine = name, origin, made, made, machine
        self.identifier = str(uuid.UUID(int=number << 96 | 4 << 76 | 8 << 60))
        self.namespace = f"clusternet-{self.identifier[:8]}"


class World:
    """All of it; `time` goes on with `wait`."""

    def __init__(self, time: int, settings: dict[str, Any]) -> None:
        self.time, self.settings = time, settings
        self.machines: dict[Title, Machine] = {}
        self.objects: dict[Key, Any] = {}  # what is applied to the management cluster
        self.entries: list[Entry] = []
        self.expired: set[str] = set()

    # --- what people do

    def sync(self) -> None:
        """Render what Git holds, apply it and prune what is no longer in it."""
        found: list[Any] = [
            cluster(name, namespace, labels=dict(one.labels), topology=one.topology)
            for (namespace, name), one in sorted(self.machines.items())
            if not one.deleting
        ]
        mode, strategy = self.settings["mode"], self.settings["strategy"]
        template = {"nameTemplate": "{namespace}-{name}"} if mode == "PerCluster" else {}
        made = config(
            registrationToken={"value": self.settings["token"]},
            identity={"mode": mode, **template},
            clusterResourceSet={"name": f"cn-{strategy}-{self.settings['set']}".lower(), "strategy": strategy},
            agent={"image": f"ghcr.io/clusternet/clusternet-agent:{self.settings['image']}"},
            guard={"allowNoClusters": True},
        )
        run = Run(document([*found, made]))
        if not found:
            return  # nothing to render from
        assert run.code == 0, run.stderr
        for one in run.items:
            if one["kind"] == "Cluster":
                self.machines[one["metadata"]["namespace"], one["metadata"]["name"]].labels = one["metadata"]["labels"]
        gone = set(self.objects)
        self.objects = {key(one): one for one in run.items if one["kind"] not in {"Cluster", "ClusternetCAPIConfig"}}
        for _, kind, namespace, name in gone - set(self.objects):
            for title in self.machines if kind == "ClusterResourceSet" else ():
                if title[0] == namespace:
                    self.machines[title].records.pop(name, None)
        self.wait(0)

    def wait(self, seconds: int) -> None:
        """Let controllers and agents work, and report until the end of that time."""
        self.time += seconds
        for title, one in sorted(self.machines.items()):
            for found in self.sets(title) if one.reached and not one.deleting else ():
                self._deliver(found, one)
        for one in self.machines.values():
            if one.online and DEPLOYMENT in one.objects and REGISTRATION in one.objects:
                self._report(one)
        for entry in self.entries:
            if entry.machine is None and entry.name.startswith("clusternet-cluster"):
                entry.seen = self.time

    def _deliver(self, resource_set: Any, one: Machine) -> None:
        record = one.records.setdefault(resource_set["metadata"]["name"], {})
        for reference in resource_set["spec"]["resources"]:
            at = (reference["kind"], reference["name"])
            carrier = self.objects.get(("", at[0], resource_set["metadata"]["namespace"], at[1]))
            once = resource_set["spec"]["strategy"] == "ApplyOnce"
            if carrier is None or (at in record and (once or record[at][0] == digest(carrier))):
                continue
            record[at] = (digest(carrier), self.time)
            for each, value in payload(carrier).items():
                if not once or each not in one.objects:
                    one.objects[each] = value

    def _report(self, one: Machine) -> None:
        mine = next((entry for entry in self.entries if entry.machine is one), None)
        if mine is None:
            token = base64.b64decode(one.objects[REGISTRATION]["data"]["regToken"]).decode()
            if token in self.expired:
                return
            (container,) = one.objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"]
            words = [*container.get("command", ()), *container.get("args", ())]
            flags = dict(word.split("=", 1) for word in words if "=" in word)
            _, _, origin = flags.get("--cluster-labels", "").partition("fn.clusternet.io/namespace=")
            mine = self.enter(flags.get("--cluster-reg-name", ""), origin, one)
        mine.seen = self.time

    def enter(self, name: str, origin: str = "", machine: Machine | None = None) -> Entry:
        """Register a cluster on the parent; without a name its agent chooses one."""
        number = len(self.entries) + 1
        chosen = f"clusternet-cluster-xx{LETTERS[number // 27]}{LETTERS[number % 27]}x"
        self.entries.append(Entry(name or chosen, origin, self.time, machine, number))
        return self.entries[-1]

    # --- the truth

    def sets(self, title: Title) -> list[Any]:
        """The ClusterResourceSets that select a Cluster, the identity first."""
        labels = dict(self.machines[title].labels)
        if self.machines[title].topology:
            labels["cluster.x-k8s.io/cluster-name"] = title[1]
        found = [
            one
            for (_, kind, where, _), one in self.objects.items()
            if kind == "ClusterResourceSet" and where == title[0]
        ]
        names = sorted(
            found, key=lambda one: (not one["metadata"]["name"].endswith("-identity"), one["metadata"]["name"])
        )
        return [one for one in names if selects(one["spec"]["clusterSelector"], labels)]

    def served(self, title: Title) -> bool:
        """Whether a set that delivers an agent selects a Cluster."""
        return any(not one["metadata"]["name"].endswith("-identity") for one in self.sets(title))

    def delivered(self, title: Title) -> bool:
        """Whether all that the sets of a Cluster carry is there: as it is, or with ApplyOnce anyhow."""
        there = self.machines[title].objects
        for one in self.sets(title):
            for reference in one["spec"]["resources"]:
                carrier = self.objects.get(("", reference["kind"], title[0], reference["name"]))
                for each, value in payload(carrier).items() if carrier else ():
                    once = one["spec"]["strategy"] == "ApplyOnce"
                    if each not in there or not (once or there[each] == value):
                        return False
        return self.served(title)

    def alive(self, entry: Entry) -> bool:
        return self.time - entry.seen <= GRACE

    def registered(self, title: Title) -> bool:
        """Whether the agent of a Cluster reports to the parent."""
        return any(entry.machine is self.machines[title] and self.alive(entry) for entry in self.entries)

    # --- the dumps

    def dumps(self) -> list[tuple[str, bytes]]:
        """What kubectl prints of both clusters."""
        management, parent = [], []
        for (namespace, name), one in sorted(self.machines.items()):
            labels = {**one.labels, **({"cluster.x-k8s.io/cluster-name": name} if one.topology else {})}
            found = live.cluster(namespace, name, labels=labels, topology=one.topology)
            found["metadata"]["creationTimestamp"] = stamp(one.made)
            if one.deleting:
                found["metadata"]["deletionTimestamp"] = stamp(self.time)
            if not one.reached:
                live.probe(found, "Remote connection probe failed")
            management += [found, self._binding(namespace, name, one)] if one.records else [found]
        for value in self.objects.values():
            management.append(live.live_set(value) if value["kind"] == "ClusterResourceSet" else live.stored(value))
        for entry in self.entries:
            found = live.managed(
                entry.name,
                identifier=entry.identifier,
                namespace=entry.namespace,
                ready="True" if self.alive(entry) else "Unknown",
                seen=stamp(entry.seen),
                origin=entry.origin,
            )
            asked = live.request(entry.name, identifier=entry.identifier, origin=entry.origin)
            for one in (found, asked):
                one["metadata"]["creationTimestamp"] = stamp(entry.made)
                parent.append(one)
        return [
            (name, live.as_json(*values)) for name, values in (("management", management), ("parent", parent)) if values
        ]

    def _binding(self, namespace: str, name: str, one: Machine) -> Any:
        bindings = [
            {
                "clusterResourceSetName": found,
                "resources": [
                    {"kind": kind, "name": called, "hash": applied, "applied": True, "lastAppliedTime": stamp(time)}
                    for (kind, called), (applied, time) in record.items()
                ],
            }
            for found, record in one.records.items()
        ]
        value = {
            "apiVersion": "addons.cluster.x-k8s.io/v1beta2",
            "kind": "ClusterResourceSetBinding",
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"clusterName": name, "bindings": bindings},
        }
        return live.stored(value)
