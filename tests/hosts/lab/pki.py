"""The lab's certificates: one authority for all of its servers and their administrator."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path
from typing import NamedTuple

KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30")
NAMES = "IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc,DNS:parent.example.com"


class Pki(NamedTuple):
    """Where the certificates and keys are."""

    ca: Path
    server: Path
    server_key: Path
    admin: Path
    admin_key: Path
    service_accounts: Path

    def kubeconfig(self, path: Path, servers: dict[str, str]) -> None:
        """Write a kubeconfig with a context per server; the first is the current one."""
        authority = _base64(self.ca)
        user = {"client-certificate-data": _base64(self.admin), "client-key-data": _base64(self.admin_key)}
        value = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": name, "cluster": {"server": url, "certificate-authority-data": authority}}
                for name, url in servers.items()
            ],
            "users": [{"name": "admin", "user": user}],
            "contexts": [{"name": name, "context": {"cluster": name, "user": "admin"}} for name in servers],
            "current-context": next(iter(servers)),
        }
        path.touch(mode=0o600)
        path.write_text(json.dumps(value, indent=1), encoding="utf-8")  # JSON is YAML


def make(folder: Path) -> Pki:
    """Make an authority, a server's and an administrator's certificate, and a key for ServiceAccount tokens."""
    folder.mkdir()
    pki = at(folder)
    ca_key = folder / "ca.key"
    signed = ("-CA", pki.ca, "-CAkey", ca_key, "-addext", "basicConstraints=critical,CA:FALSE")
    usage = ("-addext", "extendedKeyUsage=serverAuth,clientAuth")
    _openssl("req", "-x509", *KEY, "-keyout", ca_key, "-out", pki.ca, "-subj", "/CN=lab")
    _openssl(
        *("req", "-x509", *KEY, "-keyout", pki.server_key, "-out", pki.server, "-subj", "/CN=server"),
        *(*signed, *usage, "-addext", f"subjectAltName={NAMES}"),
    )
    _openssl(
        *("req", "-x509", *KEY, "-keyout", pki.admin_key, "-out", pki.admin, "-subj", "/O=system:masters/CN=admin"),
        *(*signed, *usage),
    )
    _openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", pki.service_accounts)
    return pki


def at(folder: Path) -> Pki:
    """What `make` made in a folder."""
    return Pki(*(folder / name for name in ("ca.crt", "tls.crt", "tls.key", "admin.crt", "admin.key", "sa.key")))


def _openssl(*arguments: str | Path) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True)


def _base64(path: Path) -> str:
    return base64.b64encode(path.read_bytes()).decode()
