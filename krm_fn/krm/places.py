"""Where a field is written: line and column of what results are about, found when there is something to report.

Values carry no positions, so that reading costs nothing for them. A result names an object of the input and a field;
here the text of that object is read again, by its events, as far as to that field.
"""

from __future__ import annotations

from operator import itemgetter

import yaml
from yaml.events import AliasEvent, MappingStartEvent, ScalarEvent, SequenceStartEvent

from krm_fn.krm.host_annotations import INDEX, PATH
from krm_fn.krm.results import FUNCTION_CONFIG, INFO, STDIN, ResourceRef, Result, tagged
from krm_fn.yaml.errors import BadYaml, explained
from krm_fn.yaml.read import parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Related

# What hosts add to an object before a function sees it: no line of the user's file holds that.
_OF_HOSTS = (b"internal.config.kubernetes.io/", b"config.kubernetes.io/path", b"config.kubernetes.io/index")
_YAML = tagged(rule="yaml")
_LARGEST = 16 * 1024 * 1024  # of an input whose objects are looked through for the one that can't be read
# Rules that are about a name or about something that is missing, not about a value.
_ABOUT_THE_KEY = frozenset({"unknown-field", "required"})


def located(
    results: Iterable[Result], items: Sequence[Item], function_config: Item | None, *, stream: bool
) -> tuple[Result, ...]:
    """Give errors and warnings their line and column.

    Args:
        results: What there is to report.
        items: The items of the input.
        function_config: The functionConfig, if there is one.
        stream: Whether the input is one stream of a host. An object that the host took from a file then gets its line
            in that file as far as the stream tells: as if the file held this object alone.
    """
    found = list(results)
    wanted: list[
        tuple[int, int, Item, int | None]
    ] = []  # start of the object, result, object, number of a related place
    for index, result in enumerate(found):
        if result.severity == INFO:
            continue
        places: list[tuple[int | None, Result | Related]] = [(None, result), *enumerate(result.related)]
        for at, one in places:
            item = _item(one, items, function_config)
            # a file that is not the object's own holds something else, and what has a line needs none
            if item is not None and item.source and one.line is None and one.file_path == item.file_path:
                wanted.append((item.start, index, item, at))
    lines = _Lines(stream=stream)
    trees: dict[int, _Node | None] = {}
    for _, index, item, at in sorted(wanted, key=itemgetter(0, 1)):
        if id(item) not in trees:
            trees[id(item)] = _tree(item.text)
        tree = trees[id(item)]
        if tree is None:
            continue
        result = found[index]
        if at is None:
            line, column = tree.find(result.field, key=result.rule in _ABOUT_THE_KEY)
            line, column = lines.of(item, tree, line, column)
            found[index] = result.replace(line=line, column=column, message=result.message + _counted(item, lines))
        else:
            line, column = lines.of(item, tree, *tree.place)
            related = list(result.related)
            related[at] = related[at].replace(line=line, column=column)
            found[index] = result.replace(related=tuple(related))
    return tuple(_with_related(result) for result in found)


def shown(place: Related) -> str:
    """Return a second place as messages name it: `a.yaml:3:1`, or `items[4]` where nothing more is known."""
    if place.line is None:
        return place.file_path or f"items[{place.item}]"
    return f"{place.file_path or STDIN}:{place.line}:{place.column}"


def _with_related(result: Result) -> Result:
    """Name the further places in the message: the first line alone has to do."""
    if not result.related:
        return result
    places = ", ".join(f"{one.label}: {shown(one)}" for one in result.related)
    return result.replace(message=f"{result.message} ({places})")


def _item(place: Result | Related, items: Sequence[Item], function_config: Item | None) -> Item | None:
    if place.item is None:
        return None
    if place.item == FUNCTION_CONFIG:
        return function_config
    return items[place.item] if place.item < len(items) else None


def _counted(item: Item, lines: _Lines) -> str:
    """Say how lines were counted where that is not from the start of the file."""
    if not lines.stream or not item.file_path or not item.file_index:
        return ""
    return f" (object {item.file_index + 1} of that file; lines are counted from the start of that object)"


# --- objects that can't be read -------------------------------------------------------------------------------------


