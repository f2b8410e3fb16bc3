"""Reading raw objects of unknown quality: every getter answers with an empty value rather than an error.

A dump comes from a server, but also from an editor, a ticket or a fuzzer, so no field is trusted to have its type. Below:
the containers of a Deployment, the releases of their images, and their flags.
"""

from __future__ import annotations

from krm_fn.base import Record, late, titled
from krm_fn.kube.labels import image_tag
from krm_fn.kube.secrets import MOST_QUOTED, quoted
from krm_fn.surface import LOCAL_CONFIG_ANNOTATION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from krm_fn.krm.items import Item

FLAG_FIELDS = ("command", "args")
_SHELLS = frozenset({"sh", "bash", "ash", "dash"})
_RELEASE = late(r"v?(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})(?:\.[0-9]+)?(?:[-+_.][-0-9A-Za-z.+_]*)?\Z")


def dig(value: Any, *path: str) -> Any:
    """Return the value at a path of mapping keys; None where the path leaves the mappings."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def text(value: Any, *path: str) -> str:
    """Return the string at a path; empty for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def mapping(value: Any, *path: str) -> dict[str, Any]:
    """Return the mapping at a path; empty for anything else. Keys are strings: both readers see to that."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}


def sequence(value: Any) -> list[Any]:
    """Return a list as it is, and an empty one for anything else."""
    return value if isinstance(value, list) else []


def entries(value: Any, *path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the mappings in the list at a path; nothing for anything else."""
    found = dig(value, *path)
    if isinstance(found, list):
        yield from (entry for entry in found if isinstance(entry, dict))


def strings(value: Any, *path: str) -> dict[str, str]:
    """Return the string pairs of the mapping at a path, as labels and annotations are."""
    return {key: found for key, found in mapping(value, *path).items() if isinstance(found, str)}


def flag(value: Any, *path: str) -> bool | None:
    """Return the boolean at a path; None for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, bool) else None


def number(value: Any, *path: str) -> int | None:
    """Return the whole number at a path; None for anything else."""
    found = dig(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def seconds(value: Any, *path: str) -> int | None:
    """Return the RFC 3339 time at a path as seconds since the epoch; None for anything else."""
    return parse_time(text(value, *path))


def parse_time(written: str) -> int | None:
    """Read an RFC 3339 time; None when it is none, or not within the years 1 to 9999. One without a zone counts as UTC."""
    import re  # noqa: PLC0415 - for dumps alone
    from datetime import datetime, timezone  # noqa: PLC0415

    try:
        when = datetime.fromisoformat(re.sub(r"[zZ]\Z", "+00:00", re.sub(r"\.\d+", "", written)))
        return int((when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc).timestamp())
    except (ValueError, OverflowError):
        return None


def key(value: Any) -> tuple[str, str]:
    """Return namespace and name of an object, "" for one that it does not have."""
    return (text(value, "metadata", "namespace"), text(value, "metadata", "name"))


def condition(value: Any, kind: str, *path: str) -> Mapping[str, Any]:
    """Return the condition of a type from the list at a path; empty if there is none."""
    return next((one for one in entries(value, *path) if one.get("type") == kind), {})


def quote(message: str) -> str:
    """Return foreign text fit to be shown: one short line without tokens or control characters."""
    return quoted(message.strip(), MOST_QUOTED) if message else ""


def unlisted(value: dict[str, Any], *keys: str) -> str:
    """Return the first of some keys that holds neither a list nor nothing; empty if all can be worked on."""
    return next((key for key in keys if value.get(key) is not None and not isinstance(value[key], list)), "")


def is_local(item: Item) -> bool:
    """Return whether the host drops the object at the end, so that an edit would change nothing."""
    return item.contains(b"local-config") and item.annotations.get(LOCAL_CONFIG_ANNOTATION) == "true"


def title(item: Item) -> str:
    """Name an object in a message: kind, namespace and name."""
    return titled(item.kind, item.namespace, item.name)


# --- containers and releases ------------------------------------------------------------------------------------------


def pod_spec(deployment: dict[str, Any]) -> dict[str, Any]:
    """Return `spec.template.spec` of a Deployment; empty where there is none."""
    return mapping(deployment, "spec", "template", "spec")


def containers(deployment: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the containers of a Deployment's pods, an empty mapping for each that is none."""
    return [mapping(one) for one in sequence(pod_spec(deployment).get("containers"))]


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


