from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from krm_fn.krm import fast, outline
from krm_fn.krm.changes import Changes
from krm_fn.krm.resource_list import read, write
from krm_fn.krm.results import Result
from tests.properties.test_fast import shape

CORPUS = Path(__file__).parents[2] / "corpus"
FILES = sorted(path.name for path in CORPUS.glob("*.*") if path.name != "README.md")
FAST = ("anchors.yaml", "helm.yaml", "kpt.yaml", "kustomize.yaml")


@pytest.mark.parametrize("name", FAST)
def test_what_hosts_send_takes_the_short_way(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    short, full = fast.read(data), outline.read(data)
    assert short is not None
    assert full is not None
    assert shape(short) == shape(full)


@pytest.mark.parametrize("name", FILES)
def test_every_style_is_read_object_by_object(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    found = read(data)
    independent = yaml.load(data.replace(b"\\ud83d\\ude00", b""), Loader=yaml.BaseLoader)  # noqa: S506 - makes strings only
    assert [(item.api_version, item.kind, item.name) for item in found.items] == [
        (one.get("apiVersion", ""), one.get("kind", ""), one.get("metadata", {}).get("name", ""))
        for one in independent["items"]
    ]
    assert found.api_version == "config.kubernetes.io/v1"
    assert (found.function_config is not None) is ("functionConfig" in independent)


@pytest.mark.parametrize("name", FILES)
def test_with_no_changes_only_results_differ(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    found = read(data)
    out = b"".join(write(found, Changes(), [Result(message="said")]))
    for item in found.items:
        assert data[item.start : item.end].rstrip() in out
    independent = yaml.load(out.replace(b"\\ud83d\\ude00", b""), Loader=yaml.BaseLoader)  # noqa: S506 - makes strings only
    assert independent["results"] == [{"message": "said", "severity": "error"}]


@pytest.mark.parametrize("name", FILES)
def test_an_object_is_added_labelled_and_removed_in_every_style(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    found = read(data)
    last = len(found.items) - 1
    new = {"apiVersion": "v1", "kind": "New", "metadata": {"name": "new"}}
    changes = Changes(labelled={0: {"x": "on"}}, removed=frozenset({last}), added=(new,))
    again = read(b"".join(write(found, changes, [])))
    assert [item.name for item in again.items] == [*(item.name for item in found.items[:last]), "new"]
    assert again.items[0].metadata()["labels"]["x"] == "on"
    assert [item.value() for item in again.items[1:-1]] == [item.value() for item in found.items[1:last]]


@pytest.mark.parametrize("name", FILES)
def test_written_twice_is_written_once(name: str) -> None:
    data = (CORPUS / name).read_bytes()
    once = b"".join(write(read(data), Changes(), [Result(message="said")]))
    assert b"".join(write(read(once), Changes(), [Result(message="said")])) == once
