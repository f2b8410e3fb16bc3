"""The lab's processes: etcd, and control planes that keep their objects in it."""

from __future__ import annotations

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from tests.hosts import programs
from tests.hosts.lab.api import Api, wait

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.hosts.lab.pki import Pki

# No scheduler and no kubelet: pods are created and stay pending until a test says how they do (`Workload.run_pods`).
CONTROLLERS = (
    "serviceaccount-token-controller,serviceaccount-controller,namespace-controller,garbage-collector-controller,"
    "deployment-controller,replicaset-controller,root-ca-certificate-publisher-controller,"
    "clusterrole-aggregation-controller"
)
# The kernel ends a server with the thread that started it (PR_SET_PDEATHSIG), so this one lives as long as the process.
_STARTER = ThreadPoolExecutor(1)


class Process:
    """A server as a process. It ends with the process that started it, however that one ends."""

    def __init__(self, name: str, folder: Path, *command: str | Path, env: Mapping[str, str] | None = None) -> None:
        self.name = name
        self.log = folder / "log" / f"{name}.log"
        self._command = ["setpriv", "--pdeathsig", "KILL", *map(str, command)]
        self._env = {"PATH": os.environ["PATH"], "HOME": str(folder), **(env or {})}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, unless it runs."""
        if self.running():
            return
        self.log.parent.mkdir(exist_ok=True)
        with self.log.open("ab") as log:
            self._process = _STARTER.submit(
                subprocess.Popen,
                self._command,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            ).result()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process, f"{self.name} was not started"
        return self._process.pid

    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it at once: nothing that it holds is needed any more."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def check(self) -> bool:
        """Fail with the end of its log if it has ended; always False, to be `or`ed to a condition."""
        assert self.running(), f"{self.name} has ended:\n{self.tail()}"
        return False

    def tail(self) -> str:
        """The end of its log."""
        return self.log.read_text(encoding="utf-8", errors="replace")[-3000:] if self.log.exists() else ""


class Ports(NamedTuple):
    """The ports of a lab, all from one block."""

    first: int

    @property
    def etcd(self) -> int:
        return self.first

    @property
    def webhooks(self) -> int:
        return self.first + 2

    @property
    def manager(self) -> int:
        return self.first + 3

    def api(self, index: int) -> int:
        return self.first + 10 + 2 * index

    def guest(self, index: int) -> int:
        return self.first + 22 + index


def etcd(folder: Path, ports: Ports) -> Process:
    """One etcd for all control planes of a lab."""
    url, peers = f"http://127.0.0.1:{ports.etcd}", f"http://127.0.0.1:{ports.etcd + 1}"
    return Process(
        *("etcd", folder, programs.TOOLS / "etcd", "--data-dir", folder / "etcd", "--unsafe-no-fsync"),
        *("--listen-client-urls", url, "--advertise-client-urls", url, "--log-level", "warn"),
        *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}"),
    )


class ControlPlane:
    """An API server with its controllers."""

    def __init__(self, name: str, folder: Path, ports: Ports, index: int, pki: Pki) -> None:
        port = ports.api(index)
        self.name = name
        self.url = f"https://127.0.0.1:{port}"
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self.api = Api(self.url, pki)
        self._folder = folder
        pki.kubeconfig(self.kubeconfig, {name: self.url})
        issuer = "https://kubernetes.default.svc"
        self.server = Process(
            *(f"{name}-apiserver", folder, programs.TOOLS / "kube-apiserver"),
            *(f"--etcd-servers=http://127.0.0.1:{ports.etcd}", f"--etcd-prefix=/{name}"),
            *("--bind-address=127.0.0.1", f"--secure-port={port}", "--advertise-address=127.0.0.1"),
            *("--endpoint-reconciler-type=none", "--service-cluster-ip-range=10.96.0.0/16"),
            *("--authorization-mode=Node,RBAC", "--enable-bootstrap-token-auth=true", "--allow-privileged=true"),
            *(f"--client-ca-file={pki.ca}", f"--tls-cert-file={pki.server}"),
            *(f"--tls-private-key-file={pki.server_key}", f"--service-account-key-file={pki.service_accounts}"),
            *(f"--service-account-signing-key-file={pki.service_accounts}", f"--service-account-issuer={issuer}"),
            *(f"--api-audiences={issuer}", "--enable-priority-and-fairness=false", "--profiling=false"),
        )
        self._controllers = Process(
            *(f"{name}-controllers", folder, programs.TOOLS / "kube-controller-manager"),
            *(f"--kubeconfig={self.kubeconfig}", "--leader-elect=false", f"--controllers={CONTROLLERS}"),
            *("--bind-address=127.0.0.1", f"--secure-port={port + 1}", f"--root-ca-file={pki.ca}"),
            *(f"--service-account-private-key-file={pki.service_accounts}", "--use-service-account-credentials=false"),
            *("--kube-api-qps=200", "--kube-api-burst=400", "--profiling=false"),
        )

    def start(self) -> None:
        """Start the API server; `wait_ready` waits until it serves."""
        self.server.start()

    def wait_ready(self) -> None:
        """Wait until the API server serves."""
        wait(lambda: self.api.ready() or self.server.check(), f"API server {self.name}")

    def start_controllers(self) -> None:
        """Start the controllers."""
        self._controllers.start()

    def stop(self) -> None:
        """End both."""
        self._controllers.stop()
        self.server.stop()

    def kubectl(self, *arguments: str | Path, stdin: str = "", code: int | set[int] | None = 0) -> programs.Done:
        """Run kubectl against it, and hold it to an exit code."""
        env = {"KUBECONFIG": str(self.kubeconfig), "KUBECTL_APPLYSET": "true"}
        return programs.run(kubectl(), *arguments, cwd=self._folder, stdin=stdin, env=env, code=code)


def kubectl() -> Path:
    """The kubectl of the lab: the newest there is."""
    return next(iter(programs.kubectls().values()))
