"""Runs kustomize over a folder, so that only this function is run, whatever the folder names.

Nothing of a kustomization is interpreted here: the real program builds it. What is done around it:

- It builds a private copy of the folder and of the bases that it reaches (`files.copying`), in which each function that a
  file configures as a program (`exec`) is a container with a number.
- It never gets `--enable-exec` (unless the caller passes it), so it starts what it finds on PATH alone: `docker` and `helm`,
  small programs that connect to a socket of this process. `docker run` of our own function is done here; any other image,
  program or chart is refused, if the build calls for it. And `git`: what it fetches is treated as the copy is.
- Of the caller's environment it gets the way to the network alone (proxies, certificates): no token, no home folder, no plugin
  folder. Where the caller passes `--enable-exec`, it gets everything but `CLUSTERNET_…`, credentials for a cloud included.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH102, PTH106, PTH118, PTH119, PTH120, PTH211

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from krm_fn.base import Record, printable
from krm_fn.files import reading, writing
from krm_fn.files.copying import OURS, Copy
from krm_fn.files.reading import caller_path, find_program, show
from krm_fn.krm.results import Errors, Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    # Takes a ResourceList, and the files of the build that may hold our configuration or Clusters (their names for
    # messages, and their bytes); returns the exit code, stdout and stderr of the function.
    Answer = Callable[[bytes, Sequence[tuple[str, bytes]]], tuple[int, bytes, str]]

SECONDS = 300.0
_LARGEST_OUTPUT = 512 * 1024 * 1024
_LARGEST_ERRORS = 1024 * 1024
_ADDRESS = re.compile(r"/[!-~]{1,80}")  # of a folder whose files can be sockets and interpreters of scripts
_PROTOCOLS = "https"  # that git may fetch bases by
_LOGGED = re.compile(r'"command failed" err="(.*)"\Z')  # how kubectl writes its errors
_GONE = re.compile(r"lstat (\S+): no such file or directory")
_ENTRY = re.compile("accumulating resources from '([^']+)'")
_UNFETCHED = re.compile('Get "([^"]+)": (.{1,400}?)\': must build at directory')
_OUTSIDE = re.compile("security; file '([^']+)' is not in or below")
# What kustomize may have of the caller's environment: the way to the network, for bases that are elsewhere.
_NETWORK = re.compile("(?i:https?|no)_(?i:proxy)|SSL_CERT_(FILE|DIR)|GIT_SSL_CAINFO")
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


class Built(Record):
    """What kustomize built."""

    output: bytes  # its output: a stream of documents
    sources: tuple[tuple[str, bytes], ...]  # the files that may hold our configuration or Clusters, with their bytes


class Unbuilt(Errors):
    """A folder can't be built. Its messages may quote what the folder holds: who prints them hides tokens first."""

    def __init__(self, results: Sequence[Result], output: str = "", texts: Sequence[bytes] = ()) -> None:
        super().__init__(results)
        self.output = output  # what kustomize wrote to stderr, however long it is
        self.texts = texts  # what the folder's files hold, as far as it is not too much


def build(folder: str, answer: Answer, *, enable_exec: bool = False) -> Built:
    """Build a folder by `kustomize`, else by `kubectl kustomize`.

    Args:
        folder: A folder with a kustomization.
        answer: Does the work of this function, each time that the build calls it.
        enable_exec: Whether programs, images and Helm charts that the folder names may be run.

    Raises:
        Errors: There is no such program.
        Unbuilt: The folder can't be read, it names something that must not be run, or the build fails. An error of the
            function is not among them: `answer` knows of it, and the build is over.
    """
    program = find_program("kustomize") or find_program("kubectl")
    if not program:
        message = (
            f"{show(folder)} is built by kustomize ({reading.kustomization(folder)}), and neither kustomize nor kubectl is"
            " on PATH: install one of them (https://kubectl.docs.kubernetes.io/installation/kustomize/), pipe in what it"
            " builds elsewhere (`-`), or give the manifests themselves as PATH"
        )
        raise Errors.of(message, file_path=show(folder), rule="no-kustomize")
    verb = "build" if os.path.basename(program) == "kustomize" else "kustomize"
    can_exec = enable_exec and verb == "build"
    flags = ["--enable-alpha-plugins", *["--enable-exec"] * can_exec, *["--enable-helm"] * enable_exec]
    with _private_folder() as private:
        copy = Copy(folder, os.path.join(private, "tree"), keep_programs=can_exec)
        try:
            copy.make()
            output = _built([program, verb, *flags], copy, answer, private, enable_exec=enable_exec)
        except Errors as errors:
            raise Unbuilt(errors.results, getattr(errors, "output", ""), copy.texts()) from None
        return Built(output=output, sources=tuple(copy.sources))


