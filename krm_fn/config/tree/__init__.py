"""The tree of `ClusternetCAPIConfig`: every field with its type, default and meaning."""
