"""Plain manifests in one file or stream: several YAML documents, JSON, and Lists, as items with their places.

A line that begins with `---` starts a document wherever it is: YAML allows it inside no scalar and no collection.
So a stream is cut at these lines, and each document is read by itself; what isn't edited keeps its bytes.
"""

from __future__ import annotations

import re
from itertools import pairwise

from krm_fn.base import nearest
from krm_fn.krm import fast, outline
from krm_fn.krm.items import Item
from krm_fn.krm.results import Errors, Result
from krm_fn.yaml import BadYaml, written
from krm_fn.yaml.explain import explained, is_table
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# These begin with literal characters, which the engine finds quickly; what must not precede them comes after.
_MARKER = re.compile(rb"---(?<![^\n\r]---)(?=[ \t\r\n]|\Z)")
_BARE_MARKER = re.compile(rb"---[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")
_END = re.compile(rb"\.\.\.(?<![^\n\r]\.\.\.)(?=[ \t\r\n]|\Z)[ \t]*(?:#[^\r\n]*)?(?:\r\n|\n|\r|\Z)")
_NOTHING = re.compile(rb"(?:[ \t]*(?:#[^\r\n]*)?(?:[\r\n]|\Z))*\Z")
_TAIL = re.compile(rb"(?:(?:\.\.\.)?[ \t]*(?:#[^\r\n]*)?(?:[\r\n]|\Z))*\Z")
_SPECIAL = (b"---", b"...", b"%")  # what begins a line that may cut a stream
_DIRECTIVE = re.compile(rb"%(?<![^\n\r]%)")


class DocumentItem(Item):
    """An object of a stream: what we rendered ourselves is read by its lines."""

    __slots__ = ()

    @staticmethod
    def _load(text: bytes) -> Any:
        found = written.read(text)
        return load(text) if found is None else found


class Document:
    """One document of a stream."""

    __slots__ = ("body", "body_end", "end", "is_list", "items", "line", "passed_over", "start", "stray")

    def __init__(self, start: int, body: int, body_end: int, end: int, line: int) -> None:
        self.start = start  # offset of its first byte, its `---` line included
        self.body = body  # offset of its text as YAML
        self.body_end = body_end  # offset behind that text, where a `...` line may follow
        self.end = end  # offset behind it all
        self.line = line  # line of its text, from 1
        self.items: list[Item] = []  # its objects: none, one, or those of a List
        self.is_list = False
        self.passed_over = False  # whether it held objects that the caller does not want
        self.stray = ""  # why it is no object, for messages; "" where it is one, a List, or empty


def read_stream(data: bytes, path: str = "") -> list[Item]:
    """Read the objects of a stream of plain manifests.

    Args:
        data: YAML documents or JSON; a `kind: List` counts as its entries, empty documents are skipped.
        path: The file's name for messages.

    Raises:
        Errors: All documents that can't be read, with file, line and column.
    """
    documents = read_documents(data, path)
    strays = [Result(message=one.stray, file_path=path, line=one.line, column=1) for one in documents if one.stray]
    if strays:
        raise Errors(strays)
    return [item for one in documents for item in one.items]


def read_documents(data: bytes, path: str = "") -> list[Document]:
    """Read a stream as documents, in order, without gaps between them; `path` is the file's name for messages.

    Raises:
        Errors: All documents that can't be read.
    """
    _check_encoding(data, path)
    documents = _split(data, path)
    errors: list[Result] = []
    index = 0
    for document in documents:
        try:
            _identify(document, data, path, index)
        except BadYaml as error:
            text = data[document.body : document.body_end]
            if "appears twice" in error.problem:
                from krm_fn.krm.unreadable import unreadable_item  # noqa: PLC0415 - for bad input only

                errors.append(unreadable_item(error, text, (data, document.body), "an object", path))
                continue
            said, line, column = explained(error, text)
            errors.append(
                Result(
                    message=f"invalid {'JSON' if path.endswith('.json') else 'YAML'}: {said}",
                    file_path=path,
                    file_index=index,
                    line=None if line is None else document.line + line,
                    column=None if column is None else column + 1,
                    rule="yaml",
                )
            )
        index += len(document.items)
    if errors:
        raise Errors(errors)
    return documents


def _check_encoding(data: bytes, path: str) -> None:
    try:
        data.isascii() or data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        said, _, _ = explained(BadYaml("not valid UTF-8"), data)
        message = f"can't be read: {said}"
        raise Errors.of(message, file_path=path, line=line, column=column) from None


def _split(data: bytes, path: str) -> list[Document]:
    """Cut a stream into documents."""
    begin = len(outline.BOM) if data.startswith(outline.BOM) else 0
    if b"\r" not in data and not data.startswith(_SPECIAL, begin) and not any(b"\n" + one in data for one in _SPECIAL):
        return [Document(begin, begin, len(data), len(data), 1)]  # as most files of a rendered tree
    marks = [match.start() for match in _MARKER.finditer(data, begin)]
    cuts = [begin, *(mark for mark in marks if mark != begin), len(data)]
    documents: list[Document] = []
    directives = -1
    line = 1
    counted = begin
    for start, end in pairwise(cuts):
        bare = _BARE_MARKER.match(data, start, end)
        content = body = bare.end() if bare else start
        if directives >= 0:  # they belong to this document, with its marker
            start, body = directives, directives  # noqa: PLW2901 - the document begins earlier than its marker
            documents[-1].end = directives
            documents[-1].body_end = min(documents[-1].body_end, directives)
            directives = -1
        ended = _END.search(data, content, end)
        line += data.count(b"\n", counted, body) if body >= counted else -data.count(b"\n", body, counted)
        counted = body
        documents.append(Document(start, body, ended.start() if ended else end, end, line))
        behind = ended.end() if ended else content
        directive = _DIRECTIVE.search(data, behind, end)
        nothing = _TAIL if ended else _NOTHING
        if directive and end < len(data) and nothing.match(data[behind : directive.start()]):
            directives = directive.start()
        elif ended and not _TAIL.match(data[behind:end]):
            message = "text follows the end of a document (...) without ---"
            raise Errors.of(message, file_path=path, line=line, column=1)
    return documents


