"""What a function decided to do to the items of its input, as one record that readers and writers share."""

from __future__ import annotations

from krm_fn.base.records import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Changes(Record):
    """Changes to a list of items, by position in the input; what is not named here leaves byte for byte as it came.

    A position stands in at most one of the first four, except that `removed` wins.

    Attributes:
        removed: Items to drop.
        replaced: Whole new values, written anew (our own earlier output).
        labelled: Labels to set; nothing else of the item is touched, comments stay.
        revised: New values of the user's own items; only what differs is edited, comments stay.
        added: New items, appended in this order.
    """

    removed: frozenset[int] = frozenset()
    replaced: Mapping[int, Mapping[str, Any]] = {}
    labelled: Mapping[int, Mapping[str, str]] = {}
    revised: Mapping[int, Mapping[str, Any]] = {}
    added: tuple[Mapping[str, Any], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be done at all."""
        return not (self.removed or self.replaced or self.labelled or self.revised or self.added)
