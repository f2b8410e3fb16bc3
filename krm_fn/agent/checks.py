"""Agent options against the agent's release: what that release would exit on, on every cluster at once.

All other rules about options are the configuration's: its tree in `config/tree/agent.py`, and `config/rules_in_code.py`.
"""

from __future__ import annotations

from krm_fn.agent import flags, manifests, patches, releases
from krm_fn.krm.results import Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import AgentOptions


def review(options: AgentOptions) -> None:
    """Check options against the agent's release, and patches against its objects: once, before anything is built.

    Raises:
        Errors: With every error found; their fields begin with `spec.agent`.
    """
    found = [*_extra_args(options), *_gates(options)]
    if options.patches:
        found += patches.errors(manifests.every_object(options), options.patches)
    if found:
        raise Errors(found)


def _extra_args(options: AgentOptions) -> list[Result]:
    found = []
    for index, argument in enumerate(options["extraArgs"]):
        flag = flags.name_of(argument)
        needs = releases.flag_needs(flag, options.version)
        if needs:
            message = (
                f"agent {options.version} exits on --{flag}, which is available from {needs}; remove it or upgrade"
            )
            found.append(Result(message=message, field=f"spec.agent.extraArgs[{index}]"))
    if flags.value_of(options["extraArgs"], "secure-port") is not None and flags.health_port(options["extraArgs"]) < 0:
        message = "--secure-port must be a port number, or 0 to serve no health checks"
        found.append(Result(message=message, field="spec.agent.extraArgs"))
    return found


def _gates(options: AgentOptions) -> list[Result]:
    given = dict.fromkeys(options["featureGates"], "")
    flag = flags.value_of(options["extraArgs"], "feature-gates")
    if flag is not None:  # it replaces ours, the field's gates included
        given = {pair.partition("=")[0].strip(): "spec.agent.extraArgs" for pair in flag.split(",")}
    found = []
    for gate, field in given.items():
        needs = releases.gate_needs(gate, options.version)
        if needs:
            message = f"agent {options.version} exits on the gate {gate}, which is available from {needs}; remove it or upgrade"
            found.append(Result(message=message, field=field or f"spec.agent.featureGates.{gate}"))
    return found
