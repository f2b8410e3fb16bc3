"""What a container runs: the name and release of its image, and its flags.

Flags are in `command` or in `args`, joined (`--flag=value`) or separate (`--flag`, `value`). The process sees `command` followed by `args`, so both are read as one row; a flag may even end the one and have its
value begin the other.
"""

from __future__ import annotations

from krm_fn.base import Record, late
from krm_fn.kube.labels import image_tag
from krm_fn.kube.raw import mapping, pod_spec, sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FIELDS = ("command", "args")
_RELEASE = late(r"v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.[0-9]+)?(?:[-+_.][-0-9A-Za-z.+_]*)?\Z")


# --- images -----------------------------------------------------------------------------------------------------------


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
    return parse(image_tag(image))


def image_name(image: str) -> str:
    """Return the last part of an image's repository: `cluster-api-controller`, `clusternet-hub`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def of(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of a Deployment's pods, an empty mapping for each that is none."""
    return [mapping(one) for one in sequence(pod_spec(deployment).get("containers"))]


# --- flags ------------------------------------------------------------------------------------------------------------


class Flag(Record):
    """One occurrence of a flag."""

    name: str
    place: tuple[str, int]  # field and position of the element that names the flag
    value: str  # its value; empty where a separate flag is the last element
    # field and position of a separate value; None when joined, or where there is no value
    value_place: tuple[str, int] | None = None

    @property
    def path(self) -> str:
        """Path of the element that holds the value, below the container."""
        field, index = self.value_place or self.place
        return f"{field}[{index}]"


def find(container: dict[str, Any], name: str) -> list[Flag]:
    """Return every occurrence of the flag `--name`, in the order in which the process reads them."""
    row = [
        ((field, index), text)
        for field in FIELDS
        for index, text in enumerate(sequence(container.get(field)))
        if isinstance(text, str)
    ]
    found: list[Flag] = []
    for at, (place, text) in enumerate(row):
        if text.startswith(f"--{name}="):
            found.append(Flag(name=name, place=place, value=text[len(name) + 3 :]))
        elif text == f"--{name}":
            if at + 1 < len(row):
                found.append(Flag(name=name, place=place, value=row[at + 1][1], value_place=row[at + 1][0]))
            else:
                found.append(Flag(name=name, place=place, value=""))
    return found


def hidden(container: dict[str, Any], name: str) -> bool:
    """Return whether the flag is part of a longer element, as in `sh -c "/manager --name=…"`."""
    return any(
        isinstance(text, str) and f"--{name}" in text and not text.startswith(f"--{name}")
        for field in FIELDS
        for text in sequence(container.get(field))
    )


def assign(container: dict[str, Any], flag: Flag, value: str) -> None:
    """Give one occurrence another value, in its own form."""
    field, index = flag.value_place or flag.place
    container[field][index] = value if flag.value_place else f"--{flag.name}={value}"


def remove(container: dict[str, Any], flags: list[Flag]) -> None:
    """Take occurrences out, with their separate values; a field that becomes empty goes too."""
    places = {flag.place for flag in flags} | {flag.value_place for flag in flags if flag.value_place}
    for field in FIELDS:
        gone = {index for name, index in places if name == field}
        if gone:
            container[field] = [one for index, one in enumerate(container[field]) if index not in gone]
            if not container[field]:
                del container[field]


def append(container: dict[str, Any], text: str, *, bare: str) -> str:
    """Add an element where this container keeps its flags, and return its path below the container.

    That is `args` if it has any, `command` if that holds more than the program, and `bare` where it has neither. A
    container without a `command` always gets `args`: a `command` would replace the image's entry point.
    """
    command = sequence(container.get("command"))
    field = "command" if len(command) > 1 else bare
    if sequence(container.get("args")) or not command:
        field = "args"
    container[field] = [*sequence(container.get(field)), text]
    return f"{field}[{len(container[field]) - 1}]"
