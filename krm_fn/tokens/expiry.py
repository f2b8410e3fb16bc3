"""How long a token lives, and whether the parent will take it: warnings about time and about bootstrap Secrets.

An expired token hurts new registrations only, so it must not stop every render overnight: it is a warning, or an error
where the configuration says `onExpired: Fail`. The time is given, never read here, and changes no item.
"""

from __future__ import annotations

import re

from krm_fn.base.patterns import late
from krm_fn.krm.results import ERROR, WARNING, Result, tagged
from krm_fn.kube import secrets
from krm_fn.tokens import formats
from krm_fn.tokens.sources import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Token

NEAR = 30 * 24 * 3600
GROUP = "system:bootstrappers:clusternet:register-cluster-token"

_TYPE = "bootstrap.kubernetes.io/token"
_NAME = "bootstrap-token-"
_NAMESPACE = "kube-system"
# Printed in the public guide of Clusternet and, as an example, in Kubernetes' own documentation
_PUBLIC = frozenset({"07401b.f395accd246ae52d", "abcdef.0123456789abcdef"})
_RFC3339 = late(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))\Z", re.ASCII)


def review(config: Config, token: Token, items: Sequence[Item], *, now: int | None) -> tuple[Result, ...]:
    """Judge one configuration's token.

    Args:
        config: The configuration, for `onExpired` and for the place to name.
        token: As `sources.resolve` returned it; one that lies outside is not judged.
        items: The input, in which the token's own `bootstrap-token-*` Secret may stand.
        now: Seconds since the epoch; None to leave time out.

    Returns:
        Warnings, or errors with `onExpired: Fail`.
    """
    if token.secret is None:
        return ()
    severity = ERROR if config.token.on_expired == "Fail" else WARNING
    where = place(config)
    if token.secret.reveal() in _PUBLIC:
        message = (
            "the registration token is one that is printed in public guides: it is known to everybody, and the one of "
            "Clusternet's guide expired on 2025-05-10; make your own on the parent cluster"
        )
        return (Result(message=message, severity=severity, tags=tagged(rule="token-public"), **where),)
    found: list[Result] = []
    if any(_is_ours(one, token) and not _same_secret(one, token) for one in _bootstrap_secrets(items)):
        message = (
            "the registration token differs from the bootstrap token of the same id among the resources: "
            "the parent will take only one of them"
        )
        found.append(Result(message=message, severity=WARNING, tags=tagged(rule="token-mismatch"), **where))
    expires = with_expiration(token, items).expires
    if expires is not None and now is not None and expires < now + NEAR:
        state = f"expired on {_day(expires)}" if expires <= now else f"expires on {_day(expires)}"
        message = f"the registration token {state}: no new cluster registers with it from then on; renew it"
        found.append(
            Result(
                message=message,
                severity=severity if expires <= now else WARNING,
                tags=tagged(rule="token-expired" if expires <= now else "token-expires"),
                **where,
            )
        )
    return tuple(found)


def with_expiration(token: Token, items: Sequence[Item]) -> Token:
    """Return the token with the `expiration` of its `bootstrap-token-*` Secret, when that is among the items."""
    if token.secret is None or token.form != formats.BOOTSTRAP:
        return token
    times = [_rfc3339(_get(one, "expiration")) for one in _bootstrap_secrets(items) if _is_ours(one, token)]
    known = [time for time in times if time is not None]
    return token.replace(expires=min(known)) if known else token


def bootstrap_secrets(items: Sequence[Item]) -> tuple[Result, ...]:
    """Warn of `bootstrap-token-*` Secrets in the input with which no cluster can register.

    Facts: `k8s.io/cluster-bootstrap`: namespace kube-system, type, name after the id, usage and groups. Asked once a
    run, whatever the configurations say.
    """
    found = []
    for item, secret in _pairs(items):
        faults = _faults(item, secret)
        if not faults:
            continue
        found.append(
            Result(
                message=f"no cluster can register with the bootstrap token {item.name}: {'; '.join(faults)}",
                severity=WARNING,
                resource_ref=item.ref(),
                file_path=item.file_path,
                file_index=item.file_index,
                tags=tagged(rule="bootstrap-token"),
            )
        )
    return tuple(sorted(found, key=lambda result: (result.message, result.file_path, result.file_index or 0)))


