"""Which texts are read by their lines; that it is right then is shown in tests.properties.test_written.py."""

from __future__ import annotations

import pytest

from krm_fn.yaml import written
from krm_fn.yaml.read import load
from krm_fn.yaml.write import dump

VALUE = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "a", "labels": {"x/y": "true", "n": 1}, "annotations": {}},
    "data": {"30-rbac.yaml": '---\n"a": "b"\n\n"c": "d"\n', "plain": "a\nb"},
    "spec": {
        "resources": [{"kind": "Secret", "name": "b"}, "c", {"list": [1, "x y", "a\nb\n"]}],
        "none": [],
        "no": None,
    },
}


def test_what_the_writer_wrote_is_read() -> None:
    text = dump(VALUE).encode()
    assert written.read(text) == load(text) == VALUE


@pytest.mark.parametrize(
    "text",
    [
        *("", "a: b", "a:\n", "a:\nb: c\n", "- a\n", "a: b\na: c\n", "a: b\n  c\n", "a: b\n  c: d\n", "a:\n    b: c\n"),
        *("a:\n  - b\n", "a:\n- - b\n", "a: |\n   b\n", "a: |\n  b\n\n", "a: |\n\n  b\n", "a: |2\n   b\n", "a: |\n", "a: 'b'\n"),
        *("a: é\n", "a: b # c\n", "# a\nb: c\n", "a: &x b\n", "a: b\n---\nc: d\n", "on: a\n", "a: b\r\n", "a:\tb\n", "a:\n-\n"),
        *('a: "\\n"\n', "a: >\n  b\n", "a: b\n- c\n", "a:\n  b: c\n d: e\n", "a: |\n  b\n c: d\n", "? a\n: b\n"),
        "".join(f"{'  ' * at}a:\n" for at in range(300)) + "  " * 300 + "a: b\n",
        f'"{"a" * 1001}": b\n',
    ],
)  # fmt: skip
def test_any_other_form_is_left_to_the_full_parse(text: str) -> None:
    assert written.read(text.encode()) is None
