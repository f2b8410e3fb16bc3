from __future__ import annotations

from typing import Any

import pytest

from krm_fn.base import Record


class Point(Record):
    x: int
    y: int = 2


class Named(Point):
    name: str = ""
    tags: dict[str, str] = {}  # noqa: RUF012 - a default, as the modules write them
    _hidden = 1


def test_fields_are_taken_by_name_and_defaults_fill_the_rest() -> None:
    assert list(Point(x=1)) == [1, 2]
    assert list(Named(x=1, y=3, name="n")) == [1, 3, "n", {}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({}, "Point needs x", id="a field without a default"),
        pytest.param({"y": 1}, "Point needs x", id="the other one alone"),
        pytest.param({"x": 1, "z": 1}, "Point has no field z", id="an unknown field"),
        pytest.param({"x": 1, "y": 2, "z": 1, "a": 1}, "Point has no field a, z", id="unknown fields beside all"),
    ],
)
def test_what_is_not_a_field_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(TypeError, match=f"{message}$"):
        Point(**values)


def test_records_can_not_be_changed() -> None:
    point = Point(x=1)
    with pytest.raises(AttributeError, match=r"Point\.x can't be set: records are immutable"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(AttributeError, match=r"Point\.x can't be deleted: records are immutable"):
        del point.x
    assert point.x == 1


def test_records_compare_and_hash_by_class_and_values() -> None:
    assert Point(x=1) == Point(x=1, y=2)
    assert Point(x=1) != Point(x=2)
    assert Point(x=1) != Named(x=1)
    assert Point(x=1) != (1, 2)
    assert len({Point(x=1), Point(x=1, y=2), Point(x=3)}) == 2


def test_a_record_that_holds_a_mapping_has_no_hash() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        hash(Named(x=1))


def test_a_record_shows_its_fields() -> None:
    assert repr(Named(x=1, name="n")) == "Named(x=1, y=2, name='n', tags={})"


def test_a_copy_differs_in_what_was_asked_for() -> None:
    assert Point(x=1, y=5).replace(x=3) == Point(x=3, y=5)
    with pytest.raises(TypeError, match="Point has no field z"):
        Point(x=1).replace(z=1)
