"""Agent options against the agent's release: flags and gates on which it would exit, and patches that would fail.

Each of these would happen on every cluster at once. All other rules about options are the configuration's: its tree in
`config/tree/agent.py`, and `config/rules.py`.
"""

from __future__ import annotations

from krm_fn.agent import manifests, releases
from krm_fn.base import nearest
from krm_fn.krm.results import Errors, Result
from krm_fn.kube.labels import label_key_error, label_value_error
from krm_fn.kube.secrets import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from krm_fn.model import AgentOptions, Patch

_TYPES = {dict: "an object", list: "a list", str: "a string", int: "a whole number", bool: "true or false"}


def review(options: AgentOptions) -> None:
    """Run all of them; `agent.check` calls this where an option is given that one of them looks at.

    Raises:
        Errors: With every error found; their fields begin with `spec.agent`.
    """
    found = [*_extra_args(options), *_gates(options), *_patches(options)]
    if found:
        raise Errors(found)


def _extra_args(options: AgentOptions) -> Iterator[Result]:
    for index, argument in enumerate(options["extraArgs"]):
        flag = releases.flag_name(argument)
        if needs := releases.needs(flag, options.version):
            message = (
                f"agent {options.version} exits on --{flag}, which is available from {needs}; remove it or upgrade"
            )
            yield Result(message=message, field=f"spec.agent.extraArgs[{index}]")
    if (
        releases.flag_value(options["extraArgs"], "secure-port") is not None
        and releases.health_port(options["extraArgs"]) < 0
    ):
        message = "--secure-port must be a port number, or 0 to serve no health checks"
        yield Result(message=message, field="spec.agent.extraArgs")


def _gates(options: AgentOptions) -> Iterator[Result]:
    given = {gate: f"spec.agent.featureGates.{gate}" for gate in options["featureGates"]}
    flag = releases.flag_value(options["extraArgs"], "feature-gates")
    if flag is not None:  # it replaces ours, the field's gates included
        given = {pair.partition("=")[0].strip(): "spec.agent.extraArgs" for pair in flag.split(",")}
    for gate, field in given.items():
        if needs := releases.needs(gate, options.version):
            message = f"agent {options.version} exits on the gate {gate}, which is available from {needs}; remove it or upgrade"
            yield Result(message=message, field=field)


# --- patches ---------------------------------------------------------------------------------------------------------


def _patches(options: AgentOptions) -> list[Result]:
    """Report patches that hit nothing, since they look applied and change no cluster, or that change what an object is."""
    if not options.patches:
        return []
    known = {manifests.target_of(one): one for one in manifests.every_object(options)}
    found: list[Result] = []
    for index, patch in enumerate(options.patches):
        where = f"spec.agent.patches[{index}]"
        one = known.get((patch.kind, patch.name))
        if one is None:
            found.append(_unknown(patch, sorted(known), f"{where}.target"))
            continue
        after = manifests.merged(one, patch.patch)
        damage = _damage(one, after)
        if not damage:
            known[patch.kind, patch.name] = after
        found += [
            Result(message=f"patch on {patch.kind} {patch.name} {reason}", field=f"{where}.patch") for reason in damage
        ]
    return found


def _unknown(patch: Patch, known: Sequence[tuple[str, str]], field: str) -> Result:
    """Report a patch of an object that the agent does not have, with the one that was most likely meant."""
    message = f"there is no agent object {patch.kind} {patch.name} to patch"
    names = [name for kind, name in known if kind == patch.kind]
    if not names:
        kinds = sorted({kind for kind, _ in known})
        return Result(message=f"{message}: it has objects of kind {', '.join(kinds)}", field=f"{field}.kind")
    near = names[0] if len(names) == 1 else nearest(patch.name, names)
    if near:
        return Result(
            message=f"{message}: did you mean {near}?",
            field=f"{field}.name",
            fix=f"name: {near}",
            current=patch.name,
            proposed=near,
        )
    return Result(message=f"{message}: the {patch.kind}s are {', '.join(names)}", field=f"{field}.name")


def _damage(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say what a patch must not have done: each of these would fail on every cluster, after the merge."""
    metadata = after.get("metadata")
    if not isinstance(metadata, dict):
        return ["must keep metadata an object"]
    found = [
        f"must not change {path}"
        for path, old, new in (
            ("apiVersion", before["apiVersion"], after.get("apiVersion")),
            ("kind", before["kind"], after.get("kind")),
            ("metadata.name", before["metadata"]["name"], metadata.get("name")),
            ("metadata.namespace", before["metadata"].get("namespace"), metadata.get("namespace")),
        )
        if old != new
    ]
    if before["kind"] == "Secret":
        found += [
            f"must not change {part}; the function alone writes it"
            for part in ("type", "data", "stringData")
            if before.get(part) != after.get(part)
        ]
    found += _not_strings("metadata", metadata)
    if before["kind"] == "Deployment":
        found += _broken_selector(after)
    if not found:
        found += [f"must keep {path} {_TYPES[kind]}" for path, kind in _other_types("", before, after)]
    if not found and before["kind"] == "Deployment":
        found += _broken_containers(after["spec"]["template"].get("spec", {}))
    return found


def _other_types(path: str, before: object, after: object) -> Iterator[tuple[str, type]]:
    """Yield the fields that a patch gives a value of another type, with ours: in our objects no field has two types."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted(before.keys() & after.keys()):
            yield from _other_types(f"{path}.{key}" if path else key, before[key], after[key])
    elif type(before) is not type(after):
        yield path, type(before)


def _broken_containers(pod: Mapping[str, Any]) -> list[str]:
    """Say where containers lack what a server requires: a patch that means to add to ours replaces their list."""
    lists = (pod.get("containers", []), pod.get("initContainers", []))
    every = [one for part in lists if isinstance(part, list) for one in part]
    whole = lists[0] and all(isinstance(part, list) for part in lists)
    if whole and all(isinstance(one, dict) and one.get("name") and one.get("image") for one in every):
        return []
    return ["must leave every container a name and an image: a list in a patch replaces ours as a whole"]


def _not_strings(path: str, metadata: Mapping[str, Any]) -> list[str]:
    found = []
    for part in ("labels", "annotations"):
        values = metadata.get(part, {})
        if not isinstance(values, dict):
            found.append(f"must keep {path}.{part} an object")
            continue
        for key, value in values.items():
            if not isinstance(value, str):
                found.append(f"gives {path}.{part}[{key}] a value that is not a string; quote it")
            elif part == "labels" and (reason := label_value_error(value)):
                found.append(f"gives {path}.{part}[{key}] a bad value: it {reason}")
            if reason := label_key_error(key if part == "labels" else key.lower()):
                found.append(f"gives {path}.{part} a bad key {quoted(key)!r}: it {reason}")
    return found


def _broken_selector(deployment: Mapping[str, Any]) -> list[str]:
    """Say where a Deployment's selector no longer finds its own pods (which the API server refuses)."""
    spec = deployment.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    metadata = template.get("metadata") if isinstance(template, dict) else None
    if not isinstance(spec, dict):
        return ["leaves no spec: give the fields to change, indented below spec"]
    if not isinstance(metadata, dict):
        return ["must keep spec.template.metadata an object"]
    found = _not_strings("spec.template.metadata", metadata)
    if found:
        return found
    selector = spec.get("selector")
    wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
    labels = metadata.get("labels", {})
    if not isinstance(wanted, dict) or any(labels.get(key) != value for key, value in wanted.items()):
        found.append("must not make the labels of spec.template differ from spec.selector")
    return found
