"""The user's patches: JSON merge patches (RFC 7386) on agent objects, found by kind and name.

A patch may change anything but what an object is (apiVersion, kind, name, namespace). One that hits nothing is an error:
it would look applied and change no cluster.
"""

from __future__ import annotations

from krm_fn.base import nearest
from krm_fn.krm.results import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.model import Patch

FIELD = "spec.agent.patches"


def merge(target: Any, patch: Any) -> Any:
    """Apply a merge patch and return the result; neither argument changes (RFC 7386, section 2)."""
    if not isinstance(patch, dict):
        return patch
    out = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            out.pop(key, None)
        else:
            out[key] = merge(out.get(key), value)
    return out


def apply(objects: Iterable[dict[str, Any]], patches: Sequence[Patch]) -> list[dict[str, Any]]:
    """Return the objects with the patches that aim at them applied, in the order of the patches."""
    return [_patched(one, patches) for one in objects]


def errors(objects: Sequence[dict[str, Any]], patches: Sequence[Patch]) -> list[Result]:
    """Return what is wrong with patches.

    Args:
        objects: Every agent object of the release, before patches.
        patches: The patches, in the order of `spec.agent.patches`.
    """
    known = {_target(one): one for one in objects}
    found: list[Result] = []
    for index, patch in enumerate(patches):
        where = f"{FIELD}[{index}]"
        one = known.get((patch.kind, patch.name))
        if one is None:
            found.append(_unknown(patch, sorted(known), f"{where}.target"))
            continue
        after = merge(one, patch.patch)
        damage = _damage(one, after)
        if not damage:
            known[patch.kind, patch.name] = after
        found.extend(
            Result(message=f"patch on {patch.kind} {patch.name} {reason}", field=f"{where}.patch") for reason in damage
        )
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


def _patched(one: dict[str, Any], patches: Sequence[Patch]) -> dict[str, Any]:
    for patch in patches:
        if (patch.kind, patch.name) == _target(one):
            one = merge(one, patch.patch)
    return one


def _target(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["kind"], one["metadata"]["name"]


def _damage(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Say what a patch must not have done: each of these would fail on every cluster, after the merge."""
    metadata = after.get("metadata")
    if not isinstance(metadata, dict):
        return ["must leave metadata an object"]
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
    return found


def _not_strings(path: str, metadata: Mapping[str, Any]) -> list[str]:
    found = []
    for part in ("labels", "annotations"):
        values = metadata.get(part, {})
        if not isinstance(values, dict):
            found.append(f"must leave {path}.{part} an object")
            continue
        found += [
            f"gives {path}.{part}[{key}] a value that is not a string; quote it"
            for key, value in values.items()
            if not isinstance(value, str)
        ]
    return found


def _broken_selector(deployment: Mapping[str, Any]) -> list[str]:
    """Say where a Deployment's selector no longer finds its own pods (which the API server refuses)."""
    spec = deployment.get("spec")
    template = spec.get("template") if isinstance(spec, dict) else None
    metadata = template.get("metadata") if isinstance(template, dict) else None
    if not isinstance(spec, dict):
        return ["leaves no spec: below spec, give the fields to change, indented"]
    if not isinstance(metadata, dict):
        return ["must leave spec.template.metadata an object"]
    found = _not_strings("spec.template.metadata", metadata)
    if found:
        return found
    selector = spec.get("selector")
    wanted = selector.get("matchLabels") if isinstance(selector, dict) else None
    labels = metadata.get("labels", {})
    if not isinstance(wanted, dict) or any(labels.get(key) != value for key, value in wanted.items()):
        found.append("must leave spec.selector and the labels of spec.template in agreement")
    return found
