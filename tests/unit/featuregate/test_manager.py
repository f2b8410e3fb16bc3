"""The feature gate of a capi-controller-manager Deployment."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.featuregate import review
from krm_fn.krm.results import ERROR, INFO, WARNING
from tests.unit.reviews.builders import config, container_of, deployment, items, manager, messages, severities

ON = "--feature-gates=MachinePool=true,ClusterResourceSet=true"
OFF = "--feature-gates=MachinePool=true,ClusterResourceSet=false"
RAW = "--feature-gates=MachinePool=${EXP_MACHINE_POOL:=false},ClusterResourceSet=${EXP_CLUSTER_RESOURCE_SET:=%s}"


@pytest.mark.parametrize(
    ("version", "args", "severity", "said"),
    [
        pytest.param("v1.5.3", (ON,), INFO, "is on, as Cluster API v1.5.3 needs it", id="v1.5, on"),
        pytest.param("v1.5.3", (OFF,), ERROR, "denies every ClusterResourceSet", id="v1.5, off"),
        pytest.param("v1.6.8", ("--feature-gates", OFF[16:]), ERROR, "denies every", id="v1.6, off, separate"),
        pytest.param(
            "v1.6.8", ("--feature-gates=ClusterResourceSet=maybe",), ERROR, "neither true nor false", id="no bool"
        ),
        pytest.param("v1.6.8", (RAW % "false",), WARNING, "off unless its variable is set", id="v1.6, raw manifest"),
        pytest.param("v1.6.8", (RAW % "true",), INFO, "is on", id="v1.6, raw manifest that was changed"),
        pytest.param("v1.6.8", (), WARNING, "is not named", id="v1.6, no flag"),
        pytest.param("v0.3.25", (), ERROR, "is off", id="v0.3, no flag: off in the code"),
        pytest.param("v1.6.8", ("--feature-gates=$(GATES)",), WARNING, "can't be read", id="v1.6, from a variable"),
        pytest.param("v1.6.8", ("--feature-gates=AllBeta=false",), ERROR, "is off", id="v1.6, the whole stage off"),
        pytest.param("v1.7.0", (), INFO, "on, by default", id="v1.7, no flag"),
        pytest.param("v1.9.4", (RAW % "true",), INFO, "has to go before an upgrade to v1.12", id="v1.9, raw manifest"),
        pytest.param("v1.9.4", (OFF,), ERROR, "denies every", id="v1.9, switched off"),
        pytest.param("v1.9.4", (RAW % "false",), WARNING, "off unless its variable", id="v1.9, off unless set"),
        pytest.param("v1.11.2", (ON,), INFO, "has to go before an upgrade", id="v1.11, on"),
        pytest.param("v1.11.2", ("--feature-gates=AllBeta=false",), INFO, "by default", id="v1.11, no longer beta"),
        pytest.param("v1.11.2", ("--feature-gates=$(GATES)",), INFO, "by default", id="v1.11, from a variable"),
        pytest.param("v1.12.0", (), INFO, "no longer knows it", id="v1.12, no flag"),
        pytest.param("v1.12.0", (ON,), ERROR, "unrecognized feature gate", id="v1.12, on"),
        pytest.param("v1.14.1", (OFF,), ERROR, "unrecognized feature gate", id="v1.14, off crashes too"),
        pytest.param(
            "v1.14.1", (RAW % "true",), ERROR, "unrecognized feature gate", id="v1.14, a left-over placeholder"
        ),
        pytest.param("v1.14.1", ("--feature-gates=$(GATES)",), WARNING, "can't be read", id="v1.14, from a variable"),
        pytest.param("latest", (OFF,), WARNING, "release is unknown", id="no version in the tag"),
    ],
)
def test_the_check_judges_the_gate_by_the_release(
    version: str, args: tuple[str, ...], severity: str, said: str
) -> None:
    found = review(items(manager(version, *args)), config())
    assert severities(found.results) == [severity]
    assert said in messages(found.results)
    assert not found.revised


def test_the_check_gives_the_line_for_clusterctl_and_the_place() -> None:
    found = review(items(manager("v1.5.3", "-v=2", OFF)), config())
    assert 'EXP_CLUSTER_RESOURCE_SET: "true"' in found.results[0].message
    assert found.results[0].field == "spec.template.spec.containers[0].args[1]"
    assert found.results[0].resource_ref is not None
    assert found.results[0].resource_ref.name == "capi-controller-manager"


@pytest.mark.parametrize(
    ("version", "args", "after"),
    [
        pytest.param("v1.5.3", (OFF,), [ON], id="switched on"),
        pytest.param("v1.5.3", ("-v=2",), ["-v=2", "--feature-gates=ClusterResourceSet=true"], id="no flag yet"),
        pytest.param(
            "v1.5.3", ("--feature-gates=A=1",), ["--feature-gates=A=1,ClusterResourceSet=true"], id="no gate yet"
        ),
        pytest.param(
            "v1.5.3",
            ("--feature-gates=A=1", "--feature-gates=B=1"),
            ["--feature-gates=A=1", "--feature-gates=B=1,ClusterResourceSet=true"],
            id="several flags",
        ),
        pytest.param("v1.5.3", ("--feature-gates", OFF[16:]), ["--feature-gates", ON[16:]], id="separate"),
        pytest.param(
            "v1.6.1",
            (RAW % "false",),
            ["--feature-gates=MachinePool=${EXP_MACHINE_POOL:=false},ClusterResourceSet=true"],
            id="raw manifest",
        ),
        pytest.param("v1.9.0", (OFF,), [ON], id="switched off where it is on by default"),
        pytest.param("v1.12.0", (ON, "-v=2"), ["--feature-gates=MachinePool=true", "-v=2"], id="removed"),
        pytest.param("v1.12.0", ("--feature-gates=ClusterResourceSet=true", "-v=2"), ["-v=2"], id="flag removed"),
        pytest.param(
            "v1.12.0", ("--feature-gates", "ClusterResourceSet=true", "-v"), ["-v"], id="separate flag removed"
        ),
        pytest.param(
            "v1.12.0", (ON, "--feature-gates=ClusterResourceSet=1"), ["--feature-gates=MachinePool=true"], id="both"
        ),
    ],
)
def test_ensure_changes_only_the_gate(version: str, args: tuple[str, ...], after: list[str]) -> None:
    given = manager(version, *args)
    found = review(items(given), config(feature_gate="Ensure"))
    assert container_of(found.revised[0])["args"] == after
    container_of(given)["args"] = after
    assert found.revised[0] == given
    assert severities(found.results) == [INFO]


def test_ensure_works_on_flags_in_command() -> None:
    given = manager(command=["/manager", OFF], args=None)
    found = review(items(given), config(feature_gate="Ensure"))
    assert container_of(found.revised[0])["command"] == ["/manager", ON]


@pytest.mark.parametrize(
    ("version", "args"),
    [
        pytest.param("v1.5.3", (ON,), id="on where needed"),
        pytest.param("v1.7.0", (), id="default"),
        pytest.param("v1.11.0", (ON,), id="named where it is the default"),
        pytest.param("v1.12.0", ("--feature-gates=A=1",), id="absent where it is gone"),
        pytest.param("latest", (ON,), id="unknown release"),
        pytest.param("v1.14.0", ("--feature-gates=$(GATES)",), id="can't be read"),
    ],
)
def test_ensure_leaves_alone_what_is_right_or_unknown(version: str, args: tuple[str, ...]) -> None:
    assert not review(items(manager(version, *args)), config(feature_gate="Ensure")).revised


@pytest.mark.parametrize("version", ["v0.3.25", "v1.5.3", "v1.9.0", "v1.12.0"])
@pytest.mark.parametrize("args", [(ON,), (OFF,), (RAW % "false",), ()], ids=["on", "off", "raw", "none"])
def test_ensure_twice_is_ensure_once_in_words_too(version: str, args: tuple[str, ...]) -> None:
    given = manager(version, *args)
    first = review(items(given), config(feature_gate="Ensure"))
    second = review(items(dict(first.revised.get(0, given))), config(feature_gate="Ensure"))
    assert not second.revised
    assert second.results == first.results


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"feature_gate": "Ensure", "mode": "Check"}, id="mode: Check"),
        pytest.param({"feature_gate": "Check"}, id="featureGate: Check"),
    ],
)
def test_a_check_changes_nothing(changes: dict[str, Any]) -> None:
    found = review(items(manager("v1.5.3", OFF)), config(**changes))
    assert not found.revised
    assert severities(found.results) == [ERROR]


def test_ignore_looks_at_nothing() -> None:
    found = review(items(manager("v1.5.3", OFF)), config(feature_gate="Ignore"))
    assert not found.revised
    assert not found.results


def test_a_local_config_deployment_is_checked_and_never_edited() -> None:
    given = manager("v1.5.3", OFF)
    given["metadata"]["annotations"] = {"config.kubernetes.io/local-config": "true"}
    found = review(items(given), config(feature_gate="Ensure"))
    assert not found.revised
    assert severities(found.results) == [ERROR]


@pytest.mark.parametrize("flags", [OFF, "--leader-elect"])
def test_a_flag_within_a_shell_command_is_reported_and_left_alone(flags: str) -> None:
    given = manager(command=["sh", "-c", f"/manager {flags}"], args=None)
    found = review(items(given), config(feature_gate="Ensure"))
    assert not found.revised
    assert severities(found.results) == [WARNING]
    assert "give each an argument of its own" in messages(found.results)


@pytest.mark.parametrize(
    "container",
    [
        pytest.param({"command": ["sh", "-c", f"/manager {OFF}"]}, id="in a shell"),
        pytest.param({"args": ["--feature-gates=$(GATES)"]}, id="a variable"),
    ],
)
def test_gates_that_can_not_be_read_are_not_said_to_be_on(container: dict[str, Any]) -> None:
    found = review(items(manager("v1.9.3", **container)), config(feature_gate="Ensure"))
    assert not found.revised
    assert "unless gates that can't be read here switch it off" in messages(found.results)


@pytest.mark.parametrize("release", ["v1.5.0", "v1.9.0", "v1.12.0"])
@pytest.mark.parametrize("gate", ["MachinePool", "ClusterResourceSet"])
def test_quotes_that_reach_the_manager_are_reported_and_taken_off(gate: str, release: str) -> None:
    given = items(manager(release, f'--feature-gates="{gate}=true"'))
    checked = review(given, config())
    assert severities(checked.results) == [WARNING]
    assert "the quotes in --feature-gates are part of its value" in messages(checked.results)
    ensured = review(given, config(feature_gate="Ensure"))
    assert severities(ensured.results) == [INFO]
    assert 'feature-gates="' not in repr(ensured.revised)


@pytest.mark.parametrize(
    ("release", "args", "after"),
    [
        pytest.param("v1.9.0", ['"A=true"'], ["A=true"], id="on by default"),
        pytest.param("v1.8.0", ['"AllBeta=false"'], ["AllBeta=false,ClusterResourceSet=true"], id="off by AllBeta"),
        pytest.param("v1.5.0", ['"A=true"', "ClusterResourceSet=true"], ["A=true", "ClusterResourceSet=true"], id="on"),
        pytest.param("v1.5.0", ['"A=true","B=true"'], ["A=true,B=true,ClusterResourceSet=true"], id="around each"),
    ],
)
def test_taking_quotes_off_names_the_gate_only_where_it_must_be_named(
    release: str, args: list[str], after: list[str]
) -> None:
    given = manager(release, *(f"--feature-gates={one}" for one in args))
    (revised,) = review(items(given), config(feature_gate="Ensure")).revised.values()
    assert container_of(revised)["args"] == [f"--feature-gates={one}" for one in after]


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            deployment("mgmt-capi-controller-manager", {"name": "manager", "image": "a:v1.5.3"}), id="name prefix"
        ),
        pytest.param(
            deployment("core", {"name": "x", "image": "r:5000/m/cluster-api-controller:v1.5.3"}), id="image alone"
        ),
        pytest.param(
            deployment("core", {"name": "x", "image": "r/cluster-api-controller-arm64:v1.5.3@sha256:ab"}),
            id="architecture",
        ),
    ],
)
def test_a_manager_is_known_by_name_or_image(given: dict[str, Any]) -> None:
    assert "v1.5.3" in messages(review(items(given), config()).results)


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(
            deployment("capi-kubeadm-bootstrap-controller-manager", {"name": "manager", "image": "a:v1.5.3"}),
            id="bootstrap",
        ),
        pytest.param(deployment("web", {"name": "x", "image": "a/xcluster-api-controller:v1.5.3"}), id="another image"),
        pytest.param({**manager("v1.5.3", OFF), "apiVersion": "example.com/v1"}, id="another group"),
        pytest.param({**manager("v1.5.3", OFF), "kind": "StatefulSet"}, id="another kind"),
    ],
)
def test_other_objects_are_not_looked_at(given: dict[str, Any]) -> None:
    found = review(items(given), config(feature_gate="Ensure"))
    assert not found.revised
    assert "was not checked: the input has no" in messages(found.results)


def test_the_manager_is_found_beside_a_proxy() -> None:
    given = manager("v1.5.3", OFF)
    containers = given["spec"]["template"]["spec"]["containers"]
    containers.insert(0, {"name": "kube-rbac-proxy", "image": "proxy:v0.13.0"})
    found = review(items(given), config(feature_gate="Ensure"))
    assert found.revised[0]["spec"]["template"]["spec"]["containers"][1]["args"] == [ON]


def test_the_manager_of_a_renamed_image_is_the_container_of_that_name() -> None:
    given = manager("v1.5.3", OFF)
    container_of(given)["image"] = "mirror/capi:v1.5.3"
    given["spec"]["template"]["spec"]["containers"].append({"name": "proxy", "image": "p:v1.12.0"})
    assert review(items(given), config()).results[0].severity == ERROR


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(None, id="no spec"),
        pytest.param({"template": []}, id="no mapping"),
        pytest.param({"template": {"spec": {"containers": ["x", 1]}}}, id="containers that are none"),
        pytest.param({"template": {"spec": {"containers": [{"image": "a:v1.5.3", "args": "--x"}]}}}, id="args no list"),
    ],
)
def test_a_broken_deployment_is_reported_and_left_alone(spec: Any) -> None:
    found = review(items({**manager(), "spec": spec}), config(feature_gate="Ensure"))
    assert not found.revised
    assert severities(found.results) == [WARNING]
    assert "was not checked" in messages(found.results)


def test_without_manager_and_provider_one_info_says_what_to_look_at() -> None:
    found = review([], config())
    assert severities(found.results) == [INFO]
    assert 'EXP_CLUSTER_RESOURCE_SET: "true"' in found.results[0].message
    assert found.results[0].field == "spec.managementCluster.featureGate"


def test_an_image_without_a_tag_and_no_image_are_reported_apart() -> None:
    given = manager()
    del container_of(given)["image"]
    assert "(no image)" in messages(review(items(given), config()).results)


def test_results_do_not_depend_on_the_order_of_the_input() -> None:
    values = [manager("v1.5.3", OFF), {**manager("v1.9.0", OFF), "metadata": {"name": "capi-controller-manager"}}]
    there, back = (review(items(*order), config()).results for order in (values, values[::-1]))
    assert [one.as_data() for one in there] == [one.as_data() for one in back]
