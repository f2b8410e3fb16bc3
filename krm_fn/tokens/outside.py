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
from krm_fn.base import late
from krm_fn.krm.results import ERROR, WARNING, about
from krm_fn.kube import secrets
from krm_fn.kube.raw import mapping, text
from krm_fn.surface import (
    EXTERNAL_SECRET_KIND,
    EXTERNAL_SECRETS_GROUP,
    LABELS,
    MIN_VALUE_BYTES,
    OWNER_ANNOTATION,
    PARENT_URL_KEY,
    REGISTRATION_KEY,
    REGISTRATION_SECRET,
    RESOURCE_SET_TYPE,
    TOKEN_KEY,
)
from krm_fn.tokens import FIELD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.clusters import Inventory
    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Result
    from krm_fn.model import Config

    Judgement = tuple[str, str, str] | None  # severity, what is wrong and the field where; None for nothing

_PRINTS = "`clusternet-capi-fn manifests PATH --only registration` prints what it must contain"
_OURS = (
    ERROR,
    (
        f"is marked as this function's own output by annotation {OWNER_ANNOTATION}, so this run would remove it: if you keep"
        " it yourself now, remove the annotation; if it is left from an earlier render, delete it"
    ),
    f"metadata.annotations.{OWNER_ANNOTATION}",
)
# Kinds that make a Secret in the cluster: where its name is, if it is another one than theirs, and where its type is.
_MAKERS = {
    ("bitnami.com", "SealedSecret"): (("spec", "template", "metadata"), ("spec", "template")),
    (EXTERNAL_SECRETS_GROUP, EXTERNAL_SECRET_KIND): (("spec", "target"), ("spec", "target", "template")),
}

_WORD = late(r"[\w.-]+")  # keys and names, whether in YAML or in JSON

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
        found: Judgement = None
        needed = item.namespace in namespaces
        if (item.group, item.kind) in _MAKERS:
            found = _judge_maker(name, item)
        elif item.kind == "Secret" and not item.group and item.name == name:
            found = _OURS if needed and item.position in own else _judge(config, item.value(), needed=needed)
        if found is not None:
            severity, reason, field = found
            parts = (
                {"fix": f"type: {RESOURCE_SET_TYPE}", "proposed": RESOURCE_SET_TYPE} if field.endswith("type") else {}
            )
            message = f"{item.kind} {item.name} ({FIELD}.{config.token.kind}) {reason}"
            results.append(about(item, message, rule="existing-secret", severity=severity, field=field, **parts))
    return sorted(results, key=lambda one: (one.message, one.file_path, one.file_index or 0))


def _judge_maker(name: str, item: Item) -> Judgement:
    """Judge what will make the Secret of a name in the cluster."""
    named, typed = _MAKERS[item.group, item.kind]
    value, field = item.value(), ".".join((*typed, "type"))
    makes = text(value, *named, "name") or item.name
    if makes != name or text(value, *typed, "type") == RESOURCE_SET_TYPE:
        return None
    return ERROR, f"makes a Secret that a ClusterResourceSet refuses: set {field} to {RESOURCE_SET_TYPE}", field


def _judge(config: Config, value: Mapping[str, Any], *, needed: bool) -> Judgement:
    """Judge a Secret: what a ClusterResourceSet refuses of it where it is needed, then what the agent would miss in it."""
    held = "stringData" if "stringData" in value else "data"
    if needed and value.get("type") != RESOURCE_SET_TYPE:
        return ERROR, f"must be of type {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other; {_PRINTS}", "type"
    values = [*mapping(value, "stringData").values(), *mapping(value, "data").values()]
    if needed and (not values or not all(isinstance(one, str) for one in values)):
        return ERROR, f"must hold the registration manifest under at least one key, as text; {_PRINTS}", held
    texts = [one for one in secrets.texts(value).values() if one is not None]
    if not values or any(map(secrets.encrypted, texts)):
        return None  # SOPS decrypts it later; nothing can be said of it
    if needed and any(len(one.encode()) < MIN_VALUE_BYTES for one in texts):
        reason = f"has a value of fewer than {MIN_VALUE_BYTES} bytes, on which Cluster API fails the whole Secret"
        return ERROR, f"{reason}; {_PRINTS}", held
    whole, reason = "\n".join(texts), ""
    words = set(_WORD.findall(whole))
    lacking = [key for key in (PARENT_URL_KEY, TOKEN_KEY) if key not in words]
    if REGISTRATION_SECRET not in words:
        reason = f"does not hold the Secret {REGISTRATION_SECRET}, without which the agent can't start; {_PRINTS}"
    elif config.agent["namespace"] not in words:
        reason = (
            f"does not hold the Secret {REGISTRATION_SECRET} for the agent's namespace {config.agent['namespace']}, without"
            f" which the agent can't start; {_PRINTS}"
        )
    elif lacking:
        reason = f"has no {' and no '.join(lacking)}, without which the agent can't start; {_PRINTS}"
    elif config.parent_url not in whole and secrets.encode(config.parent_url) not in whole:
        reason = "names a different parent than spec.parentURL: one of them is out of date"
    return (WARNING, reason, held) if reason else None


# --- externalSecret --------------------------------------------------------------------------------------------------


def external_secret(config: Config, namespace: str) -> dict[str, Any]:
    """Return the ExternalSecret of a namespace, without marks; the Secret that it makes has the same name."""
    source: Any = config.token  # an ExternalSource: the registry chooses by type
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
