"""The live manager's gate is read as the function reads it, in every form of the flag."""

from __future__ import annotations

import pytest

from krm_fn.status import objects
from krm_fn.status.dump import DEPLOYMENT, Dump
from tests.support import live


@pytest.mark.parametrize(
    "args",
    [
        pytest.param(["--feature-gates=ClusterResourceSet=false"], id="joined"),
        pytest.param(["--feature-gates", "ClusterResourceSet=false"], id="separate"),
    ],
)
def test_a_gate_that_is_off_is_seen_in_either_form(args: list[str]) -> None:
    deployment = live.manager("v1.5.3", "")
    deployment["spec"]["template"]["spec"]["containers"][0]["args"] = args
    assert "is off" in objects.Manager(Dump(objects={DEPLOYMENT: (deployment,)})).gate
