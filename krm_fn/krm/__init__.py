"""The KRM function protocol: ResourceLists, their items, changes and results, and the runner; nothing here knows the product."""
