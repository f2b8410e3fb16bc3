"""The places that a registration token can come from: one registry, by the record of the configuration.

A source hands back a value, which the format check sees before anything else does, or leaves the token where it is. It
also says which object brings the registration to a namespace. To add one: a record in `model`, its field in
`config.tree.token`, and an entry in `_SOURCES`.
"""

from __future__ import annotations

from krm_fn import model
from krm_fn.base import Record
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.kube import secrets
from krm_fn.model import EnvSource, ExistingSource, ExternalSource, FileSource, SecretSource, TokenSource, ValueSource
from krm_fn.surface import RESOURCE_SET_TYPE
from krm_fn.tokens import FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.kube.secrets import Secret
    from krm_fn.model import Config, Token
    from krm_fn.tokens.operator import Offers

    # a value, and the fields of a Result that point at where it was found
    Found = tuple[Secret, dict[str, Any]]


class Source(Record):
    """What there is to know of one kind of token source."""

    # Finds the value, and where it was found; None where the token is never seen here.
    resolve: Callable[[Any, Config, Sequence[Item], Offers], Found] | None
    # Makes the object that brings the registration to a namespace, without marks, of the config, the namespace, a name and the
    # registration manifest under its key; None where the user keeps it.
    carrier: Callable[[Config, str, str, Mapping[str, str]], dict[str, Any]] | None
    offered: bool = False  # whether the token is the operator's, and not one of whoever wrote the configuration


def resolve(config: Config, items: Sequence[Item], offers: Offers) -> Token:
    """Find the token of a configuration and check its form, after the parent that it is for.

    The token has no value where it is kept outside.

    Raises:
        Errors: The parent is not allowed, or the source holds nothing usable. The value is in no message.
    """
    _refuse_misplaced(config)
    source = _of(config)
    offers.check_parent_url(config, own_token=source.offered, **place(config))
    if source.resolve is None:
        return model.Token()
    from krm_fn.tokens import formats  # noqa: PLC0415 - only for a token that is seen here

    secret, where = source.resolve(config.token, config, items, offers)
    return formats.check(secret, config.agent.version, **where)


def carrier(config: Config, namespace: str, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the object that brings the registration to a namespace, without marks; None where the user keeps it there."""
    make = _of(config).carrier
    return None if make is None else make(config, namespace, config.registration, values)


def check(config: Config, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]) -> Sequence[Result]:
    """Judge what the input shows of the Secret that the user keeps; nothing to report where it is ours."""
    name = config.token.kept_secret
    if not name or not any(item.kind.endswith("Secret") and item.contains(name.encode()) for item in items):
        return ()
    from krm_fn.tokens.outside import check_existing  # noqa: PLC0415 - for this source alone

    return check_existing(config, items, inventory, namespaces)


def git_warning(config: Config) -> Result | None:
    """Return the warning for hosts that write files into Git; None when the output holds no token.

    The caller decides whether the host does (paths on items, `render -o DIR`).
    """
    if _of(config).resolve is None:
        return None
    return Result(
        message=(
            f"the rendered Secret {config.registration} holds the registration token and is written "
            "to files: whoever reads them can register clusters. Keep them out of Git, or use existingSecret or "
            "externalSecret"
        ),
        severity=WARNING,
        tags=tagged(rule="token-in-git"),
        **place(config),
    )


def secret_item(config: Config, items: Sequence[Item]) -> Item | None:
    """Return the Secret among the items that `secretRef` names; None for any other source or where it is not unique."""
    if not isinstance(config.token, SecretSource):
        return None
    from krm_fn.tokens import secret_ref  # noqa: PLC0415 - for this source alone

    found = secret_ref.named(config.token, items)
    return found[0] if len(found) == 1 else None


def place(config: Config, *below: str) -> dict[str, Any]:
    """Return the fields of a `Result` that point at the token's source in the configuration, or at a field below it."""
    return config.place(".".join((FIELD, config.token.kind, *below)))


# --- the sources -----------------------------------------------------------------------------------------------------


def _value(source: ValueSource, config: Config, _items: Sequence[Item], _offers: Offers) -> Found:
    return source.value, place(config)


def _env(source: EnvSource, config: Config, _items: Sequence[Item], offers: Offers) -> Found:
    where = place(config)
    return offers.env(source.variable, **where), where


def _file(source: FileSource, config: Config, _items: Sequence[Item], offers: Offers) -> Found:
    where = place(config)
    return offers.file(source.path, **where), where


def _secret_ref(source: SecretSource, config: Config, items: Sequence[Item], _offers: Offers) -> Found:
    from krm_fn.tokens import secret_ref  # noqa: PLC0415 - for this source alone

    return secret_ref.resolve(config, source, items)


def _secret(_config: Config, namespace: str, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    return secrets.made(name, namespace, RESOURCE_SET_TYPE, values)


def _external_secret(config: Config, namespace: str, name: str, _values: Mapping[str, str]) -> dict[str, Any]:
    from krm_fn.tokens.outside import external_secret  # noqa: PLC0415 - for this source alone

    source: ExternalSource = config.token  # type: ignore[assignment] # the registry chooses by type
    return external_secret(config, source, namespace, name)


_SOURCES: Mapping[type[TokenSource], Source] = {
    ValueSource: Source(resolve=_value, carrier=_secret),
    SecretSource: Source(resolve=_secret_ref, carrier=_secret),
    EnvSource: Source(resolve=_env, carrier=_secret, offered=True),
    FileSource: Source(resolve=_file, carrier=_secret, offered=True),
    ExistingSource: Source(resolve=None, carrier=None),
    ExternalSource: Source(resolve=None, carrier=_external_secret),
}


# The sources whose token is never seen here, as the configuration spells them
OUTSIDE = tuple(record.kind for record, source in _SOURCES.items() if source.resolve is None)


def _of(config: Config) -> Source:
    return _SOURCES[type(config.token)]


def _refuse_misplaced(config: Config) -> None:
    """Refuse a token in a field that names something: names are printed, and a bootstrap token is a legal name.

    Raises:
        Errors: Such a field has a token's shape.
    """
    token = config.token
    names = [name for value in token for name in _texts(value)]
    if any(secrets.looks_like_token(name) for name in names):
        message = (
            f"{token.kind} holds something in the shape of a token where a name or a path belongs: "
            "name where the token is kept instead"
        )
        raise Errors.of(message, **place(config))


def _texts(value: object) -> list[str]:
    """Return the texts of a source's field; what a `Secret` holds is none of them."""
    if isinstance(value, str):
        return [value]
    return [text for one in value.values() for text in _texts(one)] if isinstance(value, dict) else []
