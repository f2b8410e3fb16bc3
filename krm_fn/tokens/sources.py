"""The six places a registration token can come from: a registry by `TokenSource.kind`.

Each source either hands back a value, which the format check sees before anything else does, or leaves the token where
it is (`existingSecret`, `externalSecret`). Adding a source is a function and a line in `_SOURCES`.
"""

from __future__ import annotations

from krm_fn import model
from krm_fn.base.records import Record
from krm_fn.krm.results import WARNING, ResourceRef, Result, fault, tagged
from krm_fn.surface import API_VERSION, KIND
from krm_fn.tokens import formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Secret, SecretSource, Token
    from krm_fn.tokens.operator import Offers

    # a value, and the fields of a Result that point at where it stood
    Found = tuple[Secret, dict[str, Any]]

FIELD = "spec.registrationToken"
OUTSIDE = frozenset({"existingSecret", "externalSecret"})
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


def resolve(config: Config, items: Sequence[Item], offers: Offers, *, generator_position: bool) -> Token:
    """Find the token of a configuration and check its form.

    Args:
        config: The configuration; `config.token.kind` chooses the source.
        items: The whole input.
        offers: Environment and token files that the operator offers.
        generator_position: Whether no items are seen but the configuration itself.

    Returns:
        The token; without a value for `existingSecret` and `externalSecret`.

    Raises:
        Faults: The source holds nothing usable. The value is in no message.
    """
    kind = config.token.kind
    _refuse_misplaced(config)
    found = _SOURCES[kind](Request(config=config, items=items, offers=offers, generator_position=generator_position))
    if found is None:
        return model.Token()
    secret, where = found
    return formats.check(secret, config.agent.version, **where)


def git_warning(config: Config) -> Result | None:
    """Return the warning for hosts that write files into Git; None when the output holds no token.

    The caller decides whether the host does (paths on items, `render -o DIR`).
    """
    if config.token.kind in OUTSIDE:
        return None
    return Result(
        message=(
            f"the rendered Secret {config.resource_set.name}-registration holds the registration token and is written "
            "to files: whoever reads them can register clusters. Keep them out of Git, or use existingSecret or "
            "externalSecret"
        ),
        severity=WARNING,
        tags=tagged(rule="token-in-git"),
        **place(config),
    )


def secret_item(config: Config, items: Sequence[Item]) -> Item | None:
    """Return the Secret among the items that `secretRef` names; None for any other source or where it is not unique."""
    ref = config.token.secret_ref
    if ref is None:
        return None
    found = _named(ref, items)
    return found[0] if len(found) == 1 else None


def place(config: Config) -> dict[str, Any]:
    """Return the fields of a `Result` that point at the token's source in the configuration."""
    return {
        "field": f"{FIELD}.{config.token.kind}",
        "resource_ref": ResourceRef(api_version=API_VERSION, kind=KIND, name=config.name, namespace=config.namespace),
        "file_path": config.file_path,
    }


# --- the sources -----------------------------------------------------------------------------------------------------


def _value(request: Request) -> Found | None:
    secret = request.config.token.value
    return (secret, place(request.config)) if secret is not None else None


def _env(request: Request) -> Found | None:
    where = place(request.config)
    return request.offers.env(request.config.token.env, **where), where


def _file(request: Request) -> Found | None:
    where = place(request.config)
    return request.offers.file(request.config.token.file, **where), where


def _outside(_request: Request) -> Found | None:
    return None


def _secret_ref(request: Request) -> Found | None:
    """Read the token from a Secret among the items."""
    config, ref = request.config, request.config.token.secret_ref
    if ref is None:  # the registry is asked by kind, so this is for the type checker
        return None
    if request.generator_position:
        message = (
            f"Secret {_title(ref.namespace, ref.name)} can't be read: as a generator this function sees no resources. "
            "List the configuration under `transformers:`, or use env, file, existingSecret or externalSecret"
        )
        raise fault(message, **place(config))
    found = _named(ref, request.items)
    if not found:
        raise fault(_missing(ref, request.items), **place(config))
    if len(found) > 1:
        places = ", ".join(f"{_title(item.namespace, item.name)} in {item.where()}" for item in found[:_SHOWN])
        more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        remedy = "remove all but one" if ref.namespace else "set secretRef.namespace"
        if len({item.namespace for item in found}) == 1:
            remedy = "remove all but one"
        message = f"{len(found)} Secrets are called {_title(ref.namespace, ref.name)}: {places}{more}; {remedy}"
        raise fault(message, **place(config))
    return _read(found[0], ref.key, config)


