"""Containers: flags found, changed, removed and added in their own form; the name and release of an image."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.kube import raw

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("container", "values", "paths"),
    [
        pytest.param({"args": ["--x=1"]}, ["1"], ["args[0]"], id="joined in args"),
        pytest.param({"command": ["/m", "--x=1"]}, ["1"], ["command[1]"], id="joined in command"),
        pytest.param({"args": ["--x", "1"]}, ["1"], ["args[1]"], id="separate"),
        pytest.param({"command": ["/m", "--x"], "args": ["1"]}, ["1"], ["args[0]"], id="over both fields"),
        pytest.param({"args": ["--x=1", "--y", "--x=2"]}, ["1", "2"], ["args[0]", "args[2]"], id="twice"),
        pytest.param({"args": ["--x"]}, [""], ["args[0]"], id="last, without a value"),
        pytest.param({"args": ["--x="]}, [""], ["args[0]"], id="empty"),
        pytest.param({"args": ["--xy=1", 5, None]}, [], [], id="another flag, and no strings"),
        pytest.param({"args": "--x=1"}, [], [], id="no list"),
        pytest.param({}, [], [], id="nothing"),
    ],
)
def test_every_occurrence_is_found(container: dict[str, Any], values: list[str], paths: list[str]) -> None:
    found = raw.flags(container, "x")
    assert [one.value for one in found] == values
    assert [one.path for one in found] == paths


@pytest.mark.parametrize(
    ("container", "after"),
    [
        pytest.param({"args": ["--x=1", "-v"]}, {"args": ["--x=9", "-v"]}, id="joined"),
        pytest.param({"args": ["--x", "1", "-v"]}, {"args": ["--x", "9", "-v"]}, id="separate"),
        pytest.param(
            {"command": ["/m", "--x"], "args": ["1"]}, {"command": ["/m", "--x"], "args": ["9"]}, id="over both fields"
        ),
        pytest.param({"args": ["--x"]}, {"args": ["--x=9"]}, id="without a value"),
    ],
)
def test_a_value_is_changed_in_its_own_form(container: dict[str, Any], after: dict[str, Any]) -> None:
    raw.set_flag(container, raw.flags(container, "x")[0], "9")
    assert container == after


@pytest.mark.parametrize(
    ("container", "after"),
    [
        pytest.param({"args": ["--x=1", "-v"]}, {"args": ["-v"]}, id="joined"),
        pytest.param({"args": ["-v", "--x", "1"]}, {"args": ["-v"]}, id="separate"),
        pytest.param({"args": ["--x=1"]}, {}, id="the only element"),
        pytest.param({"command": ["/m", "--x"], "args": ["1"]}, {"command": ["/m"]}, id="over both fields"),
        pytest.param({"args": ["-v"]}, {"args": ["-v"]}, id="none"),
    ],
)
def test_a_removed_flag_takes_its_value_along(container: dict[str, Any], after: dict[str, Any]) -> None:
    raw.remove_flags(container, raw.flags(container, "x"))
    assert container == after


@pytest.mark.parametrize(
    ("container", "bare", "path"),
    [
        pytest.param({"command": ["/m"], "args": ["-v"]}, "command", "args[1]", id="args are in use"),
        pytest.param({"command": ["/m", "-v"]}, "args", "command[2]", id="flags stand in command"),
        pytest.param({"command": ["/m"]}, "args", "args[0]", id="program alone, as args"),
        pytest.param({"command": ["/m"]}, "command", "command[1]", id="program alone, as command"),
        pytest.param({"command": ["/m"], "args": []}, "command", "command[1]", id="empty args"),
        pytest.param({}, "command", "args[0]", id="the image's entry point"),
    ],
)
def test_a_new_flag_goes_where_the_container_keeps_its_flags(container: dict[str, Any], bare: str, path: str) -> None:
    assert raw.add_flag(container, "--x=1", bare=bare) == path
    field, _, index = path.partition("[")
    assert container[field][int(index[:-1])] == "--x=1"


@pytest.mark.parametrize(
    ("container", "hidden"),
    [
        pytest.param({"command": ["sh", "-c", "/m --x=1"]}, True, id="shell"),
        pytest.param({"args": ["--x=1"]}, False, id="own element"),
        pytest.param({"args": [1]}, False, id="no string"),
    ],
)
def test_a_flag_within_a_longer_element_is_noticed(container: dict[str, Any], *, hidden: bool) -> None:
    assert raw.hides_flag(container, "x") is hidden


@pytest.mark.parametrize(
    ("container", "shell"),
    [
        pytest.param({"command": ["/bin/sh", "-c", "/m --v=1"]}, True, id="in command"),
        pytest.param({"command": ["tini", "--", "bash", "-ec"], "args": ["/m"]}, True, id="the line in args"),
        pytest.param(
            {"command": ["sh", "-c", 'exec /m "$@"', "--"], "args": ["--v=1"]}, False, id="arguments handed on"
        ),
        pytest.param({"command": ["/m"], "args": ["-c", "sh.yaml"]}, False, id="no shell"),
        pytest.param({"command": ["sh", "/start"]}, False, id="a script"),
        pytest.param({}, False, id="nothing"),
    ],
)
def test_a_flag_behind_the_line_of_a_shell_has_no_effect(container: dict[str, Any], *, shell: bool) -> None:
    assert raw.in_shell(container) is shell


@pytest.mark.parametrize(
    ("image", "line"),
    [
        pytest.param("registry.k8s.io/cluster-api/cluster-api-controller:v1.6.3", (1, 6), id="plain"),
        pytest.param("localhost:5000/cluster-api-controller:v1.12.0", (1, 12), id="registry with a port"),
        pytest.param(f"r:5000/a/cluster-api-controller:v1.7.0@{DIGEST}", (1, 7), id="tag and digest"),
        pytest.param("a:1.5.3", (1, 5), id="no v"),
        pytest.param("a:v1.12.0-rc.1", (1, 12), id="release candidate"),
        pytest.param("a:v1.5.3_vmware.1", (1, 5), id="a distributor's suffix"),
        pytest.param("a:v0.3.25", (0, 3), id="old"),
        pytest.param("a:v1.12", (1, 12), id="two parts"),
    ],
)
def test_the_release_is_the_tag_of_the_image(image: str, line: tuple[int, int]) -> None:
    found = raw.image_release(image)
    assert found is not None
    assert found.line == line


@pytest.mark.parametrize(
    "image",
    ["", "a", "a:latest", f"a@{DIGEST}", "localhost:5000/a", "v1.6.3", "a:${VERSION}", "a:main-2024", "a:v1", "a:1.02"],
)
def test_an_image_without_a_version_tag_has_no_release(image: str) -> None:
    assert raw.image_release(image) is None


def test_a_release_is_shown_as_it_was_written() -> None:
    assert str(raw.release("v1.6.3")) == "v1.6.3"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        pytest.param("r:5000/x/clusternet-hub:v0.14.0", "clusternet-hub", id="registry with a port"),
        pytest.param(f"clusternet-hub@{DIGEST}", "clusternet-hub", id="digest"),
        pytest.param("", "", id="none"),
    ],
)
def test_the_name_of_an_image_is_the_last_part_of_its_repository(image: str, name: str) -> None:
    assert raw.image_name(image) == name
