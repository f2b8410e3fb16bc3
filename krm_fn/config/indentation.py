"""The one slip of indentation that is the cause of several errors of a configuration. Loaded for errors only.

A line that is indented wrongly or forgotten moves fields to where they are not known. So what is near the errors is moved in turn to
where it may belong, and the configuration is judged again: the move that leaves no error shows the cause.
"""

from __future__ import annotations

import re
from operator import attrgetter

from krm_fn.base import Record, clone, listed
from krm_fn.config.fields import FIELD_NAME, ListOf, inside, paths_of
from krm_fn.config.report import Log, Place
from krm_fn.config.tree import CONFIG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any

    from krm_fn.config.kinds import Kind
    from krm_fn.krm.results import Result

    Path = tuple[str | int, ...]

_LAST_STEP = re.compile(r"(?:[.]?[^.\[\]]+|\[[^\]]*\])\Z")
_NEAR = 2  # entries before and after an error
_FORGOTTEN = 3  # how large a slip a forgotten line is; else two per level, and one per entry
_MOST_ERRORS = 50  # of more than these, no one slip is the cause
_MOST_ALONG = 40  # entries that may have moved together
_MOST_TRIES = 120
_MOST_JUDGED = 20_000  # entries that all tries together may hold: about a fifth of a second


class Move(Record):
    """What undoes a slip: the entry of an object or list at `start`, and others beside it, go `to` another one.

    Attributes:
        along: The keys or numbers of all that go, the first one's before the others.
        key: What the first is called there, or a number in a list.
        forgotten: Whether the line of the object or list at `to` is missing.
        then: Where only a line has moved, and not what is below it, or the reverse: the move that this takes besides.
        size: How large a slip it is.
    """

    start: Path
    along: Sequence[str | int]
    to: Path
    key: str | int
    forgotten: bool = False
    then: tuple[Path, Sequence[str | int], Path] | None = None
    size: int


