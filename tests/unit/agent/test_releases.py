"""What changes at which release."""

from __future__ import annotations

import pytest

from krm_fn.agent import releases
from tests.unit.agent.options import version


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("v0.12.0", {"own_deployer_role"}),
        ("v0.12.9", {"own_deployer_role"}),
        ("v0.13.0", {"own_deployer_role", "endpoint_slices"}),
        ("v0.14.0", {"own_deployer_role", "endpoint_slices"}),
        ("v0.15.0", {"own_deployer_role", "endpoint_slices", "leader_elect_flag", "health_port"}),
        ("v0.15.1", {"own_deployer_role", "endpoint_slices", "leader_elect_flag", "health_port"}),
        ("v0.15.2", {"endpoint_slices", "leader_elect_flag", "health_port", "export_writes"}),
        ("v0.16.0", {"endpoint_slices", "leader_elect_flag", "health_port", "export_writes", "client_limits"}),
        ("v0.18.1", {"endpoint_slices", "leader_elect_flag", "health_port", "export_writes", "client_limits"}),
        ("v1.0.0", {"endpoint_slices", "leader_elect_flag", "health_port", "export_writes", "client_limits"}),
    ],
)
def test_a_release_has_the_traits_of_the_upstream_manifests(release: str, expected: set[str]) -> None:
    traits = releases.traits(version(release))

    assert {name for name in releases.Traits._fields if getattr(traits, name)} == expected


@pytest.mark.parametrize(
    ("flag", "release", "needs"),
    [
        ("secure-port", "v0.14.0", "v0.15.0"),
        ("secure-port", "v0.15.0", ""),
        ("labels-aggregate-threshold", "v0.12.0", "v0.13.0"),
        ("labels-aggregate-prefix", "v0.15.2", "v0.16.0"),
        ("labels-aggregate-prefix", "v0.16.0", ""),
        ("any-other", "v0.12.0", ""),
    ],
)
def test_a_flag_names_the_release_that_it_needs(flag: str, release: str, needs: str) -> None:
    assert releases.needs(flag, version(release)) == needs


@pytest.mark.parametrize(
    ("gate", "release", "needs"),
    [
        ("MultiClusterService", "v0.14.0", "v0.15.0"),
        ("MultiClusterService", "v0.15.0", ""),
        ("AppPusher", "v0.12.0", ""),
    ],
)
def test_a_gate_names_the_release_that_it_needs(gate: str, release: str, needs: str) -> None:
    assert releases.needs(gate, version(release)) == needs
