"""`registrationToken.existingSecret`: the Secret that the user keeps, checked where it can be seen."""

from __future__ import annotations

from krm_fn.krm.results import ERROR, Result, tagged
from krm_fn.model import ObjectKey
from krm_fn.surface import MANAGED_BY_LABEL, MIN_VALUE_BYTES, OWNER_ANNOTATION, RESOURCE_SET_TYPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from krm_fn.krm.items import Item
    from krm_fn.model import Config

_MARKED = (
    f"carries the marks of this function's own output, which no longer holds it and would remove it: if you keep it now,"
    f" take its label {MANAGED_BY_LABEL} and its annotation {OWNER_ANNOTATION} away; if an earlier render left it, delete it"
)


def check(
    config: Config,
    occupied: Mapping[ObjectKey, Item],
    namespaces: Sequence[str],
    own: Mapping[ObjectKey, Item] | None = None,
) -> list[Result]:
    """Check the existing Secret of each namespace where it is among the items; nothing of its content is shown.

    Args:
        config: The config; any other token source passes.
        occupied: Objects of the input that are not ours, by identity.
        namespaces: Where the Secret is needed.
        own: Objects of the input that carry the marks of this config's output: what of them it no longer makes is removed.
    """
    results: list[Result] = []
    if not config.token.existing_secret:
        return results
    for namespace in namespaces:
        key = ObjectKey(group="", kind="Secret", namespace=namespace, name=config.token.existing_secret)
        marked = (own or {}).get(key)
        item = marked or occupied.get(key)
        if item is None:
            continue
        reason = _MARKED if marked is not None else _fault(item)
        if reason and marked is None:
            reason += "; `clusternet-capi-fn manifests --only registration` prints what it has to hold"
        if reason:
            results.append(
                Result(
                    message=f"Secret {key.name} (spec.registrationToken.existingSecret) {reason}",
                    severity=ERROR,
                    resource_ref=item.ref(),
                    file_path=item.file_path,
                    file_index=item.file_index,
                    tags=tagged(rule="existing-secret"),
                )
            )
    return results


def _fault(item: Item) -> str:
    value = item.value()
    if value.get("type") != RESOURCE_SET_TYPE:
        return f"must be of type {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other"
    plain, encoded = value.get("stringData"), value.get("data")
    values = [one for part in (plain, encoded) if isinstance(part, dict) for one in part.values()]
    if not values or not all(isinstance(one, str) for one in values):
        return "must hold the registration manifest under at least one key, as text"
    if any(one.startswith("ENC[") for one in values):
        return ""  # SOPS decrypts it later; nothing can be said of its size
    plain_short = isinstance(plain, dict) and any(len(one.encode()) < MIN_VALUE_BYTES for one in plain.values())
    if plain_short or (isinstance(encoded, dict) and any(_size(one) < MIN_VALUE_BYTES for one in encoded.values())):
        return f"has a value of fewer than {MIN_VALUE_BYTES} bytes, on which Cluster API fails the whole Secret"
    return ""


def _size(encoded: str) -> int:
    stripped = "".join(encoded.split())
    return len(stripped) * 3 // 4 - stripped[-2:].count("=")
