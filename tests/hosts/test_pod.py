"""The agent's container under a real runtime, with the settings of the rendered pod."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from tests.hosts import fleet, programs
from tests.hosts.manifests import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

# The shape of the agent's image (Dockerfile at v0.18.1): WORKDIR /root, which is root's alone, and no USER. What it runs
# here tells how it was started.
IMAGE = "agent-shape:test"
DOCKERFILE = """\
ARG PYTHON_IMAGE=python:3.13-slim
FROM ${PYTHON_IMAGE}
RUN chmod 0700 /root
WORKDIR /root
COPY tell.py /tell.py
ENTRYPOINT ["python3", "/tell.py"]
"""
TELL = """\
import json, os
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
try:
    open("/written", "w")
except OSError as error:
    written = os.strerror(error.errno)
else:
    written = "yes"
print(json.dumps({
    "user": os.getuid(), "folder": os.getcwd(), "written": written,
    "capabilities": status["CapEff"].strip(), "escalation": status["NoNewPrivs"].strip() == "0",
    "seccomp": status["Seccomp"].strip(),
}))
"""


def pod(folder: Path) -> dict[str, Any]:
    """The pod's template, from what the function renders."""
    for carrier in yaml.safe_load(fleet.render(folder, clusters=fleet.CLUSTERS[:1]))["items"]:
        if carrier["kind"] == "ConfigMap" and carrier["metadata"]["name"].endswith("-agent"):
            for text in carrier["data"].values():
                for value in read(text):
                    if value["kind"] == "Deployment":
                        return value["spec"]["template"]["spec"]
    return pytest.fail("no Deployment is rendered")


def flags(template: dict[str, Any]) -> list[str]:
    """What a kubelet makes of the template's settings, as options of a container runtime."""
    container = template["containers"][0]
    context = {**template.get("securityContext", {}), **container.get("securityContext", {})}
    found = ["--user", str(context["runAsUser"])]
    found += ["--read-only"] if context["readOnlyRootFilesystem"] else []
    found += [f"--cap-drop={name}" for name in context["capabilities"]["drop"]]
    found += [] if context["allowPrivilegeEscalation"] else ["--security-opt=no-new-privileges"]
    found += ["--workdir", container["workingDir"]] if "workingDir" in container else []
    return found


def test_the_agents_image_starts_with_the_settings_of_the_rendered_pod(engine: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    (tmp_path / "tell.py").write_text(TELL, encoding="utf-8")
    build = (engine[0], "build", ".", IMAGE) if engine else ("docker", "build", "-t", IMAGE, ".")
    programs.run(*build, cwd=tmp_path)
    template = pod(tmp_path)
    done = programs.run(*engine, "docker", "run", "--rm", *flags(template), IMAGE, cwd=tmp_path)
    assert json.loads(done.out) == {
        "user": 65532,
        "folder": "/",
        "written": "Read-only file system",
        "capabilities": "0" * 16,
        "escalation": False,
        "seccomp": "2",
    }
