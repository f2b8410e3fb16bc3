"""A migration as text: the config as YAML, and the way there for a person to follow."""

from __future__ import annotations

from krm_fn.views import prose, table
from krm_fn.yaml import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.migration.migrate import Migration

_HEAD = """\
# The equivalent of what clusternet-hub's discovery set up, made by: clusternet-capi-fn migrate
# The registration token is left out on purpose: it was readable in ConfigMaps, so create a new one.
"""


def config(found: Mapping[str, Any]) -> str:
    """Return the config of a migration as YAML."""
    return _HEAD + write.dump(found)


def guide(migration: Migration, *, width: int | None = None, colour: bool = False) -> str:
    """Return what changes, and the steps in order.

    Args:
        migration: The migration.
        width: Columns of the terminal; None for a pipe, where nothing is wrapped.
        colour: Whether to use colours.
    """
    lines = ["", table.paint("WHAT CHANGES", "head", colour=colour)]
    for change in migration.changes:
        lines += prose.wrap(change, width, "- ", "  ")
    lines += ["", table.paint("STEPS", "head", colour=colour)]
    for number, step in enumerate(migration.steps, 1):
        lines += [table.paint(f"{number}. {step.title}", "head", colour=colour)]
        lines += prose.wrap(step.text, width, "   ", "   ")
        lines += [f"     {command}" for command in step.commands]
    return "".join(f"{line}\n" for line in lines)
