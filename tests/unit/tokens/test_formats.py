"""The form of registration tokens, and that a wrong one is described without being shown."""

import base64
import json
import traceback

import pytest

from krm_fn.krm.results import Errors
from krm_fn.kube.secrets import Secret
from krm_fn.model import AgentVersion, Token
from krm_fn.tokens import check_form

V018 = AgentVersion(major=0, minor=18, patch=1)
V0150 = AgentVersion(major=0, minor=15, patch=0)
BOOTSTRAP = "q2w3e4.r5t6y7u8i9o0p1a2"


def part(value: object) -> str:
    """Return a part of a JWT."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def jwt(claims: object, header: object = None, signature: str = "c2lnbmF0dXJl") -> str:
    """Return a token with the shape of a ServiceAccount's."""
    return f"{part({'alg': 'RS256', 'kid': 'k'} if header is None else header)}.{part(claims)}.{signature}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(BOOTSTRAP, Token(secret=Secret(BOOTSTRAP), bootstrap=True), id="bootstrap"),
        pytest.param("123456.7890123456789012", None, id="bootstrap of digits"),
        pytest.param("changm.r5t6y7u8i9o0p1a2", None, id="an id that is nearly a word for a placeholder"),
        pytest.param("setabc.r5t6y7u8i9o0p1a2", None, id="an id that begins as a word for a placeholder"),
    ],
)
def test_a_bootstrap_token_is_accepted(value: str, expected: Token | None) -> None:
    found = check_form(Secret(value), V018)
    assert found == (expected or Token(secret=Secret(value), bootstrap=True))


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_one_line_break_at_the_end_is_not_part_of_the_token(end: str) -> None:
    assert check_form(Secret(BOOTSTRAP + end), V018).secret == Secret(BOOTSTRAP)


@pytest.mark.parametrize(
    ("claims", "expires"),
    [
        pytest.param({"sub": "system:serviceaccount:a:b"}, None, id="no exp"),
        pytest.param({"exp": None}, None, id="exp null"),
        pytest.param({"exp": 1_900_000_000}, 1_900_000_000, id="exp"),
        pytest.param({"exp": 1_900_000_000.75}, 1_900_000_000, id="exp with a fraction"),
        pytest.param({"exp": 0}, 0, id="exp at the epoch"),
    ],
)
def test_a_jwt_is_accepted_and_tells_when_it_expires(claims: object, expires: int | None) -> None:
    value = jwt(claims)
    assert check_form(Secret(value), V018) == Token(secret=Secret(value), expires=expires)


def test_a_jwt_is_refused_for_the_agent_that_refuses_it() -> None:
    with pytest.raises(
        Errors, match=r"which the agent v0\.15\.0 refuses: use a bootstrap token, or the agent v0\.15\.1"
    ):
        check_form(Secret(jwt({})), V0150)


@pytest.mark.parametrize("patch", [1, 2])
def test_a_jwt_is_accepted_by_later_patches_of_that_agent(patch: int) -> None:
    assert check_form(Secret(jwt({})), AgentVersion(major=0, minor=15, patch=patch)).bootstrap is False


def test_a_bootstrap_token_suits_every_agent() -> None:
    assert check_form(Secret(BOOTSTRAP), V0150).bootstrap


