"""Reading, editing and writing YAML. Here: the exception of text that can't be read; `explain` says why, and what to do."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    import yaml


class BadYaml(Exception):  # noqa: N818 - named for what it is
    """The text is not YAML, or not YAML that can be read safely."""

    def __init__(self, problem: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(problem)
        self.problem = problem  # one line, without any value of the text
        self.line = line  # line from 0, relative to the text that was parsed; None where unknown
        self.column = column


def bad_yaml(error: yaml.YAMLError | UnicodeError) -> BadYaml:
    """Turn an error of PyYAML into ours; its excerpts of the text are left out, as they may hold a secret."""
    mark = getattr(error, "problem_mark", None)
    opened = getattr(error, "context_mark", None)
    context = str(getattr(error, "context", None) or "")
    problem = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "can't be parsed")
    if opened is not None and _begun(context, problem, mark, opened):
        mark = opened  # where it begins, not a place far below that shows nothing wrong
    if context:
        problem = f"{problem} ({context})"
    return BadYaml(problem) if mark is None else BadYaml(problem, mark.line, mark.column)


def _begun(context: str, problem: str, mark: Any, opened: Any) -> bool:
    """Return whether a quote, a bracket or a field was begun at a place and never finished."""
    if "quoted scalar" in context:
        return "end of stream" in problem
    return "simple key" in context or ("flow" in context and (mark is None or mark.line != opened.line))


def at_event(event: Any, problem: str) -> BadYaml:
    """Return the error of a problem at an event."""
    return BadYaml(problem, event.start_mark.line, event.start_mark.column)
