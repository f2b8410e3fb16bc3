"""A lab: real control planes for a management, a parent and workload clusters, each started when it is first needed.

Everything listens on loopback (but see `cluster_api.manager`), on a block of ports that no other lab uses; its files are in
a folder of its own. The servers end with the process that started them, even if that is killed, and what a killed lab left
in its folder goes when the next one starts.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import socket
import tempfile
import urllib.request
from pathlib import Path
from typing import IO, Any

from tests.hosts import programs
from tests.hosts.lab import cluster_api, pki, servers
from tests.hosts.lab.api import wait
from tests.hosts.lab.clusternet import Parent, Workload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime

LABS = 40
FIRST_PORT = 21000  # below the ports that Linux gives to outgoing connections
PORTS_PER_LAB = 30
NAMES = ("management", "parent", "w1", "w2", "w3", "w4")


def missing() -> str:
    """What keeps a lab from starting here; empty where nothing does."""
    built = ["etcd", "kube-apiserver", "kube-controller-manager"]
    built += [path.name for release in cluster_api.RELEASES.values() for path in (release.program, release.config)]
    lacking = [name for name in built if not (programs.TOOLS / name).exists()]
    lacking += [name for name in ("setpriv", "openssl") if not shutil.which(name)]
    lacking += [] if programs.kubectls() else ["kubectl"]
    return f"no {', '.join(lacking)} here; `make tools` builds them" if lacking else ""


class Place:
    """A lab's folder and ports, locked for as long as the process that claimed it lives."""

    def __init__(self, folder: Path, ports: servers.Ports, lock: IO[str]) -> None:
        self.folder = folder
        self.ports = ports
        self._lock = lock

    def release(self) -> None:
        """Remove the folder, and let another lab use the place."""
        shutil.rmtree(self.folder, ignore_errors=True)
        Path(self._lock.name).unlink(missing_ok=True)
        self._lock.close()


def claim() -> Place:
    """Find a place for a lab, and remove what killed ones left in theirs."""
    root = Path(tempfile.gettempdir()) / f"clusternet-capi-fn-lab-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    assert root.stat().st_uid == os.getuid(), f"{root} belongs to somebody else"
    claimed = None
    for number in range(LABS):
        folder = root / str(number)
        if claimed and not folder.exists():
            continue
        lock = _lock(root / f"{number}.lock")
        if lock is None:
            continue
        shutil.rmtree(folder, ignore_errors=True)
        place = Place(folder, servers.Ports(FIRST_PORT + PORTS_PER_LAB * number), lock)
        if not claimed and _free(place.ports):
            folder.mkdir(mode=0o700)
            claimed = place
        else:
            place.release()
    assert claimed, f"no free ports for a lab from {FIRST_PORT} on"
    return claimed


def _lock(path: Path) -> IO[str] | None:
    """Lock a place; None if another lab has it."""
    lock = path.open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return None
    if os.fstat(lock.fileno()).st_nlink == 0:  # released meanwhile, and its file is gone
        lock.close()
        return None
    return lock


class Lab:
    """The control planes, and Cluster API on the one of the management cluster."""

    def __init__(self, release: cluster_api.Release, folder: Path, ports: servers.Ports) -> None:
        self.release = release
        self.folder = folder
        self.ports = ports
        self.pki = pki.make(folder / "pki") if not (folder / "pki").exists() else pki.at(folder / "pki")
        self.etcd = servers.etcd(folder, ports)
        self.management = servers.ControlPlane(NAMES[0], folder, ports, 0, self.pki)
        self.management.api.versions.update(release.versions)
        self._parent = Parent(NAMES[1], folder, ports, 1, self.pki)
        self._workloads = {
            name: Workload(name, folder, ports, index, self.pki) for index, name in enumerate(NAMES[2:], start=2)
        }
        self.manager = cluster_api.manager(release, folder, ports, self.management, self.pki)
        self.guests: list[servers.Process] = []  # what tests start beside it, and `stop` ends
        self.manager_flags: tuple[str, ...] = ()  # beyond those that it has by default
        self._started: set[str] = set()

    @classmethod
    def running(cls, release: cluster_api.Release, folder: Path, ports: servers.Ports) -> Lab:
        """A lab that another process started."""
        lab = cls(release, folder, ports)
        lab._started.update(NAMES)
        return lab

    def start(self) -> None:
        """Start the management cluster and the first workload cluster; the others start when they are asked for."""
        self.etcd.start()
        wait(lambda: _answers(self.ports.etcd) or self.etcd.check(), "etcd")
        self.management.start()
        self._workloads["w1"].start()
        self.management.wait_ready()
        cluster_api.install(self.release, self.ports, self.management, self.pki)
        self.manager.start()
        self.management.start_controllers()  # after the CRDs, which the garbage collector else sees half a minute later
        self.workload("w1")
        self._wait_admitting()

    def stop(self) -> None:
        """End everything."""
        for process in (*self.guests, self.manager):
            process.stop()
        for plane in (self.management, self._parent, *self._workloads.values()):
            plane.stop()
        self.etcd.stop()

    def restart_manager(self, *flags: str) -> None:
        """Run Cluster API's manager anew, with more flags than it has by default."""
        self.manager.stop()
        self.manager_flags = flags
        self.manager = cluster_api.manager(self.release, self.folder, self.ports, self.management, self.pki, *flags)
        self.manager.start()
        self._wait_admitting()

    def _wait_admitting(self) -> None:
        wait(
            lambda: cluster_api.admits(self.release, self.management) or self.manager.check(), "Cluster API's webhooks"
        )

    def backdate(self, key: str, time: datetime) -> None:
        """Let an object be older than it is: its creation is no server's to change, so that is done in etcd."""

        def call(method: str, **body: str) -> Any:
            data = json.dumps({name: base64.b64encode(value.encode()).decode() for name, value in body.items()})
            url = f"http://127.0.0.1:{self.ports.etcd}/v3/kv/{method}"
            with urllib.request.urlopen(urllib.request.Request(url, data.encode()), timeout=10) as answer:
                return json.load(answer)

        [found] = call("range", key=key)["kvs"]
        value = json.loads(base64.b64decode(found["value"]))
        value["metadata"]["creationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ")
        call("put", key=key, value=json.dumps(value))

    @property
    def parent(self) -> Parent:
        """The parent cluster, without registrations when a test begins."""
        if self._first(self._parent):
            self._parent.install()
        return self._parent

    def workload(self, name: str) -> Workload:
        """A workload cluster, w1 to w4, as new when a test begins."""
        workload = self._workloads[name]
        if self._first(workload):
            workload.start_controllers()
        return workload

    def wipe(self) -> None:
        """Make the parent and the workload clusters as new."""
        for name in sorted(self._started - {NAMES[1]}):
            workload = self._workloads[name]
            workload.start()
            workload.wait_ready()
            workload.start_controllers()
            workload.wipe()
        if NAMES[1] in self._started:
            self._parent.wipe()

    def _first(self, plane: servers.ControlPlane) -> bool:
        """Start a control plane when it is asked for the first time."""
        if plane.name in self._started:
            return False
        plane.start()
        plane.wait_ready()
        self._started.add(plane.name)
        return True


def _answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _free(ports: servers.Ports) -> bool:
    """Whether nothing listens on any port of a block."""
    return not any(_answers(port) for port in range(ports.first, ports.first + PORTS_PER_LAB))
