"""What someone changed by hand in the agent Deployment that the hub delivers, as fields of our config.

The hub's template is the same from v0.12 to v0.18 (facts: clusternet
`pkg/controllers/clusters/clusterlifecycle/discovery/manifest.go`), so whatever differs from it was meant.
"""

from __future__ import annotations

from krm_fn.kube import raw
from krm_fn.surface import SYSTEM_NAMESPACE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.status.hub import Discovered

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


def agent(one: Discovered) -> dict[str, Any]:
    """Return what goes under `spec.agent`."""
    container = next(raw.entries(one.pod, "containers"), {})
    found: dict[str, Any] = {
        "namespace": "" if one.agent_namespace == SYSTEM_NAMESPACE else one.agent_namespace,
        "replicas": None if one.replicas == _REPLICAS else one.replicas,
        "imagePullPolicy": _other_than("IfNotPresent", raw.text(container, "imagePullPolicy")),
        "imagePullSecrets": [
            name for entry in raw.entries(one.pod, "imagePullSecrets") if (name := raw.text(entry, "name"))
        ],
        "resources": raw.mapping(container, "resources"),
        "nodeSelector": raw.mapping(one.pod, "nodeSelector"),
        "affinity": raw.mapping(one.pod, "affinity"),
        "priorityClassName": raw.text(one.pod, "priorityClassName"),
        "tolerations": _tolerations(one.pod),
        **_from_words(one.words),
    }
    # a number of replicas may be 0; everything else that is empty was not set
    return {field: value for field, value in found.items() if value or (field == "replicas" and value is not None)}


def identity(one: Discovered) -> dict[str, Any]:
    """Return what goes under `spec.identity`."""
    prefix = _value("--cluster-reg-name-prefix", one.words)
    return {"namePrefix": prefix} if prefix else {}


def _from_words(words: tuple[str, ...]) -> dict[str, Any]:
    named = ("--cluster-reg-name-prefix", "--cluster-sync-mode", "--cluster-reg-type", "--feature-gates", *_OURS)
    return {
        "clusterType": _value("--cluster-reg-type", words),
        "syncMode": _other_than("Dual", _value("--cluster-sync-mode", words)),
        "featureGates": _gates(_value("--feature-gates", words)) if words else {},
        "extraArgs": [
            word
            for word in words
            if word.startswith("--") and word not in _WORDS and word.partition("=")[0] not in named
        ],
    }


def _value(flag: str, words: tuple[str, ...]) -> str:
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
