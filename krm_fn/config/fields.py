"""Containers and fields: what a configuration is built from, on top of the scalar `kinds`.

A kind says what is allowed as data (formats, choices, limits, constraints), so that `export` can say the same as a
JSON Schema without a second copy.
"""

from __future__ import annotations

from krm_fn.base import clone, late, nearest
from krm_fn.config.kinds import Choice, Kind, Text, did_you_mean
from krm_fn.config.report import example, moved, odd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from typing import Any

    from krm_fn.config.formats import Format
    from krm_fn.config.report import Place
    from krm_fn.config.rules import Constraint

_INDEX = late(r"\[\d+\]")
_MOST_NAMED = 6  # fields that a message lists
FIELD_NAME = late(r"[A-Za-z][A-Za-z0-9_]{0,40}\Z")


UNSET: Any = object()  # marks a field without a default or an example; None is a value


class Either(Kind):
    """A value of one of several types; the type decides which kind it is checked against."""

    def __init__(self, *kinds: Kind) -> None:
        self.kinds = kinds

    @property
    def expected(self) -> str:
        return " or ".join(kind.expected for kind in self.kinds)

    def accepts(self, value: object) -> bool:
        return any(kind.accepts(value) for kind in self.kinds)

    def check(self, value: Any, at: Place) -> Any:
        """Apply the first that takes values of this type."""
        return next(kind for kind in self.kinds if kind.accepts(value)).check(value, at)


class ListOf(Kind):
    """A list. `unique` forbids repeated entries; `unique_by` entries that agree in these fields."""

    types = (list,)
    expected = "a list"

    def __init__(
        self, item: Kind, *, minimum: int = 0, maximum: int = 0, unique: bool = False, unique_by: tuple[str, ...] = ()
    ) -> None:
        self.item = item
        self.minimum = minimum
        self.maximum = maximum  # 0 = no limit
        self.unique = unique
        self.unique_by = unique_by

    def hint(self, value: object) -> str:
        """The usual slip is a single entry in place of a list, or entries without dashes."""
        if self._is_entry(value):
            return ": begin the entry with a dash"
        return ": begin each entry with a dash" if isinstance(value, dict) else ""

    def corrected(self, value: object, at: Place) -> str:
        """Return a single entry as a list."""
        return at.lines([value]) if self._is_entry(value) else ""

    def _is_entry(self, value: object) -> bool:
        known = not isinstance(value, dict) or not isinstance(self.item, Object) or value.keys() & set(self.item.names)
        return bool(known) and self.item.accepts(value)

    def check(self, value: list[Any], at: Place) -> list[Any]:
        if len(value) < self.minimum:
            at.error("is an empty list: give at least one entry, or remove the field", "limit")
        if self.maximum and len(value) > self.maximum:
            at.error(f"has {len(value)} entries, at most {self.maximum} are allowed", "limit")
        entries = [self.item.read(entry, at.entry(index)) for index, entry in enumerate(value)]
        if self.unique or self.unique_by:
            self._repeated(entries, at)
        return entries

    def _repeated(self, entries: list[Any], at: Place) -> None:
        seen: dict[Any, int] = {}
        for index, entry in enumerate(entries):
            identity = tuple(entry.get(name) for name in self.unique_by) if isinstance(entry, dict) else entry
            if identity is None or at.log.broken(at.entry(index).path):
                continue
            if identity in seen:
                rule = "duplicate-entry" if self.unique_by else "duplicate"
                other = at.entry(seen[identity])
                at.entry(index).error(f"repeats {other.path}: remove one of them", rule, other=other)
            seen.setdefault(identity, index)


