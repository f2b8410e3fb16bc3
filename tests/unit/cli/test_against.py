"""`--against REV`: a Git revision, rendered on the fly, and nothing that the repository configures is run for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner

from krm_fn.cli import group
from tests.support.lists import cluster, config
from tests.unit.cli.test_builds import STAND_IN, called

GIT = (
    "git",
    "-c",
    "user.name=x",
    "-c",
    "user.email=x@example.com",
    "-c",
    "commit.gpgsign=false",
    "-c",
    "init.defaultBranch=main",
)


class Repository:
    """A Git repository with a fleet in it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q")

    def git(self, *arguments: str) -> str:
        done = subprocess.run([*GIT, "-C", str(self.root), *arguments], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write(self, name: str, *values: Any) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump_all(values, sort_keys=False), encoding="utf-8")

    def commit(self) -> str:
        self.git("add", "-A")
        self.git("commit", "-qm", "x", "--no-verify")
        return self.git("rev-parse", "HEAD")

    @property
    def fleet(self) -> str:
        return str(self.root / "fleet")


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repository:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    (tmp_path / "repository").mkdir()
    made = Repository(tmp_path / "repository")
    made.write("fleet/clusters.yaml", cluster("one"), cluster("two", "team-b"))
    made.write("fleet/config.yaml", config())
    made.commit()
    return made


def plan(*arguments: str) -> tuple[int, Any, str]:
    result = CliRunner().invoke(group, ["plan", "-o", "json", *arguments], standalone_mode=False)
    assert result.exception is None, result.output
    return result.return_value, json.loads(result.stdout), result.stderr


def effects(found: Any) -> dict[str, list[str]]:
    return {one["code"]: one["clusters"] for one in found["comparison"]["effects"]}


def test_an_unchanged_tree_changes_nothing(repository: Repository) -> None:
    code, found, _ = plan(repository.fleet, "--against", "HEAD", "--exit-code")
    assert code == 0
    assert effects(found) == {}


def test_uncommitted_changes_are_compared_with_the_revision(repository: Repository) -> None:
    repository.write("fleet/config.yaml", config(agent={"replicas": 1}))
    repository.write("fleet/clusters.yaml", cluster("one"), cluster("three"))
    code, found, _ = plan(repository.fleet, "--against", "HEAD", "--exit-code")
    assert code == 1
    assert effects(found) == {"removed": ["team-b/two"], "registers": ["team-a/three"], "replaced": ["team-a/one"]}


def test_a_config_given_apart_is_that_of_the_revision(repository: Repository) -> None:
    repository.write("config.yaml", config())
    repository.git("mv", "-f", "fleet/config.yaml", "other.yaml")
    repository.commit()
    repository.write("config.yaml", config(agent={"replicas": 1}))
    _, found, _ = plan(repository.fleet, "-c", str(repository.root / "config.yaml"), "--against", "HEAD")
    assert effects(found) == {"replaced": ["team-a/one", "team-b/two"]}


def test_render_applies_the_guard_against_a_revision(repository: Repository) -> None:
    repository.write("fleet/config.yaml", config(guard={"maxRemovedClusters": 0}))
    repository.write("fleet/clusters.yaml", cluster("one"))
    result = CliRunner().invoke(group, ["render", repository.fleet, "--against", "HEAD"], standalone_mode=False)
    assert result.return_value == 1
    assert "1 of 2 Clusters would no longer be served, compared with --against HEAD (team-b/two)" in result.stderr


def test_a_revision_before_the_first_config_makes_everything_new(repository: Repository) -> None:
    first = repository.git("rev-parse", "HEAD")
    repository.git("mv", "fleet", "clusters")
    repository.commit()
    _, found, _ = plan(str(repository.root / "clusters"), "--against", first)
    assert effects(found) == {"registers": ["team-a/one", "team-b/two"]}


@pytest.mark.parametrize("before", ["README.md", "other.yaml"], ids=["no manifest", "no configuration"])
def test_a_folder_that_had_nothing_of_ours_makes_everything_new(repository: Repository, before: str) -> None:
    repository.write(f"clusters/{before}", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "team-a"}})
    repository.commit()
    repository.git("mv", "fleet/clusters.yaml", "fleet/config.yaml", "clusters/")
    repository.write("clusters/config.yaml", config(guard={"maxRemovedClusters": 0}))
    code, found, _ = plan(str(repository.root / "clusters"), "--against", "HEAD")
    assert (code, effects(found)) == (0, {"registers": ["team-a/one", "team-b/two"]})


