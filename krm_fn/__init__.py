"""A KRM function that registers Cluster API clusters with Clusternet through Git."""

# Kept here and read from here by pyproject.toml: importlib.metadata costs more than the whole cold start may.
__version__ = "0.1.0"
