from __future__ import annotations

import re
import subprocess
import sys

import pytest

from krm_fn.base import late


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        pytest.param("match", ("a1b2",), id="match"),
        pytest.param("fullmatch", ("A1",), id="fullmatch with flags"),
        pytest.param("search", ("..a1",), id="search"),
        pytest.param("match", ("..", 2), id="no match"),
    ],
)
def test_it_matches_as_the_compiled_pattern_does(method: str, arguments: tuple[object, ...]) -> None:
    pattern, flags = r"([a-z])([0-9])", re.IGNORECASE
    ours = getattr(late(pattern, flags), method)(*arguments)
    theirs = getattr(re.compile(pattern, flags), method)(*arguments)
    assert (ours and (ours.span(), ours.groups())) == (theirs and (theirs.span(), theirs.groups()))


def test_it_finds_substitutes_and_splits_in_bytes() -> None:
    commas = late(rb"\s*,")
    assert (commas.findall(b"a ,b,"), commas.sub(b";", b"a ,b"), commas.split(b"a ,b")) == (
        [b" ,", b","],
        b"a;b",
        [b"a", b"b"],
    )


def test_it_has_the_attributes_of_a_pattern() -> None:
    named = late("(?P<key>x)")
    assert (named.pattern, named.groups, named.groupindex) == ("(?P<key>x)", 1, {"key": 1})


def test_nothing_is_compiled_before_a_method_is_asked_for() -> None:
    broken = late("(")
    with pytest.raises(re.error):
        broken.match("")


def test_a_name_that_no_pattern_has_is_refused() -> None:
    with pytest.raises(AttributeError):
        late("x").nothing  # noqa: B018 - the lookup is what is tested


def test_the_function_compiles_nothing_at_import() -> None:
    code = (
        "import re, yaml, time; before = set(re._cache); import krm_fn.function, krm_fn.krm.runner, krm_fn.tokens.offers;"
        " print(len(set(re._cache) - before))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out == "0\n"
