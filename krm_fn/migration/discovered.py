"""What clusternet-hub's discovery left on the management cluster, read from a dump. Its token is never shown.

Source: clusternet v0.12 to v0.18 `pkg/controllers/clusters/clusterlifecycle/discovery`: ConfigMaps
`clusternet-agent-deploy` and `clusternet-agent-rbac` and a ClusterResourceSet in each namespace with Clusters, filled in
from the Secret `capi-system/clusternet-cluster-api`.

What someone changed by hand in the agent Deployment that the hub delivers becomes fields of our config. The hub's template
(`manifest.go` there) is the same from v0.12 to v0.18, so whatever differs from it was meant.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from krm_fn import surface
from krm_fn.kube import raw, secrets
from krm_fn.status import dump as dumps
from krm_fn.status import objects
from krm_fn.status.objects import Payload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from krm_fn.status.dump import Dump

_REPLICAS = 3
_GATES = {"SocketConnection": True, "AppPusher": True, "Recovery": True, "Predictor": True}
_MASTER = {"key": "node-role.kubernetes.io/master", "operator": "Exists"}
_CONTROL_PLANE = {"key": "node-role.kubernetes.io/control-plane", "operator": "Exists"}
_WORDS = frozenset(
    {
        "--cluster-sync-mode=Dual",
        "--use-metrics-server=false",
        "--leader-elect=true",
        "--leader-elect-resource-namespace=$(AGENT_NAMESPACE)",
        "--predictor-direct-access=false",
        "--predictor-port=8080",
        "--kube-api-qps=50",
        "--kube-api-burst=100",
    }
)
# the token and the URL have their own place in the config, and the token must not be taken over
_OURS = ("--cluster-reg-token", "--cluster-reg-parent-url")


class Hub:
    """Everything of the hub's discovery in a dump."""

    def __init__(self, dump: Dump) -> None:
        at = (surface.HUB_NAMESPACE, surface.HUB_NAME)
        secret = next((one for one in dump.of(dumps.SECRET) if raw.key(one) == at), None)
        maps = {
            raw.key(one): one
            for one in dump.of(dumps.CONFIG_MAP)
            if raw.key(one)[1] in {surface.HUB_AGENT_MAP, surface.HUB_RBAC_MAP}
        }
        sets = (objects.resource_set(one) for one in dump.of(dumps.RESOURCE_SET))
        self.image = _plain(secret, "image")  # from the Secret of discovery; "" without it
        self.parent_url = _plain(secret, surface.PARENT_URL_KEY)
        self.discovered = [
            Discovered(namespace, value, maps.get((namespace, surface.HUB_RBAC_MAP)))
            for (namespace, name), value in sorted(maps.items(), key=lambda item: item[0])
            if name == surface.HUB_AGENT_MAP
        ]
        self.sets = sorted(one.namespace for one in sets if one is not None and one.hub)  # their namespaces
        self.maps = sorted(maps)  # its ConfigMaps, as (namespace, name)
        self.found = bool(secret or self.discovered or self.sets)
        # every registration token in them, so that none gets into an output
        held = (Payload(one).token for one in (secret, *maps.values()) if one is not None)
        self.tokens = tuple(token for token in held if token is not None)

    @property
    def typical(self) -> Discovered:
        """The namespace to take changes made by hand from: the first with the image that most have."""
        image = most(one.image for one in self.discovered)
        return next(one for one in self.discovered if one.image == image)


