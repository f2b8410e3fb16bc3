"""Tokens in plain sight are reported by place, and nothing that is printed holds one."""

import base64
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.krm.items import Item
from krm_fn.krm.results import ResourceRef, Result
from krm_fn.kube.secrets import Secret
from krm_fn.tokens.redaction import Redactor, find_leaks

HALF = "r5t6y7u8i9o0p1a2"
TOKEN = f"q2w3e4.{HALF}"
JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"
PACKED = base64.b64encode(TOKEN.encode()).decode()

Items = Callable[..., list[Item]]


def obj(kind: str = "ConfigMap", api_version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {
        "apiVersion": api_version,
        "kind": kind,
        "metadata": {"name": "thing", "namespace": "team-a", **fields.pop("metadata", {})},
        **fields,
    }


def find(items: list[Item], token: str = TOKEN, **more: Any) -> tuple[Result, ...]:
    return find_leaks(Secret(token), items, **more)


@pytest.mark.parametrize(
    ("one", "field"),
    [
        pytest.param(obj(data={"token": TOKEN}), "data.token", id="a ConfigMap"),
        pytest.param(obj(data={"token": f"token={TOKEN}\n"}), "data.token", id="inside a text"),
        pytest.param(obj(data={"token": f'{{"token": "{TOKEN}"}}'}), "data.token", id="inside JSON"),
        pytest.param(obj(data={"token": HALF}), "data.token", id="the secret half alone"),
        pytest.param(obj(binaryData={"token": PACKED}), "binaryData.token", id="base64 in a ConfigMap"),
        pytest.param(
            obj(binaryData={"token": base64.b64encode(f"{TOKEN}\n".encode()).decode()}),
            "binaryData.token",
            id="base64 with a line break",
        ),
        pytest.param(
            obj("Secret", metadata={"annotations": {"a.b/c": f"x {TOKEN}"}}), "metadata.annotations[a.b/c]", id="annotation"
        ),
        pytest.param(
            obj("Pod", spec={"containers": [{"args": ["-v", f"--token={TOKEN}"]}]}),
            "spec.containers[0].args[1]",
            id="an argument",
        ),
        pytest.param(obj("Secret", "example.com/v1", data={"t": TOKEN}), "data.t", id="a Secret of another group"),
        pytest.param(
            obj("ClusternetCAPIConfig", "fn.clusternet.io/v1alpha1", spec={"hub": {"x": TOKEN}}),
            "spec.hub.x",
            id="the configuration, in another field",
        ),
    ],
)  # fmt: skip
def test_a_token_in_plain_sight_is_reported_by_place(make_items: Items, one: dict[str, Any], field: str) -> None:
    (result,) = find(make_items(obj("Pod"), one))
    assert result.field == field
    assert f"{one['kind']} team-a/thing, {field}" in result.message
    assert result.severity == "warning"
    assert result.resource_ref is not None
    assert HALF not in str(result.as_data())
    assert PACKED[:20] not in str(result.as_data())


def test_every_place_is_reported(make_items: Items) -> None:
    items = make_items(obj(data={"b": TOKEN, "a": TOKEN}), obj("Pod", spec={"x": TOKEN}))
    assert [result.field for result in find(items)] == ["data.a", "data.b", "spec.x"]


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(obj("Secret", stringData={"regToken": TOKEN}), id="stringData of a Secret"),
        pytest.param(obj("Secret", data={"regToken": PACKED}), id="data of a Secret"),
        pytest.param(obj("Secret", stringData={"manifest": f"data: {PACKED}"}), id="a payload in a Secret"),
        pytest.param(obj(data={"token": "q2w3e4"}), id="the id, which is no secret"),
        pytest.param(obj(data={"token": "q2w3e4.somethingelse0000"}), id="another token of that id"),
        pytest.param(
            obj("ClusternetCAPIConfig", "fn.clusternet.io/v1alpha1", spec={"registrationToken": {"value": TOKEN}}),
            id="the configuration's own value",
        ),
        pytest.param(obj(data={"note": "a back\\slash makes a full look necessary"}), id="nothing"),
    ],
)
def test_what_may_hold_it_is_not_reported(make_items: Items, one: dict[str, Any]) -> None:
    assert find(make_items(one)) == ()


