"""The tree of `spec.registrationToken`: the six sources of the token."""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.constraints import ExactlyOne
from krm_fn.config.fields import Field, Object
from krm_fn.config.kinds import Choice, Text
from krm_fn.config.tree import kubernetes

SOURCES = ("value", "secretRef", "env", "file", "existingSecret", "externalSecret")

REGISTRATION_TOKEN = Object(
    fields=(
        Field(
            name="value",
            kind=Text(),
            secret=True,
            doc="The token itself, to try things out; it is readable in Git.",
            example="abcdef.0123456789abcdef",
        ),
        Field(
            name="secretRef",
            kind=Object(
                fields=(
                    Field(
                        name="name",
                        kind=kubernetes.NAME,
                        required=True,
                        doc="Name of the Secret.",
                        example="clusternet-registration",
                    ),
                    Field(
                        name="namespace",
                        kind=kubernetes.NAMESPACE,
                        doc="Its namespace; without it, the only Secret of that name.",
                        example="clusternet-system",
                    ),
                    Field(
                        name="key",
                        kind=Text(format=formats.DATA_KEY),
                        default="regToken",
                        doc="Key that holds the token.",
                    ),
                )
            ),
            doc="A Secret among the items (SOPS, ksops, secretGenerator).",
            example={"name": "clusternet-registration"},
        ),
        Field(
            name="env",
            kind=Text(format=formats.TOKEN_VARIABLE),
            doc="An environment variable of the function, for CI and sidecars; only names that begin with CLUSTERNET_.",
            example="CLUSTERNET_TOKEN",
        ),
        Field(
            name="file",
            kind=Text(format=formats.LINE),
            doc="A file that the operator mounts, under the folder in CLUSTERNET_TOKEN_DIR (/run/secrets/clusternet).",
            example="/run/secrets/clusternet/token",
        ),
        Field(
            name="existingSecret",
            kind=Object(
                fields=(
                    Field(
                        name="name",
                        kind=kubernetes.NAME,
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
            kind=Object(
                fields=(
                    Field(
                        name="secretStoreRef",
                        kind=Object(
                            fields=(
                                Field(
                                    name="name",
                                    kind=kubernetes.NAME,
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
            doc="An ExternalSecret a namespace is made instead of a Secret; no secret is in Git at all.",
            example={"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet/registration"}},
        ),
        Field(
            name="onExpired",
            kind=Choice(values=("Warn", "Fail")),
            default="Warn",
            doc="What an expired token, or one that is about to expire, means.",
        ),
    ),
    constraints=(ExactlyOne(names=SOURCES, text="has no source"),),
)
