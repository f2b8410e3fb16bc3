"""The one slip of indentation that is the cause of several errors of a configuration. Loaded for errors only.

A line that is indented wrongly or forgotten moves fields to where they are not known. So each such slip near the errors is undone
in turn, and the configuration is judged again: the change that leaves no error shows the cause.
"""

from __future__ import annotations

import re
from operator import attrgetter

from krm_fn.base import Record
from krm_fn.config.fields import ListOf, inside
from krm_fn.config.tree import CONFIG
from krm_fn.krm.places import ABOUT_THE_KEY
from krm_fn.krm.results import tagged
from krm_fn.kube.secrets import quoted
from krm_fn.yaml import BadYaml
from krm_fn.yaml.explain import outside_blocks
from krm_fn.yaml.nodes import tree_of
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any

    from krm_fn.config.fields import Field
    from krm_fn.config.kinds import Kind
    from krm_fn.krm.results import Result
    from krm_fn.yaml.nodes import Node

_LINE = re.compile(r"(?P<indent> *)(?P<dash>(?:- +)*)(?:(?P<key>[A-Za-z][\w./-]*):(?= |$))?")
_STEP = re.compile(r"[^.\[\]]+")
_SHOWN = re.compile(r"\[\d+\]\Z|[A-Za-z][A-Za-z0-9]{0,40}\Z")  # a step of a path that may be anything and is shown
_LONGEST_PART = 40  # lines that may have moved together
_MOST_TRIES = 120
_MOST_READ = 200_000  # bytes that all tries together may read: about a fifth of a second


class Line(Record):
    """A line: its number, where it begins, where its key or text begins behind dashes, its key ("" for none), and all of it."""

    at: int
    indent: int
    column: int
    key: str
    text: str


class Undone(Record):
    """A slip undone.

    Attributes:
        line: The line where the slip is, as it came.
        lines: The whole text, corrected.
        parent: The line that was written above it; "" where lines were indented anew instead.
        size: How much was changed.
        path: Path of that line in the corrected text.
        left: The errors that are left.
    """

    line: Line
    lines: tuple[str, ...]
    parent: str = ""
    size: int
    path: tuple[str, ...] = ()
    left: tuple[Result, ...] = ()

    @property
    def to(self) -> int:
        """Number of the line in the corrected text."""
        return self.line.at + bool(self.parent)

    @property
    def known(self) -> bool:
        """Whether a field is known there, rather than any key allowed."""
        return _field(self.path) is not None

    @property
    def rank(self) -> tuple[object, ...]:
        """What to choose by: the smallest is the most likely."""
        return len(self.left), not self.known, self.size, self.line.at


