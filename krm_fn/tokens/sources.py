"""The places that a registration token can come from: a record of each, and one registry.

A source hands back a value, which the format check sees before anything else does, or leaves the token where it is. It
also says which object brings the registration to a namespace. To add one: its field in `config.tree.token`, and here its
record and an entry in `_SOURCES`; if what it makes is of a new kind, that in `surface.GENERATED`.
"""

from __future__ import annotations

from krm_fn import model
from krm_fn.base import Record, sha256_hex
from krm_fn.krm.results import WARNING, Errors, Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.model import ObjectKey, TokenSource
from krm_fn.surface import OWNER_ANNOTATION, REGISTRATION_KEY, RESOURCE_SET_TYPE, TOKEN_KEY
from krm_fn.tokens import FIELD, check_form
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Token
    from krm_fn.tokens.offers import Offers

    # a value, and the fields of a Result that point at where it was found
    Found = tuple[Secret, dict[str, Any]]


# --- the records of the configuration ---------------------------------------------------------------------------------


class ValueSource(TokenSource):
    """The token itself."""

    kind = "value"
    value: Secret


class SecretSource(TokenSource):
    """A Secret among the items."""

    kind = "secretRef"
    name: str
    namespace: str = ""
    key: str = TOKEN_KEY

    @property
    def secret(self) -> ObjectKey:
        """The Secret."""
        return ObjectKey(group="", kind="Secret", namespace=self.namespace, name=self.name)


class EnvSource(TokenSource):
    """An environment variable that the operator offers."""

    kind = "env"
    variable: str


class FileSource(TokenSource):
    """A file that the operator offers."""

    kind = "file"
    path: str


class ExistingSource(TokenSource):
    """A Secret with the whole registration manifest, which the user keeps in each namespace."""

    kind = "existingSecret"
    name: str

    @property
    def kept_secret(self) -> str:
        """The Secret that `existingSecret` names."""
        return self.name


class ExternalSource(TokenSource):
    """A store from which External Secrets Operator fetches the token on the management cluster."""

    kind = "externalSecret"
    store_name: str
    store_kind: str  # SecretStore or ClusterSecretStore
    remote_ref: Mapping[str, Any]  # as given: key, property, version, …
    refresh_interval: str


# --- what is done with them -------------------------------------------------------------------------------------------


class Source(Record):
    """What there is to know of one kind of token source."""

    # Makes the record, of the checked value of its field.
    read: Callable[[Any], TokenSource]
    # Finds the value, and where it was found; None where the token is never seen here. Takes the record of the configuration.
    resolve: Callable[[Any, Config, Sequence[Item], Offers], Found] | None
    # Makes the object that brings the registration to a namespace, without marks, of the config, the namespace and the
    # registration manifest under its key; None where the user keeps it.
    carrier: Callable[[Config, str, Mapping[str, str]], dict[str, Any]] | None
    offered: bool = False  # whether the token is the operator's, and not one of whoever wrote the configuration


def read(given: Mapping[str, Any]) -> TokenSource:
    """Return the record of a checked `registrationToken`."""
    kind = next(kind for kind in KINDS if kind in given)
    return KINDS[kind](given[kind]).replace(on_expired=given["onExpired"])


def resolve(config: Config, items: Sequence[Item], offers: Offers) -> Token:
    """Find the token of a configuration and check its form, after the parent that it is for.

    The token has no value where it is kept outside.

    Raises:
        Errors: The parent is not allowed, or the source holds nothing usable. The value is in no message.
    """
    source = _SOURCES[type(config.token)]
    offers.check_parent_url(config, own_token=source.offered, **_place(config))
    if source.resolve is None:
        return model.Token()
    secret, where = source.resolve(config.token, config, items, offers)
    return check_form(secret, config.agent.version, **where)


def stand_in(config: Config, earlier: Sequence[Item]) -> Token:
    """Return what a config is planned with where its token is not available: `plan` and `manifests` run without one.

    It is the token of our earlier output, so that a plan shows no change that only the token's absence would make; else a
    made-up one, the same in each run.
    """
    for item in earlier:
        if item.kind == "Secret" and not item.group and item.contains(REGISTRATION_KEY.encode()):
            try:
                value = item.value()
                if item.annotations.get(OWNER_ANNOTATION) == config.owner:
                    registration = load(secrets.texts(value)[REGISTRATION_KEY] or "")
                    return check_form(Secret(secrets.texts(registration)[TOKEN_KEY] or ""), config.agent.version)
            except (Errors, BadYaml, LookupError, AttributeError):
                continue  # none, or in no form that we write
    digest = sha256_hex(f"no token of {config.owner}".encode())
    return model.Token(secret=Secret(f"{digest[:6]}.{digest[6:22]}"), bootstrap=True)


