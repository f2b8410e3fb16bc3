"""The places that a registration token can come from: one registry, by the record of the configuration.

A source hands back a value, which the format check sees before anything else does, or leaves the token where it is. It
also says which object brings the registration to a namespace. To add one: a record in `model`, its field in
`config.tree.token`, and an entry in `_SOURCES`.
"""

from __future__ import annotations

from krm_fn import model
from krm_fn.base.records import Record
from krm_fn.base.text import full_name
from krm_fn.krm.results import WARNING, Errors, Related, Result, tagged
from krm_fn.kube import secrets
from krm_fn.model import EnvSource, ExistingSource, ExternalSource, FileSource, SecretSource, TokenSource, ValueSource
from krm_fn.surface import RESOURCE_SET_TYPE
from krm_fn.tokens import formats
from krm_fn.tokens.formats import ABSENT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Secret, Token
    from krm_fn.tokens.operator import Offers

    # a value, and the fields of a Result that point at where it was found
    Found = tuple[Secret, dict[str, Any]]

FIELD = "spec.registrationToken"
# Kinds that become a Secret only in the cluster, and the source to use with them
_SEALED = {
    ("bitnami.com", "SealedSecret"): "existingSecret",
    ("external-secrets.io", "ExternalSecret"): "externalSecret or existingSecret",
}
_SHOWN = 5


class Request(Record):
    """What a source may look at.

    Attributes:
        config: The configuration that asks.
        items: The input.
        offers: What the operator of this runner offers.
        generator_position: Whether the input is the configuration alone, as in kustomize's `generators:`.
    """

    config: Config
    items: Sequence[Item]
    offers: Offers
    generator_position: bool


class Source(Record):
    """What there is to know of one kind of token source.

    Attributes:
        resolve: Finds the value; None where the token is never seen here.
        carrier: Makes the object that brings the registration to a namespace, without marks; None where the user keeps it.
            Takes the config, the namespace, the object's name and the registration manifest under its key.
        secret_name: Names the Secret that the user keeps; empty where it is ours.
        offered: Whether the token is the operator's, and not one of whoever wrote the configuration.
        check: Judges what the input shows of that Secret, given the namespaces that need it.
    """

    resolve: Callable[[Request], Found] | None
    carrier: Callable[[Config, str, str, Mapping[str, str]], dict[str, Any]] | None
    secret_name: Callable[[TokenSource], str] = lambda _source: ""
    offered: bool = False
    check: Callable[[Config, Sequence[Item], Inventory, Sequence[str]], Sequence[Result]] | None = None


def resolve(config: Config, items: Sequence[Item], offers: Offers, *, generator_position: bool) -> Token:
    """Find the token of a configuration and check its form, after the parent that it is for.

    Args:
        config: The configuration.
        items: The whole input.
        offers: Environment and token files that the operator offers.
        generator_position: Whether no items are seen but the configuration itself.

    Returns:
        The token; without a value where it is kept outside.

    Raises:
        Errors: The parent is not allowed, or the source holds nothing usable. The value is in no message.
    """
    _refuse_misplaced(config)
    source = _of(config)
    offers.check_parent_url(config, own_token=source.offered, **place(config))
    if source.resolve is None:
        return model.Token()
    request = Request(config=config, items=items, offers=offers, generator_position=generator_position)
    secret, where = source.resolve(request)
    return formats.check(secret, config.agent.version, **where)


