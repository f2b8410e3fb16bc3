"""Runs kustomize over a folder, such that nothing but this function is run whatever the folder names.

Nothing of a kustomization is interpreted here: the real program builds it. What is done around it:

- It builds a private copy of the folder and of the bases that it reaches, made by the guarded reader: regular files, no
  link that leads out of the repository.
- It never gets `--enable-exec` (unless the caller passes it), so it starts what it finds on PATH alone: `docker`, for
  functions in containers, and `helm`. Both are messengers to this process (`files.functions`), which does the work of our
  own function and refuses anything else. The only other program on that PATH is `git`, and what it fetches is treated as the
  copy is.
- So that our function as a program (`exec`) is served in the same way, each function that a file of the copy configures
  as a program is written there as a container (`files.functions`).
- kustomize's environment holds nothing of ours: no variable, no home folder, no plugin folder.
"""

# Descriptors and links are the subject here, and os names them.
# ruff: noqa: PTH106, PTH102, PTH118, PTH120

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading

from krm_fn.base import Record, printable
from krm_fn.files import reading
from krm_fn.files.copying import Copy
from krm_fn.files.functions import Messengers, write_programs
from krm_fn.files.reading import caller_path, find_program, show
from krm_fn.krm.results import Errors, Result, tagged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    # Takes a ResourceList, and the files of the build that may hold our configuration or Clusters (their names for
    # messages, and their bytes); returns the exit code, stdout and stderr of the function.
    Answer = Callable[[bytes, Sequence[tuple[str, bytes]]], tuple[int, bytes, str]]

SECONDS = 300.0

_LARGEST_OUTPUT = 512 * 1024 * 1024
_LONGEST_ADDRESS = 100  # of a socket, in bytes
_CHUNK = 1024 * 1024
_PROTOCOLS = "https"  # that git may fetch bases by
_LOGGED = re.compile(r'"command failed" err="(.*)"\Z')  # how kubectl writes its errors
_GONE = re.compile(r"lstat (\S+): no such file or directory")
_ENTRY = re.compile("accumulating resources from '([^']+)'")
_NO_PLUGIN = "unable to find plugin root"
# What kustomize may have of the caller's environment: the way to the network, for bases that are elsewhere.
_NETWORK = (
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "GIT_SSL_CAINFO",
)


class Built(Record):
    """What kustomize built."""

    output: bytes  # its output: a stream of documents
    sources: tuple[tuple[str, bytes], ...]  # the files that may hold our configuration or Clusters, with their bytes
    results: tuple[Result, ...]


class Unbuilt(Errors):
    """A folder can't be built. Its messages may quote what the folder holds: who prints them hides tokens first."""

    def __init__(self, results: Sequence[Result], output: str = "", texts: Sequence[str] = ()) -> None:
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
    program = find_program("kustomize")
    command = [program, "build"]
    if not program:
        program = find_program("kubectl")
        command = [program, "kustomize"]
    if not program:
        message = (
            f"{show(folder)} is built by kustomize ({reading.kustomization(folder)}), and neither kustomize nor kubectl is"
            " on PATH: install one of them (https://kubectl.docs.kubernetes.io/installation/kustomize/), pipe in what it"
            " builds elsewhere (`-`), or give the manifests themselves as PATH"
        )
        raise Errors.of(message, file_path=show(folder), tags=tagged(rule="no-kustomize"))
    command.append("--enable-alpha-plugins")
    can_exec = enable_exec and command[1] == "build"
    if can_exec:
        command.append("--enable-exec")
    if enable_exec:
        command.append("--enable-helm")
    with _private_folder() as private:
        copy = Copy(folder, os.path.join(private, "tree"), keep_programs=can_exec)
        try:
            copy.make()
            output = _built(command, copy, answer, private, enable_exec=enable_exec)
        except Unbuilt as error:
            error.texts = copy.texts()
            raise
        except Errors as errors:
            raise Unbuilt(errors.results, texts=copy.texts()) from None
        return Built(output=output, sources=tuple(copy.sources), results=tuple(copy.warnings))


def _built(command: Sequence[str], copy: Copy, answer: Answer, private: str, *, enable_exec: bool) -> bytes:
    """Build a copy; return what it builds to."""
    with Messengers(
        os.path.join(private, "s"),
        copy.functions,
        lambda data: answer(data, copy.sources),
        copy.fetched,
        enable_exec=enable_exec,
    ) as messages:
        environment = _environment(private, enable_exec=enable_exec)
        write_programs(private, messages.path, enable_exec=enable_exec)
        output, errors, problem = _run([*command, copy.place(copy.root)], environment, private)
    if messages.error is not None:
        raise messages.error
    if messages.refused:
        raise Errors(dict.fromkeys(messages.refused))
    if problem:
        causes, others = copy.unread(errors)
        message = f"kustomize can't build {show(copy.given)}: {'; '.join([*causes, *others, problem])}"
        result = Result(message=message, file_path=show(copy.given), tags=tagged(rule="kustomize"))
        raise Unbuilt([result], output=_words(errors, copy, private))
    return output


