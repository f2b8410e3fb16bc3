"""Builders for the tests of feature gates and of the hub's set-up: items, configs, and the usual Deployments."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Any

import yaml

from krm_fn.kube.secrets import Secret
from krm_fn.model import Config, HubOptions, KubeconfigRef
from krm_fn.tokens.sources import ValueSource
from tests.support.decoded import decoded
from tests.support.items import item_of

if TYPE_CHECKING:
    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result

TOKEN = "abcdef.0123456789abcdef"
SECRET_NAME = "management-kubeconfig"


def config(**changes: Any) -> Config:
    return decoded(**{"token": ValueSource(value=Secret(TOKEN)), **changes})


def hub_config(key: str = "kubeconfig", name: str = SECRET_NAME, **changes: Any) -> Config:
    return config(
        **{"feature_gate": "Ignore", "hub": HubOptions(kubeconfig=KubeconfigRef(name=name, key=key)), **changes}
    )


def item(text: str, position: int = 0) -> Item:
    return item_of(text.encode(), position)


def items(*values: dict[str, Any]) -> list[Item]:
    return [item(yaml.safe_dump(value, sort_keys=False), position) for position, value in enumerate(values)]


def deployment(name: str, container: dict[str, Any], namespace: str = "", **pod: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata,
        "spec": {"template": {"spec": {**pod, "containers": [container]}}},
    }


def manager(version: str = "v1.5.3", *args: str, **container: Any) -> dict[str, Any]:
    image = f"registry.k8s.io/cluster-api/cluster-api-controller:{version}"
    return deployment(
        "capi-controller-manager",
        {"name": "manager", "image": image, "command": ["/manager"], "args": list(args), **container},
        "capi-system",
    )


def core_provider(version: str | None = "v1.5.3", api: str = "v1alpha2", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": f"operator.cluster.x-k8s.io/{api}",
        "kind": "CoreProvider",
        "metadata": {"name": "cluster-api", "namespace": "capi-system"},
        "spec": {**({"version": version} if version else {}), **spec},
    }


def hub(release: str = "v0.14.0", **container: Any) -> dict[str, Any]:
    values = {
        "name": "clusternet-hub",
        "image": f"ghcr.io/clusternet/clusternet-hub:{release}",
        "command": ["/usr/local/bin/clusternet-hub", "--secure-port=443"],
        **container,
    }
    return deployment("clusternet-hub", values, "clusternet-system")


def controller_manager(release: str = "v0.18.0", pod: dict[str, Any] | None = None, **container: Any) -> dict[str, Any]:
    values = {
        "name": "clusternet-controller-manager",
        "image": f"ghcr.io/clusternet/clusternet-controller-manager:{release}",
        "command": ["/usr/local/bin/clusternet-controller-manager"],
        "args": ["--secure-port=8443"],
        **container,
    }
    return deployment("clusternet-controller-manager", values, "clusternet-system", **(pod or {}))


def secret(data: dict[str, str], namespace: str = "clusternet-system", name: str = SECRET_NAME) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "data": {key: b64encode(value.encode()).decode() for key, value in data.items()},
    }


def container_of(value: Any) -> dict[str, Any]:
    found: dict[str, Any] = value["spec"]["template"]["spec"]["containers"][0]
    return found


def severities(results: tuple[Result, ...]) -> list[str]:
    return [one.severity for one in results]


def messages(results: tuple[Result, ...]) -> str:
    return "\n".join(one.message for one in results)