def test_excepted_items_are_not_looked_at(make_items: Items) -> None:
    items = make_items(obj(data={"a": TOKEN}), obj(data={"b": TOKEN}))
    assert [result.field for result in find(items, except_positions={0})] == ["data.b"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"kind: ConfigMap\nmetadata: {{name: a}}\ndata: {{x: y}} # {TOKEN}\n", id="a ConfigMap"),
        pytest.param(f"apiVersion: v1\nkind: Secret\nmetadata: {{name: a}} # {TOKEN}\nstringData: {{x: {TOKEN}}}\n", id="a Secret"),
    ],
)  # fmt: skip
def test_a_token_in_a_comment_is_reported(make_items: Items, text: str) -> None:
    (result,) = find(make_items(text))
    assert "a comment" in result.message
    assert result.field == ""


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f'kind: ConfigMap\ndata: {{x: "\\x72{TOKEN[8:]}"}}\n'.replace("\\x72", "q2w3e4.\\x72"), id="escapes"
        ),
        pytest.param(f'kind: ConfigMap\ndata:\n  x: "q2w3e4.r5t6\\\n    {HALF[4:]}"\n', id="a folded line"),
        pytest.param(f"kind: ConfigMap\ndata: {{x: &a {TOKEN}, y: *a}}\n", id="an alias"),
    ],
)
def test_writing_it_in_another_way_does_not_hide_it(make_items: Items, text: str) -> None:
    assert "data.x" in {result.field for result in find(make_items(text))}


def test_a_key_is_reported_without_being_shown(make_items: Items) -> None:
    (result,) = find(make_items(obj(data={TOKEN: "x"})))
    assert "a key of data" in result.message
    assert HALF not in str(result.as_data())


def test_a_key_of_the_object_itself_is_reported(make_items: Items) -> None:
    (result,) = find(make_items({**obj(), TOKEN: "x"}))
    assert "a key of the object" in result.message


def test_a_place_whose_name_is_the_token_is_reported_without_it(make_items: Items) -> None:
    (result,) = find(make_items(obj(metadata={"name": TOKEN, "namespace": ""})))
    assert result.field == "metadata.name"
    assert HALF not in str(result.as_data())
    assert result.resource_ref is not None
    assert result.resource_ref.name == "(hidden)"


def test_a_value_under_a_key_that_is_the_token_is_reported_without_it(make_items: Items) -> None:
    said = find(make_items(obj(data={TOKEN: {"x": TOKEN}})))
    assert len(said) == 2
    assert HALF not in str([result.as_data() for result in said])


def test_an_object_without_a_kind_or_name_is_reported(make_items: Items) -> None:
    (result,) = find(make_items({"spec": [[TOKEN]]}))
    assert result.field == "spec[0][0]"


def test_a_jwt_is_looked_for_whole(make_items: Items) -> None:
    items = make_items(obj(data={"a": JWT}), obj(data={"b": JWT.rpartition(".")[0]}))
    assert [result.field for result in find(items, JWT)] == ["data.a"]


def test_the_order_of_the_input_does_not_matter(make_items: Items) -> None:
    one, two = obj(data={"a": TOKEN}), obj("Pod", spec={"b": TOKEN})
    first, second = (find(make_items(*items)) for items in ((one, two), (two, one)))
    assert [result.message for result in first] == [result.message for result in second]


# --- the last sieve --------------------------------------------------------------------------------------------------


def test_a_result_of_any_room_loses_the_token() -> None:
    result = Result(
        message=f"label {TOKEN} is bad",
        field=f"metadata.labels[{TOKEN}]",
        file_path=f"clusters/{TOKEN}.yaml",
        resource_ref=ResourceRef(api_version="v1", kind="Pod", name=TOKEN, namespace=HALF),
        rule=TOKEN,
    )
    (clean,) = Redactor([Secret(TOKEN)]).results([result])
    assert HALF not in str(clean.as_data())
    assert HALF not in repr(clean)
    assert "label (hidden) is bad" in clean.message


def test_a_result_without_an_object_loses_it_too() -> None:
    (clean,) = Redactor([Secret(TOKEN), Secret(JWT)]).results([Result(message=f"a {JWT} b")])
    assert clean.message == "a (hidden) b"


def test_a_clean_result_stays_the_same_object() -> None:
    result = Result(message="fine")
    assert Redactor([Secret(TOKEN)]).results([result])[0] is result


def test_a_text_loses_every_token() -> None:
    text = Redactor([Secret(TOKEN), Secret(JWT)]).text(f"{TOKEN} {HALF} {JWT}")
    assert text == "(hidden) (hidden) (hidden)"


def test_a_value_too_short_to_be_a_token_is_not_looked_for() -> None:
    assert Redactor([Secret("a")]).text("a cat sat") == "a cat sat"


def test_before_a_token_is_known_its_shape_is_hidden() -> None:
    ref = ResourceRef(api_version="v1", kind="Pod", name=TOKEN)
    (clean,) = Redactor().results([Result(message=f"{JWT} is bad", resource_ref=ref)])
    assert clean.message == "(hidden) is bad"
    assert clean.resource_ref == ref.replace(name="(hidden)")


@pytest.mark.parametrize(
    ("text", "count"), [(f"a: {TOKEN}\na: x\n", 1), ('a: "\\x41"\na: x\n', 0)], ids=["with", "without"]
)
def test_an_item_that_can_not_be_read_is_judged_by_its_text(text: str, count: int) -> None:
    raw = f"kind: ConfigMap\ndata:\n  {text.replace(chr(10), chr(10) + '  ')}".encode()
    assert len(find([Item(raw, 0, len(raw), 0, 0, "v1", "ConfigMap")])) == count
