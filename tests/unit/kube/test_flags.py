"""Flags of a container: found, changed, removed and added in their own form."""

from __future__ import annotations

from typing import Any

import pytest

from krm_fn.kube import flags


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
    found = flags.find(container, "x")
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
    flags.assign(container, flags.find(container, "x")[0], "9")
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
    flags.remove(container, flags.find(container, "x"))
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
    assert flags.append(container, "--x=1", bare=bare) == path
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
    assert flags.hidden(container, "x") is hidden
