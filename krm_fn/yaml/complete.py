"""Asking libyaml whether pieces of text are complete YAML documents, without making Python objects of them."""

from __future__ import annotations

import os
import sys
from bisect import bisect_right

import yaml

from krm_fn.yaml.events import MAX_FLOW_DEPTH, MAX_SKIPPED_DEPTH, Builder, parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    Span = tuple[int, int]

_BATCH = 1 << 16
_LONG = 1 << 17
_LARGE = 4 << 20
_SEPARATOR = b"---\n"


def available() -> bool:
    """Tell whether PyYAML was built with libyaml and has the (undocumented) parse without Python objects."""
    return hasattr(getattr(getattr(yaml, "cyaml", None), "CParser", None), "raw_parse")


class Verdict:
    """What another process finds out about some pieces; it answers by its exit code alone.

    Whatever else happens to that process counts as "no", and then the full parse has the last word.
    """

    def __init__(self, child: int) -> None:
        """Take the id of the process."""
        self._child = child
        self._good = True

    def good(self) -> bool:
        """Wait for the process and tell whether all its pieces are complete."""
        if self._child:
            child, self._child = self._child, 0
            try:
                self._good = os.waitpid(child, 0)[1] == 0
            except ChildProcessError:  # SIGCHLD came ignored, so the system kept no exit code
                self._good = False
        return self._good

    def forget(self) -> None:
        """Stop the process, when its answer no longer matters."""
        if self._child:
            from signal import SIGKILL  # noqa: PLC0415 - where the input is bad

            os.kill(self._child, SIGKILL)
            self.good()


def check_entries(starts: Sequence[int], data: bytes, share: int = 50) -> Verdict:
    """Find out whether every entry of a list in column 0 by itself is a complete YAML document.

    Entries of a large input are checked by two processes: libyaml holds the interpreter's lock, and this is most of the
    work of reading. That needs `fork`, a process without threads, and Linux, where it is safe.

    Args:
        starts: Where the entries begin, each with `- ` in column 0 and none with such a line inside, and where the last
            one ends.
        data: The text.
        share: How much of a large input this process checks itself, in percent.

    Returns:
        The verdict on the entries that this process did not check.

    Raises:
        yaml.YAMLError: One is not.
        BadYaml: One is nested too deep.
    """
    verdict = Verdict(0)
    if len(data) > _LARGE and sys.platform == "linux" and "threading" not in sys.modules:
        cut = len(starts) * share // 100
        child = _fork(starts[cut:], data)
        if child:
            verdict, starts = Verdict(child), starts[: cut + 1]
    try:
        _require_entries(starts, data)
    except BaseException:
        verdict.forget()
        raise
    return verdict


def _fork(starts: Sequence[int], data: bytes) -> int:
    """Check entries in another process; return its id, or 0 where there can't be one."""
    try:
        child = os.fork()
    except OSError:
        return 0
    if child:
        return child
    code = 1
    try:
        _require_entries(starts, data)
        code = 0
    finally:
        os._exit(code)  # nothing that the parent has open may be flushed or closed twice


def _require_entries(starts: Sequence[int], data: bytes) -> None:
    place, last = 0, len(starts) - 1
    while place < last:
        behind = min(max(bisect_right(starts, starts[place] + _BATCH) - 1, place + 1), last)
        text = data[starts[place] : starts[behind]].replace(b"\n- ", b"\n---\n- ")
        if _shallow(text):
            _raw_parse(text)
        else:
            for piece in text.split(b"\n---\n"):
                _require_one(piece + b"\n")
        place = behind


def require(pieces: Iterable[Span], data: bytes) -> None:
    """Make sure, in this process, that every piece by itself is a complete YAML document.

    Raises:
        yaml.YAMLError: One is not.
        BadYaml: One is nested too deep.
    """
    batch: list[bytes] = []
    size = 0
    for start, end in pieces:
        piece = data[start:end]
        batch.append(piece if piece.endswith(b"\n") else piece + b"\n")
        size += end - start
        if size > _BATCH:
            _check_batch(batch)
            batch, size = [], 0
    _check_batch(batch)


def _check_batch(batch: list[bytes]) -> None:
    joined = _SEPARATOR.join(batch)
    if _shallow(joined):
        _raw_parse(joined)
        return
    for piece in batch:
        _require_one(piece)


def _require_one(piece: bytes) -> None:
    if _shallow(piece):
        _raw_parse(piece)
    else:
        _walk(piece)


def _raw_parse(text: bytes) -> None:
    yaml.cyaml.CParser(text).raw_parse()  # type: ignore[attr-defined] # the stubs hide it


def _shallow(text: bytes) -> bool:
    """Tell whether a text is surely within the bounds of depth that the full parse keeps.

    A block collection begins right of its parent, but for a sequence in the column of its mapping, so there are at most
    two levels a column.
    """
    return text.count(b"[") + text.count(b"{") <= MAX_FLOW_DEPTH and (
        len(text) < _LONG or max(map(len, text.split(b"\n"))) < MAX_SKIPPED_DEPTH // 2 - MAX_FLOW_DEPTH
    )


def _walk(piece: bytes) -> None:
    events = parser(piece)
    events.get_event()
    events.get_event()
    Builder(events).skip(events.get_event())
    events.get_event()
    events.get_event()
