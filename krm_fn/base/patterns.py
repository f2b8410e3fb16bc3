"""Regular expressions that are compiled when they are first used.

Compiling the expressions of the package takes longer than `import yaml` may take in a cold start (docs/performance.md),
and a run uses a third of them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, AnyStr


def late(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what behaves like `re.compile(pattern, flags)`, and compiles only when a method is first asked for."""
    return _Late(pattern, flags)  # type: ignore[return-value] # stands in for the pattern by handing out its methods


class _Late:
    """A pattern to be: each attribute is the compiled pattern's, and stays here once it was asked for."""

    def __init__(self, pattern: Any, flags: int) -> None:
        self._source = (pattern, flags)

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(*self._source), name)
        self.__dict__[name] = found
        return found