_SOURCES: Mapping[str, Callable[[Request], Found | None]] = {
    "value": _value,
    "secretRef": _secret_ref,
    "env": _env,
    "file": _file,
    "existingSecret": _outside,
    "externalSecret": _outside,
}


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
        Faults: The key is missing or its value is no text.
    """
    title = f"Secret {_title(item.namespace, item.name)}"
    whole = item.value()
    for name in ("stringData", "data"):
        values = whole.get(name)
        if not isinstance(values, dict) or key not in values:
            continue
        where = {
            "field": f"{name}.{key}",
            "resource_ref": item.ref(),
            "file_path": item.file_path,
            "file_index": item.file_index,
        }
        value = values[key]
        reason = ""
        if not isinstance(value, str):
            reason = "is no string: put the value into double quotes"
        elif name == "data" and not formats.encrypted(value):  # the format check names an encrypted one
            raw = formats.decode_base64(value)
            value = _text(raw)
            if raw is None:
                reason = "is no base64: encode the token, or put it under stringData"
            elif value is None:
                reason = "is no text once decoded, so it holds no token"
        if reason:
            message = f"{name}.{key} of {title} {reason}"
            raise fault(message, **where)
        return model.Secret(value), where
    keys = sorted(str(one) for one in {*item.keys("data"), *item.keys("stringData")})
    shown = [one for one in keys if not formats.looks_like_token(one)][:_SHOWN]
    there = f"it has {', '.join(shown)}" if shown else "it has none"
    message = f"{title} has no key {key}: {there}; name the one to read with secretRef.key"
    raise fault(message, **place(config))


def _text(raw: bytes | None) -> str | None:
    if raw is None:
        return None
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _missing(ref: SecretSource, items: Sequence[Item]) -> str:
    """Say that no Secret has the name, and what comes near."""
    title = _title(ref.namespace, ref.name)
    for item in items:
        source = _SEALED.get((item.group, item.kind))
        if source and item.name == ref.name and (not ref.namespace or item.namespace == ref.namespace):
            return (
                f"Secret {title} is not among the resources; the {item.kind} of that name in {item.where()} becomes "
                f"a Secret only in the cluster: use {source} instead of secretRef"
            )
    near = _near(ref, items)
    there = f"near it: {', '.join(near)}" if near else "and none has a similar name"
    return (
        f"Secret {title} is not among the resources, {there}; "
        "add it (decrypted by ksops, say), or correct secretRef.name and secretRef.namespace"
    )


def _near(ref: SecretSource, items: Sequence[Item]) -> list[str]:
    """Return titles of Secrets that the user may have meant: another namespace, a prefix or suffix, a slip."""
    import difflib  # noqa: PLC0415 - only an error needs it

    names = {item.name for item in items if item.kind == "Secret" and item.group == "" and item.name}
    like = {name for name in names if ref.name in name or name in ref.name}
    like.update(difflib.get_close_matches(ref.name, sorted(names), n=_SHOWN, cutoff=0.6))
    titles = {
        _title(item.namespace, item.name)
        for item in items
        if item.kind == "Secret" and item.group == "" and item.name in like
    }
    return sorted(title for title in titles if not formats.looks_like_token(title))[:_SHOWN]


def _title(namespace: str, name: str) -> str:
    return f"{namespace}/{name}" if namespace else name


def _refuse_misplaced(config: Config) -> None:
    """Refuse a token in a field that names something: names are printed, and a bootstrap token is a legal name.

    Raises:
        Faults: Such a field has a token's shape.
    """
    token = config.token
    names = [token.env, token.file, token.existing_secret]
    if token.secret_ref is not None:
        names += [token.secret_ref.name, token.secret_ref.namespace, token.secret_ref.key]
    if token.external_secret is not None:
        names.append(token.external_secret.store_name)
        names += [one for one in token.external_secret.remote_ref.values() if isinstance(one, str)]
    if any(formats.looks_like_token(name) for name in names):
        message = (
            f"{token.kind} holds something in the shape of a token where a name or a path belongs: "
            "name where the token is kept instead"
        )
        raise fault(message, **place(config))
