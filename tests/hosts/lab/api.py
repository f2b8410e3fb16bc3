"""A small client of an API server: what tests read and what stands in for providers, in milliseconds.

What a user would do, tests do with the real kubectl (`ControlPlane.kubectl`).
"""

from __future__ import annotations

import contextlib
import json
import ssl
import time
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.hosts.lab.pki import Pki

Object = dict[str, Any]

# The group and version under which tests read a kind; kinds of the core group are not listed.
VERSIONS = {
    "Deployment": "apps/v1",
    "ReplicaSet": "apps/v1",
    "Lease": "coordination.k8s.io/v1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "ClusterRole": "rbac.authorization.k8s.io/v1",
    "ClusterRoleBinding": "rbac.authorization.k8s.io/v1",
    "CustomResourceDefinition": "apiextensions.k8s.io/v1",
    "ManagedCluster": "clusters.clusternet.io/v1beta1",
    "ClusterRegistrationRequest": "clusters.clusternet.io/v1beta1",
}
SECONDS = 90  # a wait ends long before; this bounds one on a machine that is busy with other things


class RefusedError(Exception):
    """The server answered with something other than success."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """One API server, asked as its administrator."""

    def __init__(self, url: str, pki: Pki) -> None:
        self.url = url
        self.versions = dict(VERSIONS)
        self._tls = ssl.create_default_context(cafile=str(pki.ca))
        self._tls.load_cert_chain(pki.admin, pki.admin_key)

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """An object, or None where there is none."""
        try:
            return self._call("GET", self._path(kind, namespace, name))
        except RefusedError as refused:
            if refused.code == 404:
                return None
            raise

    def list(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """The objects of a kind in a namespace, or in all of them; none where the kind is not served."""
        query = f"?labelSelector={quote(selector)}" if selector else ""
        try:
            return self._call("GET", self._path(kind, namespace) + query)["items"]
        except RefusedError as refused:
            if refused.code == 404:
                return []
            raise

    def create(self, value: Object, *, dry_run: bool = False) -> Object:
        """Create an object, or have the server only check it; the live one."""
        path = _path(value["apiVersion"], value["kind"], value["metadata"].get("namespace", ""))
        return self._call("POST", path + ("?dryRun=All" if dry_run else ""), value)

    def patch(self, kind: str, name: str, namespace: str, value: Object, subresource: str = "") -> Object:
        """Merge a patch into an object."""
        path = self._path(kind, namespace, name) + (f"/{subresource}" if subresource else "")
        return self._call("PATCH", path, value, "application/merge-patch+json")

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object, if it is there."""
        self._delete(self._path(kind, namespace, name))

    def delete_all(self, kind: str, namespace: str) -> None:
        """Delete the objects of a kind in a namespace."""
        self._delete(self._path(kind, namespace))

    def end_namespace(self, name: str, kinds: tuple[str, ...]) -> None:
        """Delete a namespace at once: what the namespace controller does, without its five seconds of grace.

        Args:
            name: The namespace.
            kinds: What it may contain, owners first.
        """
        self.delete("Namespace", name)  # from here on the server refuses to create anything in it
        for kind in kinds:
            self.delete_all(kind, name)
            for left in self.list(kind, name):
                if left["metadata"].get("finalizers"):  # its controller is not waited for
                    with contextlib.suppress(RefusedError):
                        self.patch(kind, left["metadata"]["name"], name, {"metadata": {"finalizers": None}})
        there = self.get("Namespace", name)
        if there:
            try:
                self._call("PUT", f"/api/v1/namespaces/{name}/finalize", {**there, "spec": {"finalizers": []}})
            except RefusedError as refused:
                if refused.code not in {404, 409}:  # the controller was faster
                    raise
        wait(lambda: self.get("Namespace", name) is None, f"the end of namespace {name}")

    def ready(self) -> bool:
        """Whether the server serves."""
        try:
            self._call("GET", "/readyz")
        except (OSError, RefusedError):
            return False
        return True

    def _path(self, kind: str, namespace: str, name: str = "") -> str:
        return _path(self.versions.get(kind, "v1"), kind, namespace, name)

    def _delete(self, path: str) -> None:
        try:
            self._call("DELETE", path, {"kind": "DeleteOptions", "apiVersion": "v1", "gracePeriodSeconds": 0})
        except RefusedError as refused:
            if refused.code not in {404, 409}:
                raise

    def _call(self, method: str, path: str, value: Object | None = None, form: str = "application/json") -> Any:
        request = urllib.request.Request(  # noqa: S310 - always https to the lab's own server
            self.url + path,
            method=method,
            data=None if value is None else json.dumps(value).encode(),
            headers={"Content-Type": form},
        )
        try:
            with urllib.request.urlopen(request, context=self._tls, timeout=SECONDS) as answer:  # noqa: S310
                body = answer.read()
        except urllib.error.HTTPError as error:
            raise RefusedError(error.code, error.read().decode(errors="replace")[:2000]) from None
        return json.loads(body) if body.startswith(b"{") else body


def wait(condition: Callable[[], Any], what: str | Callable[[], str], seconds: float = SECONDS) -> Any:
    """Wait until a condition is true; its value.

    Args:
        condition: Is asked ten times a second.
        what: Names it where it never comes true; a function, for what only the end shows.
        seconds: How long to wait for it.
    """
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            pytest.fail(f"waited {seconds:.0f} s in vain for {what if isinstance(what, str) else what()}")
        time.sleep(0.1)


def _path(version: str, kind: str, namespace: str, name: str = "") -> str:
    plural = f"{kind.lower().removesuffix('y')}{'ies' if kind.endswith('y') else 'es' if kind.endswith('s') else 's'}"
    parts = ["", "apis" if "/" in version else "api", version]
    parts += ["namespaces", namespace] if namespace else []
    return "/".join([*parts, plural, *([quote(name)] if name else [])])
