"""What brings the registration to a namespace: made by the token's source, marked as ours here."""

from __future__ import annotations

from krm_fn.model import Generated, ObjectKey
from krm_fn.outputs import marks
from krm_fn.tokens import sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from krm_fn.model import Config


def carrier(config: Config, namespace: str, values: Mapping[str, str]) -> Generated | None:
    """Return the object that brings the registration manifest to a namespace; None where the user keeps it there.

    Args:
        config: The config; its token source decides.
        namespace: Namespace of the Clusters.
        values: The registration manifest under its key; empty where the token is kept outside.
    """
    value = sources.carrier(config, namespace, values)
    if value is None:
        return None
    kind, name = value["kind"], value["metadata"]["name"]
    # in a Secret the text is base64, where no host finds anything to substitute
    annotations = {} if kind == "Secret" else marks.for_embedded_text(config)
    key = ObjectKey(group=value["apiVersion"].rpartition("/")[0], kind=kind, namespace=namespace, name=name)
    marked = {**value, "metadata": marks.metadata(config, namespace, name, annotations=annotations)}
    return Generated(key=key, value=marked, owner=config.owner)
