"""The kubeconfig Secret for the hub: what makes it useless is refused, and nothing of it is ever shown."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.hub import review
from krm_fn.krm.results import ERROR, INFO, WARNING, Result
from tests.unit.reviews.builders import (
    SECRET_NAME,
    controller_manager,
    hub_config,
    items,
    messages,
    secret,
    severities,
)

PLANTED = "planted-5ecret"


def kubeconfig(cluster: dict[str, Any] | None = None, user: dict[str, Any] | None = None, **top: Any) -> str:
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "contexts": [{"name": "other", "context": {}}, {"name": "main", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": f"https://{PLANTED}:6443", **(cluster or {})}}],
            "users": [{"name": "u", "user": {"token": PLANTED} if user is None else user}],
            **top,
        }
    )


def said(*values: dict[str, Any]) -> tuple[Result, ...]:
    found = review(items(controller_manager(), *values), hub_config())
    assert PLANTED not in repr(found.results)
    return tuple(one for one in found.results if one.rule == "hub-kubeconfig-secret")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(kubeconfig(), id="token"),
        pytest.param(kubeconfig(user={"client-certificate-data": "YQ==", "client-key-data": "YQ=="}), id="certificate"),
        pytest.param(
            kubeconfig(
                users=[{"name": "u", "user": {"token": "x"}}, {"name": "v", "user": {"exec": {"command": "aws"}}}]
            ),
            id="an exec plugin of a user that is not used",
        ),
        pytest.param(
            "{" + '"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "b", "user": "c"}}], '
            '"clusters": [{"name": "b", "cluster": {"server": "https://x"}}], '
            '"users": [{"name": "c", "user": {"token": "t"}}]}',
            id="JSON",
        ),
    ],
)
def test_a_kubeconfig_that_works_in_the_pod_passes(text: str) -> None:
    assert not said(secret({"kubeconfig": text}))


@pytest.mark.parametrize(
    ("text", "severity", "reason"),
    [
        pytest.param(
            kubeconfig(user={"exec": {"command": PLANTED}}), ERROR, "exec credential plugin, which is not in", id="exec"
        ),
        pytest.param(kubeconfig(user={"auth-provider": {"name": PLANTED}}), ERROR, "auth-provider", id="auth-provider"),
        pytest.param(
            kubeconfig({"certificate-authority": f"{PLANTED}/ca.crt"}),
            ERROR,
            "relative path in certificate-authority",
            id="relative authority",
        ),
        pytest.param(
            kubeconfig(user={"token": "a", "client-certificate": "../a.crt"}),
            ERROR,
            "embed it as client-certificate-data",
            id="relative certificate",
        ),
        pytest.param(kubeconfig(user={"token": "a", "client-key": "a"}), ERROR, "in client-key", id="relative key"),
        pytest.param(kubeconfig(user={"tokenFile": "token"}), ERROR, "embed the token", id="relative token file"),
        pytest.param(
            kubeconfig({"certificate-authority": "/ca"}), WARNING, "must exist in the container", id="absolute"
        ),
        pytest.param(
            kubeconfig({"insecure-skip-tls-verify": True}), WARNING, "sets insecure-skip-tls-verify", id="unverified"
        ),
        pytest.param(kubeconfig({"server": f"http://{PLANTED}"}), WARNING, "over http", id="http"),
        pytest.param(kubeconfig({"server": "https://127.0.0.1:6443"}), WARNING, "the pod itself", id="local host"),
        pytest.param(kubeconfig(user={}), WARNING, "no credentials", id="anonymous"),
        pytest.param(kubeconfig(clusters=[]), ERROR, "no server", id="no cluster"),
        pytest.param(kubeconfig({"server": None}), ERROR, "no server", id="no server"),
        pytest.param(kubeconfig(users=[]), ERROR, "no user", id="no user"),
        pytest.param(kubeconfig(**{"current-context": ""}), ERROR, "has no current-context", id="no context"),
        pytest.param(kubeconfig(**{"current-context": "x"}), ERROR, "has no current-context", id="unknown context"),
        pytest.param(kubeconfig(contexts={"main": 1}), ERROR, "has no current-context", id="contexts that are no list"),
        pytest.param(f"{PLANTED}: [", ERROR, "is not YAML", id="no YAML"),
        pytest.param(PLANTED, ERROR, "is not YAML that holds a mapping", id="no mapping"),
        pytest.param("a: " + "[" * 5000, ERROR, "is not YAML", id="nested without end"),
        pytest.param(f"- {PLANTED}\n---\n- b\n", ERROR, "is not YAML", id="several documents"),
        pytest.param("", ERROR, "is not YAML", id="empty"),
    ],
)
def test_what_fails_in_the_pod_is_refused_with_the_reason(text: str, severity: str, reason: str) -> None:
    results = said(secret({"kubeconfig": text}))
    assert severities(results) == [severity]
    assert reason in messages(results)


def test_all_errors_are_reported_at_once() -> None:
    text = kubeconfig(
        {"certificate-authority": "ca", "insecure-skip-tls-verify": True},
        {"exec": {"command": "x"}, "auth-provider": {"name": "y"}, "client-key": "k"},
    )
    assert severities(said(secret({"kubeconfig": text}))) == [ERROR, ERROR, ERROR, ERROR, WARNING]


def test_text_in_string_data_is_read_and_wins() -> None:
    given = {**secret({"kubeconfig": "broken ["}), "stringData": {"kubeconfig": kubeconfig()}}
    assert not said(given)


def test_a_missing_key_is_refused_with_the_keys_that_are_there() -> None:
    results = said({**secret({"value": PLANTED}), "stringData": {"a": PLANTED}})
    assert severities(results) == [ERROR]
    assert "no key 'kubeconfig' (keys: a, value)" in results[0].message


def test_an_empty_secret_has_no_keys() -> None:
    assert "(keys: none)" in messages(said(secret({})))


@pytest.mark.parametrize(
    "value", ["%%% " + PLANTED, "\u00e9", "/w==", "YQ"], ids=["no base64", "letters", "no UTF-8", "cut"]
)
def test_data_that_is_no_base64_of_text_is_refused_unseen(value: str) -> None:
    results = said({**secret({}), "data": {"kubeconfig": value}})
    assert severities(results) == [ERROR]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"data": {"kubeconfig": f"ENC[AES256_GCM,data:{PLANTED}]"}}, id="encrypted value"),
        pytest.param({"sops": {"mac": "x"}}, id="SOPS metadata"),
    ],
)
def test_an_encrypted_secret_is_named_as_such(change: dict[str, Any]) -> None:
    results = said({**secret({"kubeconfig": kubeconfig()}), **change})
    assert severities(results) == [INFO]
    assert "encrypted by SOPS" in messages(results)


def test_a_secret_that_is_not_in_the_input_is_said_to_be_unchecked() -> None:
    results = said()
    assert severities(results) == [INFO]
    assert f"Secret clusternet-system/{SECRET_NAME} is not in the input" in results[0].message


def test_a_secret_in_another_namespace_can_not_be_mounted() -> None:
    results = said(secret({"kubeconfig": kubeconfig()}, "capi-system"))
    assert severities(results) == [ERROR]
    assert "is in namespace capi-system, and a pod in clusternet-system can't mount it" in results[0].message


@pytest.mark.parametrize(
    ("home", "place"),
    [("", "anywhere"), ("clusternet-system", "")],
    ids=["a Deployment without a namespace", "a Secret without one"],
)
def test_objects_without_a_namespace_meet(home: str, place: str) -> None:
    target = controller_manager()
    target["metadata"]["namespace"] = home
    found = review(items(target, secret({}, place)), hub_config())
    assert ERROR in severities(found.results)
    assert "no key" in messages(found.results)


def test_the_secret_is_checked_in_a_package_without_the_deployment() -> None:
    found = review(items(secret({})), hub_config())
    assert severities(found.results) == [WARNING, ERROR]


def test_other_objects_of_the_name_are_not_looked_at() -> None:
    results = said({**secret({}), "apiVersion": "example.com/v1"}, secret({}, name=f"{SECRET_NAME}-2"))
    assert severities(results) == [INFO]
