"""The places that a registration token can come from: one registry, by the record of the configuration.

A source hands back a value, which the format check sees before anything else does, or leaves the token where it is. It
also says which object brings the registration to a namespace. To add one: a record in `model`, its field in
`config.tree.token`, and an entry in `_SOURCES`.
"""

from __future__ import annotations

from krm_fn import model
from krm_fn.base import Record, full_name, nearest, sha256_hex, titled
from krm_fn.krm.results import WARNING, Errors, Related, Result
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret, looks_like_token
from krm_fn.model import EnvSource, ExistingSource, ExternalSource, FileSource, SecretSource, TokenSource, ValueSource
from krm_fn.surface import GROUP, KIND, OWNER_ANNOTATION, REGISTRATION_KEY, RESOURCE_SET_TYPE, TOKEN_KEY
from krm_fn.tokens import ABSENT, FIELD, check_form
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.model import Config, Token
    from krm_fn.tokens.operator import Offers

    # a value, and the fields of a Result that point at where it was found
    Found = tuple[Secret, dict[str, Any]]

# Kinds that become a Secret only in the cluster, and the source to use with them
_SEALED = {
    ("bitnami.com", "SealedSecret"): "existingSecret",
    ("external-secrets.io", "ExternalSecret"): "externalSecret or existingSecret",
}
_REF = f"{FIELD}.secretRef"
_HOLDERS = ("data", "stringData")
_FIELDS = frozenset({"apiVersion", "kind", "metadata", "type", "immutable", *_HOLDERS})  # of a Secret
_SHOWN = 5


class Source(Record):
    """What there is to know of one kind of token source."""

    # Finds the value, and where it was found; None where the token is never seen here. Takes the record of the configuration.
    resolve: Callable[[Any, Config, Sequence[Item], Offers], Found] | None
    # Makes the object that brings the registration to a namespace, without marks, of the config, the namespace and the
    # registration manifest under its key; None where the user keeps it.
    carrier: Callable[[Config, str, Mapping[str, str]], dict[str, Any]] | None
    offered: bool = False  # whether the token is the operator's, and not one of whoever wrote the configuration


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
        " can register clusters. Keep them out of Git, or use existingSecret or externalSecret"
    )
    return Result(message=message, severity=WARNING, rule="token-in-git", **_place(config))


def secret_item(config: Config, items: Sequence[Item]) -> Item | None:
    """Return the Secret among the items that `secretRef` names; None for any other source or where it is not unique."""
    found = _named(config.token, items) if isinstance(config.token, SecretSource) else []
    return found[0] if len(found) == 1 else None


def _place(config: Config) -> dict[str, Any]:
    """Return the fields of a `Result` that point at the token's source in the configuration."""
    return config.place(f"{FIELD}.{config.token.kind}")


# --- a Secret among the items -----------------------------------------------------------------------------------------


def _secret_ref(ref: SecretSource, config: Config, items: Sequence[Item], _offers: Offers) -> Found:
    """Read the token from a Secret among the items.

    Raises:
        Errors: There is no such Secret, several, or none can be seen; or it has no such key, or no text under it.
    """
    title = full_name(ref.namespace, ref.name)
    if all(item.kind == KIND and item.group == GROUP for item in items):
        message = (
            f"Secret {title} can't be read: as a generator this function sees no resources. "
            "List the configuration under `transformers:`, or use env, file, existingSecret or externalSecret"
        )
        raise Errors.of(message, **config.place(_REF))
    found = _named(ref, items)
    if not found:
        raise _missing(ref, config, items)
    if len(found) == 1:
        return _read(found[0], ref.key, config)
    namespaces = sorted({item.namespace for item in found})
    several = len(namespaces) > 1 and not ref.namespace
    remedy = f"set secretRef.namespace to {' or '.join(namespaces[:_SHOWN])}" if several else "remove all but one"
    related = [Related.at(full_name(item.namespace, item.name), item.place("metadata.name")) for item in found[:_SHOWN]]
    message, fix = (
        f"{len(found)} Secrets are called {title}: {remedy}",
        f"namespace: {namespaces[0]}" if several else "",
    )
    raise Errors.of(message, related=tuple(related), fix=fix, **config.place(f"{_REF}.name"))


def _named(ref: SecretSource, items: Sequence[Item]) -> list[Item]:
    """Return the Secrets that a reference can mean, sorted by namespace so that the input's order says nothing."""
    found = [item for item in items if item.kind == "Secret" and item.group == "" and _is_named(item, ref)]
    return sorted(found, key=lambda item: (item.namespace, item.where()))


def _is_named(item: Item, ref: SecretSource) -> bool:
    return item.name == ref.name and ref.namespace in {"", item.namespace}


