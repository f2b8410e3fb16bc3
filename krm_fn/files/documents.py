"""Plain manifests in folders, files and stdin as one list of items, written back with changes.

`Tree` is to plain manifests what `ResourceList` is to a host's input. What is not changed keeps its bytes, file by file
and document by document.
"""

from __future__ import annotations

import sys

from krm_fn.base import Record
from krm_fn.files import finding, reading
from krm_fn.files.reading import show
from krm_fn.krm.outline import BOM
from krm_fn.krm.results import ERROR, WARNING, Errors, Result
from krm_fn.krm.streams import Document, read_documents
from krm_fn.yaml import BadYaml
from krm_fn.yaml.edit import revise
from krm_fn.yaml.read import load
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from krm_fn.krm.changes import Changes
    from krm_fn.krm.items import Item

STDIN = "-"
_SEPARATOR = b"---\n"


class SourceFile(Record):
    """A file that was read."""

    path: str  # as messages call it: below the path that the user gave; `stdin` for stdin
    relative: str  # below the folder that the user gave, for a copy of the tree
    data: bytes
    documents: list[Document]

    @property
    def items(self) -> list[Item]:
        """Its objects, in order."""
        return [item for document in self.documents for item in document.items]


class Tree:
    """Manifests of several files."""

    def __init__(self) -> None:
        self.files: list[SourceFile] = []  # in the order read
        self.results: tuple[Result, ...] = ()  # warnings about what was passed over
        self.items: list[Item] = []  # their positions count through

    @classmethod
    def read(
        cls,
        paths: Sequence[str],
        *,
        rules: finding.Rules | None = None,
        wanted: Callable[[str, Item], bool] | None = None,
        texts: list[bytes] | None = None,
    ) -> Tree:
        """Read folders, files and, for `-`, stdin.

        In folders, `*.yaml`, `*.yml` and `*.json` are read, sorted, at any depth; `finding.find` says what is not. A
        document that is no object is an error, in rendered output a warning.

        Args:
            paths: Folders, files and `-`.
            rules: What is left out of folders.
            wanted: Takes a file's path and an object; says whether it counts as an item at all.
            texts: Gets what was read, so that errors can be cleared of it.

        Raises:
            Errors: Everything that can't be read, with file, line and column.
        """
        found, results = finding.find([path for path in dict.fromkeys(paths) if path != STDIN], rules)
        rendered = rules is not None and rules.rendered
        sources: list[finding.Found | None] = [*found, *([None] if STDIN in paths else [])]
        budget = reading.Budget()
        tree = cls()
        for source in sources:
            shown, relative = ("stdin", "stdin.yaml") if source is None else (show(source.path), source.relative)
            left_out = f" (to leave the file out: --exclude {source.pattern})" if source and source.pattern else ""
            try:
                data = sys.stdin.buffer.read() if source is None else finding.read_found(source)
            except Errors as errors:
                results += errors.results
                continue
            if source is None and not data.strip():  # the command before the pipe failed, and nothing would be rendered
                message = "stdin is empty: look at the error of the command that should have printed manifests"
                results.append(Result(message=message, file_path=shown, rule="empty-stdin"))
                continue
            budget.take(data)
            if texts is not None:
                texts.append(data)
            try:
                documents = read_documents(data, shown)
            except Errors as errors:
                results += [one.replace(message=one.message + left_out) for one in errors.results]
                continue
            remedy, severity = ("; it is not read", WARNING) if rendered else (left_out, ERROR)
            results += [_stray(one, shown, remedy, severity) for one in documents if one.stray]
            tree.add(shown, relative, data, documents, wanted)
        failed = [result for result in results if result.severity == ERROR]
        if failed:
            raise Errors(failed)
        tree.results = tuple(results)
        return tree

    def add(
        self,
        path: str,
        relative: str,
        data: bytes,
        documents: list[Document],
        wanted: Callable[[str, Item], bool] | None = None,
    ) -> None:
        """Take the documents of one more file."""
        for document in documents:
            items = [item for item in document.items if wanted is None or wanted(path, item)]
            document.passed_over = len(items) < len(document.items)
            document.items = items
            for item in items:
                item.position = len(self.items)
                self.items.append(item)
        self.files.append(SourceFile(path=path, relative=relative, data=data, documents=documents))

    def stream(self, changes: Changes) -> list[bytes]:
        """Return everything as one stream of documents."""
        pieces: list[bytes] = []
        for file in self.files:
            text = written(file, changes)
            if text.strip():
                _join(pieces, _ended(text.removeprefix(BOM)))
        for value in changes.added:
            _join(pieces, dump(value).encode())
        return pieces

    def contents(self, changes: Changes) -> dict[str, bytes]:
        """Return the files' new contents by their path below the folder that was read; files without objects are left out.

        Added objects are not among them: the caller knows their paths.

        Raises:
            Errors: Two files would have the same path.
        """
        found: dict[str, SourceFile] = {}
        contents: dict[str, bytes] = {}
        for file in self.files:
            text = written(file, changes)
            if not text.strip():
                continue
            other = found.setdefault(file.relative, file)
            if other is not file:
                message = (
                    f"{other.path} and {file.path} would both be written to {file.relative}; render them one by one"
                )
                raise Errors.of(message, file_path=file.path)
            contents[file.relative] = text
        return contents


