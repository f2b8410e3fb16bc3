"""The token source `secretRef`: a Secret among the items, and what was most likely meant where there is none."""

from __future__ import annotations

from krm_fn.base import full_name, nearest, titled
from krm_fn.krm.results import Errors, Related, tagged
from krm_fn.kube import secrets
from krm_fn.kube.secrets import Secret
from krm_fn.surface import GROUP, KIND
from krm_fn.tokens import ABSENT, FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, SecretSource

# Kinds that become a Secret only in the cluster, and the source to use with them
_SEALED = {
    ("bitnami.com", "SealedSecret"): "existingSecret",
    ("external-secrets.io", "ExternalSecret"): "externalSecret or existingSecret",
}
_HOLDERS = ("stringData", "data")
_FIELDS = frozenset({"apiVersion", "kind", "metadata", "type", "immutable", *_HOLDERS})  # of a Secret
_SHOWN = 5


def resolve(config: Config, ref: SecretSource, items: Sequence[Item]) -> tuple[Secret, dict[str, Any]]:
    """Read the token from a Secret among the items.

    Raises:
        Errors: There is no such Secret, several, or none can be seen; or it has no such key, or no text under it.
    """
    if all(item.kind == KIND and item.group == GROUP for item in items):
        message = (
            f"Secret {full_name(ref.namespace, ref.name)} can't be read: as a generator this function sees no resources. "
            "List the configuration under `transformers:`, or use env, file, existingSecret or externalSecret"
        )
        raise Errors.of(message, **config.place(f"{FIELD}.secretRef"))
    found = named(ref, items)
    if not found:
        raise _missing(ref, config, items)
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
            message,
            related=related,
            fix=f"namespace: {namespaces[0]}" if several else "",
            **config.place(f"{FIELD}.secretRef.name"),
        )
    return _read(found[0], ref.key, config)


def named(ref: SecretSource, items: Sequence[Item]) -> list[Item]:
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


def _read(item: Item, key: str, config: Config) -> tuple[Secret, dict[str, Any]]:
    """Read one key of a Secret: `stringData` wins over `data`, as on the server.

    Raises:
        Errors: The key is missing or its value is no text.
    """
    title = titled("Secret", item.namespace, item.name)
    whole = item.value()
    for name in ("stringData", "data"):
        values = whole.get(name)
        if not isinstance(values, dict) or key not in values:
            continue
        where = item.place(f"{name}.{key}")
        value = values[key]
        reason = ""
        if value is None:
            reason = "is empty: give the token"
        elif not isinstance(value, str):
            reason = "is not a string: put the value in double quotes"
        elif name == "data" and not secrets.encrypted(value):  # the format check names an encrypted one
            try:
                raw = secrets.decode(value)
                reason = "is not base64: encode the token, or put it under stringData" if raw is None else ""
                value = (raw or b"").decode()
            except UnicodeDecodeError:
                reason = "is not text once decoded, so it holds no token"
        if reason:
            message = f"{name}.{key} of {title} {reason}"
            raise Errors.of(message, **where)
        return Secret(value), where
    _check_layout(item, key, title)
    keys = sorted(str(one) for one in {*item.keys("data"), *item.keys("stringData")})
    shown = [one for one in keys if not secrets.looks_like_token(one)][:_SHOWN]
    there = (
        f"it has {', '.join(shown)}; name the one to read with secretRef.key" if shown else "add it below stringData"
    )
    message = f"{title} has no key {key}: {there}"
    fix = f"key: {shown[0]}" if len(shown) == 1 else ""
    related = (Related.at(title, item.place("stringData" if item.keys("stringData") else "data")),)
    meant = {"current": key, "proposed": shown[0]} if fix else {}
    raise Errors.of(message, fix=fix, related=related, **meant, **config.place(f"{FIELD}.secretRef.key"))


def _check_layout(item: Item, key: str, title: str) -> None:
    """Report that a field of a Secret is misspelt or in the wrong place, where that is why it has no such key.

    Raises:
        Errors: It is.
    """
    whole = item.value()
    metadata = item.metadata()
    unknown = sorted(str(one) for one in whole.keys() - _FIELDS)
    near = next((one for one in unknown if one != key and nearest(one, _HOLDERS)), "")
    right = nearest(near, _HOLDERS) if near else "data" if "data" in whole else "stringData"
    field, said, fix = near, f"{near} is not a known field: did you mean {right}?", f"{right}:"
    if not near:
        fix = f"{right}:\n  {key}: …"
        field = key if key in whole else f"metadata.{key}" if key in metadata else ""
        said = f"{key} is not below {right}: indent it there"
        misplaced = next((one for one in _HOLDERS if one in metadata), "")
        if misplaced:
            field, said, fix = (
                f"metadata.{misplaced}",
                f"{misplaced} is below metadata: begin it in the column of metadata",
                "",
            )
    if field and right not in {one for one in _HOLDERS if item.keys(one)}:
        message = f"{title}: {said}"
        raise Errors.of(message, fix=fix, tags=tagged(rule="unknown-field"), **item.place(field))


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
            return Errors.of(
                message, related=(Related.at(f"the {item.kind}", item.place()),), **config.place(f"{FIELD}.secretRef")
            )
    near = _near(ref, items)
    if not near:
        for item in items:
            if (
                item.name == ref.name
                and not item.group
                and (item.kind == "ConfigMap" or nearest(item.kind, ("Secret",)))
            ):
                message = f"{item.kind} {ref.name} is not a Secret, which secretRef reads: write kind: Secret"
                meant = {"current": item.kind, "proposed": "Secret"}
                return Errors.of(message, fix="kind: Secret", **meant, **item.place("kind"))
        message = (
            f"Secret {title} is not among the resources, and none has a similar name; "
            "add it (decrypted by ksops, say), or correct secretRef.name and secretRef.namespace"
        )
        return Errors.of(message, tags=ABSENT, **config.place(f"{FIELD}.secretRef.name"))
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
    return Errors.of(message, fix=fix, tags=ABSENT, **meant, **config.place(f"{FIELD}.secretRef.{other}"))


def _near(ref: SecretSource, items: Sequence[Item]) -> list[tuple[str, str]]:
    """Return namespaces and names of Secrets that the user may have meant: another namespace, a prefix or suffix, a slip."""
    import difflib  # noqa: PLC0415 - only an error needs it

    there = [(item.namespace, item.name) for item in items if item.kind == "Secret" and item.group == "" and item.name]
    names = sorted({name for _, name in there})
    like = {name for name in names if ref.name in name or name in ref.name}
    like.update(difflib.get_close_matches(ref.name, names, n=_SHOWN, cutoff=0.6))
    found = {one for one in there if one[1] in like}
    return sorted(one for one in found if not secrets.looks_like_token(full_name(*one)))[:_SHOWN]
