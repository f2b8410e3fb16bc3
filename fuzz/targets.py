"""Fuzz targets: each takes bytes and raises where an oracle is broken.

The oracles: never an exception but `Errors` (so never exit 3), no six characters in a row of the planted token's secret
half in what is reported, in whatever form, foreign bytes out as they came in, in every form, the shortcut reads what the
full parse reads, and what we emit is re-read by PyYAML and by ruamel.yaml with the same types.
"""

from __future__ import annotations

import binascii
import io
import re
import sys
from typing import TYPE_CHECKING, Any

import yaml
from ruamel.yaml import YAML

from krm_fn import config, function, migration, status
from krm_fn.cli.migrate import config_text, guide
from krm_fn.krm import fast, outline, resource_list, runner, streams
from krm_fn.krm.changes import Changes
from krm_fn.krm.results import Errors, Result
from krm_fn.kube.labels import parse_selector
from krm_fn.status import dump
from krm_fn.surface import RENDER
from krm_fn.tokens.offers import Offers
from krm_fn.tokens.redaction import Redactor, redacted
from krm_fn.views import PIPE, status_text
from krm_fn.views.data import status_data
from krm_fn.yaml import BadYaml
from krm_fn.yaml.write import dump as write_yaml
from tests.support.items import item_of
from tests.support.traces import forms, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from krm_fn.krm.items import Item
    from krm_fn.kube.secrets import Secret

TOKEN = "q7xv2j.w8kq4zj9vhxq2zkn"  # no seed has a part of it by chance
NOW = 1_795_000_000
NEW = {"apiVersion": "v1", "kind": "New", "metadata": {"name": "new"}, "data": {"on": "a\nb\n"}}


class Broken(AssertionError):  # noqa: N818 - named for what it says
    """An oracle does not hold."""


