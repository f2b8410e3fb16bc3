"""Tokens that are not at hand: `plan` and `manifests` need none, so that they run where nobody offers a token.

What takes the token's place is the one of our earlier output, as long as there is one: a plan then shows no change that
only the token's absence would make. Else it is a stand-in, the same in each run.
"""

from __future__ import annotations

from krm_fn.base import sha256_hex
from krm_fn.krm.results import WARNING, Errors, Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.model import Token
from krm_fn.surface import OWNER_ANNOTATION, REGISTRATION_KEY, TOKEN_KEY
from krm_fn.tokens import formats
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.krm.items import Item
    from krm_fn.model import Config


def warnings(results: Sequence[Result]) -> list[Result]:
    """Return errors about an absent token as warnings, for who needs no token."""
    return [
        one.replace(
            message=f"{one.message} (a warning only: `render` needs the token, this does not)", severity=WARNING
        )
        for one in results
    ]


def in_place_of(config: Config, earlier: Sequence[Item]) -> Token:
    """Return what a configuration is planned with: the token of our earlier output, else a stand-in."""
    for item in earlier:
        if item.kind == "Secret" and not item.group and item.contains(REGISTRATION_KEY.encode()):
            found = _token(item, config)
            if found is not None:
                return found
    digest = sha256_hex(f"no token of {config.owner}".encode())
    return Token(secret=Secret(f"{digest[:6]}.{digest[6:22]}"), form=formats.BOOTSTRAP)


def _token(item: Item, config: Config) -> Token | None:
    """Return the token in a registration Secret of a configuration; None where it is none, or has none."""
    try:
        value = item.value()
        if item.annotations.get(OWNER_ANNOTATION) != config.owner:
            return None
        registration = load(secrets.texts(value)[REGISTRATION_KEY] or "")
        return formats.check(Secret(secrets.texts(registration)[TOKEN_KEY] or ""), config.agent.version)
    except (Errors, BadYaml, LookupError, AttributeError):
        return None
