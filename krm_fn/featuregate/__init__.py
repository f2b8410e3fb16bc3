"""The feature gate ClusterResourceSet of Cluster API's manager and of CoreProviders."""
