"""Whatever path a configuration names, only regular files inside the offered folder are ever read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from krm_fn.krm.results import Errors
from krm_fn.tokens.offers import Offers

if TYPE_CHECKING:
    from pathlib import Path

INSIDE = "inside"
OUTSIDE = "outside"


@pytest.fixture(scope="module")
def offered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with files, folders and every kind of link, and a file beside it that must not be read."""
    top = tmp_path_factory.mktemp("top")
    folder = top / "offered"
    (folder / "a" / "b").mkdir(parents=True)
    (top / "other").mkdir()
    for path in ("f", "a/f", "a/b/f"):
        (folder / path).write_text(INSIDE)
    for path in ("f", "secret", "other/f", "other/secret"):
        (top / path).write_text(OUTSIDE)
    links = {
        "in": "a",
        "in-f": "a/f",
        "out": "..",
        "out-f": "../secret",
        "root": "/",
        "loop": "loop",
        "a/up": "..",
        "a/out": "../..",
    }
    for name, target in links.items():
        (folder / name).symlink_to(target)
    (folder / "abs").symlink_to(folder / "a")
    os.mkfifo(folder / "pipe")
    return folder


parts = st.sampled_from(
    ["f", "a", "b", "..", ".", "", "in", "in-f", "out", "out-f", "root", "loop", "up", "abs", "pipe", "secret", "other", "offered"]
)  # fmt: skip


@given(names=st.lists(parts, max_size=7), start=st.sampled_from(["", "/", "{}/", "{}", "{}/../", "/proc/self/cwd/"]))
@example(names=["a", "up", "f"], start="")
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_only_files_inside_are_read(offered: Path, names: list[str], start: str) -> None:
    name = start.format(offered) + "/".join(names)
    try:
        found = Offers({"CLUSTERNET_TOKEN_DIR": str(offered)}).file(name).reveal()
    except Errors as errors:
        assert len(errors.results) == 1  # noqa: PT017 - either an error or the right content
    else:
        assert found == INSIDE


@given(name=st.text(st.characters(), max_size=30))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_as_a_path_is_an_error_and_no_accident(offered: Path, name: str) -> None:
    try:
        found = Offers({"CLUSTERNET_TOKEN_DIR": str(offered)}).file(name).reveal()
    except Errors as errors:
        assert len(errors.results) == 1  # noqa: PT017 - as above
    else:
        assert found == INSIDE


@given(name=st.text(max_size=30))
def test_any_text_as_a_variable_reads_only_what_was_offered(name: str) -> None:
    environment = {name: OUTSIDE, "CLUSTERNET_T": INSIDE}
    try:
        found = Offers(environment).env(name).reveal()
    except Errors as errors:
        assert len(errors.results) == 1  # noqa: PT017 - as above
    else:
        assert name.startswith("CLUSTERNET_")
        assert found in {INSIDE, OUTSIDE}