def release(text: str) -> Release | None:
    """Read a version such as `v1.6.3`, `1.12` or `v0.14.0-rc.1`; None where it is none (`latest`, a placeholder)."""
    found = _RELEASE.match(text)
    return Release(major=int(found[1]), minor=int(found[2]), text=text) if found else None


def image_release(image: str) -> Release | None:
    """Read the release from the tag of an image reference; a registry's port is no tag, a digest is none either."""
    return release(image_tag(image))


def image_name(image: str) -> str:
    """Return the last part of an image's repository: `cluster-api-controller`, `clusternet-hub`."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


# --- flags ------------------------------------------------------------------------------------------------------------
# In `command` or in `args`, joined (`--flag=value`) or separate (`--flag`, `value`). The process sees `command` followed by
# `args`, so both are read as one row: a flag may even end the one and have its value begin the other.


class Flag(Record):
    """One occurrence of a flag."""

    name: str
    value: str  # empty where a separate flag is the last element
    places: tuple[tuple[str, int], ...]  # field and position of its element; of a separate value too, which comes last

    @property
    def path(self) -> str:
        """Path of the element that holds the value, below the container."""
        field, index = self.places[-1]
        return f"{field}[{index}]"


def flags(container: Mapping[str, Any], name: str) -> list[Flag]:
    """Return every occurrence of the flag `--name`, in the order in which the process reads them."""
    row, found = _words(container), []
    for place, word in row:
        if word.startswith(f"--{name}="):
            found.append(Flag(name=name, value=word.partition("=")[2], places=(place,)))
        elif word == f"--{name}":  # whatever is behind it is its value, even the same flag again
            behind = next(row, None)
            value, places = ("", (place,)) if behind is None else (behind[1], (place, behind[0]))
            found.append(Flag(name=name, value=value, places=places))
    return found


def hides_flag(container: Mapping[str, Any], name: str) -> bool:
    """Return whether the flag is part of a longer element, as in `sh -c "/manager --name=…"`."""
    return any(f"--{name}" in word and not word.startswith(f"--{name}") for _, word in _words(container))


def in_shell(container: Mapping[str, Any]) -> bool:
    """Return whether a shell's `-c` line runs the program and hands no arguments on: then a flag behind it has no effect."""
    row = [word for _, word in _words(container)]
    if not any(word.rpartition("/")[2] in _SHELLS for word in row):
        return False
    lines = [at + 1 for at, word in enumerate(row[:-1]) if word.startswith("-") and word.endswith("c")]
    return bool(lines) and "$@" not in row[lines[0]]


def set_flag(container: dict[str, Any], found: Flag, value: str) -> None:
    """Give one occurrence another value, in its own form."""
    field, index = found.places[-1]
    container[field][index] = value if len(found.places) > 1 else f"--{found.name}={value}"


def remove_flags(container: dict[str, Any], found: list[Flag]) -> None:
    """Take occurrences out, with their separate values; a field that becomes empty goes too."""
    gone = {place for one in found for place in one.places}
    for field in {field for field, _ in gone}:
        container[field] = [one for index, one in enumerate(container[field]) if (field, index) not in gone]
        if not container[field]:
            del container[field]


def add_flag(container: dict[str, Any], text: str, *, bare: str) -> str:
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


def _words(container: Mapping[str, Any]) -> Iterator[tuple[tuple[str, int], str]]:
    """Yield the place and the text of every element that is a text, in the order in which the process reads them."""
    for field in FLAG_FIELDS:
        for index, word in enumerate(sequence(container.get(field))):
            if isinstance(word, str):
                yield (field, index), word
