"""Measures fleets of many Clusters on the lab of real control planes; `python -m bench.fleet MODE:COUNT…`.

usage: python -m bench.fleet Shared:300 PerCluster:300 Shared:1000 PerCluster:1000

A run has Clusters in ten namespaces. They exist, are provisioned and connected before the clock starts. Then what is
rendered for them is applied by kubectl, and the run waits until every ClusterResourceSetBinding records every payload as
applied; later the same for another image. The manager is Cluster API's own with its default flags. All Clusters share two workload
API servers, of which only the objects matter here: no controllers run there. A step that takes longer than its limit
fails. Each run replaces its column in bench/fleet/figures.json and in the table of docs/large-fleets.md.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import yaml

from bench.fleet import page
from tests.hosts.lab import cluster_api, servers
from tests.hosts.lab import lab as labs
from tests.hosts.lab.api import RefusedError
from tests.hosts.lab.lab import Lab
from tests.hosts.lab.space import BINDINGS, PARENT_URL, REGISTER, TOKEN, content_hash, read_tree

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACES = 10
LIMIT = 1500.0  # seconds that a step may take
REST = 30.0  # seconds over which processor time at rest is taken
BEFORE, AFTER = "ghcr.io/clusternet/clusternet-agent:v0.18.0", "ghcr.io/clusternet/clusternet-agent:v0.18.1"
TICKS = os.sysconf("SC_CLK_TCK")


class Expected(NamedTuple):
    """What a Cluster's binding has to record of a payload; the hash is empty where the first one counts forever."""

    key: tuple[str, str, str]
    hash: str


