"""Agent objects against the schemas of Kubernetes itself, strictly: an unknown field is a failure."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from krm_fn.agent import AgentPayload, identity_values, registration_values
from krm_fn.agent.manifests import Registration
from krm_fn.model import Patch
from krm_fn.surface import DEPLOYMENT_KEY
from tests.unit.agent.options import EVERY_OPTION, agent

NEWEST = kubernetes_validate.latest_version()
KUBERNETES = ("1.28", "1.30", NEWEST)
LABELLED = Patch(kind="Namespace", name="clusternet-system", patch={"metadata": {"labels": {"a": "1e3"}}})
NAMED = Registration(name="one", labels={"a/b": "1e3"})
CASES: dict[str, tuple[dict[str, Any], Registration]] = {
    "defaults": ({}, NAMED),
    "prefix": ({}, Registration(name_prefix="fleet")),
    "neither name nor prefix": ({}, Registration()),
    "every option": ({**EVERY_OPTION, "namespace": "edge"}, NAMED),
    "patched": ({"patches": (LABELLED,)}, NAMED),
    "least": ({"replicas": 0, "tolerations": (), "affinity": {}}, NAMED),
}
DIFFERING = ("v0.12.0", "v0.13.0", "v0.15.0", "v0.15.2", "v0.16.0", "v0.18.1")


@pytest.mark.parametrize("kubernetes", KUBERNETES)
@pytest.mark.parametrize("release", DIFFERING)
@pytest.mark.parametrize(("changes", "registration"), CASES.values(), ids=CASES)
def test_the_objects_are_what_kubernetes_accepts(
    changes: dict[str, Any], registration: Registration, release: str, kubernetes: str
) -> None:
    options = agent(release, **changes)
    texts = {
        **identity_values(options),
        **registration_values(options, "https://parent:6443", "abcdef.0123456789abcdef"),
        **AgentPayload(options).values(registration, "c" * 64),
    }

    objects = [one for text in texts.values() for one in yaml.safe_load_all(text)]

    assert len(objects) == (11 if options.version.key >= (0, 15, 2) else 12)
    for one in objects:
        kubernetes_validate.validate(one, kubernetes, strict=True)


def test_the_schemas_would_catch_an_unknown_field() -> None:
    broken = Patch(kind="Deployment", name="clusternet-agent", patch={"spec": {"replica": 1}})
    values = AgentPayload(agent(patches=(broken,))).values(Registration())

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(yaml.safe_load(values[DEPLOYMENT_KEY]), NEWEST, strict=True)
