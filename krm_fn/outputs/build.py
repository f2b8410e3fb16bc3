"""All objects of one config: what each namespace and, with PerCluster, each Cluster gets."""

from __future__ import annotations

from krm_fn.agent import payload
from krm_fn.agent.flags import Registration
from krm_fn.base import sha256_hex
from krm_fn.clusters.part import shared_labels
from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import carriers, resource_set
from krm_fn.surface import HUB_NAME, HUB_NAMESPACE
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from krm_fn.clusters.part import Part
    from krm_fn.model import AgentOptions, Cluster, Config


def build(part: Part) -> Iterator[Generated]:
    """Yield the objects of one config.

    Raises:
        Errors: The agent's options don't fit one another, or an object would be too large.
    """
    config, token = part.config, part.token
    by_namespace: dict[str, list[Cluster]] = {namespace: [] for namespace in part.namespaces}
    for cluster in part.served:
        by_namespace.setdefault(cluster.namespace, []).append(cluster)
    if config.hub.discovery_secret and token.secret is not None:
        yield _discovery_secret(part)
    if not by_namespace:
        return
    _check(config.agent)
    identity_values = payload.identity_values(config.agent)
    registration_values: dict[str, str] = {}
    if token.secret is not None:
        registration_values = payload.registration_values(config.agent, config.parent_url, token.secret.reveal())
    checksum = _checksum(config, registration_values)
    agent = payload.AgentPayload(config.agent)
    secret = sources.secret_name(config)
    for namespace, clusters in sorted(by_namespace.items()):
        version = resource_set.api_version(config, clusters)
        yield carriers.identity_map(config, namespace, identity_values)
        carrier = carriers.registration(config, namespace, registration_values)
        if carrier is not None:
            yield carrier
        identity_set = resource_set.identity_set(config, namespace, version)
        if identity_set is not None:
            yield identity_set
        if not config.per_cluster:
            labels = shared_labels(config, namespace)
            shared = Registration(name_prefix=config.identity.name_prefix, labels=labels)
            yield carriers.agent_map(config, namespace, agent.values(shared, checksum))
            yield resource_set.main_set(config, namespace, version, registration=secret)
            continue
        for cluster in clusters:
            found = part.namings[cluster.key]
            values = agent.values(Registration(name=found.name, labels=found.labels), checksum)
            own = {"cluster": cluster.name, "registration_name": found.name}
            yield carriers.agent_map(config, namespace, values, **own)
            yield resource_set.main_set(config, namespace, version, registration=secret, **own)


def _check(options: AgentOptions) -> None:
    if options.extra_args or options.feature_gates or options.patches:
        from krm_fn.agent import checks  # noqa: PLC0415 - most configs keep the agent's defaults

        checks.review(options)


def _discovery_secret(part: Part) -> Generated:
    from krm_fn.hub.discovery import discovery_secret  # noqa: PLC0415 - for those who keep hub discovery

    config = part.config
    value = discovery_secret(config, part.token)
    key = ObjectKey(group="", kind="Secret", namespace=HUB_NAMESPACE, name=HUB_NAME)
    marked = {**value, "metadata": carriers.metadata(config, HUB_NAMESPACE, HUB_NAME)}
    return Generated(key=key, value=marked, owner=config.owner)


def _checksum(config: Config, registration_values: Mapping[str, str]) -> str:
    """Return what makes pods roll when the registration changes.

    The agent reads URL and token from environment variables, which a running pod never sees change. A token that is kept
    outside is not known here, so a change of it does not roll the pods (docs/tokens.md).
    """
    text = "".join(registration_values.values()) or f"{config.token.kind} {config.parent_url}"
    return sha256_hex(text.encode())[:32]