def main() -> None:
    """Run what the command line asks for, and put it on the page after each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="MODE:COUNT")
    arguments = parser.parse_args()
    reason = labs.missing()
    if reason:
        sys.exit(reason)
    for run in arguments.runs:
        mode, _, count = run.partition(":")
        print(page.add(measure(mode, int(count))))


def measure(mode: str, count: int) -> dict[str, Any]:
    """Measure one fleet on a lab of its own."""
    place = labs.claim()
    lab = Lab(cluster_api.RELEASES["1.14"], place.folder, place.ports)
    # The lab's manager has room for many tests at once; this one is to be the one that clusterctl installs.
    lab.manager._command = [part for part in lab.manager._command if not part.startswith("--kube-api-")]  # noqa: SLF001
    try:
        lab.start()
        with tempfile.TemporaryDirectory() as folder:
            return Fleet(lab, mode, count, Path(folder)).run()
    finally:
        lab.stop()
        place.release()


class Fleet:
    """A fleet on a lab, and what was measured of it."""

    def __init__(self, lab: Lab, mode: str, count: int, folder: Path) -> None:
        self.lab, self.mode, self.count, self.folder = lab, mode, count, folder
        self.clusters = [(f"team-{number % NAMESPACES}", f"fleet-{number:04}") for number in range(count)]
        self.figures: dict[str, Any] = {"mode": mode, "clusters": count}
        self.pause = max(1.0, count / 200)  # seconds between two looks, so that looking takes the server little time

    def run(self) -> dict[str, Any]:
        """Take all figures."""
        started = time.monotonic()
        figures = self.figures
        figures["load at start"] = round(os.getloadavg()[0], 1)
        figures["MB empty"] = self.memory("VmRSS")
        self.workloads = [self.lab.workload(name) for name in ("w1", "w2")]
        for workload in self.workloads:
            workload._controllers.stop()  # noqa: SLF001 - nothing is to run there, and it takes processor time
        self.say("creating Clusters")
        figures["s create"] = self.timed(self.create)
        self.say("connecting")
        self.wait(self.connected, "Cluster API to connect")
        figures["CPU rest before"] = self.rest()
        figures["MB connected"] = self.memory("VmRSS")
        for name, image in (("first", BEFORE), ("bump", AFTER)):
            self.deliver(name, image)
        figures["CPU rest after"] = self.rest()
        figures["MB after"] = self.memory("VmRSS")
        figures["watches"] = self.watches()
        figures["load at end"] = round(os.getloadavg()[0], 1)
        figures["s whole"] = round(time.monotonic() - started)
        return figures

    # --- steps

    def create(self) -> None:
        """Create Clusters, and report them as provisioned."""
        api = self.lab.management.api
        for number in range(NAMESPACES):
            api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}})
        texts = []
        for workload in self.workloads:
            path = self.folder / workload.name
            self.lab.pki.kubeconfig(path, {workload.name: workload.url})
            texts.append((path.read_text(encoding="utf-8"), workload.url))

        def one(number: int) -> None:
            namespace, name = self.clusters[number]
            kubeconfig, url = texts[number % len(texts)]
            infrastructure, cluster = self.objects(namespace, name)
            host, port = url.removeprefix("https://").split(":")
            api.create({**infrastructure, "spec": {"controlPlaneEndpoint": {"host": host, "port": int(port)}}})
            status = {"ready": True, "initialization": {"provisioned": True}}
            api.patch("LabCluster", name, namespace, {"status": status}, "status")
            labels = {"cluster.x-k8s.io/cluster-name": name}
            metadata = {"name": f"{name}-kubeconfig", "namespace": namespace, "labels": labels}
            secret = {"apiVersion": "v1", "kind": "Secret", "type": "cluster.x-k8s.io/secret", "metadata": metadata}
            api.create({**secret, "stringData": {"value": kubeconfig}})
            api.create(cluster)

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(one, range(self.count)))

    def objects(self, namespace: str, name: str) -> list[dict[str, Any]]:
        """A Cluster as it is in Git."""
        labels = {**REGISTER, "cluster.x-k8s.io/cluster-name": name}
        return cluster_api.cluster(self.lab.release, namespace, name, labels, topology=False)

    def connected(self) -> bool:
        """Whether Cluster API's connection to every workload cluster is up."""
        found = 0
        for cluster in self.all("Cluster"):
            conditions = cluster.get("status", {}).get("conditions") or []
            found += any(one["type"] == "RemoteConnectionProbe" and one["status"] == "True" for one in conditions)
        return found == self.count

    def deliver(self, name: str, image: str) -> None:
        """Render, apply, and wait until everything is delivered."""
        tree, figures = self.folder / name, self.figures
        self.say(f"delivering {image}")
        figures[f"s render {name}"] = self.timed(lambda: self.render(tree, image))
        if name == "first":
            self.sizes(tree)
        expected = self.expected(tree)
        self.forget_peak()
        cpu, started = self.cpu(), time.monotonic()
        kubectl = self.apply(tree)
        half = applied = 0.0
        while True:
            if not applied and kubectl.poll() is not None:
                if kubectl.returncode:  # a busy server refused an object: apply again, as Flux and Argo CD do
                    self.say("applying again")
                    figures[f"again {name}"] = figures.get(f"again {name}", 0) + 1
                    kubectl = self.apply(tree)
                else:
                    applied = time.monotonic() - started
            delivered = self.delivered(expected)
            if not half and delivered * 2 >= self.count:
                half = time.monotonic() - started
            if delivered == self.count:
                break
            check(time.monotonic() < started + LIMIT, f"{delivered} of {self.count} delivered after {LIMIT:.0f} s")
            time.sleep(self.pause)
        done = time.monotonic() - started
        figures[f"s applied {name}"] = round(applied or done, 1)
        figures[f"s half {name}"] = round(half, 1)
        figures[f"s all {name}"] = round(done, 1)
        figures[f"CPU s {name}"] = round(self.cpu() - cpu, 1)
        figures[f"MB peak {name}"] = self.memory("VmHWM")
        self.say(str(figures))
        if name == "bump":
            bindings = self.all(BINDINGS)
            figures["bindings"] = len(bindings)
            figures["kB bindings"] = round(sum(len(json.dumps(one)) for one in bindings) / 1000)

    def apply(self, tree: Path) -> subprocess.Popen[bytes]:
        """Begin to apply all objects of a folder."""
        apply = [servers.kubectl(), "apply", "--server-side", "-R", "-f", str(tree)]
        environment = {**os.environ, "KUBECONFIG": str(self.lab.management.kubeconfig)}
        return subprocess.Popen(apply, env=environment, stdout=subprocess.DEVNULL)

    def render(self, tree: Path, image: str) -> None:
        """Render what a Git repository with these Clusters would hold."""
        source = self.folder / "fleet"
        source.mkdir(exist_ok=True)
        for number in range(NAMESPACES):
            own = [one for one in self.clusters if one[0] == f"team-{number}"]
            values = [value for namespace, name in own for value in self.objects(namespace, name)]
            text = yaml.dump_all(values, Dumper=yaml.CSafeDumper, sort_keys=False)
            (source / f"team-{number}.yaml").write_text(text, encoding="utf-8")
        spec = {
            "parentURL": PARENT_URL,
            "registrationToken": {"value": TOKEN},
            "clusterSelector": {"matchLabels": REGISTER},
            "agent": {"image": image},
            "identity": {"mode": self.mode},
        }
        kind = {"apiVersion": "fn.clusternet.io/v1alpha1", "kind": "ClusternetCAPIConfig"}
        config = {**kind, "metadata": {"name": "fleet"}, "spec": spec}
        (source / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [sys.executable, "-m", "krm_fn", "render", source, "--only", "generated", "-o", tree]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)

    def sizes(self, tree: Path) -> None:
        """Count what was rendered."""
        paths = list(tree.rglob("*.yaml"))
        sizes = [path.stat().st_size for path in paths]
        self.figures["objects"] = len(paths)
        self.figures["kB objects"] = round(sum(sizes) / 1000)
        self.figures["kB largest"] = round(max(sizes) / 1000, 1)

    def expected(self, tree: Path) -> dict[tuple[str, str], list[Expected]]:
        """What each Cluster's binding has to record."""
        values = read_tree(tree)
        carriers = {(one["metadata"]["namespace"], one["kind"], one["metadata"]["name"]): one for one in values}
        wanted: dict[tuple[str, str], list[Expected]] = {cluster: [] for cluster in self.clusters}
        for one in values:
            if one["kind"] != "ClusterResourceSet":
                continue
            namespace, name, spec = one["metadata"]["namespace"], one["metadata"]["name"], one["spec"]
            only = spec["clusterSelector"]["matchLabels"].get("cluster.x-k8s.io/cluster-name")
            listed = [
                Expected(
                    (name, resource["kind"], resource["name"]),
                    "" if spec["strategy"] == "ApplyOnce" else content_hash(carriers[(namespace, *resource.values())]),
                )
                for resource in spec["resources"]
            ]
            for cluster in [(namespace, only)] if only else [one for one in self.clusters if one[0] == namespace]:
                wanted[cluster] += listed
        return wanted

    def delivered(self, expected: dict[tuple[str, str], list[Expected]]) -> int:
        """How many Clusters have everything."""
        found = 0
        for binding in self.all(BINDINGS):
            recorded = {
                (one["clusterResourceSetName"], resource["kind"], resource["name"]): resource
                for one in binding.get("spec", {}).get("bindings") or []
                for resource in one.get("resources") or []
                if resource.get("applied")
            }
            wanted = expected[binding["metadata"]["namespace"], binding["metadata"]["name"]]
            found += all(
                one.key in recorded and (not one.hash or recorded[one.key].get("hash") == one.hash) for one in wanted
            )
        return found

    # --- the manager as a process

    def rest(self) -> float:
        """Processor time of the manager while nothing changes, in per cent of a core."""
        time.sleep(5)  # until it has done what came before
        before = self.cpu()
        time.sleep(REST)
        return round((self.cpu() - before) / REST * 100, 1)

    def cpu(self) -> float:
        """Processor time that the manager has taken, in seconds."""
        fields = Path(f"/proc/{self.lab.manager.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self, field: str) -> int:
        """Memory of the manager in MB, now (`VmRSS`) or at most since `forget_peak` (`VmHWM`)."""
        lines = Path(f"/proc/{self.lab.manager.pid}/status").read_text(encoding="ascii").splitlines()
        return round(int(next(one.split()[1] for one in lines if one.startswith(f"{field}:"))) / 1000)

    def forget_peak(self) -> None:
        """Begin anew with the highest memory."""
        Path(f"/proc/{self.lab.manager.pid}/clear_refs").write_text("5", encoding="ascii")

    def watches(self) -> int:
        """How many kinds the manager watches on a workload cluster, Nodes and what it has delivered, as the servers count."""
        form = re.compile(r'apiserver_longrunning_requests\{.*verb="WATCH".*\} (\d+)')
        kinds: Counter[str] = Counter()
        for workload in self.workloads:
            for line in workload.kubectl("get", "--raw", "/metrics").out.splitlines():
                found = form.fullmatch(line)
                if found:
                    kinds[line.partition("{")[2].partition("}")[0]] += int(found[1])
        return sum(number > 0.9 * self.count for number in kinds.values())  # some are just opened anew

    # --- helpers

    def wait(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for a condition within the run's limit."""
        end = time.monotonic() + LIMIT
        while not condition():
            check(time.monotonic() < end, f"waited {LIMIT:.0f} s in vain for {what}")
            time.sleep(self.pause)

    def all(self, kind: str, tries: int = 6) -> list[dict[str, Any]]:
        """All objects of a kind; a busy server may give up on a long list, and is asked again."""
        try:
            return self.lab.management.api.list(kind)
        except (OSError, http.client.HTTPException, RefusedError) as error:
            if tries == 1 or (isinstance(error, RefusedError) and error.code < http.HTTPStatus.INTERNAL_SERVER_ERROR):
                raise
        return self.all(kind, tries - 1)

    def timed(self, step: Callable[[], None]) -> float:
        """Take the seconds of a step."""
        before = time.monotonic()
        step()
        return round(time.monotonic() - before, 1)

    def say(self, what: str) -> None:
        """Show progress."""
        print(f"{self.mode} {self.count}: {what}", file=sys.stderr, flush=True)


def check(fine: bool, message: str) -> None:  # noqa: FBT001
    """End a run that goes wrong."""
    if not fine:
        raise SystemExit(message)


if __name__ == "__main__":
    main()
