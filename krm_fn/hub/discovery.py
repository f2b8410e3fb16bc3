"""The Secret from which the hub's own discovery reads (step 2 of the guide), and the warning that goes with it.

Source: clusternet `pkg/controllers/clusters/clusterlifecycle/discovery`: it waits for the Opaque Secret
`capi-system/clusternet-cluster-api` with the keys `image`, `parentURL` and `regToken`.
"""

from __future__ import annotations

from krm_fn.krm.results import WARNING, Result, tagged
from krm_fn.kube import secrets
from krm_fn.surface import HUB_NAME, HUB_NAMESPACE, PARENT_URL_KEY, TOKEN_KEY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from krm_fn.model import Config, Token

FIELD = "spec.hub.discoverySecret"
RULE = "hub-discovery"


def discovery_secret(config: Config, token: Token) -> dict[str, Any]:
    """Return the Secret for the hub's discovery, without our marks.

    Raises:
        ValueError: If the token is kept outside; `config` refuses that combination.
    """
    if token.secret is None:
        message = f"{FIELD} needs a token that is known here"
        raise ValueError(message)
    data = {"image": config.agent["image"], PARENT_URL_KEY: config.parent_url, TOKEN_KEY: token.secret.reveal()}
    return secrets.made(HUB_NAME, HUB_NAMESPACE, "Opaque", data)


def remarks(config: Config) -> list[Result]:
    """Warn about what hub discovery does with the token."""
    message = (
        f"{FIELD}: the hub copies the token into a readable ConfigMap in every namespace with clusters, whatever "
        f"ClusterResourceSet is there"
    )
    if config.resource_set.name == HUB_NAME:
        message += f"; ours is called {HUB_NAME} too, so only the hub's own ClusterResourceSet is not created"
    else:
        message += (
            f"; it also creates its own ClusterResourceSet {HUB_NAME} beside {config.resource_set.name}, and both install the "
            f"agent"
        )
    return [Result(message=message, severity=WARNING, field=FIELD, tags=tagged(rule=RULE))]
