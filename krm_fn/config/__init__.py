"""ClusternetCAPIConfig: one declarative model that decodes, defaults, validates and exports itself."""

from krm_fn.config.decode import decode, given_tokens, identity_of, is_config

__all__ = ["decode", "given_tokens", "identity_of", "is_config"]
