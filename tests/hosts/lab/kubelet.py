"""What kubelets would do: report how pods are, and answer `kubectl logs`."""

from __future__ import annotations

import ssl
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from tests.hosts.lab.api import RefusedError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from tests.hosts.lab.api import Api, Object
    from tests.hosts.lab.pki import Pki

NODE = "lab"


class Kubelet:
    """The kubelet of a node whose pods run as processes of the lab: an API server asks it for their logs.

    Attributes:
        port: Where it listens.
    """

    def __init__(self, pki: Pki, logs: dict[tuple[str, str], Path]) -> None:
        """Begin to answer; `logs` are by a pod's namespace and its container's name."""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0].split("/")
                log = logs.get((path[2], path[4])) if path[1:2] == ["containerLogs"] and len(path) == 5 else None
                self.send_response(200 if log else 404)
                self.end_headers()
                if log:
                    self.wfile.write(log.read_bytes())

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pki.server, pki.server_key)
        self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port: int = self._server.server_address[1]
        Thread(target=self._server.serve_forever, daemon=True).start()

    def join(self, api: Api) -> None:
        """Make its node known to an API server, unless it is."""
        if api.get("Node", NODE):
            return
        api.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}})
        addresses = [{"type": "InternalIP", "address": "127.0.0.1"}]
        endpoints = {"kubeletEndpoint": {"Port": self.port}}
        api.patch("Node", NODE, "", {"status": {"addresses": addresses, "daemonEndpoints": endpoints}}, "status")

    def leave(self, api: Api) -> None:
        """Stop answering."""
        api.delete("Node", NODE)
        self._server.shutdown()
        self._server.server_close()


def report(api: Api, pod: Object, *, ready: bool) -> None:
    """Report a pod with one container as running, and ready or not."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = pod["spec"]["containers"][0]["name"]
    container = {"name": name, "image": "", "imageID": "", "restartCount": 0, "ready": ready, "started": True}
    container["state"] = {"running": {"startedAt": now}}
    conditions = [
        {"type": kind, "status": str(kind in {"PodScheduled", "Initialized"} or ready), "lastTransitionTime": now}
        for kind in ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    ]
    status = {"phase": "Running", "conditions": conditions, "containerStatuses": [container], "startTime": now}
    try:
        api.patch("Pod", pod["metadata"]["name"], pod["metadata"]["namespace"], {"status": status}, "status")
    except RefusedError as refused:
        if refused.code not in {404, 409}:  # a controller deleted it meanwhile
            raise
