"""`registrationToken.existingSecret`: what the input shows of the Secret that the user keeps, before the cluster does.

Such a Secret fails late and quietly: a ClusterResourceSet says WrongSecretType, or applies a manifest that registers
with another parent. So whatever has that name in the input, sealed, external or decrypted, is looked at: its form, what
its text holds, and what others will make of it. Nothing of its content is shown.
"""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.krm.results import ERROR, WARNING, Result, tagged
from krm_fn.kube import secrets
from krm_fn.kube.raw import mapping
from krm_fn.surface import (
    MIN_VALUE_BYTES,
    OWNER_ANNOTATION,
    REGISTRATION_SECRET,
    RESOURCE_SET_TYPE,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.model import Config

    Judgement = tuple[str, str, str]  # severity, what is wrong, and the field where

_PRINTS = "; `clusternet-capi-fn manifests --only registration` prints what it has to hold"
_MARKED = (
    f"is marked as this function's own output by annotation {OWNER_ANNOTATION}, so this run would remove it: if you keep"
    " it yourself now, remove the annotation; if it is left from an earlier render, delete it"
)


_NOTHING = (WARNING, "", "")


class _Wanted(Record):
    """The Secret that a config refers to."""

    name: str
    namespaces: Sequence[str]
    parent_url: str
    own: frozenset[int]  # positions of what an earlier run of this config made


def check(
    config: Config, name: str, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]
) -> list[Result]:
    """Check everything in the input that is, or will become, the existing Secret of a name, in the namespaces that need it.

    Returns:
        Errors where the ClusterResourceSet can't use it, warnings where the agent would not find what it needs.
    """
    wanted = _Wanted(
        name=name,
        namespaces=namespaces,
        parent_url=config.parent_url,
        own=frozenset(one.item.position for one in inventory.owned if one.owner == config.owner),
    )
    results = []
    for item in items:
        judge = _JUDGES.get((item.group, item.kind))
        if judge is None or not item.contains(wanted.name.encode()):
            continue
        severity, reason, field = judge(wanted, item)
        if reason:
            results.append(
                Result(
                    message=f"{item.kind} {item.name} (spec.registrationToken.existingSecret) {reason}",
                    severity=severity,
                    fix=f"type: {RESOURCE_SET_TYPE}" if field.endswith("type") else "",
                    proposed=RESOURCE_SET_TYPE if field.endswith("type") else None,
                    tags=tagged(rule="existing-secret"),
                    **item.place(field),
                )
            )
    return sorted(results, key=lambda one: (one.message, one.file_path, one.file_index or 0))


def _sealed(wanted: _Wanted, item: Item) -> Judgement:
    """Judge a SealedSecret; the Secret takes its type from the template, and its name from there or from the object."""
    template = mapping(item.value(), "spec", "template")
    if (mapping(template, "metadata").get("name") or item.name) != wanted.name:
        return _NOTHING
    return _typed(template.get("type"), "spec.template.type")


def _external(wanted: _Wanted, item: Item) -> Judgement:
    """Judge an ExternalSecret of the user's own."""
    target = mapping(item.value(), "spec", "target")
    if (target.get("name") or item.name) != wanted.name:
        return _NOTHING
    return _typed(mapping(target, "template").get("type"), "spec.target.template.type")


def _plain(wanted: _Wanted, item: Item) -> Judgement:
    """Judge a Secret: what a ClusterResourceSet refuses of it, then what the agent would miss in it."""
    if item.name != wanted.name:
        return _NOTHING
    value = item.value()
    if item.namespace in wanted.namespaces:
        if item.position in wanted.own:
            return ERROR, _MARKED, f"metadata.annotations.{OWNER_ANNOTATION}"
        if value.get("type") != RESOURCE_SET_TYPE:
            reason = f"must be of type {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other"
            return ERROR, reason + _PRINTS, "type"
        reason = _form_error(value)
        if reason:
            return ERROR, reason + _PRINTS, _held(value)
    return WARNING, _content_error(wanted, value), _held(value)


def _held(value: Mapping[str, Any]) -> str:
    return "stringData" if "stringData" in value else "data"


def _form_error(value: Mapping[str, Any]) -> str:
    plain, packed = mapping(value, "stringData"), mapping(value, "data")
    values = [*plain.values(), *packed.values()]
    if not values or not all(isinstance(one, str) for one in values):
        return "must hold the registration manifest under at least one key, as text"
    if any(secrets.encrypted(one) for one in values):
        return ""  # SOPS decrypts it later; nothing can be said of its size
    sizes = [len(one.encode()) for one in plain.values()] + [len(secrets.decode(one) or one) for one in packed.values()]
    if min(sizes) < MIN_VALUE_BYTES:
        return f"has a value of fewer than {MIN_VALUE_BYTES} bytes, on which Cluster API fails the whole Secret"
    return ""


def _content_error(wanted: _Wanted, value: Mapping[str, Any]) -> str:
    texts = [text or "" for text in secrets.texts(value).values()]
    if not texts or any(secrets.encrypted(text) for text in texts):
        return ""
    whole = "\n".join(texts)
    if REGISTRATION_SECRET not in whole:
        return (
            f"does not hold the Secret {REGISTRATION_SECRET}, without which the agent can't start;"
            " `clusternet-capi-fn manifests --only registration` prints it"
        )
    if wanted.parent_url not in whole and secrets.encode(wanted.parent_url) not in whole:
        return "names another parent than spec.parentURL: one of them is out of date"
    return ""


_JUDGES: Mapping[tuple[str, str], Callable[[_Wanted, Item], Judgement]] = {
    ("bitnami.com", "SealedSecret"): _sealed,
    ("external-secrets.io", "ExternalSecret"): _external,
    ("", "Secret"): _plain,
}


def _typed(found: Any, field: str) -> Judgement:
    if found == RESOURCE_SET_TYPE:
        return _NOTHING
    return ERROR, f"makes a Secret that a ClusterResourceSet refuses: set {field} to {RESOURCE_SET_TYPE}", field
