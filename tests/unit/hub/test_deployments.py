"""The hub's set-up: volume, mount and flag on the Deployment that takes them."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.hub import review
from krm_fn.krm.results import INFO, WARNING
from tests.unit.reviews.builders import (
    SECRET_NAME,
    container_of,
    controller_manager,
    deployment,
    hub,
    hub_config,
    items,
    messages,
    severities,
)

FLAG = "--cluster-api-kubeconfig=/etc/cluster-api-kubeconfig/kubeconfig"
VOLUME = {
    "name": "cluster-api-kubeconfig",
    "secret": {"secretName": SECRET_NAME, "items": [{"key": "kubeconfig", "path": "kubeconfig"}]},
}
MOUNT = {"name": "cluster-api-kubeconfig", "mountPath": "/etc/cluster-api-kubeconfig", "readOnly": True}
HOST_VOLUME = {"hostPath": {"path": "/etc/clusternet", "type": "DirectoryOrCreate"}, "name": "clusternet"}
HOST_MOUNT = {"mountPath": "/etc/clusternet", "name": "clusternet", "readOnly": True}


def after(given: dict[str, Any], **options: Any) -> dict[str, Any]:
    found = review(items(given), hub_config(**options))
    assert list(found.revised) == [0], messages(found.results)
    return dict(found.revised[0])


def pod(value: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = value["spec"]["template"]["spec"]
    return found


@pytest.mark.parametrize(
    ("given", "field"),
    [
        pytest.param(hub("v0.12.0"), "command", id="v0.12 hub, all in command"),
        pytest.param(hub("v0.14.0"), "command", id="v0.14 hub"),
        pytest.param(
            hub("v0.13.0", command=["/usr/local/bin/clusternet-hub"], args=["-v=2"]), "args", id="v0.13 hub by Helm"
        ),
        pytest.param(
            hub("v0.13.0", command=["/usr/local/bin/clusternet-hub"]), "command", id="hub with the program alone"
        ),
        pytest.param(controller_manager("v0.15.0"), "args", id="v0.15 controller manager"),
        pytest.param(controller_manager("v0.18.0"), "args", id="v0.18 controller manager"),
        pytest.param(controller_manager("latest"), "args", id="controller manager of unknown release"),
        pytest.param(controller_manager("v0.18.0", args=None), "args", id="controller manager without args"),
        pytest.param(
            deployment("parent-clusternet-controller-manager", container_of(controller_manager())),
            "args",
            id="Helm prefix",
        ),
        pytest.param(
            deployment("x", {"name": "y", "image": "mirror:5000/clusternet-controller-manager:v0.16.0"}),
            "args",
            id="image",
        ),
        pytest.param(
            deployment("x", {"name": "clusternet-hub", "image": "m/hub:v0.14.0"}), "args", id="name of the container"
        ),
    ],
)
def test_the_deployment_of_the_release_gets_volume_mount_and_flag(given: dict[str, Any], field: str) -> None:
    changed = after(given)
    assert pod(changed)["volumes"] == [VOLUME]
    assert container_of(changed)["volumeMounts"] == [MOUNT]
    assert container_of(changed)[field][-1] == FLAG
    other = "args" if field == "command" else "command"
    assert container_of(changed).get(other) == container_of(given).get(other)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(hub("v0.15.0"), "since v0.15 clusternet-controller-manager takes", id="v0.15 hub"),
        pytest.param(hub("v0.11.0"), "exists since v0.12", id="v0.11 hub"),
        pytest.param(hub("latest"), "no tag that shows", id="hub of unknown release"),
        pytest.param(controller_manager("v0.14.0"), "before v0.15", id="v0.14 controller manager"),
    ],
)
def test_any_other_release_is_left_alone_with_the_reason(given: dict[str, Any], reason: str) -> None:
    found = review(items(given), hub_config())
    assert not found.revised
    assert severities(found.results) == [INFO, WARNING]
    assert reason in found.results[0].message


def test_a_newer_hub_beside_its_controller_manager_is_left_alone() -> None:
    found = review(items(hub("v0.18.0"), controller_manager("v0.18.0")), hub_config())
    assert list(found.revised) == [1]
    assert WARNING not in severities(found.results)


def test_without_such_a_deployment_a_warning_names_the_package_it_belongs_to() -> None:
    given = [deployment("web", {"image": "clusternet-hub-docs:v1"}), {**hub(), "apiVersion": "example.com/v1"}]
    found = review(items(*given), hub_config())
    assert not found.revised
    assert severities(found.results) == [WARNING]
    assert "belongs to the parent cluster" in found.results[0].message


def test_what_is_mounted_already_stays_as_it_is() -> None:
    given = controller_manager(pod={"volumes": [HOST_VOLUME]}, volumeMounts=[HOST_MOUNT])
    changed = after(given)
    assert pod(changed)["volumes"] == [HOST_VOLUME, VOLUME]
    assert container_of(changed)["volumeMounts"] == [HOST_MOUNT, MOUNT]


@pytest.mark.parametrize(
    ("volume", "mount", "name", "folder"),
    [
        pytest.param(
            {"name": "cluster-api-kubeconfig", "emptyDir": {}},
            {"name": "cluster-api-kubeconfig", "mountPath": "/tmp"},  # noqa: S108 - a path in a container
            "cluster-api-kubeconfig-2",
            "/etc/cluster-api-kubeconfig",
            id="name of a volume",
        ),
        pytest.param(
            {"name": "a", "emptyDir": {}},
            {"name": "a", "mountPath": "/etc/cluster-api-kubeconfig/"},
            "cluster-api-kubeconfig",
            "/etc/cluster-api-kubeconfig-2",
            id="folder",
        ),
        pytest.param(
            {"name": "a", "emptyDir": {}},
            {"name": "a", "mountPath": "/etc/cluster-api-kubeconfig/deeper"},
            "cluster-api-kubeconfig",
            "/etc/cluster-api-kubeconfig-2",
            id="a folder below it",
        ),
        pytest.param(
            {"name": "a", "hostPath": {"path": "/etc"}},
            {"name": "a", "mountPath": "/etc"},
            "cluster-api-kubeconfig",
            "/cluster-api-kubeconfig",
            id="a folder above all of them",
        ),
    ],
)
def test_names_and_folders_that_are_taken_are_avoided(
    volume: dict[str, Any], mount: dict[str, Any], name: str, folder: str
) -> None:
    changed = after(controller_manager(pod={"volumes": [volume]}, volumeMounts=[mount]))
    assert [one["name"] for one in pod(changed)["volumes"]] == [volume["name"], name]
    assert container_of(changed)["volumeMounts"] == [mount, {"name": name, "mountPath": folder, "readOnly": True}]
    assert container_of(changed)["args"][-1] == f"--cluster-api-kubeconfig={folder}/kubeconfig"
    renamed = after(changed, name="renamed")
    assert container_of(renamed) == container_of(changed)
    assert [one["name"] for one in pod(renamed)["volumes"]] == [volume["name"], name]


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param(["--cluster-api-kubeconfig=/old", "-v=2"], [FLAG, "-v=2"], id="joined"),
        pytest.param(
            ["--cluster-api-kubeconfig", "/old", "-v=2"], ["--cluster-api-kubeconfig", FLAG[25:], "-v=2"], id="separate"
        ),
        pytest.param(["--cluster-api-kubeconfig=/a", "--cluster-api-kubeconfig=/b"], [FLAG], id="twice"),
        pytest.param(["-v=2", "--cluster-api-kubeconfig"], ["-v=2", FLAG], id="without a value"),
        pytest.param(["--cluster-api-kubeconfig"] * 2, ["--cluster-api-kubeconfig", FLAG[25:]], id="its own value"),
        pytest.param(
            ["--cluster-api-kubeconfig"] * 3, ["--cluster-api-kubeconfig", FLAG[25:]], id="its own value, and again"
        ),
    ],
)
def test_a_flag_that_is_there_is_corrected_and_not_doubled(args: list[str], expected: list[str]) -> None:
    given = controller_manager(args=args)
    found = review(items(given), hub_config())
    assert container_of(found.revised[0])["args"] == expected
    assert "pointed elsewhere" in messages(found.results)


@pytest.mark.parametrize("given", [hub(), controller_manager(), controller_manager(pod={"volumes": [HOST_VOLUME]})])
def test_twice_is_once(given: dict[str, Any]) -> None:
    first = review(items(given), hub_config())
    second = review(items(dict(first.revised[0])), hub_config())
    assert not second.revised
    assert second.results == first.results


@pytest.mark.parametrize(
    ("secret", "mount", "path"),
    [
        pytest.param({}, {}, "/own/kubeconfig", id="whole Secret"),
        pytest.param({"items": [{"key": "kubeconfig", "path": "capi.conf"}]}, {}, "/own/capi.conf", id="chosen key"),
        pytest.param({}, {"subPath": "kubeconfig"}, "/own", id="as a single file"),
    ],
)
def test_a_volume_of_the_user_that_holds_the_key_is_used(
    secret: dict[str, Any], mount: dict[str, Any], path: str
) -> None:
    volume = {"name": "mine", "secret": {"secretName": SECRET_NAME, **secret}}
    given = controller_manager(pod={"volumes": [volume]}, volumeMounts=[{"name": "mine", "mountPath": "/own", **mount}])
    changed = after(given)
    assert pod(changed)["volumes"] == [volume]
    assert container_of(changed)["volumeMounts"] == [{"name": "mine", "mountPath": "/own", **mount, "readOnly": True}]
    assert container_of(changed)["args"][-1] == f"--cluster-api-kubeconfig={path}"


def test_a_volume_of_the_user_that_is_not_mounted_is_mounted() -> None:
    volume = {"name": "mine", "secret": {"secretName": SECRET_NAME}}
    changed = after(controller_manager(pod={"volumes": [volume]}))
    assert pod(changed)["volumes"] == [volume]
    assert container_of(changed)["volumeMounts"] == [{**MOUNT, "name": "mine"}]
    assert container_of(changed)["args"][-1] == FLAG


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param({"secretName": SECRET_NAME, "items": [{"key": "other", "path": "x"}]}, id="another key"),
        pytest.param({"secretName": "other"}, id="another Secret"),
    ],
)
def test_a_volume_of_the_user_without_the_key_is_not_touched(secret: dict[str, Any]) -> None:
    volume = {"name": "mine", "secret": secret}
    mount = {"name": "mine", "mountPath": "/own"}
    changed = after(controller_manager(pod={"volumes": [volume]}, volumeMounts=[mount]))
    assert pod(changed)["volumes"] == [volume, VOLUME]
    assert container_of(changed)["volumeMounts"] == [mount, MOUNT]


@pytest.mark.parametrize(
    ("options", "source"),
    [
        pytest.param({"name": "renamed"}, ("renamed", "kubeconfig"), id="another Secret"),
        pytest.param({"key": "value"}, (SECRET_NAME, "value"), id="another key"),
    ],
)
def test_our_volume_follows_a_changed_reference(options: dict[str, str], source: tuple[str, str]) -> None:
    first = after(controller_manager(pod={"volumes": [HOST_VOLUME]}, volumeMounts=[HOST_MOUNT]))
    second = after(first, **options)
    name, key = source
    changed = {"secretName": name, "items": [{"key": key, "path": "kubeconfig"}]}
    assert pod(second)["volumes"] == [HOST_VOLUME, {**VOLUME, "secret": changed}]
    assert container_of(second) == container_of(first)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        pytest.param(controller_manager(pod={"volumes": {}}), "volumes is not a list", id="volumes"),
        pytest.param(controller_manager(volumeMounts="x"), "volumeMounts is not a list", id="mounts"),
        pytest.param(controller_manager(args="--x"), "args is not a list", id="args"),
        pytest.param(
            controller_manager(command=["sh", "-c", "x --cluster-api-kubeconfig=/a"]),
            "inside a longer argument",
            id="shell",
        ),
        pytest.param(
            controller_manager(command=["sh", "-c"], args=["x --v=4"]),
            "inside a longer argument",
            id="shell, no flag yet",
        ),
    ],
)
def test_a_deployment_that_can_not_be_edited_is_reported(given: dict[str, Any], reason: str) -> None:
    found = review(items(given), hub_config())
    assert not found.revised
    assert WARNING in severities(found.results)
    assert reason in messages(found.results)


def test_a_mount_of_ours_that_could_be_written_is_read_only_at_once() -> None:
    volume = {"name": "cluster-api-kubeconfig", "secret": {"secretName": "old"}}
    mount = {"name": "cluster-api-kubeconfig", "mountPath": "/etc/cluster-api-kubeconfig"}
    assert container_of(after(controller_manager(pod={"volumes": [volume]}, volumeMounts=[mount])))["volumeMounts"] == [
        MOUNT
    ]


def test_a_name_that_a_mount_without_a_volume_has_is_not_taken() -> None:
    mount = {"name": "cluster-api-kubeconfig", "mountPath": "/own"}
    changed = after(controller_manager(volumeMounts=[mount]))
    assert container_of(changed)["volumeMounts"] == [mount, {**MOUNT, "name": "cluster-api-kubeconfig-2"}]


def test_odd_entries_in_lists_are_carried_along() -> None:
    given = controller_manager(pod={"volumes": [None, "x", {"name": "z"}]}, volumeMounts=[1, {}], args=[1, "-v"])
    changed = after(given)
    assert pod(changed)["volumes"] == [None, "x", {"name": "z"}, VOLUME]
    assert container_of(changed)["volumeMounts"] == [1, {}, MOUNT]
    assert container_of(changed)["args"] == [1, "-v", FLAG]


@pytest.mark.parametrize(
    ("given", "options"),
    [
        pytest.param(controller_manager(), {"mode": "Check"}, id="mode: Check"),
        pytest.param(
            {
                **controller_manager(),
                "metadata": {"name": "x", "annotations": {"config.kubernetes.io/local-config": "true"}},
            },
            {},
            id="local-config",
        ),
    ],
)
def test_where_nothing_may_change_what_lacks_is_reported(given: dict[str, Any], options: dict[str, Any]) -> None:
    found = review(items(given), hub_config(**options))
    assert not found.revised
    assert "lacks volume, mount" in messages(found.results)


def test_a_complete_deployment_passes_a_check() -> None:
    found = review(items(after(controller_manager())), hub_config(mode="Check"))
    assert WARNING not in severities(found.results)


def test_a_flag_that_a_newer_hub_no_longer_knows_is_pointed_out() -> None:
    left = hub("v0.18.0", args=["--cluster-api-kubeconfig=/etc/clusternet/my-capi.conf"])
    found = review(items(left, controller_manager()), hub_config())
    assert list(found.revised) == [1]
    warnings = [one for one in found.results if one.severity == WARNING]
    assert [one.field for one in warnings] == ["spec.template.spec.containers[0].args[0]"]
    assert "does not know, and exits" in messages(tuple(warnings))


def test_a_flag_of_a_hub_of_unknown_release_is_reported_nowhere() -> None:
    found = review(items(hub("latest", args=["--cluster-api-kubeconfig=/x"]), controller_manager()), hub_config())
    assert WARNING not in severities(found.results)
