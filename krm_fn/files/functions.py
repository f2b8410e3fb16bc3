"""The functions that a build calls: who is asked to run them, and what is run.

Functions that files configure as programs (`exec`) are written as containers with a number. Kustomize asks `docker` for a
container, and the number says there what the file named: whether it is run is decided only then, so what is not part of
the build does not count.

What kustomize finds on PATH as `docker`, `helm` and `git` are messengers: small programs that connect to a socket of this
process. `docker run` of our own function is done here, any other image, program or chart is refused (or run, where the
caller passed --enable-exec), and what git fetched is treated as the private copy is.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH118, PTH119

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import threading
from json import dumps

from krm_fn.base import Record
from krm_fn.files import reading, writing
from krm_fn.files.reading import caller_path, find_program, show
from krm_fn.krm.results import WARNING, Errors, Result, tagged
from krm_fn.krm.streams import read_documents
from krm_fn.yaml import BadYaml
from krm_fn.yaml.edit import revise
from krm_fn.yaml.read import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO

OURS = "clusternet-capi-fn"  # the name of the program and of the image
NUMBERED = "function.invalid/"  # begins the name of an image that stands for a function of the copy
FUNCTION_ANNOTATIONS = ("config.kubernetes.io/function", "config.k8s.io/function")

_LEGACY_FIELD = "configFn"  # of metadata, before the annotation
_MAY_CONFIGURE = re.compile(rb"exec|starlark|\\[xuU]")
_HARMLESS_ARGUMENTS = frozenset({"fn", "--verbose", "--debug"})
_MESSENGER = """\
import os, socket, sys
talk = socket.socket(socket.AF_UNIX)
talk.connect({socket!r})
words = b"\\0".join(map(os.fsencode, [{name!r}, *sys.argv[1:]]))
talk.sendall(b"%d\\n" % len(words) + words)
hear = talk.makefile("rb")
what, _, path = hear.readline().rstrip(b"\\n").partition(b" ")
if what == b"run":
    os.execv(path, [path, *sys.argv[1:]])
if what == b"send":
    talk.sendall(sys.stdin.buffer.read())
talk.shutdown(socket.SHUT_WR)
code, length = map(int, hear.readline().split())
sys.stderr.buffer.write(hear.read(length))
sys.stdout.buffer.write(hear.read())
sys.stdout.flush()
sys.exit(code)
"""

# Runs git, whose own scripts need the programs of the caller's PATH, and then has what it fetched looked at.
_GIT = """\
import os, socket, subprocess, sys
code = subprocess.call([{git!r}, *sys.argv[1:]], env=dict(os.environ, PATH={path!r}))
if code == 0 and sys.argv[1:2] in (["checkout"], ["submodule"]):
    talk = socket.socket(socket.AF_UNIX)
    talk.connect({socket!r})
    words = b"git\\0" + os.fsencode(os.getcwd())
    talk.sendall(b"%d\\n" % len(words) + words)
    talk.shutdown(socket.SHUT_WR)
    talk.makefile("rb").read()
sys.exit(code)
"""


class Function(Record):
    """A function that a file of the copy configures as a program."""

    path: str  # the program, as the file names it
    arguments: tuple[str, ...]
    file: str  # the file, for messages

    @property
    def ours(self) -> bool:
        """Whether it is this function."""
        return os.path.basename(self.path) == OURS


class Functions:
    """The functions that the files of a build configure as programs."""

    def __init__(self, warnings: list[Result], *, keep: bool) -> None:
        self.known: list[Function] = []  # the numbers are positions here
        self.keep = keep  # whether any but this one stays as it is, since programs may run
        self.warnings = warnings  # where to report what can't be read

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
        """Return a stream with its programs as containers."""
        pieces: list[bytes] = []
        end = 0
        for document in read_documents(data):
            body = data[document.body : document.body_end]
            value = load(body) if _MAY_CONFIGURE.search(body) else None
            new = self._value(value, shown, nested=nested)
            if new != value:
                text = revise(body, new) if isinstance(value, dict) else dumps(new).encode()  # a patch may be a list
                pieces += [data[end : document.body], text if text.endswith(b"\n") else text + b"\n"]
                end = document.body_end
        return b"".join([*pieces, data[end:]]) if pieces else data

    def _value(self, value: Any, shown: str, *, nested: bool, key: str = "", parent: Any = None) -> Any:
        """Return a value with its programs as containers."""
        if isinstance(value, dict):
            if key == _LEGACY_FIELD:
                return self._container(value, shown) or value
            return {k: self._value(v, shown, nested=nested, key=str(k), parent=value) for k, v in value.items()}
        if isinstance(value, list):
            return [self._value(one, shown, nested=nested) for one in value]
        if isinstance(value, str) and _MAY_CONFIGURE.search(value.encode("utf-8", "replace")):
            return self._string(
                value, shown, nested=nested, is_function=key in FUNCTION_ANNOTATIONS or _patches(key, parent)
            )
        return value

    def _string(self, value: str, shown: str, *, nested: bool, is_function: bool) -> str:
        """Return a string with its programs as containers: an annotation, or a text of a kustomization."""
        try:
            if is_function:
                spec = self._container(load(value), shown)
                return dumps(spec) if spec else value
            return self._text(value.encode(), shown, nested=False).decode() if nested else value
        except (BadYaml, Errors, UnicodeError):
            return value  # a path, say; of an annotation, kustomize reports it

    def _container(self, spec: Any, shown: str) -> dict[str, Any]:
        """Return a function's specification as that of a container with a number; {} where it is no program."""
        if not isinstance(spec, dict):
            return {}
        image = spec.get("container")
        program = spec.get("exec") or spec.get("starlark")
        if (isinstance(image, dict) and image.get("image")) or not isinstance(program, dict):
            return {}
        path = program.get("path") or program.get("url") or program.get("name") or "?"
        arguments = program.get("args")
        function = Function(
            path=str(path),
            arguments=tuple(map(str, arguments)) if isinstance(arguments, list) else (),
            file=shown,
        )
        if self.keep and not function.ours:
            return {}
        self.known.append(function)
        return {"container": {"image": f"{NUMBERED}{len(self.known) - 1}"}}