# --- running ---------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _private_folder() -> Iterator[str]:
    """Make a folder for the owner alone, and remove it whatever happens; a signal has to come as an exception."""
    private = os.path.realpath(tempfile.mkdtemp(prefix="clusternet-"))
    if len(os.fsencode(private)) > _LONGEST_ADDRESS:
        os.rmdir(private)
        private = os.path.realpath(tempfile.mkdtemp(prefix="clusternet-", dir="/tmp"))
    try:
        for name in ("bin", "home", "tmp", "tree"):
            os.mkdir(os.path.join(private, name), 0o700)
        yield private
    finally:
        shutil.rmtree(private, ignore_errors=True)


def _environment(private: str, *, enable_exec: bool) -> dict[str, str]:
    """Return kustomize's environment: nothing of ours; where programs may run, what they need of the caller's."""
    tools = os.path.join(private, "bin")
    if enable_exec:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("CLUSTERNET_")}
        return {
            **kept,
            "PATH": os.pathsep.join(filter(None, [tools, caller_path()])),
            "TMPDIR": os.path.join(private, "tmp"),
        }
    return {
        **{key: os.environ[key] for key in _NETWORK if key in os.environ},
        "PATH": tools,
        "HOME": os.path.join(private, "home"),
        "TMPDIR": os.path.join(private, "tmp"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
    }


def _run(command: Sequence[str], environment: Mapping[str, str], private: str) -> tuple[bytes, str, str]:
    """Run a program with limits; return its output, what it wrote to stderr, and why it failed."""
    problem = ""
    pieces: list[bytes] = []
    size = 0
    with (
        tempfile.TemporaryFile(dir=private) as errors,
        subprocess.Popen(
            command,
            cwd=private,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
        ) as process,
    ):
        stopped = threading.Event()

        def stop() -> None:
            stopped.set()
            _kill(process)

        timer = threading.Timer(SECONDS, stop)
        timer.daemon = True
        timer.start()
        try:
            while process.stdout is not None and (piece := process.stdout.read(_CHUNK)):
                pieces.append(piece)
                size += len(piece)
                if size > _LARGEST_OUTPUT:
                    problem = f"it built more than {_LARGEST_OUTPUT // (1024 * 1024)} MiB"
                    break
            if not problem:
                process.wait()
        finally:
            timer.cancel()
            timer.join()  # a thread that outlives the interpreter aborts the process where an image lacks libgcc_s
            _kill(process)
        if stopped.is_set():
            problem = f"it took longer than {SECONDS:.0f} seconds"
        elif not problem and process.returncode:
            problem = "the build failed"
        errors.seek(0)
        output = errors.read(_CHUNK)
        if errors.read(1):
            output = output.rpartition(b"\n")[0]  # of a token that was cut, nobody can tell any more that it is one
    return b"".join(pieces), output.decode("utf-8", "replace"), problem


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and those that it started."""
    with contextlib.suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)


def _words(errors: str, copy: Copy, private: str) -> str:
    """Return what kustomize wrote to stderr, on one line, with the user's own paths."""
    text = errors
    for place, own in (
        (copy.place(copy.root), copy.given),
        (os.path.join(private, "tree"), copy.bound),
        (private, os.path.dirname(copy.bound)),
    ):
        text = text.replace(place, show(own))
    text = " ".join(text.split()).removeprefix("Error: ").removeprefix("error: ")
    logged = _LOGGED.search(text)
    text = logged[1].replace('\\"', '"') if logged else text
    gone = _GONE.search(text)
    if gone:
        name = gone[1].removeprefix("./")
        listed = (
            f" ({_ENTRY.findall(text)[-1]})" if name not in _ENTRY.findall(text)[-1:] and _ENTRY.search(text) else ""
        )
        text = f"there is no {name}{listed}: correct the entry of the kustomization, or add what it names"
    if _NO_PLUGIN in text:
        text = (
            "a file under transformers or generators has no annotation config.kubernetes.io/function, so kustomize takes it"
            " for a plugin of its own: add the annotation"
        )
    return printable(text, "?")