def _identify(document: Document, data: bytes, path: str, index: int) -> None:
    """Find the objects of a document."""
    text = data[document.body : document.body_end]
    if _NOTHING.match(text):
        return
    item = DocumentItem.from_span(data, document.body, document.body_end, 0, index, path, index)
    if _by_lines(item, text):
        document.items = [item]
        return
    value = load(text)
    if value is None:
        return
    if not isinstance(value, dict):
        objects = "a list; write its objects without dashes, with --- between them"
        what = objects if isinstance(value, list) else "a plain value"
        if is_table(text):
            what = "a table as kubectl prints it; add -o yaml"
        elif text.lstrip().startswith((b"//", b"/*")):
            what = "text that begins with //; a comment in YAML begins with #, and JSON has none"
        document.stray = f"not a Kubernetes object: it is {what}"
        return
    item.know(value)
    if _is_list(value):
        document.is_list = True
        document.items = _entries(document, data, text, value["items"], item)
    elif item.kind == "List" and value.get("items") is not None:
        document.stray = "a List whose items are not a list"
    elif item.api_version and item.kind:
        document.items = [item]
    else:
        _without_kind(document, text, value, "kind" if item.api_version else "apiVersion", first=index == 0)


def _without_kind(document: Document, text: bytes, value: dict[str, Any], missing: str, *, first: bool) -> None:
    """Note that a document lacks its kind or apiVersion; at a field that was most likely meant, if there is one."""
    near = nearest(missing, [one for one in value if one not in _KNOWN])
    document.stray = f"not a Kubernetes object: it has no {missing}"
    if ("kind" if missing == "apiVersion" else "apiVersion") in value:
        document.stray += "; add it"
    else:
        near = near if near.casefold() == missing.casefold() else ""  # a Compose file has a `version`
        if not first:
            document.stray += "; if it is part of the object above, remove the --- between them"
    there = re.search(rb"^[\"']?" + re.escape(near.encode()) + rb"[\"']?\s*:", text, re.MULTILINE) if near else None
    if missing in value:
        document.stray = f"not a Kubernetes object: {missing} must be a text"
        there = re.search(rb"^[\"']?" + missing.encode() + rb"[\"']?\s*:", text, re.MULTILINE)
    elif there:
        document.stray = f"{near} is not a known field: did you mean {missing}?"
    document.line += text.count(b"\n", 0, there.start()) if there else 0


_KNOWN = frozenset({"apiVersion", "kind", "metadata", "spec", "data", "stringData", "type", "status", "items"})


def _by_lines(item: Item, text: bytes) -> bool:
    """Return whether lines tell that a document is one object, and what it is."""
    value = written.read(text) if b"|\n" in text else None  # a literal block, which would be gone through twice else
    if value is not None:
        item.know(value)
    else:
        item.api_version, item.kind = fast.identity(text) or ("", "")
    return bool(item.api_version and item.kind) and not item.kind.endswith("List")


def _is_list(value: dict[str, Any]) -> bool:
    kind = value.get("kind")
    named = isinstance(kind, str) and kind.endswith("List") and kind != "ResourceList"
    return named and isinstance(value.get("items"), list)


def _entries(document: Document, data: bytes, text: bytes, entries: list[Any], parent: Item) -> list[Item]:
    """Return the objects of a List, those of Lists in it too."""
    seen = outline.read(text)
    spans = [] if seen is None else seen.items
    found: list[Item] = []
    # each entry with what its List lends it, and its index in the document's own List, or None below that
    nested: list[tuple[Any, str, str, int | None]] = [
        (entry, parent.api_version, parent.kind, at) for at, entry in reversed(list(enumerate(entries)))
    ]
    while nested:
        entry, api_version, kind, at = nested.pop()
        if not isinstance(entry, dict):
            document.stray = "a List holds an entry that is not an object"
            return []
        value = entry
        single = kind.removesuffix("List")
        if single and not entry.get("kind") and not entry.get("apiVersion"):
            value = {"apiVersion": api_version, "kind": single, **entry}
        if _is_list(value):
            inner = (value.get("apiVersion"), value["kind"])
            nested += [(one, str(inner[0] or ""), inner[1], None) for one in reversed(value["items"])]
            continue
        if value.get("kind") == "List" and value.get("items") is not None:
            document.stray = "a List whose items are not a list"
            return []
        path, index = parent.file_path, (parent.file_index or 0) + len(found)
        if at is not None and len(spans) == len(entries) and value is entry:
            span = spans[at]
            start, end = span.start + document.body, span.end + document.body
            item = Item.from_span(data, start, end, span.column, parent.position + len(found), path, index)
            item.know(value)
        else:
            item = Item.from_value(value, parent.position + len(found), path, index)
        if not item.api_version or not item.kind:
            document.stray = "a List holds an entry without apiVersion or kind"
            return []
        found.append(item)
    return found
