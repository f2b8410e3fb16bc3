"""What kustomize finds on PATH in the place of `docker`, `helm` and `git`, and the one that they bring its questions to.

Each is a small program that connects to a socket of this process. `docker run` of our own function is done here, any other
image, program or chart is refused (or run, where the caller passed --enable-exec), and what git fetched is treated as the
private copy is.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH118

from __future__ import annotations

import contextlib
import os
import re
import socket
import sys
import threading

from krm_fn.files import staging
from krm_fn.files.functions import NUMBERED, OURS
from krm_fn.files.reading import caller_path, find_program, show
from krm_fn.krm.results import Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import BinaryIO

    from krm_fn.files.copying import Copy

    # Takes a ResourceList, and the files of the build that may hold our configuration or Clusters (their names for
    # messages, and their bytes); returns the exit code, stdout and stderr of the function.
    Answer = Callable[[bytes, Sequence[tuple[str, bytes]]], tuple[int, bytes, str]]

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


class Messengers:
    """Answers what kustomize asks of `docker`, `helm` and `git`."""

    def __init__(self, path: str, copy: Copy, answer: Answer, *, enable_exec: bool) -> None:
        self.path = path
        self.copy = copy
        self.functions = copy.functions
        self.sources: Sequence[tuple[str, bytes]] = copy.sources
        self.answer = answer
        self.enable_exec = enable_exec
        self.refused: list[Result] = []
        self.error: BaseException | None = None
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
            self.copy.fetched(os.fsdecode(words[0]))
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
            code, output, errors = self.answer(heard.read(), self.sources)
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
        staging.create(place, piece.encode(), 0o700)
