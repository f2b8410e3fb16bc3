"""What arrives on a workload cluster, and what a change of the config makes of it there."""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.lab.space import Space

pytestmark = pytest.mark.both_releases


@pytest.mark.parametrize("how", ["client-side", "server-side"])
def test_the_first_apply_delivers_everything(space: Space, how: str) -> None:
    workload = space.cluster("web")
    space.config()
    space.sync(server_side=how == "server-side")
    space.wait_delivered("web")
    assert workload.container()["image"] == "ghcr.io/clusternet/clusternet-agent:v0.18.1"
    workload.wait_rolled_out()
    assert space.status().code == 0
