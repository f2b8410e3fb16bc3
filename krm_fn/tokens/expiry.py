"""When a token expires, and whether the parent will take it: warnings about time and about bootstrap Secrets.

An expired token hurts new registrations only, so it must not stop every render overnight: it is a warning, or an error
where the configuration says `onExpired: Fail`. The time is given, never read here, and changes no item.
"""

from __future__ import annotations

import re

from krm_fn.base import Record, late
from krm_fn.krm.results import ERROR, WARNING, Related, Result, about
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.tokens import BOOTSTRAP_NAME, FIELD, PUBLIC, trimmed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
    texts: Mapping[str, str]  # its values

    def get(self, key: str) -> str:
        """Return the text under a key; empty where there is none."""
        return self.texts.get(key, "")

    def field(self, key: str) -> str:
        """Return the path of a key."""
        return f"{secrets.part_with(self.item.value(), key)}.{key}"

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
        from krm_fn.kube.raw import parse_time  # noqa: PLC0415 - only a bootstrap Secret with an expiration needs it

        found = parse_time(text) if _RFC3339.match(text) else None
        return LONG_AGO if found is None else found


def bootstrap_secrets(items: Sequence[Item]) -> tuple[BootstrapSecret, ...]:
    """Return the `bootstrap-token-*` Secrets of the input."""
    found = [item for item in items if item.kind == "Secret" and item.contains(BOOTSTRAP_NAME.encode())]
    return tuple(
        BootstrapSecret(
            item=item, texts={key: trimmed(text or "") for key, text in secrets.texts(item.value()).items()}
        )
        for item in found
        if item.group == "" and item.name.startswith(BOOTSTRAP_NAME)
    )


def review(
    config: Config, token: Token, bootstrap: Sequence[BootstrapSecret], *, now: int | None
) -> tuple[Result, ...]:
    """Judge one configuration's token, whose own bootstrap Secret may be in the input; one that is kept outside is not judged.

    Without `now`, time is left out. The results are warnings, or errors with `onExpired: Fail`.
    """
    if token.secret is None:
        return ()
    field, worst = f"{FIELD}.{config.token.kind}", ERROR if config.token.on_expired == "Fail" else WARNING
    if token.secret.reveal() in PUBLIC:
        message = "the registration token is one that is printed in public guides: everyone knows it, and the one in Clusternet's guide expired on 2025-05-10; create your own on the parent cluster"
        return (about(config, message, rule="token-public", severity=worst, field=field),)
    head, _, tail = token.secret.reveal().partition(".")
    own = [one for one in bootstrap if token.bootstrap and one.get("token-id") == head]
    results = []
    halves = {one.get("token-secret") for one in own} - {"", tail}
    if not all(map(secrets.encrypted, halves)):
        message = "the registration token differs from the bootstrap token with the same id among the resources: the parent accepts only one of them"
        other = Related.at(own[0].item.name, own[0].item.place("metadata.name"))
        results.append(about(config, message, rule="token-mismatch", severity=WARNING, field=field, related=(other,)))
    times = [one.expires for one in own if one.expires is not None]
    expires = min(times) if times else token.expires
    at = LONG_AGO if now is None else now
    if expires is not None and expires < at + NEAR:
        expired = expires <= at
        state = "counts as expired, since its bootstrap Secret has an expiration that is not a time in RFC 3339"
        if expires != LONG_AGO:
            from time import gmtime, strftime  # noqa: PLC0415 - only a warning needs it

            state = f"{'expired' if expired else 'expires'} on {strftime('%Y-%m-%d', gmtime(expires))}"
        end = "any more" if expired else "from then on"
        message = f"the registration token {state}: no new cluster registers with it {end}; rotate it"
        rule, severity = ("token-expired", worst) if expired else ("token-expires", WARNING)
        places = [(one.item.name, one.item.place(one.field("expiration"))) for one in own if one.expires == expires]
        related = tuple(Related.at(*place) for place in places[:1])
        results.append(about(config, message, rule=rule, severity=severity, field=field, related=related))
    return tuple(results)


def review_bootstrap_secrets(bootstrap: Sequence[BootstrapSecret]) -> tuple[Result, ...]:
    """Warn of bootstrap Secrets in the input with which no cluster can register.

    Facts: `k8s.io/cluster-bootstrap`: namespace kube-system, type, name after the id, usage and groups. Asked once per
    run, whatever the configurations say.
    """
    results = []
    for one in bootstrap:
        reasons = _reasons(one)
        if reasons:
            message = f"no cluster can register with the bootstrap token {one.item.name}: {'; '.join(reasons.values())}"
            field = next(iter(reasons))
            results.append(about(one.item, message, rule="bootstrap-token", severity=WARNING, field=field))
    return tuple(sorted(results, key=lambda result: (result.message, result.file_path, result.file_index or 0)))


def _reasons(secret: BootstrapSecret) -> dict[str, str]:
    """Return why the parent would not take a bootstrap token for a registration, by the field to correct."""
    usage, groups = "usage-bootstrap-authentication", "auth-extra-groups"
    wrong = {}
    if secret.item.value().get("type") != _TYPE:
        wrong["type"] = f"its type must be {_TYPE}"
    if secret.item.namespace != _NAMESPACE:
        wrong["metadata.namespace"] = f"it must be in namespace {_NAMESPACE}"
    checks = {  # of values, which may be encrypted still
        "token-id": (
            secret.item.name == BOOTSTRAP_NAME + secret.get("token-id"),
            f"its name must be {BOOTSTRAP_NAME} and then its token-id",
        ),
        usage: (secret.get(usage) == "true", f'it needs {usage}: "true"'),
        groups: (GROUP in secret.get(groups).split(","), f"its {groups} must hold {GROUP}"),
        "expiration": (
            secret.expires != LONG_AGO,
            "its expiration is not a time in RFC 3339, which counts as expired",
        ),
    }
    for key, (right, reason) in checks.items():
        if not right and not secrets.encrypted(secret.get(key)):
            wrong["metadata.name" if key == "token-id" else secret.field(key)] = reason
    return wrong
