"""Flux on the management cluster: the real kustomize-controller, on artifacts that a test serves.

source-controller is not needed for them: a source is an object whose status names a tar archive and its digest, and `push`
writes both.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import tarfile
import threading
from datetime import datetime, timezone
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import yaml

from tests.hosts import programs
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.cluster_api import create_crds
from tests.hosts.lab.servers import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

PROGRAM, CRDS = programs.TOOLS / "kustomize-controller", programs.TOOLS / "flux.yaml"
SOURCES = "source.toolkit.fluxcd.io/v1"
KUSTOMIZATIONS = "kustomize.toolkit.fluxcd.io/v1"
VERSIONS = {"GitRepository": SOURCES, "OCIRepository": SOURCES, "Kustomization": KUSTOMIZATIONS}
NAMESPACE = "flux-system"
ASK = "reconcile.fluxcd.io/requestedAt"  # what `flux reconcile` sets


def missing() -> str:
    """What keeps Flux from starting here; empty where nothing does."""
    lacking = [path.name for path in (PROGRAM, CRDS) if not path.exists()]
    return f"no {', '.join(lacking)} here; `make tools` builds them" if lacking else ""


class Flux:
    """kustomize-controller, and a server of artifacts on loopback."""

    def __init__(self, lab: Lab) -> None:
        self.api = lab.management.api
        self.api.versions.update(VERSIONS)
        self.kubectl = lab.management.kubectl
        self._lab = lab
        self._served = lab.folder / "artifacts"
        self._served.mkdir()
        self._numbers = itertools.count(1)
        self._seen = 0  # how much of the log `changes` has read
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(self._served)))
        self.controller = Process(
            *("kustomize-controller", lab.folder, PROGRAM, "--metrics-addr=0", "--events-addr="),
            *("--health-addr=127.0.0.1:0", "--min-retry-delay=200ms", "--max-retry-delay=2s"),
            env={
                "KUBECONFIG": str(lab.management.kubeconfig),
                "RUNTIME_NAMESPACE": NAMESPACE,
                "TMPDIR": str(self._served.parent),
            },
        )

    def start(self) -> None:
        """Create Flux's CRDs and start the controller."""
        crds = [one for one in yaml.load_all(CRDS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if one]
        create_crds(self._lab.management, crds)
        self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
        threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True).start()
        self._lab.guests.append(self.controller)
        self.controller.start()

    def stop(self) -> None:
        """End the controller and the server."""
        self.controller.stop()
        self._server.shutdown()
        self._server.server_close()

    def push(self, tree: Path, *, kind: str = "GitRepository", name: str = "fleet", namespace: str = NAMESPACE) -> str:
        """Do what source-controller does after a commit or a push: serve a folder as the source's artifact; its revision.

        Args:
            tree: The folder.
            kind: What kind of source.
            name: The source's name; the object has to be there.
            namespace: The source's namespace.
        """
        number = next(self._numbers)
        path = self._served / f"{number}.tar.gz"
        with tarfile.open(path, "w:gz") as archive:
            archive.add(tree, arcname=".")
        content = path.read_bytes()
        revision = f"main@sha1:{number:040x}"
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        artifact = {
            "path": path.name,
            "url": f"http://127.0.0.1:{self._server.server_address[1]}/{path.name}",
            "revision": revision,
            "digest": f"sha256:{hashlib.sha256(content).hexdigest()}",
            "size": len(content),
            "lastUpdateTime": now,
        }
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": now}
        status = {"artifact": artifact, "conditions": [ready]}
        self.api.patch(kind, name, namespace, {"status": status}, "status")
        return revision

    def follow(self, space: Space, **spec: Any) -> None:
        """Point a Kustomization of a test's namespace at a source of its own, or change fields of its spec."""
        if self.api.get("Kustomization", "fleet", space.namespace):
            self.api.patch("Kustomization", "fleet", space.namespace, {"spec": spec})
            return
        metadata = {"name": "fleet", "namespace": space.namespace}
        source = {"interval": "5m", "url": "https://git.example.com/platform/fleet.git", "ref": {"branch": "main"}}
        value = {"interval": "10m", "sourceRef": {"kind": "GitRepository", "name": "fleet"}, "path": "./"}
        value.update({"prune": True, "wait": False, "timeout": "20s", **spec})
        self.api.create({"apiVersion": SOURCES, "kind": "GitRepository", "metadata": metadata, "spec": source})
        self.api.create({"apiVersion": KUSTOMIZATIONS, "kind": "Kustomization", "metadata": metadata, "spec": value})

    def sync(self, space: Space, *arguments: str | Path) -> Object:
        """Do what follows a commit: CI renders, the source has a new artifact, Flux applies it; its Ready condition.

        Afterwards the stand-in providers provision what Clusters are new.
        """
        tree = space.render(*arguments)
        revision = self.push(tree, namespace=space.namespace)
        ready = self.reconciled(revision, space.namespace)
        space.applied = tree
        if ready["status"] == "True":
            space.provision()
        return ready

    def reconciled(self, revision: str, namespace: str = NAMESPACE) -> Object:
        """Wait until Flux is done with a revision, applied or not; the Ready condition."""

        def done() -> Object | None:
            there = self._kustomization(namespace)
            ready = _ready(there)
            current = ready.get("observedGeneration") == there["metadata"]["generation"]
            attempted = there.get("status", {}).get("lastAttemptedRevision") == revision
            return ready if current and attempted and ready.get("status") in {"True", "False"} else None

        return wait(done, lambda: f"Flux: {self._kustomization(namespace).get('status')}")

    def reconcile(self, namespace: str = NAMESPACE) -> Object:
        """Reconcile once more, as `flux reconcile kustomization` asks for; the Ready condition."""
        asked = str(next(self._numbers))
        self.api.patch("Kustomization", "fleet", namespace, {"metadata": {"annotations": {ASK: asked}}})

        def done() -> Object | None:
            there = self._kustomization(namespace)
            ready = _ready(there)
            handled = there.get("status", {}).get("lastHandledReconcileAt") == asked
            return ready if handled and ready.get("status") in {"True", "False"} else None

        return wait(done, lambda: f"Flux: {self._kustomization(namespace).get('status')}")

    def changes(self) -> list[str]:
        """What the controller's log says that it created, changed or deleted since the last call."""
        text = self.controller.log.read_text(encoding="utf-8") if self.controller.log.exists() else ""
        lines = [json.loads(line) for line in text[self._seen :].splitlines() if line.startswith("{")]
        self._seen = len(text)
        outputs = [one["output"] for one in lines if isinstance(one.get("output"), dict)]
        found = [f"{name} {action}" for one in outputs for name, action in one.items() if action != "unchanged"]
        for one in lines:
            before, _, deleted = one["msg"].partition("garbage collection completed: ")
            found += deleted.splitlines() if not before else []
        return sorted(found)

    def end(self, namespace: str = NAMESPACE) -> None:
        """Delete the Kustomization and wait until Flux has pruned what it applied."""
        self.api.delete("Kustomization", "fleet", namespace)
        wait(lambda: self.api.get("Kustomization", "fleet", namespace) is None, "the Kustomization's end")

    def _kustomization(self, namespace: str) -> Object:
        there = self.api.get("Kustomization", "fleet", namespace)
        assert there, f"no Kustomization in {namespace}"
        return there


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and logs nothing."""

    def log_message(self, *_: Any) -> None:
        """Keep the requests out of pytest's output."""


def _ready(kustomization: Object) -> Object:
    conditions = kustomization.get("status", {}).get("conditions") or []
    return next((one for one in conditions if one["type"] == "Ready"), {})
