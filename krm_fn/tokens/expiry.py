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
from krm_fn.tokens import BOOTSTRAP_NAME, PUBLIC, formats
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
_RFC3339 = late(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)\Z", re.ASCII)


class BootstrapSecret(Record):
    """A `bootstrap-token-*` Secret of the input."""

    item: Item
    value: Mapping[str, Any]

    def get(self, key: str) -> str:
        """Return the text under a key; empty where there is none."""
        return formats.trimmed(secrets.texts(self.value).get(key) or "")

    def field(self, key: str) -> str:
        """Return the path of a key."""
        plain = self.value.get("stringData")
        return f"stringData.{key}" if isinstance(plain, dict) and key in plain else f"data.{key}"

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
        if not _RFC3339.match(text):
            return LONG_AGO
        from krm_fn.kube.raw import parse_time  # noqa: PLC0415 - only a bootstrap Secret with an expiration needs it

        found = parse_time(text)
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
    if token.secret.reveal() in PUBLIC:
        message = (
            "the registration token is one that is printed in public guides: everyone knows it, and the one of "
            "Clusternet's guide expired on 2025-05-10; make your own on the parent cluster"
        )
        return (Result(message=message, severity=severity, tags=tagged(rule="token-public"), **where),)
    head, _, tail = token.secret.reveal().partition(".")
    own = [one for one in bootstrap if token.form == formats.BOOTSTRAP and one.get("token-id") == head]
    found: list[Result] = []
    halves = [one.get("token-secret") for one in own]
    if any(half and half != tail and not secrets.encrypted(half) for half in halves):
        message = (
            "the registration token differs from the bootstrap token of the same id among the resources: "
            "the parent will take only one of them"
        )
        related = (Related.at(own[0].item.name, own[0].item.place("metadata.name")),)
        found.append(
            Result(message=message, severity=WARNING, related=related, tags=tagged(rule="token-mismatch"), **where)
        )
    times = [one.expires for one in own if one.expires is not None]
    expires = min(times) if times else token.expires
    at = LONG_AGO if now is None else now
    if expires is not None and expires < at + NEAR:
        expired = expires <= at
        state = "counts as expired, since its bootstrap Secret has an expiration that is not a time in RFC 3339"
        if expires != LONG_AGO:
            state = f"{'expired' if expired else 'expires'} on {_day(expires)}"
        found.append(
            Result(
                message=f"the registration token {state}: no new cluster registers with it "
                f"{'any more' if expired else 'from then on'}; rotate it",
                severity=severity if expired else WARNING,
                related=tuple(
                    Related.at(one.item.name, one.item.place(one.field("expiration")))
                    for one in [one for one in own if one.expires == expires][:1]
                ),
                tags=tagged(rule="token-expired" if expired else "token-expires"),
                **where,
            )
        )
    return tuple(found)


def review_bootstrap_secrets(bootstrap: Sequence[BootstrapSecret]) -> tuple[Result, ...]:
    """Warn of bootstrap Secrets in the input with which no cluster can register.

    Facts: `k8s.io/cluster-bootstrap`: namespace kube-system, type, name after the id, usage and groups. Asked once per
    run, whatever the configurations say.
    """
    found = []
    for one in bootstrap:
        reasons = _reasons(one)
        if reasons:
            why = "; ".join(reason for _, reason in reasons)
            message = f"no cluster can register with the bootstrap token {one.item.name}: {why}"
            place = one.item.place(reasons[0][0])
            found.append(Result(message=message, severity=WARNING, tags=tagged(rule="bootstrap-token"), **place))
    return tuple(sorted(found, key=lambda result: (result.message, result.file_path, result.file_index or 0)))


def _reasons(secret: BootstrapSecret) -> list[tuple[str, str]]:
    """Return why the parent would not take a bootstrap token for a registration, each with the field to correct."""
    usage, groups = "usage-bootstrap-authentication", "auth-extra-groups"

    def wrong(key: str, right: bool) -> bool:  # noqa: FBT001 - what is encrypted can't be judged
        return not right and not secrets.encrypted(secret.get(key))

    found = [
        (secret.value.get("type") != _TYPE, "type", f"its type must be {_TYPE}"),
        (secret.item.namespace != _NAMESPACE, "metadata.namespace", f"it must be in namespace {_NAMESPACE}"),
        (
            wrong("token-id", secret.item.name == BOOTSTRAP_NAME + secret.get("token-id")),
            "metadata.name",
            f"its name must be {BOOTSTRAP_NAME} and then its token-id",
        ),
        (wrong(usage, secret.get(usage) == "true"), secret.field(usage), f'it needs {usage}: "true"'),
        (
            wrong(groups, GROUP in secret.get(groups).split(",")),
            secret.field(groups),
            f"its {groups} must hold {GROUP}",
        ),
        (
            secret.expires == LONG_AGO,
            secret.field("expiration"),
            "its expiration is not a time in RFC 3339, which counts as expired",
        ),
    ]
    return [(field, reason) for is_so, field, reason in found if is_so]


def _day(seconds: int) -> str:
    """Return the day of a time as YYYY-MM-DD in UTC."""
    import time  # noqa: PLC0415 - only a warning needs it

    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
