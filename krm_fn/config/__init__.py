"""ClusternetCAPIConfig: one declarative model that decodes, defaults, validates and exports itself."""

from krm_fn.config.decode import decode, identity_of, is_config

__all__ = ["decode", "identity_of", "is_config"]
