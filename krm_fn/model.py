"""The product's nouns as frozen records of plain values, each with its name, title and place for messages."""

from __future__ import annotations

from krm_fn.base import Record, full_name, titled
from krm_fn.surface import APPLY_ONCE, identity_maps_of, registrations_of, set_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from krm_fn.hosts import Host
    from krm_fn.krm.results import Result
    from krm_fn.kube.labels import LabelSelector
    from krm_fn.kube.secrets import Secret


# --- what the configuration asks for -------------------------------------------------------------------------------------


class TokenSource(Record):
    """`spec.registrationToken`: one of the records in `tokens.sources`."""

    kind = ""  # the field of `registrationToken` that it is
    on_expired: str = "Warn"  # or Fail

    @property
    def kept_secret(self) -> str:
        """Name of the Secret with the registration that the user keeps in each namespace; "" where it is ours."""
        return ""


class AgentVersion(Record):
    """A clusternet-agent release, comparable by `key`."""

    major: int
    minor: int
    patch: int

    @property
    def key(self) -> tuple[int, int, int]:
        """For comparisons."""
        return (self.major, self.minor, self.patch)

    def __str__(self) -> str:
        """As in the image tag."""
        return f"v{self.major}.{self.minor}.{self.patch}"


class Patch(Record):
    """`spec.agent.patches[]`: a JSON merge patch (RFC 7386) for one agent object."""

    kind: str
    name: str
    patch: Mapping[str, Any]


class AgentOptions(Record):
    """`spec.agent` after defaults.

    Its fields are those of the tree (`config.tree.agent`) and are read by the names that users write:
    `options["syncMode"]`. One that is not given and has no default is None.
    """

    fields: Mapping[str, Any]
    version: AgentVersion  # the agent's release, from `version` or the image's tag
    patches: tuple[Patch, ...]  # `patches` as records

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]


class IdentityOptions(Record):
    """`spec.identity`: under which name and labels clusters register."""

    mode: str  # Shared or PerCluster
    name_prefix: str  # "" = the agent's own default
    name_template: str
    labels: Mapping[str, str]
    label_keys: tuple[str, ...]


class ResourceSetOptions(Record):
    """`spec.clusterResourceSet`."""

    name: str
    strategy: str  # Reconcile or ApplyOnce
    api_version: str  # "" = decided per namespace
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    extra_resources: Sequence[Mapping[str, str]]  # kind and name of each


class KubeconfigRef(Record):
    """`spec.hub.kubeconfigSecretRef`."""

    name: str
    key: str


class HubOptions(Record):
    """`spec.hub`."""

    discovery_secret: bool = False
    kubeconfig: KubeconfigRef | None = None

    @property
    def asked(self) -> bool:
        """Whether anything of the hub is configured."""
        return self.discovery_secret or self.kubeconfig is not None


class GuardOptions(Record):
    """`spec.guard`."""

    allow_no_clusters: bool
    min_clusters: int | None
    max_removed: int | str | None  # a number, or a percentage such as "10%"; None = no limit
    on_invalid_cluster: str  # Fail or Skip

    @property
    def skips(self) -> bool:
        """Whether a Cluster that can't be served is left out, with a warning."""
        return self.on_invalid_cluster == "Skip"


