"""A small fleet and the function's output for it: every kind of Cluster, every token source."""

from __future__ import annotations

import base64
import sys
from typing import Any

from krm_fn.yaml.write import dump
from tests.hosts import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

PARENT = "https://parent.example.com:6443"
TOKEN = "123456.1e30000000000000"  # a number to a careless YAML writer
REGISTER = {"clusternet.io/register": "true"}


def cluster(namespace: str, name: str, version: str, *, topology: bool = False, **labels: str) -> dict[str, Any]:
    value: dict[str, Any] = {
        "apiVersion": f"cluster.x-k8s.io/{version}",
        "kind": "Cluster",
        "metadata": {"name": name, "namespace": namespace, "labels": {**REGISTER, **labels}},
        "spec": {"clusterNetwork": {"pods": {"cidrBlocks": ["10.0.0.0/16"]}}},
    }
    if topology:
        version = {"version": "v1.33.1"}
        value["spec"]["topology"] = (
            {"class": "small", **version}
            if value["apiVersion"].endswith("v1beta1")
            else {"classRef": {"name": "small"}, **version}
        )
    return value


CLUSTERS = [
    cluster("old", "classic", "v1beta1"),
    cluster("old", "class", "v1beta1", topology=True),
    cluster("new", "classic", "v1beta2", env="1e3"),
    cluster("new", "class", "v1beta2", topology=True),
    cluster("mixed", "one", "v1beta1"),
    cluster("mixed", "two", "v1beta2"),
    cluster("new", "left-out", "v1beta2", **{"clusternet.io/register": "false"}),
]
SERVED = sorted(f"{one['metadata']['namespace']}/{one['metadata']['name']}" for one in CLUSTERS[:-1])


def registration(token: str) -> str:
    """The manifest that a user keeps in a Secret of their own."""
    value = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "clusternet-agent-cluster-registration", "namespace": "clusternet-system"},
        "type": "Opaque",
        "data": {
            "parentURL": base64.b64encode(PARENT.encode()).decode(),
            "regToken": base64.b64encode(token.encode()).decode(),
        },
    }
    return "---\n" + dump(value, quote_all=True)


def token_source(source: str, token: str) -> tuple[Any, list[dict[str, Any]], dict[str, str]]:
    """The field's value, the items and the environment that it needs."""
    if source == "value":
        return token, [], {}
    if source == "secretRef":
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "reg", "namespace": "flux"},
            "type": "Opaque",
        }
        return {"name": "reg", "namespace": "flux"}, [{**secret, "stringData": {"regToken": token}}], {}
    if source == "env":
        return "CLUSTERNET_REG_TOKEN", [], {"CLUSTERNET_REG_TOKEN": token, "CLUSTERNET_PARENT_URLS": PARENT}
    if source == "file":
        return "reg-token", [], {}
    if source == "existingSecret":
        data = {"registration.yaml": base64.b64encode(registration(token).encode()).decode()}
        kept = [
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "kept", "namespace": namespace},
                "type": "addons.cluster.x-k8s.io/resource-set",
                "data": data,
            }
            for namespace in ("old", "new", "mixed")
        ]
        return {"name": "kept"}, kept, {}
    return (
        {"secretStoreRef": {"name": "vault", "kind": "ClusterSecretStore"}, "remoteRef": {"key": "clusternet"}},
        [],
        {},
    )


def render(  # noqa: PLR0913 - what a test varies, each by name
    folder: Path,
    *,
    source: str = "value",
    token: str = TOKEN,
    release: str = "v0.18.1",
    mode: str = "Shared",
    clusters: list[dict[str, Any]] | None = None,
    **spec: Any,
) -> str:
    """Run the function as a host would and return its output."""
    value, items, env = token_source(source, token)
    if source == "file":
        (folder / "reg-token").write_text(token + "\n", encoding="utf-8")
        env = {"CLUSTERNET_TOKEN_DIR": str(folder), "CLUSTERNET_PARENT_URLS": PARENT}
    agent = {"image": f"ghcr.io/clusternet/clusternet-agent:{release}", **spec.pop("agent", {})}
    config = {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": {"name": "fleet", "namespace": "management"},
        "spec": {
            "parentURL": PARENT,
            "registrationToken": {source: value},
            "clusterSelector": {"matchLabels": REGISTER},
            "agent": agent,
            "identity": {"mode": mode, **({"nameTemplate": "{namespace}-{name}"} if mode == "PerCluster" else {})},
            **spec,
        },
    }
    resources = {
        "apiVersion": "config.kubernetes.io/v1",
        "kind": "ResourceList",
        "functionConfig": config,
        "items": [*(CLUSTERS if clusters is None else clusters), *items],
    }
    text = dump(resources)
    return programs.run(sys.executable, "-m", "krm_fn", cwd=programs.REPOSITORY, stdin=text, env=env).out
