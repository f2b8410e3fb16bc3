"""Where decoding is in a configuration, how it reports what is wrong there, and what it proposes instead.

Values are shown only where they can't be secret: nothing under `registrationToken`, no URL, no environment value, and
nowhere text that has the form of a token.
"""

from __future__ import annotations

from krm_fn.krm.results import ERROR, WARNING, Related, Result
from krm_fn.kube.secrets import hide, quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any


# Rules whose errors an example of the field answers.
_EXAMPLE_HELPS = frozenset({"type", "format", "not-empty"})


class Log:
    """Collects the results about one object.

    Attributes:
        errors: Results of severity `error`, in the order found.
        warnings: Results of severity `warning`.
        place: What every result carries: the place of the object (`Item.place`).
        paths: Returns the dotted paths of all fields of a name in the whole object.
    """

    __slots__ = ("_above", "_broken", "errors", "paths", "place", "warnings")

    def __init__(self, place: Mapping[str, Any], paths: Callable[[str], Sequence[str]] = lambda _name: ()) -> None:
        self.place = place
        self.paths = paths
        self._broken: set[str] = set()
        self._above: set[str] = set()  # what is broken, and what it is in
        self.errors: list[Result] = []
        self.warnings: list[Result] = []

    def add(self, path: str, **parts: Any) -> None:
        """Keep one result about the field at `path`; `parts` are further fields of `Result`."""
        result = Result(**{**self.place, **parts, "field": path})
        if result.severity == ERROR:
            self.explain(path)
            self.errors.append(result)
        else:
            self.warnings.append(result)

    def help(self, path: str, since: int, example: Callable[[], str]) -> None:
        """Give the errors at a path, of those found since, an example to paste where they have no correction."""
        for index in range(since, len(self.errors)):
            one = self.errors[index]
            if one.field == path and not one.fix and one.rule in _EXAMPLE_HELPS:
                self.errors[index] = one.replace(fix=example())

    def elsewhere(self, name: str) -> str:
        """Return the dotted path of the only field of a name; "" for none or several."""
        paths = self.paths(name)
        return paths[0] if len(paths) == 1 else ""

    def explain(self, path: str) -> None:
        """Note that an error found already is the cause of whatever is wrong at a path."""
        self._broken.add(path)
        self._above.update(_parents(path))

    def broken(self, path: str) -> bool:
        """Return whether an error was found at the path, above it or below it."""
        return bool(self._broken) and (path in self._above or not self._broken.isdisjoint(_parents(path)))


def _parents(path: str) -> list[str]:
    """Return a path, and those above it."""
    return [path, *(path[:at] for at, mark in enumerate(path) if mark in ".[")]


class Place:
    """A field of the object that is being decoded: its path, and whether its value may be shown."""

    __slots__ = ("log", "path", "private")

    def __init__(self, log: Log, path: str, *, private: bool = False) -> None:
        """Begin at a path; `private` holds for everything below too."""
        self.log = log
        self.path = path
        self.private = private

    def field(self, name: str, *, private: bool = False) -> Place:
        """Return the place of a field of this object; the name may be dotted."""
        return Place(self.log, f"{self.path}.{name}" if self.path else name, private=self.private or private)

    def entry(self, index: int) -> Place:
        """Return the place of an entry of this list."""
        return Place(self.log, f"{self.path}[{index}]", private=self.private)

    def key(self, key: object) -> Place:
        """Return the place of an entry of this map; the key may hold dots and anything else."""
        return Place(self.log, f"{self.path}[{'…' if self.private else quoted(key)}]", private=self.private)

    def error(
        self,
        text: str,
        rule: str,
        *,
        fix: str = "",
        change: tuple[object, object] | None = None,
        other: Place | None = None,
    ) -> None:
        """Report an error.

        Args:
            text: Goes on after the path: `must be …`.
            rule: Name of the check.
            fix: The corrected text.
            change: The value that is there, and the one that was most likely meant; dropped where the field is private.
            other: A second place that it is about.
        """
        related = () if other is None else (Related.at(other.path, {**self.log.place, "field": other.path}),)
        self.log.add(
            self.path,
            message=f"{self.path} {text}",
            fix=fix,
            current=None if self.private or change is None else change[0],
            proposed=None if self.private or change is None else change[1],
            related=related,
            rule=rule,
        )

    def warn(self, text: str, rule: str) -> None:
        """Report a warning in the same form."""
        self.log.add(self.path, message=f"{self.path} {text}", severity=WARNING, rule=rule)

    def written(self, value: str) -> str:
        """Return this field with a value, as a line to paste; "" where the value may not be shown."""
        if self.private:
            return ""
        if self.path.endswith("]"):
            index = self.path[:-1].rpartition("[")[2]
            return f"- {value}" if index.isdigit() else f"{index}: {value}"
        return f"{self.path.rpartition('.')[2]}: {value}"

    def lines(self, value: object) -> str:
        """Return this field with a value of several lines, to paste; "" where the value may not be shown, or holds a token."""
        if self.private:
            return ""
        from krm_fn.yaml.write import dump  # noqa: PLC0415 - for errors only

        name = self.path.rpartition(".")[2]
        text = dump([value] if name.endswith("]") else {name: value}).rstrip("\n")
        return text if hide(text) == text else ""

    def shown(self, value: object) -> str:
        """Return the value in quotes after a space, or nothing where it may not be shown."""
        return "" if self.private else f' "{quoted(value)}"'

    def described(self, value: object) -> str:
        """Name the type of a value, and the value itself where it is short and may be shown."""
        if value is None:
            return "nothing"
        if isinstance(value, bool):
            return "a boolean" if self.private else f"the boolean {quoted(value)}"
        if isinstance(value, (int, float)):
            return "a number" if self.private else f"the number {quoted(value)}"
        if isinstance(value, str):
            return f"the string{self.shown(value)}" if value and not self.private else "a string"
        return "a list" if isinstance(value, (list, tuple)) else "an object"


# --- what to say of a wrong field beyond that it is wrong ------------------------------------------------------------


def example(expected: str, value: Any, flat: str = "") -> str:
    """Return an example on one line, to go on after a message that says what is expected; with a flat key as `key=value`."""
    if " such as " in expected:
        return ""
    if flat:
        while isinstance(value, dict) and "matchLabels" not in value:
            key, value = next(iter(value.items()))
            flat += f".{key}"
        labels = value["matchLabels"].items() if isinstance(value, dict) else ()
        return f", for example {flat}={','.join(f'{key}={one}' for key, one in labels) or value}"
    return f", for example {flow(value)}"


def moved(near: str, at: Place) -> str:
    """Return the start of the field that was meant."""
    steps = near.removeprefix(f"{at.path}.").split(".")
    lines = [f"{'  ' * depth}{step}:" for depth, step in enumerate(steps)]
    return "\n".join(lines) + (" …" if len(steps) > 1 else "")


def flow(value: object) -> str:
    """Return JSON-like data as YAML on one line, quoted where YAML needs it."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(one)}' for key, one in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    from krm_fn.yaml.write import dump  # noqa: PLC0415 - for errors only

    return dump(value).rstrip("\n")


def odd(name: str) -> str:
    """Name a character of a field's name that looks like another one, to go on after a message."""
    from krm_fn.yaml.explain import lookalike  # noqa: PLC0415 - for errors only

    found = lookalike(name)
    return f": its name holds {found}" if found else ""
