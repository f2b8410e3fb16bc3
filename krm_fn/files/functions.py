"""Functions that files configure as programs (`exec`), written as containers with a number.

Kustomize asks `docker` for a container, and a number of `Functions` says there what the file named: whether it is run is
decided only then, so what is not part of the build does not count.
"""

# ruff: noqa: PTH119

from __future__ import annotations

import os
import re

from krm_fn.base import Record
from krm_fn.files import reading
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.krm.streams import read_documents
from krm_fn.yaml import BadYaml
from krm_fn.yaml.edit import revise
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OURS = "clusternet-capi-fn"  # the name of the program and of the image
NUMBERED = "function.invalid/"  # begins the name of an image that stands for a function of the copy
FUNCTION_ANNOTATIONS = ("config.kubernetes.io/function", "config.k8s.io/function")

_LEGACY_FIELD = "configFn"  # of metadata, before the annotation
_MAY_CONFIGURE = re.compile(rb"exec|starlark|\\[xuU]")


class Function(Record):
    """A function that a file of the copy configures as a program.

    Attributes:
        path: The program, as the file names it.
        arguments: Its arguments.
        file: The file, for messages.
    """

    path: str
    arguments: tuple[str, ...]
    file: str

    @property
    def ours(self) -> bool:
        """Whether it is this function."""
        return os.path.basename(self.path) == OURS


class Functions:
    """The functions that the files of a build configure as programs.

    Attributes:
        known: They, by number.
        keep: Whether any but this one stays as it is, since programs may run.
        warnings: Where to report what can't be read.
    """

    def __init__(self, warnings: list[Result], *, keep: bool) -> None:
        self.known: list[Function] = []
        self.keep = keep
        self.warnings = warnings

    def rewritten(self, data: bytes, path: str, shown: str) -> bytes:
        """Return a file with its programs as containers.

        The name in `path` tells a kustomization, whose texts may configure functions too; `shown` is for messages.
        """
        if not _MAY_CONFIGURE.search(data):
            return data
        nested = os.path.basename(path) in reading.KUSTOMIZATIONS
        try:
            return self._text(data, shown, nested=nested)
        except (BadYaml, Errors):
            if path.endswith(reading.SUFFIXES) and any(name.encode() in data for name in FUNCTION_ANNOTATIONS):
                message = f"{shown} can't be read: if it configures a function as a program, kustomize leaves it out"
                self.warnings.append(
                    Result(message=message, severity=WARNING, file_path=shown, tags=tagged(rule="unreadable-function"))
                )
            return data

    def _text(self, data: bytes, shown: str, *, nested: bool) -> bytes:
        """Return a stream with its programs as containers.

        Raises:
            BadYaml: It can't be read.
            Errors: The same.
        """
        pieces: list[bytes] = []
        end = 0
        for document in read_documents(data):
            body = data[document.body : document.body_end]
            value = load(body) if _MAY_CONFIGURE.search(body) else None
            new = self._value(value, shown, nested=nested)
            if new is not value:
                pieces += [data[end : document.body], self._edited(body, value, new)]
                end = document.body_end
        return b"".join([*pieces, data[end:]]) if pieces else data

    @staticmethod
    def _edited(body: bytes, value: Any, new: Any) -> bytes:
        """Return a document with a new value."""
        if isinstance(value, dict):
            text = revise(body, new)
        else:
            from json import dumps  # noqa: PLC0415 - a patch that is a list

            text = dumps(new).encode()
        return text if text.endswith(b"\n") else text + b"\n"

    def _value(self, value: Any, shown: str, *, nested: bool, key: str = "", parent: Any = None) -> Any:
        """Return a value with its programs as containers; the value itself where there is none."""
        if isinstance(value, dict):
            if key == _LEGACY_FIELD:
                return self._container(value, shown, value)
            new = {k: self._value(v, shown, nested=nested, key=str(k), parent=value) for k, v in value.items()}
            return new if any(new[k] is not v for k, v in value.items()) else value
        if isinstance(value, list):
            entries = [self._value(one, shown, nested=nested) for one in value]
            return entries if any(new is not old for new, old in zip(entries, value, strict=True)) else value
        if isinstance(value, str) and _MAY_CONFIGURE.search(value.encode("utf-8", "replace")):
            return self._string(
                value, shown, nested=nested, is_function=key in FUNCTION_ANNOTATIONS or _patches(key, parent)
            )
        return value

    def _string(self, value: str, shown: str, *, nested: bool, is_function: bool) -> str:
        """Return a string with its programs as containers: an annotation, or a text of a kustomization."""
        try:
            if is_function:
                spec = self._container(load(value), shown, value)
                return spec if isinstance(spec, str) else value
            text = self._text(value.encode(), shown, nested=False).decode() if nested else value
        except (BadYaml, Errors, UnicodeError):
            return value  # a path, say; of an annotation, kustomize reports it
        return value if text == value else text

    def _container(self, spec: Any, shown: str, unchanged: Any) -> Any:
        """Return a function's specification as that of a container with a number; `unchanged` where it is no program."""
        if not isinstance(spec, dict):
            return unchanged
        image = spec.get("container")
        program = spec.get("exec") or spec.get("starlark")
        if (isinstance(image, dict) and image.get("image")) or not isinstance(program, dict):
            return unchanged
        path = program.get("path") or program.get("url") or program.get("name") or "?"
        arguments = program.get("args")
        function = Function(
            path=str(path),
            arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else (),
            file=shown,
        )
        if self.keep and not function.ours:
            return unchanged
        self.known.append(function)
        new: dict[str, Any] = {"container": {"image": f"{NUMBERED}{len(self.known) - 1}"}}
        if isinstance(unchanged, dict):
            return new
        from json import dumps  # noqa: PLC0415 - for a kustomization with functions alone

        return dumps(new)


def _patches(key: str, parent: Any) -> bool:
    """Return whether a string is what a JSON patch sets as a function's annotation."""
    path = parent.get("path") if isinstance(parent, dict) and key == "value" else None
    return isinstance(path, str) and path.replace("~1", "/").endswith(FUNCTION_ANNOTATIONS)
