"""Entry point: decides whether this is the function in a pipe or a command for a person.

Hosts give no arguments, and every import counts there, so click is loaded only when there are some.
"""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


COMPLETION = "_CLUSTERNET_CAPI_FN_COMPLETE"


def main(argv: Sequence[str] | None = None) -> int:
    """Run and return the exit code.

    Args:
        argv: Arguments without the program's name; None for those of the process.
    """
    # The process runs once: the collector would take a fifth of a large plan's time, and as much of a small run's for
    # what imports leave behind.
    gc.disable()
    arguments = sys.argv[1:] if argv is None else list(argv)
    if not _completes():
        os.environ.pop(COMPLETION, None)  # left over from somewhere; click would answer it instead of doing its work
    try:
        code = _run(arguments)
    except KeyboardInterrupt:  # while modules were being loaded
        code = _failed(130, "error: interrupted; nothing was written\n")
    except (MemoryError, SystemError):  # the same
        code = _failed(1, "error: out of memory; nothing was written\n")
    if argv is None and _is_function(arguments):
        _leave(code)
    return code


def _run(arguments: Sequence[str]) -> int:
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        from krm_fn.krm import runner  # noqa: PLC0415 - loaded below anyway

        if not runner.open_streams():
            return runner.FAILED
    if not arguments and sys.stdin.isatty() and COMPLETION not in os.environ:
        arguments = ["--help"]
    if _is_function(arguments):
        return _function()
    from krm_fn.cli import main as command_line  # noqa: PLC0415 - click costs a third of a cold start

    return command_line(arguments)


def _completes() -> bool:
    """Return whether a shell asks for completions: it gives the words so far as well."""
    return os.environ.get(COMPLETION, "").endswith("_complete") and "COMP_WORDS" in os.environ


def _failed(code: int, message: str) -> int:
    try:  # noqa: SIM105 - contextlib costs more than this
        sys.stderr.write(message)
    except (AttributeError, OSError, ValueError):  # closed: the exit code still shows the result
        pass
    return code


def _is_function(arguments: Sequence[str]) -> bool:
    # a shell that asks for completions gives no arguments either
    return (not arguments or list(arguments) == ["fn"]) and COMPLETION not in os.environ


def _leave(code: int) -> NoReturn:
    """End the process without freeing its objects, which takes a fifth of a small run's time, and more of a large one's."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # it came closed
                stream.flush()
    except (OSError, ValueError):
        pass  # reported already, where it matters
    os._exit(code)


def _function() -> int:
    from krm_fn.krm import runner  # noqa: PLC0415 - the command line has its own way in
    from krm_fn.surface import RENDER, REPORT_AT  # noqa: PLC0415 - the function loads it anyway

    def work() -> int:
        import time  # noqa: PLC0415 - the only place where the function reads the clock

        from krm_fn import function  # noqa: PLC0415
        from krm_fn.tokens.offers import Offers  # noqa: PLC0415
        from krm_fn.tokens.redaction import redacted  # noqa: PLC0415

        def process(found: ResourceList) -> None:
            offers = Offers(os.environ)
            epoch = offers.epoch()
            now = int(time.time()) if epoch is None else epoch
            function.run(found, function.Options(offers=offers, now=now, original=_original))

        stdin, stdout, stderr = runner.standard_streams()
        return runner.run(process, stdin, stdout, redacted(stderr), render=RENDER)

    return runner.guarded(work, sys.stderr, report_at=REPORT_AT)


def _original(item: Item) -> Item | None:
    from krm_fn.files.originals import original  # noqa: PLC0415 - for errors only

    return original(item)


if TYPE_CHECKING:
    from krm_fn.krm.items import Item
    from krm_fn.krm.resource_list import ResourceList

if __name__ == "__main__":
    sys.exit(main())