class Discovered:
    """What the hub's ConfigMaps of one namespace deliver."""

    def __init__(self, namespace: str, deploy: Mapping[str, Any], rbac: Mapping[str, Any] | None) -> None:
        self.namespace = namespace
        delivered = list(Payload(deploy).documents())
        deployment: dict[str, Any] = next((one for one in delivered if raw.text(one, "kind") == "Deployment"), {})
        registration: dict[str, Any] = next((one for one in delivered if raw.text(one, "kind") == "Secret"), {})
        pod = raw.pod_spec(deployment)
        container = next(raw.entries(pod, "containers"), {})
        words = [*_words(container, "command"), *_words(container, "args")][1:]
        prefix = _value("--cluster-reg-name-prefix", words)
        self.image = raw.text(container, "image")
        self.parent_url = raw.text(registration, "stringData", surface.PARENT_URL_KEY)
        # what was changed by hand, as it goes under `spec.agent` and `spec.identity`
        self.agent = _agent(deployment, pod, container, words)
        self.identity = {"namePrefix": prefix} if prefix else {}
        # the ClusterRole that the app deployer is bound to; "" when not in the dump
        self.deployer_role = next(
            (
                raw.text(one, "roleRef", "name")
                for one in (Payload(rbac).documents() if rbac else ())
                if (raw.text(one, "kind"), raw.text(one, "metadata", "name"))
                == ("ClusterRoleBinding", surface.DEPLOYER_ROLE)
            ),
            "",
        )


def most(values: Iterable[str]) -> str:
    """Return the most frequent value; of equally frequent ones, the last in order; "" without any."""
    found = Counter(filter(None, values))
    return max(found, key=lambda value: (found[value], value), default="")


def _plain(secret: Mapping[str, Any] | None, key: str) -> str:
    decoded = secrets.decode(raw.text(secret, "data", key)) or b""
    return decoded.decode("utf-8", "replace").strip()


def _words(container: Mapping[str, Any], field: str) -> list[str]:
    return [word for word in raw.sequence(raw.dig(container, field)) if isinstance(word, str)]


# --- what was changed by hand ----------------------------------------------------------------------------------------


def _agent(
    deployment: Mapping[str, Any], pod: Mapping[str, Any], container: Mapping[str, Any], words: Sequence[str]
) -> dict[str, Any]:
    """Return what goes under `spec.agent`."""
    replicas = raw.number(deployment, "spec", "replicas")
    named = ("--cluster-reg-name-prefix", "--cluster-sync-mode", "--cluster-reg-type", "--feature-gates", *_OURS)
    found: dict[str, Any] = {
        "namespace": _other_than(surface.SYSTEM_NAMESPACE, raw.text(deployment, "metadata", "namespace")),
        "replicas": None if replicas == _REPLICAS else replicas,
        "imagePullPolicy": _other_than("IfNotPresent", raw.text(container, "imagePullPolicy")),
        "imagePullSecrets": [name for one in raw.entries(pod, "imagePullSecrets") if (name := raw.text(one, "name"))],
        "resources": raw.mapping(container, "resources"),
        "nodeSelector": raw.mapping(pod, "nodeSelector"),
        "affinity": raw.mapping(pod, "affinity"),
        "priorityClassName": raw.text(pod, "priorityClassName"),
        "tolerations": _tolerations(pod),
        "clusterType": _value("--cluster-reg-type", words),
        "syncMode": _other_than("Dual", _value("--cluster-sync-mode", words)),
        "featureGates": _gates(_value("--feature-gates", words)) if words else {},
        "extraArgs": [
            word
            for word in words
            if word.startswith("--") and word not in _WORDS and word.partition("=")[0] not in named
        ],
    }
    # a number of replicas may be 0; everything else that is empty was not set
    return {field: value for field, value in found.items() if value or (field == "replicas" and value is not None)}


def _value(flag: str, words: Sequence[str]) -> str:
    return next((word.partition("=")[2] for word in words if word.partition("=")[0] == flag), "")


def _other_than(usual: str, value: str) -> str:
    return "" if value == usual else value


def _gates(value: str) -> dict[str, bool]:
    """Return the feature gates that differ from the template's; one that is not named is off (`pkg/features`)."""
    named = {
        gate: setting == "true" for gate, equals, setting in (one.partition("=") for one in value.split(",")) if equals
    }
    given = {**dict.fromkeys(_GATES, False), **named}
    return {gate: setting for gate, setting in sorted(given.items()) if _GATES.get(gate) is not setting}


def _tolerations(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return all tolerations when someone added one: in our config they replace the default."""
    added = [entry for entry in raw.entries(pod, "tolerations") if entry not in (_MASTER, _CONTROL_PLANE)]
    return [_CONTROL_PLANE, _MASTER, *added] if added else []
