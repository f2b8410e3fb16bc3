"""The six sources of a token: what each reads, and what it says when there is nothing to read."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.config.tree.token import REGISTRATION_TOKEN
from krm_fn.krm.items import Item
from krm_fn.krm.results import Errors, ResourceRef
from krm_fn.kube.secrets import Secret
from krm_fn.model import AgentVersion, Config, Token, TokenSource
from krm_fn.tokens import sources
from krm_fn.tokens.offers import Offers
from krm_fn.tokens.sources import EnvSource, ExistingSource, ExternalSource, FileSource, SecretSource, ValueSource

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
FOUND = Token(secret=Secret(TOKEN), bootstrap=True)
STORE = ExternalSource(
    store_name="vault", store_kind="SecretStore", remote_ref={"key": "clusternet"}, refresh_interval="1h"
)
REF = SecretSource(name="clusternet-registration")

Make = Callable[..., Config]
Items = Callable[..., list[Item]]


def secret(name: str = "clusternet-registration", namespace: str = "", **fields: Any) -> dict[str, Any]:
    """Return a Secret; without fields it holds the token in plain text."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        **(fields or {"stringData": {"regToken": TOKEN}}),
    }


def packed(value: bytes | str) -> str:
    return base64.b64encode(value if isinstance(value, bytes) else value.encode()).decode()


ALLOWED = {"CLUSTERNET_PARENT_URLS": "*"}


def resolve(config: Config, items: list[Item], environment: dict[str, str] | None = None) -> Token:
    offers = Offers({**ALLOWED, **(environment or {})})
    return sources.resolve(config, items, offers)


def the_error(config: Config, items: list[Item]) -> Any:
    with pytest.raises(Errors) as caught:
        sources.resolve(config, items, Offers(ALLOWED))
    (result,) = caught.value.results
    return result


# --- where the token is in hand or outside ---------------------------------------------------------------------------


def test_a_value_is_taken_as_it_stands(make_config: Make) -> None:
    assert resolve(make_config(source=ValueSource(value=Secret(TOKEN))), []) == FOUND


def test_a_variable_is_read_from_the_environment(make_config: Make) -> None:
    assert resolve(make_config(source=EnvSource(variable="CLUSTERNET_T")), [], {"CLUSTERNET_T": TOKEN}) == FOUND


def test_a_file_is_read_from_the_offered_folder(make_config: Make, tmp_path: Any) -> None:
    (tmp_path / "t").write_text(TOKEN + "\n")
    assert resolve(make_config(source=FileSource(path="t")), [], {"CLUSTERNET_TOKEN_DIR": str(tmp_path)}) == FOUND


@pytest.mark.parametrize("source", [ExistingSource(name="registration"), STORE], ids=["existingSecret", "external"])
def test_a_token_that_lies_outside_is_left_there(make_config: Make, source: TokenSource) -> None:
    assert resolve(make_config(source=source), []) == Token()


@pytest.mark.parametrize(
    ("source", "field"),
    [
        (ValueSource(value=Secret("wrong")), "spec.registrationToken.value"),
        (EnvSource(variable="CLUSTERNET_T"), "spec.registrationToken.env"),
        (EnvSource(variable="HOME"), "spec.registrationToken.env"),
        (FileSource(path="t"), "spec.registrationToken.file"),
    ],
    ids=["value", "env", "env not offered", "file"],
)
def test_an_error_points_at_the_source_in_the_configuration(make_config: Make, source: TokenSource, field: str) -> None:
    result = the_error(make_config(source=source), [])
    assert result.field == field
    assert result.file_path == "fleet.yaml"
    assert result.resource_ref == ResourceRef(
        api_version="fn.clusternet.io/v1alpha1", kind="ClusternetCAPIConfig", name="fleet"
    )


def test_the_format_is_checked_against_the_agent(make_config: Make) -> None:
    config = make_config(
        source=ValueSource(value=Secret(f"{packed('{}')[:2]}A.{packed('{}').rstrip('=')}.c2ln")),
        version=AgentVersion(major=0, minor=15, patch=0),
    )
    assert "refuses" in the_error(config, []).message