def _faults(item: Item, secret: Mapping[str, Any]) -> list[str]:
    """Say why the parent would not take a bootstrap token for a registration."""
    faults = []
    if secret.get("type") != _TYPE:
        faults.append(f"its type must be {_TYPE}")
    if item.namespace != _NAMESPACE:
        faults.append(f"it must be in namespace {_NAMESPACE}")
    token_id = _get(secret, "token-id")
    if not _hidden(token_id) and item.name != _NAME + token_id:
        faults.append(f"its name must be {_NAME} and then its token-id")
    usage, groups = _get(secret, "usage-bootstrap-authentication"), _get(secret, "auth-extra-groups")
    if not _hidden(usage) and usage != "true":
        faults.append('it needs usage-bootstrap-authentication: "true"')
    if not _hidden(groups) and GROUP not in groups.split(","):
        faults.append(f"its auth-extra-groups must hold {GROUP}")
    expiration = _get(secret, "expiration")
    if expiration and not _hidden(expiration) and _rfc3339(expiration) is None:
        faults.append("its expiration is no time in RFC 3339, which counts as expired")
    return faults


def _pairs(items: Sequence[Item]) -> list[tuple[Item, dict[str, Any]]]:
    return [
        (item, item.value())
        for item in items
        if item.kind == "Secret" and item.contains(_NAME.encode()) and item.group == "" and item.name.startswith(_NAME)
    ]


def _bootstrap_secrets(items: Sequence[Item]) -> list[dict[str, Any]]:
    return [secret for _, secret in _pairs(items)]


def _is_ours(secret: Mapping[str, Any], token: Token) -> bool:
    """Tell whether a bootstrap Secret has the id of a token."""
    return bool(token.secret and token.form == formats.BOOTSTRAP) and _get(secret, "token-id") == _halves(token)[0]


def _same_secret(secret: Mapping[str, Any], token: Token) -> bool:
    """Tell whether the secret halves agree; one that is absent or encrypted says nothing against it."""
    half = _get(secret, "token-secret")
    return not half or _hidden(half) or half == _halves(token)[1]


def _halves(token: Token) -> tuple[str, str]:
    value = token.secret.reveal() if token.secret else ""
    head, _, tail = value.partition(".")
    return head, tail


def _get(secret: Mapping[str, Any], key: str) -> str:
    """Return a Secret's text under a key, from `stringData` or `data`; empty where there is none."""
    plain, packed = secret.get("stringData"), secret.get("data")
    if isinstance(plain, dict) and isinstance(plain.get(key), str):
        return formats.trimmed(plain[key])
    value = packed.get(key) if isinstance(packed, dict) else None
    if not isinstance(value, str) or secrets.encrypted(value):
        return value if isinstance(value, str) else ""
    raw = secrets.decode(value)
    return formats.trimmed(raw.decode("utf-8", "replace")) if raw is not None else ""


def _hidden(value: str) -> bool:
    return secrets.encrypted(value)


def _rfc3339(text: str) -> int | None:
    """Return seconds since the epoch; None when the text is no time in RFC 3339."""
    match = _RFC3339.match(text)
    if match is None:
        return None
    import datetime as dt  # noqa: PLC0415 - only a bootstrap Secret with an expiration needs it

    *numbers, sign, hours, minutes = match.groups()
    shift = (int(hours) * 3600 + int(minutes) * 60) * (-1 if sign == "+" else 1) if sign else 0
    try:
        moment = dt.datetime(*map(int, numbers), tzinfo=dt.timezone.utc)  # type: ignore[misc, arg-type]
    except ValueError:
        return None
    return int(moment.timestamp()) + shift


def _day(seconds: int) -> str:
    """Return a day as YYYY-MM-DD in UTC; far ones, which `time` can't count, as years to come."""
    import time  # noqa: PLC0415 - only a warning needs it

    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
