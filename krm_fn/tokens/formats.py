"""The form of a registration token: a bootstrap token or a ServiceAccount's JWT, and nothing else.

A value that is neither goes no further: not into an object, not into a message. Messages give lengths and shapes only.
No exception of the parsers used here is ever chained to ours, since some of those hold the value that they choked on.
"""

from __future__ import annotations

from krm_fn.base import late
from krm_fn.krm.results import Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.model import Token
from krm_fn.tokens import ABSENT, Refused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.model import AgentVersion

BOOTSTRAP = "bootstrap"
JWT = "jwt"

# Kubernetes `k8s.io/cluster-bootstrap/token/api.BootstrapTokenPattern`
_BOOTSTRAP = late(r"[a-z0-9]{6}\.[a-z0-9]{16}\Z")
_BOOTSTRAP_ANY_CASE = late(r"[A-Za-z0-9]{6}\.[A-Za-z0-9]{16}\Z")
_BASE64URL = late(r"[A-Za-z0-9_-]+\Z")
_WRAPPED = (("<", ">"), ("${", "}"), ("$(", ")"), ("{{", "}}"))
_PLEAS = (
    "change", "replace", "fill", "set", "insert", "your", "todo", "fixme", "redacted", "dummy", "placeholder",
)  # fmt: skip
_JWT_PARTS = 3
# A ServiceAccount token has 800 to 2,000 characters; the agent gets it as one argument, which Linux caps at 128 KiB.
_MAX_LENGTH = 16 * 1024
# The agent of this release takes bootstrap tokens only (fixed in v0.15.1).
_NO_JWT = (0, 15, 0)
_EXPECTED = (
    "expected a bootstrap token (6 characters, a dot, 16 characters, all of them a-z or 0-9) "
    "or a ServiceAccount token (a JWT: three base64url parts with dots between them)"
)


def check(secret: Secret, version: AgentVersion, **where: Any) -> Token:
    """Check a token's form and read its expiry.

    One line break at the end, as files and `echo` leave it, is not part of the token.

    Args:
        secret: The value as it came from its source.
        version: The agent that will use it; v0.15.0 takes no JWT.
        where: Further fields of `Result` for an error (`field`, `resource_ref`, …).

    Raises:
        Refused: With one error that names the shape that was expected, never the value.
    """
    value = trimmed(secret.reveal())
    reason = _shape_error(value)
    if reason:
        message = f"the registration token {reason}"
        tags = ABSENT if secrets.encrypted(value) or _placeholder(value) else ()
        raise Refused(Result(message=message, tags=tags, **where), secret)
    if _BOOTSTRAP.match(value):
        return Token(secret=Secret(value), form=BOOTSTRAP)
    if version.key == _NO_JWT:
        message = (
            f"the registration token is a ServiceAccount token, which the agent {version} refuses: "
            "use a bootstrap token, or the agent v0.15.1 or newer"
        )
        raise Refused(Result(message=message, **where), secret)
    reason, expires = _claims(value)
    if reason:
        message = f"the registration token looks like a ServiceAccount token (JWT), but {reason}"
        raise Refused(Result(message=message, **where), secret)
    return Token(secret=Secret(value), form=JWT, expires=expires)


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
        return f"has {_blank_place(value)}: remove it; {_EXPECTED}"
    if len(value) > _MAX_LENGTH:
        return f"has {len(value)} characters, more than any token ({_MAX_LENGTH} at most): {_EXPECTED}"
    return "" if _BOOTSTRAP.match(value) or _has_jwt_shape(value) else _slip(value)


def _placeholder(value: str) -> bool:
    """Return whether a value asks to be replaced: `<token>`, `$TOKEN`, `xxx.xxx`, `CHANGEME` and the like."""
    text = value.casefold()
    if text in {"...", "…"} or any(text.startswith(begin) and text.endswith(end) for begin, end in _WRAPPED):
        return True
    if text.startswith("$") and text.isascii() and text[1:].replace("_", "a").isalpha():
        return True
    if all(len(part) >= 3 and not part.strip("x") for part in text.split(".")):  # noqa: PLR2004 - x and xx may be names
        return True
    asked = text.removeprefix("please")
    if asked != text and asked[:1] in {" ", "_", "-"}:
        asked = asked[1:]
    return asked.startswith(_PLEAS)


def _slip(value: str) -> str:
    """Return what a value in no token's shape is instead, going by the slips that people make."""
    if _BOOTSTRAP_ANY_CASE.match(value):
        return "looks like a bootstrap token, but has upper-case letters: only a-z and 0-9 are allowed"
    if value[0] in "\"'" and value[-1] == value[0]:
        return "has quotes around it that are part of the value: remove them"
    if _hidden_token(value):
        return "is still encoded in base64: decode it once (in a Secret, data takes base64 and stringData plain text)"
    head, dot, tail = value.partition(".")
    counted = f"{len(head)} before the first dot and {len(tail)} after it" if dot else "no dot among them"
    return f"has {len(value)} characters, {counted}: {_EXPECTED}"


def _blank_place(value: str) -> str:
    """Return which whitespace is in the way, and where."""
    at_ends, inside = value != value.strip(), len(value.split()) > 1
    name = "a line break" if "\n" in value or "\r" in value else "whitespace"
    if at_ends and inside:
        return f"{name} around and inside it"
    return f"{name} inside it" if inside else f"{name} around it"


def _has_jwt_shape(value: str) -> bool:
    parts = value.split(".")
    return len(parts) == _JWT_PARTS and all(_BASE64URL.match(part) for part in parts)


def _hidden_token(value: str) -> bool:
    """Return whether a value is the base64 of a token, as `kubectl get -o yaml` prints it."""
    raw = secrets.decode(value)
    if not raw or not raw.isascii():
        return False
    inner = trimmed(raw.decode("ascii"))
    return bool(_BOOTSTRAP.match(inner)) or _has_jwt_shape(inner)


def _claims(value: str) -> tuple[str, int | None]:
    """Read a JWT: why it is none (or an empty text), and its `exp`."""
    head, body, _signature = value.split(".")
    header, claims = _json_object(head), _json_object(body)
    if header is None:
        return "its first part, the header, is not a JSON object in base64url", None
    if claims is None:
        return "its second part, the claims, is not a JSON object in base64url", None
    expires = claims.get("exp")
    if expires is None:
        return "", None
    # RFC 7519, section 2: NumericDate is a JSON number, fractions allowed
    if isinstance(expires, bool) or not isinstance(expires, (int, float)) or not 0 <= expires < 2**53:
        return "its `exp` claim is not a number of seconds", None
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