def hold(condition: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    """Raise where an oracle does not hold; the input itself is in the fuzzer's hands."""
    if not condition:
        raise Broken(what)


def hidden(text: str, known: Iterable[Secret], where: str) -> None:
    """No part of the token is seen where the run knows it, nor the whole of it where it does not."""
    if any(one.reveal().strip() == TOKEN for one in known):
        hold(not seen(TOKEN, text), f"{where} shows no part of a token")
    else:
        hold(not any(form in text for form in forms(TOKEN)), f"{where} shows no token")


def reader(data: bytes) -> None:
    """The ResourceList reader: reads or refuses, and writes back the very bytes, whatever is changed beside them."""
    try:
        found = resource_list.read(data)
    except Errors as errors:
        hold(all("\n" not in one.message for one in errors.results), "an error is one line")
        return
    for item in found.items:
        try:
            item.metadata()
            item.is_mapping("spec", "topology")
            item.value()
        except Errors:  # noqa: PERF203 - each item has its own errors
            continue
    unchanged(found, Changes(), [])
    if found.items and not found.results:
        last = found.items[-1].position
        unchanged(found, Changes(added=(NEW,)), [Result(message="said")])
        unchanged(found, Changes(removed=frozenset({last}), replaced={0: NEW} if last else {}), [])


def unchanged(found: resource_list.ResourceList, changes: Changes, said: list[Result]) -> None:
    """What is not changed keeps its bytes, reads as before, and stays in the form that came in."""
    try:
        out = b"".join(resource_list.write(found, changes, said))
    except Errors as errors:
        hold("shares its line" in str(errors), "a list is written with any change")
        return
    again = resource_list.read(out)
    kept = [one for one in found.items if one.position not in {*changes.removed, *changes.replaced}]
    hold(len(again.items) == len(found.items) - len(changes.removed) + len(changes.added), "no item is lost or made")
    hold(again.outline.flow == found.outline.flow, "the form stays")
    hold(all(_body(one) in out for one in kept), "writing keeps the items' bytes")
    hold(all(line.strip() in out for one in kept for line in one.text.split(b"\n")), "no line gets lost")
    if changes.empty:
        for one, other in zip(found.items, again.items, strict=True):
            try:
                value = one.value()
            except Errors:
                continue
            hold(repr(value) == repr(other.value()), "writing keeps the items' values")
    if not found.results:
        hold(not again.results, "no alias comes apart from its anchor")


def _body(item: Item) -> bytes:
    """Return an item's bytes as they are in a list: without its first column, and without what follows its last line.

    A comment at the margin is no part of the last item: what is added comes before it.
    """
    return re.sub(rb"(?:\r?\n#[^\n]*)+\Z", b"", item.text[item.column :].rstrip(b" \r\n")).rstrip(b" \r\n")


def shortcut(data: bytes) -> None:
    """Where the shortcut answers, the full parse answers the same."""
    quick = fast.read(data)
    if quick is None:
        return
    try:
        full = outline.read(data)
    except BadYaml as error:
        what = "the shortcut accepts what the full parse refuses"
        raise Broken(what) from error
    hold(full is not None, "the full parse finds a document")
    if full is None:
        return
    left, right = ([(one.api_version, one.kind, one.text) for one in way.items] for way in (quick, full))
    hold(left == right, "both ways find the same items")
    hold(full.crossing is None, "the shortcut takes no alias to another item")


def configuration(data: bytes) -> None:
    """The configuration: decodes or is refused with a path, and nothing that is reported repeats a token."""
    try:
        item = item_of(data, 0)
        given = config.given_tokens(item)
        found = config.decode(item)
    except Errors:
        pass
    else:
        hold(not found.cluster_selector.empty, "a valid selector is not empty")
        hidden(repr(found.token), given, "the decoded config")
    try:
        item = item_of(data, 0)
    except Errors as errors:
        results = Redactor().results(errors.results)
        given = []
    else:
        results = function.process([], item, function.Options(offers=Offers({}, "/nonexistent"), now=NOW)).results
    hidden(repr(results) + " ".join(one.text() for one in results), given, "a result")


def selector(data: bytes) -> None:
    """Selectors in kubectl's syntax: parse or are refused."""
    try:
        found = parse_selector(data.decode("utf-8", "replace"))
    except (Errors, ValueError):
        return
    hold(isinstance(found, dict), "a parsed selector is a mapping")


def stream(data: bytes) -> None:
    """Plain manifests: read or refused; what follows the end of a document without a new one is refused."""
    try:
        for item in streams.read_stream(data, "stdin"):
            item.value()
    except Errors:
        return
    if b"..." in data and b"%" not in data:
        try:
            list(yaml.parse(data, yaml.CSafeLoader))
        except yaml.YAMLError as error:
            hold("document start" not in str(error), "a stream that no YAML parser takes is read")


def live(data: bytes) -> None:
    """Dumps of a live cluster: status and migration answer or refuse, and show no token."""
    try:
        found = dump.read([("stdin", data)])
    except Errors as errors:
        hidden(repr(Redactor().results(errors.results)), (), "an error")
        return
    report = status.evaluate(found, NOW)
    redactor = Redactor(report.secrets)
    shown = redactor.value(report)
    table = redactor.text(status_text.table(shown))
    hidden(table + repr(redactor.value(status_data(shown))), report.secrets, "a status")
    try:
        planned = migration.plan(found, name="fleet", resource_set="fleet")
    except Errors as errors:
        hidden(repr(Redactor().results(errors.results)), (), "an error")
        return
    redactor = Redactor(planned.tokens)
    texts = [
        config_text(redactor.value(planned.config)),
        guide(planned, PIPE),
    ]
    texts.append(repr(redactor.results(planned.warnings)))
    hidden("".join(map(redactor.text, texts)), planned.tokens, "a migration")


class Asked(Offers):
    """Offers that note what was taken."""

    def __init__(self, environment: Mapping[str, str], token_dir: str) -> None:
        """Begin with nothing taken."""
        super().__init__(environment, token_dir)
        self.given: list[Secret] = []

    def env(self, name: str, **where: Any) -> Secret:
        """Return a variable, and note it."""
        self.given.append(super().env(name, **where))
        return self.given[-1]


def whole(data: bytes) -> None:
    """The whole function, with the token from the environment or wherever the input has it."""
    outcomes: list[function.Outcome] = []
    offers = Asked({"CLUSTERNET_TOKEN": TOKEN, "CLUSTERNET_PARENT_URLS": "*"}, "/nonexistent")
    options = function.Options(offers=offers, now=NOW, verbose=True, baseline=None)

    def process(found: resource_list.ResourceList) -> None:
        outcomes.append(function.run(found, options))

    stdout, stderr = io.BytesIO(), io.StringIO()
    code = runner.run(process, io.BytesIO(data), stdout, redacted(stderr), render=RENDER)  # as krm_fn.__main__ does
    out = stdout.getvalue()
    hold(code in {0, 1}, "exit code 0 or 1")
    hold(code == 1 or bool(out), "stdout is never empty at exit 0")
    hidden(stderr.getvalue(), offers.given, "stderr")
    for one in outcomes:
        hidden(repr(one.results), offers.given, "a result")
    if not out:
        return
    before, after = resource_list.read(data), resource_list.read(out)
    changes = outcomes[0].changes if outcomes and code == 0 else Changes()
    if not seen(TOKEN, data.decode("latin-1")):
        others = [dict(one) for one in changes.added if one["kind"] != "Secret"]
        hold(not seen(TOKEN, repr(others)), "only a Secret holds the token")
    gone = len(changes.removed)
    hold(len(after.items) == len(before.items) - gone + len(changes.added), "no item is lost")
    touched = {*changes.removed, *changes.replaced, *changes.labelled, *changes.revised}
    kept = [_body(one) for one in before.items if one.position not in touched]
    hold(all(text in out for text in kept), "foreign items keep their bytes")
    _reread([dict(one) for one in changes.added])


def _reread(added: list[dict[str, Any]]) -> None:
    for value in added:
        text = write_yaml(value)
        hold(yaml.load(text, Loader=yaml.CSafeLoader) == value, "PyYAML reads what we emit")
        hold(YAML(typ="safe", pure=True).load(text) == value, "ruamel.yaml reads what we emit")
        for encoded in value.get("data", {}).values() if value["kind"] == "Secret" else ():
            hold(b"cluster-registration" in binascii.a2b_base64(encoded), "the registration is whole")


TARGETS: dict[str, Callable[[bytes], None]] = {
    "reader": reader,
    "shortcut": shortcut,
    "configuration": configuration,
    "selector": selector,
    "stream": stream,
    "live": live,
    "whole": whole,
}


def check(name: str, data: bytes) -> None:
    """Run one target on one input; a RecursionError or MemoryError is as broken as any oracle."""
    limit = sys.getrecursionlimit()
    TARGETS[name](data)
    hold(sys.getrecursionlimit() == limit, "the recursion limit is left alone")
