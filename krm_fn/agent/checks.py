"""Agent options against the agent's release: what it would exit on, or silently do without.

The configuration's own rules (types, names, refused flags) stand in its schema; here are those that need to know what a
release of the agent understands, and those between several options.
"""

from __future__ import annotations

from krm_fn.agent import flags, versions
from krm_fn.sdk.results import Faults, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from krm_fn.model import AgentOptions

OWN_ENV = ("PARENT_URL", "REG_TOKEN", "AGENT_NAMESPACE")


def faults(options: AgentOptions) -> list[Result]:
    """Return every fault, with its field."""
    return [*_release(options), *_env(options), *_extra_args(options), *_gates(options)]


def refuse(found: Sequence[Result]) -> None:
    """Raise faults, if there are any.

    Raises:
        Faults: With all of them.
    """
    if found:
        raise Faults(found)


def _release(options: AgentOptions) -> list[Result]:
    if options.version.key >= versions.OLDEST:
        return []
    oldest = "v" + ".".join(str(part) for part in versions.OLDEST)
    message = f"agent {options.version} does not know Cluster API set-ups; use {oldest} or newer"
    return [Result(message=message, field="spec.agent.version")]


def _env(options: AgentOptions) -> list[Result]:
    return [
        Result(
            message=f"variable {one['name']} is set by the function from the registration; remove it",
            field=f"spec.agent.env[{index}].name",
        )
        for index, one in enumerate(options.env)
        if one.get("name") in OWN_ENV
    ]


def _extra_args(options: AgentOptions) -> list[Result]:
    found = []
    for index, argument in enumerate(options.extra_args):
        flag = flags.name_of(argument)
        needs = versions.flag_needs(flag, options.version)
        if needs:
            message = f"agent {options.version} exits on --{flag}, which begins with {needs}; remove it or upgrade"
            found.append(Result(message=message, field=f"spec.agent.extraArgs[{index}]"))
    if flags.value_of(options.extra_args, "secure-port") is not None and flags.health_port(options.extra_args) < 0:
        message = "--secure-port must be a port number, or 0 to serve no health checks"
        found.append(Result(message=message, field="spec.agent.extraArgs"))
    return found


def _gates(options: AgentOptions) -> list[Result]:
    found = []
    for gate in options.feature_gates:
        needs = versions.gate_needs(gate, options.version)
        if needs:
            message = (
                f"agent {options.version} exits on the gate {gate}, which begins with {needs}; remove it or upgrade"
            )
            found.append(Result(message=message, field=f"spec.agent.featureGates.{gate}"))
    if options.sync_mode != "Pull" and not flags.gates(options)["AppPusher"]:
        message = f"syncMode {options.sync_mode} needs the gate AppPusher; leave it on, or set syncMode: Pull"
        found.append(Result(message=message, field="spec.agent.featureGates.AppPusher"))
    return found
