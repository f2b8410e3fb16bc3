"""What a test works with: a namespace of the management cluster, and a folder as a Git repository holds it.

def test_a_new_image_arrives(space: Space) -> None:
    workload = space.cluster("web")                  # a Cluster in the folder, whose workload cluster is w1
    space.config()                                   # a ClusternetCAPIConfig in the folder
    space.sync()                                     # render, apply, prune; then what providers do for new Clusters
    space.wait_delivered("web")
    space.config(agent={"image": "ghcr.io/clusternet/clusternet-agent:v0.18.0"})
    space.sync()
    space.wait_delivered("web")
    assert workload.container()["image"].endswith(":v0.18.0")
    assert space.status().of("web")["delivered"] == "yes"
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, NamedTuple

import yaml

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab.api import Object, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.lab.clusternet import Workload
    from tests.hosts.lab.lab import Lab

PARENT_URL = "https://parent.example.com:6443"
TOKEN = "7fq2kd.m4v9x0c8b1n6z3pw"
ANOTHER_TOKEN = "k3w8zt.q5n1r7b2x9d4m6cv"
REGISTER = {"clusternet.io/register": "true"}
SETS, BINDINGS = "ClusterResourceSet", "ClusterResourceSetBinding"
NOWHERE = "https://127.0.0.1:9"  # nothing answers there
# What a namespace of the management cluster contains, owners first.
CONTAINED = (
    *(SETS, BINDINGS, "Cluster", "LabCluster", "LabControlPlane", "ClusterClass", "LabClusterTemplate"),
    *("LabControlPlaneTemplate", "Secret", "ConfigMap", "ServiceAccount", "Event"),
)  # fmt: skip


class Status(NamedTuple):
    """What `clusternet-capi-fn status` reported."""

    code: int
    report: Object

    def of(self, name: str) -> Object:
        """The report about a Cluster."""
        return next(one for one in self.report["clusters"] if one["name"] == name)

    def reasons(self, name: str) -> list[str]:
        """The codes of the reasons that it gives for a Cluster."""
        return [reason["code"] for reason in self.of(name)["reasons"]]


class Space:
    """One test's namespace and folder, on a lab."""

    def __init__(self, lab: Lab, namespace: str, folder: Path) -> None:
        self.lab = lab
        self.management = lab.management
        self.namespace = namespace
        self.folder = folder
        self.fleet = folder / "fleet"
        self.fleet.mkdir()
        self.applied: Path | None = None  # the tree that the last `sync` applied
        self.printed = ""  # by the last `render`, on stderr
        self._specs: dict[str, Object] = {}
        self._urls: dict[str, str] = {}  # of each Cluster's workload API server
        self._provisioned: set[str] = set()
        self._trees = 0
        self.management.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    # --- the folder

    def cluster(
        self, name: str, on: str = "w1", *, labels: dict[str, str] | None = None, topology: bool = False
    ) -> Workload:
        """Write a Cluster into the folder; the workload cluster that it stands for.

        Args:
            name: The Cluster's name, and its file's.
            on: The lab's workload cluster; `NOWHERE` (or another URL) for an API server that can't be reached.
            labels: Its labels, by default those that `config` selects.
            topology: Whether it is one of a ClusterClass.
        """
        labels = REGISTER if labels is None else labels
        self.write(name, *cluster_api.cluster(self.lab.release, self.namespace, name, labels, topology=topology))
        workload = self.lab.workload("w1" if on.startswith("https:") else on)
        self._urls[name] = on if on.startswith("https:") else workload.url
        if topology and not self.management.api.get("ClusterClass", cluster_api.CLASS, self.namespace):
            for one in cluster_api.classes(self.namespace, self.lab.release):
                self.management.api.create(one)
        return workload

    def config(self, name: str = "config", **spec: Any) -> None:
        """Write a config into the folder, or change the fields of its spec that are given; None takes one away."""
        base = {
            "parentURL": PARENT_URL,
            "registrationToken": {"value": TOKEN},
            "clusterSelector": {"matchLabels": REGISTER},
        }
        changed = {**self._specs.get(name, base), **spec}
        self._specs[name] = {key: value for key, value in changed.items() if value is not None}
        value = {"apiVersion": "fn.clusternet.io/v1alpha1", "kind": "ClusternetCAPIConfig", "metadata": {"name": name}}
        self.write(name, {**value, "spec": self._specs[name]})

    def write(self, name: str, *values: Object) -> None:
        """Write objects into a file of the folder."""
        text = yaml.safe_dump_all(values, sort_keys=False)
        (self.fleet / f"{name}.yaml").write_text(text, encoding="utf-8")

    def read(self, name: str) -> Object:
        """The object in a file of the folder."""
        return yaml.safe_load((self.fleet / f"{name}.yaml").read_text(encoding="utf-8"))

    def remove(self, name: str) -> None:
        """Remove a file from the folder."""
        (self.fleet / f"{name}.yaml").unlink()
        self._specs.pop(name, None)

    def label(self, name: str, **labels: str | None) -> None:
        """Set labels of a Cluster in the folder (`**{"a.b/c": "d"}`); None takes one away."""
        values = list(yaml.safe_load_all((self.fleet / f"{name}.yaml").read_text(encoding="utf-8")))
        metadata = values[-1]["metadata"]
        merged = {**metadata["labels"], **labels}
        metadata["labels"] = {key: text for key, text in merged.items() if text is not None}
        self.write(name, *values)

    # --- from the folder to the management cluster

    def render(self, *arguments: str | Path) -> Path:
        """Render the folder into a new tree, as a CI job does."""
        self._trees += 1
        tree = self.folder / f"tree-{self._trees}"
        self.printed = self.run("render", self.fleet, "-o", tree, *arguments).err
        return tree

    def build(self, kustomize: Path) -> str:
        """Build the folder, a kustomization with the function in it; the output is what `lost` looks for."""
        self._trees += 1
        self.applied = self.folder / f"tree-{self._trees}"
        self.applied.mkdir()
        plugins = ("--enable-alpha-plugins", "--enable-exec")
        text = programs.run(kustomize, "build", *plugins, self.fleet, cwd=self.folder).out
        (self.applied / "built.yaml").write_text(text, encoding="utf-8")
        return text

    def run(self, *arguments: str | Path, code: int = 0) -> programs.Done:
        """Run clusternet-capi-fn."""
        return programs.run("clusternet-capi-fn", *arguments, cwd=self.folder, code=code)

    def apply(self, tree: Path, *, server_side: bool = False, code: int = 0) -> programs.Done:
        """Apply a tree with kubectl, by client-side or server-side apply; an empty one needs no kubectl."""
        if not read_tree(tree):
            return programs.Done(0, "", "")
        how = ["--server-side", "--force-conflicts"] if server_side else []
        return self.management.kubectl("apply", *how, "-R", "-f", tree, code=code)

    def prune(self, old: Path, new: Path | None) -> list[str]:
        """Delete what one tree contains and another doesn't, as a GitOps tool does; its names."""
        kept = {_identity(value) for value in read_tree(new)} if new else set()
        stale = [value for value in read_tree(old) if _identity(value) not in kept]
        if stale:
            text = yaml.safe_dump_all(stale)
            self.management.kubectl("delete", "--wait=false", "--ignore-not-found", "-f", "-", stdin=text)
        return sorted(map(_title, stale))

    def sync(self, *arguments: str | Path, prune: bool = True, server_side: bool = False) -> list[str]:
        """Do what a GitOps tool does after a commit: render, apply, prune; what was pruned.

        Afterwards the stand-in providers provision what Clusters are new.

        Args:
            arguments: Options of `render`.
            prune: Whether to delete what the last sync applied and this one doesn't.
            server_side: Whether to use server-side apply.
        """
        tree = self.render(*arguments)
        self.apply(tree, server_side=server_side)
        pruned = self.prune(self.applied, tree) if prune and self.applied else []
        self.applied = tree
        self.provision()
        return pruned

    def provision(self) -> None:
        """Do for new Clusters what their providers would."""
        for value in read_tree(self.applied) if self.applied else []:
            name = value["metadata"]["name"]
            if value["kind"] == "Cluster" and name in self._urls and name not in self._provisioned:
                self.connect(name, self._urls[name])

    def connect(self, name: str, url: str) -> None:
        """Report a Cluster as provisioned, with the API server at a URL."""
        folder = self.folder / "kubeconfigs"
        folder.mkdir(exist_ok=True)
        self.lab.pki.kubeconfig(folder / name, {name: url})
        text = (folder / name).read_text(encoding="utf-8")
        cluster_api.provision(self.management, self.namespace, name, text, url)
        self._provisioned.add(name)

    # --- what has become of it

    def get(self, kind: str, name: str) -> Object | None:
        """An object of the namespace on the management cluster."""
        return self.management.api.get(kind, name, self.namespace)

    def list(self, kind: str) -> list[Object]:
        """The objects of a kind in the namespace."""
        return self.management.api.list(kind, self.namespace)

    def undelivered(self, name: str) -> list[str]:
        """What the sets that select a Cluster contain and its ClusterResourceSetBinding doesn't record as applied."""
        labels = (self.get("Cluster", name) or {}).get("metadata", {}).get("labels", {})
        sets = [one for one in self.list(SETS) if _selects(one["spec"]["clusterSelector"], labels)]
        if not sets:
            return [f"no {SETS} selects Cluster {name}"]
        recorded = {
            (bound["clusterResourceSetName"], one["kind"], one["name"]): one
            for bound in (self.get(BINDINGS, name) or {}).get("spec", {}).get("bindings") or []
            for one in bound.get("resources") or []
        }
        lacking = []
        for one in sets:
            for resource in one["spec"]["resources"]:
                key = (one["metadata"]["name"], resource["kind"], resource["name"])
                carrier = self.get(resource["kind"], resource["name"])
                found = recorded.get(key, {})
                once = one["spec"].get("strategy") == "ApplyOnce"
                current = carrier is not None and (once or found.get("hash") == content_hash(carrier))
                if not found.get("applied") or not current:
                    lacking.append(" ".join(key))
        return lacking

    def wait_delivered(self, *names: str) -> None:
        """Wait until Clusters have everything that their sets contain, as it is now."""
        for name in names:
            wait(lambda name=name: not self.undelivered(name), lambda name=name: f"{name}: {self.undelivered(name)}")

    def dumps(self, *, parent: bool = False) -> list[Path]:
        """Take the dumps, by the commands of docs/status.md word for word."""
        page = (programs.REPOSITORY / "docs/status.md").read_text(encoding="utf-8")
        commands = dict.fromkeys(re.findall(r"^kubectl (get .*) > (\S+)$", page, re.MULTILINE))
        assert len(commands) >= 2, "docs/status.md shows no commands that dump"
        folder = self.folder / "dumps"
        folder.mkdir(exist_ok=True)
        paths = []
        for command, file in commands:
            on_parent = file.startswith("parent")
            if parent or not on_parent:
                plane = self.lab.parent if on_parent else self.management
                paths.append(folder / file)
                paths[-1].write_text(plane.kubectl(*command.split()).out, encoding="utf-8")
        return paths

    def status(self, *arguments: str, parent: bool = False) -> Status:
        """Take the dumps and run `clusternet-capi-fn status` on them; with `parent`, on those of the parent too."""
        known = ["--parent"] if parent else []
        command = ("clusternet-capi-fn", "status", "-o", "json", *known, *arguments, *self.dumps(parent=parent))
        done = programs.run(*command, cwd=self.folder, code={0, 1})
        return Status(done.code, json.loads(done.out))

    def check_status(self, *, parent: bool = False, **delivered: str) -> Status:
        """Hold `status` against the truth: what it says of each Cluster's delivery, and whether it exits with 0.

        Args:
            parent: Whether the parent is dumped too; then a delivered Cluster has to be registered.
            delivered: For each Cluster the value of `delivered`; every other than yes makes the exit code 1.
        """
        status = self.status(parent=parent)
        assert {one["name"]: one["delivered"] for one in status.report["clusters"]} == delivered, status.report
        assert status.code == int(set(delivered.values()) != {"yes"}), status.report
        return status

    def lost(self) -> list[str]:
        """What the last sync applied and is not there."""
        return [_title(value) for value in read_tree(self.applied) if self.get(value["kind"], _name(value)) is None]

    def wait_settled(self) -> None:
        """Wait until garbage collection is over: every set owns what it refers to, and every other owner is gone."""

        def settled() -> bool:
            sets = self.list(SETS)
            return not any(one["metadata"].get("deletionTimestamp") for one in sets) and all(
                self._owners(resource)
                == {other["metadata"]["uid"] for other in sets if resource in other["spec"]["resources"]}
                for one in sets
                for resource in one["spec"]["resources"]
            )

        wait(settled, "the sets to own what they refer to")

    def wipe(self) -> None:
        """Remove everything that the test made."""
        self.management.api.end_namespace(self.namespace, CONTAINED)

    def _owners(self, resource: Object) -> set[str]:
        carrier = self.get(resource["kind"], resource["name"])
        assert carrier, f"{resource['kind']} {resource['name']} is lost"
        return {owner["uid"] for owner in carrier["metadata"].get("ownerReferences") or []}