def cause(
    value: dict[str, Any], errors: Sequence[Result], judge: Callable[[Any], Sequence[Result]]
) -> Sequence[Result]:
    """Return the errors of a configuration as one, with those that are left, where one slip is the cause of the others.

    Args:
        value: The configuration, its fields in the order of the text.
        errors: What is wrong with it.
        judge: Returns what is wrong with a value.
    """
    if len(errors) > _MOST_ERRORS:
        return errors
    paths = list(_paths(value))
    if len(paths) > _MOST_JUDGED:
        return errors
    missing = {one.field.rpartition(".")[2] for one in errors if one.rule == "required"}
    if len(errors) == 1 and not any(path[-1] in missing for path in paths):
        return errors
    said = {one.message for one in errors}
    found: list[tuple[tuple[int, bool], Move, set[str]]] = []
    moves = sorted(_moves(value, _near(paths, errors, missing), missing), key=attrgetter("size"))
    for move in moves[: min(_MOST_TRIES, _MOST_JUDGED // len(paths))]:
        corrected = _moved(value, move.start[:-1], move.along, move.to)
        if corrected is not None and move.then:
            corrected = _moved(corrected, *move.then)
        left = said if corrected is None else {one.message for one in judge(corrected)}
        unknown = _kind((*move.to, move.key)) is None  # below it nothing is judged, so errors only seem to go
        if left <= said and len(left) < max(len(errors) - 1, 1) and not (left and unknown):
            found.append(((len(left), unknown), move, left))
            if not left and not unknown:
                break
    if not found:
        return errors
    _, move, left = min(found, key=lambda one: one[0])
    return [_result(move, errors[0]), *(one for one in errors if one.message in left)]


# --- what may have happened -------------------------------------------------------------------------------------------


def _near(paths: Sequence[Path], errors: Sequence[Result], missing: Collection[str]) -> list[Path]:
    """Return the paths that are near an error, or of a field that is missing elsewhere."""
    texts = {_text(path): at for at, path in enumerate(paths)}
    wrong = set()
    for error in errors:
        field = error.field
        while field and field not in texts:
            field = _LAST_STEP.sub("", field)
        wrong.add(texts.get(field, 0))
    near = {at + by for at in wrong for by in range(-_NEAR, _NEAR + 1)}
    return [path for at, path in enumerate(paths) if at in near or path[-1] in missing]


def _moves(value: object, near: Sequence[Path], missing: Collection[str]) -> Iterator[Move]:
    """Yield the moves of what is near the errors to where it may belong."""
    for start in near:
        keys = _keys(_at(value, start[:-1]))
        run = keys[keys.index(start[-1]) :][:_MOST_ALONG]
        for to, forgotten, far in _targets(value, start, missing):
            merged = isinstance(start[-1], int) and isinstance(_at(value, to), dict)
            key = next(iter(_at(value, start))) if merged else start[-1]
            runs = [run, *(run[:count] for count in range(1, len(run)))]
            own = [one for one in keys if _kind((*to, one)) is not None] if forgotten and isinstance(key, str) else []
            if own[:1] == [key]:  # where a host has sorted them, what belongs together is not in a run
                runs = [own, *(one for one in runs if one != own)]
            for along in runs:
                size = far if forgotten else far + len(along)
                yield Move(start=start, along=along, to=to, key=key, forgotten=forgotten, size=size)
            if isinstance(start[-1], str) and not forgotten:
                for then in _then(value, start, to):
                    yield Move(start=start, along=run[:1], to=to, key=key, size=far + 1, then=then)


def _targets(value: object, start: Path, missing: Collection[str]) -> Iterator[tuple[Path, bool, int]]:
    """Yield where an entry may belong, whether the line of that is forgotten, and how far away it is."""
    above, key = start[:-1], start[-1]
    source = _at(value, above)
    objects = [above[:depth] for depth in range(len(above) + 1) if isinstance(_at(value, above[:depth]), dict)]
    for to in objects if isinstance(key, str) else ():
        if to != above:
            yield to, False, 2 * (len(above) - len(to))
    before = _keys(source)[: _keys(source).index(key)][-1:]
    for to in _last(source[before[0]], (*above, *before)) if before else ():
        merges = isinstance(source[key], dict) and source[key] and to == (*above, *before)  # two entries that are one
        if isinstance(key, str) or merges or not isinstance(_at(value, to), dict):
            yield to, False, 2 * (len(to) - len(above))
    for holder in objects:
        for name in _holders(holder, key, missing):
            if name not in _at(value, holder):
                yield (*holder, name), True, _FORGOTTEN


def _then(value: object, start: Path, to: Path) -> Iterator[tuple[Path, Sequence[str | int], Path]]:
    """Yield what else has to move where only the line of an object has moved, and not what is below it, or the reverse."""
    entry = _at(value, start)
    there = (*to, start[-1])
    if entry is None and len(to) < len(start) - 1:  # what was below it is behind it
        for depth in range(len(to), len(start)):
            keys = _keys(_at(value, start[:depth]))
            behind = keys[keys.index(start[depth]) + 1 :]
            if behind:
                yield start[:depth], behind, there
    if isinstance(entry, dict) and len(to) >= len(start):  # what was behind it is below it
        keys = list(entry)
        for at in range(len(keys)):
            for depth in range(len(start), len(to) + 1):
                yield there, keys[at:], to[:depth]


def _holders(path: Path, key: str | int, missing: Collection[str]) -> Iterator[str]:
    """Yield the fields of an object that may hold an entry."""
    kind = _kind(path)
    holder = inside(kind) if kind else None
    for field in holder.fields if holder else ():
        takes = isinstance(field.kind, ListOf) if isinstance(key, int) else key in getattr(field.kind, "names", ())
        if takes or field.name in missing:
            yield field.name


def _moved(value: object, above: Path, along: Sequence[str | int], to: Path) -> Any:
    """Return a copy of a configuration in which some entries are elsewhere; None where that can't be."""
    whole = clone(value)
    source = _at(whole, above)
    run: Any = {key: source[key] for key in along} if isinstance(source, dict) else [source[key] for key in along]
    for key in reversed(along):
        del source[key]
    if not source and to[: len(above)] != above:
        _put(whole, above, None)
    target = _at(whole, to)
    if isinstance(target, dict) and isinstance(run, list) and len(run) == 1:
        run = run[0]
    if target is None:
        _put(whole, to, run)
    elif isinstance(target, list) and isinstance(run, list):
        target += run
    elif isinstance(target, dict) and isinstance(run, dict) and not target.keys() & run.keys():
        target.update(run)
    else:
        return None
    return whole


# --- values by their paths --------------------------------------------------------------------------------------------


def _keys(value: object) -> list[Any]:
    return list(value) if isinstance(value, dict) else list(range(len(value))) if isinstance(value, list) else []


def _paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every field and every entry of a list, in order."""
    for key in _keys(value):
        yield (*path, key)
        yield from _paths(value[key], (*path, key))


def _last(value: Any, path: Path) -> Iterator[Path]:
    """Yield the path of a value, of what is last in it, and so on: what lines below may belong to."""
    yield path
    for key in _keys(value)[-1:]:
        yield from _last(value[key], (*path, key))


def _at(value: Any, path: Path) -> Any:
    for step in path:
        value = value.get(step) if isinstance(value, dict) else value[step]
    return value


def _put(value: Any, path: Path, new: object) -> None:
    _at(value, path[:-1])[path[-1]] = new


def _kind(path: Path) -> Kind | None:
    """Return the kind at a path, of an entry that of its list; None where any key is allowed, or none is known."""
    kind: Kind | None = CONFIG
    for step in path:
        if isinstance(step, str):
            holder = inside(kind) if kind else None
            field = holder.get(step) if holder else None
            kind = field.kind if field else None
    return kind


def _text(path: Path) -> str:
    """Return a path as messages write it; below `registrationToken` a key that no field has may be a secret in the wrong place."""
    place = Place(Log({}), "")
    for step in path:
        if isinstance(step, int):
            place = place.entry(step)
        elif FIELD_NAME.match(step) and (not place.private or paths_of(CONFIG, step)):
            place = place.field(step, private=step == "registrationToken")
        else:
            place = place.key(step)
    return place.path


# --- how it is said ---------------------------------------------------------------------------------------------------


def _result(move: Move, like: Result) -> Result:
    """Say what the slip is, and how to undo it."""
    field = _text(move.start)
    known = _kind((*move.to, move.key)) is not None
    name = "this entry" if isinstance(move.key, int) else move.key if known else "this line"
    holder = next((one for one in reversed(move.to) if isinstance(one, str)), "")
    in_entry = isinstance(next(reversed(move.to), ""), int)
    below = [f"{one}" for one in move.along if _kind((*move.to, one)) is not None]
    if move.forgotten:
        indent = f", and indent {listed(below)} below it" if known and name == move.key else ""
        message = f"{_text(move.to)} is missing: write {holder}: on a line above {name if known else 'it'}{indent}"
    elif move.key != move.start[-1]:
        message = f"{field} begins with '- ': remove it, so that {name} belongs to the entry above"
    else:
        slip = "indented too far" if len(move.to) < len(move.start) else "not indented far enough"
        place = f"below {holder}" if holder else "in the first column"
        where = f"in the entry of {holder} above" if in_entry else place
        message = f"{field} is {slip}: it belongs {where}"
        if known and len(below) > 1:
            message = f"{listed([field, *below[1:]])} are {slip}: they belong {where}"
    first = "- …\n" if in_entry else ""
    names = below if known and move.key in move.along else [name]
    fix = f"{holder}:\n{first}" + "\n".join(f"  {one}: …" for one in names) if name == move.key and holder else ""
    parts = {"current": None, "proposed": None, "related": (), "rule": "unknown-field"}
    return like.replace(message=message, field=field, fix=fix, **parts)
