"""Fixtures of the host tests: programs, a container engine, the image.

Without a program a test skips and says why. With CLUSTERNET_HOSTS_REQUIRED=1, as `.ci/run` sets it, such a skip is a
failure: a host that was never started proves nothing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.hosts import programs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator

EXAMPLES = programs.REPOSITORY / "examples"
CONTAINER = f"      container:\n        image: {programs.BARE_IMAGE}\n"
EXEC = "      exec:\n        path: clusternet-capi-fn\n"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where every host is required."""
    report = yield
    if report.skipped and os.environ.get("CLUSTERNET_HOSTS_REQUIRED") == "1":
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was not run, and CLUSTERNET_HOSTS_REQUIRED=1 asks for it. {reason}"
    return report


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything in this folder."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.host)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which programs were driven: the list differs from machine to machine."""
    terminalreporter.section("hosts")
    for name, version in programs.versions():
        terminalreporter.write_line(f"{name:20} {version}")


@pytest.fixture(params=["newest", "oldest"])
def kustomize(request: pytest.FixtureRequest) -> Path:
    """The newest 5.x and the oldest."""
    found = programs.kustomize(request.param)
    return found or pytest.skip(f"no {request.param} kustomize here; `make tools` installs it")


@pytest.fixture(params=list(programs.kpts()) or ["any"])
def kpt(request: pytest.FixtureRequest) -> Path:
    """Every kpt to be had."""
    return programs.kpts().get(request.param) or pytest.skip("no kpt here; install it from kpt.dev")


@pytest.fixture(params=list(programs.kubectls()) or ["any"])
def kubectl(request: pytest.FixtureRequest) -> Path:
    """Every kubectl to be had."""
    return programs.kubectls().get(request.param) or pytest.skip("no kubectl here; `make tools` builds one")


@pytest.fixture(scope="session")
def engine() -> tuple[str, ...]:
    """What goes before a command so that `docker` on its PATH is a real engine."""
    if programs.has_docker():
        return ()
    if programs.has_rig():
        return (str(programs.REPOSITORY / ".ci/container-rig"), "run")
    return pytest.skip("no container engine here: neither Docker nor, as root, podman (`make tools` installs that)")


@pytest.fixture(scope="session")
def image(engine: tuple[str, ...]) -> str:
    """The image, built from the Dockerfile as it is, under both names that hosts look it up by."""
    root = programs.REPOSITORY
    if engine:
        programs.run(engine[0], "build", ".", programs.BARE_IMAGE, cwd=root)  # podman files it under localhost/
    else:
        programs.run("docker", "build", "-t", programs.BARE_IMAGE, "-t", programs.IMAGE, ".", cwd=root)
    return programs.IMAGE


@pytest.fixture
def example(tmp_path: Path) -> Callable[..., Path]:
    """A copy of an example to work in; its functions in a container if that is asked for."""

    def copy(name: str, *, container: bool = False) -> Path:
        target = tmp_path / name
        shutil.copytree(EXAMPLES / name, target, ignore=shutil.ignore_patterns(".expected"))
        if container:
            use_container(target)
        return target

    return copy


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., Path]:
    """Write a folder from texts by path."""

    def write(**folders: dict[str, str]) -> Path:
        for folder, texts in folders.items():
            for name, text in texts.items():
                path = tmp_path / folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


def use_container(folder: Path) -> None:
    """Do what the examples' pages tell a reader to do for running the image instead of the program."""
    for path in folder.rglob("*.yaml"):
        text = path.read_text(encoding="utf-8")
        if EXEC in text:
            path.write_text(text.replace(EXEC, CONTAINER), encoding="utf-8")
