"""The kinds of single values: each checks and normalises a value, and words its own messages."""

from __future__ import annotations

import re

from krm_fn.base import nearest
from krm_fn.config import formats
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.config.formats import Format
    from krm_fn.config.report import Place

    Scalar = str | int | bool

_MAX_INT = 2**31 - 1


class Kind:
    """What a value may be. `types` are those of values of the right type, whatever they hold."""

    types: tuple[type, ...] = (dict,)

    @property
    def expected(self) -> str:
        """What a value has to be, in words: `a string`."""
        raise NotImplementedError

    def accepts(self, value: object) -> bool:
        """Return whether a value is of the right type."""
        return isinstance(value, self.types)

    def check(self, value: Any, at: Place) -> Any:
        """Return a value of the right type in normal form; report at `at` what is wrong with it."""
        raise NotImplementedError

    def meant(self, value: object) -> Scalar | None:  # noqa: ARG002 - subclasses look at the value
        """Return the value that one of the wrong type was most likely meant to be; None where that is not clear."""
        return None

    def hint(self, value: object) -> str:
        """Say how a value of the wrong type could be corrected, to go on after the message; mostly empty."""
        return "" if self.meant(value) is None else ": remove the quotes"

    def corrected(self, value: object, at: Place) -> str:
        """Return the text that one of the wrong type was most likely meant to be; "" where that is not clear."""
        meant = self.meant(value)
        if meant is None:
            return ""
        return at.written(f'"{meant}"' if isinstance(meant, str) else quoted(meant))

    def read(self, value: object, at: Place) -> Any:
        """Check type and content. The result means something only if no error was reported."""
        if value is None:
            at.error(f"is empty: give {self.expected}, or remove the field", "type")
            return None
        if not self.accepts(value):
            meant = self.meant(value)
            at.error(
                f"must be {self.expected}, not {at.described(value)}{self.hint(value)}",
                "type",
                fix=self.corrected(value, at),
                change=None if meant is None else (value, meant),
            )
            return None
        return self.check(value, at)


class Text(Kind):
    """A string of a format; not empty unless `empty`."""

    types = (str,)

    def __init__(self, form: Format = formats.ANY, *, empty: bool = False) -> None:
        self.format = form
        self.empty = empty

    @property
    def expected(self) -> str:
        return self.format.expected

    def meant(self, value: object) -> Scalar | None:
        """The same text as a string, unless YAML has lost its spelling (`1e3`)."""
        return quoted(value) if isinstance(value, (bool, int)) else None

    def hint(self, value: object) -> str:
        """YAML reads `on`, `1e3` and the like as something else."""
        if isinstance(value, list) and len(value) == 1:
            return ": give the value alone"
        return ": put it in quotes" if isinstance(value, (bool, int, float)) else ""

    def check(self, value: str, at: Place) -> str:
        if not value and not self.empty:
            at.error(f"is empty: give {self.expected}, or remove the field", "format")
        elif reason := self.format.error(value):
            from krm_fn.yaml.explain import lookalike  # noqa: PLC0415 - for errors only

            odd = lookalike(value)
            if odd:
                at.error(f"holds {odd}", "format")
                return value
            shown = at.shown(value)
            at.error(f"{reason}, not{shown}" if shown and reason.startswith("must be") else reason, "format")
        return value


class Choice(Kind):
    """One of some strings."""

    types = (str,)

    def __init__(self, *values: str) -> None:
        self.values = values

    @property
    def expected(self) -> str:
        return f"one of {', '.join(self.values)}" if len(self.values) > 1 else self.values[0]

    def check(self, value: str, at: Place) -> str:
        """Find the value; name the nearest one where it is unknown."""
        if value not in self.values:
            near = nearest(value, self.values)  # one of ours, so it may be named in a private place, too
            at.error(
                f"must be {self.expected}, not{at.shown(value) or ' this'}{did_you_mean(near)}",
                "enum",
                fix=at.written(near) if near else "",
                change=(value, near) if near else None,
            )
        return value


class Flag(Kind):
    """A boolean."""

    types = (bool,)
    expected = "true or false"

    def meant(self, value: object) -> Scalar | None:
        """The usual slip is a quoted boolean."""
        return {"true": True, "false": False}.get(value) if isinstance(value, str) else None

    def check(self, value: bool, at: Place) -> bool:  # noqa: ARG002, FBT001 - the signature of all kinds
        return value


class Whole(Kind):
    """A whole number within limits."""

    def __init__(self, minimum: int = 0, maximum: int = _MAX_INT) -> None:
        self.minimum = minimum
        self.maximum = maximum

    @property
    def expected(self) -> str:
        upper = f" and at most {self.maximum}" if self.maximum != _MAX_INT else ""
        return f"a whole number of at least {self.minimum}{upper}"

    def accepts(self, value: object) -> bool:
        """Integers, and floats that are whole, as in JSON Schema."""
        return (isinstance(value, int) and not isinstance(value, bool)) or (
            isinstance(value, float) and value.is_integer()
        )

    def meant(self, value: object) -> Scalar | None:
        """The usual slip is a quoted number."""
        return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else None

    def check(self, value: float, at: Place) -> int:
        if not self.minimum <= value <= self.maximum:
            most = f"at most {self.maximum}" if value > self.maximum else f"at least {self.minimum}"
            at.error(f"must be {most}, not {at.described(value)}", "limit")
        return int(value)


class Number(Kind):
    """A number that is not negative, for quantities that people write without quotes; in cores or bytes, so without a unit."""

    expected = "a number"

    def accepts(self, value: object) -> bool:
        return isinstance(value, (int, float)) and not isinstance(value, bool)

    def check(self, value: float, at: Place) -> float:
        """Refuse what no quantity can be: negative, not a number, infinite."""
        if not 0 <= value < float("inf"):
            at.error(f"must be 0 or more, not {at.described(value)}", "limit")
        return value


class Json(Kind):
    """An object of any content that JSON can hold."""

    expected = "an object"

    def hint(self, value: object) -> str:
        """The usual slip is another kind of patch."""
        return (
            ": write a JSON merge patch, which is the fields to change as YAML"
            if isinstance(value, (str, list))
            else ""
        )

    def check(self, value: dict[str, Any], at: Place) -> dict[str, Any]:
        """Refuse the two values of YAML that JSON, and so an API server, does not know."""
        pending: list[tuple[Any, Place]] = [(value, at)]
        while pending:
            one, place = pending.pop()
            if isinstance(one, dict):
                pending += [(below, place.field(str(key))) for key, below in one.items()]
            elif isinstance(one, list):
                pending += [(below, place.entry(index)) for index, below in enumerate(one)]
            elif isinstance(one, float) and not -float("inf") < one < float("inf"):
                place.error("must not be .nan or .inf, which JSON can't hold: give a finite number", "not-json")
        return value


def did_you_mean(near: str) -> str:
    """Say which name was meant, to go on after a message; "" where none is near."""
    return f": did you mean {near}?" if near else ""
