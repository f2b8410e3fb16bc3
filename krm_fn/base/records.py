"""Immutable records without the import cost of `dataclasses`.

`dataclasses` pulls in `inspect` and adds about ten milliseconds to a cold start that is allowed twice
`import yaml` altogether (see docs/performance.md), so the function's path uses this base class instead. Type
checkers see the same rules through `dataclass_transform`: keyword-only, frozen.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_options: object) -> object:
        """Stand in for `typing.dataclass_transform`, which only type checkers read."""
        return lambda cls: cls


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
