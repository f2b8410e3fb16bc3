"""How commands print errors and warnings: for people, with the source line on a terminal; for GitHub; as SARIF.

What is printed here has passed the redaction of the results. A source line is a new way for a secret to get out, so it
is shown only where it can hold none: `_showable`.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

import click
import yaml

from krm_fn import __version__
from krm_fn.config.report import flow
from krm_fn.files import reading
from krm_fn.krm.results import ERROR, INFO, STDIN, WARNING, Errors
from krm_fn.krm.runner import print_error
from krm_fn.surface import REPORT_AT
from krm_fn.tokens.redaction import Redactor
from krm_fn.yaml.explain import lines_of
from krm_fn.yaml.read import scalar_value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from krm_fn.krm.results import Result

TEXT, GITHUB, SARIF = FORMATS = ("text", "github", "sarif")

_LONGEST_LINE = 200  # of a source line that is shown
_COLOURS = {ERROR: "red", WARNING: "yellow", INFO: "cyan"}
_LEVELS = {ERROR: "error", WARNING: "warning", INFO: "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_DOCUMENT = re.compile(r"---(\s|$)")
_SECRET_KIND = re.compile(r"""(^|[\s{,])["']?kind["']?\s*:\s*["']?Secret\b""", re.MULTILINE)
_TOKEN_BLOCK = re.compile(r"""["']?registrationToken["']?\s*:""")
_KEY = re.compile(r"""\s*(- +)*(["']?[\w./$-]+["']?:(\s|$)|- )|\s*[\t}\]<>=]""")
_PRIVATE_VALUE = re.compile(r"""["']?(value|token|password|secret)\w*["']?\s*:\s*\S""", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")
_WORD = re.compile(r""""[^"]*"|\$\{[^}]*\}|\{\}|\[\]|'[^']*'|[^\s,:{}\[\]#]+(:[^\s,:{}\[\]#]+)*""")


_FORM, _COLLECTED = "krm_fn.error-format", "krm_fn.results"  # of a call of the command line, in click's `meta`


def option() -> click.Option:
    """Return the option `--error-format`."""
    return click.Option(
        ["--error-format"],
        type=click.Choice(FORMATS),
        default=TEXT,
        show_default=True,
        expose_value=False,
        callback=lambda ctx, _param, value: ctx.meta.update({_FORM: value}),
        help="How errors and warnings are printed on stderr: for people, as annotations of GitHub Actions, or as SARIF.",
    )


def _form() -> str:
    ctx = click.get_current_context(silent=True)
    return TEXT if ctx is None else ctx.meta.get(_FORM, TEXT)


def finish() -> None:
    """Print what was collected for SARIF, which is one document."""
    if _form() == SARIF:
        import json  # noqa: PLC0415 - one of three forms

        collected = click.get_current_context().meta.get(_COLLECTED, [])
        print_error(json.dumps(sarif(collected), indent=2) + "\n", sys.stderr)


def note(text: str, redactor: Redactor | None = None) -> None:
    """Print a line for people on stderr, without tokens; a program that reads SARIF there gets none."""
    if _form() != SARIF:
        print_error((redactor or Redactor()).text(text) + "\n", sys.stderr)


def report(results: Iterable[Result], redactor: Redactor | None = None) -> None:
    """Print errors and warnings on stderr, errors first, each once; nothing that the redactor knows or in the shape of a token."""
    redactor = redactor or Redactor()
    wanted = [one for one in redactor.results(results) if one.severity != INFO]
    # the order of the function itself (`runner.say_lines`)
    wanted.sort(key=lambda one: (one.severity != ERROR, len(one.message)))
    form = _form()
    if form == SARIF:
        click.get_current_context().meta.setdefault(_COLLECTED, []).extend(wanted)
        return
    if form == GITHUB:
        lines = [github(one) for one in wanted]
    elif sys.stderr.isatty() and os.environ.get("TERM") != "dumb":
        source = _Source(redactor)
        width = shutil.get_terminal_size().columns
        lines = [terminal(one, source, width=width, colour=not os.environ.get("NO_COLOR")) for one in wanted]
    else:
        lines = [one.text() for one in wanted]
    print_error("".join(f"{line}\n" for line in dict.fromkeys(lines)), sys.stderr)


# --- on a terminal ---------------------------------------------------------------------------------------------------


def terminal(result: Result, source: _Source, *, width: int, colour: bool) -> str:
    """Return a result with its source line, the place marked, and the corrected text."""

    def styled(text: str, **style: Any) -> str:
        """Colour a text without its trailing spaces: the code that ends a colour would look like part of a token."""
        bare = text.rstrip(" ")
        return click.style(bare, **style) + text[len(bare) :] if colour else text

    head, word, rest = result.text().partition(f"{result.severity}: ")
    wrapped = textwrap.wrap(
        head + word + rest, max(width, 40), subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    first = wrapped[0].replace(
        head + word, styled(head, bold=True) + styled(word, fg=_COLOURS[result.severity], bold=True), 1
    )
    lines = [first, *wrapped[1:]]
    shown = source.line(result)
    if shown and result.line is not None and result.column is not None:
        number = str(result.line)
        gutter = " " * len(number)
        marked = _WORD.match(shown, result.column - 1)
        length = max(len(marked[0]) if marked else 1, 1)
        bar = styled(" | ", fg="blue")
        pad = "".join("\t" if one == "\t" else " " for one in shown[: result.column - 1])
        lines += [
            styled(number, fg="blue") + bar + shown,
            gutter + bar + pad + styled("^" * length, fg=_COLOURS[result.severity], bold=True),
        ]
    if result.fix:
        fix = result.fix.splitlines()
        lines += [styled("help: ", fg="green", bold=True) + fix[0], *(f"      {line}" for line in fix[1:])]
    return "\n".join(lines)


class _Source:
    """The files that results are about, for their lines."""

    def __init__(self, redactor: Redactor) -> None:
        self.redactor = redactor
        self.files: dict[str, list[str]] = {}

    def line(self, result: Result) -> str:
        """Return the line of a result; "" where there is none, or where it might show a secret."""
        ref = result.resource_ref
        if "egistrationToken" in result.field or (ref is not None and ref.kind == "Secret"):
            return ""
        line = self.text(result)
        if result.line is None or not line or not _showable(self.files[result.file_path], result.line - 1):
            return ""
        printable = line.replace("\t", "").isprintable()
        return line if printable and self.redactor.text(line) == line else ""

    def text(self, result: Result) -> str:
        """Return the line of a result, whatever it holds: not to be printed; "" where there is none."""
        if result.line is None or not result.file_path or result.file_path == STDIN:
            return ""
        if result.file_path not in self.files:
            self.files[result.file_path] = self._read(result.file_path)
        lines = self.files[result.file_path]
        return lines[result.line - 1] if result.line <= len(lines) else ""

    @staticmethod
    def _read(path: str) -> list[str]:
        if not Path(path).is_file():
            return []
        try:
            text = reading.read(path).removeprefix(b"\xef\xbb\xbf")
        except Errors:
            return []
        return [line.decode("utf-8", "replace") for line in lines_of(text)]


def _showable(lines: Sequence[str], at: int) -> bool:
    """Return whether a line can hold no secret: it is in no Secret, not below registrationToken, and looks like a field."""
    line = lines[at]
    if len(line) > _LONGEST_LINE or _PRIVATE_VALUE.search(line) or ("://" in line and "@" in line):
        return False
    start = next((one for one in range(at, 0, -1) if _DOCUMENT.match(lines[one])), 0)
    end = next((one for one in range(at + 1, len(lines)) if _DOCUMENT.match(lines[one])), len(lines))
    document = "\n".join(lines[start:end])
    if _SECRET_KIND.search(document):
        return False
    if not _TOKEN_BLOCK.search(document):
        return True
    if not _KEY.match(line) or _TOKEN_BLOCK.search(line):
        return False
    depth = _indent(line)
    for above in reversed(lines[start:at]):
        if above.strip() and _indent(above) < depth:
            depth = _indent(above)
            if _TOKEN_BLOCK.search(above):
                return False
    return True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


# --- for programs ----------------------------------------------------------------------------------------------------


def github(result: Result) -> str:
    """Return a result as a workflow command of GitHub Actions, which annotates the line in the pull request."""
    values: dict[str, object] = {}
    if result.file_path and result.file_path != STDIN:
        values = {"file": result.file_path, "line": result.line, "col": result.column}
    if result.rule:
        values["title"] = result.rule
    properties = ",".join(f"{key}={_escaped(str(value), ':,')}" for key, value in values.items() if value is not None)
    return f"::{_LEVELS[result.severity]}{' ' if properties else ''}{properties}::{_escaped(_with_fix(result))}"


def _with_fix(result: Result) -> str:
    return result.message + (f"\n\n{result.fix}" if result.fix else "")


def _escaped(text: str, more: str = "") -> str:
    for one in "%\r\n" + more:
        text = text.replace(one, f"%{ord(one):02X}")
    return text


def sarif(results: Sequence[Result]) -> dict[str, Any]:
    """Return results as one SARIF log (2.1.0)."""
    rules = sorted({_rule(one) for one in results})
    source = _Source(Redactor())
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "clusternet-capi-fn",
                        "version": __version__,
                        "informationUri": REPORT_AT.removesuffix("/issues"),
                        "rules": [{"id": rule} for rule in rules],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(one, rules, source) for one in results],
            }
        ],
    }


