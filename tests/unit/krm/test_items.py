from __future__ import annotations

from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.krm.resource_list import read
from krm_fn.krm.results import Errors, ResourceRef

HEAD = "apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n"
CLUSTER = """\
- apiVersion: cluster.x-k8s.io/v1beta2
  kind: Cluster
  metadata:
    annotations:
      config.kubernetes.io/index: '2'
      internal.config.kubernetes.io/path: 'team-a/edge.yaml'
      internal.config.kubernetes.io/index: '3'
    labels:
      env: prod
    name: edge-1
    namespace: team-a
  spec:
    paused: true
    topology:
      class: x
"""


def item(entry: str, before: str = "- apiVersion: v1\n  kind: A\n") -> Item:
    return read((HEAD + before + entry).encode()).items[-1]


def test_an_item_knows_who_it_is() -> None:
    found = item(CLUSTER)
    assert (found.position, found.api_version, found.group, found.kind) == (
        1,
        "cluster.x-k8s.io/v1beta2",
        "cluster.x-k8s.io",
        "Cluster",
    )
    assert (found.name, found.namespace) == ("edge-1", "team-a")
    assert found.ref() == ResourceRef(
        api_version="cluster.x-k8s.io/v1beta2", kind="Cluster", name="edge-1", namespace="team-a"
    )
    assert repr(found) == "Item(1, cluster.x-k8s.io/v1beta2 Cluster)"


def test_metadata_are_typed_as_kubernetes_reads_them_without_reading_the_rest() -> None:
    found = item(CLUSTER + "    paused: twice\n")
    assert found.metadata()["labels"] == {"env": "prod"}


def test_keys_are_those_of_the_mapping_at_a_path() -> None:
    found = item(CLUSTER)
    assert found.keys("spec") == ("paused", "topology")
    assert found.keys("spec", "topology") == ("class",)
    assert found.keys() == ("apiVersion", "kind", "metadata", "spec")
    assert found.keys("spec", "paused") == ()
    assert found.keys("nothing", "here") == ()


@pytest.mark.parametrize(
    ("path", "answer"),
    [(("spec",), True), (("spec", "topology"), True), (("spec", "paused"), False), (("spec", "absent"), None),
     (("absent", "too"), None), (("kind", "x"), None)],
)  # fmt: skip
def test_a_field_is_a_mapping_or_something_else_or_absent(path: tuple[str, ...], answer: object) -> None:
    assert item(CLUSTER).is_mapping(*path) is answer
    read_whole = item(CLUSTER)
    read_whole.value()
    assert read_whole.is_mapping(*path) is answer


def test_accessors_give_labels_annotations_and_fields() -> None:
    found = item(CLUSTER)
    assert found.labels == {"env": "prod"}
    assert found.annotations["config.kubernetes.io/index"] == "2"
    assert found.get("spec", "topology", "class") == "x"
    assert found.get("spec", "absent", "deeper") is None


@pytest.mark.parametrize("first", ["metadata", '"metadata"'])
def test_metadata_given_twice_are_an_error(first: str) -> None:
    found = item(f"- kind: A\n  {first}: {{name: a}}\n  metadata: {{name: b}}\n")
    with pytest.raises(Errors, match=r"metadata appears twice: remove one of them \(first: stdin:7:3\)"):
        found.metadata()


def test_text_is_a_document_with_blanks_for_the_dash() -> None:
    assert item("- kind: A\n  b: c\n").text == b"  kind: A\n  b: c\n"
    assert item("-   kind: A\n    b: c\n").text == b"    kind: A\n    b: c\n"


