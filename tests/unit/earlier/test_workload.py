"""What a ClusterResourceSet does to a workload cluster, object by object."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.earlier.effects import Delivered, on_the_cluster
from krm_fn.yaml.write import dump

AGENT = "Deployment clusternet-system/clusternet-agent"
ROLE = "ClusterRole r"


def delivery(*objects: Any, of: str = "fleet", name: str = "agent", strategy: str = "Reconcile") -> Delivered:
    texts = tuple("---\n" + dump(one, quote_all=True) for one in objects)
    return Delivered(set=of, strategy=strategy, kind="ConfigMap", name=name, texts=texts)


def agent(image: str = "a:1", replicas: int = 3, selector: str = "x", namespace: str = "clusternet-system") -> Any:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "clusternet-agent", "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": selector}}, "template": {"image": image}},
    }


def role(verb: str = "get") -> Any:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "r"},
        "rules": [verb],
    }


def binding(to: str) -> Any:
    value = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "b"}}
    return {**value, "roleRef": {"name": to}}


def registration(url: str) -> Any:
    metadata = {"name": "clusternet-agent-cluster-registration", "namespace": "clusternet-system"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": {"parentURL": url}}


ONCE = {"strategy": "ApplyOnce"}
OTHER = {"of": "fleet-2", "name": "agent-2"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([delivery(agent())], [delivery(agent())], [], id="nothing changes"),
        pytest.param([delivery(agent())], [delivery(agent("a:2"))], ["rolls"], id="a new template rolls"),
        pytest.param([delivery(agent())], [delivery(agent(replicas=5))], [f"replaced {AGENT}"], id="replicas don't roll"),
        pytest.param([delivery(role())], [delivery(role("list"))], [f"replaced {ROLE}"], id="a role is replaced"),
        pytest.param([delivery(agent())], [delivery(agent(), role())], [f"replaced {ROLE}"], id="an object comes"),
        pytest.param([delivery(agent(), role())], [delivery(agent())], [f"left-behind {ROLE}"], id="an object is left behind"),
        pytest.param([delivery(agent(), **ONCE)], [delivery(agent("a:2"), **ONCE)], [f"ignored {AGENT}"], id="ApplyOnce ignores"),
        pytest.param([delivery(agent(), **ONCE)], [delivery(agent(), role(), **ONCE)], [f"ignored {ROLE}"], id="ApplyOnce creates nothing later"),
        pytest.param(
            [delivery(agent(), **ONCE)],
            [delivery(agent(), **ONCE), delivery(role(), name="extra", **ONCE)],
            [f"replaced {ROLE}"],
            id="ApplyOnce applies a new resource",
        ),
        pytest.param([delivery(agent())], [delivery(agent(), **OTHER)], [], id="a new set applies equal objects"),
        pytest.param([delivery(agent())], [delivery(agent("a:2"), **OTHER)], ["rolls"], id="a new set replaces"),
        pytest.param(
            [delivery(agent())], [delivery(agent("a:2"), **OTHER, **ONCE)], [f"ignored {AGENT}"], id="a new ApplyOnce set spares what is there"
        ),
        pytest.param(
            [delivery(agent(), **ONCE)], [delivery(agent("a:2"), **OTHER)], ["rolls"], id="a new Reconcile set replaces what ApplyOnce brought"
        ),
        pytest.param([delivery(binding("a"))], [delivery(binding("b"))], ["blocked roleRef ClusterRoleBinding b"], id="a roleRef is refused"),
        pytest.param(
            [delivery(binding("a"), agent())],
            [delivery(binding("b"), agent("a:2"))],
            ["blocked roleRef ClusterRoleBinding b", "rolls"],
            id="a refusal stops nothing else",
        ),
        pytest.param([delivery(agent())], [delivery(agent(selector="y"))], [f"blocked spec.selector {AGENT}"], id="a selector is refused"),
        pytest.param(
            [delivery(registration("https://a"))],
            [delivery(registration("https://b"))],
            [
                "registers-again parentURL https://a https://b",
                "replaced Secret clusternet-system/clusternet-agent-cluster-registration",
            ],
            id="another parent",
        ),
        pytest.param(
            [delivery(agent())],
            [delivery(agent(namespace="other"), **OTHER)],
            ["registers-again agent.namespace clusternet-system other"],
            id="another agent namespace, of which all else is a part",
        ),
        pytest.param([], [delivery(agent())], [f"replaced {AGENT}"], id="the first delivery"),
    ],
)  # fmt: skip
def test_a_change_does_to_a_workload_cluster_what_the_controller_does(
    before: list[Delivered], after: list[Delivered], expected: list[str]
) -> None:
    assert happens(before, after) == expected


def happens(before: list[Delivered], after: list[Delivered]) -> list[str]:
    return [
        " ".join(part for part in (one.code, one.field, one.before, one.after, *one.objects) if part)
        for one in on_the_cluster(before, after)
    ]


def test_a_resource_that_is_not_known_says_nothing() -> None:
    unknown = delivery(agent())._replace(texts=None)
    assert happens([unknown], [delivery(agent("a:2"))]) == []
    assert happens([delivery(agent())], [unknown]) == []


def test_a_payload_that_is_no_yaml_is_left_out_as_cluster_api_cannot_apply_it() -> None:
    broken = delivery(agent())._replace(texts=("{",))
    assert happens([delivery(agent())], [broken]) == [f"left-behind {AGENT}"]