def _rule(result: Result) -> str:
    return result.rule or "general"


def _sarif_result(result: Result, rules: Sequence[str], source: _Source) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ruleId": _rule(result),
        "ruleIndex": rules.index(_rule(result)),
        "level": _LEVELS[result.severity],
        "message": {"text": _with_fix(result)},
    }
    location: dict[str, Any] = {}
    if result.file_path:
        location["physicalLocation"] = _physical(result.file_path, result.line, result.column)
    ref = result.resource_ref
    if ref is not None and ref.kind:
        title = "/".join(part for part in (ref.kind, ref.namespace, ref.name) if part)
        location["logicalLocations"] = [{"fullyQualifiedName": f"{title}: {result.field}" if result.field else title}]
    if location:
        found["locations"] = [location]
    related = [
        {"message": {"text": one.label}, "physicalLocation": _physical(one.file_path, one.line, one.column)}
        for one in result.related
        if one.file_path
    ]
    if related:
        found["relatedLocations"] = related
    edit = _edit(result, source.text(result))
    if edit is not None and result.line is not None and result.column is not None:
        length, text = edit
        place = _physical(result.file_path, result.line, result.column)
        region = {**place["region"], "endLine": result.line, "endColumn": result.column + length}
        replacement = {"deletedRegion": region, "insertedContent": {"text": text}}
        change = {"artifactLocation": place["artifactLocation"], "replacements": [replacement]}
        found["fixes"] = [{"description": {"text": f"write {text}"}, "artifactChanges": [change]}]
    return found


