"""What lands on the management cluster: carriers and ClusterResourceSets, one file each, joined by a registry."""
