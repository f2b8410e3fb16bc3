"""Builders for the token tests: items as the reader makes them, and a configuration with one source."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.kube.labels import LabelSelector
from krm_fn.model import (
    AgentOptions,
    AgentVersion,
    Config,
    GitopsOptions,
    GuardOptions,
    HubOptions,
    IdentityOptions,
    ResourceSetOptions,
)
from tests.support.items import item_of

AGENT = AgentOptions(
    image="ghcr.io/clusternet/clusternet-agent:v0.18.1",
    version=AgentVersion(major=0, minor=18, patch=1),
    namespace="clusternet-system",
    replicas=3,
    image_pull_policy="",
    image_pull_secrets=(),
    resources={},
    node_selector={},
    tolerations=(),
    affinity={},
    priority_class_name="",
    pod_labels={},
    pod_annotations={},
    env=(),
    sync_mode="Dual",
    cluster_type="StandardCluster",
    feature_gates={},
    extra_args=(),
    patches=(),
)


def _config(**changes: Any) -> Config:
    token = changes.pop("source")
    version = changes.pop("version", AGENT.version)
    values = {
        "name": "fleet",
        "namespace": "",
        "parent_url": "https://parent.example.com:6443",
        "token": token,
        "cluster_selector": LabelSelector.of({"env": "prod"}, ()),
        "namespace_selector": None,
        "namespaces": (),
        "agent": AGENT.replace(version=version),
        "identity": IdentityOptions(mode="Shared", name_prefix="", name_template="{name}", labels={}, label_keys=()),
        "resource_set": ResourceSetOptions(
            name="clusternet-cluster-api",
            strategy="Reconcile",
            api_version="",
            labels={},
            annotations={},
            extra_resources=(),
        ),
        "feature_gate": "Check",
        "hub": HubOptions(),
        "gitops": GitopsOptions(),
        "guard": GuardOptions(),
        "mode": "Render",
        "file_path": "fleet.yaml",
    }
    return Config(**{**values, **changes})


@pytest.fixture
def make_config() -> Callable[..., Config]:
    """Return a function that builds a Config; `source` is its TokenSource."""
    return _config


def _items(*objects: dict[str, Any] | str) -> list[Item]:
    """Make items of objects: dicts, or the YAML text of a whole object."""
    texts = [one if isinstance(one, str) else json.dumps(one) for one in objects]
    return [item_of(text.encode(), position) for position, text in enumerate(texts)]


@pytest.fixture
def make_items() -> Callable[..., list[Item]]:
    """Return a function that makes items of objects, numbered from 0."""
    return _items
