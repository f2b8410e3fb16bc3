"""When a token expires, and whether the parent will take it: warnings about time and about bootstrap Secrets.

An expired token hurts new registrations only, so it must not stop every render overnight: it is a warning, or an error
where the configuration says `onExpired: Fail`. The time is given, never read here, and changes no item.
"""

from __future__ import annotations

import re

from krm_fn.base import Record, late
from krm_fn.krm.results import ERROR, WARNING, Related, Result, tagged
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.tokens import BOOTSTRAP_NAME, formats
from krm_fn.tokens.sources import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Token

NEAR = 30 * 24 * 3600
LONG_AGO = -(2**62)  # before every time that can be written: an expiration that no server can read
GROUP = "system:bootstrappers:clusternet:register-cluster-token"

_TYPE = "bootstrap.kubernetes.io/token"
_NAMESPACE = "kube-system"
# Printed in the public guide of Clusternet and, as an example, in Kubernetes' own documentation
_PUBLIC = frozenset({"07401b.f395accd246ae52d", "abcdef.0123456789abcdef"})
_RFC3339 = late(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))\Z", re.ASCII)


class BootstrapSecret(Record):
    """A `bootstrap-token-*` Secret of the input."""

    item: Item
    value: Mapping[str, Any]

    def get(self, key: str) -> str:
        """Return the text under a key; empty where there is none."""
        return formats.trimmed(secrets.texts(self.value).get(key) or "")

    def holds(self, key: str) -> str:
        """Return the field that holds a key."""
        plain = self.value.get("stringData")
        return "stringData" if isinstance(plain, dict) and key in plain else "data"

    @property
    def token(self) -> Secret:
        """The token that it holds, as far as it can be read."""
        return Secret(f"{self.get('token-id')}.{self.get('token-secret')}")

    @property
    def expires(self) -> int | None:
        """Seconds since the epoch; None where it never expires, or is still encrypted. Unreadable counts as expired."""
        text = self.get("expiration")
        if not text or secrets.encrypted(text):
            return None
        found = _rfc3339(text)
        return LONG_AGO if found is None else found


def bootstrap_secrets(items: Sequence[Item]) -> tuple[BootstrapSecret, ...]:
    """Return the `bootstrap-token-*` Secrets of the input."""
    return tuple(
        BootstrapSecret(item=item, value=item.value())
        for item in items
        if item.kind == "Secret"
        and item.contains(BOOTSTRAP_NAME.encode())
        and item.group == ""
        and item.name.startswith(BOOTSTRAP_NAME)
    )


def review(
    config: Config, token: Token, bootstrap: Sequence[BootstrapSecret], *, now: int | None
) -> tuple[Result, ...]:
    """Judge one configuration's token, whose own bootstrap Secret may be in the input; one that is kept outside is not judged.

    Without `now`, time is left out. The results are warnings, or errors with `onExpired: Fail`.
    """
    if token.secret is None:
        return ()
    severity = ERROR if config.token.on_expired == "Fail" else WARNING
    where = place(config)
    if token.secret.reveal() in _PUBLIC:
        message = (
            "the registration token is one that is printed in public guides: everyone knows it, and the one of "
            "Clusternet's guide expired on 2025-05-10; make your own on the parent cluster"
        )
        return (Result(message=message, severity=severity, tags=tagged(rule="token-public"), **where),)
    own = [one for one in bootstrap if token.form == formats.BOOTSTRAP and one.get("token-id") == _halves(token)[0]]
    found: list[Result] = []
    if any(not _same_secret(one, token) for one in own):
        message = (
            "the registration token differs from the bootstrap token of the same id among the resources: "
            "the parent will take only one of them"
        )
        found.append(
            Result(message=message, severity=WARNING, related=_places(own), tags=tagged(rule="token-mismatch"), **where)
        )
    times = [one.expires for one in own if one.expires is not None]
    expires = min(times) if times else token.expires
    if expires is not None and (expires == LONG_AGO or (now is not None and expires < now + NEAR)):
        expired = expires == LONG_AGO or (now is not None and expires <= now)
        found.append(
            Result(
                message=f"the registration token {_state(expires, expired=expired)}: no new cluster registers with it "
                f"{'any more' if expired else 'from then on'}; rotate it",
                severity=severity if expired else WARNING,
                related=_places([one for one in own if one.expires == expires], "expiration"),
                tags=tagged(rule="token-expired" if expired else "token-expires"),
                **where,
            )
        )
    return tuple(found)


