"""One config on its way through a Plan: what it reaches, under which names, and what is made for it."""

from __future__ import annotations

from krm_fn.base import Record
from krm_fn.surface import NAMESPACE_LABEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.krm.results import Result
    from krm_fn.model import Cluster, Config, Generated, Token

DEFAULT_PREFIX = "clusternet-cluster"  # the agent's own, v0.12 to v0.18


class Naming(Record):
    """How one Cluster registers, or why it can't.

    Attributes:
        cluster: The Cluster.
        name: Its registration name.
        labels: Labels of its future ManagedCluster.
        needs_label: Whether the Cluster object has to be given `cluster.x-k8s.io/cluster-name`.
        errors: Why it can't be served; empty if it can.
    """

    cluster: Cluster
    name: str
    labels: Mapping[str, str]
    needs_label: bool = False
    errors: tuple[str, ...] = ()


class Part:
    """One config, filled in by the steps of a Plan.

    Attributes:
        config: The config.
        token: Its registration token.
        matched: The Clusters that it reaches, by namespace and name.
        namespaces: Those that it serves whether or not the input has a matching Cluster there.
        namings: With PerCluster, how each of them registers.
        skipped: Those that are left out, each with the reason.
        generated: Its objects.
        results: What there is to report about it.
    """

    def __init__(
        self, config: Config, token: Token, matched: tuple[Cluster, ...], namespaces: tuple[str, ...] = ()
    ) -> None:
        """Begin with what the config reaches."""
        self.config = config
        self.token = token
        self.matched = matched
        self.namespaces = namespaces
        self.namings: dict[tuple[str, str], Naming] = {}
        self.skipped: dict[tuple[str, str], str] = {}
        self.generated: list[Generated] = []
        self.results: list[Result] = []

    @property
    def served(self) -> list[Cluster]:
        """The Clusters that it reaches and can serve."""
        return [cluster for cluster in self.matched if cluster.key not in self.skipped]

    @property
    def renders(self) -> bool:
        """Whether its objects are written; with `mode: Check` it owns nothing and conflicts with nothing."""
        return self.config.mode != "Check"


def shared_labels(config: Config, namespace: str) -> Mapping[str, str]:
    """Return the labels under which the Clusters of a namespace register with `mode: Shared`.

    Agents that choose their names themselves can't be told apart otherwise; with the namespace `status` can count them.
    """
    return {**config.identity.labels, **({NAMESPACE_LABEL: namespace} if namespace else {})}


def shared_name(config: Config) -> str:
    """Return the shape of the names that agents choose with `mode: Shared`: a prefix and five random characters."""
    return f"{config.identity.name_prefix or DEFAULT_PREFIX}-xxxxx"
