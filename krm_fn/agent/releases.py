"""Releases of clusternet-agent: what changes in its manifests, and which flags and gates each release knows.

Source: clusternet/clusternet `deploy/agent` and `pkg/agent/options` at the tags v0.12.0 to v0.18.1. A new release that
changes the manifests is one more name in `Traits` and one more line in `traits`.
"""

from __future__ import annotations

from krm_fn.base import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from krm_fn.model import AgentVersion

# Values of --cluster-sync-mode and --cluster-reg-type.
SYNC_MODES = ("Push", "Pull", "Dual")
CLUSTER_TYPES = ("StandardCluster", "EdgeCluster")
HEALTH_PORT = 10650  # the agent's default from v0.15 on

_MAX_PORT = 65535
# An agent exits on a flag or gate that it doesn't know, and it would do so on every cluster at once.
_SINCE = {
    "labels-aggregate-threshold": (0, 13, 0),
    "secure-port": (0, 15, 0),
    "kube-api-qps": (0, 15, 0),
    "kube-api-burst": (0, 15, 0),
    "labels-aggregate-prefix": (0, 16, 0),
    "MultiClusterService": (0, 15, 0),
}


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


def needs(name: str, version: AgentVersion) -> str:
    """Return the first release that knows a flag (without dashes in front) or a gate, if the given one is older; else empty."""
    first = _SINCE.get(name, version.key)
    return "" if version.key >= first else f"v{'.'.join(map(str, first))}"


# --- flags -----------------------------------------------------------------------------------------------------------


def flag_name(argument: str) -> str:
    """Return the name of the flag that an argument gives, as the agent's parser compares them: `_` equals `-`.

    Source: spf13/pflag with the normaliser of k8s.io/component-base. An argument is `--name` or `--name=value`.
    """
    return argument.removeprefix("--").partition("=")[0].replace("_", "-")


def flag_value(arguments: Iterable[str], flag: str) -> str | None:
    """Return the value given to a flag, "" for one without a value; None when it is not given."""
    values = [argument.partition("=")[2] for argument in arguments if flag_name(argument) == flag]
    return values[-1] if values else None


def health_port(arguments: Iterable[str]) -> int:
    """Return the port of the health checks under these arguments; 0 where they are off, -1 for no port number."""
    text = flag_value(arguments, "secure-port")
    if text is None:
        return HEALTH_PORT
    right = text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT)) and int(text) <= _MAX_PORT
    return int(text) if right else -1
