"""`clusterResourceSet.extraResources`: what the input shows of objects that the user keeps beside ours.

Cluster API skips what is missing, and reports success. The user may keep an object anywhere, so one that is not in the
input is no error; one that is there under nearly the right name most likely is.
"""

from __future__ import annotations

from krm_fn.base import full_name, late, some
from krm_fn.krm.results import ERROR, WARNING, Result, tagged
from krm_fn.surface import RESOURCE_SET_TYPE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from krm_fn.krm.items import Item
    from krm_fn.model import Config, ExtraResource

_HASH = late(r"-[a-z0-9]{10}\Z")  # what kustomize's generators append


def check(config: Config, items: Sequence[Item], namespaces: Sequence[str]) -> Iterator[Result]:
    """Report extra resources that the input holds under another name, in another namespace, or of a wrong type.

    Args:
        config: The config.
        items: The whole input.
        namespaces: Where its ClusterResourceSets are.
    """
    for index, extra in enumerate(config.resource_set.extra_resources):
        found = {
            (item.namespace, item.name): item
            for item in items
            if item.kind == extra.kind and not item.group and _is_near(item.name, extra.name)
        }
        for namespace in namespaces:
            item = found.get((namespace, extra.name))
            if item is not None and extra.kind == "Secret" and item.value().get("type") != RESOURCE_SET_TYPE:
                yield Result(
                    message=(
                        f"Secret {full_name(namespace, extra.name)} (spec.clusterResourceSet.extraResources) must be of type"
                        f" {RESOURCE_SET_TYPE}: a ClusterResourceSet applies no other"
                    ),
                    severity=ERROR,
                    tags=tagged(rule="extra-resource"),
                    **item.place("type"),
                )
        missing = [namespace for namespace in namespaces if (namespace, extra.name) not in found]
        if found and missing:
            yield _missing(config, index, extra, missing, found)


def _is_near(name: str, wanted: str) -> bool:
    return name == wanted or (name.startswith(wanted) and bool(_HASH.match(name[len(wanted) :])))


def _missing(
    config: Config,
    index: int,
    extra: ExtraResource,
    missing: Sequence[str],
    found: Mapping[tuple[str, str], Item],
) -> Result:
    remedy = "keep one in each namespace with matching Clusters"
    if any(name != extra.name for _, name in found):
        remedy = "a ClusterResourceSet is not renamed with it: set generatorOptions.disableNameSuffixHash"
    where = f" in namespace {some(missing, 3)}" if missing[0] else ""
    return Result(
        message=(
            f"{extra.kind} {extra.name} (spec.clusterResourceSet.extraResources) is not in the input{where}, but"
            f" {some([full_name(*key) for key in sorted(found)], 3)} is; {remedy}. Cluster API skips what is missing, and"
            " reports success"
        ),
        severity=WARNING,
        tags=tagged(rule="extra-resource"),
        **config.place(f"spec.clusterResourceSet.extraResources[{index}]"),
    )
