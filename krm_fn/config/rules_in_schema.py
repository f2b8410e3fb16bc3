"""Rules between fields of one object that a JSON Schema can say as well: data, checked here and exported there.

They look at what the user wrote, before defaults, since that is what a schema sees. Paths are dotted and relative to
the object that carries the constraint.
"""

from __future__ import annotations

from krm_fn.base import listed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.config.report import Place

_ABSENT = object()


class Constraint:
    """A rule between fields."""

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        """Report at `at` where the object breaks it."""
        raise NotImplementedError


class Given:
    """A question about one field: is it given and not empty, or has it one of some values?

    Attributes:
        path: Of the field.
        values: Values to look for; () asks whether it is given.
        absent: Whether the answer is yes, too, where the field is not there (its default is one of `values`).
        empty: Whether an empty value counts as given.
    """

    def __init__(self, path: str, *values: str, on: bool = False, absent: bool = False, empty: bool = False) -> None:
        """Ask for some values, or with `on` for a field that is true."""
        self.path = path
        self.values: tuple[str | bool, ...] = (True,) if on else values
        self.absent = absent
        self.empty = empty

    def holds(self, raw: Mapping[str, Any]) -> bool:
        """Answer it for what the user wrote."""
        value = lookup(raw, self.path)
        if value is _ABSENT:
            return self.absent
        if self.values:
            return any(type(value) is type(one) and value == one for one in self.values)
        return self.empty or value not in ("", [], {}, None)


class ExactlyOne(Constraint):
    """Exactly one of some fields must be there; `text` says what is wrong where there is none, to go on after the path."""

    def __init__(self, *names: str, text: str = "must have a source") -> None:
        self.names = names
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        given = [name for name in self.names if name in raw]
        if not given:
            if at.log.broken(at.path):
                return  # a misspelt name is said already
            at.error(f"{self.text}: give exactly one of {listed(self.names)}", "exactly-one")
        elif len(given) > 1:
            at.error(f"has {' and '.join(given)}: give exactly one of {listed(self.names)}", "exactly-one")


class Some(Constraint):
    """At least one of some fields must be there and not be empty."""

    def __init__(self, *names: str, text: str) -> None:
        self.names = names
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        if not any(Given(name).holds(raw) for name in self.names) and not at.log.broken(at.path):
            at.error(self.text, "not-empty")


class Refuse(Constraint):
    """If `when` holds, `what` must not; reported at the field of `what`."""

    def __init__(self, when: Given, what: Given, text: str) -> None:
        self.when = when
        self.what = what
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        if self.when.holds(raw) and self.what.holds(raw):
            there = lookup(raw, self.when.path) is not _ABSENT
            if not there and at.log.broken(at.field(self.when.path).path):
                return  # a misspelt field is reported already
            at.field(self.what.path).error(self.text, "conflict", other=at.field(self.when.path) if there else None)


class Require(Constraint):
    """If `when` holds, the field at `path` must be there and not be empty; reported there."""

    def __init__(self, when: Given, path: str, text: str) -> None:
        self.when = when
        self.path = path
        self.text = text

    def check(self, raw: Mapping[str, Any], at: Place) -> None:
        broken = at.log.broken(at.field(self.path).path)
        if self.when.holds(raw) and not Given(self.path).holds(raw) and not broken:
            at.field(self.path).error(self.text, "required")


def lookup(raw: object, path: str) -> Any:
    """Return the value at a dotted path; a mark of absence where there is none."""
    for name in path.split("."):
        if not isinstance(raw, dict) or name not in raw:
            return _ABSENT
        raw = raw[name]
    return raw
