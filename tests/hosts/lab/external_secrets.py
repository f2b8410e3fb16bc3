"""The External Secrets Operator on the management cluster, with its Fake provider as the store of secrets.

It is the operator's own code, built with that one provider (`.ci/install-tools`).
"""

from __future__ import annotations

import yaml

from tests.hosts import programs
from tests.hosts.lab.api import Object, wait
from tests.hosts.lab.cluster_api import create_crds
from tests.hosts.lab.servers import Process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.lab import Lab
    from tests.hosts.lab.space import Space

PROGRAM, CRDS = programs.TOOLS / "external-secrets", programs.TOOLS / "external-secrets.yaml"
VERSION = "external-secrets.io/v1"
STORE, KEY = "vault", "clusternet/registration"


def missing() -> str:
    """What keeps the operator from starting here; empty where nothing does."""
    lacking = [path.name for path in (PROGRAM, CRDS) if not path.exists()]
    return f"no {', '.join(lacking)} here; `make tools` builds them" if lacking else ""


class ExternalSecrets:
    """The operator."""

    def __init__(self, lab: Lab) -> None:
        self.api = lab.management.api
        self.api.versions.update(dict.fromkeys(("ExternalSecret", "SecretStore", "ClusterSecretStore"), VERSION))
        self._lab = lab
        off = ("cluster-external-secret-reconciler", "push-secret-reconciler", "cluster-push-secret-reconciler")
        self.operator = Process(
            *("external-secrets", lab.folder, PROGRAM, f"--metrics-addr=127.0.0.1:{lab.ports.guest(5)}"),
            *(f"--enable-{name}=false" for name in off),
            env={"KUBECONFIG": str(lab.management.kubeconfig)},
        )

    def start(self) -> None:
        """Create the operator's CRDs, and start it."""
        crds = [one for one in yaml.load_all(CRDS.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if one]
        for crd in crds:
            crd["spec"].pop("conversion", None)  # by a webhook, from versions that are not used here
        create_crds(self._lab.management, crds)
        self._lab.guests.append(self.operator)
        self.operator.start()

    def stop(self) -> None:
        """End it."""
        self.operator.stop()

    def keep(self, space: Space, token: str) -> None:
        """Keep a token in the store of a test's namespace."""
        provider = {"fake": {"data": [{"key": KEY, "value": token}]}}
        if space.get("SecretStore", STORE):
            self.api.patch("SecretStore", STORE, space.namespace, {"spec": {"provider": provider}})
            return
        metadata = {"name": STORE, "namespace": space.namespace}
        self.api.create(
            {"apiVersion": VERSION, "kind": "SecretStore", "metadata": metadata, "spec": {"provider": provider}}
        )

    def wait_ready(self, namespace: str, name: str) -> Object:
        """Wait until the operator reports an ExternalSecret as ready; the ExternalSecret."""

        def ready() -> Object | None:
            there = self.api.get("ExternalSecret", name, namespace) or {}
            conditions = there.get("status", {}).get("conditions") or []
            return there if any((one["type"], one["status"]) == ("Ready", "True") for one in conditions) else None

        return wait(
            ready,
            lambda: f"ExternalSecret {name}: {(self.api.get('ExternalSecret', name, namespace) or {}).get('status')}",
        )

    def wait_event(self, namespace: str, message: str) -> None:
        """Wait until the operator says something in an Event: the condition of an ExternalSecret has no reasons."""
        wait(
            lambda: any(message in one["message"] for one in self.api.list("Event", namespace)),
            lambda: f"{message!r} in {[one['message'] for one in self.api.list('Event', namespace)]}",
        )
