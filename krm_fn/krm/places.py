"""Where a field is written: line and column of what results are about, found when there is something to report.

Values carry no positions, so that reading costs nothing for them. A result names an object of the input and a field;
here the text of that object is read again, as nodes with their places.
"""

from __future__ import annotations

from operator import itemgetter

from krm_fn.krm.results import FUNCTION_CONFIG, INFO, Errors
from krm_fn.krm.unreadable import line_in_file, with_related
from krm_fn.yaml.nodes import tree_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from krm_fn.krm.items import Item
    from krm_fn.krm.results import Related, Result
    from krm_fn.yaml.nodes import Node

# Rules that are about a name or about something that is missing, not about a value.
ABOUT_THE_KEY = frozenset({"unknown-field", "required"})


def located(
    results: Iterable[Result],
    items: Sequence[Item],
    function_config: Item | None,
    *,
    stream: bool,
    original: Callable[[Item], Item | None] = lambda item: item,
) -> tuple[Result, ...]:
    """Give errors and warnings their line and column.

    Args:
        results: What there is to report.
        items: The items of the input.
        function_config: The functionConfig, if there is one.
        stream: Whether the input is one stream of a host. An object that the host took from a file then gets its line
            in that file as far as the stream tells: as if the file held this object alone.
        original: Finds an object of a stream in the user's own file, whose lines then count.
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
    whole = _Lines(stream=False)
    # of each object: what holds it, the nodes of that, the path there of a step's `data`, and what counts its lines
    seen: dict[int, tuple[Item, Node | None, str, _Lines]] = {}
    for _, index, item, at in sorted(wanted, key=itemgetter(0, 1)):
        if id(item) not in seen:
            given, path = _step(item, items) if item is function_config else (item, "")
            own = original(given) or given
            seen[id(item)] = own, tree_of(own.text), path, lines if own is given else whole
        own, tree, path, counting = seen[id(item)]
        if tree is None:
            continue
        result = found[index]
        one = result if at is None else result.related[at]
        field = path + one.field.removeprefix("data") if path else one.field
        line, column = counting.of(own, tree, *tree.find(field, key=at is None and result.rule in ABOUT_THE_KEY))
        place = {"line": line, "column": column, "file_path": own.file_path or one.file_path}
        if at is None:
            found[index] = result.replace(message=result.message + _counted(own, counting), **place)
        else:
            related = [*result.related[:at], result.related[at].replace(**place), *result.related[at + 1 :]]
            found[index] = result.replace(related=tuple(related))
    return tuple(with_related(result) for result in found)


def spelled(item: Item, field: str) -> str:
    """Return the text of a field's value as it is written, which YAML may read as no text; "" where there is none."""
    tree = tree_of(item.text)
    if tree is None:
        return ""
    place = tree.find(field, key=False)
    return next((node.value for node in tree.all() if node.place == place and not node.children), "")


def _item(place: Result | Related, items: Sequence[Item], function_config: Item | None) -> Item | None:
    if place.item is None:
        return None
    if place.item == FUNCTION_CONFIG:
        return function_config
    return items[place.item] if place.item < len(items) else None


def _step(config: Item, items: Sequence[Item]) -> tuple[Item, str]:
    """Return the object that holds a functionConfig, and the path of its data there; "" where it is an object of its own.

    kpt makes a ConfigMap of what a step of the Kptfile has below `configMap`.
    """
    kptfiles = [] if config.kind != "ConfigMap" or config.file_path else [one for one in items if one.kind == "Kptfile"]
    for item in kptfiles:
        try:
            pipeline = item.value().get("pipeline")
        except Errors:  # nothing to look up in it
            continue
        for name, steps in pipeline.items() if isinstance(pipeline, dict) else ():
            for index, step in enumerate(steps if isinstance(steps, list) else ()):
                if isinstance(step, dict) and step.get("configMap") == config.value().get("data"):
                    return item, f"pipeline.{name}[{index}].configMap"
    return config, ""


def _counted(item: Item, lines: _Lines) -> str:
    """Say how lines were counted where that is not from the start of the file."""
    if not lines.stream or not item.file_path or not item.file_index:
        return ""
    return f" (object {item.file_index + 1} of that file; lines are counted from the start of that object)"


class _Lines:
    """Lines of objects in what holds them, counted once through each text however many objects are asked for."""

    def __init__(self, *, stream: bool) -> None:
        self.stream = stream
        self.counted: dict[int, tuple[int, int]] = {}  # text -> offset, lines before it

    def of(self, item: Item, tree: Node, line: int, column: int) -> tuple[int, int]:
        """Return line and column, from 1, of a place in an object; both of it from 0."""
        if self.stream and item.file_path:
            above = item.text.split(b"\n", line)[:line]
            return line_in_file(above, tree, item.source, item.start) + 1, max(column - item.column, 0) + 1
        at, before = self.counted.get(id(item.source), (0, 0))
        if item.start < at:
            at = before = 0
        before += item.source.count(b"\n", at, item.start)
        self.counted[id(item.source)] = item.start, before
        return before + line + 1, column + 1
