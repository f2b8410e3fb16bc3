"""A host that is missing skips its tests with a reason, and fails them where every host is required."""

from __future__ import annotations

import sys

import pytest

from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tests.hosts.programs import Done

KPT_TEST = "tests/hosts/test_kpt.py::test_as_a_validator_it_passes_and_adds_nothing"


def without_kpt(code: int, **env: str) -> Done:
    """Run a kpt test where no kpt is to be found."""
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", KPT_TEST)
    return run(*command, cwd=REPOSITORY, env={"PATH": "/usr/sbin:/sbin", **env}, code=code)


@pytest.mark.skipif((REPOSITORY / ".cache/tools/kpt-newest").exists(), reason="kpt is found without PATH")
def test_a_missing_host_skips_with_the_reason() -> None:
    assert "no kpt here" in without_kpt(0).out


@pytest.mark.skipif((REPOSITORY / ".cache/tools/kpt-newest").exists(), reason="kpt is found without PATH")
def test_a_missing_host_fails_where_it_is_required() -> None:
    done = without_kpt(1, CLUSTERNET_HOSTS_REQUIRED="1")
    assert "1 error" in done.out
    assert "no kpt here" in done.out
