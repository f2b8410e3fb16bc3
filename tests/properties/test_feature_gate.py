"""Whatever the form of its flags: after `Ensure` the manager starts with the gate on, and one that was right is not touched."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.support.items import item_of
from tests.unit.reviews.builders import config, manager
from tests.unit.reviews.golden import review

GATE = "ClusterResourceSet"
BOOLEANS = {**dict.fromkeys(("1", "t", "true", "TRUE"), True), **dict.fromkeys(("0", "f", "false", "False"), False)}
PARTS = st.builds(
    "{}{}={}{}".format,
    st.sampled_from(["A", "B", "AllBeta", GATE, f"{GATE} ", f" {GATE}"]),
    st.sampled_from(["", " "]),
    st.sampled_from(["", " "]),
    st.sampled_from(sorted(BOOLEANS)),
)
QUOTES = st.sampled_from(["{}", "{}", "{}", '"{}"', "'{}'"])
LISTS = st.builds(
    lambda parts, quotes, comma: quotes.format(",".join(parts)) + comma,
    st.lists(st.builds(lambda part, quotes: quotes.format(part), PARTS, QUOTES), max_size=3),
    QUOTES,
    st.sampled_from(["", ","]),
)
FLAGS = st.one_of(
    LISTS.map(lambda one: [f"--feature-gates={one}"]),
    LISTS.map(lambda one: ["--feature-gates", one]),
    st.sampled_from([["--v=2"], ["--leader-elect"]]),
)
ROWS = st.lists(FLAGS, max_size=3).map(lambda groups: [one for group in groups for one in group])
RELEASES = st.sampled_from(["v0.3.9", "v0.4.0", "v1.6.9", "v1.7.0", "v1.9.1", "v1.10.0", "v1.11.2", "v1.12.0"])


def passed(row: list[str]) -> dict[str, bool] | None:
    """Read the flags as pflag and component-base's `featuregate.Set` do; None where the manager exits."""
    found: dict[str, bool] = {}
    words = iter(row)
    for word in words:
        if word == "--feature-gates":
            value = next(words)
        elif word.startswith("--feature-gates="):
            value = word.partition("=")[2]
        else:
            continue
        for part in filter(None, map(str.strip, value.split(","))):
            name, _, setting = part.partition("=")
            if name.strip() not in {"A", "B", "AllBeta", GATE} or setting.strip() not in BOOLEANS:
                return None
            found[name.strip()] = BOOLEANS[setting.strip()]
    return found


def works(row: list[str], line: tuple[int, ...]) -> bool:
    """Return whether the manager starts, and installs ClusterResourceSets."""
    gates = passed(row)
    if gates is None or line >= (1, 12):
        return gates is not None and GATE not in gates
    by_default = line >= (0, 4) and not (line < (1, 10) and gates.get("AllBeta") is False)
    return gates.get(GATE, by_default)


def row_of(deployment: dict[str, Any]) -> list[str]:
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return [*container.get("command", []), *container.get("args", [])]


@given(RELEASES, ROWS, ROWS)
def test_the_manager_works_after_ensure_and_is_not_touched_if_it_did_before(
    release: str, command: list[str], args: list[str]
) -> None:
    line = tuple(map(int, release[1:].split(".")[:2]))
    before = manager(release, *args, command=["/manager", *command])
    found = review([item_of(json.dumps(before).encode(), 0)], config(feature_gate="Ensure"))
    after = row_of(dict(found.revised.get(0, before)))
    assert works(after, line)
    if line < (1, 7):  # there the manifest that a patch is laid over may switch it off
        assert GATE in str(after)
    elif works(row_of(before), line):
        assert not found.revised