def cause(text: bytes, errors: Sequence[Result], judge: Callable[[Any], Sequence[Result]]) -> Sequence[Result]:
    """Return the errors of a configuration as one, with those that are left, where one slip is the cause of the others.

    Args:
        text: The configuration; only block style has a layout.
        errors: What is wrong with it.
        judge: Returns what is wrong with a value.
    """
    missing = {_STEP.findall(one.field)[-1] for one in errors if one.rule == "required" and one.field}
    elsewhere = any(
        re.search(rb"^[ -]*" + re.escape(name.encode()) + rb":( |$)", text, re.MULTILINE) for name in missing
    )
    tree = tree_of(text) if len(errors) > 1 or elsewhere else None
    if tree is None or tree.flow:
        return errors
    said = {one.message for one in errors}
    best: Undone | None = None
    tries = min(_MOST_TRIES, _MOST_READ // len(text))
    for one in _slips(text, {tree.find(each.field, key=each.rule in ABOUT_THE_KEY)[0] for each in errors}, missing):
        if tries == 0 or (best is not None and best.size < one.size and not best.left and best.known):
            break
        tries -= 1
        corrected = "\n".join(one.lines).encode()
        left = _judged(corrected, judge)
        if left is None or len(left) >= max(len(errors) - 1, 1) or not {each.message for each in left} <= said:
            continue
        undone = one.replace(left=left, path=_path(tree_of(corrected), one.to))
        # below a field that is not known nothing is judged, so errors only seem to go
        if undone.path and (undone.known or not left):
            best = undone if best is None else min(best, undone, key=attrgetter("rank"))
    if best is None:
        return errors
    stay = {each.message for each in best.left}
    return [_result(best, tree, errors[0]), *(each for each in errors if each.message in stay)]


def _judged(text: bytes, judge: Callable[[Any], Sequence[Result]]) -> tuple[Result, ...] | None:
    """Return what is wrong with a corrected text; None where it can't be read."""
    try:
        value = load(text)
    except BadYaml:
        return None
    return tuple(judge(value)) if isinstance(value, dict) else None


# --- what may have happened -------------------------------------------------------------------------------------------


def _slips(text: bytes, wrong: Collection[int], missing: Collection[str]) -> Iterator[Undone]:
    """Yield the text with each slip undone that may be near an error, the likely ones first.

    Args:
        text: The configuration.
        wrong: Numbers of the lines of errors.
        missing: Names of fields that are missing somewhere.
    """
    lines = text.decode("utf-8", "replace").splitlines()
    known = [_line(at, one) for at, one in outside_blocks(lines) if one.strip() and not one.lstrip().startswith("#")]
    near = [
        index
        for index, line in enumerate(known)
        if line.key in missing or any(abs(line.at - at) < 2 for at in wrong)  # noqa: PLR2004 - at it or beside it
    ]
    for index in near:
        yield from _in_one_entry(lines, known[index])
    for index in near:
        yield from _indented(lines, known, index, sorted({index + 1, *_ends(known, index)}))
        if known[index].at in wrong:
            yield from _with_parent(lines, known, index, missing)
    for index in near:
        if known[index].at in wrong:  # only a part of the lines below moved with it
            block, run = _ends(known, index)
            parts = range(index + 2, min(run, index + _LONGEST_PART))
            yield from _indented(lines, known, index, [end for end in parts if end != block])


def _indented(lines: Sequence[str], known: Sequence[Line], index: int, ends: Sequence[int]) -> Iterator[Undone]:
    """Yield the text with the lines from one to each end in every column that is open there."""
    line = known[index]
    columns = _open(known[:index])
    for end in ends:
        moved = {one.at for one in known[index:end]}
        for column in sorted({*columns, max(columns, default=0) + 2} - {line.indent}):
            by = column - line.indent
            changed = tuple(_shifted(one, by) if at in moved else one for at, one in enumerate(lines))
            yield Undone(line=line, lines=changed, size=abs(by) + len(moved))


def _in_one_entry(lines: Sequence[str], line: Line) -> Iterator[Undone]:
    """Yield the text without a dash that begins an entry where one goes on."""
    if line.column > line.indent:
        changed = " " * line.column + line.text[line.column :]
        yield Undone(line=line, lines=(*lines[: line.at], changed, *lines[line.at + 1 :]), size=2)


def _with_parent(lines: Sequence[str], known: Sequence[Line], index: int, missing: Collection[str]) -> Iterator[Undone]:
    """Yield the text with each line above one that knows its key."""
    line = known[index]
    dash = line.column > line.indent
    names = (
        {field.name for field in _fields(CONFIG) if isinstance(field.kind, ListOf)}
        if dash
        else {*_holders(line.key), *missing}
    )
    for column in sorted({*_open(known[:index]), line.indent - 2}):
        if 0 <= column < line.indent + dash:
            for name in sorted(names):
                above = f"{' ' * column}{name}:"
                yield Undone(line=line, lines=(*lines[: line.at], above, *lines[line.at :]), parent=name, size=3)


def _line(at: int, text: str) -> Line:
    found = _LINE.match(text)
    assert found is not None  # noqa: S101 - it matches any text
    return Line(at=at, indent=found.end("indent"), column=found.end("dash"), key=found["key"] or "", text=text)


def _open(above: Sequence[Line]) -> list[int]:
    """Return the columns of what is open below some lines: of fields and of dashes."""
    columns: list[int] = []
    for line in above:
        columns = [one for one in columns if one < line.indent]
        columns += [line.indent] if line.column > line.indent else []
        columns.append(line.column)
    return columns


def _ends(known: Sequence[Line], index: int) -> tuple[int, int]:
    """Return where the block that a line begins, and the run of its siblings end."""
    indent = known[index].indent
    below = range(index + 1, len(known))
    block = next((one for one in below if known[one].indent <= indent), len(known))
    return block, next((one for one in below if known[one].indent < indent), len(known))


def _shifted(text: str, by: int) -> str:
    return " " * by + text if by > 0 else text[min(-by, len(text) - len(text.lstrip(" "))) :]


# --- what the configuration knows -------------------------------------------------------------------------------------


def _fields(kind: Kind) -> Iterator[Field]:
    """Yield every field below a kind, those of lists included."""
    holder = inside(kind)
    for field in holder.fields if holder else ():
        yield field
        yield from _fields(field.kind)


def _holders(key: str) -> set[str]:
    """Return the names of fields that know a key."""
    return {field.name for field in _fields(CONFIG) if key in getattr(field.kind, "names", ())}


def _field(path: Sequence[str]) -> Field | None:
    """Return the field at a path, of an entry the list; None where any key is allowed, or none is known."""
    field: Field | None = None
    for step in path:
        if not step.startswith("["):
            holder = inside(field.kind if field else CONFIG)
            field = holder.get(step) if holder else None
            if field is None:
                return None
    return field


def _path(tree: Node | None, line: int) -> tuple[str, ...]:
    """Return the path of the first key, or entry of a list, on a line; () for none."""
    pending: list[tuple[Node, tuple[str, ...]]] = [(tree, ())] if tree is not None else []
    while pending:
        node, path = pending.pop(0)
        for name, place, child in node.fields():
            if place[0] == line and name is not None:
                return (*path, name)
            pending.append((child, (*path, name or "…")))
    return ()


# --- how it is said ---------------------------------------------------------------------------------------------------


def _result(undone: Undone, tree: Node, like: Result) -> Result:
    """Say what the slip is, and how to undo it."""
    field = _text(_path(tree, undone.line.at))
    *above, own = undone.path
    entry = own.startswith("[")
    name = "this entry" if entry else own if undone.known else "this line"
    holder = next((one for one in reversed(above) if not one.startswith("[")), "")
    in_entry = bool(above) and above[-1].startswith("[")
    if undone.parent:
        message = f"{_text(above)} is missing: write {holder}: on a line above {'it' if name == 'this line' else name}"
    elif undone.lines[undone.to].lstrip(" ") != undone.line.text.lstrip(" "):
        message = f"{field} begins with '- ': remove it, so that {name} belongs to {'the entry above' if in_entry else holder}"
    else:
        further = _line(undone.to, undone.lines[undone.to]).indent > undone.line.indent
        place = (
            f"in the entry of {holder} above" if in_entry else f"below {holder}" if holder else "in the first column"
        )
        message = f"{field} is {'not indented far enough' if further else 'indented too far'}: it belongs {place}"
    key = undone.line.key if undone.known else ""
    first = "- …\n" if in_entry else ""
    fix = f"{holder}:\n{first}  {key}: …" if key and holder else ""
    parts = {"current": None, "proposed": None, "related": (), "tags": tagged(rule="unknown-field")}
    return like.replace(message=message, field=field, fix=fix, **parts)


def _text(path: Sequence[str]) -> str:
    """Return a path as messages write it, as far as it may be shown."""
    text = ""
    for step in path:
        if not _SHOWN.match(step) and "egistrationToken" in text:  # a key there may be a secret in the wrong place
            break
        text += step if step.startswith("[") else f".{step}" if _SHOWN.match(step) else f"[{quoted(step)}]"
    return text.removeprefix(".")
