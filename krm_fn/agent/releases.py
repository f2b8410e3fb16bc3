"""What changes at which release of clusternet-agent.

Source: clusternet/clusternet `deploy/agent` and `pkg/agent/options` at the tags v0.12.0 to v0.18.1. A new release that
changes the manifests is one more name in `Traits` and one more line in `traits`.
"""

from __future__ import annotations

from krm_fn.base import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import AgentVersion


class Traits(Record):
    """What is true of one release.

    Attributes:
        endpoint_slices: The agent watches EndpointSlices and the multi-cluster service kinds.
        export_writes: It writes to ServiceExports.
        own_deployer_role: The app deployer has a ClusterRole of its own, instead of `cluster-admin`.
        leader_elect_flag: The manifests say `--leader-elect=true`.
        health_port: Health and metrics are served over HTTPS, so probes are possible.
        client_limits: The manifests set `--kube-api-qps` and `--kube-api-burst`.
    """

    endpoint_slices: bool
    export_writes: bool
    own_deployer_role: bool
    leader_elect_flag: bool
    health_port: bool
    client_limits: bool


# An agent exits on a flag or gate that it doesn't know, and it would do so on every cluster at once.
_FLAGS_SINCE = {
    "labels-aggregate-threshold": (0, 13, 0),
    "secure-port": (0, 15, 0),
    "kube-api-qps": (0, 15, 0),
    "kube-api-burst": (0, 15, 0),
    "labels-aggregate-prefix": (0, 16, 0),
}
_GATES_SINCE = {"MultiClusterService": (0, 15, 0)}


def traits(version: AgentVersion) -> Traits:
    """Return what is true of a release; one newer than any known is taken to be like the newest known."""
    key = version.key
    return Traits(
        endpoint_slices=key >= (0, 13, 0),
        leader_elect_flag=key >= (0, 15, 0),
        health_port=key >= (0, 15, 0),
        export_writes=key >= (0, 15, 2),
        own_deployer_role=key < (0, 15, 2),
        client_limits=key >= (0, 16, 0),
    )


def flag_needs(flag: str, version: AgentVersion) -> str:
    """Return the first release that knows a flag (without dashes in front), if the given one is older; else empty."""
    return _later(_FLAGS_SINCE.get(flag), version)


def gate_needs(gate: str, version: AgentVersion) -> str:
    """Return the first release that knows a feature gate, if the given one is older; else empty."""
    return _later(_GATES_SINCE.get(gate), version)


def _later(first: tuple[int, int, int] | None, version: AgentVersion) -> str:
    if first is None or version.key >= first:
        return ""
    return "v" + ".".join(str(part) for part in first)
