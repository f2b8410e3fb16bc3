"""What a run may load. A host starts the function once for each `kustomize build`, so imports are most of what it costs.

The contract (spec, section 8) is a ratio of times, which a loaded machine can't hold; these hold what the ratio is made
of. `bench/` measures the ratio itself.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

# Each costs between a tenth and a half of what a run may cost altogether; for what must be done there are ways without.
HEAVY = {
    "argparse", "attr", "calendar", "click", "copy", "ctypes", "dataclasses", "decimal", "difflib", "email", "fractions",
    "hashlib", "importlib.metadata", "inspect", "ipaddress", "json", "locale", "logging", "pathlib", "pickle", "pprint",
    "random", "ruamel", "ruamel.yaml", "shlex", "shutil", "signal", "socket", "string", "subprocess", "tempfile",
    "textwrap", "threading", "traceback", "typing", "unittest", "urllib", "urllib.parse", "uuid", "zipfile",
}  # fmt: skip

# Modules that a run needs for certain configurations or inputs only.
RARE = {
    "krm_fn.agent.checks", "krm_fn.cli", "krm_fn.clusters.verdicts",
    "krm_fn.config.export", "krm_fn.config.flat", "krm_fn.config.reference", "krm_fn.earlier.breaking",
    "krm_fn.earlier.compare", "krm_fn.earlier.effects", "krm_fn.earlier.guard", "krm_fn.earlier.overlap",
    "krm_fn.featuregate.gates", "krm_fn.featuregate.lists", "krm_fn.files",
    "krm_fn.hub", "krm_fn.krm.places", "krm_fn.krm.streams", "krm_fn.krm.unreadable",
    "krm_fn.kube.raw", "krm_fn.migration", "krm_fn.status",
    "krm_fn.tokens.expiry", "krm_fn.tokens.outside", "krm_fn.views", "krm_fn.yaml.edit", "krm_fn.yaml.nodes",
}  # fmt: skip

# What is small, built in, or loaded by every interpreter that runs with its `site`.
SMALL = {
    "__future__", "_abc", "_bisect", "_collections_abc", "_sha2", "_sha256", "_stat", "abc", "bisect", "errno", "gc",
    "genericpath", "io", "os", "os.path", "posixpath", "stat", "time",
}  # fmt: skip

INPUT = """\
apiVersion: config.kubernetes.io/v1
kind: ResourceList
items:
- apiVersion: cluster.x-k8s.io/v1beta1
  kind: Cluster
  metadata:
    name: prod-1
    namespace: team-a
    labels:
      env: prod
  spec:
    topology:
      class: standard
      version: v1.30.0
- apiVersion: v1
  kind: Secret
  metadata:
    name: clusternet-registration
    namespace: team-a
  stringData:
    regToken: 0a1b2c.0123456789abcdee
functionConfig:
  apiVersion: fn.clusternet.io/v1alpha1
  kind: ClusternetCAPIConfig
  metadata:
    name: fleet
  spec:
    parentURL: https://parent.example.com:6443
    registrationToken:
      secretRef:
        name: clusternet-registration
    clusterSelector:
      matchLabels:
        env: prod
"""

# `-S` and `-E`: what this machine's own `site` and environment load is not ours. The path is handed on for the same reason.
_BEGIN = "import sys; sys.path[:] = {path!r}; before = set(sys.modules); "
# The process ends by `os._exit`, so what it has loaded is printed right before that.
_RUN = (
    "import os; leave = os._exit\n"
    "def leaving(code):\n"
    "    print(code, *sorted(set(sys.modules) - before), file=sys.stderr, flush=True)\n"
    "    leave(code)\n"
    "os._exit = leaving; sys.argv = ['x']\n"
    "from krm_fn.__main__ import main; sys.exit(main())"
)


def loaded(code: str, stdin: str = "") -> tuple[bytes, list[str]]:
    """Return what a program writes to stdout, and the last line of its stderr in words."""
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-c", _BEGIN.format(path=sys.path) + code],
        input=stdin.encode(),
        capture_output=True,
        check=True,
    )
    return done.stdout, done.stderr.decode().splitlines()[-1].split()


@pytest.fixture(scope="module")
def run() -> set[str]:
    """Return the modules that one run has loaded, itself proven to be a real one."""
    out, (code, *modules) = loaded(_RUN, INPUT)
    assert code == "0"
    assert b"kind: ClusterResourceSet" in out
    return set(modules)


def test_a_run_loads_nothing_heavy(run: set[str]) -> None:
    assert run & HEAVY == set()


def test_a_run_loads_only_the_modules_that_it_needs(run: set[str]) -> None:
    assert {name for name in run if any(name == rare or name.startswith(f"{rare}.") for rare in RARE)} == set()


def test_the_list_of_modules_names_none_that_is_gone() -> None:
    assert {name for name in RARE if importlib.util.find_spec(name) is None} == set()


def test_a_run_loads_little_besides_yaml_and_itself(run: set[str]) -> None:
    _, with_yaml = loaded("import yaml; print(*sorted(set(sys.modules) - before), file=sys.stderr)")
    others = {name for name in run - set(with_yaml) if name.partition(".")[0] != "krm_fn"}
    assert others - SMALL == set()


@pytest.mark.parametrize("name", ["krm_fn", "krm_fn.__main__"])
def test_the_entry_point_by_itself_loads_next_to_nothing(name: str) -> None:
    _, modules = loaded(f"import {name}; print('loaded', *sorted(set(sys.modules) - before), file=sys.stderr)")
    assert set(modules) - SMALL == {"loaded", "krm_fn", name}
