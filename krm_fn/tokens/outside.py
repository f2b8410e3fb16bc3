"""`existingSecret` and `externalSecret`: the token stays outside of Git, and this function never sees it.

The Secret that the user keeps fails late and quietly: a ClusterResourceSet says WrongSecretType, or applies a manifest that
registers with another parent. So whatever has its name in the input, sealed, external or decrypted, is looked at: its form,
what its text holds, and what others will make of it. Nothing of its content is shown.

For `externalSecret`, External Secrets Operator fetches the token on the management cluster and runs the registration manifest
through Go's text/template (its engine `v2`). The manifest is the one that inline sources emit, with a template action in
place of the token. All other text is written so that the engine gives it back unchanged: with missing keys an error and `{{`
a delimiter, a stray brace in an annotation would otherwise fail the whole Secret. Facts: external-secrets
`apis/externalsecrets/v1`, `runtime/template/v2` (v0.16 to v2): `data` and the labels and annotations of `target.template`
are templates, their keys are not.
"""

from __future__ import annotations

from krm_fn.agent import documents, manifests, unused_mark
from krm_fn.krm.results import ERROR, WARNING, about
from krm_fn.kube import secrets
from krm_fn.kube.raw import mapping
from krm_fn.surface import (
    EXTERNAL_SECRET_KIND,
    EXTERNAL_SECRETS_GROUP,
    LABELS,
    MIN_VALUE_BYTES,
    OWNER_ANNOTATION,
    REGISTRATION_KEY,
    REGISTRATION_SECRET,
    RESOURCE_SET_TYPE,
    TOKEN_KEY,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.model import Config, ExternalSource

    Judgement = tuple[str, str, str]  # severity, what is wrong ("" for nothing), and the field where

_PRINTS = "; `clusternet-capi-fn manifests --only registration` prints what it must contain"
_NOTHING = (WARNING, "", "")
# Kinds that make a Secret in the cluster: where its name is, if it is another one than theirs, and where its type is.
_MAKERS = {
    ("bitnami.com", "SealedSecret"): (("spec", "template", "metadata"), ("spec", "template")),
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): (("spec", "target"), ("spec", "target", "template")),
}

_OPEN = "{{"
_OPEN_AS_TEXT = '{{ "{{" }}'
_TOKEN = "{{ ." + TOKEN_KEY + " | trim | b64enc }}"
# Up to v2.x the API server fills these in, and Argo CD compares lists whole: without them it sees a difference forever
# (external-secrets#6797).
_REMOTE_DEFAULTS = {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}


# --- existingSecret --------------------------------------------------------------------------------------------------


def check_existing(
    config: Config, items: Sequence[Item], inventory: Inventory, namespaces: Sequence[str]
) -> list[Result]:
    """Check everything in the input that is, or will become, the existing Secret, in the namespaces that need it.

    Returns:
        Errors where the ClusterResourceSet can't use it, warnings where the agent would not find what it needs.
    """
    name = config.token.kept_secret
    own = {one.item.position for one in inventory.owned if one.owner == config.owner}
    results = []
    for item in items:
        severity, reason, field = _NOTHING
        if (item.group, item.kind) in _MAKERS:
            severity, reason, field = _maker_error(name, item)
        elif item.kind != "Secret" or item.group or item.name != name:
            continue
        elif item.namespace in namespaces and item.position in own:
            reason = (
                f"is marked as this function's own output by annotation {OWNER_ANNOTATION}, so this run would remove it: if"
                " you keep it yourself now, remove the annotation; if it is left from an earlier render, delete it"
            )
            severity, field = ERROR, f"metadata.annotations.{OWNER_ANNOTATION}"
        else:
            severity, reason, field = _secret_error(config, item.value(), needed=item.namespace in namespaces)
        if reason:
            proposed = RESOURCE_SET_TYPE if field.endswith("type") else None
            message = f"{item.kind} {item.name} (spec.registrationToken.existingSecret) {reason}"
            fix = f"type: {proposed}" if proposed else ""
            found = about(item, message, rule="existing-secret", severity=severity, field=field)
            results.append(found.replace(fix=fix, proposed=proposed))
    return sorted(results, key=lambda one: (one.message, one.file_path, one.file_index or 0))


