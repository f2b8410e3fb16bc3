"""A Plan against an earlier rendered tree: what comes, changes and goes, and where pods will restart.

Values of Secrets are hidden before anything is compared as text.
"""

from __future__ import annotations

import difflib

from krm_fn.base.records import Record
from krm_fn.files import documents
from krm_fn.krm import host_annotations
from krm_fn.model import ObjectKey
from krm_fn.surface import agent_of
from krm_fn.yaml.write import dump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from krm_fn.clusters.inventory import Owned
    from krm_fn.model import Config, Generated, Verdict

HIDDEN = "(hidden)"
HIDDEN_CHANGED = "(hidden, changed)"


class Change(Record):
    """An object that stays and differs.

    Attributes:
        key: Its identity.
        diff: Lines of a unified diff of its YAML, Secret values hidden.
    """

    key: ObjectKey
    diff: tuple[str, ...]


class Comparison(Record):
    """What a render would change against an earlier tree.

    Attributes:
        added: Objects that are new.
        changed: Objects that differ.
        removed: Objects that go.
        unchanged: How many stay as they are.
        gained: Titles of Clusters that are served now and were not.
        lost: Titles of Clusters that were served and no longer are; None where the tree holds no Cluster objects.
        rolled: Titles of Clusters on which the agent's pods restart.
        held: Titles of Clusters whose payload differs, but whose strategy ApplyOnce never brings the change.
    """

    added: tuple[ObjectKey, ...]
    changed: tuple[Change, ...]
    removed: tuple[ObjectKey, ...]
    unchanged: int
    gained: tuple[str, ...]
    lost: tuple[str, ...] | None
    rolled: tuple[str, ...]
    held: tuple[str, ...]

    @property
    def empty(self) -> bool:
        """Whether the render changes nothing."""
        return not (self.added or self.changed or self.removed)


def compare(
    configs: Sequence[Config],
    generated: Sequence[Generated],
    verdicts: Iterable[Verdict],
    before: Sequence[Owned],
    covered: Iterable[str] | None,
) -> Comparison:
    """Compare what is generated with what an earlier tree holds of the same configs.

    Args:
        configs: The configs rendered.
        generated: Their objects.
        verdicts: What was decided about each Cluster.
        before: Objects of the earlier tree that we made.
        covered: Titles of the Clusters that the earlier tree serves; None if it holds no Cluster objects.
    """
    owners = {config.owner: config for config in configs}
    old = {one.key: one for one in before if one.owner in owners}
    new = {one.key: one for one in generated}
    changed = []
    for key in sorted(old.keys() & new.keys(), key=tuple):
        earlier, _ = host_annotations.split(old[key].item.value())
        if earlier != new[key].value:
            changed.append(Change(key=key, diff=_diff(key, earlier, new[key].value)))
    different = {change.key for change in changed}
    served = [verdict for verdict in verdicts if verdict.matched]
    titles = {verdict.cluster.title for verdict in served}
    rolled: list[str] = []
    held: list[str] = []
    for verdict in served:
        config = owners[verdict.config]
        own = verdict.cluster.name if config.per_cluster else ""
        key = _agent_key(verdict.cluster.namespace, agent_of(config.resource_set.name, own))
        if key in different and _template(old[key].item.value()) != _template(new[key].value):
            (held if config.resource_set.strategy == "ApplyOnce" else rolled).append(verdict.cluster.title)
    lost = None if covered is None else tuple(sorted(set(covered) - titles))
    return Comparison(
        added=tuple(sorted(new.keys() - old.keys(), key=tuple)),
        changed=tuple(changed),
        removed=tuple(sorted(old.keys() - new.keys(), key=tuple)),
        unchanged=len(old.keys() & new.keys()) - len(changed),
        gained=tuple(
            sorted(titles if covered is None and not old else titles - set(titles if covered is None else covered))
        ),
        lost=lost,
        rolled=tuple(rolled),
        held=tuple(held),
    )


def _agent_key(namespace: str, name: str) -> ObjectKey:
    return ObjectKey(group="", kind="ConfigMap", namespace=namespace, name=name)


def _template(config_map: Mapping[str, Any]) -> list[Any]:
    """Return the pod templates in an agent ConfigMap: only their change restarts pods."""
    data = config_map.get("data")
    found = []
    for text in data.values() if isinstance(data, dict) else ():
        for item in documents.read_stream(str(text).encode()):
            if item.kind == "Deployment":
                spec = item.value().get("spec")
                found.append(spec.get("template") if isinstance(spec, dict) else None)
    return found


def _diff(key: ObjectKey, old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[str, ...]:
    before, after = redacted(old, None), redacted(new, old)
    title = f"{key.kind} {key.namespace}/{key.name}" if key.namespace else f"{key.kind} {key.name}"
    lines = difflib.unified_diff(
        dump(before).splitlines(), dump(after).splitlines(), f"baseline: {title}", f"render: {title}", lineterm="", n=2
    )
    return tuple(lines)


def redacted(value: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return an object with the values of a Secret hidden; with `old`, those that differ are marked as changed."""
    if value.get("kind") != "Secret":
        return dict(value)
    found = dict(value)
    for part in ("data", "stringData"):
        if isinstance(value.get(part), dict):
            before = old.get(part) if old is not None else None
            before = before if isinstance(before, dict) else value[part]
            found[part] = {
                key: HIDDEN if before.get(key) == one else HIDDEN_CHANGED for key, one in value[part].items()
            }
    return found
