"""`registrationToken.existingSecret`: what the input shows of the Secret that the user keeps, before the cluster does.

Such a Secret fails late and quietly: a ClusterResourceSet says WrongSecretType, or applies a manifest that registers
with another parent. So whatever of that name stands in the input, sealed, external or decrypted, is looked at.
`outputs.existing` looks at the form of a plain Secret; here it is what the text holds and what others will make of it.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, WARNING, Result, tagged
from krm_fn.surface import REGISTRATION_SECRET, RESOURCE_SET_TYPE
from krm_fn.tokens import formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.model import Config


def check(config: Config, items: Sequence[Item]) -> tuple[Result, ...]:
    """Check everything in the input that is, or will become, the existing Secret.

    Args:
        config: A config; any other token source passes.
        items: The whole input.

    Returns:
        Errors where the ClusterResourceSet can't use it, warnings where the agent would not find what it needs.
    """
    name = config.token.existing_secret
    if not name:
        return ()
    results = []
    for item in items:
        maker = _MAKERS.get((item.group, item.kind))
        if maker is None or not item.contains(name.encode()):
            continue
        severity, reason = maker(config, item)
        if reason:
            results.append(
                Result(
                    message=f"{item.kind} {item.name} (spec.registrationToken.existingSecret) {reason}",
                    severity=severity,
                    resource_ref=item.ref(),
                    file_path=item.file_path,
                    file_index=item.file_index,
                    tags=tagged(rule="existing-secret"),
                )
            )
    return tuple(sorted(results, key=lambda one: (one.message, one.file_path, one.file_index or 0)))


def _sealed(config: Config, item: Item) -> tuple[str, str]:
    """Judge a SealedSecret; the Secret takes its type from the template, and its name from there or from the object."""
    template = _at(item.value(), "spec", "template")
    if (_at(template, "metadata").get("name") or item.name) != config.token.existing_secret:
        return ERROR, ""
    return ERROR, _type_fault(template.get("type"), "spec.template.type")


def _external(config: Config, item: Item) -> tuple[str, str]:
    """Judge an ExternalSecret of the user's own."""
    target = _at(item.value(), "spec", "target")
    if (target.get("name") or item.name) != config.token.existing_secret:
        return ERROR, ""
    return ERROR, _type_fault(_at(target, "template").get("type"), "spec.target.template.type")


def _plain(config: Config, item: Item) -> tuple[str, str]:
    """Judge what a Secret holds; of its form `outputs.existing` speaks."""
    if item.name != config.token.existing_secret:
        return WARNING, ""
    value = item.value()
    texts = [text for text in _at(value, "stringData").values() if isinstance(text, str)]
    packed = [text for text in _at(value, "data").values() if isinstance(text, str) and not formats.encrypted(text)]
    texts += [(formats.decode_base64(text) or b"").decode("utf-8", "replace") for text in packed]
    if not texts or any(formats.encrypted(text) for text in texts):
        return WARNING, ""
    whole = "\n".join(texts)
    if REGISTRATION_SECRET not in whole:
        return WARNING, (
            f"does not hold the Secret {REGISTRATION_SECRET}, without which the agent can't start;"
            " `clusternet-capi-fn manifests --only registration` prints it"
        )
    if config.parent_url not in whole and formats.encode_base64(config.parent_url) not in whole:
        return WARNING, "names another parent than spec.parentURL: one of them is out of date"
    return WARNING, ""


_MAKERS: Mapping[tuple[str, str], Callable[[Config, Item], tuple[str, str]]] = {
    ("bitnami.com", "SealedSecret"): _sealed,
    ("external-secrets.io", "ExternalSecret"): _external,
    ("", "Secret"): _plain,
}


def _type_fault(found: Any, field: str) -> str:
    if found == RESOURCE_SET_TYPE:
        return ""
    return f"makes a Secret that a ClusterResourceSet refuses: set {field} to {RESOURCE_SET_TYPE}"


def _at(value: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path; {} where there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}
