"""How long tokens live, and bootstrap Secrets that the parent would not take."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.krm.results import Result
from krm_fn.kube.secrets import Secret
from krm_fn.model import Config, Token
from krm_fn.tokens import expiry
from krm_fn.tokens.sources import ValueSource

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
NOW = 1_700_000_000  # 2023-11-14T22:13:20Z
DAY = 86_400
BOOT = Token(secret=Secret(TOKEN), bootstrap=True)

Make = Callable[..., Config]
Items = Callable[..., list[Item]]


def boot_secret(changes: dict[str, Any] | None = None, **metadata: str) -> dict[str, Any]:
    """Return the bootstrap Secret of the token, as it must be; a change to None drops the key."""
    values = {
        "token-id": "q2w3e4",
        "token-secret": "r5t6y7u8i9o0p1a2",
        "usage-bootstrap-authentication": "true",
        "auth-extra-groups": "system:bootstrappers:clusternet:register-cluster-token",
        **(changes or {}),
    }
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "bootstrap-token-q2w3e4", "namespace": "kube-system", **metadata},
        "type": "bootstrap.kubernetes.io/token",
        "stringData": {key: value for key, value in values.items() if value is not None},
    }


def review(config: Config, token: Token, items: list[Item], now: int | None = NOW) -> tuple[Result, ...]:
    return expiry.review(config, token, expiry.bootstrap_secrets(items), now=now)


def judged(items: list[Item]) -> tuple[Result, ...]:
    return expiry.review_bootstrap_secrets(expiry.bootstrap_secrets(items))


@pytest.fixture
def config(make_config: Make) -> Config:
    return make_config(source=ValueSource(value=Secret(TOKEN)))


@pytest.fixture
def strict(make_config: Make) -> Config:
    return make_config(source=ValueSource(value=Secret(TOKEN), on_expired="Fail"))


@pytest.mark.parametrize(
    ("expires", "said"),
    [
        pytest.param(NOW - 1, "expired on 2023-11-14", id="past by a second"),
        pytest.param(NOW, "expired on 2023-11-14", id="now"),
        pytest.param(0, "expired on 1970-01-01", id="the epoch"),
        pytest.param(NOW + 1, "expires on 2023-11-14", id="in a second"),
        pytest.param(NOW + 30 * DAY - 1, "expires on 2023-12-14", id="just within 30 days"),
    ],
)
def test_a_token_that_is_past_or_near_its_end_gets_a_warning(config: Config, expires: int, said: str) -> None:
    (result,) = review(config, Token(secret=Secret("x"), expires=expires), [])
    assert said in result.message
    assert result.severity == "warning"
    assert result.field == "spec.registrationToken.value"


@pytest.mark.parametrize("expires", [NOW + 30 * DAY, None, 2**53 - 1], ids=["30 days", "unknown", "far"])
def test_a_token_with_time_to_live_gets_nothing(config: Config, expires: int | None) -> None:
    assert review(config, Token(secret=Secret("x"), expires=expires), []) == ()


def test_without_a_time_nothing_is_said_about_time(config: Config) -> None:
    assert review(config, Token(secret=Secret("x"), expires=5), [], None) == ()


@pytest.mark.parametrize(("expires", "severity"), [(NOW - 1, "error"), (NOW + 1, "warning")], ids=["past", "near"])
def test_an_expired_token_is_an_error_where_the_configuration_says_so(
    strict: Config, expires: int, severity: str
) -> None:
    (result,) = review(strict, Token(secret=Secret("x"), expires=expires), [])
    assert result.severity == severity


def test_a_token_that_lies_outside_is_not_judged(config: Config, make_items: Items) -> None:
    items = make_items(boot_secret({"expiration": "2001-01-01T00:00:00Z"}))
    assert review(config, Token(), items) == ()


@pytest.mark.parametrize("now", [None, NOW, 0], ids=["no time", "a time", "before it expired"])
@pytest.mark.parametrize("value", ["07401b.f395accd246ae52d", "abcdef.0123456789abcdef"])
def test_a_token_from_public_guides_gets_a_warning_at_any_time(config: Config, value: str, now: int | None) -> None:
    (result,) = review(config, Token(secret=Secret(value), bootstrap=True), [], now)
    assert "everyone knows it" in result.message
    assert result.severity == "warning"
    assert value not in result.message


def test_a_token_from_public_guides_is_an_error_where_expiry_is(strict: Config) -> None:
    (result,) = review(strict, Token(secret=Secret("07401b.f395accd246ae52d"), bootstrap=True), [])
    assert result.severity == "error"


# --- the bootstrap Secret in the input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expiration", "expires"),
    [
        pytest.param("2023-11-14T22:13:20Z", NOW, id="UTC"),
        pytest.param("2023-11-14t22:13:20.999z", NOW, id="a fraction and small letters"),
        pytest.param("2023-11-14T23:13:20+01:00", NOW, id="east"),
        pytest.param("2023-11-14T20:43:20-01:30", NOW, id="west"),
        pytest.param("2023-11-14T22:13:20Z\n", NOW, id="a line break"),
        pytest.param("2023-11-14 22:13:20", expiry.LONG_AGO, id="no T"),
        pytest.param("2023-11-14T22:13:20", expiry.LONG_AGO, id="no zone"),
        pytest.param("2023-02-30T00:00:00Z", expiry.LONG_AGO, id="no such day"),
        pytest.param("2023-11-14T25:00:00Z", expiry.LONG_AGO, id="no such hour"),
        pytest.param("ENC[AES256_GCM,data:a=]", None, id="encrypted"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="absent"),
    ],
)
def test_the_expiration_of_its_bootstrap_secret_counts(
    make_items: Items, expiration: str | None, expires: int | None
) -> None:
    (found,) = expiry.bootstrap_secrets(make_items(boot_secret({"expiration": expiration})))
    assert found.expires == expires


@pytest.mark.parametrize("now", [None, NOW], ids=["no time", "a time"])
def test_an_expiration_that_can_not_be_read_counts_as_expired(
    make_items: Items, config: Config, strict: Config, now: int | None
) -> None:
    items = make_items(boot_secret({"expiration": "next year"}))
    (warning,), (error,) = review(config, BOOT, items, now), review(strict, BOOT, items, now)
    assert (warning.severity, error.severity) == ("warning", "error")
    assert "counts as expired, since its bootstrap Secret has an expiration that is not a time" in error.message


def test_an_expiration_under_data_counts(make_items: Items, config: Config) -> None:
    one = boot_secret()
    values = {**one.pop("stringData"), "expiration": "2023-11-20T00:00:00Z"}
    one["data"] = {key: base64.b64encode(value.encode()).decode() for key, value in values.items()}
    (result,) = review(config, BOOT, make_items({"kind": "Pod"}, one))
    assert "expires on 2023-11-20" in result.message


def test_the_earliest_of_two_counts(make_items: Items, config: Config) -> None:
    items = make_items(
        boot_secret({"expiration": "2030-01-01T00:00:00Z"}), boot_secret({"expiration": "2023-11-14T22:13:20Z"})
    )
    (result,) = review(config, BOOT, items)
    assert "expired on 2023-11-14" in result.message


def test_another_tokens_expiration_does_not_count(make_items: Items, config: Config) -> None:
    items = make_items(boot_secret({"token-id": "zzzzzz", "expiration": "2001-01-01T00:00:00Z"}))
    assert review(config, BOOT, items) == ()


def test_a_jwt_has_no_bootstrap_secret(make_items: Items, config: Config) -> None:
    token = Token(secret=Secret("q2w3e4.a.b"), expires=7)
    (result,) = review(config, token, make_items(boot_secret({"expiration": "2030-01-01T00:00:00Z"})))
    assert "expired on 1970-01-01" in result.message


def test_another_secret_half_under_the_same_id_gets_a_warning(make_items: Items, config: Config) -> None:
    (result,) = review(config, BOOT, make_items(boot_secret({"token-secret": "aaaaaaaaaaaaaaaa"})))
    assert "differs from the bootstrap token with the same id" in result.message
    assert "aaaaaaaa" not in result.message


@pytest.mark.parametrize("half", [None, "ENC[AES256_GCM,data:a=]"], ids=["absent", "encrypted"])
def test_a_secret_half_that_can_not_be_compared_is_let_be(make_items: Items, config: Config, half: str | None) -> None:
    assert review(config, BOOT, make_items(boot_secret({"token-secret": half}))) == ()


def test_a_good_bootstrap_secret_gets_nothing(make_items: Items) -> None:
    items = make_items({"kind": "Pod"}, boot_secret({"expiration": "2030-01-01T00:00:00Z"}))
    assert judged(items) == ()


def test_more_groups_than_ours_are_fine(make_items: Items) -> None:
    groups = f"system:bootstrappers:x,{expiry.GROUP}"
    assert judged(make_items(boot_secret({"auth-extra-groups": groups}))) == ()


def test_an_encrypted_bootstrap_secret_is_not_judged_by_its_values(make_items: Items) -> None:
    hidden = dict.fromkeys(boot_secret()["stringData"], "ENC[AES256_GCM,data:a=]")
    assert judged(make_items(boot_secret({**hidden, "expiration": "ENC[AES256_GCM,x"}))) == ()


@pytest.mark.parametrize(
    ("secret", "reason"),
    [
        pytest.param(boot_secret({"auth-extra-groups": None}), "auth-extra-groups must hold", id="no groups"),
        pytest.param(boot_secret({"auth-extra-groups": "system:x"}), "auth-extra-groups must hold", id="other groups"),
        pytest.param(
            boot_secret({"usage-bootstrap-authentication": None}), "usage-bootstrap-authentication", id="no usage"
        ),
        pytest.param(
            boot_secret({"usage-bootstrap-authentication": "false"}), "usage-bootstrap-authentication", id="usage off"
        ),
        pytest.param(
            boot_secret({"usage-bootstrap-authentication": True}), "usage-bootstrap-authentication", id="usage a bool"
        ),
        pytest.param(boot_secret(namespace="default"), "must be in namespace kube-system", id="namespace"),
        pytest.param({**boot_secret(), "type": "Opaque"}, "its type must be", id="type"),
        pytest.param(boot_secret(name="bootstrap-token-other1"), "its name must be bootstrap-token-", id="name"),
        pytest.param(boot_secret({"expiration": "soon"}), "not a time in RFC 3339", id="expiration"),
        pytest.param(
            {**boot_secret(), "stringData": None, "data": {"token-id": "%"}}, "its name must be", id="data bad"
        ),
        pytest.param({**boot_secret(), "stringData": None, "data": 5}, "its name must be", id="data no map"),
    ],
)
def test_a_bootstrap_secret_that_the_parent_would_not_take_gets_a_warning(
    make_items: Items, secret: dict[str, Any], reason: str
) -> None:
    (result,) = judged(make_items(secret))
    assert reason in result.message
    assert result.severity == "warning"
    assert result.resource_ref is not None
    assert result.resource_ref.kind == "Secret"
    assert "r5t6y7u8i9o0p1a2" not in str(result.as_data())


def test_warnings_come_in_the_same_order_whatever_the_inputs(make_items: Items) -> None:
    one, two = boot_secret(name="bootstrap-token-a"), boot_secret(name="bootstrap-token-b")
    said = [result.message for result in judged(make_items(two, one))]
    assert said == [result.message for result in judged(make_items(one, two))]
    assert len(said) == 2
