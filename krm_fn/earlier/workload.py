"""What ClusterResourceSets do to one workload cluster, as Cluster API's controller does it.

Source: Cluster API v1.14.2 `core/reconcilers/clusterresourceset`. A ClusterResourceSetBinding records per set and resource the
hash of what was applied. `Reconcile` applies a resource whose hash is another one, or that the set has not applied yet: it
creates objects and replaces those that exist. `ApplyOnce` applies a resource once, and then creates only. Nothing is ever
pruned. An object that the server refuses stops no other one.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from krm_fn.base import Record
from krm_fn.krm.results import Errors
from krm_fn.krm.streams import read_stream
from krm_fn.kube import raw, secrets
from krm_fn.surface import AGENT, PARENT_URL_KEY, REGISTRATION_SECRET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    Objects = Mapping[str, Mapping[str, Any]]  # by title, such as `Deployment clusternet-system/clusternet-agent`

_WITH_PODS = ("Deployment", "StatefulSet", "DaemonSet")
_BINDINGS = ("RoleBinding", "ClusterRoleBinding")


class Delivery(NamedTuple):
    """One resource of a ClusterResourceSet, with its values in the order of their keys; None where they are not known."""

    set: str
    strategy: str
    kind: str
    name: str
    texts: tuple[str, ...] | None

    @property
    def entry(self) -> tuple[str, str, str]:
        """What a ClusterResourceSetBinding records it under."""
        return (self.set, self.kind, self.name)


class Transition(Record):
    """What becomes of a workload cluster; objects are titles."""

    rolls: bool = False  # whether the agent's pods are replaced
    created: tuple[str, ...] = ()
    # objects that are replaced by different ones, the agent's Deployment not among them where it rolls
    replaced: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()  # objects that differ, and that ApplyOnce leaves as they are
    refused: tuple[tuple[str, str], ...] = ()  # objects that the server refuses, each with the immutable field
    left: tuple[str, ...] = ()  # objects that nothing delivers any more; they stay
    parents: tuple[str, str] | None = None  # the parent URL before and after, where the agent gets another one
    namespaces: tuple[str, str] | None = None  # the agent's namespace before and after, where it gets another one


def transition(before: Sequence[Delivery], after: Sequence[Delivery]) -> Transition:
    """Return what becomes of a workload cluster that has got everything that was delivered before."""
    then: dict[str, Mapping[str, Any]] = {}
    applied: dict[tuple[str, str, str], tuple[str, ...] | None] = {}
    for one in before:
        applied[one.entry] = one.texts
        objects = read_objects(one.texts or ())
        then.update({title: objects[title] for title in objects if one.strategy != "ApplyOnce" or title not in then})
    now = dict(then)
    ignored: set[str] = set()
    refused: dict[str, str] = {}
    for one in after:
        known, was = one.entry in applied, applied.get(one.entry)
        if one.texts is None or one.texts == was or (known and was is None):
            continue  # nothing new, or it is unknown what was there
        once = one.strategy == "ApplyOnce"
        for title, value in read_objects(one.texts).items():
            old = now.get(title)
            if old is not None and old != value and not once and (field := immutable(old, value)):
                refused[title] = field
            elif once and (known if old is None else old != value):
                ignored.add(title)
            else:
                now[title] = value
    delivered = read_objects(text for one in after for text in one.texts or ())
    differing = sorted(title for title in then if then[title] != now[title])
    rolling = [title for title in differing if _is_agent(now[title]) and _pods(then[title]) != _pods(now[title])]
    return Transition(
        rolls=bool(rolling),
        created=tuple(sorted(now.keys() - then.keys())),
        replaced=tuple(title for title in differing if title not in rolling),
        ignored=tuple(sorted(title for title in ignored if now.get(title) != delivered.get(title))),
        refused=tuple(sorted(refused.items())),
        left=() if any(one.texts is None for one in after) else tuple(sorted(then.keys() - delivered.keys())),
        parents=_change(_parent(then), _parent(now)),
        namespaces=_change(_agent_namespace(then), _agent_namespace(now)),
    )


def read_objects(texts: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Return the objects of some texts by title; what can't be read is left out, as Cluster API can't apply it."""
    found: dict[str, Mapping[str, Any]] = {}
    for text in texts:
        found.update(_read(text))
    return found


@lru_cache(maxsize=1024)
def _read(text: str) -> Objects:
    try:
        return {raw.title(item): item.value() for item in read_stream(text.encode())}
    except Errors:
        return {}


def immutable(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return the field for whose sake a server refuses to replace an object; "" if it does not."""
    kind = new.get("kind")
    if kind in _BINDINGS and old.get("roleRef") != new.get("roleRef"):
        return "roleRef"
    if kind in _WITH_PODS and raw.dig(old, "spec", "selector") != raw.dig(new, "spec", "selector"):
        return "spec.selector"
    if kind == "Secret" and old.get("type", "Opaque") != new.get("type", "Opaque"):
        return "type"
    return ""


def _change(old: str, new: str) -> tuple[str, str] | None:
    return (old, new) if old and new and old != new else None


def _pods(deployment: Mapping[str, Any]) -> Any:
    return raw.dig(deployment, "spec", "template")


def _is_agent(value: Mapping[str, Any]) -> bool:
    return value.get("kind") == "Deployment" and raw.text(value, "metadata", "name") == AGENT


def _agent_namespace(objects: Objects) -> str:
    """Return the namespace of the newest agent; "" if there is none."""
    found = [raw.text(value, "metadata", "namespace") for value in objects.values() if _is_agent(value)]
    return found[-1] if found else ""


def _parent(objects: Objects) -> str:
    """Return the parent URL that the newest agent gets; "" if it is not known."""
    found = ""
    for value in objects.values():
        if value.get("kind") == "Secret" and raw.text(value, "metadata", "name") == REGISTRATION_SECRET:
            found = secrets.texts(value).get(PARENT_URL_KEY) or ""
    return found
