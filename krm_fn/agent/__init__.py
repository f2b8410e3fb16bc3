"""What runs on a workload cluster: the clusternet-agent manifests of each release, built as data."""
