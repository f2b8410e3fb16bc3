"""`kube.resources`: quantities, and requests beside their limits, as an API server compares them."""

from __future__ import annotations

import pytest

from krm_fn.kube.resources import amount, faults, fractions

AMOUNTS = {
    "1": 10**9,
    "+.5": 5 * 10**8,
    "5.": 5 * 10**9,
    "100m": 10**8,
    "1n": 1,
    "0.1n": 1,
    "1.5Ki": 1536 * 10**9,
    "2G": 2 * 10**18,
    "1E": 10**27,
    "1e3": 10**12,
    "1E-3": 10**6,
    "0e999999999999": 0,
    0.5: 5 * 10**8,
    1e-05: 10**4,
    1e22: 10**31,
    3: 3 * 10**9,
}


@pytest.mark.parametrize(("quantity", "expected"), AMOUNTS.items(), ids=map(str, AMOUNTS))
def test_a_quantity_is_counted_in_billionths(quantity: str | float, expected: int) -> None:
    assert amount(quantity) == expected


def test_a_vast_exponent_takes_no_time() -> None:
    assert amount("1e" + "9" * 60) > amount("1E")
    assert amount("1e-" + "9" * 60) == 1


def test_what_is_no_quantity_is_refused() -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        amount("1GiB")


# What kube-apiserver v1.36.3 accepts and refuses.
@pytest.mark.parametrize(
    ("requests", "limits"),
    [
        pytest.param({}, {}, id="nothing"),
        pytest.param({"cpu": "1"}, {"memory": 1}, id="different resources"),
        pytest.param({"cpu": "1000m"}, {"cpu": 1}, id="equal in other words"),
        pytest.param({"cpu": "1"}, {"cpu": "1.0000000001"}, id="a little less"),
        pytest.param({}, {"a.example/x": 1}, id="a device by its limit"),
        pytest.param({"a.example/x": "1k"}, {"a.example/x": 1000}, id="a device, equal"),
        pytest.param({"kubernetes.io/x": "0.5"}, {}, id="a resource of Kubernetes' own"),
        pytest.param({"memory": 1}, {"hugepages-2Mi": "4Mi"}, id="huge pages beside memory"),
        pytest.param({"memory": 1, "hugepages-1Gi": 0}, {"hugepages-1Gi": "0"}, id="no huge pages"),
    ],
)
def test_what_a_server_accepts_has_no_faults(requests: dict[str, str | float], limits: dict[str, str | float]) -> None:
    assert list(faults(requests, limits)) == []


@pytest.mark.parametrize(
    ("requests", "limits", "part", "reason"),
    [
        pytest.param({"cpu": "2Gi"}, {"cpu": "128Mi"}, "requests", "more than the limit of 128Mi", id="more"),
        pytest.param({"cpu": 1}, {"cpu": 0}, "requests", "more than the limit of 0", id="no limit left"),
        pytest.param({"a.example/x": 0}, {}, "requests", "under limits", id="a device without a limit"),
        pytest.param({"a.example/x": 1}, {"a.example/x": 2}, "requests", "the same as", id="fewer devices"),
        pytest.param({}, {"a.example/x": "1.0001"}, "limits", "whole number", id="a part of a device"),
        pytest.param({"kubernetes.io/x": 2}, {"kubernetes.io/x": 1}, "requests", "more than", id="Kubernetes' own"),
        pytest.param({}, {"cpu": 1, "hugepages-2Mi": 1}, "limits", "size of a page", id="a part of a page"),
        pytest.param({}, {"hugepages-2Mi": "2Mi"}, "limits", "cpu or memory", id="huge pages alone"),
        pytest.param({"cpu": 1, "hugepages-1Gi": "1Gi"}, {}, "requests", "under limits", id="pages without a limit"),
    ],
)
def test_what_a_server_refuses_is_said(
    requests: dict[str, str | float], limits: dict[str, str | float], part: str, reason: str
) -> None:
    ((where, name, text),) = faults(requests, limits)
    assert where == part
    assert name in {**requests, **limits}
    assert reason in text


def test_half_a_byte_is_named_and_half_a_core_is_not() -> None:
    assert list(fractions({"memory": "512m", "ephemeral-storage": 0.5, "cpu": "500m"})) == [
        "memory",
        "ephemeral-storage",
    ]
    assert list(fractions({"memory": "0.5Ki", "ephemeral-storage": 1e3, "cpu": "500m"})) == []
