"""When the registration token of a live Secret expires, as far as a dump tells."""

from __future__ import annotations

from krm_fn.krm.results import Faults
from krm_fn.kube import raw
from krm_fn.kube import secrets as encoding
from krm_fn.model import AgentVersion, Secret
from krm_fn.tokens import formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

_PREFIX = "bootstrap-token-"
# any release that takes both kinds of token: here only the form is of interest
_ANY_AGENT = AgentVersion(major=0, minor=18, patch=1)


def expires(token: Secret, secrets: Iterable[Mapping[str, Any]]) -> int | None:
    """Return seconds since the epoch; None when the token does not expire, or nobody here knows.

    Args:
        token: The token.
        secrets: Raw Secrets, among which the `bootstrap-token-<id>` of the parent may be, if someone dumped it.
    """
    try:
        checked = formats.check(token, _ANY_AGENT)
    except Faults:
        return None
    if checked.form != formats.BOOTSTRAP or checked.secret is None:
        return checked.expires
    name = _PREFIX + checked.secret.reveal().partition(".")[0]
    for secret in secrets:
        if raw.text(secret, "metadata", "name") == name:
            decoded = encoding.decode(raw.text(secret, "data", "expiration")) or b""
            return raw.parse_time(decoded.decode("utf-8", "replace"))
    return None
