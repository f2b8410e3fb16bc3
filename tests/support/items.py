"""Items for tests, of the text of one object."""

from __future__ import annotations

from krm_fn.krm.items import Item


def item_of(text: bytes, position: int = 0) -> Item:
    """The item of a document that is nothing but one object."""
    item = Item(text, 0, len(text), 0, position, "", "")
    item.identify()
    return item
