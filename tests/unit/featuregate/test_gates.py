"""The list of feature gates: read, switched on, taken out."""

from __future__ import annotations

import pytest

from krm_fn.featuregate import lists
from krm_fn.kube import raw

NEEDED, GENERAL, GONE = (raw.Release(major=1, minor=minor, text=f"v1.{minor}.0") for minor in (5, 10, 12))
RAW = "MachinePool=${EXP_MACHINE_POOL:=false},ClusterResourceSet=${EXP_CLUSTER_RESOURCE_SET:=false}"


@pytest.mark.parametrize(
    ("values", "state"),
    [
        pytest.param([], lists.ABSENT, id="no flag"),
        pytest.param([""], lists.ABSENT, id="empty"),
        pytest.param(["A=true,B=false"], lists.ABSENT, id="others"),
        pytest.param(["A=true,ClusterResourceSet=true"], lists.ON, id="on"),
        pytest.param([" A=true , ClusterResourceSet = 1 "], lists.ON, id="spaces and another spelling"),
        pytest.param(["ClusterResourceSet=F"], lists.OFF, id="off"),
        pytest.param(["ClusterResourceSet=true", "ClusterResourceSet=false"], lists.OFF, id="the last one wins"),
        pytest.param(["ClusterResourceSet=false,ClusterResourceSet=true"], lists.ON, id="the last one wins in a list"),
        pytest.param(["ClusterResourceSet=yes"], lists.INVALID, id="no boolean of Go"),
        pytest.param(["ClusterResourceSet"], lists.INVALID, id="no value"),
        pytest.param([RAW], lists.OFF_UNLESS_SET, id="placeholder, off"),
        pytest.param([RAW.replace("=false}", "=true}")], lists.ON, id="placeholder, on"),
        pytest.param(["ClusterResourceSet=${X}"], lists.OFF_UNLESS_SET, id="placeholder without default"),
        pytest.param(["ClusterResourceSet=${X:-true}"], lists.ON, id="placeholder with a dash"),
        pytest.param(["ClusterResourceSet=$(X)"], lists.OPAQUE, id="variable of the container"),
        pytest.param(["$(GATES)"], lists.OPAQUE, id="whole list from a variable"),
        pytest.param(["${GATES},A=true"], lists.OPAQUE, id="part of the list from a variable"),
        pytest.param(["$(GATES),ClusterResourceSet=true"], lists.ON, id="named beside a variable"),
        pytest.param(["A=${B:=true,false},ClusterResourceSet=true"], lists.ON, id="a comma in a placeholder"),
        pytest.param(["${" * 100_000 + ",ClusterResourceSet=true"], lists.ON, id="placeholders that never end"),
        pytest.param(['"A=true,ClusterResourceSet=true"'], lists.QUOTED, id="quotes around the list"),
        pytest.param(["AllBeta=false"], lists.OFF, id="all of stage beta off"),
        pytest.param(["ClusterResourceSet=true,AllBeta=false"], lists.ON, id="named beats the stage"),
        pytest.param(["AllBeta=true"], lists.ABSENT, id="all of stage beta on"),
    ],
)
def test_the_state_is_what_the_manager_would_make_of_the_flags(values: list[str], state: str) -> None:
    assert lists.state(values, NEEDED) == state


def test_the_stage_does_not_reach_a_gate_that_is_generally_available() -> None:
    assert lists.state(["AllBeta=false"], GENERAL) == lists.ABSENT


@pytest.mark.parametrize(
    ("value", "after"),
    [
        pytest.param("A=true", "A=true,ClusterResourceSet=true", id="added"),
        pytest.param("", "ClusterResourceSet=true", id="into an empty list"),
        pytest.param("ClusterResourceSet=false,B=1", "ClusterResourceSet=true,B=1", id="changed in its place"),
        pytest.param(RAW, "MachinePool=${EXP_MACHINE_POOL:=false},ClusterResourceSet=true", id="placeholder"),
        pytest.param('"A=true,ClusterResourceSet=false"', "A=true,ClusterResourceSet=true", id="quotes go"),
        pytest.param("'A=true'", "A=true,ClusterResourceSet=true", id="quotes go from a list without it"),
        pytest.param("A=true, ClusterResourceSet=false", "A=true, ClusterResourceSet=true", id="spaces kept"),
        pytest.param(
            "ClusterResourceSet=false,ClusterResourceSet=false",
            "ClusterResourceSet=true,ClusterResourceSet=true",
            id="twice",
        ),
    ],
)
def test_switching_on_changes_only_that_gate(value: str, after: str) -> None:
    assert lists.revised(value, NEEDED, add=True) == after


@pytest.mark.parametrize(
    ("value", "after"),
    [
        pytest.param("A=true,ClusterResourceSet=true,B=false", "A=true,B=false", id="in the middle"),
        pytest.param("ClusterResourceSet=true, B=false", "B=false", id="at the front"),
        pytest.param("ClusterResourceSet=true", "", id="alone"),
        pytest.param('"ClusterResourceSet=true"', "", id="alone in quotes"),
        pytest.param('"A=1,ClusterResourceSet=true"', "A=1", id="in quotes"),
        pytest.param('"A=1","ClusterResourceSet=true",B=\'0\'', "A=1,B=0", id="quotes around each"),
        pytest.param("A=true", "A=true", id="not there"),
    ],
)
def test_taking_out_leaves_the_other_gates(value: str, after: str) -> None:
    assert lists.revised(value, GONE, add=False) == after