def _read(item: Item, key: str, config: Config) -> Found:
    """Read one key of a Secret.

    Raises:
        Errors: The key is missing or its value is no text.
    """
    title = titled("Secret", item.namespace, item.name)
    whole = item.value()
    texts = secrets.texts(whole)
    if key in texts:
        part, text = secrets.part_with(whole, key), texts[key]
        where = item.place(f"{part}.{key}")
        reason = ""
        if whole[part][key] is None:
            reason = "is empty: give the token"
        elif not isinstance(whole[part][key], str):
            reason = "is not a string: put the value in double quotes"
        elif text is None:
            reason = "is not base64: encode the token, or put it under stringData"
        elif part == "data" and "\ufffd" in text:
            reason = "is not text once decoded, so it holds no token"
        if text is None or reason:
            message = f"{part}.{key} of {title} {reason}"
            raise Errors.of(message, **where)
        return Secret(text), where
    for one in sorted(map(str, whole.keys() - _FIELDS)):
        meant = nearest(one, _HOLDERS) if one != key else ""
        if meant and not item.keys(meant):
            message = f"{title}: {one} is not a known field: did you mean {meant}?"
            found = {"fix": f"{meant}:", "current": one, "proposed": meant, "rule": "unknown-field"}
            raise Errors.of(message, **found, **item.place(one))
    shown = [one for one in sorted(map(str, texts)) if not looks_like_token(one)][:_SHOWN]
    there = (
        f"it has {', '.join(shown)}; name the one to read with secretRef.key" if shown else "add it below stringData"
    )
    known = {"fix": f"key: {shown[0]}", "current": key, "proposed": shown[0]} if len(shown) == 1 else {}
    related = (Related.at(title, item.place("stringData" if item.keys("stringData") else "data")),)
    message = f"{title} has no key {key}: {there}"
    raise Errors.of(message, related=related, **known, **config.place(f"{_REF}.key"))


def _missing(ref: SecretSource, config: Config, items: Sequence[Item]) -> Errors:
    """Report that no Secret has the name, and what comes near."""
    missing = f"Secret {full_name(ref.namespace, ref.name)} is not among the resources"
    for item in items:
        source = _SEALED.get((item.group, item.kind))
        if source and _is_named(item, ref):
            message = (
                f"{missing}; the {item.kind} of that name becomes a Secret only in the cluster: use {source} instead of"
                " secretRef"
            )
            related = (Related.at(f"the {item.kind}", item.place()),)
            return Errors.of(message, related=related, **config.place(_REF))
    near = _near(ref, items)
    if not near:
        for item in items:
            similar = not item.group and (item.kind == "ConfigMap" or nearest(item.kind, ("Secret",)))
            if item.name == ref.name and similar:
                message = f"{item.kind} {ref.name} is not a Secret, which secretRef reads: write kind: Secret"
                meant = {"fix": "kind: Secret", "current": item.kind, "proposed": "Secret"}
                return Errors.of(message, **meant, **item.place("kind"))
        message = (
            f"{missing}, and none has a similar name; add it (decrypted by ksops, say), or correct secretRef.name and"
            " secretRef.namespace"
        )
        return Errors.of(message, rule=ABSENT, **config.place(f"{_REF}.name"))
    namespace, name = near[0]
    elsewhere = ref.namespace and any(ref.name == name for _, name in near)
    meant = {}
    if len(near) == 1:
        current, proposed = (ref.namespace, namespace) if elsewhere else (ref.name, name)
        fix = f"name: {name}" + (f"\nnamespace: {namespace}" if ref.namespace and namespace else "")
        meant = {"fix": fix, "current": current, "proposed": proposed}
    message = f"{missing}: did you mean {' or '.join(full_name(*one) for one in near)}?"
    return Errors.of(message, rule=ABSENT, **meant, **config.place(f"{_REF}.{'namespace' if elsewhere else 'name'}"))


def _near(ref: SecretSource, items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return namespaces and names of Secrets that the user may have meant: another namespace, a prefix or suffix, a slip."""
    import difflib  # noqa: PLC0415 - only an error needs it

    there = {(item.namespace, item.name) for item in items if item.kind == "Secret" and item.group == "" and item.name}
    names = sorted({name for _, name in there})
    like = {name for name in names if ref.name in name or name in ref.name}
    like.update(difflib.get_close_matches(ref.name, names, n=_SHOWN, cutoff=0.6))
    return sorted(one for one in there if one[1] in like and not looks_like_token(full_name(*one)))[:_SHOWN]


# --- the registry -----------------------------------------------------------------------------------------------------


def _secret(config: Config, namespace: str, values: Mapping[str, str]) -> dict[str, Any]:
    return secrets.made(config.registration, namespace, RESOURCE_SET_TYPE, values)


def _external_secret(config: Config, namespace: str, _values: Mapping[str, str]) -> dict[str, Any]:
    from krm_fn.tokens.outside import external_secret  # noqa: PLC0415 - for this source alone

    return external_secret(config, namespace)


_SOURCES: Mapping[type[TokenSource], Source] = {
    ValueSource: Source(resolve=lambda token, config, _items, _offers: (token.value, _place(config)), carrier=_secret),
    SecretSource: Source(resolve=_secret_ref, carrier=_secret),
    EnvSource: Source(
        resolve=lambda token, config, _items, offers: (offers.env(token.variable, **_place(config)), _place(config)),
        carrier=_secret,
        offered=True,
    ),
    FileSource: Source(
        resolve=lambda token, config, _items, offers: (offers.file(token.path, **_place(config)), _place(config)),
        carrier=_secret,
        offered=True,
    ),
    ExistingSource: Source(resolve=None, carrier=None),
    ExternalSource: Source(resolve=None, carrier=_external_secret),
}


# The sources whose token is never seen here, as the configuration spells them
OUTSIDE = tuple(record.kind for record, source in _SOURCES.items() if source.resolve is None)