def carrier(config: Config, namespace: str, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the object that brings the registration to a namespace, without marks; None where the user keeps it there."""
    make = _SOURCES[type(config.token)].carrier
    return None if make is None else make(config, namespace, values)


def check(config: Config, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]) -> Sequence[Result]:
    """Judge what the input shows of the Secret that the user keeps; nothing to report where it is ours."""
    name = config.token.kept_secret.encode()
    near = [item for item in items if item.kind.endswith("Secret") and item.contains(name)] if name else []
    if not near:
        return ()
    from krm_fn.tokens.outside import check_existing  # noqa: PLC0415 - for this source alone

    return check_existing(config, near, inventory, namespaces)


def git_warning(config: Config) -> Result | None:
    """Return the warning for hosts that write files into Git; None when the output holds no token.

    The caller decides whether the host does (paths on items, `render -o DIR`).
    """
    if config.token.kind in OUTSIDE:
        return None
    message = (
        f"the rendered Secret {config.registration} holds the registration token and is written to files: whoever reads them"
        f" can register clusters. Keep them out of Git, or use {' or '.join(OUTSIDE)}"
    )
    return Result(message=message, severity=WARNING, rule="token-in-git", **_place(config))


def secret_item(config: Config, items: Sequence[Item]) -> Item | None:
    """Return the Secret among the items that `secretRef` names; None for any other source or where it is not unique."""
    if not isinstance(config.token, SecretSource):
        return None
    from krm_fn.tokens import secret_ref  # noqa: PLC0415 - for this source alone

    found = secret_ref.named(config.token.secret, items)
    return found[0] if len(found) == 1 else None


def _place(config: Config) -> dict[str, Any]:
    """Return the fields of a `Result` that point at the token's source in the configuration."""
    return config.place(f"{FIELD}.{config.token.kind}")


# --- the registry -----------------------------------------------------------------------------------------------------


def _from_items(ref: SecretSource, config: Config, items: Sequence[Item], _offers: Offers) -> Found:
    from krm_fn.tokens import secret_ref  # noqa: PLC0415 - for this source alone

    return secret_ref.find(ref.secret, ref.key, config, items)


def _secret(config: Config, namespace: str, values: Mapping[str, str]) -> dict[str, Any]:
    return secrets.made(config.registration, namespace, RESOURCE_SET_TYPE, values)


def _external_secret(config: Config, namespace: str, _values: Mapping[str, str]) -> dict[str, Any]:
    from krm_fn.tokens.outside import external_secret  # noqa: PLC0415 - for this source alone

    return external_secret(config, namespace)


_SOURCES: Mapping[type[TokenSource], Source] = {
    ValueSource: Source(
        read=lambda given: ValueSource(value=Secret(given)),
        resolve=lambda token, config, _items, _offers: (token.value, _place(config)),
        carrier=_secret,
    ),
    SecretSource: Source(read=lambda given: SecretSource(**given), resolve=_from_items, carrier=_secret),
    EnvSource: Source(
        read=lambda given: EnvSource(variable=given),
        resolve=lambda token, config, _items, offers: (offers.env(token.variable, **_place(config)), _place(config)),
        carrier=_secret,
        offered=True,
    ),
    FileSource: Source(
        read=lambda given: FileSource(path=given),
        resolve=lambda token, config, _items, offers: (offers.file(token.path, **_place(config)), _place(config)),
        carrier=_secret,
        offered=True,
    ),
    ExistingSource: Source(read=lambda given: ExistingSource(**given), resolve=None, carrier=None),
    ExternalSource: Source(
        read=lambda given: ExternalSource(
            store_name=given["secretStoreRef"]["name"],
            store_kind=given["secretStoreRef"]["kind"],
            remote_ref=given["remoteRef"],
            refresh_interval=given["refreshInterval"],
        ),
        resolve=None,
        carrier=_external_secret,
    ),
}

# How the records are made, by the fields of `registrationToken`
KINDS = {record.kind: source.read for record, source in _SOURCES.items()}
# The sources whose token is never seen here, as the configuration spells them
OUTSIDE = tuple(record.kind for record, source in _SOURCES.items() if source.resolve is None)