def read_tree(tree: Path | None) -> list[Object]:
    """The objects of a rendered tree; a kustomization is none."""
    paths = sorted(tree.rglob("*.yaml")) if tree else []
    texts = (path.read_text(encoding="utf-8") for path in paths)
    return [
        value
        for text in texts
        for value in yaml.load_all(text, Loader=yaml.CSafeLoader)
        if value and "metadata" in value
    ]


def content_hash(carrier: Object) -> str:
    """The hash that Cluster API records of a Secret's or ConfigMap's content (`computeHash`)."""
    data, secret = carrier.get("data") or {}, carrier["kind"] == "Secret"
    values = [base64.b64decode(data[key]) if secret else data[key].encode() for key in sorted(data)]
    return f"sha256:{hashlib.sha256(b''.join(values)).hexdigest()}"


def _name(value: Object) -> str:
    return value["metadata"]["name"]


def _title(value: Object) -> str:
    return f"{value['kind']}/{_name(value)}"


def _identity(value: Object) -> tuple[str, str, str, str]:
    metadata = value["metadata"]
    return (value["apiVersion"].rpartition("/")[0], value["kind"], metadata.get("namespace", ""), metadata["name"])


def _selects(selector: Object, labels: dict[str, str]) -> bool:
    operators = {
        "In": lambda value, values: value in values,
        "NotIn": lambda value, values: value not in values,
        "Exists": lambda value, _: value is not None,
        "DoesNotExist": lambda value, _: value is None,
    }
    equal = selector.get("matchLabels") or {}
    return all(labels.get(key) == value for key, value in equal.items()) and all(
        operators[one["operator"]](labels.get(one["key"]), one.get("values"))
        for one in selector.get("matchExpressions") or []
    )