def unreadable(error: BadYaml, data: bytes, what: str) -> Result:
    """Report that a ResourceList can't be read; where one of its objects is to blame, by that object and its file.

    Args:
        error: What the reader raised.
        data: The whole input.
        what: What it is called if no object is to blame.
    """
    said, line, column = explained(error, data)
    if line is None or column is None:
        return Result(message=f"{what} can't be read: {said}", tags=_YAML)
    found = _entry(data, line)
    if found is None:
        return Result(message=f"{what} can't be read: {said}", line=line + 1, column=column + 1, tags=_YAML)
    node, position = found
    start = 0
    for _ in range(node.place[0]):
        start = data.index(b"\n", start) + 1
    place = (line - node.place[0], column)
    return _of_object(node, data, start + node.place[1], said, place, f"items[{position}]", "")


def _entry(data: bytes, line: int) -> tuple[_Node, int] | None:
    """Return the item of a ResourceList that has a line, and its position; None where there is none."""
    whole = _tree(data) if len(data) <= _LARGEST else None
    items = None if whole is None else whole.child("items")
    if whole is None or items is None:
        return None
    begun = [node for _, _, node in items.entries or () if node.place[0] <= line]
    after = [at[0] for _, at, _ in whole.entries or () if begun and at[0] > begun[-1].place[0]]
    return (begun[-1], len(begun) - 1) if begun and not any(one <= line for one in after) else None


def unreadable_item(error: BadYaml, item: Item, title: str, file_path: str) -> Result:
    """Report that an object can't be read."""
    said, line, column = explained(error, item.text)
    node = _tree(item.text)
    if node is None or line is None or column is None:
        index = item.file_index if file_path else None
        return Result(message=f"{title} can't be read: {said}", file_path=file_path, file_index=index, tags=_YAML)
    found = _of_object(node, item.source, item.start, said, (line, column), title, file_path)
    return found.replace(file_index=item.file_index) if file_path else found


def _of_object(  # noqa: PLR0913, PLR0917 - an object, where it is, and what is wrong with it
    node: _Node, source: bytes, start: int, said: str, place: tuple[int, int], title: str, file_path: str
) -> Result:
    """Report an object by the names that its nodes tell, since its value can't be built."""
    metadata = node.child("metadata")
    kind, api_version = node.text("kind"), node.text("apiVersion")
    name, namespace = (metadata.text("name"), metadata.text("namespace")) if metadata is not None else ("", "")
    if kind and name:
        title = f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
    annotations = None if metadata is None else metadata.child("annotations")
    theirs = "" if annotations is None else next(filter(None, map(annotations.text, PATH)), "")
    index = "" if annotations is None else next(filter(None, map(annotations.text, INDEX)), "")
    line, column = place
    if theirs and file_path in {"", theirs}:
        own = source[start:].split(b"\n", line)[:line]
        line, column = _in_file(own, node, source, start) + 1, max(column - node.place[1], 0) + 1
    else:
        line, column = source.count(b"\n", 0, start) + line + 1, column + 1
    return Result(
        message=f"{title} can't be read: {said}",
        resource_ref=ResourceRef(api_version=api_version, kind=kind, name=name, namespace=namespace) if kind else None,
        file_path=file_path or theirs,
        file_index=int(index) if theirs and index.isascii() and index.isdigit() else None,
        line=line,
        column=column,
        tags=_YAML,
    )


class _Lines:
    """Lines of objects in what holds them, counted once through each text however many objects are asked for."""

    def __init__(self, *, stream: bool) -> None:
        self.stream = stream
        self.counted: dict[int, tuple[int, int]] = {}  # text -> offset, lines before it

    def of(self, item: Item, tree: _Node, line: int, column: int) -> tuple[int, int]:
        """Return line and column, from 1, of a place in an object; both of it from 0."""
        if self.stream and item.file_path:
            above = item.text.split(b"\n", line)[:line]
            return _in_file(above, tree, item.source, item.start) + 1, max(column - item.column, 0) + 1
        at, before = self.counted.get(id(item.source), (0, 0))
        if item.start < at:
            at = before = 0
        before += item.source.count(b"\n", at, item.start)
        self.counted[id(item.source)] = item.start, before
        return before + line + 1, column + 1


