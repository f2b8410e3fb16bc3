from __future__ import annotations

import pytest

from krm_fn.krm.resource_list import read
from krm_fn.krm.results import Errors

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\n"
JSON = '{"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList", '
ENTRY = "- apiVersion: v1\n  kind: A\n"


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha1"])
def test_the_api_version_is_kept_to_be_echoed(version: str) -> None:
    text = f"apiVersion: config.kubernetes.io/{version}\nkind: ResourceList\nitems: []\n"
    assert read(text.encode()).api_version == f"config.kubernetes.io/{version}"


@pytest.mark.parametrize(
    "text",
    [HEAD, HEAD + "items:\n", HEAD + "items: []\n", HEAD + "items: null\n", JSON + '"items": []}', JSON + '"x": 1}'],
    ids=["missing", "nothing", "empty", "null", "JSON empty", "JSON missing"],
)
def test_no_items_are_an_empty_list(text: str) -> None:
    assert read(text.encode()).items == []


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "items:\n" + ENTRY + "functionConfig:\n  apiVersion: v1\n  kind: C\n  metadata:\n    name: one\n",
        HEAD + "functionConfig:\n  apiVersion: v1\n  kind: C\n  metadata:\n    name: one\nitems:\n" + ENTRY,
        HEAD + "functionConfig: {apiVersion: v1, kind: C, metadata: {name: one}}\n",
        JSON + '"functionConfig": {"apiVersion": "v1", "kind": "C", "metadata": {"name": "one"}}}',
    ],
    ids=["behind the items", "before the items", "flow", "JSON"],
)
def test_the_function_config_is_an_item_of_its_own(text: str) -> None:
    config = read(text.encode()).function_config
    assert config is not None
    assert (config.api_version, config.kind, config.name, config.position) == ("v1", "C", "one", -1)
    assert config.where() == "functionConfig"


@pytest.mark.parametrize(
    "text", [HEAD, HEAD + "functionConfig:\n", HEAD + "functionConfig: ~\n", JSON + '"functionConfig": null}']
)
def test_without_a_function_config_there_is_none(text: str) -> None:
    assert read(text.encode()).function_config is None


KUSTOMIZE = "  metadata:\n    annotations:\n      kustomize.config.k8s.io/id: |\n        kind: Cluster\n"


@pytest.mark.parametrize(
    ("entry", "paths"),
    [
        ("  metadata:\n    annotations:\n      internal.config.kubernetes.io/path: a.yaml\n", True),
        ("  metadata:\n    annotations:\n      config.kubernetes.io/path: a.yaml\n", True),
        ('  metadata:\n    annotations:\n      "config.kubernetes.io\\u002fpath": a.yaml\n', True),
        ("  metadata:\n    annotations:\n      config.kubernetes.io/index: '0'\n", False),
        ("  data:\n    text: config.kubernetes.io/path\n", False),
        (f"{KUSTOMIZE}      config.kubernetes.io/path: a.yaml\n", False),
        ("", False),
    ],
    ids=["internal", "legacy", "escaped", "index only", "in the data", "kustomize's own", "none"],
)
def test_path_annotations_tell_that_the_host_keeps_files(entry: str, paths: bool) -> None:  # noqa: FBT001 - a table
    assert read(f"{HEAD}items:\n{ENTRY}{entry}".encode()).host_paths is paths


@pytest.mark.parametrize(
    "text",
    [
        HEAD + "items:\n- a: &x {b: 1e3}\n- metadata: *x\n",
        HEAD + "items: [{a: &x 1},\n {b: *x}]\n",
        HEAD + "common: &x {a: b}\nitems:\n- a: *x\n",
    ],
    ids=["another item", "in brackets", "another key"],
)
def test_an_alias_to_an_anchor_outside_of_its_item_is_an_error_with_its_line(text: str) -> None:
    (error,) = read(text.encode()).results
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "*x" in one)
    assert error.text().startswith(f"stdin:{line}:1: error: items[")


def test_a_function_config_can_not_refer_to_an_item() -> None:
    with pytest.raises(
        Errors,
        match=r"stdin:6:6: error: functionConfig can't be read: an alias refers to an anchor that is not set before it",
    ):
        read(f"{HEAD}items:\n- a: &x 1\nfunctionConfig:\n  a: *x\n".encode())


