"""What clusternet-hub's discovery left on the management cluster, read from a dump. Its token is never shown.

Source: clusternet v0.12 to v0.18 `pkg/controllers/clusters/clusterlifecycle/discovery`: ConfigMaps
`clusternet-agent-deploy` and `clusternet-agent-rbac` and a ClusterResourceSet in each namespace with Clusters, filled in
from the Secret `capi-system/clusternet-cluster-api`.
"""

from __future__ import annotations

from typing import Any

from krm_fn.base import Record
from krm_fn.kube import raw, secrets
from krm_fn.kube.secrets import Secret
from krm_fn.status import dump as dumps
from krm_fn.status import objects
from krm_fn.status.payload import Payload
from krm_fn.surface import HUB_AGENT_MAP, HUB_NAME, HUB_NAMESPACE, HUB_RBAC_MAP, PARENT_URL_KEY, TOKEN_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from krm_fn.status.dump import Dump

_DEPLOYER = "clusternet:app:deployer"


class Discovered(Record):
    """What the hub's ConfigMaps of one namespace deliver.

    Attributes:
        image: Of the agent.
        agent_namespace: Where the agent runs on workload clusters.
        words: Its command and arguments.
        replicas: Of its Deployment; None when not said.
        pod: Its pod's spec, to see what was changed by hand.
        deployer_role: ClusterRole that the app deployer is bound to; "" when not in the dump.
    """

    namespace: str
    image: str
    parent_url: str
    agent_namespace: str
    words: tuple[str, ...]
    replicas: int | None
    pod: Mapping[str, Any]
    deployer_role: str


class Hub(Record):
    """Everything of the hub's discovery in a dump.

    Attributes:
        image, parent_url: From the Secret of discovery; "" without it.
        secret: Whether that Secret was dumped.
        discovered: By namespace.
        sets: Namespaces with the hub's ClusterResourceSet.
        maps: ConfigMaps of the hub, as (namespace, name).
        tokens: Every registration token in them, so that none gets into an output.
    """

    image: str
    parent_url: str
    secret: bool
    discovered: tuple[Discovered, ...]
    sets: tuple[str, ...]
    maps: tuple[tuple[str, str], ...]
    tokens: tuple[Secret, ...]

    @property
    def found(self) -> bool:
        """Whether there is anything of it."""
        return bool(self.secret or self.discovered or self.sets)


def read(dump: Dump) -> Hub:
    """Find the hub's objects in a dump."""
    secret = next((one for one in dump.of(dumps.SECRET) if _is_secret(one)), None)
    maps = {
        (raw.text(one, "metadata", "namespace"), raw.text(one, "metadata", "name")): one
        for one in dump.of(dumps.CONFIG_MAP)
        if raw.text(one, "metadata", "name") in {HUB_AGENT_MAP, HUB_RBAC_MAP}
    }
    sets = (objects.resource_set(one) for one in dump.of(dumps.RESOURCE_SET))
    discovered = [
        _discovered(namespace, value, maps.get((namespace, HUB_RBAC_MAP)))
        for (namespace, name), value in maps.items()
        if name == HUB_AGENT_MAP
    ]
    return Hub(
        image=_plain(secret, "image"),
        parent_url=_plain(secret, PARENT_URL_KEY),
        secret=secret is not None,
        discovered=tuple(sorted(discovered, key=lambda one: one.namespace)),
        sets=tuple(sorted(one.namespace for one in sets if one is not None and one.hub)),
        maps=tuple(sorted(maps)),
        tokens=tuple(_tokens(secret, maps.values())),
    )


def _tokens(secret: Mapping[str, Any] | None, maps: Iterable[Mapping[str, Any]]) -> Iterator[Secret]:
    plain = _plain(secret, TOKEN_KEY)
    if plain:
        yield Secret(plain)
    for value in maps:
        token = Payload(value).token()
        if token is not None:
            yield token


def _is_secret(value: Mapping[str, Any]) -> bool:
    metadata = raw.mapping(value, "metadata")
    return (metadata.get("namespace"), metadata.get("name")) == (HUB_NAMESPACE, HUB_NAME)


def _plain(secret: Mapping[str, Any] | None, key: str) -> str:
    decoded = secrets.decode(raw.text(secret, "data", key)) or b""
    return decoded.decode("utf-8", "replace").strip()


def _discovered(namespace: str, deploy: Mapping[str, Any], rbac: Mapping[str, Any] | None) -> Discovered:
    delivered = list(Payload(deploy).documents())
    deployment: Mapping[str, Any] = next((one for one in delivered if raw.text(one, "kind") == "Deployment"), {})
    registration: Mapping[str, Any] = next((one for one in delivered if raw.text(one, "kind") == "Secret"), {})
    pod = raw.mapping(deployment, "spec", "template", "spec")
    container = next(raw.entries(pod, "containers"), {})
    words = [*_words(container, "command"), *_words(container, "args")]
    bound = (
        one for one in (Payload(rbac).documents() if rbac else ()) if raw.text(one, "metadata", "name") == _DEPLOYER
    )
    role = next(
        (raw.text(one, "roleRef", "name") for one in bound if raw.text(one, "kind") == "ClusterRoleBinding"), ""
    )
    return Discovered(
        namespace=namespace,
        image=raw.text(container, "image"),
        parent_url=raw.text(registration, "stringData", PARENT_URL_KEY),
        agent_namespace=raw.text(deployment, "metadata", "namespace"),
        words=tuple(words[1:]),
        replicas=raw.number(deployment, "spec", "replicas"),
        pod=pod,
        deployer_role=role,
    )


def _words(container: Mapping[str, Any], field: str) -> list[str]:
    listed = raw.dig(container, field)
    return [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []
