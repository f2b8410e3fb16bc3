"""Objects that can't be read: which one of an input is to blame, and where.

An object that can't be built into values may still have nodes, so what is reported has its name.
"""

from __future__ import annotations

from krm_fn.base import late, titled
from krm_fn.krm.results import INDEX, PATH, STDIN, Related, ResourceRef, Result
from krm_fn.yaml.explain import explained
from krm_fn.yaml.nodes import tree_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from krm_fn.yaml import BadYaml
    from krm_fn.yaml.nodes import Node

# What hosts add to an object before a function sees it: no line of the user's file holds that.
_OF_HOSTS = (
    b"internal.config.kubernetes.io/",
    b"config.kubernetes.io/path",
    b"config.kubernetes.io/index",
    b"config.k8s.io/id",
)
_KEYS = ("apiVersion", "kind", "metadata", "functionConfig", "items", "results")  # of a ResourceList
_PLAIN_KEY = late(r"[A-Za-z][A-Za-z0-9./_-]{0,60}\Z")
_LARGEST = 16 * 1024 * 1024  # of an input whose objects are looked through for the one that can't be read


def unreadable(error: BadYaml, data: bytes, what: str, render: str = "") -> Result:
    """Report that a ResourceList can't be read; where one of its objects is to blame, by that object and its file.

    Args:
        error: What the reader raised.
        data: The whole input.
        what: What it is called if no object is to blame.
        render: The program's command for plain manifests, if it has one.
    """
    said, line, column = explained(error, data)
    if line is None or column is None:
        return Result(message=f"{what} can't be read: {said}", rule="yaml")
    if "second YAML document" in error.problem:
        return _second_document(data, what, (line + 1, column + 1), render)
    found = _entry(data, line)
    if found is None:
        return _of_the_list(data, said, (line, column), what)
    node, position = found
    start = 0
    for _ in range(node.place[0]):
        start = data.index(b"\n", start) + 1
    place = (line - node.place[0], column)
    return _of_object(node, data, start + node.place[1], said, place, f"items[{position}]", "")


def _of_the_list(data: bytes, said: str, place: tuple[int, int], what: str) -> Result:
    """Report a ResourceList outside of its objects; a key that appears twice with its first place."""
    related: tuple[Related, ...] = ()
    whole = tree_of(data) if "appears twice" in said and len(data) <= _LARGEST else None
    key, first = ("", place) if whole is None else _first(whole, place)
    if key in _KEYS:  # any other one may be anything, a token too
        said = f"{key} appears twice: remove one of them"
        related = (Related(label="first", line=first[0] + 1, column=first[1] + 1),)
    message = f"{what} can't be read: {said}"
    return with_related(Result(message=message, line=place[0] + 1, column=place[1] + 1, related=related, rule="yaml"))


def _second_document(data: bytes, what: str, place: tuple[int, int], render: str) -> Result:
    """Report what follows the first document; most likely the whole is a stream of plain manifests."""
    first = tree_of(data)
    kind = "" if first is None else first.text("kind")
    if first is None or kind == "ResourceList":
        begun = "" if first is None else f" at {STDIN}:{first.place[0] + 1}:{first.place[1] + 1}"
        message = (
            f"a second document follows the ResourceList{begun}: a function takes one; remove what is below the ---"
        )
        return Result(message=message, line=place[0], column=place[1], rule="yaml")
    begun = f"a {kind}" if kind else "something else"
    message = (
        f"{what} is not a ResourceList but several documents, {begun} first: expected one ResourceList, as sent by"
        " kustomize and kpt"
    )
    message += f"; for plain manifests use: {render} -" if render else ""
    return Result(message=message, line=first.place[0] + 1, column=first.place[1] + 1, rule="yaml")


def _entry(data: bytes, line: int) -> tuple[Node, int] | None:
    """Return the item of a ResourceList that has a line, and its position; None where there is none."""
    whole = tree_of(data) if len(data) <= _LARGEST else None
    items = None if whole is None else whole.child("items")
    if whole is None or items is None:
        return None
    begun = [node for _, _, node in items.fields() if node.place[0] <= line]
    after = [at[0] for _, at, _ in whole.fields() if begun and at[0] > begun[-1].place[0]]
    return (begun[-1], len(begun) - 1) if begun and not any(one <= line for one in after) else None


def unreadable_item(error: BadYaml, text: bytes, at: tuple[bytes, int], title: str, file_path: str) -> Result:
    """Report that an object can't be read.

    Args:
        error: What the reader raised.
        text: The object as a document.
        at: The whole input, and where the object begins in it.
        title: What it is called if it can't tell its own name.
        file_path: Its file, if that is known.
    """
    said, line, column = explained(error, text)
    node = tree_of(text)
    if line is None or column is None:
        return Result(message=f"{title} can't be read: {said}", file_path=file_path, rule="yaml")
    if node is None:
        source, start = at
        line += source.count(b"\n", 0, start) + 1
        return Result(
            message=f"{title} can't be read: {said}", file_path=file_path, line=line, column=column + 1, rule="yaml"
        )
    return _of_object(node, *at, said, (line, column), title, file_path)


