"""`secretRef`: the token is in a Secret among the items, and what else a reference can have been meant for."""

from __future__ import annotations

from krm_fn.base import full_name, nearest, titled
from krm_fn.krm.results import Errors, Related
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret, looks_like_token
from krm_fn.surface import EXTERNAL_SECRET_KIND, EXTERNAL_SECRETS_GROUP, GROUP, KIND
from krm_fn.tokens import ABSENT, FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, ObjectKey

    Found = tuple[Secret, dict[str, Any]]  # the token, and the fields of a Result that point at where it was found

# Kinds that become a Secret only in the cluster, and the source to use with them
_SEALED = {
    ("bitnami.com", "SealedSecret"): "existingSecret",
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): "externalSecret or existingSecret",
}
_REF = f"{FIELD}.secretRef"
_HOLDERS = ("data", "stringData")
_FIELDS = frozenset({"apiVersion", "kind", "metadata", "type", "immutable", *_HOLDERS})  # of a Secret
_SHOWN = 5


def find(wanted: ObjectKey, key: str, config: Config, items: Sequence[Item]) -> Found:
    """Read the token from a key of a Secret among the items; one that is wanted without a namespace may be in any.

    Raises:
        Errors: There is no such Secret, several, or none can be seen; or it has no such key, or no text under it.
    """
    title = wanted.full_name
    if all(item.kind == KIND and item.group == GROUP for item in items):
        message = (
            f"Secret {title} can't be read: the input holds no resources. Give the Secret and the Clusters too (in a kustomization,"
            " list the configuration under `transformers:`, since a generator sees no resources), or use env, file, existingSecret"
            " or externalSecret"
        )
        raise Errors.of(message, **config.place(_REF))
    found = named(wanted, items)
    if not found:
        raise _missing(wanted, config, items)
    if len(found) == 1:
        return _read(found[0], key, config)
    namespaces = sorted({item.namespace for item in found} - {""})  # one without a namespace can't be asked for
    several = len({item.namespace for item in found}) > 1 and not wanted.namespace
    remedy = f"set secretRef.namespace to {' or '.join(namespaces[:_SHOWN])}" if several else "remove all but one"
    related = [Related.at(full_name(item.namespace, item.name), item.place("metadata.name")) for item in found[:_SHOWN]]
    message, fix = (
        f"{len(found)} Secrets are called {title}: {remedy}",
        f"namespace: {namespaces[0]}" if several else "",
    )
    raise Errors.of(message, related=tuple(related), fix=fix, **config.place(f"{_REF}.name"))


def named(wanted: ObjectKey, items: Sequence[Item]) -> list[Item]:
    """Return the Secrets that a reference can mean, sorted by namespace so that the input's order says nothing."""
    found = [item for item in items if item.kind == "Secret" and item.group == "" and _is_named(item, wanted)]
    return sorted(found, key=lambda item: (item.namespace, item.where()))


def _is_named(item: Item, wanted: ObjectKey) -> bool:
    return item.name == wanted.name and wanted.namespace in {"", item.namespace}


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


def _missing(wanted: ObjectKey, config: Config, items: Sequence[Item]) -> Errors:
    """Report that no Secret has the name, and what comes near."""
    missing = f"Secret {wanted.full_name} is not among the resources"
    for item in items:
        source = _SEALED.get((item.group, item.kind))
        if source and _is_named(item, wanted):
            message = (
                f"{missing}; the {item.kind} of that name becomes a Secret only in the cluster: use {source} instead of"
                " secretRef"
            )
            related = (Related.at(f"the {item.kind}", item.place()),)
            return Errors.of(message, related=related, **config.place(_REF))
    near = _near(wanted, items)
    if not near:
        for item in items:
            similar = not item.group and (item.kind == "ConfigMap" or nearest(item.kind, ("Secret",)))
            if item.name == wanted.name and similar:
                message = f"{item.kind} {wanted.name} is not a Secret, which secretRef reads: write kind: Secret"
                meant = {"fix": "kind: Secret", "current": item.kind, "proposed": "Secret"}
                return Errors.of(message, **meant, **item.place("kind"))
        message = (
            f"{missing}, and none has a similar name; add it (decrypted by ksops, say), or correct secretRef.name and"
            " secretRef.namespace"
        )
        return Errors.of(message, rule=ABSENT, **config.place(f"{_REF}.name"))
    namespace, name = near[0]
    elsewhere = wanted.namespace and any(wanted.name == name for _, name in near)
    meant = {}
    if len(near) == 1:
        current, proposed = (wanted.namespace, namespace) if elsewhere else (wanted.name, name)
        fix = f"name: {name}" + (f"\nnamespace: {namespace}" if wanted.namespace and namespace else "")
        meant = {"fix": fix, "current": current, "proposed": proposed}
    message = f"{missing}: did you mean {' or '.join(full_name(*one) for one in near)}?"
    return Errors.of(message, rule=ABSENT, **meant, **config.place(f"{_REF}.{'namespace' if elsewhere else 'name'}"))


def _near(wanted: ObjectKey, items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return namespaces and names of Secrets that the user may have meant: another namespace, a prefix or suffix, a slip."""
    import difflib  # noqa: PLC0415 - only an error needs it

    there = {(item.namespace, item.name) for item in items if item.kind == "Secret" and item.group == "" and item.name}
    names = sorted({name for _, name in there})
    like = {name for name in names if wanted.name in name or name in wanted.name}
    like.update(difflib.get_close_matches(wanted.name, names, n=_SHOWN, cutoff=0.6))
    return sorted(one for one in there if one[1] in like and not looks_like_token(full_name(*one)))[:_SHOWN]
