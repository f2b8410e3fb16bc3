"""Foreign text in Markdown is shown and never acts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krm_fn.views import plan_markdown

NASTY = [
    "n\n\n# Approved by security\n@octocat.yaml",
    "x @octocat https://evil.example/phish\n\n# Approved by security\n",
    "![image](https://evil.example/pixel.png)",
    "[approve](https://evil.example)",
    "<img src=https://evil.example/pixel.png>",
    "<!-- hidden -->",
    "</details>",
    "`` ` ``` closes",
    "`",
    "a\\|@octocat",
    "a | b",
    "www.evil.example",
    "someone@evil.example",
    "owner/name#1 and #2 and !3",
    ":white_check_mark: Approved",
    "$\\color{green}{approved}$",
    "- list",
    "1. list",
    "1) list",
    "> quote",
    "=====",
    "-----",
    "~~gone~~",
    "*strong* _weak_ __dunder__",
    "&lt;b&gt; &#64;octocat",
    "\u202eright to left",
    "\x1b[31mred",
    "    four spaces",
    "\t",
]

# Characters of which each kind of markup, mention or reference needs one to stay next to its neighbour
ACTS = [
    r"(?<!\\)\[",
    r"(?<!\\)`",
    r"(?<!\\)[*_~]",
    r"<(?!/?span>)",
    r"&(?!(?:lt|gt|amp|#124);)",
    r"\|",
    r"@(?!</span>)",
    r"(?<!&)#(?!</span>)",
    r"\$(?!</span>)",
    r"://",
    r"www\.",
    r":[a-z0-9_]+:",
    r"^[-+=#>]",
    r"^[0-9]+[.)]",
    r"[\x00-\x1f\u202a-\u202e]",
]


@pytest.mark.parametrize("acts", ACTS)
@pytest.mark.parametrize("foreign", NASTY)
def test_nothing_in_a_text_acts(foreign: str, acts: str) -> None:
    assert not re.search(acts, plan_markdown.as_text(foreign))


@given(st.text())
def test_no_text_at_all_acts(foreign: str) -> None:
    made = plan_markdown.as_text(foreign)
    assert not [acts for acts in ACTS if re.search(acts, made)]
    assert made.isprintable()


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("team-a/prod-01", "team-a/prod-01"),
        ("spec.agent.image", "spec.agent.image"),
        ("app.kubernetes.io/name in (a,b)", "app.kubernetes.io/name in (a,b)"),
        ("v0.18.1: too old", "v0.18.1: too old"),
        ("a_b", "a\\_b"),
        ("@octocat", "<span>@</span>octocat"),
        ("https://a.example", "https<span>:</span>//a.example"),
        ("a | b", "a &#124; b"),
        ("1. one", "1\\. one"),
    ],
)
def test_ordinary_text_stays_readable(foreign: str, shown: str) -> None:
    assert plan_markdown.as_text(foreign) == shown


@pytest.mark.parametrize(
    ("foreign", "shown"),
    [
        ("prod-01", "`prod-01`"),
        ("", ""),
        ("a`b", "``a`b``"),
        ("`", "`` ` ``"),
        ("``x", "``` ``x ```"),
        ("a\n# b", "`a # b`"),
        ("@octocat", "`@octocat`"),
        ("a|b", "<code>a&#124;b</code>"),
        ("a\\|@octocat", "<code>a\\\\&#124;<span>@</span>octocat</code>"),
        ("\u202e", "`\ufffd`"),
    ],
)
def test_inline_code_holds_any_text(foreign: str, shown: str) -> None:
    assert plan_markdown.as_code(foreign) == shown


@given(st.text(st.sampled_from("`a| \\\n")))
def test_inline_code_can_not_be_left(foreign: str) -> None:
    made = plan_markdown.as_code(foreign)
    if made and not made.startswith("<code>"):
        fence = re.match("`+", made)
        assert fence is not None
        inner = made[fence.end() : -fence.end()]
        assert made.endswith(fence.group())
        assert fence.group() not in re.findall("`+", inner)


@given(st.lists(st.text(st.characters(blacklist_characters="\n\r"))))
def test_a_block_ends_where_it_ends(lines: list[str]) -> None:
    first, *inner, last = plan_markdown.fenced(lines, "diff")
    assert first == f"{last}diff"
    assert len(inner) == len(lines)
    assert not any(last in line for line in inner)
