"""Cluster API's Clusters: reading them, selecting them, naming them."""
