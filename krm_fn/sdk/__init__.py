"""A small SDK for KRM functions in Python; it knows ResourceLists, but neither Clusternet nor Cluster API."""
