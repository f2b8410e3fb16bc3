"""Releases from image references and version fields."""

from __future__ import annotations

import pytest

from krm_fn.kube.versions import image_name, of_image, parse

DIGEST = "sha256:" + "a" * 64


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
    found = of_image(image)
    assert found is not None
    assert found.line == line


@pytest.mark.parametrize(
    "image",
    ["", "a", "a:latest", f"a@{DIGEST}", "localhost:5000/a", "v1.6.3", "a:${VERSION}", "a:main-2024", "a:v1", "a:1.02"],
)
def test_an_image_without_a_version_tag_has_no_release(image: str) -> None:
    assert of_image(image) is None


def test_a_release_is_shown_as_it_was_written() -> None:
    assert str(parse("v1.6.3")) == "v1.6.3"


@pytest.mark.parametrize(
    ("image", "name"),
    [
        pytest.param("r:5000/x/clusternet-hub:v0.14.0", "clusternet-hub", id="registry with a port"),
        pytest.param(f"clusternet-hub@{DIGEST}", "clusternet-hub", id="digest"),
        pytest.param("", "", id="none"),
    ],
)
def test_the_name_of_an_image_is_the_last_part_of_its_repository(image: str, name: str) -> None:
    assert image_name(image) == name