WRONG = [
    pytest.param("", "is empty", id="empty"),
    pytest.param("\n", "is empty", id="a line break alone"),
    pytest.param("   ", "is empty", id="spaces alone"),
    pytest.param(f"{BOOTSTRAP}\n\n", "has a line break around or inside it", id="two line breaks"),
    pytest.param(f" {BOOTSTRAP}", "has whitespace around or inside it", id="a blank before"),
    pytest.param(f"{BOOTSTRAP}\t", "has whitespace around or inside it", id="a tab behind"),
    pytest.param("q2w3e4. r5t6y7u8i9o0p1a2", "has whitespace around or inside it", id="a blank inside"),
    pytest.param(f"{BOOTSTRAP}\n{BOOTSTRAP}", "has a line break around or inside it", id="two tokens"),
    pytest.param(f" {BOOTSTRAP}\n{BOOTSTRAP} ", "has a line break around or inside it", id="two tokens and spaces"),
    pytest.param(
        "ENC[AES256_GCM,data:Zm9v,iv:YmFy,tag:YmF6,type:str]", "is still encrypted by SOPS", id="encrypted by SOPS"
    ),
    pytest.param("<CHANGEME>", "is a placeholder", id="placeholder of the guide"),
    pytest.param("CHANGEME", "is a placeholder", id="changeme"),
    pytest.param("change-me-please", "is a placeholder", id="change-me"),
    pytest.param("your-token-here", "is a placeholder", id="your token"),
    pytest.param("REPLACE_ME", "is a placeholder", id="replace me"),
    pytest.param("xxxxxx.xxxxxxxxxxxxxxxx", "is a placeholder", id="crosses"),
    pytest.param("${REGTOKEN}", "is a placeholder", id="variable in braces"),
    pytest.param("$REGTOKEN", "is a placeholder", id="variable"),
    pytest.param("$(REGTOKEN)", "is a placeholder", id="variable of kustomize"),
    pytest.param("{{ .regToken }}", "is a placeholder", id="template"),
    pytest.param("...", "is a placeholder", id="dots"),
    pytest.param("Q2w3e4.r5t6y7u8i9o0p1a2", "has upper-case letters", id="upper case"),
    pytest.param(f'"{BOOTSTRAP}"', "has quotes around it", id="double quotes"),
    pytest.param(f"'{BOOTSTRAP}'", "has quotes around it", id="single quotes"),
    pytest.param("q2w3e4.r5t6y7u8i9o0p1a", "has 22 characters, 6 before the first dot and 15 after it", id="short"),
    pytest.param("q2w3e4.r5t6y7u8i9o0p1a2b", "has 24 characters, 6 before the first dot and 17 after it", id="long"),
    pytest.param("q2w3e4r5t6y7u8i9o0p1a2", "has 22 characters, no dot among them", id="no dot"),
    pytest.param("q2w3e4.r5t6y7u8i9o0p1é2", "has 23 characters", id="not ASCII"),
    pytest.param("a.b.c.d", "has 7 characters", id="four parts"),
    pytest.param("a..c", "has 4 characters", id="an empty part"),
    pytest.param("a" * 20_000, "has 20000 characters, more than any token", id="huge"),
    pytest.param(base64.b64encode(BOOTSTRAP.encode()).decode(), "is still encoded in base64", id="base64"),
    pytest.param(
        base64.b64encode(f"{BOOTSTRAP}\n".encode()).decode(), "is still encoded in base64", id="base64 with LF"
    ),
    pytest.param(base64.b64encode(jwt({}).encode()).decode(), "is still encoded in base64", id="base64 of a JWT"),
    pytest.param(base64.b64encode("é".encode() * 12).decode(), "has 32 characters", id="base64 of something else"),
    pytest.param(jwt({}, header=[]), "header, is not a JSON object", id="header a list"),
    pytest.param(jwt({}, header=b"no json"), "header, is not a JSON object", id="header no JSON"),
    pytest.param(jwt({}, header=b"\xff\xfe\xfd"), "header, is not a JSON object", id="header no text"),
    pytest.param("aaaaa." + jwt({}).partition(".")[2], "header, is not a JSON object", id="header no base64"),
    pytest.param(jwt([1]), "claims, is not a JSON object", id="claims a list"),
    pytest.param(jwt(b"[" * 100_00), "claims, is not a JSON object", id="claims nested without end"),
    pytest.param(jwt({"exp": "soon"}), "`exp` claim is not a number", id="exp a string"),
    pytest.param(jwt({"exp": True}), "`exp` claim is not a number", id="exp a bool"),
    pytest.param(jwt(b'{"exp": NaN}'), "`exp` claim is not a number", id="exp not a number"),
    pytest.param(jwt(b'{"exp": 1e400}'), "`exp` claim is not a number", id="exp infinite"),
    pytest.param(jwt({"exp": -1}), "`exp` claim is not a number", id="exp negative"),
    pytest.param(jwt(b'{"exp": ' + b"9" * 5000 + b"}"), "claims, is not a JSON object", id="exp too long to read"),
    pytest.param(jwt({"exp": 10**30}), "`exp` claim is not a number", id="exp beyond all time"),
]


@pytest.mark.parametrize(("value", "reason"), WRONG)
def test_a_value_that_is_no_token_is_refused_with_the_reason(value: str, reason: str) -> None:
    with pytest.raises(Errors) as caught:
        check_form(Secret(value), V018, field="spec.registrationToken.value")
    (result,) = caught.value.results
    assert reason in result.message
    assert "\n" not in result.message
    assert result.field == "spec.registrationToken.value"


@pytest.mark.parametrize(("value", "reason"), [case for case in WRONG if len(case.values[0].strip()) > 4])
def test_a_refused_value_stands_in_no_message_and_no_traceback(value: str, reason: str) -> None:
    with pytest.raises(Errors) as caught:
        check_form(Secret(value), V018)
    said = "".join(traceback.format_exception(caught.value))
    assert reason in said
    assert value.strip() not in said
    assert caught.value.__context__ is None
