"""Agent options against the agent's release."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.agent import checks
from krm_fn.krm.results import Errors
from tests.unit.agent.options import RELEASES, agent


@pytest.mark.parametrize("release", RELEASES)
def test_the_defaults_have_no_error_under_any_release(release: str) -> None:
    checks.review(agent(release))


@pytest.mark.parametrize(
    ("release", "changes", "field", "message"),
    [
        (
            "v0.14.0",
            {"extraArgs": ("--v=4", "--secure_port=10650")},
            "spec.agent.extraArgs[1]",
            "agent v0.14.0 exits on --secure-port, which is available from v0.15.0; remove it or upgrade",
        ),
        (
            "v0.18.1",
            {"extraArgs": ("--secure-port=x",)},
            "spec.agent.extraArgs",
            "--secure-port must be a port number, or 0 to serve no health checks",
        ),
        (
            "v0.14.0",
            {"featureGates": {"MultiClusterService": False}},
            "spec.agent.featureGates.MultiClusterService",
            "agent v0.14.0 exits on the gate MultiClusterService, which is available from v0.15.0; remove it or upgrade",
        ),
        (
            "v0.14.0",
            {"extraArgs": ("--feature-gates=AppPusher=true, MultiClusterService=true",)},
            "spec.agent.extraArgs",
            "agent v0.14.0 exits on the gate MultiClusterService, which is available from v0.15.0; remove it or upgrade",
        ),
    ],
)
def test_an_option_that_the_agent_would_exit_on_is_an_error(
    release: str, changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(Errors) as raised:
        checks.review(agent(release, **changes))

    (result,) = raised.value.results
    assert (result.field, result.message, result.severity) == (field, message, "error")


def test_all_errors_are_raised_at_once() -> None:
    options = agent("v0.14.0", featureGates={"MultiClusterService": True}, extraArgs=("--secure-port=1",))

    with pytest.raises(Errors) as raised:
        checks.review(options)

    assert len(raised.value.results) == 2
