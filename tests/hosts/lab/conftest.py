"""Fixtures of the tests on real control planes."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.hosts import programs
from tests.hosts.lab import cluster_api
from tests.hosts.lab import lab as labs
from tests.hosts.lab.lab import Lab
from tests.hosts.lab.space import Space

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_NUMBERS = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    """Name the markers."""
    config.addinivalue_line(
        "markers", "both_releases: run on the oldest release of Cluster API too, not the newest alone"
    )
    config.addinivalue_line("markers", "oldest_release: run on the oldest release of Cluster API, not the newest")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of the logs of Cluster API's manager and of what runs beside it with a failure."""
    report = yield
    lab = getattr(item, "funcargs", {}).get("lab")
    if report.failed and lab:
        report.sections += [(f"log of {one.name}", one.tail()) for one in (lab.manager, *lab.guests)]
    return report


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test the releases of Cluster API that it asks for."""
    if "lab" in metafunc.fixturenames:
        newest, *_, oldest = cluster_api.RELEASES
        chosen = [newest]
        if metafunc.definition.get_closest_marker("both_releases"):
            chosen = list(cluster_api.RELEASES)
        elif metafunc.definition.get_closest_marker("oldest_release"):
            chosen = [oldest]
        metafunc.parametrize("lab", chosen, indirect=True, scope="session")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Generator[Lab, None, None]:
    """The control planes, shared by the tests of a release; `space` makes them as new for each."""
    reason = labs.missing()
    if reason:
        pytest.skip(reason)
    place = labs.claim()
    made = Lab(cluster_api.RELEASES[request.param], place.folder, place.ports)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        place.release()


@pytest.fixture
def newest_kustomize() -> Path:
    """The newest kustomize."""
    return programs.kustomize("newest") or pytest.skip("no kustomize here; `make tools` installs it")


@pytest.fixture
def space(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Generator[Space, None, None]:
    """A namespace on the management cluster for one test, and workload clusters as new."""
    words = re.sub("[^a-z0-9]+", "-", request.node.originalname.removeprefix("test_").lower())
    lab.wipe()
    made = Space(lab, f"{words[:40].strip('-')}-{next(_NUMBERS)}", tmp_path)
    yield made
    made.wipe()