EXPECTED = "expected a ResourceList (apiVersion config.kubernetes.io/v1), as sent by kustomize and kpt"
BOMB = "".join(f"  l{at}: &l{at} [{', '.join([f'*l{at - 1}'] * 10)}]\n" for at in range(1, 12))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", f"the input is empty: {EXPECTED}"),
        (b"\n# nothing\n", f"the input is empty: {EXPECTED}"),
        (bytes(range(256)), "stdin:2:118: error: the input can't be read: not valid UTF-8"),
        ((HEAD + "items: []").encode("utf-16"), "stdin:1:1: error: the input can't be read: not valid UTF-8"),
        ((HEAD + "items:\n- a: \0").encode(), "stdin:4:6: error: the input can't be read: control characters are not allowed"),
        ((HEAD + "items:\n- a:\n\tb: c").encode(), "stdin:5:1: error: the input can't be read: a tab where YAML wants spaces"),
        ((HEAD + "items:\n- a: 'x").encode(), "stdin:4:6: error: the input can't be read: a quote is opened here and never closed"),
        ((HEAD + "items: [").encode(), "stdin:4:1: error: the input can't be read: a value is missing, or brackets are not closed"),
        (b"text", "stdin:1:1: error: the input can't be read: the document is not a mapping"),
        (b"- a", "stdin:1:1: error: the input can't be read: the document is not a mapping"),
        (b"[1]", "stdin:1:1: error: the input can't be read: the document is not a mapping"),
        ((HEAD + "---\na: b\n").encode(), "stdin:3:1: error: a second document follows the ResourceList at stdin:1:1: a function takes one"),
        ((HEAD + "kind: A\n").encode(), "stdin:3:1: error: the input can't be read: kind appears twice: remove one of them (first: stdin:2:1)"),
        ((HEAD + "items: x\n").encode(), "stdin:3:1: error: items is not a list but a scalar"),
        ((HEAD + "items:\n  a: b\n").encode(), "stdin:3:1: error: items is not a list but a mapping"),
        ((HEAD + "items:\n- a: b\n- x\n").encode(), "stdin:5:3: error: items[1] is not an object"),
        ((HEAD + "items: [[a]]\n").encode(), "stdin:3:9: error: items[0] is not an object"),
        ((HEAD + "functionConfig: x\n").encode(), "stdin:3:1: error: functionConfig is not an object but a scalar"),
        ((HEAD + "functionConfig: []\n").encode(), "stdin:3:1: error: functionConfig is not an object but a sequence"),
        ((HEAD + "functionConfig:\n  a: 1\n  a: 2\n").encode(),
         "stdin:5:3: error: functionConfig can't be read: a appears twice: remove one of them (first: stdin:4:3)"),
        ((HEAD + "functionConfig:\n  l0: &l0 x\n" + BOMB).encode(),
         "stdin:11:12: error: functionConfig can't be read: aliases stand for more than 2000000 values"),
        ((HEAD + "items:\n- a: " + "[" * 20_000 + "]" * 20_000 + "\n").encode(),
         "stdin:4:256: error: items[0] can't be read: nested too deep"),
        ((HEAD + "items:\n- " + "- " * 120_000 + "x\n").encode(),
         "stdin:4:200003: error: items[0] can't be read: nested too deep"),
        (b"apiVersion: v1\nkind: List\nitems: []\n", (f"the input is not a ResourceList (v1, List): {EXPECTED};"
         " for plain manifests use: ours render PATH")),
        (b"a: b\n", (f"the input is not a ResourceList (no apiVersion, no kind): {EXPECTED};"
         " for plain manifests use: ours render PATH")),
        (b"apiVersion: [v1]\nkind: 5\n", (f"the input is not a ResourceList (no apiVersion, no kind): {EXPECTED};"
         " for plain manifests use: ours render PATH")),
        (b'apiVersion: "a\\nb"\nkind: ' + b"x" * 90, (f"the input is not a ResourceList (something else, something else):"
         f" {EXPECTED}; for plain manifests use: ours render PATH")),
        ((JSON + '"kind": "A"}').encode(), "stdin:1:67: error: the input can't be read: kind appears twice: remove one of them (first: stdin:1:"),
        ((JSON + '"items": [{"kind": 1,\n "kind": 2}]}').encode(),
         "stdin:2:2: error: items[0] can't be read: kind appears twice: remove one of them (first: stdin:1:78)"),
        ((JSON + '"items": [{"a": ' + "[" * 300 + "]" * 300 + "}]}").encode(),
         "stdin:1:333: error: items[0] can't be read: nested too deep"),
        ((JSON + '"items": [{"a": ' + "[" * 99_000 + "]" * 99_000 + "}]}").encode(), "stdin:1:333: error: items[0] can't be read: nested too deep"),
        ((JSON + '"items": [1, {}]}').encode(), "stdin:1:77: error: items[0] is not an object"),
        ((JSON + '"items": {}}').encode(), "stdin:1:67: error: items is not a list but a mapping"),
        ((JSON + '"functionConfig": "x"}').encode(), "stdin:1:67: error: functionConfig is not an object but a scalar"),
        ((JSON + '"items": [{"a": 1').encode(), "stdin:1:77: error: the input can't be read: a map in braces is not closed, or a comma is missing"),
        (JSON.encode() + b'"a": "\xff"}', "stdin:1:73: error: the input can't be read: not valid UTF-8"),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else None,
)  # fmt: skip
def test_bad_input_is_reported_in_one_line_with_its_place(data: bytes, message: str) -> None:
    with pytest.raises(Errors) as caught:
        read(data, "ours render")
    (result,) = caught.value.results
    assert (
        result.text().removeprefix("error: ").startswith(message)
    )  # what to do follows: tests/unit/test_hostile_input.py
    assert "\n" not in result.message


EXAMPLE = f"{HEAD}items:\n{ENTRY}  text: 'é'\n  list:\n  - {{a: \"b\"}}\nfunctionConfig:\n  kind: C\n".encode()


@pytest.mark.parametrize("size", range(len(EXAMPLE)))
def test_a_truncated_input_is_reported_or_holds_what_is_left(size: int) -> None:
    messages: list[str] = []
    items = 0
    try:
        items = len(read(EXAMPLE[:size]).items)
    except Errors as errors:
        messages = [result.message for result in errors.results]
    assert items <= 1
    assert len(messages) <= 1
    assert not any("\n" in message for message in messages)
