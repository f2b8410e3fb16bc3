from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING

import hypothesis
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.yaml import BadYaml
from krm_fn.yaml.edit import revise, set_labels
from krm_fn.yaml.read import load
from krm_fn.yaml.write import quoted

if TYPE_CHECKING:
    from typing import Any

PLAIN = (
    "a",
    "on",
    "1e3",
    "0o17",
    "0777",
    "2020-01-01",
    "1:30",
    "~",
    "null",
    "1_000",
    "12",
    "-5",
    "1.50",
    ".inf",
    "x y",
)
KEYS = ("a", "b", "name", "labels", "x.y/z", "on", "1", "spec")


class Style:
    """Choices of a hand that writes YAML."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw

    def flip(self, one_in: int = 2) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def comment(self) -> str:
        return f"  # c{self.draw(st.integers(0, 999))}" if self.flip(4) else ""

    def above(self, column: int) -> str:
        return self.draw(st.sampled_from(["", "", "", "", "\n", f"{' ' * column}# above\n", "# far left\n"]))

    def scalar(self) -> str:
        return self.draw(
            st.one_of(
                st.sampled_from(PLAIN),
                st.sampled_from(PLAIN).map(quoted),
                st.sampled_from(["'it''s'", "'on'", '"\\u00e9\\n# no comment"', '"😀: é"', "''", "!!str 5"]),
            )
        )

    def flow(self, depth: int) -> str:
        count = self.draw(st.integers(0, 2))
        if depth > 2 or self.flip():
            inner = [self.draw(st.sampled_from(["a", "1", "on", '"b, c"', "''"])) for _ in range(count)]
        else:
            inner = [self.flow(depth + 1) for _ in range(count)]
        if self.flip():
            return f"[{', '.join(inner)}{',' if inner and self.flip(4) else ''}]"
        return "{" + ", ".join(f"{key}: {value}" for key, value in zip(("k", '"l"'), inner, strict=False)) + "}"

    def literal(self, column: int) -> str:
        body = self.draw(st.sampled_from(["x\n", "x\n\n", "- y\n# z\n", "x: y\n\n  z\n"]))
        lines = "".join(" " * (column + 2) + line if line.strip() else line for line in body.splitlines(keepends=True))
        return self.draw(st.sampled_from(["|", "|-", "|+", ">"])) + "\n" + lines

    def value(self, column: int, depth: int) -> str:
        """Return what follows a colon, up to and including the line end."""
        kind = self.draw(st.integers(0, 9))
        if kind == 0:
            return self.comment() + "\n"
        if kind == 1:
            return f" {self.flow(0)}{self.comment()}\n"
        if kind == 2:
            return " " + self.literal(column)
        if kind in {3, 4, 5} and depth < 4:
            step = self.draw(st.sampled_from([2, 2, 4]))
            return f"{self.comment()}\n{self.mapping(column + step, depth + 1)}"
        if kind in {6, 7} and depth < 4:
            step = self.draw(st.sampled_from([0, 2]))
            return f"{self.comment()}\n{self.sequence(column + step, depth + 1)}"
        return f" {self.scalar()}{self.comment()}\n"

    def mapping(self, column: int, depth: int, *, inline: bool = False) -> str:
        keys = self.draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique_by=lambda key: str(load(key))))
        out = []
        for index, key in enumerate(keys):
            spelled = quoted(key) if self.flip(5) else key
            lead = "" if inline and index == 0 else self.above(column) + " " * column
            out.append(f"{lead}{spelled}:{self.value(column, depth)}")
        return "".join(out)

    def sequence(self, column: int, depth: int) -> str:
        out = []
        for _ in range(self.draw(st.integers(1, 4))):
            lead = self.above(column) + " " * column + "-"
            if self.flip() and depth < 4:
                out.append(f"{lead} {self.mapping(column + 2, depth + 1, inline=True)}")
            elif self.flip(6) and depth < 4:
                out.append(f"{lead} {self.sequence(column + 2, depth + 1).lstrip(' ')}")
            else:
                out.append(f"{lead} {self.scalar()}{self.comment()}\n")
        return "".join(out)


def pieces(draw: Any) -> list[tuple[str, str, str]]:
    """Draw a document as its top-level fields: key, what is above it, the field itself."""
    style = Style(draw)
    column = draw(st.sampled_from([0, 0, 2]))
    newline = draw(st.sampled_from(["\n", "\n", "\n", "\r\n"]))
    found = []
    for key in draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique_by=lambda key: str(load(key)))):
        field = f"{' ' * column}{key}:{style.value(column, 0)}"
        found.append(
            (next(iter(load(f"{key}:"))), style.above(column).replace("\n", newline), field.replace("\n", newline))
        )
    if draw(st.integers(0, 5)) == 0 and not found[-1][2].endswith(newline * 2):
        found[-1] = (*found[-1][:2], found[-1][2].rstrip("\r\n"))
    try:
        hypothesis.assume(isinstance(load("".join(above + field for _, above, field in found)), dict))
    except BadYaml:  # a style that is no YAML in this place
        hypothesis.reject()
    return found


split_documents = st.composite(pieces)()
documents = split_documents.map(lambda found: "".join(above + field for _, above, field in found))


LEAVES = st.one_of(
    st.sampled_from(["on", "x", "x: y # z", "a\nb\n", "a\n\n", "é😀", "", " 1"]),
    st.integers(-3, 3),
    st.sampled_from([None, True, False, 1.5, 1e300]),
)
FRESH = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(KEYS), inner, max_size=3)),
    max_leaves=5,
)


def mutate(draw: Any, value: Any) -> Any:  # noqa: PLR0911 - one return a kind of change
    """Change a few things somewhere inside."""
    where = draw(st.integers(0, 5))
    if isinstance(value, dict) and value and where:
        key = draw(st.sampled_from(sorted(value)))
        if where == 1:
            return {**value, draw(st.sampled_from(KEYS)): draw(FRESH)}
        if where == 2 and len(value) > 1:
            return {other: item for other, item in value.items() if other != key}
        return {**value, key: mutate(draw, value[key])}
    if isinstance(value, list) and value and where:
        at = draw(st.integers(0, len(value) - 1))
        if where == 1:
            return [*value[:at], draw(FRESH), *value[at:]]
        if where == 2:
            return [*value[:at], *value[at + 1 :]]
        if where == 3:
            return [*value, draw(FRESH)]
        return [*value[:at], mutate(draw, value[at]), *value[at + 1 :]]
    return draw(FRESH)


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return (type(value).__name__, repr(value))


@given(data=st.data(), text=documents)
def test_the_edited_document_reads_as_the_new_value(data: Any, text: str) -> None:
    old = load(text)
    new = copy.deepcopy(old)
    for _ in range(data.draw(st.integers(1, 3))):
        new = mutate(data.draw, new)
        hypothesis.assume(isinstance(new, dict))
    hypothesis.note(text)
    result = revise(text.encode(), new)
    hypothesis.note(result.decode())
    assert typed(load(result)) == typed(new)


@given(data=st.data(), document=split_documents)
def test_a_changed_field_leaves_the_text_before_and_behind_it_alone(
    data: Any, document: list[tuple[str, str, str]]
) -> None:
    text = "".join(above + field for _, above, field in document)
    old = load(text)
    at = data.draw(st.integers(0, len(document) - 1))
    key, above, field = document[at]
    hypothesis.assume("|+" not in field)  # the empty lines behind it are its own
    result = revise(text.encode(), {**old, key: mutate(data.draw, old[key])}).decode()
    assert result.startswith("".join(over + its for _, over, its in document[:at]) + above)
    assert result.endswith("".join(over + its for _, over, its in document[at + 1 :]))


@given(
    text=documents,
    labels=st.dictionaries(st.sampled_from(["a", "on", "x.y/z", "new"]), st.sampled_from(["on", "", "v", "1"])),
)
def test_labels_are_set_and_nothing_else(text: str, labels: dict[str, str]) -> None:
    old = load(text)
    text = text if "spec" not in old else text.replace("spec:", "metadata:")
    try:
        old = load(text)
    except BadYaml:  # the replacement made it invalid
        hypothesis.reject()
    metadata = old.get("metadata") if isinstance(old.get("metadata"), dict) else {}
    present = metadata.get("labels") if isinstance(metadata.get("labels"), dict) else {}
    expected = {**old, "metadata": {**metadata, "labels": {**present, **labels}}}
    assert typed(load(set_labels(text.encode(), labels))) == typed(expected)


@given(
    value=st.dictionaries(st.sampled_from(KEYS), FRESH, min_size=1), data=st.data(), indent=st.sampled_from([None, 2])
)
def test_json_stays_json(value: dict[str, Any], data: Any, indent: int | None) -> None:
    new = mutate(data.draw, value)
    hypothesis.assume(isinstance(new, dict))
    result = revise(json.dumps(value, indent=indent).encode(), new)
    assert typed(json.loads(result)) == typed(new)
