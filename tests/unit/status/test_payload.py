import base64
import hashlib

import pytest

from krm_fn.kube.secrets import Secret
from krm_fn.status.objects import Payload
from krm_fn.status.reasons_delivery import broken
from tests.support import live


def config_map(**data: str) -> Payload:
    return Payload({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "d"}, "data": data})


def secret(*, kind: str = "addons.cluster.x-k8s.io/resource-set", **data: str) -> Payload:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    metadata = {"name": "s", "namespace": "d"}
    return Payload({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded})


def test_the_hash_is_sha256_over_the_values_in_the_order_of_their_keys() -> None:
    expected = f"sha256:{hashlib.sha256(b'firstsecond').hexdigest()}"
    assert config_map(b="second", a="first").digest == expected
    assert secret(b="second", a="first").digest == expected


def test_the_hash_of_an_empty_object_is_that_of_nothing() -> None:
    assert config_map().digest == f"sha256:{hashlib.sha256(b'').hexdigest()}"


def test_its_repr_names_it_and_shows_nothing_of_it() -> None:
    assert repr(secret(a=live.TOKEN)) == "Payload(Secret d/s)"


@pytest.mark.parametrize(
    ("payload", "wrong"),
    [
        pytest.param(secret(), False, id="resource-set"),
        pytest.param(secret(kind="Opaque"), True, id="opaque"),
        pytest.param(secret(kind=""), True, id="none"),
        pytest.param(config_map(), False, id="configmap"),
    ],
)
def test_only_secrets_have_a_wrong_type(payload: Payload, *, wrong: bool) -> None:
    assert payload.wrong_type is wrong


def test_values_of_31_bytes_are_too_short_and_of_32_are_not() -> None:
    assert config_map(a="x" * 31, b="x" * 32).too_short == ("a",)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n", id="one"),
        pytest.param("# c\n---\n---\nnull\n---\napiVersion: v1\nkind: Namespace\n", id="empty-documents"),
        pytest.param('[{"apiVersion": "v1", "kind": "Namespace"}]', id="json-list"),
    ],
)
def test_what_the_controller_reads_is_not_broken(content: str) -> None:
    assert not broken(config_map(a=content))


def test_an_object_without_values_is_not_called_broken() -> None:
    assert not broken(config_map())


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param({"stringData": {"regToken": "a.b"}}, "a.b", id="stringData"),
        pytest.param({"data": {"regToken": "YS5i"}}, "a.b", id="data"),
    ],
)
def test_the_token_is_found_under_either_field(data: dict[str, object], expected: str) -> None:
    head = "kind: Secret\napiVersion: v1\nmetadata: {name: clusternet-agent-cluster-registration}\n"
    payload = config_map(a="x: y\n", b=f"{head}{_field(data)}")
    assert payload.token == Secret(expected)


def _field(data: dict[str, object]) -> str:
    ((name, values),) = data.items()
    return f"{name}: {values}\n"


def test_the_secret_of_the_hubs_discovery_holds_it_bare() -> None:
    assert Payload(live.hub_secret()).token == Secret(live.TOKEN)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("metadata: {name: other}  # clusternet-agent-cluster-registration\n", id="another-object"),
        pytest.param("metadata: {name: clusternet-agent-cluster-registration}\n", id="no-token"),
        pytest.param("metadata: [clusternet-agent-cluster-registration\n", id="broken"),
    ],
)
def test_where_there_is_no_token_none_is_found(content: str) -> None:
    assert config_map(a=content).token is None


@pytest.mark.parametrize(
    ("text", "name", "prefix"),
    [
        pytest.param('- "--cluster-reg-name=web-1"\n', "web-1", "", id="name"),
        pytest.param("- --cluster-reg-name-prefix=team-a\n", "", "team-a", id="prefix"),
        pytest.param("- --cluster-sync-mode=Dual\n", "", "", id="neither"),
    ],
)
def test_name_and_prefix_come_from_the_flags(text: str, name: str, prefix: str) -> None:
    payload = config_map(a="kind: Role\n", b=text)
    assert (payload.registration_name, payload.name_prefix) == (name, prefix)