# --- secretRef -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"stringData": {"regToken": TOKEN}}, id="stringData"),
        pytest.param({"stringData": {"regToken": TOKEN + "\n"}}, id="stringData with a line break"),
        pytest.param({"data": {"regToken": packed(TOKEN)}}, id="data"),
        pytest.param({"data": {"regToken": packed(TOKEN + "\n")}}, id="data with a line break"),
        pytest.param({"data": {"regToken": packed(TOKEN)[:10] + "\n" + packed(TOKEN)[10:]}}, id="data in two lines"),
        pytest.param(
            {"data": {"regToken": packed("older")}, "stringData": {"regToken": TOKEN}}, id="stringData wins over data"
        ),
        pytest.param({"data": None, "stringData": {"regToken": TOKEN}}, id="data null"),
        pytest.param({"data": ["regToken"], "stringData": {"regToken": TOKEN}}, id="data a list"),
    ],
)
def test_a_secret_among_the_items_is_read(make_config: Make, make_items: Items, fields: dict[str, Any]) -> None:
    assert resolve(make_config(source=REF), make_items({"kind": "Pod"}, secret(**fields))) == FOUND


def test_another_key_is_read_when_it_is_named(make_config: Make, make_items: Items) -> None:
    config = make_config(source=SecretSource(name="s", key="token"))
    assert resolve(config, make_items(secret("s", stringData={"token": TOKEN, "regToken": "x"}))) == FOUND


def test_without_a_namespace_the_only_one_of_that_name_is_meant(make_config: Make, make_items: Items) -> None:
    items = make_items(secret(namespace="team-a"), secret("another", "team-b"))
    assert resolve(make_config(source=REF), items) == FOUND


def test_with_a_namespace_that_one_is_meant(make_config: Make, make_items: Items) -> None:
    config = make_config(source=SecretSource(name="clusternet-registration", namespace="b"))
    items = make_items(secret(namespace="a", stringData={"regToken": "no"}), secret(namespace="b"))
    assert resolve(config, items) == FOUND


def test_several_of_that_name_are_listed_whatever_their_order(make_config: Make, make_items: Items) -> None:
    objects = [secret(namespace="b"), secret(namespace="a")]
    found = the_error(make_config(source=REF), make_items(*objects))
    assert found.message == "2 Secrets are called clusternet-registration: set secretRef.namespace to a or b"
    assert [(one.label, one.item) for one in found.related] == [
        ("a/clusternet-registration", 1),
        ("b/clusternet-registration", 0),
    ]
    assert found.fix == "namespace: a"


def test_a_secret_without_a_namespace_is_no_candidate_to_name(make_config: Make, make_items: Items) -> None:
    objects = [secret(namespace="b"), secret(namespace="")]
    found = the_error(make_config(source=REF), make_items(*objects))
    assert found.message == "2 Secrets are called clusternet-registration: set secretRef.namespace to b"
    assert found.fix == "namespace: b"
    assert len(found.related) == 2


def test_many_of_that_name_are_counted(make_config: Make, make_items: Items) -> None:
    found = the_error(make_config(source=REF), make_items(*(secret(namespace=f"n{n}") for n in range(8))))
    assert "8 Secrets" in found.message
    assert len(found.related) == 5


@pytest.mark.parametrize("namespace", ["", "a"])
def test_the_same_secret_twice_is_to_be_removed_once(make_config: Make, make_items: Items, namespace: str) -> None:
    config = make_config(source=SecretSource(name="clusternet-registration", namespace=namespace))
    said = the_error(config, make_items(secret(namespace="a"), secret(namespace="a"))).message
    assert said.endswith("remove all but one")


