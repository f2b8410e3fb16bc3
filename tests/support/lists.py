"""Builds ResourceLists for tests and runs the function over them, in this process."""

from __future__ import annotations

import copy
import io
import re
from typing import Any

import yaml

from krm_fn import function
from krm_fn.earlier import Baseline
from krm_fn.krm import resource_list, runner
from krm_fn.surface import RENDER
from krm_fn.tokens.offers import Offers

TOKEN = "plantd.0123456789abcdef"

SPEC: dict[str, Any] = {
    "parentURL": "https://parent.example.com:6443",
    "registrationToken": {"value": TOKEN},
    "clusterSelector": {"matchLabels": {"env": "prod"}},
}


def config(name: str = "fleet", namespace: str = "", annotations: dict[str, str] | None = None, **spec: Any) -> Any:
    """A config; keyword arguments replace whole fields of the spec, None drops one."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    if annotations:
        metadata["annotations"] = annotations
    merged = {key: value for key, value in copy.deepcopy({**SPEC, **spec}).items() if value is not None}
    return {
        "apiVersion": "fn.clusternet.io/v1alpha1",
        "kind": "ClusternetCAPIConfig",
        "metadata": metadata,
        "spec": merged,
    }


def cluster(  # noqa: PLR0913 - the parts of a Cluster, each by name
    name: str,
    namespace: str = "team-a",
    *,
    labels: dict[str, Any] | None = None,
    version: str = "v1beta2",
    topology: bool = False,
    annotations: dict[str, str] | None = None,
) -> Any:
    """A Cluster, labelled `env: prod` unless told otherwise."""
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {"env": "prod"} if labels is None else labels
    if annotations:
        metadata["annotations"] = annotations
    spec: dict[str, Any] = (
        {"topology": {"class": "quick-start", "version": "v1.31.0"}} if topology else {"paused": False}
    )
    return {"apiVersion": f"cluster.x-k8s.io/{version}", "kind": "Cluster", "metadata": metadata, "spec": spec}


def named(kind: str, name: str, namespace: str = "team-a", api_version: str = "v1", **rest: Any) -> Any:
    """Any object."""
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **rest}


def document(items: list[Any], function_config: Any = None, api_version: str = "config.kubernetes.io/v1") -> bytes:
    """A ResourceList in the block style of kustomize and kpt."""
    value: dict[str, Any] = {"apiVersion": api_version, "kind": "ResourceList", "items": items}
    if function_config is not None:
        value["functionConfig"] = function_config
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, default_flow_style=False, allow_unicode=True).encode()


class _Dumper(yaml.SafeDumper):
    """Quotes what Kubernetes' parsers could take for something else than a string (PyYAML leaves `n` and `1e3` bare)."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _quoted(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    plain = re.fullmatch(r"[A-Za-z][\w./-]{5,}", text, re.ASCII)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


_Dumper.add_representer(str, _quoted)


class Run:
    """One run: exit code, output, stderr, and the output re-read by PyYAML."""

    def __init__(self, data: bytes, environment: dict[str, str] | None = None, **options: Any) -> None:
        self.outcome: function.Outcome | None = None
        if options.get("baseline") is not None:
            options["baseline"] = Baseline(items=options["baseline"], nothing="the baseline holds nothing of ours")
        settings = function.Options(offers=Offers(environment or {}, "/nonexistent"), **options)

        def process(found: resource_list.ResourceList) -> None:
            self.outcome = function.run(found, settings)

        stdout, stderr = io.BytesIO(), io.StringIO()
        self.code = runner.run(process, io.BytesIO(data), stdout, stderr, render=RENDER)
        self.stdout, self.stderr = stdout.getvalue(), stderr.getvalue()
        self.data: dict[str, Any] = yaml.safe_load(self.stdout) if self.stdout else {}

    @property
    def items(self) -> list[Any]:
        return self.data["items"]

    @property
    def plan(self) -> Any:
        assert self.outcome is not None
        assert self.outcome.plan is not None
        return self.outcome.plan

    def names(self) -> set[tuple[str, str, str]]:
        """Kind, namespace and name of every item in the output."""
        return {(one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) for one in self.items}

    def item(self, kind: str, name: str, namespace: str = "team-a") -> Any:
        found = [
            one
            for one in self.items
            if (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]) == (kind, namespace, name)
        ]
        assert len(found) == 1, f"{kind} {namespace}/{name} appears {len(found)} times in the output"
        return found[0]

    def messages(self, severity: str = "error") -> list[str]:
        return [one["message"] for one in self.data.get("results", []) if one["severity"] == severity]


def run(items: list[Any], function_config: Any = None, **options: Any) -> Run:
    return Run(document(items, function_config if function_config is not None else config()), **options)
