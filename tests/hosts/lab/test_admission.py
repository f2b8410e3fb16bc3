"""What a real API server makes of the agent's objects: it admits those of every good configuration, and refuses what we refuse."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from krm_fn.agent import AgentPayload, check, identity_values
from krm_fn.agent.manifests import Registration
from krm_fn.krm.results import Errors
from tests.hosts.lab.api import RefusedError
from tests.support.configs import BAD, GOOD, decoded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from krm_fn.model import AgentOptions
    from tests.hosts.lab.lab import Lab

OF_KUBERNETES = ("affinity", "resources", "tolerations", "env")
# refused for another reason
ADMITTED = {
    "a word to compare nodes with by size",  # the scheduler can't read it, and no pod ever runs
    "a label key twice",  # the server refuses the pods
    "a variable of ours",
    "a variable twice",
    "a variable that looks like a path",  # older servers refuse it
    "a variable called dot",  # so here
}
REFUSED = {
    name: changes
    for name, (changes, field, _) in BAD.items()
    if field.startswith(tuple(f"spec.agent.{option}" for option in OF_KUBERNETES)) and name not in ADMITTED
}


def admit(lab: Lab, options: AgentOptions) -> None:
    """Have the server of a workload cluster check the objects, without creating any."""
    values = {**identity_values(options), **AgentPayload(options).values(Registration(), "c" * 64)}
    for text in values.values():
        for value in yaml.safe_load_all(text):
            if "namespace" in value["metadata"]:
                value["metadata"]["namespace"] = "default"  # which is there
            if value["kind"] != "Namespace":
                lab.workload("w1").api.create(value, dry_run=True)


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_a_server_admits_what_a_good_configuration_makes(lab: Lab, changes: dict[str, Any]) -> None:
    options = decoded(changes).agent
    try:
        check(options)
    except Errors:
        return  # refused with the objects at hand
    admit(lab, options)


@pytest.mark.parametrize("changes", REFUSED.values(), ids=REFUSED)
def test_a_server_refuses_what_is_refused_for_its_sake(lab: Lab, changes: dict[str, Any]) -> None:
    options = decoded({}).agent
    given = {path.removeprefix("agent."): value for path, value in changes.items()}
    with pytest.raises(RefusedError):
        admit(lab, options.replace(fields={**options.fields, **given}))
