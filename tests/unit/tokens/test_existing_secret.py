"""The Secret that the user keeps, judged by what the input shows of it."""

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest

from krm_fn.agent import registration_values
from krm_fn.clusters import Inventory
from krm_fn.krm.items import Item
from krm_fn.krm.results import Result
from krm_fn.kube.secrets import Secret
from krm_fn.model import Config
from krm_fn.tokens import sources
from krm_fn.tokens.sources import ExistingSource, ValueSource

TOKEN = "q2w3e4.r5t6y7u8i9o0p1a2"
TYPE = "addons.cluster.x-k8s.io/resource-set"

Make = Callable[..., Config]
Items = Callable[..., list[Item]]


def check(config: Config, items: list[Item], *namespaces: str) -> list[Result]:
    return list(sources.check(config, items, Inventory(items, ["reg"]), namespaces))


@pytest.fixture
def config(make_config: Make) -> Config:
    return make_config(source=ExistingSource(name="reg"))


def sealed(template: Any, name: str = "reg") -> dict[str, Any]:
    spec = {"encryptedData": {"registration.yaml": "AgB"}, "template": template}
    return {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": {"name": name}, "spec": spec}


def external(target: Any, name: str = "reg") -> dict[str, Any]:
    spec = {"target": target}
    return {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": {"name": name}, "spec": spec}


def plain(name: str = "reg", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "type": TYPE, **fields}


def manifest(url: str = "https://parent.example.com:6443") -> str:
    return (
        "kind: Secret\nmetadata:\n  name: clusternet-agent-cluster-registration\n  namespace: clusternet-system\n"
        f"stringData:\n  parentURL: {url}\n  regToken: {TOKEN}\n"
    )


@pytest.mark.parametrize(
    ("one", "said"),
    [
        pytest.param(sealed({}), "SealedSecret reg .* set spec.template.type to addons", id="sealed without a type"),
        pytest.param(sealed(None), "set spec.template.type", id="sealed without a template"),
        pytest.param(sealed({"type": "Opaque"}), "set spec.template.type", id="sealed of another type"),
        pytest.param(
            sealed({"metadata": {"name": "reg"}}, "other-reg"), "SealedSecret other-reg", id="sealed, named by its template"
        ),
        pytest.param(external(None), "ExternalSecret reg .* set spec.target.template.type", id="external without a target"),
        pytest.param(external({"template": {"type": "Opaque"}}), "set spec.target.template.type", id="external of a type"),
        pytest.param(external({"name": "reg"}, "x"), "ExternalSecret x", id="external, named by its target"),
    ],
)  # fmt: skip
def test_what_will_make_a_secret_of_the_wrong_type_is_an_error(
    config: Config, make_items: Items, one: dict[str, Any], said: str
) -> None:
    (result,) = check(config, make_items({"kind": "Pod"}, one))
    assert result.severity == "error"
    assert re.search(said, result.message)


@pytest.mark.parametrize(
    "one",
    [
        pytest.param(sealed({"type": TYPE}), id="sealed"),
        pytest.param(sealed({}, "reg-of-another"), id="sealed under another name"),
        pytest.param(sealed({"metadata": {"name": "other"}}), id="sealed for another name"),
        pytest.param(external({"template": {"type": TYPE}}), id="external"),
        pytest.param(external({"name": "other"}), id="external for another name"),
        pytest.param(plain(stringData={"r.yaml": manifest()}), id="Secret in plain text"),
        pytest.param(plain(data={"r.yaml": base64.b64encode(manifest().encode()).decode()}), id="Secret in base64"),
        pytest.param(plain("other-reg", stringData={"r.yaml": "x"}), id="another Secret"),
        pytest.param(plain(data={"r.yaml": "ENC[AES256_GCM,data:x]"}), id="encrypted data"),
        pytest.param(plain(stringData={"r.yaml": "ENC[AES256_GCM,data:x]"}), id="encrypted stringData"),
        pytest.param(plain(data=["x"]), id="data no map"),
    ],
)
def test_what_fits_or_can_not_be_judged_gets_nothing(config: Config, make_items: Items, one: dict[str, Any]) -> None:
    assert check(config, make_items(one)) == []


def test_the_manifest_that_we_print_fits(config: Config, make_items: Items) -> None:
    values = registration_values(config.agent, config.parent_url, TOKEN)
    data = {key: base64.b64encode(text.encode()).decode() for key, text in values.items()}
    assert check(config, make_items(plain(data=data))) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"stringData": {"regToken": TOKEN}}, "does not hold the Secret clusternet-agent", id="bare token"),
        pytest.param({"data": {"r": "%%%"}}, "does not hold the Secret clusternet-agent", id="no base64"),
        pytest.param(
            {"stringData": {"r": manifest("https://old.example.com")}}, "names a different parent", id="another parent"
        ),
        pytest.param(
            {"stringData": {"r": manifest().replace("clusternet-system", "clusternet")}},
            "for the agent's namespace clusternet-system",
            id="another agent namespace",
        ),
        pytest.param(
            {"stringData": {"r": manifest().replace("  namespace: clusternet-system\n", "")}},
            "for the agent's namespace clusternet-system",
            id="no namespace, which nothing defaults",
        ),
        pytest.param(
            {"stringData": {"r": manifest().replace("regToken", "token")}},
            "has no regToken",
            id="another key of the token",
        ),
    ],
)
def test_a_secret_with_which_the_agent_can_not_work_gets_a_warning(
    config: Config, make_items: Items, fields: dict[str, Any], said: str
) -> None:
    (result,) = check(config, make_items(plain(**fields)))
    assert result.severity == "warning"
    assert said in result.message
    assert TOKEN not in str(result.as_data())


def test_another_source_is_not_judged(make_config: Make, make_items: Items) -> None:
    assert check(make_config(source=ValueSource(value=Secret(TOKEN))), make_items(sealed({}))) == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"type": "Opaque"}, "must be of type addons", id="type"),
        pytest.param({}, "under at least one key", id="no data"),
        pytest.param({"data": {"r": 1}}, "under at least one key", id="no text"),
        pytest.param({"data": {"r": "eA=="}}, "fewer than 32 bytes", id="short data"),
        pytest.param({"stringData": {"r": "x" * 31}}, "fewer than 32 bytes", id="short stringData"),
    ],
)
def test_a_secret_that_a_resource_set_refuses_is_an_error(
    config: Config, make_items: Items, fields: dict[str, Any], said: str
) -> None:
    (result,) = check(config, make_items(plain(**fields)), "")
    assert result.severity == "error"
    assert said in result.message


def test_a_secret_that_a_resource_set_refuses_is_nothing_where_it_is_not_needed(
    config: Config, make_items: Items
) -> None:
    assert check(config, make_items(plain(type="Opaque")), "team-a") == []


def test_the_order_of_the_input_does_not_matter(config: Config, make_items: Items) -> None:
    one, two = sealed({}), external({})
    first, second = (check(config, make_items(*items)) for items in ((one, two), (two, one)))
    assert [result.message for result in first] == [result.message for result in second]
