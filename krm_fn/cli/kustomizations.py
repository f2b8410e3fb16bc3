"""What a kustomization.yaml or Kptfile in the input means to a command that reads the files as they are.

The files that it names as settings (patches, generator files, other functions' configs) are no objects and are not
read; what it asks for beyond reading files is not done, and that is said.
"""

from __future__ import annotations

import os
from pathlib import Path

from krm_fn.base.records import Record
from krm_fn.krm.results import WARNING, Result, tagged
from krm_fn.surface import KIND
from krm_fn.yaml.errors import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
KPTFILE = "Kptfile"
OURS = "clusternet-capi-fn"

_RESOURCES = ("resources", "components", "bases")
_FUNCTIONS = ("generators", "transformers", "validators")
# fields that change nothing that is read here
_HARMLESS = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "resources",
        "bases",
        "configurations",
        "sortOptions",
        "buildMetadata",
        "openapi",
    }
)


class Settings(Record):
    """What the settings files of an input come to.

    Attributes:
        skip: Real paths of files that are settings and no objects.
        results: Warnings about what is not done.
    """

    skip: frozenset[str]
    results: tuple[Result, ...]


def scan(paths: Sequence[str]) -> Settings:
    """Look for settings files in folders; what can't be read is left to the reader of the objects."""
    skip: set[str] = set()
    results: list[Result] = []
    for root in paths:
        for path in _files(root):
            value = _value(path)
            if value is None:
                continue
            skip.add(str(path.resolve()))
            if path.name == KPTFILE:
                _kptfile(path, value, skip, results)
            else:
                _kustomization(path, value, paths, skip, results)
    return Settings(skip=frozenset(skip), results=tuple(dict.fromkeys(results)))


def _files(root: str) -> Iterator[Path]:
    for folder, below, files in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(folder, name) for name in (*KUSTOMIZATIONS, KPTFILE) if name in files)


def _value(path: Path) -> dict[str, Any] | None:
    try:
        value = load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadYaml):
        return None
    return value if isinstance(value, dict) else None


def _kustomization(
    path: Path, value: Mapping[str, Any], roots: Sequence[str], skip: set[str], results: list[Result]
) -> None:
    asked = {key for key, field in value.items() if key not in _HARMLESS and key not in _FUNCTIONS and field}
    for key, field in value.items():
        if key in _FUNCTIONS:
            foreign = [one for one in _strings(field) if not _is_ours(path.parent, one)]
            asked |= {key} if foreign else set()
            skip |= _existing(path.parent, foreign)
        elif key not in _RESOURCES:
            skip |= _existing(path.parent, _strings(field))
    if asked:
        message = (
            f"{path} asks for {', '.join(sorted(asked))}, which this command does not do: it reads the files as they"
            " are. Use `kustomize build` with the function, or give the built output as -"
        )
        results.append(_warning(path, message, "kustomization-ignored"))
    wanted = [one for key in _RESOURCES for one in _strings(value.get(key))]
    outside = [one for one in wanted if not _is_below(path.parent / one, roots)]
    if outside:
        message = f"{path} lists {', '.join(outside)}, which is not in what this command was given and is not read"
        results.append(_warning(path, message, "kustomization-outside"))


def _kptfile(path: Path, value: Mapping[str, Any], skip: set[str], results: list[Result]) -> None:
    pipeline = value.get("pipeline")
    foreign = []
    for steps in pipeline.values() if isinstance(pipeline, dict) else ():
        for step in steps if isinstance(steps, list) else ():
            program = step.get("image") or step.get("exec") if isinstance(step, dict) else None
            if isinstance(program, str) and OURS not in program:
                foreign.append(program)
                skip |= _existing(path.parent, _strings(step.get("configPath")))
    if foreign:
        message = f"{path} runs {', '.join(foreign)}, which this command does not: use `kpt fn render`"
        results.append(_warning(path, message, "function-ignored"))


def _warning(path: Path, message: str, rule: str) -> Result:
    return Result(message=message, severity=WARNING, file_path=str(path), tags=tagged(rule=rule))


def _is_ours(folder: Path, function: str) -> bool:
    """Tell whether a function's file holds a config of ours (inline ones are never read)."""
    path = folder / function
    return _is_file(path) and KIND.encode() in path.read_bytes()


def _is_below(path: Path, roots: Sequence[str]) -> bool:
    """Tell whether a path is there, below one of the roots; a URL never is."""
    real = os.path.realpath(path)
    return os.path.lexists(real) and any(
        real == root or real.startswith(root + os.sep) for root in map(os.path.realpath, roots)
    )


def _existing(folder: Path, names: Sequence[str]) -> set[str]:
    """Return the real paths of the files among names; `key=path` is a name too."""
    candidates = [one for name in names for one in (name, name.partition("=")[2]) if one]
    return {os.path.realpath(folder / one) for one in candidates if _is_file(folder / one)}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False  # a text, such as an inline patch


def _strings(value: Any) -> list[str]:
    """Return all strings anywhere in a value."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for one in inner for text in _strings(one)]