def _in_file(before: Sequence[bytes], tree: _Node, source: bytes, start: int) -> int:
    """Return how many lines are above a place in the file of its object: without what the host put in.

    Args:
        before: The lines of the object above the place.
        tree: The object.
        source: The stream.
        start: Where the object begins in it; comments may be between that and its dash.
    """
    added = sum(any(key in one for key in _OF_HOSTS) for one in before)
    metadata = tree.child("metadata")
    annotations = None if metadata is None else metadata.child("annotations")
    if added and annotations is not None and all(_of_host(name or "") for name, _, _ in annotations.entries or ()):
        added += 1  # the line `annotations:` itself
    dash = source.rfind(b"\n", 0, start) + 1
    while dash and not source[dash:start].lstrip(b" ").startswith(b"-"):
        dash = source.rfind(b"\n", 0, dash - 1) + 1
    return len(before) - added + source.count(b"\n", dash, start)


def _of_host(key: str) -> bool:
    return any(key.encode().startswith(one) for one in _OF_HOSTS)


class _Node:
    """A value of a document with its place and the places of its keys."""

    __slots__ = ("entries", "flow", "place", "value")

    def __init__(self, event: Any) -> None:
        self.place: tuple[int, int] = (event.start_mark.line, event.start_mark.column)
        self.entries: list[tuple[str | None, tuple[int, int], _Node]] | None = None  # None for a scalar and an alias
        self.flow = True
        self.value: str = event.value if isinstance(event, ScalarEvent) else ""
        if isinstance(event, (MappingStartEvent, SequenceStartEvent)):
            self.entries = []
            self.flow = bool(event.flow_style)

    def child(self, key: str) -> _Node | None:
        """Return the value of a key; the first of two."""
        return next((node for name, _, node in self.entries or () if name == key), None)

    def text(self, key: str) -> str:
        """Return the text of a key's scalar; "" where there is none."""
        found = self.child(key)
        return "" if found is None else found.value

    def find(self, path: str, *, key: bool) -> tuple[int, int]:
        """Return the place of a field, or of its nearest parent that is there.

        Args:
            path: Such as `spec.tolerations[0].key`; a key may hold dots, or be in brackets.
            key: Whether the key is meant rather than the value.
        """
        node, place = self, self.place
        while path and node.entries is not None:
            step = max(
                ((length, at, one) for name, at, one in node.entries if (length := _match(path, name)) >= 0),
                key=itemgetter(0),
                default=None,
            )
            if step is None:
                return place
            length, place, child = step
            path = path[length:]
            if not path and child.flow and not key:
                return child.place
            node = child
        return place


def _match(path: str, name: str | None) -> int:
    """Return how much of a path a key takes; -1 if it is not that key. `None` never is one."""
    if name is None:
        return -1
    path_ = path.removeprefix(".")
    dot = len(path) - len(path_)
    for text in (name, f"[{name}]"):
        if path_.startswith(text) and path_[len(text) : len(text) + 1] in {"", ".", "["}:
            return dot + len(text)
    return -1


def _tree(text: bytes) -> _Node | None:
    """Read an object's nodes; None where it can't be read."""
    events = parser(text)
    stack: list[tuple[_Node, list[Any]]] = []
    try:
        events.get_event()
        events.get_event()
        while True:
            event = events.get_event()
            if isinstance(event, (MappingStartEvent, SequenceStartEvent, ScalarEvent, AliasEvent)):
                node = _Node(event)
                if stack:
                    _add(*stack[-1], node, event)
                elif node.entries is None:
                    return node
                if node.entries is not None:
                    stack.append((node, [isinstance(event, MappingStartEvent), None]))
            else:
                node, _ = stack.pop()
                if not stack:
                    return node
    except (yaml.YAMLError, UnicodeError, IndexError):
        return None


def _add(parent: _Node, state: list[Any], node: _Node, event: Any) -> None:
    """Add a child; `state` tells whether the parent is a mapping, and the key that waits for its value."""
    entries = parent.entries if parent.entries is not None else []
    mapping, waiting = state
    if not mapping:
        entries.append((f"[{len(entries)}]", node.place, node))
    elif waiting is None:
        state[1] = (event.value if isinstance(event, ScalarEvent) else None, node.place)
    else:
        entries.append((*waiting, node))
        state[1] = None
