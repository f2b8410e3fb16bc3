"""Comparing values with their types, and lists so that few of their entries change."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MAX_TABLE = 250_000


def same(one: Any, other: Any) -> bool:
    """Tell whether two values are equal with equal types (`1`, `1.0` and `True` differ); the order of keys is free."""
    if hasattr(one, "items") and hasattr(other, "items"):
        return len(one) == len(other) and all(key in other and same(value, other[key]) for key, value in one.items())
    if isinstance(one, (list, tuple)) and isinstance(other, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float) and isinstance(other, float) and one != one:  # noqa: PLR0124 - the test for NaN
        return other != other  # noqa: PLR0124 - the same
    return type(one) is type(other) and bool(one == other)


def align(old: list[Any], new: list[Any]) -> tuple[list[tuple[int, int]], list[int], dict[int, list[int]]]:
    """Match the entries of two lists so that few of them change.

    Entries that are equal are matched, longest common subsequence first; between matches, what is left on both sides
    is paired in order.

    Returns:
        Pairs of indices (equal or to be changed), indices of `old` to remove, and for an index of `old` (-1: the
        front) the indices of `new` to insert behind it.
    """
    pairs: list[tuple[int, int]] = []
    gone: list[int] = []
    added: dict[int, list[int]] = {}
    i = j = 0
    for matched_i, matched_j in [*_common(old, new), (len(old), len(new))]:
        while i < matched_i and j < matched_j:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        gone.extend(range(i, matched_i))
        if j < matched_j:
            added[i - 1] = list(range(j, matched_j))
        if matched_i < len(old):
            pairs.append((matched_i, matched_j))
        i, j = matched_i + 1, matched_j + 1
    return pairs, gone, added


def _common(old: list[Any], new: list[Any]) -> list[tuple[int, int]]:
    """Return the index pairs of a longest common subsequence; only common ends where that would take too long."""
    head = 0
    while head < min(len(old), len(new)) and same(old[head], new[head]):
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and same(old[-1 - tail], new[-1 - tail]):
        tail += 1
    rows, columns = len(old) - head - tail, len(new) - head - tail
    middle: list[tuple[int, int]] = []
    if rows * columns <= _MAX_TABLE:
        best = [[0] * (columns + 1) for _ in range(rows + 1)]
        for i in range(rows - 1, -1, -1):
            for j in range(columns - 1, -1, -1):
                equal = same(old[head + i], new[head + j])
                best[i][j] = best[i + 1][j + 1] + 1 if equal else max(best[i + 1][j], best[i][j + 1])
        i = j = 0
        while i < rows and j < columns:
            if same(old[head + i], new[head + j]):
                middle.append((head + i, head + j))
                i, j = i + 1, j + 1
            elif best[i + 1][j] >= best[i][j + 1]:
                i += 1
            else:
                j += 1
    ends = [(len(old) - back, len(new) - back) for back in range(tail, 0, -1)]
    return [*((index, index) for index in range(head)), *middle, *ends]