def carrier(config: Config, namespace: str, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Return the object that brings the registration to a namespace, without marks; None where the user keeps it there."""
    make = _of(config).carrier
    return None if make is None else make(config, namespace, secret_name(config), values)


def kept_secret(source: TokenSource) -> str:
    """Return the name of the Secret that the user keeps in each namespace; empty where it is ours."""
    return _SOURCES[type(source)].secret_name(source)


def secret_name(config: Config) -> str:
    """Return the name of the Secret that the ClusterResourceSets refer to."""
    return kept_secret(config.token) or config.registration


def check(config: Config, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]) -> Sequence[Result]:
    """Judge what the input shows of the Secret that the user keeps; nothing to report where it is ours.

    Args:
        config: The configuration.
        items: The whole input.
        inventory: What the input holds.
        namespaces: Where the Secret is needed.
    """
    judge = _of(config).check
    return () if judge is None else judge(config, items, inventory, namespaces)


def git_warning(config: Config) -> Result | None:
    """Return the warning for hosts that write files into Git; None when the output holds no token.

    The caller decides whether the host does (paths on items, `render -o DIR`).
    """
    if _of(config).resolve is None:
        return None
    return Result(
        message=(
            f"the rendered Secret {secret_name(config)} holds the registration token and is written "
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
    found = _named(config.token, items)
    return found[0] if len(found) == 1 else None


def place(config: Config) -> dict[str, Any]:
    """Return the fields of a `Result` that point at the token's source in the configuration."""
    return _place(config)


def _place(config: Config, *below: str) -> dict[str, Any]:
    return config.place(".".join((FIELD, config.token.kind, *below)))


# --- the sources -----------------------------------------------------------------------------------------------------


def _value(request: Request) -> Found:
    source: ValueSource = request.config.token  # type: ignore[assignment] # the registry chooses by type, here and below
    return source.value, place(request.config)


def _env(request: Request) -> Found:
    source: EnvSource = request.config.token  # type: ignore[assignment]
    where = place(request.config)
    return request.offers.env(source.variable, **where), where


def _file(request: Request) -> Found:
    source: FileSource = request.config.token  # type: ignore[assignment]
    where = place(request.config)
    return request.offers.file(source.path, **where), where


def _secret_ref(request: Request) -> Found:
    """Read the token from a Secret among the items."""
    config = request.config
    ref: SecretSource = config.token  # type: ignore[assignment]
    if request.generator_position:
        message = (
            f"Secret {full_name(ref.namespace, ref.name)} can't be read: as a generator this function sees no resources. "
            "List the configuration under `transformers:`, or use env, file, existingSecret or externalSecret"
        )
        raise Errors.of(message, **place(config))
    found = _named(ref, request.items)
    if not found:
        raise _missing(ref, config, request.items)
    if len(found) > 1:
        more = f" ({_SHOWN} of their places are given)" if len(found) > _SHOWN else ""
        namespaces = sorted({item.namespace for item in found})
        several = len(namespaces) > 1 and not ref.namespace
        remedy = f"set secretRef.namespace to {' or '.join(namespaces[:_SHOWN])}" if several else "remove all but one"
        message = f"{len(found)} Secrets are called {full_name(ref.namespace, ref.name)}{more}: {remedy}"
        related = tuple(
            Related.at(full_name(item.namespace, item.name), item.place("metadata.name")) for item in found[:_SHOWN]
        )
        raise Errors.of(
            message, related=related, fix=f"namespace: {namespaces[0]}" if several else "", **_place(config, "name")
        )
    return _read(found[0], ref.key, config)


def _secret(_config: Config, namespace: str, name: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Make the registration Secret; `data`, since a key once written through `stringData` outlives its removal."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, **({"namespace": namespace} if namespace else {})},
        "type": RESOURCE_SET_TYPE,
        "data": {key: secrets.encode(text) for key, text in values.items()},
    }


def _external_secret(config: Config, namespace: str, name: str, _values: Mapping[str, str]) -> dict[str, Any]:
    from krm_fn.tokens.external_secret import external_secret  # noqa: PLC0415 - for this source alone

    source: ExternalSource = config.token  # type: ignore[assignment]
    return external_secret(config, source, namespace, name)


def _name_of_existing(source: TokenSource) -> str:
    existing: ExistingSource = source  # type: ignore[assignment]
    return existing.name


def _check_existing(
    config: Config, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]
) -> Sequence[Result]:
    from krm_fn.tokens import existing_secret  # noqa: PLC0415 - for this source alone

    return existing_secret.check(config, secret_name(config), items, inventory, namespaces)


_SOURCES: Mapping[type[TokenSource], Source] = {
    ValueSource: Source(resolve=_value, carrier=_secret),
    SecretSource: Source(resolve=_secret_ref, carrier=_secret),
    EnvSource: Source(resolve=_env, carrier=_secret, offered=True),
    FileSource: Source(resolve=_file, carrier=_secret, offered=True),
    ExistingSource: Source(resolve=None, carrier=None, secret_name=_name_of_existing, check=_check_existing),
    ExternalSource: Source(resolve=None, carrier=_external_secret),
}


# The sources whose token is never seen here, as the configuration spells them
OUTSIDE = tuple(record.kind for record, source in _SOURCES.items() if source.resolve is None)


def _of(config: Config) -> Source:
    return _SOURCES[type(config.token)]


# --- a Secret among the items ----------------------------------------------------------------------------------------


