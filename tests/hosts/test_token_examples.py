"""The token examples in kustomize itself; ksops by a stand-in that hands over what decrypting would."""

from __future__ import annotations

import pytest

from tests.hosts.manifests import generated, identity, read
from tests.hosts.programs import REPOSITORY, run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

FOLDER = REPOSITORY / "examples/tokens"
# A generator function: a ResourceList on stdin, one with the decrypted Secret on stdout.
KSOPS = """\
#!/bin/sh
cat >/dev/null
printf 'apiVersion: config.kubernetes.io/v1\\nkind: ResourceList\\nitems:\\n-\\n'
sed -e 's/^/  /' '{decrypted}'
"""


@pytest.fixture
def ksops(tmp_path: Path) -> dict[str, str]:
    """A PATH with a stand-in for ksops on it."""
    program = tmp_path / "ksops"
    program.write_text(KSOPS.format(decrypted=FOLDER / "sops/.expected/decrypted.yaml"))
    program.chmod(0o755)
    return {"PATH": f"{tmp_path}:{run('sh', '-c', 'echo $PATH', cwd=tmp_path).out.strip()}"}


@pytest.mark.parametrize("name", ["sops", "sealed-secrets", "external-secrets"])
def test_kustomize_builds_what_the_example_says(kustomize: Path, ksops: dict[str, str], name: str) -> None:
    build = run(
        kustomize, "build", "--enable-alpha-plugins", "--enable-exec", FOLDER / name, cwd=FOLDER / name, env=ksops
    )
    expected = read((FOLDER / name / ".expected/generated.yaml").read_text())
    ours = generated(read(build.out))
    assert ours == {identity(one) for one in expected}
    built = {identity(one): one for one in read(build.out)}
    assert [built[identity(one)] for one in expected] == expected
    assert ("Secret", "retail", "clusternet-registration") not in built  # local-config: kustomize dropped it
