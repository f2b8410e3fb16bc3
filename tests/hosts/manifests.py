"""Reads what the hosts print, as plain Kubernetes objects, and asks the questions that every host test has."""

from __future__ import annotations

from typing import Any

import yaml

Manifest = dict[str, Any]
Identity = tuple[str, str, str]  # kind, namespace, name

TOKEN = "7fq2kd.m4v9x0c8b1n6z3pw"
OWNER = "fn.clusternet.io/owner"


def read(text: str) -> list[Manifest]:
    """The documents of a stream, empty ones left out."""
    return [value for value in yaml.load_all(text, Loader=yaml.CSafeLoader) if value]


def identity(value: Manifest) -> Identity:
    """Kind, namespace and name."""
    return (value["kind"], value["metadata"].get("namespace", ""), value["metadata"]["name"])


def index(values: list[Manifest]) -> dict[Identity, Manifest]:
    """The objects by identity; a duplicate is an error."""
    found = {identity(value): value for value in values}
    assert len(found) == len(values), "an object appears twice in the output"
    return found


def generated(values: list[Manifest]) -> set[Identity]:
    """What carries our mark."""
    return {identity(value) for value in values if OWNER in value["metadata"].get("annotations", {})}


def dangling(values: list[Manifest]) -> set[Identity]:
    """What a ClusterResourceSet refers to and the output lacks."""
    there = {identity(value) for value in values}
    wanted = {
        (entry["kind"], value["metadata"].get("namespace", ""), entry["name"])
        for value in values
        if value["kind"] == "ClusterResourceSet"
        for entry in value["spec"]["resources"]
    }
    return wanted - there


def shared(namespace: str, name: str = "clusternet-cluster-api", prefix: str = "", suffix: str = "") -> set[Identity]:
    """The five objects that a namespace gets with `identity.mode: Shared`."""
    return {
        (kind, namespace, f"{prefix}{name}{part}{suffix}")
        for kind, part in (
            ("ConfigMap", "-identity"),
            ("Secret", "-registration"),
            ("ConfigMap", "-agent"),
            ("ClusterResourceSet", "-identity"),
            ("ClusterResourceSet", ""),
        )
    }