def _named(ref: SecretSource, items: Sequence[Item]) -> list[Item]:
    """Return the Secrets that a reference can mean, sorted by namespace so that the input's order says nothing."""
    found = [
        item
        for item in items
        if item.kind == "Secret"
        and item.group == ""
        and item.name == ref.name
        and (not ref.namespace or item.namespace == ref.namespace)
    ]
    return sorted(found, key=lambda item: (item.namespace, item.where()))


def _read(item: Item, key: str, config: Config) -> Found:
    """Read one key of a Secret: `stringData` wins over `data`, as on the server.

    Raises:
        Errors: The key is missing or its value is no text.
    """
    title = f"Secret {full_name(item.namespace, item.name)}"
    whole = item.value()
    for name in ("stringData", "data"):
        values = whole.get(name)
        if not isinstance(values, dict) or key not in values:
            continue
        where = item.place(f"{name}.{key}")
        value = values[key]
        reason = ""
        if not isinstance(value, str):
            reason = "is no string: put the value into double quotes"
        elif name == "data" and not secrets.encrypted(value):  # the format check names an encrypted one
            raw = secrets.decode(value)
            value = _text(raw)
            if raw is None:
                reason = "is no base64: encode the token, or put it under stringData"
            elif value is None:
                reason = "is no text once decoded, so it holds no token"
        if reason:
            message = f"{name}.{key} of {title} {reason}"
            raise Errors.of(message, **where)
        return model.Secret(value), where
    keys = sorted(str(one) for one in {*item.keys("data"), *item.keys("stringData")})
    shown = [one for one in keys if not secrets.looks_like_token(one)][:_SHOWN]
    there = f"it has {', '.join(shown)}" if shown else "it has none"
    message = f"{title} has no key {key}: {there}; name the one to read with secretRef.key"
    fix = f"key: {shown[0]}" if len(shown) == 1 else ""
    related = (Related.at(title, item.place("stringData" if item.keys("stringData") else "data")),)
    meant = {"current": key, "proposed": shown[0]} if fix else {}
    raise Errors.of(message, fix=fix, related=related, **meant, **_place(config, "key"))


def _text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _missing(ref: SecretSource, config: Config, items: Sequence[Item]) -> Errors:
    """Report that no Secret has the name, and what comes near."""
    title = full_name(ref.namespace, ref.name)
    for item in items:
        source = _SEALED.get((item.group, item.kind))
        if source and item.name == ref.name and (not ref.namespace or item.namespace == ref.namespace):
            message = (
                f"Secret {title} is not among the resources; the {item.kind} of that name becomes a Secret only in the"
                f" cluster: use {source} instead of secretRef"
            )
            return Errors.of(message, related=(Related.at(f"the {item.kind}", item.place()),), **place(config))
    near = _near(ref, items)
    if not near:
        message = (
            f"Secret {title} is not among the resources, and none has a similar name; "
            "add it (decrypted by ksops, say), or correct secretRef.name and secretRef.namespace"
        )
        return Errors.of(message, tags=ABSENT, **_place(config, "name"))
    titles = [full_name(*one) for one in near]
    namespace, name = near[0]
    other = "namespace" if ref.namespace and ref.name in {one for _, one in near} else "name"
    fix, meant = "", {}
    if len(near) == 1:
        fix = f"name: {name}" + (f"\nnamespace: {namespace}" if ref.namespace and namespace else "")
        meant = {"current": ref.namespace, "proposed": namespace}
        if other == "name":
            meant = {"current": ref.name, "proposed": name}
    message = f"Secret {title} is not among the resources: did you mean {' or '.join(titles)}?"
    return Errors.of(message, fix=fix, tags=ABSENT, **meant, **_place(config, other))


def _near(ref: SecretSource, items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return namespaces and names of Secrets that the user may have meant: another namespace, a prefix or suffix, a slip."""
    import difflib  # noqa: PLC0415 - only an error needs it

    names = {item.name for item in items if item.kind == "Secret" and item.group == "" and item.name}
    like = {name for name in names if ref.name in name or name in ref.name}
    like.update(difflib.get_close_matches(ref.name, sorted(names), n=_SHOWN, cutoff=0.6))
    found = {
        (item.namespace, item.name)
        for item in items
        if item.kind == "Secret" and item.group == "" and item.name in like
    }
    return sorted(one for one in found if not secrets.looks_like_token(full_name(*one)))[:_SHOWN]


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