class MapOf(Kind):
    """An object with free keys of one format and values of one kind; sorted by key."""

    expected = "an object"

    def __init__(self, key: Format, value: Kind) -> None:
        self.key = key
        self.value = value

    def hint(self, value: object) -> str:
        """The usual slips are a list in place of an object, and a line without its colon."""
        return ": write each entry as name: value" if isinstance(value, (list, str)) else ""

    def check(self, value: dict[str, Any], at: Place) -> dict[str, Any]:
        found = {}
        for key, one in value.items():
            place = at.key(key)
            if reason := self.key.error(key):
                place.error(f"has a bad key: it {reason}", "format")
            else:
                found[key] = self.value.read(one, place)
        return dict(sorted(found.items()))


class Field:
    """A field of an object.

    Attributes:
        name: As written in the configuration.
        kind: What it may hold.
        doc: One sentence (or a few) for the reference and for editors.
        default: What counts where it is absent, as a user would write it.
        example: A value worth copying.
        required: Whether it must be there.
        secret: Its value is a secret: never shown, and marked in the schema.
        private: Its value, and all below, might hold a secret by mistake: never shown.
    """

    def __init__(  # noqa: PLR0913 - a declaration, each part by name
        self,
        name: str,
        kind: Kind,
        doc: str,
        *,
        default: Any = UNSET,
        example: Any = UNSET,
        required: bool = False,
        secret: bool = False,
        private: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.doc = doc
        self.default = default
        self.example = example
        self.required = required
        self.secret = secret
        self.private = private

    def pasted(self) -> str:
        """Return the field with its example as lines to paste; "" where it has none."""
        if self.example is UNSET:
            return ""
        from krm_fn.yaml.write import dump  # noqa: PLC0415 - for errors only

        return dump({self.name: self.example}).rstrip("\n")


class Object(Kind):
    """An object with known fields.

    Attributes:
        fields: What it may hold.
        names: Their names.
        constraints: Rules between them.
        foreign: The fields that are refused, while others that are not known pass unread; None to refuse all of those.
        upstream: Name of the Kubernetes type that it is; the reference names it and leaves the details to Kubernetes.
        advice: What to say of a field that is not known and resembles none, to go on after the message.
        instead: What to say of a value that is no object.
    """

    expected = "an object"
    advice = ""

    def __init__(
        self,
        *fields: Field,
        constraints: tuple[Constraint, ...] = (),
        foreign: Collection[str] | None = None,
        upstream: str = "",
        instead: str = "",
    ) -> None:
        self.fields = fields
        self.constraints = constraints
        self.foreign = foreign
        self.upstream = upstream
        self.instead = instead

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def get(self, name: str) -> Field | None:
        """Return the field of a name."""
        return next((field for field in self.fields if field.name == name), None)

    def hint(self, value: object) -> str:
        """The usual slips are a line that is not `name: value`, and a dash too many."""
        if isinstance(value, list) and not self.instead:
            return ": remove the dash"
        text = value if isinstance(value, str) else ""
        if not text.isascii():
            from krm_fn.yaml.explain import lookalike  # noqa: PLC0415 - for errors only

            found = lookalike(text)
            return f": it holds {found}" if found else self.instead
        for sign, slip in (
            (" ", "a ':' is missing"),
            (":", "a space is missing after ':'"),
            ("=", "'=' in place of ':'"),
        ):
            first = text.partition(sign)[0]
            if first != text and first in self.names:
                return f": {slip}; write {first}: …"
        return self.instead or (f": write it as {first}: …, on a line below" if (first := self._first(value)) else "")

    def _first(self, value: object) -> str:
        """Return the field that text in the object's place was most likely meant for; "" where there is none."""
        ways = [one for one in self.fields if isinstance(one.kind, Choice) and value in one.kind.values]
        ways = ways or [one for one in self.fields if one.required]
        fits = len(ways) == 1 and isinstance(ways[0].kind, (Choice, Text)) and isinstance(value, str)
        return ways[0].name if fits else ""

    def corrected(self, value: object, at: Place) -> str:
        """Return text as the field that it was most likely meant for."""
        first = self._first(value)
        return at.lines({first: value}) if first and not any(one in str(value) for one in " :=") else ""

    def check(self, value: dict[str, Any], at: Place) -> dict[str, Any]:
        """Check fields, defaults and constraints; a field that is absent and has no default stays absent."""
        found: dict[str, Any] = {}
        self.unknown(value, at)
        for field in self.fields:
            place = at.field(field.name, private=field.private or field.secret)
            missing = field.required and value.get(field.name) is None
            if field.name in value and not missing:
                before = len(at.log.errors)
                found[field.name] = field.kind.read(value[field.name], place)
                if len(at.log.errors) > before:
                    at.log.help(place.path, before, field.pasted)
            elif missing:
                if at.log.broken(place.path):
                    continue  # its flat key could not be read, and that is said already
                what = "empty" if field.name in value else "required"
                flat = field.name if at.path == "data" else ""
                shown = "" if field.example is UNSET else example(field.kind.expected, field.example, flat)
                fix = "" if flat else field.pasted()
                place.error(f"is {what}: give {field.kind.expected}{shown}", "required", fix=fix)
            elif field.default == {} and isinstance(field.kind, Object):
                found[field.name] = field.kind.read({}, place)  # for the defaults inside
            elif field.default is not UNSET:
                found[field.name] = clone(field.default)  # a test checks defaults against their kinds
        for constraint in self.constraints:
            constraint.check(value, at)
        return found

    def unknown(self, value: Mapping[str, Any], at: Place) -> None:
        refused = value.keys() if self.foreign is None else value.keys() & set(self.foreign)
        for key in sorted(refused - set(self.names)):
            near = self.near(key, value, at)
            nameable = FIELD_NAME.match(key) and (near or not at.private or at.log.paths(key))
            place = at.field(key) if nameable else at.key(key)
            text = f"is not a known field{odd(key) or did_you_mean(near) or self.advice or self._known(at)}"
            place.error(text, "unknown-field", fix=moved(near, at) if near else "")
            if near:  # the field that was meant is not missing, but misspelt or in the wrong place
                at.log.explain(near if "." in near else at.field(near).path)

    def _known(self, at: Place) -> str:
        """Say which fields there are, to go on after a message."""
        if len(self.names) <= _MOST_NAMED:
            return f": the fields are {', '.join(self.names)}"
        path = "spec" if at.path == "data" else _INDEX.sub("", at.path)
        return f": `clusternet-capi-fn explain {path}` lists the fields"

    def near(self, name: str, value: Mapping[str, Any], at: Place) -> str:
        """Return the field that was meant: one with other capitals, of an object beside it, the only one elsewhere, or nearest."""
        near = nearest(name, self.names)
        same = near.casefold().rstrip("s") == name.casefold().rstrip("s")
        below = [one.name for one in self.fields if name in getattr(one.kind, "names", ()) and one.name in value]
        if len(below) == 1 and not near:
            return at.field(f"{below[0]}.{name}").path
        return near if near and same else at.log.elsewhere(name) or near


def inside(kind: Kind) -> Object | None:
    """Return the object whose fields a kind has: its own, those of a list's entries, or of one of several kinds."""
    if isinstance(kind, ListOf):
        return inside(kind.item)
    if isinstance(kind, Either):
        return next((found for one in kind.kinds if (found := inside(one)) is not None), None)
    return kind if isinstance(kind, Object) else None


def walk(kind: Object, prefix: str = "") -> Iterator[tuple[str, Field]]:
    """Yield every field below an object with its dotted path, lists left out, in the order of the tree."""
    for field in kind.fields:
        path = f"{prefix}.{field.name}" if prefix else field.name
        yield path, field
        if isinstance(field.kind, Object):
            yield from walk(field.kind, path)


def paths_of(kind: Object, name: str) -> list[str]:
    """Return the dotted paths of all fields of a name below an object."""
    return [path for path, field in walk(kind) if field.name == name]