def written(file: SourceFile, changes: Changes) -> bytes:
    """Return a file's bytes with changes; nothing if no object is left in it.

    Raises:
        Errors: An object that is to be edited can't be read.
    """
    pieces: list[bytes] = []
    kept = False
    for document in file.documents:
        text = _document(file.data, document, changes)
        if not text:
            continue
        kept = kept or bool(document.items)
        if pieces and text.startswith(b"%") and b"\n..." not in pieces[-1]:
            pieces.append(b"...\n")  # of the document before, which is left out
        pieces.append(text)
    if not kept:
        return b""
    text = b"".join(pieces)
    return BOM + text if file.data.startswith(BOM) else text


def _document(data: bytes, document: Document, changes: Changes) -> bytes:
    """Return a document with its separator; nothing where no object of it is left."""
    if document.stray:
        return b""
    items = document.items
    touched = document.passed_over or any(item.position in changes.removed or _edits(changes, item) for item in items)
    if not touched:
        return data[document.start : document.end]
    kept = [item for item in items if item.position not in changes.removed]
    if not kept:
        return b""
    texts: list[bytes] = []
    for item in kept:
        _join(texts, _edited(item, changes, single=not document.is_list))
    text = data[document.start : document.body] + b"".join(texts)
    behind = data[document.body_end : document.end]
    return text + b"\n" * (bool(behind) and not text.endswith((b"\n", b"\r"))) + behind


def _edits(changes: Changes, item: Item) -> bool:
    position = item.position
    return position in changes.replaced or position in changes.labelled or position in changes.revised


def _edited(item: Item, changes: Changes, *, single: bool) -> bytes:
    """Return an item's text with its changes, at column 0 where it was in a List."""
    position = item.position
    if position in changes.replaced:
        return dump(changes.replaced[position]).encode()
    try:
        text = changes.edited(item)
    except BadYaml as error:
        message = f"can't be edited: {error.problem}: {item.where()}"
        raise Errors.of(message, file_path=item.file_path, file_index=item.file_index) from None
    return text if single else _dedented(text, item.column)


def _dedented(text: bytes, column: int) -> bytes:
    pad = b" " * column
    lines = text.splitlines(keepends=True)
    if not all(line.startswith(pad) or not line.strip() for line in lines):
        return text
    return b"".join(line[column:] if line.startswith(pad) else line for line in lines)


def _join(pieces: list[bytes], text: bytes) -> None:
    """Append a document's text to a stream."""
    if pieces and not pieces[-1].endswith((b"\n", b"\r")):
        pieces.append(b"\n")
    if pieces and not text.startswith((b"---\n", b"---\r", b"--- ", b"---\t")):
        # a directive is allowed only behind the end of a document
        pieces.append(b"...\n" if text.startswith(b"%") else _SEPARATOR)
    pieces.append(text)


def _ended(text: bytes) -> bytes:
    """Return a file's text with a line end behind it, so that another document can follow.

    A file that ends inside a block scalar would get one more line end in its value.
    """
    if text.endswith((b"\n", b"\r")):
        return text
    last = read_documents(text)[-1]
    body = text[last.body :]
    try:
        value = load(body)
        if isinstance(value, dict) and load(body + b"\n") != value:
            return text[: last.body] + revise(body + b"\n", value)
    except BadYaml:
        pass  # JSON that libyaml refuses
    return text + b"\n"


def _stray(document: Document, path: str, remedy: str, severity: str) -> Result:
    """Report a document that is no object."""
    message = document.stray if document.stray.endswith("?") else document.stray + remedy
    return Result(message=message, severity=severity, file_path=path, line=document.line, column=1, rule="no-object")