def _of_object(  # noqa: PLR0913, PLR0917 - an object, where it is, and what is wrong with it
    node: Node, source: bytes, start: int, said: str, place: tuple[int, int], title: str, file_path: str
) -> Result:
    """Report an object by the names that its nodes tell, since its value can't be built."""
    kind, api_version = node.text("kind"), node.text("apiVersion")
    name, namespace = node.text("metadata", "name"), node.text("metadata", "namespace")
    if kind and name:
        title = titled(kind, namespace, name)
    theirs, index = (
        next((text for key in keys if (text := node.text("metadata", "annotations", key))), "")
        for keys in (PATH, INDEX)
    )

    def placed(place: tuple[int, int]) -> dict[str, Any]:
        line, column = place
        if theirs and file_path in {"", theirs}:
            own = source[start:].split(b"\n", line)[:line]
            return {"line": line_in_file(own, node, source, start) + 1, "column": max(column - node.place[1], 0) + 1}
        return {"line": source.count(b"\n", 0, start) + line + 1, "column": column + 1}

    path, fix = file_path or theirs, ""
    related: tuple[Related, ...] = ()
    if "appears twice" in said:
        key, first = _first(node, place)
        title_of_key = key if key and kind != "Secret" else "a key"
        new = ", or begin a new entry with '- '" if _in_list(node, first) else ""
        said = f"{title_of_key} appears twice: remove one of them{new}"
        if key in {"apiVersion", "kind"} and place[1] == node.place[1] and not theirs:
            fix = "---"
            said = f"{key} appears twice: if another object begins here, write --- above it; if not, remove one of them"
        related = (Related(label="first", file_path=path, **placed(first)),) if first != place else ()
    return with_related(
        Result(
            message=f"{title} can't be read: {said}",
            resource_ref=ResourceRef(api_version=api_version, kind=kind, name=name, namespace=namespace)
            if kind
            else None,
            file_path=path,
            file_index=int(index) if theirs and index.isascii() and index.isdigit() else None,
            fix=fix,
            related=related,
            rule="yaml",
            **placed(place),
        )
    )


def _first(node: Node, place: tuple[int, int]) -> tuple[str, tuple[int, int]]:
    """Return a key that appears twice, "" if it may not be shown, and where it is first; `place` is the second."""
    for one in node.all():
        places = [(name, at) for name, at, _ in one.fields() if name is not None]
        key = next((name for name, at in places if at == place), None)
        if key is not None:
            return key if _PLAIN_KEY.match(key) else "", next(at for name, at in places if name == key)
    return "", place


def _in_list(node: Node, place: tuple[int, int]) -> bool:
    """Return whether an entry of a list begins with the key at a place, or goes on with it."""
    entries = (one for each in node.all() for name, _, one in each.fields() if (name or "").startswith("["))
    return any(at == place for one in entries for _, at, _ in one.fields())


def shown(place: Related) -> str:
    """Return a second place as messages name it: `a.yaml:3:1`, or `items[4]` where nothing more is known."""
    if place.line is None:
        return place.file_path or f"items[{place.item}]"
    return f"{place.file_path or STDIN}:{place.line}:{place.column}"


def with_related(result: Result) -> Result:
    """Name the further places in the message, once: the first line alone has to do."""
    if not result.related:
        return result
    places = f" ({', '.join(f'{one.label}: {shown(one)}' for one in result.related)})"
    return result if result.message.endswith(places) else result.replace(message=result.message + places)


def line_in_file(before: Sequence[bytes], tree: Node, source: bytes, start: int) -> int:
    """Return how many lines are above a place in the file of its object: without what the host put in.

    Args:
        before: The lines of the object above the place.
        tree: The object.
        source: The stream.
        start: Where the object begins in it; comments may be between that and its dash.
    """
    added = sum(any(key in one for key in _OF_HOSTS) for one in before)
    annotations = tree.child("metadata", "annotations")
    if added and annotations is not None and all(_of_host(name or "") for name, _, _ in annotations.fields()):
        added += 1  # the line `annotations:` itself
    dash = source.rfind(b"\n", 0, start) + 1
    while dash and source[dash:start].lstrip(b" ")[:1] in {b"", b"#", b"\n", b"\r"}:
        dash = source.rfind(b"\n", 0, dash - 1) + 1
    beside = source[dash:start].lstrip(b" ").startswith(b"-")  # the functionConfig has no dash
    return len(before) - added + (source.count(b"\n", dash, start) if beside else 0)


def _of_host(key: str) -> bool:
    return any(key.encode().startswith(one) for one in _OF_HOSTS)