def _built(command: Sequence[str], copy: Copy, answer: Answer, private: str, *, enable_exec: bool) -> bytes:
    """Build a copy; return what it builds to."""
    with _Messengers(os.path.join(private, "s"), copy, answer, enable_exec=enable_exec) as messengers:
        messengers.write_programs(private)
        command = [*command, copy.place(copy.root)]
        output, errors, problem = _run(command, _environment(private, enable_exec=enable_exec), private)
    if messengers.error is not None:
        raise messengers.error
    if messengers.refused:
        raise Errors(dict.fromkeys(messengers.refused))
    if problem:
        message = f"kustomize can't build {show(copy.given)}: {'; '.join([*copy.unread(errors), problem])}"
        result = Result(message=message, file_path=show(copy.given), rule="kustomize")
        raise Unbuilt([result], output=_words(errors, copy, private))
    return output


# --- running ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _private_folder() -> Iterator[str]:
    """Make a folder for the owner alone, and remove it whatever happens; a signal has to come as an exception."""
    private = os.path.realpath(tempfile.mkdtemp(prefix="clusternet-"))
    if not _ADDRESS.fullmatch(private):
        os.rmdir(private)
        private = os.path.realpath(tempfile.mkdtemp(prefix="clusternet-", dir="/tmp"))
    try:
        for name in ("bin", "home", "tmp", "tree"):
            os.mkdir(os.path.join(private, name), 0o700)
        os.symlink(sys.executable, os.path.join(private, "python"))
        yield private
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _environment(private: str, *, enable_exec: bool) -> dict[str, str]:
    """Return kustomize's environment: of the caller's the way to the network; where programs may run, all but our own variables."""
    tools, temporary = os.path.join(private, "bin"), {"TMPDIR": os.path.join(private, "tmp")}
    if enable_exec:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTERNET_")}
        return {**kept, **temporary, "PATH": os.pathsep.join(filter(None, [tools, caller_path()]))}
    network = {key: value for key, value in os.environ.items() if _NETWORK.fullmatch(key)}
    git = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_ALLOW_PROTOCOL": _PROTOCOLS}
    return {**network, **git, **temporary, "PATH": tools, "HOME": os.path.join(private, "home")}


def _run(command: Sequence[str], environment: Mapping[str, str], private: str) -> tuple[bytes, str, str]:
    """Run a program with limits; return its output, what it wrote to stderr, and why it failed."""
    problem = ""
    with tempfile.TemporaryFile(dir=private) as output, tempfile.TemporaryFile(dir=private) as errors:
        process = subprocess.Popen(
            command,
            cwd=private,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
            start_new_session=True,
        )
        until = time.monotonic() + SECONDS
        try:
            while not problem and process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(0.05)
                if os.fstat(output.fileno()).st_size > _LARGEST_OUTPUT:
                    problem = f"it built more than {_LARGEST_OUTPUT // (1024 * 1024)} MiB"
                elif time.monotonic() > until:
                    problem = f"it took longer than {SECONDS:.0f} seconds"
        finally:
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)  # those that it started too
            process.wait()
        if not problem and process.returncode:
            problem = "the build failed"
        output.seek(0)
        errors.seek(0)
        said = errors.read(_LARGEST_ERRORS)
        if errors.read(1):
            said = said.rpartition(b"\n")[0]  # a token that was cut can no longer be recognized
        return b"" if problem else output.read(), said.decode("utf-8", "replace"), problem


