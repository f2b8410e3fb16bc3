"""Results: the one form in which everything that is reported to a user travels.

The shape is the `results` field of a ResourceList (functions-spec v1 of the KRM functions specification). An error that
stops the work is an `Errors` exception that carries results; no other exception crosses packages on purpose.
"""

from __future__ import annotations

from krm_fn.base import Record, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, Protocol

    class _Placed(Protocol):  # an item, or a record that was read from one
        def place(self, field: str = "") -> dict[str, Any]: ...


ERROR = "error"
WARNING = "warning"
INFO = "info"

FUNCTION_CONFIG = -1  # the position of the functionConfig, which is no item
STDIN = "stdin"  # what the input is called where an object has no file
# Annotations of hosts: the file of an object, and its position there; the first that is there counts.
PATH = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
PACKAGE = "internal.config.kubernetes.io/package-path"  # kpt's: the folder that `PATH` is relative to
INDEX = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")


class ResourceRef(Record):
    """The object that a result speaks of (`results[].resourceRef`)."""

    api_version: str
    kind: str
    name: str
    namespace: str = ""


class Related(Record):
    """A second place that a result is about: of two objects that clash, the other one."""

    label: str  # what is there, to be followed by the place: "the other one"
    item: int | None = None  # position of the object in the input; None where it is in no input
    field: str = ""  # path of the field that is meant; "" for the object
    file_path: str = ""  # file that holds the object
    file_index: int | None = None  # position of the object in that file, from 0
    line: int | None = None  # line from 1; None until `places.located` finds it
    column: int | None = None

    @classmethod
    def at(cls, label: str, place: Mapping[str, Any]) -> Related:
        """Return one for a place as `Item.place`, `Config.place` and `Cluster.place` give it."""
        return cls(label=label, **{key: place[key] for key in ("item", "field", "file_path", "file_index")})


class Result(Record):
    """One thing to tell the user."""

    message: str  # one line, cause first, with what to do. Never holds a secret value
    severity: str = ERROR  # `error`, `warning` or `info`
    resource_ref: ResourceRef | None = None  # the object it is about, if there is one
    # position of that object in the input; `FUNCTION_CONFIG` for the functionConfig. With `field` it says where line
    # and column are to be found (`places.located`)
    item: int | None = None
    field: str = ""  # path of the field, such as `spec.agent.replicas`
    current: object = None  # the value that the field has, where `proposed` should take its place and it may be shown
    proposed: object = None  # the value that the field should have, where there is one
    fix: str = ""  # text that corrects the input, ready to paste; may have several lines
    file_path: str = ""  # file that holds the object, as the host names it
    file_index: int | None = None  # position of the object in that file, from 0; None where unknown
    line: int | None = None  # line from 1: of the file if `file_path` is set, of the input otherwise
    column: int | None = None
    related: tuple[Related, ...] = ()
    rule: str = ""  # name of the check, for machines; "" where it has none

    @property
    def place(self) -> str:
        """The file, with line and column where they are known; "" where nothing is."""
        if self.line is None:
            return self.file_path
        return ":".join(str(part) for part in (self.file_path or STDIN, self.line, self.column) if part is not None)

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
            values = {"currentValue": self.current, "proposedValue": self.proposed}
            data["field"] = {"path": self.field, **{name: one for name, one in values.items() if one is not None}}
        if self.file_path:
            file: dict[str, object] = {"path": self.file_path}
            if self.file_index is not None:
                file["index"] = self.file_index
            data["file"] = file
        if self.rule:
            data["tags"] = {"rule": self.rule}
        return data

    def text(self) -> str:
        """Return the result as one printable line: `FILE:LINE:COLUMN: error: what is wrong, and what to do`."""
        said = self.message
        where = "" if self.line is None and self.file_path in said else self.place
        ref = self.resource_ref
        if ref is not None and ref.kind and ref.name and not self.file_path and not _mentions(said, ref.name):
            said = f"{ref.kind} {ref.name}: {said}"  # nobody sees the stream, so the object must be named
        if self.field and self.field not in said:
            said += f" [{self.field}]"
        return printable(" ".join(f"{where}: {self.severity}: {said}".removeprefix(": ").split()))


def _mentions(text: str, name: str) -> bool:
    """Return whether a text has a name as a word, maybe with a namespace in front, or a name that is no word."""
    words = {word.strip("\"'`,;:()[]").rpartition("/")[2] for word in text.split()}
    return name in words or (" " in name and name in text)


class Errors(Exception):  # noqa: N818 - a set of errors, each of them a result of severity error
    """Bad input: every error found, as results of severity `error`."""

    def __init__(self, results: Iterable[Result]) -> None:
        """Take the results; at least one."""
        self.results = tuple(results)
        super().__init__("; ".join(result.text() for result in self.results))

    @classmethod
    def of(cls, message: str, **parts: Any) -> Errors:
        """Return one of a single error; `parts` are further fields of `Result`."""
        return cls([Result(message=message, **parts)])


def has_errors(results: Iterable[Result]) -> bool:
    """Return whether any result is an error."""
    return any(result.severity == ERROR for result in results)


def about(what: _Placed, message: str, *, rule: str, field: str = "", **parts: Any) -> Result:
    """Return a result about an object of the input, or about a field of it; `parts` are further fields of `Result`."""
    return Result(message=message, rule=rule, **parts, **what.place(field))


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
