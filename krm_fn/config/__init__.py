"""ClusternetCAPIConfig: one declarative model that decodes, defaults, validates and exports itself."""
