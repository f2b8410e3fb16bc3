"""Every core object that a run makes, and every object in its payload, against the schemas of Kubernetes itself."""

from __future__ import annotations

import base64
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.support.lists import cluster, config, named, run

KUBERNETES = ("1.28", "1.30", kubernetes_validate.latest_version())
SOURCES: dict[str, Any] = {
    "value": {"value": "plantd.0123456789abcdef"},
    "secretRef": {"secretRef": {"name": "reg"}},
    "existingSecret": {"existingSecret": {"name": "kept"}},
    "externalSecret": {"externalSecret": {"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "x"}}},
}
SPECS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "apply once": {"clusterResourceSet": {"strategy": "ApplyOnce"}},
    "per cluster": {"identity": {"mode": "PerCluster", "labels": {"a": "1e3"}, "labelKeys": ["env"]}},
    "named and marked": {
        "clusterResourceSet": {"name": "n", "labels": {"on": "y"}, "annotations": {"note": "1e3"}},
        "gitops": {"argocd": True, "flux": True},
    },
}


def payloads(value: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects inside a carrier of ours."""
    texts = value["data"].values()
    if value["kind"] == "Secret":
        texts = [base64.b64decode(text).decode() for text in texts]
    return [one for text in texts for one in yaml.safe_load_all(text)]


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_everything_generated_is_what_kubernetes_accepts(
    source: dict[str, Any], spec: dict[str, Any], kubernetes: str
) -> None:
    secret = named("Secret", "reg", type="Opaque", stringData={"regToken": "plantd.0123456789abcdef"})
    made = run(
        [cluster("a"), cluster("b", "team-b", version="v1beta1"), secret], config(registrationToken=source, **spec)
    )
    carriers = [
        one
        for one in made.items
        if one["kind"] in {"ConfigMap", "Secret"} and "fn.clusternet.io/owner" in one["metadata"].get("annotations", {})
    ]

    objects = [*carriers, *(inner for one in carriers for inner in payloads(one))]

    assert made.code == 0
    assert {"ConfigMap", "Namespace", "Deployment"} <= {one["kind"] for one in objects}
    for one in objects:
        kubernetes_validate.validate(one, kubernetes, strict=True)
