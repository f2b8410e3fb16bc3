"""What is wrong with a single flag of `agent.extraArgs`."""

from __future__ import annotations

from krm_fn.agent import releases
from krm_fn.config import formats

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from krm_fn.config.formats import Format

_ONE_OF = {"cluster-sync-mode": releases.SYNC_MODES, "cluster-reg-type": releases.CLUSTER_TYPES}
_TEXTS: Mapping[str, Format] = {
    "cluster-reg-name": formats.REGISTRATION_NAME,
    "cluster-reg-name-prefix": formats.NAME_PREFIX,
}


def flag_error(name: str, value: str, *, per_cluster: bool) -> str:
    """Say what is wrong with a flag, to go on after its path; "" for nothing."""
    if per_cluster and name.startswith("cluster-reg-name"):
        return f"must not set --{name} with identity.mode PerCluster: use identity.nameTemplate"
    if name in _ONE_OF and value not in _ONE_OF[name]:
        return f"must give --{name} one of {', '.join(_ONE_OF[name])}"
    if name in _TEXTS and (not value or _TEXTS[name].error(value)):
        return f"must give --{name} {_TEXTS[name].expected} of at most {_TEXTS[name].max_length} characters"
    if name == "cluster-labels":
        return next(_label_errors(value.split(",")), "")
    return ""


def _label_errors(pairs: Iterable[str]) -> Iterator[str]:
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            yield "must give --cluster-labels pairs of the form key=value"
        elif reason := formats.REGISTRATION_LABEL_KEY.error(key):
            yield f"gives --cluster-labels a bad key: it {reason}"
        elif reason := formats.LABEL_VALUE.error(value):
            yield f"gives --cluster-labels a bad value: it {reason}"
