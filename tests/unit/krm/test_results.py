from __future__ import annotations

from krm_fn.krm.results import ERROR, INFO, WARNING, Errors, ResourceRef, Result, has_errors


def test_a_result_with_everything_has_the_fields_of_the_specification() -> None:
    whole = Result(
        message="m",
        severity=WARNING,
        resource_ref=ResourceRef(api_version="v1", kind="A", name="n", namespace="ns"),
        field="spec.x",
        file_path="a.yaml",
        file_index=3,
        rule="r",
    )
    assert whole.as_data() == {
        "message": "m",
        "severity": "warning",
        "resourceRef": {"apiVersion": "v1", "kind": "A", "name": "n", "namespace": "ns"},
        "field": {"path": "spec.x"},
        "file": {"path": "a.yaml", "index": 3},
        "tags": {"rule": "r"},
    }


def test_what_is_not_known_is_left_out() -> None:
    assert Result(message="m").as_data() == {"message": "m", "severity": "error"}
    ref = ResourceRef(api_version="v1", kind="A", name="n")
    assert "namespace" not in str(Result(message="m", resource_ref=ref, file_path="a.yaml").as_data())
    assert Result(message="m", file_path="a.yaml").as_data()["file"] == {"path": "a.yaml"}


def test_errors_carry_their_results() -> None:
    both = Errors([Result(message="a"), Result(message="b")])
    assert [one.message for one in both.results] == ["a", "b"]
    assert str(both) == "error: a; error: b"
    assert Errors.of("c", field="spec").results == (Result(message="c", field="spec"),)


def test_errors_are_reported_from_the_rest() -> None:
    assert has_errors([Result(message="m", severity=INFO), Result(message="m", severity=ERROR)])
    assert not has_errors([Result(message="m", severity=INFO), Result(message="m", severity=WARNING)])


def test_an_object_that_is_in_no_file_is_named_once() -> None:
    for name in ("a", "a b"):
        ref = ResourceRef(api_version="v1", kind="Cluster", name=name)
        for message in (f"Cluster {name}: is wrong", "is wrong"):
            assert Result(message=message, resource_ref=ref).text() == f"error: Cluster {name}: is wrong"