def _maker_error(name: str, item: Item) -> Judgement:
    """Judge what will make the Secret of a name in the cluster."""
    value = item.value()
    named, typed = _MAKERS[item.group, item.kind]
    if (mapping(value, *named).get("name") or item.name) != name:
        return _NOTHING
    if mapping(value, *typed).get("type") == RESOURCE_SET_TYPE:
        return _NOTHING
    field = ".".join((*typed, "type"))
    return ERROR, f"makes a Secret that a ClusterResourceSet refuses: set {field} to {RESOURCE_SET_TYPE}", field


def _secret_error(config: Config, value: Mapping[str, Any], *, needed: bool) -> Judgement:
    """Judge a Secret: what a ClusterResourceSet refuses of it where it is needed, then what the agent would miss in it."""
    held = "stringData" if "stringData" in value else "data"
    if needed and value.get("type") != RESOURCE_SET_TYPE:
        reason = f"must be of type {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other"
        return ERROR, reason + _PRINTS, "type"
    reason = _form_error(value) if needed else ""
    if reason:
        return ERROR, reason + _PRINTS, held
    return WARNING, _content_error(config, value), held


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


def _content_error(config: Config, value: Mapping[str, Any]) -> str:
    texts = [text or "" for text in secrets.texts(value).values()]
    if not texts or any(secrets.encrypted(text) for text in texts):
        return ""
    whole = "\n".join(texts)
    if REGISTRATION_SECRET not in whole:
        return (
            f"does not hold the Secret {REGISTRATION_SECRET}, without which the agent can't start;"
            " `clusternet-capi-fn manifests --only registration` prints it"
        )
    if config.parent_url not in whole and secrets.encode(config.parent_url) not in whole:
        return "names another parent than spec.parentURL: one of them is out of date"
    return ""


# --- externalSecret --------------------------------------------------------------------------------------------------


def external_secret(config: Config, namespace: str) -> dict[str, Any]:
    """Return the ExternalSecret of a namespace, without marks; the Secret that it makes has the same name."""
    source: ExternalSource = config.token  # type: ignore[assignment] # the registry chooses by type
    name = config.registration
    metadata = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {
        "apiVersion": f"{EXTERNAL_SECRETS_GROUP}/v1",
        "kind": EXTERNAL_SECRET_KIND,
        "metadata": metadata,
        "spec": {
            "refreshInterval": source.refresh_interval,
            "secretStoreRef": {"name": source.store_name, "kind": source.store_kind},
            "target": {
                "name": name,
                "creationPolicy": "Owner",  # the Secret goes with the ExternalSecret
                "deletionPolicy": "Retain",  # but not with an entry that somebody deletes in the store
                "template": {
                    "engineVersion": "v2",
                    "mergePolicy": "Replace",  # only the manifest, not the bare token beside it
                    "type": RESOURCE_SET_TYPE,
                    # by these `status` finds the Secret
                    "metadata": {
                        "labels": dict(sorted(LABELS.items())),
                        "annotations": {OWNER_ANNOTATION: config.owner},
                    },
                    "data": {REGISTRATION_KEY: template(config)},
                },
            },
            "data": [
                {
                    "secretKey": TOKEN_KEY,
                    "remoteRef": dict(sorted({**_REMOTE_DEFAULTS, **source.remote_ref}.items())),
                }
            ],
        },
    }


def template(config: Config) -> str:
    """Return the registration manifest as a template of Go's text/template that takes the token as `.regToken`."""
    manifest = manifests.registration_object(config.agent, config.parent_url, "")
    mark = unused_mark(documents([manifest]))
    manifest["data"] = {**manifest.get("data", {}), TOKEN_KEY: mark}
    text = documents([manifest])
    return text.replace(_OPEN, _OPEN_AS_TEXT).replace(mark, _TOKEN)
