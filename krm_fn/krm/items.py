"""One object of the input, read no further than needed.

An item is a span of the bytes that came in, or an already loaded value. Its apiVersion and kind are known from the
start; metadata (by lines where these tell enough, `partial`) and values (by YAML events) are read on demand and kept.
"""

from __future__ import annotations

from krm_fn.base import late
from krm_fn.krm import partial
from krm_fn.krm.partial import UNSURE, text_of
from krm_fn.krm.results import INDEX, PATH, Errors, ResourceRef
from krm_fn.yaml import BadYaml
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from typing_extensions import Self

_UNSET: Any = object()
_LONGEST_INDEX = 9  # digits; no host counts further
# Escapes that can stand for a character of a plain text, or join two lines; the tag of binary values.
_REWRITTEN = late(rb"\\[xuU/\r\n]|[!:]binary")
_last_source = b""  # all items of an input share one
_rewrites = False  # whether it has anything of that kind
_PLAIN_TEXT = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:=,@+~")


class Item:
    """One object of the input. What has to read it raises `Errors` where it can't be read."""

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
        "wanted",
        "wanted_labels",
    )

    def __init__(  # noqa: PLR0913, PLR0917 - made sixty thousand times per run, so by position
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

        `title` is what `where` says for an object that is in no list and no file.
        """
        self.source = source  # the text that holds it
        self.start = start  # offset of its first byte
        self.end = end  # offset behind its last byte
        self.column = column  # column of its first byte
        self._behind = 0  # where its metadata end, once they were read by lines
        self.position = position  # index in the input
        self.api_version = api_version  # `apiVersion`; "" when absent or not a string
        self.kind = kind  # `kind`; "" when absent or not a string
        self.wanted: dict[str, Any] | None = None  # the value that `set` has made; None if nothing was set
        self.wanted_labels: dict[str, str] | None = None  # what `set_label` alone has set; None once there is `wanted`
        self._metadata: Mapping[str, Any] | None = None
        self._value: Any = _UNSET
        self._file_path: str | None = None
        self._file_index: int | None = None
        self._title = title

    @classmethod
    def from_span(  # noqa: PLR0913, PLR0917 - a span, and where it is
        cls, source: bytes, start: int, end: int, column: int, position: int, file_path: str, file_index: int | None
    ) -> Self:
        """Make one of a span of a file; the caller sets or lets find out (`know`, `identify`) what it is."""
        item = cls(source, start, end, column, position, "", "")
        if file_path:
            item._file_path = file_path
            item._file_index = file_index
        return item

    @classmethod
    def from_value(
        cls, value: dict[str, Any], position: int, file_path: str = "", file_index: int | None = None
    ) -> Item:
        """Make one of a loaded value; its text is JSON, made when asked for."""
        item = cls.from_span(b"", 0, 0, 0, position, file_path, file_index)
        item.know(value)
        return item

    def identify(self) -> None:
        """Set apiVersion and kind from the value, where the caller could not know them."""
        self.know(self.value())

    def know(self, value: dict[str, Any]) -> None:
        """Take the value, where the caller has loaded it already."""
        self._value = value
        self.api_version = text_of(value.get("apiVersion"))
        self.kind = text_of(value.get("kind"))

    # --- what it says ------------------------------------------------------------------------------------------------

    @property
    def group(self) -> str:
        """API group; "" for `v1` and where there is no apiVersion."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""

    @property
    def name(self) -> str:
        """`metadata.name`; "" when absent or not a string."""
        return text_of(self.metadata().get("name"))

    @property
    def namespace(self) -> str:
        """`metadata.namespace`; "" when absent or not a string."""
        return text_of(self.metadata().get("namespace"))

    @property
    def labels(self) -> Mapping[str, Any]:
        """`metadata.labels`; {} when absent or not a mapping."""
        return _mapping(self.metadata().get("labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """`metadata.annotations`; {} when absent or not a mapping."""
        return _mapping(self.metadata().get("annotations"))

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
        annotations = self.annotations
        self._file_path = next((text_of(annotations[key]) for key in PATH if key in annotations), "")
        index = next((text_of(annotations[key]) for key in INDEX if key in annotations), "")
        # without a path, an index refers to an unknown file
        counts = self._file_path and index.isascii() and index.isdigit() and len(index) <= _LONGEST_INDEX
        self._file_index = int(index) if counts else None

    @property
    def text(self) -> bytes:
        """The object as a document: YAML with the entry's dash replaced by spaces, or JSON where it came as JSON."""
        if not self.source and self._value is not _UNSET:
            from krm_fn.yaml.write import flow  # noqa: PLC0415 - only for values that never were text

            self.source = flow(self._value).encode()
            self.end = len(self.source)
        return b" " * self.column + self.source[self.start : self.end]

    def metadata(self) -> Mapping[str, Any]:
        """Return `metadata`, typed as Kubernetes would; {} when absent or not a mapping."""
        if self._metadata is None and self._value is _UNSET:
            found, self._behind = partial.metadata(self.source, self.start, self.end, self.column)
            self._metadata = None if found is UNSURE else found
        if self._metadata is None:
            self._metadata = _mapping(self.value().get("metadata"))
        return self._metadata

    def is_mapping(self, *path: str) -> bool | None:
        """Return whether a field holds a mapping, or something else; None when it is absent or null."""
        self.metadata()
        if self._value is _UNSET and partial.opens_mapping(self.source, self._behind, self.end, self.column, path):
            return True
        node = self.get(*path)
        return None if node is None else isinstance(node, dict)

    def get(self, *path: str) -> Any:
        """Return the value of a field; None when it is absent."""
        node: Any = self.value()
        for key in path:
            node = node.get(key) if isinstance(node, dict) else None
        return node

    def keys(self, *path: str) -> tuple[str, ...]:
        """Return the keys of the mapping at a path; () when absent or no mapping."""
        return tuple(_mapping(self.get(*path)))

    def value(self) -> dict[str, Any]:
        """Return the whole object; not to be changed by the caller.

        Raises:
            Errors: Not readable (duplicate keys, aliases to other objects, nesting), or no mapping.
        """
        if self._value is _UNSET:
            try:
                value = self._load(self.text)
            except BadYaml as error:
                raise self._unreadable(error) from None
            if not isinstance(value, dict):
                message = "an object must be a mapping"
                raise self._unreadable(BadYaml(message))
            self._value = value
        value_: dict[str, Any] = self._value
        return value_

    @staticmethod
    def _load(text: bytes) -> Any:
        return load(text)

    def _unreadable(self, error: BadYaml) -> Errors:
        from krm_fn.krm.unreadable import unreadable_item  # noqa: PLC0415 - for bad input only

        text, file_path = self.text, self._file_path or ""
        title = self._title or f"items[{self.position}]"
        found = unreadable_item(error, text, (self.source, self.start), title, file_path)
        return Errors([found.replace(file_index=self.file_index) if file_path else found])

    def contains(self, *texts: bytes) -> bool:
        """Return whether a string of the object might contain some text, or one of several.

        False only if none can: a plain or quoted scalar shows its text as it is, except for backslash escapes, doubled
        single quotes, folded line ends and `!!binary`; so a text without spaces and quotes that does not appear in the
        raw text of an object can be in a string of it only by an escape that makes such characters, or in binary.
        """
        if not self.source:
            return True
        source, start, end = self.source, self.start, self.end
        for text in texts:
            if source.find(text, start, end) >= 0 or not _PLAIN_TEXT.issuperset(text):
                return True
        if _last_source is not source:
            _look_through(source)
        return _rewrites and _REWRITTEN.search(source, start, end) is not None

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
        line = self.source.count(b"\n", 0, self.start) + 1
        return f"items[{self.position}], line {line}"

    def ref(self) -> ResourceRef:
        """Return the reference for results."""
        return ResourceRef(api_version=self.api_version, kind=self.kind, name=self.name, namespace=self.namespace)

    def place(self, field: str = "") -> dict[str, Any]:
        """Return the fields of a `Result` that point at a field of this object, or at the object."""
        return {
            "resource_ref": self.ref(),
            "item": self.position,
            "field": field,
            "file_path": self.file_path,
            "file_index": self.file_index,
        }

    def __repr__(self) -> str:
        """Show identity only: an item may be a Secret."""
        return f"Item({self.position}, {self.api_version} {self.kind})"

    # --- changing it -------------------------------------------------------------------------------------------------

    def set_label(self, key: str, value: str) -> None:
        """Set a label; nothing else of the object's text changes."""
        if self.wanted is None:
            self.wanted_labels = {**(self.wanted_labels or {}), key: value}
        else:
            self.set(value, "metadata", "labels", key)

    def set(self, value: Any, *path: str) -> None:
        """Set a field, and the mappings on the way to it; only the lines of what differs change."""
        if self.wanted is None:
            self.wanted = self.value()
            labels, self.wanted_labels = self.wanted_labels, None
            for key, label in (labels or {}).items():
                self.set_label(key, label)
        self.wanted = made = dict(self.wanted)
        node = made
        for key in path[:-1]:
            node[key] = dict(_mapping(node.get(key)))
            node = node[key]
        node[path[-1]] = value


def _look_through(source: bytes) -> None:
    """Note once for all items of an input whether anything in it can stand for a text without showing it."""
    global _last_source, _rewrites  # noqa: PLW0603 - what the last call found
    _last_source = source
    _rewrites = (b"\\" in source or b"binary" in source) and _REWRITTEN.search(source) is not None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
