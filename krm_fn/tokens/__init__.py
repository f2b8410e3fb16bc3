"""The registration token: a bootstrap token or a ServiceAccount's JWT, and nothing else.

A value that is neither goes no further: not into an object, not into a message. Messages give lengths and shapes only.
No exception of the parsers used here is ever chained to ours, since some of those hold the value that they choked on.
"""

from __future__ import annotations

from krm_fn.base import late
from krm_fn.krm.results import Errors, Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.model import Token

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.model import AgentVersion

FIELD = "spec.registrationToken"
ABSENT = "token-absent"  # the rule of an error that says where the token would come from
BOOTSTRAP_NAME = "bootstrap-token-"  # begins the name of the Secret that holds one
# Printed in the public guide of Clusternet and, as an example, in Kubernetes' own documentation
PUBLIC = frozenset({"07401b.f395accd246ae52d", "abcdef.0123456789abcdef"})

# Kubernetes `k8s.io/cluster-bootstrap/token/api.BootstrapTokenPattern`
_BOOTSTRAP = late(r"[a-z0-9]{6}\.[a-z0-9]{16}\Z")
_BOOTSTRAP_ANY_CASE = late(r"[A-Za-z0-9]{6}\.[A-Za-z0-9]{16}\Z")
_JWT = late(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\Z")
_WRAPPED = (("<", ">"), ("${", "}"), ("$(", ")"), ("{{", "}}"))
_PLEAS = (
    "change", "replace", "fill", "set", "insert", "your", "todo", "fixme", "redacted", "dummy", "placeholder",
)  # fmt: skip
# A ServiceAccount token has 800 to 2,000 characters; the agent gets it as one argument, which Linux caps at 128 KiB.
_MAX_LENGTH = 16 * 1024
# The agent of this release takes bootstrap tokens only (fixed in v0.15.1).
_NO_JWT = (0, 15, 0)
_EXPECTED = (
    "expected a bootstrap token (6 characters, a dot, 16 characters, all of them a-z or 0-9) "
    "or a ServiceAccount token (a JWT: three base64url parts with dots between them)"
)


class Refused(Errors):
    """A value that is no token; what it might have been must still not be shown."""

    def __init__(self, result: Result, secret: Secret) -> None:
        super().__init__([result])
        self.secret = secret


def check_form(secret: Secret, version: AgentVersion, **where: Any) -> Token:
    """Check a token's form and read its expiry.

    One line break at the end, as files and `echo` leave it, is not part of the token. `version` is that of the agent that
    will use it, `where` are further fields of `Result` for an error.

    Raises:
        Refused: With one error that names the shape that was expected, never the value.
    """
    value = trimmed(secret.reveal())
    reason, expires = _shape_error(value), None
    bootstrap = bool(_BOOTSTRAP.match(value))
    if not reason and not bootstrap:
        reason, expires = _read_jwt(value, version)
    if reason:
        rule = ABSENT if secrets.encrypted(value) or _placeholder(value) else ""
        raise Refused(Result(message=f"the registration token {reason}", rule=rule, **where), secret)
    return Token(secret=Secret(value), bootstrap=bootstrap, expires=expires)


def trimmed(value: str) -> str:
    """Return a value without the one line break that may end it."""
    return value[:-2] if value.endswith("\r\n") else value.removesuffix("\n")


def _shape_error(value: str) -> str:
    """Return why a value can't be a token, by its looks; empty when it can."""
    if not value.strip():
        return f"is empty: {_EXPECTED}"
    if secrets.encrypted(value):
        return "is still encrypted by SOPS: decrypt it before this function runs (ksops, `sops exec-file`)"
    if _placeholder(value):
        return f"is a placeholder that was never filled in: {_EXPECTED}"
    if value.split() != [value]:
        blank = "a line break" if "\n" in value or "\r" in value else "whitespace"
        return f"has {blank} around or inside it: remove it; {_EXPECTED}"
    if len(value) > _MAX_LENGTH:
        return f"has {len(value)} characters, more than any token ({_MAX_LENGTH} at most): {_EXPECTED}"
    return "" if _BOOTSTRAP.match(value) or _JWT.match(value) else _slip(value)


def _placeholder(value: str) -> bool:
    """Return whether a value asks to be replaced: `<token>`, `$TOKEN`, `xxx.xxx`, `CHANGEME` and the like."""
    text = value.casefold()
    if text in {"...", "…"} or any(text.startswith(begin) and text.endswith(end) for begin, end in _WRAPPED):
        return True
    if text.startswith("$") and text.isascii() and text[1:].replace("_", "a").isalpha():
        return True
    if all(len(part) >= 3 and not part.strip("x") for part in text.split(".")):  # noqa: PLR2004 - x and xx may be names
        return True
    # an id may begin as such a word by chance
    return text.removeprefix("please").lstrip(" _-").startswith(_PLEAS) and not _BOOTSTRAP.match(value)


def _slip(value: str) -> str:
    """Return what a value without a token's shape is instead, judging by common slips."""
    if _BOOTSTRAP_ANY_CASE.match(value):
        return "looks like a bootstrap token, but has upper-case letters: only a-z and 0-9 are allowed"
    if value[0] in "\"'" and value[-1] == value[0]:
        return "has quotes around it that are part of the value: remove them"
    decoded = trimmed((secrets.decode(value) or b"").decode("latin-1"))
    if _BOOTSTRAP.match(decoded) or _JWT.match(decoded):  # as `kubectl get -o yaml` prints it
        return "is still encoded in base64: decode it once (in a Secret, data takes base64 and stringData plain text)"
    head, dot, tail = value.partition(".")
    counted = f"{len(head)} before the first dot and {len(tail)} after it" if dot else "no dot among them"
    return f"has {len(value)} characters, {counted}: {_EXPECTED}"


def _read_jwt(value: str, version: AgentVersion) -> tuple[str, int | None]:
    """Return why an agent can't use a JWT (or an empty text), and its `exp`."""
    if version.key == _NO_JWT:
        reason = f"which the agent {version} refuses: use a bootstrap token, or the agent v0.15.1 or newer"
        return f"is a ServiceAccount token, {reason}", None
    wrong = "looks like a ServiceAccount token (JWT), but its"
    header, claims = map(_json_object, value.split(".")[:2])
    if header is None:
        return f"{wrong} first part, the header, is not a JSON object in base64url", None
    if claims is None:
        return f"{wrong} second part, the claims, is not a JSON object in base64url", None
    expires = claims.get("exp")
    if expires is None:
        return "", None
    # RFC 7519, section 2: NumericDate is a JSON number, fractions allowed
    if isinstance(expires, bool) or not isinstance(expires, (int, float)) or not 0 <= expires < 2**53:
        return f"{wrong} `exp` claim is not a number of seconds", None
    return "", int(expires)


def _json_object(part: str) -> dict[str, Any] | None:
    """Decode one part of a JWT; None when it holds anything but a JSON object."""
    import json  # noqa: PLC0415 - only runs with a JWT pay for it

    raw = secrets.decode(part.replace("-", "+").replace("_", "/") + "=" * (-len(part) % 4))
    if raw is None:
        return None
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
