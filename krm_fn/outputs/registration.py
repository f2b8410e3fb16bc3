"""How the registration Secret comes to each namespace, by token source: a registry, one line a source."""

from __future__ import annotations

from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import carriers, marks
from krm_fn.surface import EXTERNAL_SECRET_KIND, EXTERNAL_SECRETS_GROUP, registration_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from krm_fn.model import Config

    Carrier = Callable[[Config, str, Mapping[str, str]], Generated | None]


def _inline(config: Config, namespace: str, values: Mapping[str, str]) -> Generated | None:
    return carriers.registration_secret(config, namespace, values)


def _existing(_config: Config, _namespace: str, _values: Mapping[str, str]) -> Generated | None:
    return None


def _external(config: Config, namespace: str, _values: Mapping[str, str]) -> Generated | None:
    from krm_fn.outputs import external_secret  # noqa: PLC0415 - for this source alone

    name = registration_of(config.resource_set.name)
    value = external_secret.external_secret(config, namespace, name)
    value["metadata"] = marks.metadata(config, namespace, name, annotations=marks.for_embedded_text(config))
    key = ObjectKey(group=EXTERNAL_SECRETS_GROUP, kind=EXTERNAL_SECRET_KIND, namespace=namespace, name=name)
    return Generated(key=key, value=value, owner=config.owner)


CARRIERS: dict[str, Carrier] = {
    "value": _inline,
    "secretRef": _inline,
    "env": _inline,
    "file": _inline,
    "existingSecret": _existing,
    "externalSecret": _external,
}


def carrier(config: Config, namespace: str, values: Mapping[str, str]) -> Generated | None:
    """Return the object that brings the registration manifest to a namespace; None where the user keeps it there.

    Args:
        config: The config; its token source decides.
        namespace: Namespace of the Clusters.
        values: The registration manifest under its key; empty where the token lies outside.
    """
    return CARRIERS[config.token.kind](config, namespace, values)


def secret_name(config: Config) -> str:
    """Return the name of the Secret that the ClusterResourceSets refer to."""
    return config.token.existing_secret or registration_of(config.resource_set.name)