def _edit(result: Result, line: str) -> tuple[int, str] | None:
    """Return how many characters of a line to replace at the place of a result, and with what; None if that is unknown."""
    if result.column is None or not line:
        return None
    rest = line[result.column - 1 :]
    name = result.fix.removesuffix(":")
    if result.rule == "unknown-field" and _NAME.match(name) and result.fix.endswith(":"):
        key = _NAME.match(rest)
        return (len(key[0]), name) if key else None
    if result.proposed is None or result.current is None:
        return None
    for before in ("", "["):  # a plain value ends elsewhere in brackets
        try:
            event = next(one for one in yaml.parse(before + rest) if isinstance(one, yaml.ScalarEvent))
        except (yaml.YAMLError, StopIteration):
            continue
        if event.end_mark is not None and scalar_value(event) == result.current:
            return event.end_mark.column - len(before), flow(result.proposed)
    return None


def _physical(path: str, line: int | None, column: int | None) -> dict[str, Any]:
    from urllib.parse import quote  # noqa: PLC0415 - one of three forms

    uri = quote(os.fsencode(path))
    found: dict[str, Any] = {"artifactLocation": {"uri": f"file://{uri}" if path.startswith("/") else uri}}
    if line is not None:
        found["region"] = {"startLine": line} if column is None else {"startLine": line, "startColumn": column}
    return found