@pytest.mark.parametrize(
    ("annotations", "path", "index"),
    [
        ({"internal.config.kubernetes.io/path": "'new'", "config.kubernetes.io/path": "'old'"}, "new", None),
        ({"config.kubernetes.io/path": "'old'", "config.kubernetes.io/index": "'1'"}, "old", 1),
        ({"config.kubernetes.io/path": "'old'", "config.kubernetes.io/index": "'x'"}, "old", None),
        ({"config.kubernetes.io/index": "'1'"}, "", None),
        ({"config.kubernetes.io/path": "'a'", "config.kubernetes.io/index": "'" + "9" * 5000 + "'"}, "a", None),
        ({"config.kubernetes.io/path": "7"}, "", None),
        ({"other": "'x'"}, "", None),
    ],
    ids=["internal wins", "legacy", "index is no number", "index alone", "endless index", "path is no string", "none"],
)
def test_the_hosts_annotations_name_the_file(annotations: dict[str, str], path: str, index: int | None) -> None:
    lines = "".join(f"      {key}: {value}\n" for key, value in annotations.items())
    found = item(f"- apiVersion: v1\n  kind: A\n  metadata:\n    annotations:\n{lines}    name: a\n")
    assert (found.file_path, found.file_index) == (path, index)


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        (CLUSTER, "team-a/edge.yaml (object 4)"),
        ("- apiVersion: v1\n  kind: A\n", "items[1], line 6"),
        ("- metadata:\n    annotations: {config.kubernetes.io/path: a.yaml}\n", "a.yaml"),
        ("- metadata: x\n", "items[1], line 6"),
    ],
    ids=["file and index", "line", "file", "no metadata"],
)
def test_where_names_the_place_for_people(entry: str, where: str) -> None:
    assert item(entry).where() == where


@pytest.mark.parametrize(
    "entry",
    ["- metadata: [a]\n  kind: 5\n", "- kind: true\n  apiVersion: 1\n", "- a: b\n"],
    ids=["metadata is a list", "wrong types", "nothing"],
)
def test_what_is_absent_or_of_the_wrong_type_is_empty(entry: str) -> None:
    found = item(entry)
    assert (found.api_version, found.kind, found.group, found.name, found.namespace) == ("", "", "", "", "")
    assert found.metadata() == {}


def test_the_group_of_a_core_object_is_empty() -> None:
    assert item("- apiVersion: v1\n  kind: A\n").group == ""


@pytest.mark.parametrize(
    ("entry", "needle", "maybe"),
    [
        ("- a: needle\n", b"needle", True),
        ("- a: other\n", b"needle", False),
        ('- a: "n\\x65edle"\n', b"needle", True),
        ('- a: "need\\\n    le"\n', b"needle", True),
        ("- a: !!binary bmVlZGxl\n", b"needle", True),
        ("- a: two\n    words\n", b"two words", True),
        ("- a: 'it''s'\n", b"it's", True),
    ],
    ids=["plain", "absent", "escape", "joined lines", "binary", "spaces", "quotes"],
)
def test_contains_is_wrong_on_the_safe_side_only(entry: str, needle: bytes, maybe: bool) -> None:  # noqa: FBT001 - a table
    assert item(entry).contains(needle) is maybe


def test_an_object_that_can_not_be_read_says_so_with_its_place() -> None:
    found = item("- apiVersion: v1\n  kind: A\n  a: 1\n  a: 2\n")
    with pytest.raises(
        Errors,
        match=r"stdin:9:3: error: items\[1\] can't be read: a appears twice: remove one of them \(first: stdin:8:3\)",
    ):
        found.value()


def test_an_object_of_a_file_says_so_with_the_file() -> None:
    text = b"a: 1\na: 2\n"
    found = Item.from_span(text, 0, len(text), 0, 0, "f.yaml", 2)
    with pytest.raises(
        Errors,
        match=r"f.yaml:2:1: error: items\[0\] can't be read: a appears twice: remove one of them \(first: f.yaml:1:1\)",
    ) as caught:
        found.value()
    assert (caught.value.results[0].file_path, caught.value.results[0].file_index) == ("f.yaml", 2)


@pytest.mark.parametrize("text", [b"- a\n", b"a\n", b""], ids=["list", "scalar", "empty"])
def test_a_document_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(Errors, match="an object must be a mapping"):
        Item(text, 0, len(text), 0, 0, "", "").identify()


def test_a_value_becomes_an_item_with_json_as_its_text() -> None:
    value: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}}
    found = Item.from_value(value, 2)
    assert found.contains(b"anything")
    assert found.where() == "items[2]"
    assert found.text == b'{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "n"}}'
    assert found.value() is value


def test_nothing_of_a_secret_is_shown() -> None:
    found = item("- apiVersion: v1\n  kind: Secret\n  data:\n    a: hidden\n")
    assert "hidden" not in repr(found)