@pytest.mark.parametrize(
    ("others", "near"),
    [
        pytest.param([secret("clusternet-registratoin")], "did you mean clusternet-registratoin?", id="a slip"),
        pytest.param(
            [secret("prod-clusternet-registration")], "did you mean prod-clusternet-registration?", id="a prefix"
        ),
        pytest.param(
            [secret("clusternet-registration-5bg9hf8m2t", "x")],
            "did you mean x/clusternet-registration-5bg9hf8m2t?",
            id="a hash",
        ),
        pytest.param([secret("database")], "and none has a similar name", id="nothing near"),
        pytest.param([], "and none has a similar name", id="no Secret at all"),
        pytest.param([secret(f"clusternet-{TOKEN}")], "and none has a similar name", id="a token as a name"),
    ],
)
def test_a_missing_secret_is_reported_with_near_names(
    make_config: Make, make_items: Items, others: list[dict[str, Any]], near: str
) -> None:
    result = the_error(make_config(source=REF), make_items({"kind": "Pod"}, *others))
    assert result.message.startswith("Secret clusternet-registration is not among the resources")
    assert near in result.message
    assert TOKEN not in result.message


def test_the_same_name_in_another_namespace_is_named(make_config: Make, make_items: Items) -> None:
    config = make_config(source=SecretSource(name="clusternet-registration", namespace="a"))
    said = the_error(config, make_items(secret(namespace="b"))).message
    assert (
        "Secret a/clusternet-registration is not among the resources: did you mean b/clusternet-registration?" in said
    )


@pytest.mark.parametrize(
    ("api_version", "kind", "remedy"),
    [
        ("bitnami.com/v1alpha1", "SealedSecret", "use existingSecret instead"),
        ("external-secrets.io/v1", "ExternalSecret", "use externalSecret or existingSecret instead"),
    ],
)
def test_a_secret_that_exists_in_the_cluster_only_is_explained(
    make_config: Make, make_items: Items, api_version: str, kind: str, remedy: str
) -> None:
    items = make_items({**secret(spec={}), "apiVersion": api_version, "kind": kind})
    found = the_error(make_config(source=REF), items)
    assert [(one.label, one.item) for one in found.related] == [(f"the {kind}", 0)]
    assert remedy in found.message


def test_a_secret_of_another_group_is_none(make_config: Make, make_items: Items) -> None:
    items = make_items({**secret(), "apiVersion": "example.com/v1"})
    assert "is not among the resources" in the_error(make_config(source=REF), items).message


@pytest.mark.parametrize(
    ("fields", "reason", "field"),
    [
        pytest.param(
            {"stringData": {"b": "x", "a": "y"}, "data": {"c": "eA=="}},
            "has no key regToken: it has a, b, c; name the one to read with secretRef.key",
            "spec.registrationToken.secretRef.key",
            id="key missing",
        ),
        pytest.param(
            {"stringdata": {"regToken": TOKEN}}, "stringdata is not a known field: did you mean stringData?", "stringdata",
            id="stringData misspelt",
        ),
        pytest.param({"type": "Opaque"}, "has no key regToken: add it below stringData", "spec.registrationToken.secretRef.key", id="no keys"),
        pytest.param(
            {"stringData": {TOKEN: "x"}},
            "has no key regToken: add it below stringData",
            "spec.registrationToken.secretRef.key",
            id="a token as a key",
        ),
        pytest.param(
            {"stringData": {"regToken": 1e20}}, "is not a string: put the value in double quotes", "stringData.regToken",
            id="a number",
        ),
        pytest.param({"stringData": {"regToken": None}}, "is empty: give the token", "stringData.regToken", id="null"),
        pytest.param({"data": {"regToken": True}}, "is not a string", "data.regToken", id="a bool under data"),
        pytest.param({"data": {"regToken": TOKEN}}, "is not base64: encode the token", "data.regToken", id="plain in data"),
        pytest.param({"data": {"regToken": packed(b"\xff\xfe")}}, "is not text once decoded", "data.regToken", id="bytes"),
        pytest.param({"data": {"regToken": ""}}, "is empty", "data.regToken", id="empty"),
        pytest.param(
            {"data": {"regToken": "ENC[AES256_GCM,data:a=,iv:b=,tag:c=,type:str]"}, "sops": {"version": "3.9.0"}},
            "is still encrypted by SOPS",
            "data.regToken",
            id="encrypted data",
        ),
        pytest.param(
            {"stringData": {"regToken": "ENC[AES256_GCM,data:a=,iv:b=,tag:c=,type:str]"}},
            "is still encrypted by SOPS",
            "stringData.regToken",
            id="encrypted stringData",
        ),
        pytest.param({"stringData": {"regToken": "<CHANGEME>"}}, "placeholder", "stringData.regToken", id="placeholder"),
    ],
)  # fmt: skip
def test_a_secret_without_a_usable_value_is_reported_where_it_stands(
    make_config: Make, make_items: Items, fields: dict[str, Any], reason: str, field: str
) -> None:
    result = the_error(make_config(source=REF), make_items(secret(namespace="team-a", **fields)))
    assert reason in result.message
    assert result.field == field
    assert TOKEN not in str(result.as_data())


