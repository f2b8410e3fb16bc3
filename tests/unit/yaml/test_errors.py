from __future__ import annotations

import pytest

from krm_fn.yaml.errors import remedy

TEXT = "kind: ResourceList\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_another_encoding_is_named(encoding: str) -> None:
    name = encoding[:6].upper()
    assert remedy("not valid UTF-8", TEXT.encode(encoding)) == f"it is {name}: save it as UTF-8"


@pytest.mark.parametrize(
    "data", [b"", b"\0" * 40, b"a", b"\x1f\x8b\x08\0\0\0\0\0", b"abc\0defg", "é".encode("latin-1")], ids=repr
)
def test_what_is_no_text_is_not_called_an_encoding(data: bytes) -> None:
    assert remedy("not valid UTF-8", data) == "save it as UTF-8, and keep binary data out"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (0, "fix the syntax there; if the file is truncated, fix whatever writes it"),
        (1, "indent with spaces, not tabs"),
        (9, "fix the syntax there; if the file is truncated, fix whatever writes it"),
    ],
)
def test_a_tab_before_the_text_of_the_line_is_named(line: int, said: str) -> None:
    assert remedy("found character that cannot start any token", b"a:\tb\n \tb: c\n", line) == said