def _words(errors: str, copy: Copy, private: str) -> str:
    """Return what kustomize wrote to stderr, on one line, with the user's own paths."""
    text = errors.replace(copy.place(copy.root), show(copy.given))
    text = text.replace(copy.target, show(copy.bound)).replace(private, show(os.path.dirname(copy.bound)))
    text = " ".join(text.split()).removeprefix("Error: ").removeprefix("error: ")
    logged = _LOGGED.search(text)
    text = logged[1].replace('\\"', '"') if logged else text
    entries = _ENTRY.findall(text)
    gone, unfetched, outside = (pattern.search(text) for pattern in (_GONE, _UNFETCHED, _OUTSIDE))
    not_copied = gone and entries and entries[-1].endswith(reading.SUFFIXES) and os.path.lexists(gone[1])
    if gone and os.path.basename(gone[1]) in copy.notes.values():
        text = ""  # the note says it
    elif unfetched:  # kustomize goes on with the URL as a path
        text = f"can't fetch {unfetched[1]}: {unfetched[2]}"
    elif outside or not_copied:
        file = next(reversed(entries), outside[1] if outside else "")
        text = (
            f"{file} is not in the folder that names it, and kustomize reads it only with --load-restrictor"
            " LoadRestrictionsNone: build with that, and pipe the output in (-)"
        )
    elif gone:
        name = gone[1].removeprefix("./")
        written = f" ({entries[-1]})" if entries and entries[-1] != name else ""
        text = f"there is no {name}{written}: correct that entry of the kustomization, or add the missing file"
    elif "unable to find plugin root" in text:
        text = "a file under transformers or generators has no annotation config.kubernetes.io/function, so kustomize takes it for one of its own plugins: add the annotation"
    return printable(text, "?")


# --- functions -------------------------------------------------------------------------------------------------------


class _Messengers:
    """Answers what kustomize asks of `docker`, `helm` and `git`, one caller after the other: it calls functions in turn."""

    def __init__(self, path: str, copy: Copy, answer: Answer, *, enable_exec: bool) -> None:
        self.path = path  # of the socket
        self.copy = copy  # knows the programs that numbers of images stand for
        self.answer = answer
        self.enable_exec = enable_exec  # whether other programs may run
        self.refused: list[Result] = []  # what was not run
        self.error: BaseException | None = None  # what `answer` raised
        self.listening = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> _Messengers:  # noqa: PYI034 - no subclass
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

    def write_programs(self, private: str) -> None:
        """Write the messengers; with `enable_exec` the caller's own helm and git run instead."""
        names = ("docker",) if self.enable_exec else ("docker", "helm")
        programs = {name: _MESSENGER.format(name=name, socket=self.path) for name in names}
        if not self.enable_exec and (git := find_program("git")):
            programs["git"] = _GIT.format(git=git, socket=self.path, path=caller_path())
        for name, text in programs.items():
            writing.create(os.path.join(private, "bin", name), f"#!{private}/python -IS\n{text}".encode(), 0o700)

    def hear(self) -> None:
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
        if name == b"docker" and words[:1] != [b"run"]:
            talk.sendall(b"end\n0 0\n")
            return
        image = os.fsdecode(words[-1]) if name == b"docker" else None
        result = self.refusal(image)
        if result is not None:
            if self.enable_exec and self.copy.program(image) is None and (docker := find_program("docker")):
                talk.sendall(b"run " + os.fsencode(docker) + b"\n")
                return
            self.refused.append(result)
            message = result.message.encode()
            talk.sendall(b"end\n1 %d\n" % len(message) + message)
            return
        talk.sendall(b"send\n")
        try:
            code, output, errors = self.answer(heard.read(), self.copy.sources)
        except BaseException as error:  # noqa: BLE001 - raised again where the build was asked for
            self.error = error
            code, output, errors = 1, b"", "error"
        talk.sendall(b"%d %d\n" % (code, len(errors.encode())) + errors.encode() + output)

    def refusal(self, image: str | None) -> Result | None:
        """Say why an image (None: helm), or the program that it is in the place of, is not run; None for this function."""
        program = self.copy.program(image)
        file = "" if program is None else program.file
        if program is None:
            if image and re.split("[:@]", image.rpartition("/")[2])[0] == OURS:
                return None
            what, missing = "program helm" if image is None else f"image {show(image)}", "kustomize and docker"
        elif program.ours:
            if _HARMLESS_ARGUMENTS.issuperset(program.arguments):
                return None
            message = f"{file} gives arguments to {show(program.path)}: give them to this command instead"
            return Result(message=message, file_path=file, rule="function-arguments")
        else:
            what, missing = f"program {show(program.path)}", "kustomize"
        why = (
            f"can't be run here: install {missing}" if self.enable_exec else "is not run unless you pass --enable-exec"
        )
        message = f"{file or 'the build'} asks for the {what}, which {why}"
        return Result(message=message, file_path=file, rule="not-run")
