"""The ExternalSecret holds what spec and operator ask for, and its template gives back what an inline source emits.

The engine is emulated here by its two actions that we use; `tests/hosts/test_external_secrets.py` runs the real one.
"""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
import yaml

from krm_fn.agent import registration_values
from krm_fn.config import decode
from krm_fn.krm.items import Item
from krm_fn.model import Patch
from krm_fn.tokens import outside as module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import Config

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
ACTION = re.compile(r"\{\{(.*?)\}\}")


def config(external: dict[str, Any] | None = None, **spec: Any) -> Config:
    """Return a config as a user would write it."""
    source = {"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet/registration"}, **(external or {})}
    value = {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": {"name": "fleet"},
        "spec": {
            "parentURL": "https://parent.example.com:6443",
            "registrationToken": {"externalSecret": source},
            "clusterSelector": {"matchLabels": {"env": "prod"}},
            **spec,
        },
    }
    return decode(Item.from_value(value, 0))


def annotated(**annotations: str) -> Config:
    """Return a config that patches the registration Secret: decoding refuses that, the template must stand it."""
    one = config()
    name = "clusternet-agent-cluster-registration"
    patch = Patch(kind="Secret", name=name, patch={"metadata": {"annotations": annotations}})
    return one.replace(agent=one.agent.replace(patches=(patch,)))


def run(text: str, token: str) -> str:
    """Do what text/template does with our two actions, and fail on any other."""

    def action(match: re.Match[str]) -> str:
        if match[1].strip() == '"{{"':
            return "{{"
        assert match[1].strip() == ".regToken | trim | b64enc"
        return base64.b64encode(token.strip().encode()).decode()

    return ACTION.sub(action, text.replace('{{ "{{" }}', "\0")).replace("\0", "{{")


def test_the_whole_object_is_as_specified() -> None:
    found = module.external_secret(config(), "team-a")
    text = found["spec"]["target"]["template"]["data"].pop("20-registration.yaml")
    assert found == {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": {"name": "clusternet-cluster-api-registration", "namespace": "team-a"},
        "spec": {
            "refreshInterval": "1h",
            "secretStoreRef": {"name": "vault", "kind": "SecretStore"},
            "target": {
                "name": "clusternet-cluster-api-registration",
                "creationPolicy": "Owner",
                "deletionPolicy": "Retain",
                "template": {
                    "engineVersion": "v2",
                    "mergePolicy": "Replace",
                    "type": "addons.cluster.x-k8s.io/resource-set",
                    "metadata": {
                        "labels": {
                            "app.kubernetes.io/managed-by": "clusternet-capi-fn",
                            "fn.clusternet.io/generated": "true",
                        },
                        "annotations": {"fn.clusternet.io/owner": "fleet"},
                    },
                    "data": {},
                },
            },
            "data": [
                {
                    "secretKey": "regToken",
                    "remoteRef": {
                        "conversionStrategy": "Default",
                        "decodingStrategy": "None",
                        "key": "clusternet/registration",
                        "metadataPolicy": "None",
                    },
                }
            ],
        },
    }
    assert '"regToken": "{{ .regToken | trim | b64enc }}"\n' in text


def test_what_the_user_says_of_the_remote_entry_wins() -> None:
    ref = {"key": "k", "property": "token", "version": "3", "decodingStrategy": "Base64"}
    external = {
        "secretStoreRef": {"name": "s", "kind": "ClusterSecretStore"},
        "remoteRef": ref,
        "refreshInterval": "15m",
    }
    spec = module.external_secret(config(external), "a")["spec"]
    assert spec["data"][0]["remoteRef"] == {"conversionStrategy": "Default", "metadataPolicy": "None", **ref}
    assert spec["secretStoreRef"] == {"name": "s", "kind": "ClusterSecretStore"}
    assert spec["refreshInterval"] == "15m"


def test_without_a_namespace_there_is_none() -> None:
    assert module.external_secret(config(), "")["metadata"] == {"name": "clusternet-cluster-api-registration"}


def test_every_string_of_the_template_is_in_double_quotes() -> None:
    lines = module.template(config()).splitlines()
    assert lines[0] == "---"
    assert [line for line in lines[1:] if not re.fullmatch(r' *"[^"]+":( ".+")?', line)] == []


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(config(), id="plain"),
        pytest.param(config(agent={"namespace": "edge-system"}), id="another namespace"),
        pytest.param(annotated(note="{{ .regToken }} {{- x -}} {{/* c */}}"), id="actions in an annotation"),
        pytest.param(annotated(note='{{ "{{" }}'), id="our own escape in an annotation"),
        pytest.param(annotated(note="{{{ a }}} {{{{ }}}} { {"), id="many braces"),
        pytest.param(annotated(note='back\\slash "quote" `tick` {{`x`}}\nline\t\u2028 ü'), id="quotes and lines"),
        pytest.param(annotated(note="TOKEN TOKENX"), id="the mark that stands in for the token"),
        pytest.param(annotated(empty=""), id="empty"),
    ],
)
@pytest.mark.parametrize("token", [TOKEN, JWT, f"{TOKEN}\n"], ids=["bootstrap", "jwt", "with a line break"])
def test_the_template_gives_what_an_inline_source_emits(one: Config, token: str) -> None:
    inline = registration_values(one.agent, one.parent_url, token.strip())["20-registration.yaml"]
    assert run(module.template(one), token) == inline


def test_the_url_is_out_of_the_engines_reach() -> None:
    text = run(module.template(config(parentURL="https://p.example/%7B%7B")), TOKEN)
    data = yaml.safe_load(text)["data"]
    assert base64.b64decode(data["parentURL"]).decode() == "https://p.example/%7B%7B"
