"""Results: the one currency in which everything that is to be said to a user travels.

The shape is the `results` field of a ResourceList (functions-spec v1 of the KRM functions specification). A fault that
stops the work is a `Faults` exception that carries results; nothing else is raised on purpose across rooms.
"""

from __future__ import annotations

from krm_fn.base.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

ERROR = "error"
WARNING = "warning"
INFO = "info"


class ResourceRef(Record):
    """The object that a result speaks of (`results[].resourceRef`)."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""


class Result(Record):
    """One thing to tell the user.

    Attributes:
        message: One line, cause first, with what to do. Never holds a secret value.
        severity: `error`, `warning` or `info`.
        resource_ref: The object it is about, if there is one.
        field: Path of the field, such as `spec.agent.replicas`.
        file_path: File that holds the object, as the host names it.
        file_index: Position of the object in that file, from 0; None where unknown.
        tags: Machine-readable extras (`rule` names the check).
    """

    message: str
    severity: str = ERROR
    resource_ref: ResourceRef | None = None
    field: str = ""
    file_path: str = ""
    file_index: int | None = None
    tags: tuple[tuple[str, str], ...] = ()

    def as_data(self) -> dict[str, object]:
        """Return the result in the form of functions-spec v1, absent parts left out."""
        data: dict[str, object] = {"message": self.message, "severity": self.severity}
        if self.resource_ref is not None:
            ref: dict[str, str] = {
                "apiVersion": self.resource_ref.api_version,
                "kind": self.resource_ref.kind,
                "name": self.resource_ref.name,
            }
            if self.resource_ref.namespace:
                ref["namespace"] = self.resource_ref.namespace
            data["resourceRef"] = ref
        if self.field:
            data["field"] = {"path": self.field}
        if self.file_path:
            file: dict[str, object] = {"path": self.file_path}
            if self.file_index is not None:
                file["index"] = self.file_index
            data["file"] = file
        if self.tags:
            data["tags"] = dict(self.tags)
        return data


class Faults(Exception):  # noqa: N818 - a set of faults, each of them a result of severity error
    """Bad input: every fault found, as results of severity `error`."""

    def __init__(self, results: Iterable[Result]) -> None:
        """Take the results; at least one."""
        self.results = tuple(results)
        super().__init__("; ".join(result.message for result in self.results))


def fault(message: str, **parts: Any) -> Faults:
    """Return a `Faults` of one error; `parts` are further fields of `Result`."""
    return Faults([Result(message=message, **parts)])


def has_errors(results: Iterable[Result]) -> bool:
    """Tell whether any result is an error."""
    return any(result.severity == ERROR for result in results)


def tagged(**tags: str) -> tuple[tuple[str, str], ...]:
    """Return tags in the form that `Result` holds them, sorted by key."""
    return tuple(sorted(tags.items()))


class Results(list[Result]):
    """What a function has to say, in the order in which it says it."""

    def error(self, message: str, **parts: Any) -> None:
        """Report an error, which fails the run; `parts` are further fields of `Result`."""
        self.append(Result(message=message, severity=ERROR, **parts))

    def warning(self, message: str, **parts: Any) -> None:
        """Report a warning."""
        self.append(Result(message=message, severity=WARNING, **parts))

    def info(self, message: str, **parts: Any) -> None:
        """Report something worth knowing; hosts show it only when asked."""
        self.append(Result(message=message, severity=INFO, **parts))
