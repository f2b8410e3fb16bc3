"""What every package may import: records, patterns that compile late, a digest, copies, names and lists in messages.

Imports nothing of the project, and little else: `dataclasses`, `hashlib` and compiling every pattern at once would each
add milliseconds to a cold start (docs/performance.md).
"""

from __future__ import annotations

import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any, AnyStr

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_options: object) -> object:
        """Stand in for `typing.dataclass_transform`, which only type checkers read."""
        return lambda cls: cls


_LONG = 8  # names of this length or longer have letters in common by chance


@dataclass_transform(kw_only_default=True, frozen_default=True)
class Record:
    """Base of records: annotated names are fields, a class attribute of that name is its default.

    Instances compare and hash by their fields' values. A field that holds a dict makes the record unhashable, as
    with a frozen dataclass.
    """

    _fields: tuple[str, ...] = ()
    _names: frozenset[str] = frozenset()
    _defaults: dict[str, Any] = {}  # noqa: RUF012 - filled once per subclass, never mutated afterwards

    def __init_subclass__(cls) -> None:
        """Collect the fields of a new record class, parents first."""
        # inspect.get_annotations is what this class exists to avoid
        attributes = cls.__dict__
        annotations = attributes.get("__annotations__") or _annotations(cls)
        own = [name for name in annotations if name[0] != "_"]
        if not own:
            return
        cls._fields += tuple([name for name in own if name not in cls._names])
        cls._names = frozenset(cls._fields)
        cls._defaults = {**cls._defaults, **{name: attributes[name] for name in own if name in attributes}}

    def __init__(self, **values: Any) -> None:
        """Take every field by name.

        Raises:
            TypeError: For an unknown field, or one without a default that is missing.
        """
        mine = self.__dict__
        mine.update(self._defaults)
        mine.update(values)
        if mine.keys() != self._names:
            raise TypeError(self._misfit(values))

    def _misfit(self, values: Mapping[str, Any]) -> str:
        """Say which field is missing or unknown."""
        cls = type(self)
        missing = [name for name in cls._fields if name not in values and name not in cls._defaults]
        if missing:
            return f"{cls.__name__} needs {missing[0]}"
        return f"{cls.__name__} has no field {', '.join(sorted(values.keys() - cls._names))}"

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: records are immutable."""
        message = f"{type(self).__name__}.{name} can't be set: records are immutable"
        raise AttributeError(message)

    def __delattr__(self, name: str) -> None:
        message = f"{type(self).__name__}.{name} can't be deleted: records are immutable"
        raise AttributeError(message)

    def __eq__(self, other: object) -> bool:
        """Equal when of the same class with equal fields."""
        if type(other) is not type(self):
            return NotImplemented
        return self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        """Hash over the fields' values."""
        return hash((type(self), *(self.__dict__[name] for name in self._fields)))

    def __repr__(self) -> str:
        """Show the fields; a record that holds a secret overrides this."""
        shown = ", ".join(f"{name}={self.__dict__[name]!r}" for name in self._fields)
        return f"{type(self).__name__}({shown})"

    def __iter__(self) -> Iterator[Any]:
        """Yield the values in the order of the fields."""
        return (self.__dict__[name] for name in self._fields)

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed."""
        return type(self)(**{**self.__dict__, **changes})


def _annotations(cls: type) -> dict[str, Any]:
    """Return a class's own annotations where Python (3.14 and newer) computes them late."""
    return dict(getattr(cls, "__annotations__", {})) if "__annotate_func__" in cls.__dict__ else {}


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return an object that behaves like `re.compile(pattern, flags)` but compiles only when it is first used.

    Compiling the expressions of the package takes longer than `import yaml` may take in a cold start
    (docs/performance.md), and a run uses a third of them.
    """
    return _Late(pattern, flags)  # type: ignore[return-value] # stands in for the pattern by handing out its methods


class _Late:
    """A pattern that is compiled on first use: each attribute is the compiled pattern's, and is kept here."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)
        self.__dict__[name] = found
        return found


def sha256_hex(data: bytes) -> str:
    """Return the SHA-256 of some bytes as 64 lower-case hexadecimal digits.

    Without `hashlib`, whose import loads OpenSSL: about four milliseconds of a cold start.
    """
    try:
        if sys.version_info >= (3, 12):  # asking for a module that is not there costs as much as loading one
            from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
        else:
            from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore] # noqa: PLC0415 - rarely needed
    except ImportError:  # another Python than CPython
        from hashlib import sha256  # noqa: PLC0415 - the portable, slower way
    digest: str = sha256(data).hexdigest()
    return digest


def clone(value: Any) -> Any:
    """Return a deep copy of JSON-like data; `copy.deepcopy` is slow and not needed on plain trees."""
    if isinstance(value, dict):
        return {key: clone(one) for key, one in value.items()}
    return [clone(one) for one in value] if isinstance(value, list) else value


def nearest(name: str, names: Iterable[str]) -> str:
    """Return the name that was most likely meant, or "" where none is near."""
    candidates = sorted(names)
    folded = name.casefold().replace("-", "").replace("_", "")
    for candidate in candidates:
        if candidate.casefold().replace("-", "") == folded:
            return candidate
    from difflib import get_close_matches  # noqa: PLC0415 - needed for a wrong name only, and slow to import

    # half of a long word is like half of many others: `permissions`, `apiVersion`
    name = " ".join(name[:100].split())
    found = get_close_matches(name, candidates, n=1, cutoff=0.6 if len(name) < _LONG else 0.7)
    return found[0] if found else ""


def some(texts: Sequence[str], most: int = 10) -> str:
    """Return texts as a list that stays short: `a, b and 7 more`."""
    more = len(texts) - most
    return ", ".join(texts[:most]) + (f" and {more} more" if more > 0 else "")


def listed(texts: Sequence[str]) -> str:
    """Return texts as a list: `a, b and c`."""
    return " and ".join(part for part in (", ".join(texts[:-1]), texts[-1]) if part)


def count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 Cluster`, `2,000 Clusters`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def printable(text: str, instead: str = "\ufffd") -> str:
    """Return text without control characters, of which some steer a terminal or turn the direction of what follows."""
    return text if text.isprintable() else "".join(one if one.isprintable() else instead for one in text)


def full_name(namespace: str, name: str) -> str:
    """Return `namespace/name`, or the name alone where there is no namespace."""
    return f"{namespace}/{name}" if namespace else name


def titled(kind: str, namespace: str, name: str) -> str:
    """Return what messages call an object: `ConfigMap team-a/fleet-agent`."""
    return f"{kind} {full_name(namespace, name)}"
