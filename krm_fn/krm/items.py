"""One object of the input, parsed no further than somebody asks.

An item is a span of the bytes that came in, or an already loaded value. Its identity (apiVersion, kind) is known from
the start; metadata and values are read by YAML events on demand and kept.
"""

from __future__ import annotations

from krm_fn.base.patterns import late
from krm_fn.krm.peek import identity, opens_mapping, shortcut
from krm_fn.krm.results import ResourceRef, fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from krm_fn.krm.results import Faults

# Path and index of an item's file, as hosts annotate them; the second of each is the older name.
PATH_ANNOTATIONS = ("internal.config.kubernetes.io/path", "config.kubernetes.io/path")
INDEX_ANNOTATIONS = ("internal.config.kubernetes.io/index", "config.kubernetes.io/index")

_UNSET: Any = object()
_FIELD_AND_KEY = 2
# Escapes that can stand for a character of a plain needle, or join two lines; the tag of binary values.
_REWRITTEN = late(rb"\\[xuU/\r\n]|[!:]binary")
_PLAIN_NEEDLE = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@+~")


class Item:
    """One object of the input.

    Attributes:
        position: Index in the input.
        api_version: `apiVersion`; "" when absent or not a string.
        kind: `kind`; "" when absent or not a string.
    """

    __slots__ = (
        "_behind",
        "_file_index",
        "_file_path",
        "_metadata",
        "_title",
        "_value",
        "api_version",
        "column",
        "end",
        "kind",
        "position",
        "source",
        "start",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - made sixty thousand times a run, so by position
        self,
        source: bytes,
        start: int,
        end: int,
        column: int,
        position: int,
        api_version: str,
        kind: str,
        title: str = "",
    ) -> None:
        """Take a span of the input; use the class methods for anything else.

        Args:
            source: The whole input.
            start: Offset of the object's first byte.
            end: Offset behind its last byte.
            column: Column of the first byte, so that `text` can put blanks there.
            position: Index in the input.
            api_version: As `apiVersion` says; "" when absent or not a string.
            kind: As `kind` says.
            title: What `where` says for an object that stands in no list and no file.
        """
        self.source = source
        self.start = start
        self.end = end
        self.column = column
        self.position = position
        self.api_version = api_version
        self.kind = kind
        self._metadata: Mapping[str, Any] | None = None
        self._value: Any = _UNSET
        self._file_path: str | None = None
        self._file_index: int | None = None
        self._title = title
        self._behind = 0  # where the metadata end, if the shortcut read them

    @classmethod
    def from_text(cls, text: bytes, position: int, file_path: str = "", file_index: int | None = None) -> Item:
        """Make one of a YAML document of its own.

        Args:
            text: The document, without `---`; uniform indentation is fine.
            position: Index in the input.
            file_path: File it was read from; "" when the annotations of the object are to say it.
            file_index: Which object of that file, from 0.

        Raises:
            Faults: Not one YAML document that holds a mapping.
        """
        item = cls(text, 0, len(text), 0, position, "", "")
        item._set_file(file_path, file_index)
        known = identity(text)
        if known is None:
            item.identify()
        else:
            item.api_version, item.kind = known
        return item

    @classmethod
    def from_span(  # noqa: PLR0913, PLR0917 - a span, and where it is
        cls, source: bytes, start: int, end: int, column: int, position: int, file_path: str, file_index: int | None
    ) -> Item:
        """Make one of a span of a file; the caller sets or lets find out (`know`, `identify`) what it is."""
        item = cls(source, start, end, column, position, "", "")
        item._set_file(file_path, file_index)
        return item

    @classmethod
    def from_value(
        cls,
        value: dict[str, Any],
        position: int,
        file_path: str = "",
        file_index: int | None = None,
        *,
        text: bytes = b"",
    ) -> Item:
        """Make one of a loaded value; `text` is its JSON or YAML, made when asked for if left out."""
        item = cls(text, 0, len(text), 0, position, "", "")
        item._set_file(file_path, file_index)
        item.know(value)
        return item

    def identify(self) -> None:
        """Set apiVersion and kind from the value, where the caller could not know them.

        Raises:
            Faults: Not readable, or no mapping.
        """
        self.know(self.value())

    def know(self, value: dict[str, Any]) -> None:
        """Take the value, where the caller has loaded it already."""
        self._value = value
        self.api_version = _string(value.get("apiVersion"))
        self.kind = _string(value.get("kind"))

    def _set_file(self, file_path: str, file_index: int | None) -> None:
        if file_path:
            self._file_path = file_path
            self._file_index = file_index

    @property
    def group(self) -> str:
        """API group; "" for `v1` and where there is no apiVersion."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def name(self) -> str:
        """`metadata.name`; "" when absent or not a string."""
        return _string(self.metadata().get("name"))

    @property
    def namespace(self) -> str:
        """`metadata.namespace`; "" when absent or not a string."""
        return _string(self.metadata().get("namespace"))

    @property
    def file_path(self) -> str:
        """File it was read from, or the one that the host's annotation names; "" when unknown."""
        if self._file_path is None:
            self._read_file_annotations()
        return self._file_path or ""

    @property
    def file_index(self) -> int | None:
        """Position in that file, from 0; None when unknown."""
        if self._file_path is None:
            self._read_file_annotations()
        return self._file_index

    def _read_file_annotations(self) -> None:
        annotations = self.metadata().get("annotations")
        if not isinstance(annotations, dict):
            annotations = {}
        self._file_path = next((_string(annotations[key]) for key in PATH_ANNOTATIONS if key in annotations), "")
        index = next((_string(annotations[key]) for key in INDEX_ANNOTATIONS if key in annotations), "")
        # without a path, an index counts in a file that nobody can name
        self._file_index = int(index) if self._file_path and index.isascii() and index.isdigit() else None

    @property
    def text(self) -> bytes:
        """The object as a document: YAML with the entry's dash replaced by blanks, or JSON where it came as JSON."""
        if not self.source and self._value is not _UNSET:
            from json import dumps  # noqa: PLC0415 - only for values that never were text

            self.source = dumps(self._value, ensure_ascii=False).encode()
            self.end = len(self.source)
        return b" " * self.column + self.source[self.start : self.end]

    def metadata(self) -> Mapping[str, Any]:
        """Return `metadata`, typed as Kubernetes would; {} when absent or not a mapping.

        Raises:
            Faults: The object can't be read.
        """
        if self._metadata is None:
            found = None
            if self._value is _UNSET:
                found = shortcut(self.column).metadata(self.source, self.start, self.end)
            if found is not None:
                self._metadata, self._behind = found
            else:
                metadata = self.value().get("metadata")
                self._metadata = metadata if isinstance(metadata, dict) else {}
        return self._metadata

    def keys(self, *path: str) -> tuple[str, ...]:
        """Return the keys of the mapping at a path; () when absent or no mapping.

        Raises:
            Faults: The object can't be read.
        """
        if len(path) == 1 and self._value is _UNSET and self.metadata() is not None and self._behind:
            found = shortcut(self.column).keys(self.source, self._behind, self.end, path[0].encode())
            if found is not None:
                return found
        node: Any = self.value()
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return tuple(node) if isinstance(node, dict) else ()

    def has(self, *path: str) -> bool:
        """Tell whether a field is there, by its keys; cheaper than `keys` where the text does not even hold the name.

        Raises:
            Faults: The object can't be read.
        """
        key = path[-1].encode()
        if not self.contains(key):
            return False
        if len(path) == _FIELD_AND_KEY and self._value is _UNSET and self.metadata() is not None and self._behind:
            found = shortcut(self.column).has(self.source, self._behind, self.end, path[0].encode(), key)
            if found is not None:
                return found
        return path[-1] in self.keys(*path[:-1])

    def is_mapping(self, *path: str) -> bool | None:
        """Tell whether a field holds a mapping, or something else; None when it is absent or null.

        Raises:
            Faults: The object can't be read.
        """
        if self._value is _UNSET and self.metadata() is not None and self._behind:
            column = self.column + 2 * (len(path) - 1)
            if opens_mapping(self.source, self._behind, self.end, column, path[-1].encode()):
                return True
        node: Any = self.value()
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return None if node is None else isinstance(node, dict)

    def value(self) -> dict[str, Any]:
        """Return the whole object; not to be changed by the caller.

        Raises:
            Faults: Not readable (duplicate keys, aliases to other objects, nesting), or no mapping.
        """
        if self._value is _UNSET:
            from krm_fn.yaml.events import BadYaml, load  # noqa: PLC0415 - items of a value need no YAML

            try:
                value = load(self.text)
            except BadYaml as error:
                raise self._unreadable(error.problem, error.line, error.column) from None
            if not isinstance(value, dict):
                message = "an object must be a mapping"
                raise self._unreadable(message, None, None)
            self._value = value
        value_: dict[str, Any] = self._value
        return value_

    def _unreadable(self, problem: str, line: int | None, column: int | None) -> Faults:
        place = self._title or f"items[{self.position}]"
        if self._file_path:
            place = f"{self._file_path} (object {(self._file_index or 0) + 1})"
        if line is not None and column is not None:
            place += f", line {self._first_line() + line}, column {column + 1}"
        from krm_fn.yaml.remedies import remedy  # noqa: PLC0415 - for bad input only

        return fault(
            f"{problem}: {place}; {remedy(problem)}", file_path=self._file_path or "", file_index=self._file_index
        )

    def _first_line(self) -> int:
        return self.source.count(b"\n", 0, self.start) + 1

    def contains(self, *needles: bytes) -> bool:
        """Tell whether a string of the object might contain some text, or one of several.

        False only if none can: a plain or quoted scalar shows its text as it is, except for backslash escapes, doubled
        single quotes, folded line ends and `!!binary`; so a needle without blanks and quotes that does not stand in
        the raw text of an object can be in a string of it only by an escape that makes such characters, or in binary.
        """
        if not self.source:
            return True
        source, start, end = self.source, self.start, self.end
        for needle in needles:
            if source.find(needle, start, end) >= 0 or not _PLAIN_NEEDLE.issuperset(needle):
                return True
        if source.find(b"binary", start, end) >= 0:
            return True
        backslash = source.find(b"\\", start, end)
        return backslash >= 0 and _REWRITTEN.search(source, backslash, end) is not None

    def where(self) -> str:
        """Return the place for messages: `clusters/a.yaml (object 2)`, or `items[12], line 345`."""
        if self.file_path:
            if self.file_index is None:
                return self.file_path
            return f"{self.file_path} (object {self.file_index + 1})"
        if self._title:
            return self._title
        if not self.source:
            return f"items[{self.position}]"
        return f"items[{self.position}], line {self._first_line()}"

    def ref(self) -> ResourceRef:
        """Return the reference for results."""
        return ResourceRef(api_version=self.api_version, kind=self.kind, name=self.name, namespace=self.namespace)

    def __repr__(self) -> str:
        """Show identity only: an item may be a Secret."""
        return f"Item({self.position}, {self.api_version} {self.kind})"


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
