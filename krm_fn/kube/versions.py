"""Releases of Cluster API and Clusternet, read from image references and version fields."""

from __future__ import annotations

from krm_fn.base.records import Record
from krm_fn.base.text import late

_RELEASE = late(r"v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.[0-9]+)?(?:[-+_.][-0-9A-Za-z.+_]*)?\Z")


class Release(Record):
    """A release line (`major.minor`), with the text it was read from."""

    major: int
    minor: int
    text: str

    @property
    def line(self) -> tuple[int, int]:
        """For comparisons: major and minor."""
        return (self.major, self.minor)

    def __str__(self) -> str:
        """As it was written."""
        return self.text


def parse(text: str) -> Release | None:
    """Read a version such as `v1.6.3`, `1.12` or `v0.14.0-rc.1`; None where it is none (`latest`, a placeholder)."""
    found = _RELEASE.match(text)
    return Release(major=int(found[1]), minor=int(found[2]), text=text) if found else None


def of_image(image: str) -> Release | None:
    """Read the release from the tag of an image reference.

    A registry's port is no tag, a digest is none either: `registry:5000/a/b@sha256:…` has no release, and
    `registry:5000/a/b:v1.6.3@sha256:…` is v1.6.3.
    """
    _, colon, tag = image.partition("@")[0].rpartition("/")[2].partition(":")
    return parse(tag) if colon else None


def image_name(image: str) -> str:
    """Return the last part of an image's repository: `cluster-api-controller`, `clusternet-hub`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]