def _patches(key: str, parent: Any) -> bool:
    """Return whether a string is what a JSON patch sets as a function's annotation."""
    path = parent.get("path") if isinstance(parent, dict) and key == "value" else None
    return isinstance(path, str) and path.replace("~1", "/").endswith(FUNCTION_ANNOTATIONS)


class Messengers:
    """Answers what kustomize asks of `docker`, `helm` and `git`."""

    def __init__(
        self,
        path: str,
        functions: Functions,
        answer: Callable[[bytes], tuple[int, bytes, str]],
        fetched: Callable[[str], None],
        *,
        enable_exec: bool,
    ) -> None:
        self.path = path  # of the socket
        self.functions = functions  # what the numbers of images say
        self.answer = answer  # takes a ResourceList; returns the exit code, stdout and stderr of our function
        self.fetched = fetched  # is called with each folder that git has fetched
        self.enable_exec = enable_exec  # whether other programs may run
        self.refused: list[Result] = []  # what was not run
        self.error: BaseException | None = None  # what `answer` raised
        self.listening = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Messengers:  # noqa: PYI034 - no subclass
        self.listening.bind(self.path)
        self.listening.listen()
        self.thread = threading.Thread(target=self.hear, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.listening.shutdown(socket.SHUT_RDWR)  # ends accept()
        self.listening.close()
        self.thread.join()

    def hear(self) -> None:
        """Answer one caller after the other; kustomize calls its functions in turn."""
        while True:
            try:
                talk, _ = self.listening.accept()
            except OSError:
                return
            # closed by name: the traceback of an error would keep it open, and the caller waiting
            with talk, talk.makefile("rb") as heard, contextlib.suppress(OSError, ValueError):
                self.one(talk, heard)

    def one(self, talk: socket.socket, heard: BinaryIO) -> None:
        """Answer one caller."""
        name, *words = heard.read(int(heard.readline(20))).split(b"\0")
        if name == b"git":
            self.fetched(os.fsdecode(words[0]))
            return
        if name == b"helm":
            result: Result | None = self.refusal("program helm", "", "helm")
            image = NUMBERED
        elif words[:1] == [b"run"]:
            image = os.fsdecode(words[-1])
            result = self.judge(image)
        else:
            talk.sendall(b"end\n0 0\n")
            return
        if result is not None:
            docker = find_program("docker")
            if self.enable_exec and docker and not image.startswith(NUMBERED):
                talk.sendall(b"run " + os.fsencode(docker) + b"\n")
                return
            self.refused.append(result)
            message = result.message.encode()
            talk.sendall(b"end\n1 %d\n" % len(message) + message)
            return
        talk.sendall(b"send\n")
        try:
            code, output, errors = self.answer(heard.read())
        except BaseException as error:  # noqa: BLE001 - raised again where the build was asked for
            self.error = error
            code, output, errors = 1, b"", "error"
        talk.sendall(b"%d %d\n" % (code, len(errors.encode())) + errors.encode() + output)

    def judge(self, image: str) -> Result | None:
        """Say why an image, or the program that it is in the place of, is not run; None for this function."""
        number = image.removeprefix(NUMBERED)
        if number == image or not number.isdigit() or int(number) >= len(self.functions.known):
            if re.split("[:@]", image.rpartition("/")[2])[0] == OURS:
                return None
            return self.refusal(f"image {show(image)}", "", "kustomize and docker")
        function = self.functions.known[int(number)]
        if not function.ours:
            return self.refusal(f"program {show(function.path)}", function.file, "kustomize")
        if _HARMLESS_ARGUMENTS.issuperset(function.arguments):
            return None
        message = f"{function.file} gives arguments to {show(function.path)}: give them to this command instead"
        return Result(message=message, file_path=function.file, tags=tagged(rule="function-arguments"))

    def refusal(self, what: str, file: str, missing: str) -> Result:
        """Report a program or image that is not run."""
        where = f"{file} asks for" if file else "the build asks for"
        why = (
            f"can't be run here: install {missing}" if self.enable_exec else "is not run unless you pass --enable-exec"
        )
        return Result(message=f"{where} the {what}, which {why}", file_path=file, tags=tagged(rule="not-run"))


def write_programs(private: str, address: str, *, enable_exec: bool) -> None:
    """Write the programs into `bin` of a build's private folder; `address` is the socket that they connect to.

    With `enable_exec` the caller's own helm and git run instead.
    """
    for name in ("docker",) if enable_exec else ("docker", "helm"):
        _write(private, name, _MESSENGER.format(name=name, socket=address))
    git = "" if enable_exec else find_program("git")
    if git:
        _write(private, "git", _GIT.format(git=git, socket=address, path=caller_path()))


def _write(private: str, name: str, text: str) -> None:
    """Write what kustomize finds under a name."""
    path = os.path.join(private, "bin", name)
    if re.fullmatch(r"/[^\s]{1,100}", sys.executable):
        pieces = {path: f"#!{sys.executable} -IS\n{text}"}
    else:
        quoted = sys.executable.replace("'", "'\\''")
        pieces = {path: f"#!/bin/sh\nexec '{quoted}' -IS '{path}.py' \"$@\"\n", f"{path}.py": text}
    for place, piece in pieces.items():
        writing.create(place, piece.encode(), 0o700)
