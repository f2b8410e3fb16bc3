"""The tree of `spec.registrationToken`: the six sources of the token."""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Field, Object
from krm_fn.config.kinds import Choice, Text
from krm_fn.config.rules_in_schema import ExactlyOne
from krm_fn.config.tree import selectors
from krm_fn.kube.secrets import Secret
from krm_fn.model import EnvSource, ExistingSource, ExternalSource, FileSource, SecretSource, ValueSource
from krm_fn.surface import SYSTEM_NAMESPACE, TOKEN_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.model import TokenSource


def _secret_ref(value: Mapping[str, Any]) -> SecretSource:
    return SecretSource(name=value["name"], namespace=value.get("namespace", ""), key=value["key"])


def _external_secret(value: Mapping[str, Any]) -> ExternalSource:
    return ExternalSource(
        store_name=value["secretStoreRef"]["name"],
        store_kind=value["secretStoreRef"]["kind"],
        remote_ref=value["remoteRef"],
        refresh_interval=value["refreshInterval"],
    )


SOURCES = (
    Field(
        name="value",
        record=lambda value: ValueSource(value=Secret(value)),
        kind=Text(),
        secret=True,
        doc="The token itself, to try things out; it is readable in Git.",
        example="abcdef.0123456789abcdef",
    ),
    Field(
        name="secretRef",
        record=_secret_ref,
        kind=Object(
            fields=(
                Field(
                    name="name",
                    kind=selectors.NAME,
                    required=True,
                    doc="Name of the Secret.",
                    example="clusternet-registration",
                ),
                Field(
                    name="namespace",
                    kind=selectors.NAMESPACE,
                    doc="Its namespace; without it, the only Secret of that name.",
                    example=SYSTEM_NAMESPACE,
                ),
                Field(
                    name="key",
                    kind=Text(format=formats.DATA_KEY),
                    default=TOKEN_KEY,
                    doc="Key that holds the token.",
                ),
            )
        ),
        doc="A Secret among the items (SOPS, ksops, secretGenerator).",
        example={"name": "clusternet-registration"},
    ),
    Field(
        name="env",
        record=lambda value: EnvSource(variable=value),
        kind=Text(format=formats.TOKEN_VARIABLE),
        doc="An environment variable of the function, for CI and sidecars; only names that begin with CLUSTERNET_.",
        example="CLUSTERNET_TOKEN",
    ),
    Field(
        name="file",
        record=lambda value: FileSource(path=value),
        kind=Text(format=formats.LINE),
        doc="A file that the operator mounts, under the folder in CLUSTERNET_TOKEN_DIR (/run/secrets/clusternet).",
        example="/run/secrets/clusternet/token",
    ),
    Field(
        name="existingSecret",
        record=lambda value: ExistingSource(name=value["name"]),
        kind=Object(
            fields=(
                Field(
                    name="name",
                    kind=selectors.NAME,
                    required=True,
                    doc="Name of the Secret, in every namespace that has matching Clusters.",
                    example="clusternet-registration",
                ),
            )
        ),
        doc="A Secret of type resource-set that you keep in each namespace (SealedSecret, SOPS, …); its value is "
        "the whole registration manifest.",
        example={"name": "clusternet-registration"},
    ),
    Field(
        name="externalSecret",
        record=_external_secret,
        kind=Object(
            fields=(
                Field(
                    name="secretStoreRef",
                    kind=Object(
                        fields=(
                            Field(
                                name="name",
                                kind=selectors.NAME,
                                required=True,
                                doc="Name of the store.",
                                example="vault",
                            ),
                            Field(
                                name="kind",
                                kind=Choice(values=("SecretStore", "ClusterSecretStore")),
                                default="SecretStore",
                                doc="Its kind.",
                            ),
                        )
                    ),
                    required=True,
                    doc="The store of the External Secrets Operator.",
                    example={"name": "vault", "kind": "ClusterSecretStore"},
                ),
                Field(
                    name="remoteRef",
                    kind=Object(
                        fields=(
                            Field(
                                name="key",
                                kind=Text(format=formats.LINE),
                                required=True,
                                doc="Key in the store.",
                                example="clusternet/registration",
                            ),
                            Field(
                                name="property",
                                kind=Text(format=formats.LINE),
                                doc="Property of it.",
                                example="token",
                            ),
                            Field(
                                name="version",
                                kind=Text(format=formats.LINE),
                                doc="Version of it.",
                                example="1",
                            ),
                            Field(
                                name="conversionStrategy",
                                kind=Choice(values=("Default", "Unicode")),
                                doc="As in External Secrets.",
                            ),
                            Field(
                                name="decodingStrategy",
                                kind=Choice(values=("Auto", "Base64", "Base64URL", "None")),
                                doc="As in External Secrets.",
                            ),
                            Field(
                                name="metadataPolicy",
                                kind=Choice(values=("None", "Fetch")),
                                doc="As in External Secrets.",
                            ),
                        )
                    ),
                    required=True,
                    doc="Where the token is in that store.",
                    example={"key": "clusternet/registration", "property": "token"},
                ),
                Field(
                    name="refreshInterval",
                    kind=Text(format=formats.DURATION),
                    default="1h",
                    doc="How often it is fetched again.",
                ),
            )
        ),
        doc="Creates one ExternalSecret per namespace instead of a Secret; Git holds no secret at all.",
        example={"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet/registration"}},
    ),
)

REGISTRATION_TOKEN = Object(
    instead=": name where the token comes from on a line below, such as secretRef",
    fields=(
        *SOURCES,
        Field(
            name="onExpired",
            kind=Choice(values=("Warn", "Fail")),
            default="Warn",
            doc="What an expired token, or one that is about to expire, means.",
        ),
    ),
    constraints=(ExactlyOne(names=tuple(field.name for field in SOURCES), text="has no source"),),
)


def source(value: Mapping[str, Any]) -> TokenSource:
    """Return the record of a checked `registrationToken`."""
    record, given = next((field.record, value[field.name]) for field in SOURCES if field.record and field.name in value)
    found: TokenSource = record(given).replace(on_expired=value["onExpired"])  # type: ignore[assignment]
    return found
