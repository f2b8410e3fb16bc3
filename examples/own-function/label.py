#!/usr/bin/env python3
"""A KRM function: sets labels on every object, and keeps every other byte."""

from krm_fn.krm.resource_list import ResourceList
from krm_fn.krm.runner import as_main


def process(resource_list: ResourceList) -> None:
    """Set what the function's configuration, a ConfigMap, has in its data."""
    config = resource_list.function_config
    labels = config.get("data") if config else None
    if not isinstance(labels, dict) or not all(isinstance(one, str) for one in labels.values()):
        resource_list.results.error("no labels to set: give a ConfigMap with strings as data", field="data")
        return
    for item in resource_list.items:
        for key, value in labels.items():
            item.set_label(key, value)
    resource_list.results.info(f"set {', '.join(labels)} on {len(resource_list.items)} objects")


if __name__ == "__main__":
    as_main(process)
