"""Argo CD on the management cluster: its own repo-server, application-controller and, in the sidecar's image, cmp-server.

Redis is Debian's, and Git is served by `git daemon`. The sidecar is a container with what examples/argocd/plugin gives it:
the image, user, environment and mounts, a read-only root and no network. Everything but the metrics of the
application-controller, which has no flag for their address, listens on loopback.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import shutil
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.hosts import programs
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.cluster_api import create_crds
from tests.hosts.lab.servers import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

EXAMPLE = programs.REPOSITORY / "examples/argocd"
PROGRAM, CRDS, REDIS = (programs.TOOLS / name for name in ("argocd", "argocd.yaml", "redis"))
VERSION = "argoproj.io/v1alpha1"
NAMESPACE = "argocd"
PLUGIN = "clusternet-capi-fn-v0.1"
REFRESH = "argocd.argoproj.io/refresh"
PART_OF = {"app.kubernetes.io/part-of": "argocd"}


def missing() -> str:
    """What keeps Argo CD from starting here; empty where nothing does."""
    lacking = [path.name for path in (PROGRAM, CRDS, REDIS, programs.TOOLS / "kustomize-newest") if not path.exists()]
    return f"no {', '.join(lacking)} here; `make tools` builds them" if lacking else ""


class Cost(NamedTuple):
    """What a process has taken: CPU time, and memory at its peak."""

    seconds: float
    kilobytes: int


class ArgoCD:
    """Argo CD's servers, with our sidecar."""

    def __init__(self, lab: Lab, engine: tuple[str, ...], image: str, token: str) -> None:
        self.api = lab.management.api
        self.api.versions.update({"Application": VERSION, "AppProject": VERSION})
        self._lab = lab
        self._numbers = itertools.count(1)
        self._folder = lab.folder / "argocd"
        self._git = self._folder / "git"
        self._engine = (*engine, "docker")
        self._container = f"clusternet-capi-fn-cmp-{lab.ports.first}"
        redis, repositories, metrics, controller, self._git_port = (lab.ports.guest(index) for index in range(5))
        sockets = self._folder / "plugins"
        bin_folder = self._folder / "bin"
        for folder in (self._git, sockets, bin_folder):
            folder.mkdir(parents=True)
        sockets.chmod(0o777)
        self._details = (bin_folder / "argocd-app-details", f"127.0.0.1:{repositories}")
        for name in (
            *("argocd-repo-server", "argocd-application-controller", "argocd-cmp-server"),
            self._details[0].name,
        ):
            (bin_folder / name).symlink_to(PROGRAM.resolve())
        (bin_folder / "kustomize").symlink_to((programs.TOOLS / "kustomize-newest").resolve())
        env = {
            "PATH": f"{bin_folder}:{os.environ['PATH']}",
            "TMPDIR": str(self._folder),
            "KUBECONFIG": str(lab.management.kubeconfig),
        }
        libraries = next((REDIS / "usr/lib").glob("*-linux-gnu"))
        cache = f"--redis=127.0.0.1:{redis}"
        sidecar = self._sidecar(image, sockets, token)
        self.processes = [
            Process(
                *("redis", lab.folder, REDIS / "usr/bin/redis-server", "--bind", "127.0.0.1", "--port", str(redis)),
                *("--save", "", "--appendonly", "no", "--dir", self._folder),
                env={"LD_LIBRARY_PATH": str(libraries)},
            ),
            Process(
                *("git-daemon", lab.folder, _git_daemon(), "--listen=127.0.0.1", f"--port={self._git_port}"),
                *("--reuseaddr", "--export-all", f"--base-path={self._git}", self._git),
            ),
            Process("cmp-server", lab.folder, *sidecar, env=programs.environment()),
            Process(
                *("repo-server", lab.folder, bin_folder / "argocd-repo-server", "--address=127.0.0.1"),
                *(f"--port={repositories}", "--metrics-address=127.0.0.1", f"--metrics-port={metrics}"),
                *("--disable-tls", cache),
                env={
                    **env,
                    "ARGOCD_GPG_ENABLED": "false",
                    "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
                    "ARGOCD_ASK_PASS_SOCK": str(self._folder / "ask-pass.sock"),
                },
            ),
            Process(
                *("application-controller", lab.folder, bin_folder / "argocd-application-controller"),
                *(f"--namespace={NAMESPACE}", f"--metrics-port={controller}", cache, "--repo-server-plaintext"),
                *(f"--repo-server=127.0.0.1:{repositories}", "--persist-resource-health", "--app-resync=0"),
                *("--self-heal-timeout-seconds=1", "--self-heal-backoff-timeout-seconds=1"),
                env={**env, "ARGOCD_FAKE_IN_CLUSTER": "true", "ARGOCD_SYNC_WAVE_DELAY": "0"},
            ),
        ]
        self.socket = sockets / f"{PLUGIN}.sock"

    def start(self) -> None:
        """Create Argo CD's CRDs and settings, and start its servers."""
        crds = [one for one in yaml.load_all(CRDS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if one]
        create_crds(self._lab.management, crds)
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        for name in ("argocd-cm", "argocd-rbac-cm", "argocd-tls-certs-cm", "argocd-ssh-known-hosts-cm"):
            metadata = {"name": name, "namespace": NAMESPACE, "labels": PART_OF}
            self.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata})
        metadata = {"name": "argocd-secret", "namespace": NAMESPACE, "labels": PART_OF}
        self.api.create(
            {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"server.secretkey": "x"}}
        )
        project: Object = {"sourceRepos": ["*"], "destinations": [{"namespace": "*", "server": "*"}]}
        project["clusterResourceWhitelist"] = [{"group": "*", "kind": "*"}]
        metadata = {"name": "default", "namespace": NAMESPACE}
        self.api.create({"apiVersion": VERSION, "kind": "AppProject", "metadata": metadata, "spec": project})
        self._engine_does("rm", "--force")  # one that a killed run left
        self._lab.guests += self.processes
        for process in self.processes:
            process.start()
        cmp_server = self.processes[2]
        wait(lambda: self.socket.exists() or cmp_server.check(), "the sidecar's socket")

    def stop(self) -> None:
        """End all of them."""
        self._engine_does("kill")
        for process in self.processes:
            process.stop()

    def commit(self, name: str, folder: Path) -> str:
        """Commit a folder, as it is, as what a repository contains; the commit."""
        repository = self._git / name
        git = ("git", "-C", repository, "-c", "user.name=lab", "-c", "user.email=lab@example.com")
        if not repository.exists():
            repository.mkdir()
            programs.run(*git, "init", "--quiet", "--initial-branch=main", cwd=self._git)
        for path in repository.iterdir():
            if path.name != ".git":
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        shutil.copytree(folder, repository, dirs_exist_ok=True, symlinks=True)
        programs.run(*git, "add", "--all", cwd=self._git)
        programs.run(*git, "commit", "--quiet", "--allow-empty", "--message", "as it is", cwd=self._git)
        return programs.run(*git, "rev-parse", "HEAD", cwd=self._git).out.strip()

    def follow(self, space: Space, *, automated: bool = True, path: str = ".", **spec: Any) -> None:
        """Create the example's Application for a test's namespace, with its repository here.

        Args:
            space: The test's namespace; the Application's and the repository's name too.
            automated: Whether it syncs by itself, heals and prunes, as the example's does.
            path: The folder within the repository.
            spec: Other fields of the source's `plugin`, such as `env` and `parameters`.
        """
        application = yaml.safe_load((EXAMPLE / "application.yaml").read_text(encoding="utf-8"))
        application["metadata"]["name"] = space.namespace
        source = application["spec"]["source"]
        source.update({"repoURL": f"git://127.0.0.1:{self._git_port}/{space.namespace}", "path": path})
        source["plugin"].update(spec)
        if not automated:
            del application["spec"]["syncPolicy"]["automated"]
        self.commit(space.namespace, space.fleet)
        self.api.create(application)

    def sync(self, space: Space) -> Object:
        """Commit the folder and wait until the Application is synced to it; the Application.

        Afterwards the stand-in providers provision what Clusters are new.
        """
        commit = self.commit(space.namespace, space.fleet)
        self.refresh(space)

        def synced() -> Object | None:
            there = self.application(space)
            status = there.get("status", {})
            done = status.get("operationState", {}).get("phase") == "Succeeded"
            found = status.get("sync", {})
            return there if done and (found["status"], found.get("revision")) == ("Synced", commit) else None

        found = wait(synced, lambda: f"Argo CD: {self.explain(space)}")
        space.applied = space.fleet
        space.provision()
        return found

    def refresh(self, space: Space, *, hard: bool = False) -> Object:
        """Compare the Application again, as its Refresh button does; the Application."""
        patch = {"metadata": {"annotations": {REFRESH: "hard" if hard else "normal"}}}
        self.api.patch("Application", space.namespace, NAMESPACE, patch)

        def done() -> Object | None:
            there = self.application(space)
            return None if REFRESH in there["metadata"].get("annotations", {}) else there

        return wait(done, lambda: f"a refresh: {self.explain(space)}")

    def application(self, space: Space) -> Object:
        """The test's Application."""
        there = self.api.get("Application", space.namespace, NAMESPACE)
        assert there, f"no Application {space.namespace}"
        return there

    def announced(self, space: Space, **plugin: Any) -> dict[str, Object]:
        """The parameters that the repo-server tells Argo CD's UI of, by name.

        Args:
            space: The test's namespace, whose Application it is.
            plugin: Other fields of the source's `plugin` than its name.
        """
        source = self.application(space)["spec"]["source"]
        source["plugin"].update(plugin)
        query = {"repo": {"repo": source["repoURL"]}, "source": source, "appName": space.namespace, "noCache": True}
        answer = programs.run(*self._details, cwd=self._folder, stdin=json.dumps(query)).out
        return {one["name"]: one for one in json.loads(answer)["plugin"]["parametersAnnouncement"]}

    def cost(self, space: Space, step: Callable[[], Any]) -> Cost:
        """What the function takes in the sidecar when it renders the test's repository during a step."""
        whose = f"ARGOCD_APP_NAME={space.namespace}\0".encode()
        found: dict[Path, Cost] = {}
        with ThreadPoolExecutor(1) as pool:
            done = pool.submit(step)
            while not done.done():
                for process in Path("/proc").glob("[0-9]*"):
                    with contextlib.suppress(OSError, ValueError):  # it ends
                        if whose in (process / "environ").read_bytes() + b"\0":
                            found[process] = _cost(process)
                time.sleep(0.01)
            done.result()
        assert found, "the function was not seen"
        return max(found.values(), key=lambda one: one.seconds)

    def conditions(self, space: Space) -> list[str]:
        """What the Application's conditions say."""
        return [one["message"] for one in self.application(space).get("status", {}).get("conditions") or []]

    def out_of_sync(self, space: Space) -> list[str]:
        """What the Application shows as different from Git."""
        resources = self.application(space)["status"].get("resources") or []
        return [f"{one['kind']}/{one['name']}" for one in resources if one.get("status") != "Synced"]

    def explain(self, space: Space) -> str:
        """What matters of the Application's status."""
        status = self.application(space).get("status", {})
        operation = status.get("operationState", {})
        shown = {key: operation.get(key) for key in ("phase", "message")}
        return f"{status.get('sync')} {shown} {self.out_of_sync(space) if status else ''} {self.conditions(space)}"

    def _sidecar(self, image: str, sockets: Path, token: str) -> list[str | Path]:
        """The command that runs the container which examples/argocd/plugin adds to the repo-server."""
        (spec,) = yaml.safe_load_all((EXAMPLE / "plugin/repo-server.yaml").read_text(encoding="utf-8"))
        (container,) = spec["spec"]["template"]["spec"]["containers"]
        mounts = {entry["name"]: entry["mountPath"] for entry in container["volumeMounts"]}
        secret, files, tools = (self._folder / name for name in ("registration", "var-files", "tools"))
        for folder in (secret, files, tools):
            folder.mkdir(mode=0o755)
        (secret / "regToken").write_text(token, encoding="utf-8")
        shutil.copy(PROGRAM, files / "argocd-cmp-server")  # a container sees no links of the host
        shutil.copy(programs.TOOLS / "kustomize-newest", tools / "kustomize")
        binds = {
            "var-files": (files, "ro"),
            "plugins": (sockets, "rw"),
            "clusternet-capi-fn": (EXAMPLE / "plugin/plugin.yaml", "ro"),
            "clusternet-registration": (secret, "ro"),
            "clusternet-capi-fn-tools": (tools, "ro"),
        }
        volumes = [part for name, (path, how) in binds.items() for part in ("-v", f"{path}:{mounts[name]}:{how}")]
        environment = [part for one in container["env"] for part in ("-e", f"{one['name']}={one['value']}")]
        return [
            *(*self._engine, "run", "--rm", "--name", self._container, "--network", "none", "--read-only"),
            *("--cap-drop", "ALL", "--security-opt=no-new-privileges"),
            *("--user", str(container["securityContext"]["runAsUser"])),
            *("--tmpfs", f"{mounts['clusternet-capi-fn-tmp']}:exec", *environment, *volumes),
            *("--entrypoint", container["command"][0], image),
        ]

    def _engine_does(self, *command: str) -> None:
        """Do something to the sidecar's container, if it is there."""
        whole = [*self._engine, *command, self._container]
        subprocess.run(whole, env=programs.environment(), capture_output=True, check=False, timeout=programs.SECONDS)


def _cost(process: Path) -> Cost:
    fields = (process / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    (peak,) = re.findall(r"VmHWM:\s+(\d+)", (process / "status").read_text(encoding="utf-8"))
    return Cost((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), int(peak))


def _git_daemon() -> Path:
    folder = subprocess.run(["git", "--exec-path"], capture_output=True, text=True, check=True).stdout.strip()
    return Path(folder) / "git-daemon"