def test_a_number_that_yaml_makes_of_an_unquoted_token_is_named(make_config: Make, make_items: Items) -> None:
    text = (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: clusternet-registration}\n"
        "stringData:\n  regToken: 123456.7890123456789012\n"
    )
    result = the_error(make_config(source=REF), make_items(text))
    assert "put the value in double quotes" in result.message
    assert "7890123456" not in str(result.as_data())


def test_an_error_in_a_secret_names_that_secret_and_its_file(make_config: Make, make_items: Items) -> None:
    one = secret(stringData={"regToken": "wrong"}, namespace="team-a")
    one["metadata"]["annotations"] = {"config.kubernetes.io/path": "s.yaml", "config.kubernetes.io/index": "1"}
    result = the_error(make_config(source=REF), make_items(one))
    assert (result.file_path, result.file_index) == ("s.yaml", 1)
    assert result.resource_ref == ResourceRef(
        api_version="v1", kind="Secret", name="clusternet-registration", namespace="team-a"
    )


def test_a_generator_is_reported_that_it_sees_no_items(make_config: Make, make_items: Items) -> None:
    result = the_error(make_config(source=REF), make_items())
    assert "a generator sees no resources" in result.message
    assert "`transformers:`" in result.message


@pytest.mark.parametrize(
    "source", [ValueSource(value=Secret(TOKEN)), ExistingSource(name="r")], ids=["value", "existing"]
)
def test_a_generator_may_use_the_other_sources(make_config: Make, source: TokenSource) -> None:
    sources.resolve(make_config(source=source), [], Offers({}))


# --- what else is asked ----------------------------------------------------------------------------------------------


def test_the_secret_that_is_read_can_be_found_again(make_config: Make, make_items: Items) -> None:
    items = make_items({"kind": "Pod"}, secret())
    found = sources.secret_item(make_config(source=REF), items)
    assert found is not None
    assert found.position == 1


@pytest.mark.parametrize("count", [0, 2])
def test_a_secret_that_is_not_unique_is_not_found(make_config: Make, make_items: Items, count: int) -> None:
    assert sources.secret_item(make_config(source=REF), make_items(*[secret()] * count)) is None


def test_another_source_has_no_secret_item(make_config: Make, make_items: Items) -> None:
    assert sources.secret_item(make_config(source=ValueSource(value=Secret(TOKEN))), make_items(secret())) is None


@pytest.mark.parametrize(
    ("source", "warns"),
    [
        pytest.param(ValueSource(value=Secret(TOKEN)), True, id="value"),
        pytest.param(REF, True, id="secretRef"),
        pytest.param(EnvSource(variable="CLUSTERNET_T"), True, id="env"),
        pytest.param(FileSource(path="t"), True, id="file"),
        pytest.param(ExistingSource(name="r"), False, id="existingSecret"),
        pytest.param(STORE, False, id="externalSecret"),
    ],
)
def test_inline_sources_warn_where_the_output_goes_into_git(
    make_config: Make,
    source: TokenSource,
    warns: bool,  # noqa: FBT001 - a table
) -> None:
    result = sources.git_warning(make_config(source=source))
    assert (result is not None) is warns
    if result is not None:
        assert result.severity == "warning"
        assert "Secret clusternet-cluster-api-registration" in result.message


def test_every_field_of_the_configuration_that_is_a_source_has_a_record_and_an_entry() -> None:
    assert list(REGISTRATION_TOKEN.names) == [*sources.KINDS, "onExpired"]
