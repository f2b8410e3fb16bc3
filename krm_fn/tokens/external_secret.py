"""The ExternalSecret that makes the External Secrets Operator build the registration Secret, so that Git holds no token.

The operator fetches the token on the management cluster and runs the registration manifest through Go's text/template
(its engine `v2`). The manifest is the one that inline sources emit, with a template action in place of the token. All
other text is written so that the engine gives it back unchanged: with missing keys an error and `{{` a delimiter, a
stray brace in an annotation would otherwise fail the whole Secret.

Facts: external-secrets `apis/externalsecrets/v1`, `runtime/template/v2` (v0.16 to v2): `data` and the labels and
annotations of `target.template` are templates, their keys are not.
"""

from __future__ import annotations

from krm_fn.agent import documents, manifests
from krm_fn.surface import (
    EXTERNAL_SECRET_KIND,
    EXTERNAL_SECRETS_GROUP,
    LABELS,
    OWNER_ANNOTATION,
    REGISTRATION_KEY,
    RESOURCE_SET_TYPE,
    TOKEN_KEY,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.model import Config, ExternalSource


_OPEN = "{{"
_OPEN_AS_TEXT = '{{ "{{" }}'
_TOKEN = "{{ ." + TOKEN_KEY + " | trim | b64enc }}"

# Up to v2.x the API server fills these in, and Argo CD compares lists whole: without them it sees a difference forever
# (external-secrets#6797).
_REMOTE_DEFAULTS = {"conversionStrategy": "Default", "decodingStrategy": "None", "metadataPolicy": "None"}


def external_secret(config: Config, source: ExternalSource, namespace: str, name: str) -> dict[str, Any]:
    """Return the ExternalSecret of a namespace, without marks; the Secret that it makes has the same name."""
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
    mark = _unused(documents([manifest]))
    manifest["data"] = {**manifest.get("data", {}), TOKEN_KEY: mark}
    text = documents([manifest])
    return text.replace(_OPEN, _OPEN_AS_TEXT).replace(mark, _TOKEN)


def _unused(text: str) -> str:
    """Return letters that a text does not hold."""
    mark = "TOKEN"
    while mark in text:
        mark += "X"
    return mark
