"""The tree of `spec.registrationToken`: the sources of the token, whose records `tokens.sources` makes."""

from __future__ import annotations

from krm_fn.config import formats
from krm_fn.config.fields import Field, Object
from krm_fn.config.kinds import Choice, Text
from krm_fn.config.rules import ExactlyOne
from krm_fn.config.tree import selectors
from krm_fn.surface import SYSTEM_NAMESPACE, TOKEN_KEY
from krm_fn.tokens import sources

REGISTRATION_TOKEN = Object(
    Field(
        "value",
        Text(),
        "The token itself, to try things out; it is readable in Git.",
        secret=True,
        example="abcdef.0123456789abcdef",
    ),
    Field(
        "secretRef",
        Object(
            Field("name", selectors.NAME, "Name of the Secret.", required=True, example="clusternet-registration"),
            Field(
                "namespace",
                selectors.NAMESPACE,
                "Its namespace; without it, the only Secret of that name.",
                example=SYSTEM_NAMESPACE,
            ),
            Field("key", Text(formats.DATA_KEY), "Key that holds the token.", default=TOKEN_KEY),
        ),
        "A Secret among the items (SOPS, ksops, secretGenerator).",
        example={"name": "clusternet-registration"},
    ),
    Field(
        "env",
        Text(formats.TOKEN_VARIABLE),
        "An environment variable of the function, for CI and sidecars; only names that begin with CLUSTERNET_.",
        example="CLUSTERNET_TOKEN",
    ),
    Field(
        "file",
        Text(formats.LINE),
        "A file that the operator mounts, under the folder in CLUSTERNET_TOKEN_DIR (/run/secrets/clusternet).",
        example="/run/secrets/clusternet/token",
    ),
    Field(
        "existingSecret",
        Object(
            Field(
                "name",
                selectors.NAME,
                "Name of the Secret, in every namespace that has matching Clusters.",
                required=True,
                example="clusternet-registration",
            )
        ),
        "A Secret of type resource-set that you keep in each namespace (SealedSecret, SOPS, …); its value is "
        "the whole registration manifest.",
        example={"name": "clusternet-registration"},
    ),
    Field(
        "externalSecret",
        Object(
            Field(
                "secretStoreRef",
                Object(
                    Field("name", selectors.NAME, "Name of the store.", required=True, example="vault"),
                    Field("kind", Choice("SecretStore", "ClusterSecretStore"), "Its kind.", default="SecretStore"),
                ),
                "The store of the External Secrets Operator.",
                required=True,
                example={"name": "vault", "kind": "ClusterSecretStore"},
            ),
            Field(
                "remoteRef",
                Object(
                    Field(
                        "key", Text(formats.LINE), "Key in the store.", required=True, example="clusternet/registration"
                    ),
                    Field("property", Text(formats.LINE), "Property of it.", example="token"),
                    Field("version", Text(formats.LINE), "Version of it.", example="1"),
                    Field("conversionStrategy", Choice("Default", "Unicode"), "As in External Secrets."),
                    Field("decodingStrategy", Choice("Auto", "Base64", "Base64URL", "None"), "As in External Secrets."),
                    Field("metadataPolicy", Choice("None", "Fetch"), "As in External Secrets."),
                ),
                "Where the token is in that store.",
                required=True,
                example={"key": "clusternet/registration", "property": "token"},
            ),
            Field("refreshInterval", Text(formats.DURATION), "How often it is fetched again.", default="1h"),
        ),
        "Creates one ExternalSecret per namespace instead of a Secret; Git holds no secret at all.",
        example={"secretStoreRef": {"name": "vault"}, "remoteRef": {"key": "clusternet/registration"}},
    ),
    Field(
        "onExpired",
        Choice("Warn", "Fail"),
        "What to do about a token that has expired or is about to.",
        default="Warn",
    ),
    instead=": name where the token comes from on a line below, such as secretRef",
    constraints=(ExactlyOne(*sources.KINDS, text="has no source"),),
)
