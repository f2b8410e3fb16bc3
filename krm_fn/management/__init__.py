"""The management and the parent cluster: the feature gate, the hub's discovery Secret, the hub's kubeconfig.

Everything that the guide does there by hand, on the Deployments, CoreProviders and Secrets of the input.
"""

from krm_fn.management.review import Review, review

__all__ = ["Review", "review"]