class Config(Record):
    """A whole `ClusternetCAPIConfig`, decoded, defaulted and valid."""

    name: str
    namespace: str
    parent_url: str
    token: TokenSource
    cluster_selector: LabelSelector
    namespace_selector: LabelSelector | None
    namespaces: tuple[str, ...]
    serve_empty_namespaces: bool
    agent: AgentOptions
    identity: IdentityOptions
    resource_set: ResourceSetOptions
    feature_gate: str  # Check, Ensure or Ignore
    hub: HubOptions
    hosts: tuple[Host, ...]  # `spec.gitops`: those whose annotations are asked for
    guard: GuardOptions
    mode: str  # Render or Check
    origin: Mapping[str, Any]  # what results about it point at, as `Item.place` gives it
    root: str = "spec"  # where its fields are: `data` in a ConfigMap of flat keys
    warnings: tuple[Result, ...] = ()  # found while decoding (a token in plain text, …)

    def place(self, field: str = "") -> dict[str, Any]:
        """Return the fields of a `Result` that point at a field (`spec.agent.replicas`), or at the object."""
        path = self.root + field.removeprefix("spec") if field.startswith("spec") else field
        return {**self.origin, "field": path}

    @property
    def owner(self) -> str:
        """Value of the ownership annotation: `namespace/name`, or `name` where the config has no namespace."""
        return full_name(self.namespace, self.name)

    def set_of(self, cluster: Cluster) -> str:
        """Return the name of the ClusterResourceSet that delivers this config's agent to a Cluster."""
        return set_of(self.resource_set.name, cluster.name if self.per_cluster else "")

    @property
    def renders(self) -> bool:
        """Whether its objects are written; with `mode: Check` it owns nothing and conflicts with nothing."""
        return self.mode != "Check"

    @property
    def per_cluster(self) -> bool:
        """Whether each Cluster gets its own agent ConfigMap and ClusterResourceSet."""
        return self.identity.mode == "PerCluster"

    @property
    def identity_map(self) -> str:
        """Name of the ConfigMap with the identity manifests."""
        usual, other = identity_maps_of(self.resource_set.name)
        return other if self.per_cluster and self.resource_set.strategy == APPLY_ONCE else usual

    @property
    def registration(self) -> str:
        """Name of the Secret with the registration manifest, be it ours or one that the user keeps."""
        shared, per_cluster = registrations_of(self.resource_set.name)
        return self.token.kept_secret or (per_cluster if self.per_cluster else shared)


# --- what the input holds --------------------------------------------------------------------------------------------


class Cluster(Record):
    """A Cluster API `Cluster` of the input."""

    namespace: str  # "" where the object has none
    name: str
    api_version: str  # cluster.x-k8s.io/v1beta2, say
    labels: Mapping[str, str]  # as in Git
    live_labels: Mapping[str, str]  # as a ClusterResourceSet will see them: plus those of the topology controller
    topology: bool  # a ClusterClass Cluster (`spec.topology`)
    local: bool  # annotated config.kubernetes.io/local-config: "true": matched, never edited
    origin: Mapping[str, Any]  # what results about it point at, as `Item.place` gives it

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return (self.namespace, self.name)

    @property
    def title(self) -> str:
        """`namespace/name`, or the name alone."""
        return full_name(self.namespace, self.name)

    def place(self, field: str = "") -> dict[str, Any]:
        """Return the fields of a `Result` that point at a field of the object, or at the object."""
        return {**self.origin, "field": field}


class Token(Record):
    """A registration token that passed the format check, with what is known of its expiry."""

    secret: Secret | None = None  # the value; None when it is kept outside (existingSecret, externalSecret)
    bootstrap: bool = False  # whether it is a bootstrap token; else a JWT
    expires: int | None = None  # seconds since the epoch; None when unknown or never


# --- what is decided -------------------------------------------------------------------------------------------------


class ObjectKey(Record):
    """Identity of an object on a server; versions don't count."""

    group: str
    kind: str
    namespace: str
    name: str

    @property
    def full_name(self) -> str:
        """`namespace/name`, or the name alone."""
        return full_name(self.namespace, self.name)

    @property
    def title(self) -> str:
        """What messages call it: `ConfigMap team-a/fleet-agent`."""
        return titled(self.kind, self.namespace, self.name)

    def __hash__(self) -> int:
        """Hash by value: looked up a million times in a large fleet."""
        return hash((self.name, self.namespace, self.kind))


class Generated(Record):
    """An object of the output: its identity, its value (a fresh dict), and the config that owns it."""

    key: ObjectKey
    value: Mapping[str, Any]
    owner: str