def _places(own: Sequence[BootstrapSecret], key: str = "") -> tuple[Related, ...]:
    return tuple(
        Related.at(one.item.name, one.item.place(f"{one.holds(key)}.{key}" if key else "metadata.name"))
        for one in own[:1]
    )


def _state(expires: int, *, expired: bool) -> str:
    if expires == LONG_AGO:
        return "counts as expired, since its bootstrap Secret has an expiration that is no time in RFC 3339"
    return f"expired on {_day(expires)}" if expired else f"expires on {_day(expires)}"


def review_bootstrap_secrets(bootstrap: Sequence[BootstrapSecret]) -> tuple[Result, ...]:
    """Warn of bootstrap Secrets in the input with which no cluster can register.

    Facts: `k8s.io/cluster-bootstrap`: namespace kube-system, type, name after the id, usage and groups. Asked once per
    run, whatever the configurations say.
    """
    found = []
    for one in bootstrap:
        reasons = _reasons(one)
        if reasons:
            item = one.item
            found.append(
                Result(
                    message=(
                        f"no cluster can register with the bootstrap token {item.name}: "
                        f"{'; '.join(reason for _, reason in reasons)}"
                    ),
                    severity=WARNING,
                    tags=tagged(rule="bootstrap-token"),
                    **item.place(reasons[0][0]),
                )
            )
    return tuple(sorted(found, key=lambda result: (result.message, result.file_path, result.file_index or 0)))


def _reasons(secret: BootstrapSecret) -> list[tuple[str, str]]:
    """Return why the parent would not take a bootstrap token for a registration, each with the field to correct."""
    reasons = []
    if secret.value.get("type") != _TYPE:
        reasons.append(("type", f"its type must be {_TYPE}"))
    if secret.item.namespace != _NAMESPACE:
        reasons.append(("metadata.namespace", f"it must be in namespace {_NAMESPACE}"))
    token_id = secret.get("token-id")
    if not secrets.encrypted(token_id) and secret.item.name != BOOTSTRAP_NAME + token_id:
        reasons.append(("metadata.name", f"its name must be {BOOTSTRAP_NAME} and then its token-id"))
    usage, groups = secret.get("usage-bootstrap-authentication"), secret.get("auth-extra-groups")
    if not secrets.encrypted(usage) and usage != "true":
        key = "usage-bootstrap-authentication"
        reasons.append((f"{secret.holds(key)}.{key}", f'it needs {key}: "true"'))
    if not secrets.encrypted(groups) and GROUP not in groups.split(","):
        key = "auth-extra-groups"
        reasons.append((f"{secret.holds(key)}.{key}", f"its {key} must hold {GROUP}"))
    if secret.expires == LONG_AGO:
        field = f"{secret.holds('expiration')}.expiration"
        reasons.append((field, "its expiration is no time in RFC 3339, which counts as expired"))
    return reasons


def _same_secret(secret: BootstrapSecret, token: Token) -> bool:
    """Return whether the secret halves agree; one that is absent or encrypted says nothing against it."""
    half = secret.get("token-secret")
    return not half or secrets.encrypted(half) or half == _halves(token)[1]


def _halves(token: Token) -> tuple[str, str]:
    value = token.secret.reveal() if token.secret else ""
    head, _, tail = value.partition(".")
    return head, tail


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