def test_a_revision_that_cannot_be_rendered_is_a_warning(repository: Repository) -> None:
    repository.write("fleet/config.yaml", config(parentURL="http://x"))
    repository.commit()
    repository.write("fleet/config.yaml", config())
    code, found, said = plan(repository.fleet, "--against", "HEAD")
    assert code == 0
    assert "comparison" not in found
    assert said.count("--against HEAD") == 1
    assert "--against HEAD can't be rendered, so nothing is compared with it: spec.parentURL" in said
    repository.write("fleet/config.yaml", config(guard={"maxRemovedClusters": 0}))
    code, _, said = plan(repository.fleet, "--against", "HEAD")
    assert code == 1
    assert said.count("--against HEAD") == 1
    assert "Without it guard.maxRemovedClusters of fleet can't be evaluated" in said


def test_nothing_of_the_repository_runs_and_no_file_is_left(repository: Repository, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    trap.chmod(0o755)
    for hook in ("post-checkout", "reference-transaction", "post-index-change"):
        (repository.root / ".git/hooks").mkdir(exist_ok=True)
        (repository.root / ".git/hooks" / hook).symlink_to(trap)
    for key in ("filter.trap.smudge", "filter.trap.clean", "diff.trap.textconv", "core.fsmonitor", "core.sshCommand"):
        repository.git("config", key, str(trap))
    (repository.root / ".gitattributes").write_text("*.yaml filter=trap diff=trap\n")
    repository.git(
        "-c", "filter.trap.clean=cat", "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "add", "-A"
    )
    repository.git("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "commit", "-qm", "x")
    mark.unlink(missing_ok=True)
    code, found, _ = plan(repository.fleet, "--against", "HEAD")
    assert code == 0
    assert effects(found) == {}
    assert not mark.exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_folder_that_looks_like_a_repository_is_none(repository: Repository, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Repository(tmp_path / "other")
    other.write("clusters.yaml", cluster("private"))
    files = {
        "HEAD": "ref: refs/heads/main\n",
        "config": f"[core]\nrepositoryformatversion = 0\nbare = false\nworktree = {repository.fleet}\n",
        "objects/info/alternates": f"{other.root}/.git/objects\n",
        "refs/heads/main": f"{other.commit()}\n",
    }
    for name, text in files.items():
        path = Path(repository.fleet) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    code, found, said = plan(repository.fleet, "--against", "main")
    assert code == 0
    assert effects(found) == {}
    assert "private" not in str(found) + said


@pytest.mark.parametrize("name", ["nowhere", "--upload-pack=x", "HEAD:fleet", ""])
def test_a_revision_that_is_none_is_an_error(name: str, repository: Repository) -> None:
    code, found, _ = plan(repository.fleet, f"--against={name}")
    assert code == 1
    assert f"there is no Git revision {name!r}" in found["results"][0]["message"]


def test_a_folder_outside_a_repository_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(cluster("one")))
    code, found, _ = plan(str(tmp_path), "--against", "HEAD")
    assert code == 1
    assert "is not in the working tree of a Git repository" in found["results"][0]["message"]


def test_a_tree_whose_link_would_lead_out_is_refused(repository: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    done = subprocess.run(
        [*GIT, "-C", str(repository.root), "hash-object", "-w", "--stdin"],
        input=str(outside).encode(),
        capture_output=True,
        check=True,
    )
    link = done.stdout.decode().strip()
    blob = repository.git("rev-parse", "HEAD:fleet/clusters.yaml")
    inner = _tree(repository, f"100644 blob {blob}\tx.yaml\n")
    raw = b"120000 fleet\0" + bytes.fromhex(link) + b"40000 fleet\0" + bytes.fromhex(inner)
    done = subprocess.run(
        [*GIT, "-C", str(repository.root), "hash-object", "-w", "-t", "tree", "--literally", "--stdin"],
        input=raw,
        capture_output=True,
        check=True,
    )
    tree = done.stdout.decode().strip()
    commit = repository.git("commit-tree", tree, "-m", "x")
    code, found, _ = plan(repository.fleet, "--against", commit)
    assert code == 1
    assert "would lead out of its own folder" in found["results"][0]["message"]
    assert list(outside.iterdir()) == []


def _tree(repository: Repository, text: str) -> str:
    done = subprocess.run(
        [*GIT, "-C", str(repository.root), "mktree"], input=text.encode(), capture_output=True, check=True
    )
    return done.stdout.decode().strip()


def test_a_revision_and_stdin_are_wrong_usage() -> None:
    with pytest.raises(click.UsageError, match="--against needs files in a Git repository"):
        group.main(["plan", "-", "--against", "HEAD"], standalone_mode=False)


def test_git_is_not_taken_from_a_relative_folder(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    own = repository.root / "git"
    own.write_text("#!/bin/sh\ntouch ran\nexit 1\n")
    own.chmod(0o755)
    monkeypatch.chdir(repository.root)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    assert plan(repository.fleet, "--against", "HEAD")[0] == 0
    assert not (repository.root / "ran").exists()


def test_a_base_elsewhere_in_the_repository_is_that_of_the_revision(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A kustomization reaches upwards; the stand-in lists the base that it was given."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kustomize"
    program.write_text('#!/bin/sh\nfor root; do :; done\n/bin/cat "$root/../fleet/clusters.yaml"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    repository.write("fleet/kustomization.yaml", {"resources": ["clusters.yaml"]})
    repository.write("overlay/kustomization.yaml", {"resources": ["../fleet"]})
    repository.write("config.yaml", config())
    repository.commit()
    repository.write("fleet/clusters.yaml", cluster("one"))
    given = [str(repository.root / "overlay"), "-c", str(repository.root / "config.yaml")]
    _, found, said = plan(*given, "--against", "HEAD")
    assert "can't be rendered" not in said
    assert effects(found) == {"removed": ["team-b/two"]}


def test_local_config_clusters_that_a_build_drops_count_as_removed(
    repository: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Under one set of a namespace nothing that kustomize prints tells that they left."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "kustomize"
    program.write_text(STAND_IN.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    local = [
        cluster(name, annotations={"config.kubernetes.io/local-config": "true"}) for name in ("one", "two", "three")
    ]
    repository.write("fleet/kustomization.yaml", {"resources": ["clusters.yaml"], "transformers": ["config.yaml"]})
    repository.write("fleet/config.yaml", called(guard={"maxRemovedClusters": 1}))
    repository.write("fleet/clusters.yaml", *local)
    repository.commit()
    assert effects(plan(repository.fleet, "--against", "HEAD")[1]) == {}
    repository.write("fleet/clusters.yaml", local[0])
    code, _, said = plan(repository.fleet, "--against", "HEAD")
    assert code == 1
    assert "2 of 3 Clusters would no longer be served" in said
    repository.write("fleet/clusters.yaml", *local[:2])
    code, found, _ = plan(repository.fleet, "--against", "HEAD")
    assert (code, effects(found)) == (0, {"removed": ["team-a/three"]})


@pytest.mark.parametrize(
    ("labels", "guard", "expected"),
    [
        pytest.param({"env": True}, {}, (1, {}), id="an error: nothing is rendered"),
        pytest.param({"env": "prod", "tier": 1}, {}, (1, {}), id="another label"),
        pytest.param({"env": "test", "tier": 1}, {}, (0, {"loses-set": ["team-b/two"]}), id="out of reach, too"),
        pytest.param(
            {"env": "test", "a b": "c"}, {}, (0, {"loses-set": ["team-b/two"]}), id="out of reach, with a bad key"
        ),
        pytest.param({"env": "prod", "tier": 1}, {"onInvalidCluster": "Skip"}, (0, {}), id="not counted"),
    ],
)
def test_a_cluster_that_a_server_would_refuse_is_still_in_the_input(
    labels: Any, guard: Any, expected: Any, repository: Repository
) -> None:
    repository.write("fleet/config.yaml", config(guard=guard))
    refused = cluster("two", "team-b")
    refused["metadata"]["labels"] = labels
    repository.write("fleet/clusters.yaml", cluster("one"), cluster("other", "team-b"), refused)
    code, found, _ = plan(repository.fleet, "--against", "HEAD")
    assert (code, {key: value for key, value in effects(found).items() if key != "registers"}) == expected
